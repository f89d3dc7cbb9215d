//! The statements of the bare program: every one for a whole batch.

use super::Version;
use super::rounds::rounds;
use super::share::{Shares, share};
use aggregator::store::texts::Texts;
use chrono::TimeDelta;
use sqlx::{PgConnection, PgPool};

pub(super) async fn all(
    pool: &PgPool,
    versions: &[Version],
    size: usize,
    shares: Shares,
) -> anyhow::Result<()> {
    for batch in versions.chunks(size) {
        let mut transaction = pool.begin().await?;
        // What came before its order waits, and is taken out in a later transaction.
        let parked = park(&mut transaction, batch, shares.parked).await?;
        add_events(&mut transaction, batch, shares.events).await?;
        put_states(&mut transaction, batch, shares.states).await?;
        put_orders(&mut transaction, batch, shares.orders).await?;
        let added = add_outbox(&mut transaction, batch).await?;
        note(&mut transaction, batch, shares).await?;
        transaction.commit().await?;
        // What is published is removed, as many rows at a time as were added.
        let removed = sqlx::query("delete from bare_outbox where id = any($1)").bind(added);
        removed.execute(pool).await?;
        let taken = sqlx::query("delete from bare_parked where key = any($1)").bind(parked);
        taken.execute(pool).await?;
    }
    Ok(())
}

fn column<'a, T>(rows: &[&'a Version], field: fn(&'a Version) -> T) -> Vec<T> {
    rows.iter().map(|version| field(version)).collect()
}

fn texts<'a>(rows: &[&'a Version], field: fn(&Version) -> &String) -> Texts<'a> {
    rows.iter().map(|version| field(version).as_str()).collect()
}

/// Returns the keys of what waits.
async fn park(
    connection: &mut PgConnection,
    batch: &[Version],
    portion: f64,
) -> anyhow::Result<Vec<String>> {
    let waiting: Vec<&Version> = share(batch, portion).collect();
    // More than one of an order may wait for each of its versions.
    let keys = waiting.iter().zip(0..).map(|(v, place)| format!("{} {} {place}", v.order, v.key));
    let keys: Vec<String> = keys.collect();
    let orders: Vec<&str> = waiting.iter().map(|v| v.order.as_str()).collect();
    let drafts: Texts<'_> = waiting.iter().map(|v| v.event.as_str()).collect();
    sqlx::query(
        "insert into bare_parked (key, order_id, draft, parked_at)
         select k, o, d::json, now() from unnest($1::text[], $2::text[], $3::text[]) as new (k, o, d)
         on conflict do nothing",
    )
    .bind(&keys)
    .bind(orders)
    .bind(drafts)
    .execute(connection)
    .await?;
    Ok(keys)
}

async fn add_events(
    connection: &mut PgConnection,
    batch: &[Version],
    portion: f64,
) -> anyhow::Result<()> {
    let events: Vec<&Version> = share(batch, portion).collect();
    let keys = events.iter().scan("", |before, version| {
        let again = std::mem::replace(before, &version.key) == version.key;
        Some(if again { format!("{}+", version.key) } else { version.key.clone() })
    });
    let keys: Vec<String> = keys.collect();
    sqlx::query(
        "insert into bare_events (order_id, key, milestone, occurred_at, received_at, event, topic, partition, position, month)
         select o, k, m, t, r, d::json, 'source.logistics', 1, 1, date_trunc('month', now())::date
         from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[])
           as new (o, k, m, t, r, d)
         on conflict do nothing",
    )
    .bind(column(&events, |v| v.order.as_str()))
    .bind(keys)
    .bind(column(&events, |v| v.milestone.as_str()))
    .bind(column(&events, |v| v.occurred_at))
    .bind(column(&events, |v| v.received_at))
    .bind(texts(&events, |v| &v.event))
    .execute(connection)
    .await?;
    Ok(())
}

