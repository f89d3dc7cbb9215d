//! Who is told what: the eight events as a table. Data, not code.

use super::channel::Channel;
use chrono::TimeDelta;
use contract::event::Confidence;
use contract::message::TimelineMessage;
use contract::milestone::Milestone;
use contract::timeline::Timeline;

/// Something that customers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occasion {
    /// The milestone.
    pub milestone: Milestone,
    /// What a customer may switch off together.
    pub category: &'static str,
    /// Channels that tell it, when nobody chose otherwise.
    pub channels: &'static [Channel],
    /// Its place in the order's story. A later place makes an earlier letter that was not sent
    /// yet pointless; 0 stands outside the story.
    pub place: i16,
}

const LETTER_AND_FEED: &[Channel] = &[Channel::Email, Channel::InApp];
const FEED: &[Channel] = &[Channel::InApp];

const fn told(
    milestone: Milestone,
    category: &'static str,
    channels: &'static [Channel],
    place: i16,
) -> Occasion {
    Occasion { milestone, category, channels, place }
}

/// The eight events (two rows each for what has two moments).
const TABLE: [Occasion; 9] = [
    told(Milestone::OrderConfirmed, "order", LETTER_AND_FEED, 10),
    told(Milestone::ProductionStarted, "order", LETTER_AND_FEED, 20),
    told(Milestone::ProductionFinished, "order", LETTER_AND_FEED, 30),
    told(Milestone::ShipmentHandedOver, "delivery", LETTER_AND_FEED, 40),
    told(Milestone::ShipmentInTransit, "delivery", FEED, 50),
    told(Milestone::DeliveryTomorrow, "delivery", LETTER_AND_FEED, 60),
    told(Milestone::ShipmentOutForDelivery, "delivery", FEED, 70),
    told(Milestone::ShipmentDelivered, "delivery", LETTER_AND_FEED, 80),
    told(Milestone::DelayWarning, "delay", LETTER_AND_FEED, 0),
];

/// What happened longer before its receipt than this tells nobody: imports, replays.
const NEWS: TimeDelta = TimeDelta::hours(24);

/// The occasion that a new version gives, if it gives one. That each is told once is the
/// store's business.
#[must_use]
pub fn occasion(message: &TimelineMessage) -> Option<Occasion> {
    let event = &message.event;
    let occasion = TABLE.iter().find(|row| row.milestone == event.milestone)?;
    let withdrawal =
        event.data.corrects.is_some() && event.data.confidence == Confidence::Predicted;
    let old = event.time < event.receivedat - NEWS;
    // A report is told once it is confirmed, or believed because nobody contradicts it.
    let report = event.milestone == Milestone::ShipmentDelivered
        && event.data.confidence == Confidence::Reported;
    let stands = !withdrawal && !report && !event.data.imported && !corrected(message);
    (stands && !old && complete(event.milestone, &message.timeline)).then_some(*occasion)
}

/// A correction may come before what it corrects.
fn corrected(message: &TimelineMessage) -> bool {
    let key = message.event.key();
    message.timeline.entries.iter().any(|entry| entry.id == key && entry.corrected_by.is_some())
}

/// 1, and one more for each time that the milestone was told and withdrawn: then it may be told
/// again. (What was derived and withdrawn leaves no entry; the event says how often that was.)
#[must_use]
pub fn occasion_version(message: &TimelineMessage) -> i32 {
    let entries = &message.timeline.entries;
    let same = entries.iter().filter(|entry| entry.milestone == message.event.milestone);
    let corrected = same.filter(|entry| entry.corrected_by.is_some()).count();
    let derived = i32::from(message.event.data.withdrawn_before.unwrap_or(0));
    1 + derived + i32::try_from(corrected).unwrap_or(0)
}

/// Production is finished when it is finished for the last item.
fn complete(milestone: Milestone, timeline: &Timeline) -> bool {
    let finished = Milestone::ProductionFinished;
    milestone != finished
        || timeline
            .items
            .iter()
            .all(|i| i.status.rank() >= finished.rank() && !i.status.is_problem())
}
