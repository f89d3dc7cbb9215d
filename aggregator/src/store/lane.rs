//! Leases on the outbox's lanes, in equal shares for all who publish.

use super::outbox::LANES;
use sqlx::PgPool;
use uuid::Uuid;

/// What one holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Held {
    /// The lanes, in their order.
    pub lanes: Vec<i16>,
    /// How many of them are one's share: the rest is to be given back.
    pub share: usize,
}

/// Tells that one is there, renews one's lanes and takes, up to one's share, those that nobody holds;
/// all for 5 s.
///
/// # Errors
/// When the database is away; then nothing is held.
pub async fn take(pool: &PgPool, owner: Uuid) -> Result<Held, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with here as (
             insert into publishers (owner, until) values ($1, now() + interval '5 seconds')
             on conflict (owner) do update set until = excluded.until),
           gone as (delete from publishers where owner in (
             select owner from publishers where owner <> $1 and until < now() - interval '1 minute'
             for update skip locked)),
           others as (
             select count(*) as count, count(*) filter (where owner < $1) as before from publishers
             where owner <> $1 and until >= now()),
           -- What does not divide goes to the first ones, one lane each.
           share as (
             select $2 / (1 + count) + (before < $2 % (1 + count))::int as lanes from others),
           free as (
             select lane from lanes where until < now() and owner is distinct from $1 order by lane
             limit greatest(0, (select lanes from share) - (select count(*) from lanes where owner = $1))
             for update skip locked)
           update lanes set owner = $1, until = now() + interval '5 seconds'
           where owner = $1 or lane in (select lane from free)
           returning lane, (select lanes from share) as "share!""#,
        owner,
        i64::from(LANES)
    )
    .fetch_all(pool)
    .await?;
    let share = rows.first().and_then(|row| usize::try_from(row.share).ok()).unwrap_or(0);
    let mut lanes: Vec<i16> = rows.into_iter().map(|row| row.lane).collect();
    lanes.sort_unstable();
    Ok(Held { lanes, share })
}

/// Gives some lanes back: others need not wait for the leases to end.
///
/// # Errors
/// When the database is away; then the leases end by themselves.
pub async fn give_back(pool: &PgPool, owner: Uuid, lanes: &[i16]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update lanes set owner = null, until = '-infinity' where owner = $1 and lane = any($2)",
        owner,
        lanes
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Gives everything back and is not there any more.
///
/// # Errors
/// When the database is away; then the leases end by themselves.
pub async fn leave(pool: &PgPool, owner: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with gone as (delete from publishers where owner = $1)
         update lanes set owner = null, until = '-infinity' where owner = $1",
        owner
    )
    .execute(pool)
    .await?;
    Ok(())
}
