//! Events that wait for their order, or for the alias that they name it by.

use super::json;
use super::texts::Texts;
use crate::draft::{Draft, OrderRef};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

/// What a draft waits for, and its own key: two orders may have events of one id (the first line of
/// each, say), and each waits for itself.
#[must_use]
pub fn key(draft: &Draft) -> String {
    format!("{} {}", draft.named(), draft.key())
}

/// Parks drafts; one that waits already waits on.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn put(
    connection: &mut PgConnection,
    drafts: &[Draft],
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    if drafts.is_empty() {
        return Ok(0);
    }
    let keys: Vec<String> = drafts.iter().map(key).collect();
    let split = |draft: &Draft| match &draft.order {
        OrderRef::Order(order) => (Some(order.to_string()), None),
        OrderRef::Alias(alias) => (None, Some(alias.clone())),
    };
    let (orders, aliases): (Vec<Option<String>>, Vec<Option<String>>) =
        drafts.iter().map(split).unzip();
    // Of what others than carriers say: many parcels may have one note, and many orders no name yet.
    let noted = |draft: &Draft| if draft.noted { draft.surer_parcel() } else { None };
    let parcel = |draft: &Draft| draft.stand_in().or_else(|| noted(draft));
    let parcels: Vec<Option<String>> = drafts.iter().map(parcel).collect();
    let documents: Vec<String> = drafts.iter().map(json).collect();
    let documents: Texts<'_> = documents.iter().map(String::as_str).collect();
    let done = sqlx::query!(
        "insert into parked (key, order_id, alias, parcel, draft, parked_at)
         select k, o, a, p, d::json, $6
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as new (k, o, a, p, d)
         on conflict (key) do nothing",
        &keys,
        &orders as _,
        &aliases as _,
        &parcels as _,
        documents as _,
        now
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Takes out what waits for these orders.
///
/// # Errors
/// When the database is away.
pub async fn take(
    connection: &mut PgConnection,
    orders: &[String],
) -> Result<Vec<Draft>, sqlx::Error> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"delete from parked where order_id = any($1) returning draft as "draft: Json<Draft>""#,
        orders
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.draft.0).collect())
}

/// Takes out what waits for these names, and what waits for orders that nobody placed: of what was noted on parcels,
/// that of parcels with these names.
///
/// # Errors
/// When the database is away.
pub async fn take_named(
    connection: &mut PgConnection,
    ghosts: &[String],
    aliases: &[String],
) -> Result<Vec<Draft>, sqlx::Error> {
    if ghosts.is_empty() && aliases.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"delete from parked
           where alias = any($2) or parcel = any($2) and (order_id is null or order_id = any($1))
              or order_id = any($1) and parcel is null
           returning draft as "draft: Json<Draft>""#,
        ghosts,
        aliases
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.draft.0).collect())
}

/// Takes out what waits since before a moment, could be driven by now, and slipped through.
///
/// # Errors
/// When the database is away.
pub async fn take_slipped(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Draft>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"delete from parked where key in (
             select p.key from parked p
             where parked_at < $1
               and (exists (select from orders o where o.order_id = p.order_id)
                 or exists (select from aliases a join orders o using (order_id) where a.alias = p.alias)
                 or p.alias is not null
                   and exists (select from aliases a join orders o using (order_id) where a.alias = p.parcel))
             limit $2 for update of p skip locked)
           returning draft as "draft: Json<Draft>""#,
        before,
        most
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.draft.0).collect())
}

/// What carriers said, before a moment, of orders that nobody placed and of parcels whose number was told of one that
/// somebody did: a portion, by keys, after this one. An order that others speak of, who know it, is only late.
///
/// # Errors
/// When the database is away.
pub async fn of_ghosts(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
    after: &str,
    most: i64,
) -> Result<Vec<(String, Draft)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select p.key, p.draft as "draft: Json<Draft>" from parked p
           where p.key > $2 and p.parked_at < $1 and p.order_id is not null
             and not exists (select from orders o where o.order_id = p.order_id)
             and (p.parcel is not null and exists (select from aliases a join orders o using (order_id)
                   where a.alias = p.parcel and a.order_id <> p.order_id)
               or p.parcel is null and exists (select from aliases own
                   join aliases other on other.alias = own.alias and other.order_id <> own.order_id
                   join orders o on o.order_id = other.order_id
                   where own.order_id = p.order_id and own.alias like 'tracking:%'))
             and not exists (select from parked w where w.order_id = p.order_id and w.parcel is null
               and w.draft -> 'data' ->> 'carrier' is distinct from w.draft ->> 'source'
               and not coalesce((w.draft ->> 'by_parcel')::boolean, false))
           order by p.key limit $3"#,
        before,
        after,
        most
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.key, row.draft.0)).collect())
}

/// Takes these out; those that are still there.
///
/// # Errors
/// When the database is away.
pub async fn take_keys(
    connection: &mut PgConnection,
    keys: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!("delete from parked where key = any($1) returning key", keys)
        .fetch_all(connection)
        .await
}

/// Takes out what has waited too long.
///
/// # Errors
/// When the database is away.
pub async fn take_expired(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Draft>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"delete from parked where key in (
             select key from parked where parked_at < $1 order by parked_at limit $2 for update skip locked)
           returning draft as "draft: Json<Draft>""#,
        before,
        most
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.draft.0).collect())
}
