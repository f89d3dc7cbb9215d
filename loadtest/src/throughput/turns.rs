//! The bare program has its turns while the aggregator stands still: so both have the same machine,
//! which is twice as quick in one minute as in another.

use super::bare::{Bare, Limit, PORTION};
use super::spent::Spent;
use super::written::Written;
use crate::signal;
use devstack::run::stack::Stack;
use nix::sys::signal::Signal;
use sqlx::PgPool;
use std::time::Duration;

/// So many in a run at most, evenly spread. None may be long: after 5 s what the aggregator holds is another's.
const TURNS: i64 = 24;
/// And so many at least, in a run of few orders.
const LEAST: i64 = 7;
/// So many events lie between two: a turn's rows were published since the one before.
const APART: i64 = PORTION as i64 * 5 / 4;
/// What the servers have in hand for the aggregator is done within this time, but for a table that is gone through.
const IN_HAND: Duration = Duration::from_millis(50);
/// That is waited for so many times as long at most.
const PATIENT: usize = 20;

/// Who works when.
pub(super) struct Turns<'a> {
    stack: &'a Stack,
    pool: &'a PgPool,
    bare: Bare,
    /// Before the run.
    before: Written,
    /// At the last turn.
    seen: Written,
    /// Without the turns.
    pub(super) spent: Spent,
    /// The next one comes with so many events.
    next: i64,
    each: i64,
}

impl<'a> Turns<'a> {
    /// Counts from now on; so many events are to come.
    pub(super) fn begin(
        stack: &'a Stack,
        pool: &'a PgPool,
        bare: Bare,
        before: Written,
        events: i64,
    ) -> anyhow::Result<Self> {
        let spent = Spent::begin(&stack.manifest.get())?;
        let each = (events / (TURNS + 1)).max(APART).min(events / (LEAST + 1));
        let seen = before.clone();
        Ok(Self { stack, pool, bare, before, seen, spent, next: each, each })
    }

    /// Gives the bare program its turn once so many events are stored.
    pub(super) async fn look(&mut self, stored: i64) -> anyhow::Result<()> {
        if stored < self.next {
            return Ok(());
        }
        self.next = stored + self.each;
        let (stack, manifest) = (self.stack, self.stack.manifest.get());
        let now = Written::about(self.pool).await?;
        let written = now.clone().since(&self.seen);
        self.seen = now;
        self.spent.hold(&manifest)?;
        signal::send(&stack.manifest, "aggregator", 0, Signal::SIGSTOP)?;
        self.at_rest().await?;
        let done = self.bare.turn(&written).await;
        signal::send(&stack.manifest, "aggregator", 0, Signal::SIGCONT)?;
        self.spent.go_on(&manifest)?;
        done
    }

    /// Waits until the server does nothing for the aggregator any more.
    async fn at_rest(&self) -> anyhow::Result<()> {
        let at_work = "select exists (select from pg_stat_progress_vacuum)";
        for _ in 0..PATIENT {
            tokio::time::sleep(IN_HAND).await;
            if !sqlx::query_scalar(at_work).fetch_one(self.pool).await? {
                break;
            }
        }
        Ok(())
    }

    /// What was written and spent in the whole run, and what the bare program took.
    pub(super) async fn end(self) -> anyhow::Result<(Written, Spent, Limit)> {
        let limit = self.bare.limit()?;
        let written = Written::so_far(self.pool).await?.since(&self.before);
        written.print(&Written::by_bare(self.pool).await?);
        Ok((written, self.spent, limit))
    }
}
