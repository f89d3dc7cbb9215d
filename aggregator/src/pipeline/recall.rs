//! The histories of orders: remembered, brought up to what is stored, or read.

use super::recent::{History, Recent, Remembered};
use crate::metric;
use crate::store::event;
use crate::store::order::Known;
use contract::id::OrderId;
use sqlx::PgConnection;
use std::collections::HashMap;

/// What is known of an order, by its number.
type Line<'a> = (&'a String, &'a Known);

/// The histories of these orders, as far as they are known. Their locks are held.
///
/// # Errors
/// When the database is away.
pub(super) async fn recall<'a>(
    connection: &mut PgConnection,
    orders: impl Iterator<Item = &'a OrderId>,
    known: &HashMap<String, Known>,
    recent: &Recent,
) -> Result<HashMap<OrderId, History>, sqlx::Error> {
    let (mut histories, mut behind, mut missing) = (HashMap::new(), Vec::new(), Vec::new());
    for order in orders {
        let Some(line) = known.get_key_value(order.as_str()) else { continue };
        match recent.take(order, line.1.newest.map(|(version, _)| version)) {
            Some(Remembered::Stored(history)) => drop(histories.insert(order.clone(), history)),
            Some(Remembered::Behind(history)) => behind.push((order, line, history)),
            None => missing.push((order, line)),
        }
    }
    let (remembered, unread) = (histories.len(), missing.len());
    let lines =
        behind.iter().map(|(_, line, _)| *line).chain(missing.iter().map(|(_, line)| *line));
    let mut read = event::load_but(connection, lines, keys(&behind)).await?;
    let mut events = |order: &OrderId| read.remove(order.as_str()).unwrap_or_default();
    for (order, (_, known)) in missing.drain(..) {
        histories.insert(order.clone(), History::stored(events(order), known));
    }
    for (order, line, history) in behind {
        match history.caught_up(events(order), line.1) {
            Some(history) => drop(histories.insert(order.clone(), history)),
            None => missing.push((order, line)),
        }
    }
    let caught_up = histories.len() - remembered - unread;
    metric::remembered(remembered, caught_up, unread + missing.len());
    // What was remembered of these is no beginning of what is stored.
    let mut read = event::load(connection, missing.iter().map(|(_, line)| *line)).await?;
    for (order, (_, known)) in missing {
        let events = read.remove(order.as_str()).unwrap_or_default();
        histories.insert(order.clone(), History::stored(events, known));
    }
    Ok(histories)
}

/// The events of these histories, by order and key.
fn keys(behind: &[(&OrderId, Line<'_>, History)]) -> impl Iterator<Item = (String, String)> {
    behind.iter().flat_map(|(order, _, history)| {
        let order = order.to_string();
        history.keys().map(move |key| (order.clone(), key))
    })
}
