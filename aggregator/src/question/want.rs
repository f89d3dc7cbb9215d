//! What is to be asked of an order, and when again.

use super::template::Template;
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::Confidence;
use contract::milestone::Milestone;
use contract::timeline::{Entry, Timeline};
use std::collections::BTreeMap;

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Parcels of this carrier, by their numbers.
    Parcel(String),
    /// Orders, by their numbers.
    Order,
}

/// When it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    /// Again and again until the end, so often at each stage: by milestone, or by its phase; the
    /// rest as `every` says, or not at all.
    Polls {
        /// By milestone code or phase.
        stages: BTreeMap<String, TimeDelta>,
        /// At any other stage.
        every: Option<TimeDelta>,
    },
    /// When one of these was reported by somebody who did not sign, until that is confirmed.
    Confirms(&'static [Milestone]),
}

/// A question to a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The source whose records the answers are.
    pub source: String,
    /// Where and how.
    pub template: Template,
    /// About what.
    pub about: About,
    /// When.
    pub occasion: Occasion,
    /// Most calls in a second.
    pub per_second: u32,
}

/// Something to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Of whom.
    pub source: String,
    /// The parcel's or the order's number.
    pub subject: String,
    /// Where it stands, or what is to be confirmed; another stage starts the waiting anew.
    pub stage: String,
    /// How long to wait between two calls, before any back-off.
    pub interval: TimeDelta,
}

/// Wait before what was reported is asked about again.
const CONFIRM: TimeDelta = TimeDelta::minutes(1);

/// What is to be asked of an order.
#[must_use]
pub fn wants(timeline: &Timeline, questions: &[Question]) -> Vec<Want> {
    questions.iter().flat_map(|question| wanted(timeline, question)).collect()
}

/// Is the source of an entry one that is asked whether such a thing is true, and can it be asked of this?
#[must_use]
pub fn is_asked(timeline: &Timeline, entry: &Entry, questions: &[Question]) -> bool {
    questions.iter().any(|question| match question.occasion {
        Occasion::Confirms(codes) => {
            question.source == entry.source
                && codes.contains(&entry.milestone)
                && subject(timeline, entry, &question.about).is_some()
        }
        Occasion::Polls { .. } => false,
    })
}

fn wanted(timeline: &Timeline, question: &Question) -> Vec<Want> {
    let want = |subject: &str, stage: String, interval: TimeDelta| Want {
        source: question.source.clone(),
        subject: subject.to_owned(),
        stage,
        interval,
    };
    match (&question.occasion, &question.about) {
        (Occasion::Polls { stages, every }, About::Order) => {
            let interval = interval(timeline.status, stages, *every);
            let open = interval.filter(|_| !timeline.terminal);
            let want = |i| want(timeline.order.as_str(), timeline.status.code().to_owned(), i);
            open.map(want).into_iter().collect()
        }
        (Occasion::Polls { stages, every }, About::Parcel(carrier)) => {
            let theirs = timeline.shipments.iter().filter(|s| s.carrier.as_ref() == Some(carrier));
            let open = theirs.filter(|p| !p.status.is_terminal() && !timeline.terminal);
            let each = open.filter_map(|parcel| {
                let interval = interval(parcel.status, stages, *every)?;
                let number = parcel.tracking_number.as_ref()?;
                Some(want(number, parcel.status.code().to_owned(), interval))
            });
            each.collect()
        }
        (Occasion::Confirms(codes), about) => {
            let open = timeline.entries.iter().filter(|entry| {
                entry.source == question.source
                    && entry.confidence == Confidence::Reported
                    && entry.corrected_by.is_none()
                    && codes.contains(&entry.milestone)
            });
            let each = open.filter_map(|entry| {
                Some(want(&subject(timeline, entry, about)?, entry.id.clone(), CONFIRM))
            });
            // One subject is asked about once, for the newest report.
            let newest: BTreeMap<String, Want> = each.map(|w| (w.subject.clone(), w)).collect();
            newest.into_values().collect()
        }
    }
}

fn subject(timeline: &Timeline, entry: &Entry, about: &About) -> Option<String> {
    match about {
        About::Order => Some(timeline.order.to_string()),
        About::Parcel(_) => {
            let parcel = timeline.shipments.iter().find(|s| Some(&s.id) == entry.shipment.as_ref());
            parcel?.tracking_number.clone()
        }
    }
}

fn interval(
    status: Milestone,
    stages: &BTreeMap<String, TimeDelta>,
    every: Option<TimeDelta>,
) -> Option<TimeDelta> {
    let code = status.code();
    let phase = code.split('.').next().unwrap_or(code);
    stages.get(code).or_else(|| stages.get(phase)).copied().or(every)
}

/// The longest wait, however often there was no news.
const LONGEST: TimeDelta = TimeDelta::days(1);

/// When to ask again after this many answers without news: half as long again each time, and a
/// tenth more or less by chance (`dice`, 0 to 1), so that a thousand parcels that were handed over
/// at once are not asked about at once for ever.
#[must_use]
pub fn next(now: DateTime<Utc>, interval: TimeDelta, misses: u32, dice: f64) -> DateTime<Utc> {
    let base = interval.as_seconds_f64().max(1.0);
    let longest = LONGEST.as_seconds_f64().max(base);
    let grown = base * 1.5_f64.powi(i32::try_from(misses.min(40)).unwrap_or(40));
    let spread = grown.min(longest) * (0.9 + 0.2 * dice.clamp(0.0, 1.0));
    #[expect(clippy::cast_possible_truncation, reason = "at most a few days of milliseconds")]
    let wait = TimeDelta::milliseconds((spread * 1000.0) as i64);
    now + wait
}
