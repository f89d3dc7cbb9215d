//! What the aggregator wrote, table by table, as the server's own counters tell.

use devstack::host::term;
use sqlx::{PgPool, Row};
use std::collections::BTreeMap;
use std::time::Duration;

/// A server process that has nothing to do reports what it counted within ten seconds.
const REPORTED: Duration = Duration::from_secs(11);

/// Rows that were added, changed and removed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rows {
    added: i64,
    changed: i64,
    removed: i64,
}

/// The tables that were written to.
pub(super) struct Written(BTreeMap<String, Rows>);

impl Written {
    /// Since the server is up.
    pub(super) async fn so_far(pool: &PgPool) -> anyhow::Result<Self> {
        tokio::time::sleep(REPORTED).await;
        Self::about(pool).await
    }

    /// The same, as of a second ago or so: who is at work reports once a second.
    pub(super) async fn about(pool: &PgPool) -> anyhow::Result<Self> {
        let counters =
            "select case when relname like 'events_2%' then 'events' else relname::text end,
              sum(n_tup_ins)::bigint, sum(n_tup_upd)::bigint, sum(n_tup_del)::bigint
            from pg_stat_user_tables where relname not like 'bare%' group by 1";
        let rows = sqlx::query(counters).fetch_all(pool).await?;
        let rows = rows.iter().map(|row| {
            (row.get(0), Rows { added: row.get(1), changed: row.get(2), removed: row.get(3) })
        });
        Ok(Self(rows.collect()))
    }

    /// What has been written since then.
    pub(super) fn since(mut self, before: &Self) -> Self {
        for (table, rows) in &mut self.0 {
            let before = before.0.get(table).copied().unwrap_or_default();
            rows.added -= before.added;
            rows.changed -= before.changed;
            rows.removed -= before.removed;
        }
        self.0.retain(|_, rows| rows.added + rows.changed + rows.removed > 0);
        self
    }

    /// Versions: each is a row of the outbox.
    pub(super) fn versions(&self) -> i64 {
        self.0.get("outbox").map_or(0, |rows| rows.added)
    }

    /// Rows of a table that were added or changed, for each version.
    pub(super) fn per_version(&self, table: &str) -> f64 {
        let rows = self.0.get(table).copied().unwrap_or_default();
        // Far fewer rows than a double counts exactly.
        #[expect(clippy::cast_precision_loss, reason = "a share, not a count")]
        let share = (rows.added + rows.changed) as f64 / self.versions().max(1) as f64;
        share
    }

    /// Prints the tables.
    pub(super) fn print(&self) {
        term::line("\n  rows written        added    changed    removed");
        for (table, rows) in &self.0 {
            let Rows { added, changed, removed } = rows;
            term::line(&format!("  {table:<14} {added:>10} {changed:>10} {removed:>10}"));
        }
    }
}
