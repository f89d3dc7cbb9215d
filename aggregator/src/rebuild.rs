//! Walks over all orders while everything runs, in portions whose orders are locked; where it is,
//! is kept, so that a walk that was broken off is gone on with.

use crate::fold;
use crate::pipeline::{Settings, asks, due_times};
use crate::question::Want;
use crate::store::order::Known;
use crate::store::outbox::NewRow;
use crate::store::walk::{self, Walk};
use crate::store::{ask, due, event, json, lock, order, outbox, timeline};
use chrono::{DateTime, Utc};
use contract::event::OrderEvent;
use contract::id::OrderId;
use contract::timeline::Timeline;
use serde_json::Value;
use service_kit::clock;
use sqlx::{PgConnection, PgPool};

/// Orders in one transaction.
const PORTION: i64 = 200;

/// What a walk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Folds every order anew and writes what differs, one version higher.
    Rebuild,
    /// Raises every version above what was ever published, after a restore of an older database.
    Raise,
}

impl Job {
    const fn name(self) -> &'static str {
        match self {
            Self::Rebuild => "rebuild",
            Self::Raise => "raise-versions",
        }
    }
}

/// Walks over all orders; `tell` hears how many were seen, of how many, and how many changed.
///
/// # Errors
/// When the database is away; what is done is done, and the next call goes on.
pub async fn run(
    pool: &PgPool,
    job: Job,
    settings: &Settings,
    tell: impl Fn(i64, i64, i64),
) -> Result<Walk, sqlx::Error> {
    let all = walk::orders(&mut *pool.acquire().await?).await?;
    loop {
        let mut transaction = pool.begin().await?;
        let begun = walk::begun(&mut transaction, job.name()).await?;
        let new = begun.is_none();
        let mut here = begun.unwrap_or_else(|| Walk { base: above_all(), ..Walk::default() });
        if new && job == Job::Raise {
            // What the copy does not know comes back from the log, and was published too. Not in this
            // transaction: it shuts the table for a moment, and nobody's lock may be waited for then.
            order::raise_new(&mut *pool.acquire().await?, here.base).await?;
        }
        let ids = order::after(&mut transaction, &here.after, PORTION).await?;
        let Some(last) = ids.last().cloned() else {
            walk::over(&mut transaction, job.name()).await?;
            transaction.commit().await?;
            return Ok(here);
        };
        here.changed += portion(&mut transaction, job, &ids, (here.base, settings)).await?;
        here.seen += i64::try_from(ids.len()).unwrap_or(0);
        here.after = last;
        walk::at(&mut transaction, job.name(), &here).await?;
        transaction.commit().await?;
        tell(here.seen, all, here.changed);
    }
}

/// The same for these orders alone; seen are those that are known.
///
/// # Errors
/// When the database is away; then nothing is done.
pub async fn these(
    pool: &PgPool,
    job: Job,
    settings: &Settings,
    orders: &[String],
) -> Result<Walk, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let known = order::known(&mut transaction, orders).await?.len();
    let changed = portion(&mut transaction, job, orders, (above_all(), settings)).await?;
    transaction.commit().await?;
    Ok(Walk { seen: i64::try_from(known).unwrap_or(0), changed, ..Walk::default() })
}

/// A base that is above every version that was ever published: no order takes a thousand events
/// a minute for as long as this counts minutes.
fn above_all() -> i64 {
    clock::now().timestamp() / 60 * 1000
}

async fn portion(
    connection: &mut PgConnection,
    job: Job,
    ids: &[String],
    (base, settings): (i64, &Settings),
) -> Result<i64, sqlx::Error> {
    lock::take(connection, "order", ids.iter().map(String::as_str)).await?;
    let known = order::known(connection, ids).await?;
    let mut events = event::load(connection, &known).await?;
    let stored = timeline::read_all(connection, ids).await?;
    let mut changes = Changes::default();
    for id in ids {
        let (Some(known), Ok(order)) = (known.get(id), id.parse::<OrderId>()) else { continue };
        let history = events.remove(id).unwrap_or_default();
        changes.look(job, &order, &history, known, stored.get(id), (base, settings));
    }
    order::raise(connection, &changes.bare, &vec![base; changes.bare.len()]).await?;
    if job == Job::Rebuild {
        ask::put(connection, &changes.seen, &changes.asks).await?;
        due::put(connection, &changes.seen, &changes.due).await?;
    }
    let count = i64::try_from(changes.timelines.len()).unwrap_or(0);
    if count > 0 {
        let documents: Vec<String> = changes.timelines.iter().map(json).collect();
        let documents = documents.iter().map(String::as_str).collect();
        timeline::put(connection, &changes.timelines, documents).await?;
        order::raise(connection, &changes.orders, &changes.bases).await?;
        outbox::add(connection, changes.rows).await?;
    }
    Ok(count)
}

#[derive(Default)]
struct Changes {
    timelines: Vec<Timeline>,
    rows: Vec<NewRow>,
    orders: Vec<String>,
    bases: Vec<i64>,
    due: Vec<(String, &'static str, DateTime<Utc>)>,
    seen: Vec<String>,
    /// Orders that have no state yet.
    bare: Vec<String>,
    asks: Vec<(String, Want, DateTime<Utc>)>,
}

impl Changes {
    /// Decides whether an order's state is written anew, under which version.
    fn look(
        &mut self,
        job: Job,
        order: &OrderId,
        history: &[OrderEvent],
        known: &Known,
        stored: Option<&Value>,
        (base, settings): (i64, &Settings),
    ) {
        let Some(now) = fold::state(order, history, known.version_base) else {
            self.bare.extend((job == Job::Raise).then(|| order.to_string()));
            return;
        };
        // Also where nothing changes: what is asked of whom may be new, and when it is looked at again.
        self.seen.push(order.to_string());
        self.asks.extend(asks(&now, settings));
        self.due.extend(due_times(&now, known, settings));
        let same = stored.is_some_and(|stored| {
            serde_json::to_value(&now).is_ok_and(|document| document == *stored)
        });
        let new_base = match job {
            Job::Rebuild if same => return,
            Job::Rebuild => {
                // Other rules may count fewer events: a version never goes down.
                let count = now.version.saturating_sub(known.version_base);
                let stored = known.newest.map_or(0, |(version, _)| version);
                let above = (stored + 1).saturating_sub(count);
                known.version_base.saturating_add(1).max(above)
            }
            Job::Raise => u64::try_from(base).unwrap_or(0).max(known.version_base),
        };
        let newest = history.iter().max_by_key(|event| (event.receivedat, event.key()));
        let (Some(newest), Some(state)) = (newest, fold::state(order, history, new_base)) else {
            return;
        };
        let row = NewRow::version(&state, newest, &json(newest), None, &json(&known.customer));
        self.rows.push(row.pages_only());
        self.orders.push(order.to_string());
        self.bases.push(i64::try_from(new_base).unwrap_or(i64::MAX));
        self.timelines.push(state);
    }
}
