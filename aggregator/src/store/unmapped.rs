//! Codes of vendors that no table knows, counted.

use super::event::NewEvent;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Counts the codes of new events that no table knows.
///
/// # Errors
/// When the database is away.
pub async fn note(connection: &mut PgConnection, new: &[NewEvent]) -> Result<(), sqlx::Error> {
    // In one order for everybody, so that two batches never wait for each other.
    let mut seen: BTreeMap<(String, String), i64> = BTreeMap::new();
    for event in new.iter().map(|new| &new.event) {
        if let Some(code) = &event.data.source_code {
            *seen.entry((event.source.clone(), code.clone())).or_default() += 1;
        }
    }
    if seen.is_empty() {
        return Ok(());
    }
    let (names, counts): (Vec<(String, String)>, Vec<i64>) = seen.into_iter().unzip();
    let (sources, codes): (Vec<String>, Vec<String>) = names.into_iter().unzip();
    sqlx::query!(
        "insert into unmapped (source, code, seen, first_at, last_at)
         select s, c, n, now(), now() from unnest($1::text[], $2::text[], $3::bigint[]) as new (s, c, n)
         on conflict (source, code) do update set seen = unmapped.seen + excluded.seen, last_at = now()",
        &sources,
        &codes,
        &counts
    )
    .execute(connection)
    .await?;
    Ok(())
}
