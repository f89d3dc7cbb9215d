//! The aggregator's database in several sizes, of which it is given one at a time. So sizes are
//! measured in turns: a machine that gets slower meanwhile makes no size look dearer.

use anyhow::Context;
use devstack::manifest::ManifestFile;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

/// Copies of a database, each named after the number of its orders.
pub(super) struct Copies {
    server: PgConnection,
    /// The name that the aggregator connects to.
    name: String,
    /// How many orders the database has that bears that name now.
    here: usize,
}

impl Copies {
    pub(super) async fn of(manifest: &ManifestFile) -> anyhow::Result<Self> {
        let options: PgConnectOptions = manifest.get().database_urls["aggregator"].parse()?;
        let name = options.get_database().context("the database has no name")?.to_owned();
        Ok(Self { server: options.database("postgres").connect().await?, name, here: 0 })
    }

    /// Keeps a copy of the database as it is now, with so many orders; the aggregator goes on with
    /// the original.
    pub(super) async fn keep(&mut self, orders: usize) -> anyhow::Result<()> {
        let (name, copy) = (self.name.clone(), self.copy(orders));
        self.close().await?;
        self.run(format!("create database {copy} template {name}")).await?;
        self.open().await
    }

    /// The original has grown to so many orders, and is the largest of them.
    pub(super) const fn grown(&mut self, orders: usize) {
        self.here = orders;
    }

    /// Gives the aggregator the copy with so many orders. It sees a server that is away for a
    /// moment.
    pub(super) async fn give(&mut self, orders: usize) -> anyhow::Result<()> {
        if orders != self.here {
            let (name, back, next) = (self.name.clone(), self.copy(self.here), self.copy(orders));
            self.close().await?;
            self.run(format!("alter database {name} rename to {back}")).await?;
            self.run(format!("alter database {next} rename to {name}")).await?;
            self.run(format!("alter database {back} allow_connections true")).await?;
            self.open().await?;
            self.here = orders;
        }
        Ok(())
    }

    /// Only a database that nobody is connected to can be copied or renamed.
    async fn close(&mut self) -> anyhow::Result<()> {
        let name = self.name.clone();
        self.run(format!("alter database {name} allow_connections false")).await?;
        // Waits until each of them is gone, for up to 10 s.
        let end =
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = $1";
        sqlx::query(end).bind(&name).execute(&mut self.server).await?;
        Ok(())
    }

    async fn open(&mut self) -> anyhow::Result<()> {
        self.run(format!("alter database {} allow_connections true", self.name)).await
    }

    fn copy(&self, orders: usize) -> String {
        format!("{}_{orders}", self.name)
    }

    /// A command of the server; the names in it are ours.
    async fn run(&mut self, command: String) -> anyhow::Result<()> {
        let failed = format!("cannot {command}");
        sqlx::raw_sql(AssertSqlSafe(command)).execute(&mut self.server).await.context(failed)?;
        Ok(())
    }
}
