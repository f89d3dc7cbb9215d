//! What the aggregator wrote, table by table, as the server's own counters tell.

use devstack::host::term;
use sqlx::{PgPool, Row};
use std::collections::BTreeMap;
use std::time::Duration;

/// A server process that has nothing to do reports what it counted within ten seconds.
const REPORTED: Duration = Duration::from_secs(11);

/// Rows that were added, changed and removed, and how often the table was gone through for it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rows {
    added: i64,
    changed: i64,
    removed: i64,
    vacuumed: i64,
    analyzed: i64,
}

/// The tables that were written to.
#[derive(Clone)]
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
              sum(n_tup_ins)::bigint, sum(n_tup_upd)::bigint, sum(n_tup_del)::bigint,
              sum(vacuum_count + autovacuum_count)::bigint, sum(autoanalyze_count)::bigint
            from pg_stat_user_tables where relname not like 'bare%' group by 1";
        Self::counted(pool, counters).await
    }

    /// What the bare program wrote, by the names of the aggregator's tables.
    pub(super) async fn by_bare(pool: &PgPool) -> anyhow::Result<Self> {
        let counters =
            "select substr(relname::text, 6), n_tup_ins, n_tup_upd, n_tup_del, 0::bigint, 0::bigint
            from pg_stat_user_tables where relname like 'bare%'";
        Self::counted(pool, counters).await
    }

    async fn counted(pool: &PgPool, counters: &'static str) -> anyhow::Result<Self> {
        let rows = sqlx::query(counters).fetch_all(pool).await?;
        let rows = rows.iter().map(|row| {
            let count = |place: usize| row.get::<i64, _>(place);
            let (added, changed, removed) = (count(1), count(2), count(3));
            (row.get(0), Rows { added, changed, removed, vacuumed: count(4), analyzed: count(5) })
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
            rows.vacuumed -= before.vacuumed;
            rows.analyzed -= before.analyzed;
        }
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

    /// The tables that the server went through: those that it vacuumed, and those that it analyzed.
    pub(super) fn cleaned(&self) -> (Vec<&str>, Vec<&str>) {
        let with = |count: fn(&Rows) -> i64| {
            self.0
                .iter()
                .filter(|(_, rows)| count(rows) > 0)
                .map(|(table, _)| table.as_str())
                .collect()
        };
        (with(|rows| rows.vacuumed), with(|rows| rows.analyzed))
    }

    /// Prints the tables, and how many rows of each both wrote for a version.
    pub(super) fn print(&self, bare: &Self) {
        term::line(
            "\n  rows written        added    changed    removed   for each version, and the bare program",
        );
        for (table, rows) in &self.0 {
            let Rows { added, changed, removed, .. } = rows;
            if added + changed + removed == 0 {
                continue;
            }
            let (each, by_bare) = (self.per_version(table), bare.per_version(table));
            term::line(&format!(
                "  {table:<14} {added:>10} {changed:>10} {removed:>10} {each:>18.2} {by_bare:>8.2}"
            ));
        }
    }
}
