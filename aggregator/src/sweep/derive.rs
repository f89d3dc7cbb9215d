//! What is said of an order by the clock alone, if it still holds. Pure.

use crate::draft::{Draft, OrderRef};
use crate::fold::DERIVED_SOURCE;
use crate::promise::{self, Due, SILENT};
use crate::silence::Watch;
use crate::turn::waits_for_the_buyer;
use chrono::{DateTime, Utc};
use contract::event::Confidence;
use contract::milestone::Milestone;
use contract::timeline::Timeline;
use service_kit::trace::TraceContext;

/// The event that is due, if it still is.
pub(super) fn derive(
    timeline: &Timeline,
    due: Due,
    zone: Option<&str>,
    now: DateTime<Utc>,
) -> Option<Draft> {
    let code = due.milestone().code();
    let from = promise::true_from(timeline, due, zone);
    let said = promise::said(timeline, due, zone);
    let number = timeline.version;
    let over = timeline.eta.as_ref().is_some_and(|eta| eta.range.latest <= now);
    let (id, corrects) = match (from, said) {
        // After a day of standing still, what is no longer true is not said.
        (Some(_), None) if due == Due::Tomorrow && over => return None,
        (Some(from), None) if from <= now => (format!("{code}:{number}"), None),
        (_, Some(said)) if promise::holds_no_more(timeline, due, zone, now) => {
            let said = said.strip_prefix(DERIVED_SOURCE)?.strip_prefix(':')?.to_owned();
            (format!("{said}:withdrawn"), Some(said))
        }
        _ => return None,
    };
    let reported = promise::reported(timeline).filter(|_| due == Due::Reported);
    let mut draft = derived(timeline, id, due.milestone(), now);
    draft.data.corrects = corrects;
    draft.data.shipment = reported.and_then(|entry| entry.shipment.clone());
    Some(draft)
}

/// A warning that a promise is at risk since nobody is heard of: who has to do something is silent for
/// longer than with 19 of 20 orders. Said once, until somebody is heard of. When it is the buyer's turn,
/// the operator alone is told.
pub(super) fn warn_of_silence(
    timeline: &Timeline,
    watch: Watch,
    now: DateTime<Utc>,
) -> Option<Draft> {
    let warned = promise::is_warned(timeline);
    // Of an order of which nobody says that it waits for its money it may be the buyer's.
    let is_theirs = waits_for_the_buyer(timeline) || timeline.status == Milestone::OrderPlaced;
    if !watch.unusual || is_theirs || timeline.promise.is_none() || warned {
        return None;
    }
    let code = Due::Delay.milestone();
    let id = format!("{code}:{}", timeline.version);
    let mut draft = derived(timeline, id, code, now);
    draft.data.reason = Some(SILENT.to_owned());
    Some(draft)
}

/// An event of our own.
pub(super) fn derived(
    timeline: &Timeline,
    id: String,
    milestone: Milestone,
    now: DateTime<Utc>,
) -> Draft {
    let order = OrderRef::Order(timeline.order.clone());
    let mut draft = Draft::new(DERIVED_SOURCE, id, milestone, now, order);
    // What is over is expected no more.
    let eta = timeline.eta.as_ref().map(|eta| eta.range);
    draft.data.eta = eta.filter(|range| range.latest > now);
    draft.data.confidence = Confidence::Predicted;
    draft.traceparent = TraceContext::start().to_string();
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::fold;
    use crate::silence::Owner;
    use chrono::TimeDelta;
    use contract::event::OrderEvent;
    use contract::id::OrderId;

    fn start() -> DateTime<Utc> {
        "2026-11-20T02:00:00Z".parse().unwrap()
    }

    fn order() -> OrderId {
        "T-1".parse().unwrap()
    }

    fn event(source: &str, code: &str, hour: i64) -> OrderEvent {
        let at = start() + TimeDelta::hours(hour);
        let named = OrderRef::Order(order());
        let mut draft = Draft::new(source, code.to_owned(), code.parse().unwrap(), at, named);
        draft.data.promise = (code == "order.placed").then(|| "2026-11-27".parse().unwrap());
        draft.into_event(order())
    }

    fn silent(unusual: bool) -> Watch {
        let (stage, owner) = (Milestone::ProductionStarted, Owner::Workshop);
        Watch { stage, owner, since: start(), at: start(), unusual }
    }

    /// Says a draft: it is received when it happened.
    fn said(history: &mut Vec<OrderEvent>, draft: Draft) {
        history.push(draft.into_event(order()));
    }

    #[test]
    fn an_unusual_silence_puts_the_promise_at_risk_until_somebody_is_heard_of() {
        let mut history =
            vec![event("shop", "order.placed", 0), event("manufacturing", "production.started", 1)];
        let now = start() + TimeDelta::hours(30);
        let state = |history: &[OrderEvent]| fold(&order(), history).unwrap();
        assert_eq!(warn_of_silence(&state(&history), silent(false), now), None);
        let warning = warn_of_silence(&state(&history), silent(true), now).unwrap();
        assert_eq!(warning.data.reason.as_deref(), Some(SILENT));
        said(&mut history, warning);
        // It is said once, and stands while nobody is heard of.
        let warned = state(&history);
        assert_eq!(warn_of_silence(&warned, silent(true), now), None);
        assert_eq!(derive(&warned, Due::Delay, None, now), None);
        history.push(event("manufacturing", "production.finished", 31));
        let later = now + TimeDelta::hours(2);
        let withdrawn = derive(&state(&history), Due::Delay, None, later).unwrap();
        assert!(withdrawn.data.corrects.is_some());
        said(&mut history, withdrawn);
        let quiet = state(&history);
        assert!(quiet.entries.iter().all(|entry| entry.milestone != Milestone::DelayWarning));
        assert_eq!(derive(&quiet, Due::Delay, None, later), None);
    }

    #[test]
    fn a_silence_of_the_shop_is_one_and_a_buyer_who_waits_is_not_warned() {
        let warned = |code: &str| {
            let history = [event("shop", "order.placed", 0), event("shop", code, 1)];
            let state = fold(&order(), &history).unwrap();
            let watch = Watch { owner: Owner::Shop, ..silent(true) };
            warn_of_silence(&state, watch, start() + TimeDelta::hours(30)).is_some()
        };
        assert!(warned("payment.paid") && warned("production.finished"));
        assert!(!warned("order.on_hold") && !warned("payment.pending"));
        assert!(!warned("shipment.available_for_pickup") && !warned("order.placed"));
    }

    #[test]
    fn without_a_promise_nothing_is_at_risk() {
        let history = [event("manufacturing", "production.started", 1)];
        let timeline = fold(&order(), &history).unwrap();
        assert_eq!(warn_of_silence(&timeline, silent(true), start()), None);
    }
}
