//! The statements of the bare program: every one for a whole batch.

use super::Version;
use super::share::{Shares, share};
use aggregator::store::texts::Texts;
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;

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
        let newest: BTreeMap<&str, &Version> =
            batch.iter().map(|v| (v.order.as_str(), v)).collect();
        put_states(&mut transaction, &newest).await?;
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

fn text(batch: &[Version], field: fn(&Version) -> &String) -> Texts<'_> {
    batch.iter().map(|version| field(version).as_str()).collect()
}

/// Returns the keys of what waits.
async fn park(
    connection: &mut PgConnection,
    batch: &[Version],
    portion: f64,
) -> anyhow::Result<Vec<String>> {
    let waiting: Vec<&Version> = share(batch, portion).collect();
    let keys: Vec<String> = waiting.iter().map(|v| format!("{} {}", v.order, v.key)).collect();
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
         select o, k, 'shipment.in_transit', now(), now(), d::json, 'source.logistics', 1, 1, current_date
         from unnest($1::text[], $2::text[], $3::text[]) as new (o, k, d)
         on conflict do nothing",
    )
    .bind(events.iter().map(|v| v.order.as_str()).collect::<Vec<_>>())
    .bind(keys)
    .bind(events.iter().map(|v| v.event.as_str()).collect::<Texts<'_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest state of each order, and the order when it is new.
async fn put_states(
    connection: &mut PgConnection,
    newest: &BTreeMap<&str, &Version>,
) -> anyhow::Result<()> {
    let orders: Vec<&str> = newest.keys().copied().collect();
    let states: Texts<'_> = newest.values().map(|v| v.timeline.as_str()).collect();
    sqlx::query(
        "insert into bare_timelines (order_id, version, status, document, updated_at)
         select o, 1, 'shipment.in_transit', d::json, now() from unnest($1::text[], $2::text[]) as new (o, d)
         on conflict (order_id) do update set document = excluded.document",
    )
    .bind(&orders)
    .bind(states)
    .execute(&mut *connection)
    .await?;
    let customers: Vec<&str> = newest.values().map(|v| v.customer.as_str()).collect();
    sqlx::query(
        "insert into bare_orders (order_id, customer, customer_at)
         select o, c::jsonb, now() from unnest($1::text[], $2::text[]) as new (o, c)
         on conflict do nothing",
    )
    .bind(&orders)
    .bind(&customers)
    .execute(connection)
    .await?;
    Ok(())
}

async fn add_outbox(connection: &mut PgConnection, batch: &[Version]) -> anyhow::Result<Vec<i64>> {
    let numbers: Vec<i64> = batch.iter().map(|v| v.number).collect();
    let added = sqlx::query_scalar(
        "insert into bare_outbox (lane, order_id, version, event, timeline, previous_status, customer, traceparent)
         select 0, o, v, e, t, s, c, p
         from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
           as new (o, v, e, t, s, c, p)
         returning id",
    )
    .bind(text(batch, |v| &v.order))
    .bind(numbers)
    .bind(text(batch, |v| &v.event))
    .bind(text(batch, |v| &v.timeline))
    .bind(batch.iter().map(|v| v.previous_status.as_deref()).collect::<Vec<_>>())
    .bind(text(batch, |v| &v.customer))
    .bind(batch.iter().map(|v| v.traceparent.as_deref()).collect::<Vec<_>>())
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
    let due: Vec<&Version> = share(batch, shares.due).collect();
    let named: Vec<&Version> = share(batch, shares.aliases).collect();
    let orders = |all: &[&Version]| all.iter().map(|v| v.order.clone()).collect::<Vec<_>>();
    sqlx::query(
        "insert into bare_due (order_id, kind, at)
         select o, (row_number() over (partition by o))::text, now() from unnest($1::text[]) as new (o)
         on conflict (order_id, kind) do update set at = excluded.at",
    )
    .bind(orders(&due))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into bare_aliases (alias, order_id, told_at)
         select 'tracking:' || o || place, o, now() from unnest($1::text[]) with ordinality as new (o, place)
         on conflict do nothing",
    )
    .bind(orders(&named))
    .execute(connection)
    .await?;
    Ok(())
}
