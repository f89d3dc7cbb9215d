//! `aggregator calibrate`: how often what was said of the delivery came true, of the orders that
//! were finished last, by who said it and how long before.

use crate::estimate::Score;
use crate::store::timeline;
use chrono::{DateTime, TimeDelta, Utc};
use contract::milestone::Milestone;
use contract::timeline::{EtaSource, Timeline};
use sqlx::PgPool;

/// Most orders that are looked at, the newest.
const ORDERS: i64 = 10_000;

/// Who says it.
const SOURCES: [(EtaSource, &str); 3] =
    [(EtaSource::Carrier, "carrier"), (EtaSource::Shop, "shop"), (EtaSource::Estimate, "estimate")];
/// How long before the delivery it was said, at least.
const AHEAD: [(TimeDelta, &str); 3] = [
    (TimeDelta::days(3), "3 days and more"),
    (TimeDelta::days(1), "1 to 3 days"),
    (TimeDelta::zero(), "less than a day"),
];

/// The table.
///
/// # Errors
/// When the database is away.
pub async fn report(pool: &PgPool) -> Result<String, sqlx::Error> {
    let finished = timeline::finished(pool, ORDERS).await?;
    let mut scores = vec![Score::default(); SOURCES.len() * AHEAD.len()];
    for timeline in &finished {
        note(timeline, &mut scores);
    }
    let mut text = format!("{} delivered orders, the newest\n\n", finished.len());
    text.push_str("said by    before the delivery    ranges   inside    late   median width\n");
    for (row, score) in scores.iter().enumerate().filter(|(_, score)| score.count() > 0) {
        let (by, ahead) = (SOURCES[row / AHEAD.len()].1, AHEAD[row % AHEAD.len()].1);
        text.push_str(&format!(
            "{by:<9}  {ahead:<20} {:>8}  {:>5.1} %  {:>4.1} %  {:>6.2} days\n",
            score.count(),
            score.inside(),
            score.late(),
            score.median_width()
        ));
    }
    Ok(text)
}

fn note(timeline: &Timeline, scores: &mut [Score]) {
    let (Some(delivered), Some(eta)) = (delivered(timeline), &timeline.eta) else { return };
    for said in eta.history.iter().filter(|said| said.at < delivered) {
        let by = SOURCES.iter().position(|(source, _)| *source == said.source);
        let ahead = AHEAD.iter().position(|(least, _)| delivered - said.at >= *least);
        if let (Some(by), Some(ahead)) = (by, ahead) {
            scores[by * AHEAD.len() + ahead].note(said.range, delivered);
        }
    }
}

/// When the last of it was there.
fn delivered(timeline: &Timeline) -> Option<DateTime<Utc>> {
    let there = timeline.entries.iter().filter(|entry| {
        entry.milestone == Milestone::ShipmentDelivered && entry.corrected_by.is_none()
    });
    there.map(|entry| entry.at).max()
}
