//! Leases on the outbox's lanes, in equal shares for all who publish.

use super::outbox::{LANES, PARTITIONS};
use sqlx::PgPool;
use uuid::Uuid;

/// What one holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Held {
    /// One's share.
    pub lanes: Vec<i16>,
    /// What is somebody else's: to be given back.
    pub leaving: Vec<i16>,
}

/// Tells that one is there, renews one's lanes and takes those of one's share that nobody holds; all for 5 s.
/// Lanes are cut into as many shares as there are names, in their order: by bytes, as Kafka's `range` deals out
/// partitions. Who comes under a name takes the place of who had it before.
///
/// # Errors
/// When the database is away; then nothing is held.
pub async fn take(pool: &PgPool, owner: Uuid, name: &str) -> Result<Held, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with here as (
             insert into publishers (owner, name, until) values ($1, $3, now() + interval '5 seconds')
             on conflict (owner) do update set until = excluded.until returning owner),
           -- After one's own row is locked: two of one name do not wait for each other.
           gone as (delete from publishers where owner in (
             select p.owner from here, publishers as p
             where p.owner <> $1 and (p.name = $3 or p.until < now() - interval '1 minute')
             for update of p skip locked)),
           others as (
             select 1 + count(distinct name) as count,
               count(distinct name) filter (where name collate "C" < $3) as before
             from publishers where name <> $3 and until >= now()),
           -- By whole partitions, as long as there is one for each.
           share as (
             select n::smallint as lane from others, generate_series(0, $2 - 1) as n
             where case when others.count > $4 then n * others.count / $2 else n * $4 / $2 * others.count / $4 end
               = before),
           free as (
             select lane from lanes where until < now() and owner is distinct from $1
               and lane in (select lane from share)
             for update skip locked)
           update lanes set owner = $1, until = now() + interval '5 seconds'
           where owner = $1 or lane in (select lane from free)
           returning lane, lane in (select lane from share) as "own!""#,
        owner,
        i32::from(LANES),
        name,
        i64::from(PARTITIONS)
    )
    .fetch_all(pool)
    .await?;
    let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.own);
    let [lanes, leaving] = [own, others].map(|rows| rows.into_iter().map(|row| row.lane).collect());
    Ok(Held { lanes, leaving })
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