/// States, by order, the newest of each first; if there are to be more, those before them too, in their order.
async fn put_states(
    connection: &mut PgConnection,
    batch: &[Version],
    portion: f64,
) -> anyhow::Result<()> {
    let newest = rounds(batch.iter().rev(), |v| v.order.as_str());
    let mut left = share(batch, portion).count();
    let chosen = newest.into_iter().map_while(|mut states| {
        states.truncate(left);
        left -= states.len();
        (!states.is_empty()).then_some(states)
    });
    let chosen: Vec<Vec<&Version>> = chosen.collect();
    for mut states in chosen.into_iter().rev() {
        states.sort_unstable_by(|a, b| a.order.cmp(&b.order));
        sqlx::query(
            "insert into bare_timelines (order_id, version, status, document, updated_at)
             select o, v, s, d::json, u
             from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[]) as new (o, v, s, d, u)
             on conflict (order_id) do update
             set version = excluded.version, status = excluded.status, document = excluded.document,
                 updated_at = excluded.updated_at",
        )
        .bind(column(&states, |v| v.order.as_str()))
        .bind(column(&states, |v| v.number))
        .bind(column(&states, |v| v.status.as_str()))
        .bind(texts(&states, |v| &v.timeline))
        .bind(column(&states, |v| v.updated_at))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Orders, or their customers anew.
async fn put_orders(
    connection: &mut PgConnection,
    batch: &[Version],
    portion: f64,
) -> anyhow::Result<()> {
    for orders in rounds(share(batch, portion), |v| v.order.as_str()) {
        sqlx::query(
            "insert into bare_orders (order_id, customer, customer_at, placed_at)
             select o, c::jsonb, t, t from unnest($1::text[], $2::text[], $3::timestamptz[]) as new (o, c, t)
             on conflict (order_id) do update set customer = excluded.customer, customer_at = excluded.customer_at",
        )
        .bind(column(&orders, |v| v.order.as_str()))
        .bind(column(&orders, |v| v.customer.as_str()))
        .bind(column(&orders, |v| v.occurred_at))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn add_outbox(connection: &mut PgConnection, batch: &[Version]) -> anyhow::Result<Vec<i64>> {
    let rows: Vec<&Version> = batch.iter().collect();
    let added = sqlx::query_scalar(
        "insert into bare_outbox (lane, order_id, version, event, timeline, previous_status, customer, traceparent)
         select l, o, v, e, t, s, c, p
         from unnest($1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
           as new (l, o, v, e, t, s, c, p)
         returning id",
    )
    .bind(column(&rows, |v| v.lane))
    .bind(column(&rows, |v| v.order.as_str()))
    .bind(column(&rows, |v| v.number))
    .bind(texts(&rows, |v| &v.event))
    .bind(texts(&rows, |v| &v.timeline))
    .bind(column(&rows, |v| v.previous_status.as_deref()))
    .bind(texts(&rows, |v| &v.customer))
    .bind(column(&rows, |v| v.traceparent.as_deref()))
    .fetch_all(connection)
    .await?;
    Ok(added)
}

/// When to look at the orders again, and what else they are called.
async fn note(
    connection: &mut PgConnection,
    batch: &[Version],
    shares: Shares,
) -> anyhow::Result<()> {
    // A later time for each, as the aggregator's: it writes those that change.
    let due = share(batch, shares.due).zip(0_i64..).map(|(v, place)| {
        let (kind, at) = &v.due;
        (v.order.as_str(), kind.as_str(), *at + TimeDelta::seconds(place))
    });
    for due in rounds(due, |(order, kind, _)| (*order, *kind)) {
        let ((orders, kinds), times): ((Vec<_>, Vec<_>), Vec<_>) =
            due.into_iter().map(|(order, kind, at)| ((order, kind), at)).unzip();
        sqlx::query(
            "insert into bare_due (order_id, kind, at)
             select * from unnest($1::text[], $2::text[], $3::timestamptz[])
             on conflict (order_id, kind) do update set at = excluded.at",
        )
        .bind(orders)
        .bind(kinds)
        .bind(times)
        .execute(&mut *connection)
        .await?;
    }
    let named: Vec<&Version> = share(batch, shares.aliases).collect();
    sqlx::query(
        "insert into bare_aliases (alias, order_id, told_at)
         select 'tracking:' || o || k || place, o, now()
         from unnest($1::text[], $2::text[]) with ordinality as new (o, k, place)
         on conflict do nothing",
    )
    .bind(column(&named, |v| v.order.as_str()))
    .bind(column(&named, |v| v.key.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}
