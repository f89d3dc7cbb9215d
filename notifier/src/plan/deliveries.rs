//! Which channels carry an occasion to a customer, and which are skipped and why.

use super::channel::Channel;
use super::preference::{Choice, Choices};
use super::rule::Occasion;
use contract::customer::Customer;

/// One channel's part of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The channel.
    pub channel: Channel,
    /// To whom: an address, or the customer's number for the feed. Empty when there is none.
    pub recipient: String,
    /// Why it is not sent, if it is not.
    pub skipped: Option<&'static str>,
}

/// Plans an occasion for a customer. A channel that nobody asked for and that is not the
/// default is not mentioned; one that was refused is, with the reason.
#[must_use]
pub fn deliveries(occasion: &Occasion, customer: &Customer, choices: &Choices) -> Vec<Planned> {
    let plan = |channel: Channel| {
        let default = occasion.channels.contains(&channel);
        let skipped = match choices.of(occasion, channel) {
            Choice::Out if default => Some("opted_out"),
            Choice::Out => return None,
            Choice::NeverAsked if !default => return None,
            Choice::In | Choice::NeverAsked => None,
        };
        let recipient = match channel {
            Channel::InApp => customer.id.to_string(),
            Channel::Email => customer.email.clone().unwrap_or_default().trim().to_owned(),
        };
        let skipped = skipped.or_else(|| recipient.is_empty().then_some("no_address"));
        Some(Planned { channel, recipient, skipped })
    };
    Channel::ALL.into_iter().filter_map(plan).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::Context;
    use crate::plan::{occasion, occasion_version};
    use contract::message::TimelineMessage;
    use serde_json::json;

    fn message(milestone: &str, received: &str) -> TimelineMessage {
        serde_json::from_value(json!({
            "event": {"specversion":"1.0","id":"e","source":"shop","type":milestone,"time":"2026-11-20T01:00:00Z",
              "subject":"T-1","partitionkey":"T-1","datacontenttype":"application/json","receivedat":received,
              "data":{"confidence":"confirmed"}},
            "timeline": {"order":"T-1","version":1,"updated_at":received,"status":milestone,
              "progress":{"delivered":0,"of":2},"terminal":false,"steps":[],
              "items":[{"line":"1","sku":null,"title":null,"quantity":1,"status":milestone,"shipment":null},
                       {"line":"2","sku":null,"title":null,"quantity":1,"status":"production.started","shipment":null}],
              "shipments":[],"entries":[],"eta":null,"promise":null,"problem":null},
            "previous_status": null, "accepted_at": received,
            "customer": {"id":"C-1","name":"An","email":"an@example.com","phone":null,"locale":"vi","time_zone":null}
        }))
        .unwrap()
    }

    fn plan(milestone: &str, choices: &Choices) -> Vec<Planned> {
        let message = message(milestone, "2026-11-20T01:00:05Z");
        let found = occasion(&message).unwrap();
        deliveries(&found, &message.customer, choices)
    }

    fn choice(allowed: bool) -> Choices {
        Choices([(("order".to_owned(), "email".to_owned()), allowed)].into())
    }

    #[test]
    fn who_was_never_asked_gets_the_default() {
        let planned = plan("order.confirmed", &Choices::default());
        assert_eq!(
            planned.iter().map(|p| (p.channel.code(), p.skipped)).collect::<Vec<_>>(),
            [("email", None), ("in_app", None)]
        );
        assert_eq!(plan("shipment.in_transit", &Choices::default()).len(), 1, "the feed alone");
    }

    #[test]
    fn who_said_no_gets_no_letter_and_the_feed_keeps_everything() {
        let planned = plan("order.confirmed", &choice(false));
        assert_eq!(planned[0].skipped, Some("opted_out"));
        assert_eq!((planned[1].channel, planned[1].skipped), (Channel::InApp, None));
    }

    #[test]
    fn who_said_yes_gets_it() {
        assert_eq!(plan("order.confirmed", &choice(true))[0].skipped, None);
    }

    #[test]
    fn without_an_address_the_letter_is_skipped_by_name() {
        let mut message = message("order.confirmed", "2026-11-20T01:00:05Z");
        message.customer.email = None;
        let planned =
            deliveries(&occasion(&message).unwrap(), &message.customer, &Choices::default());
        assert_eq!(planned[0].skipped, Some("no_address"));
    }

    #[test]
    fn what_was_withdrawn_is_told_again_whoever_said_it() {
        let mut warning = message("delay.warning", "2026-11-20T01:00:05Z");
        assert_eq!(occasion_version(&warning), 1);
        // What is derived and withdrawn leaves no entry: the event counts.
        warning.event.data.withdrawn_before = Some(2);
        assert_eq!(occasion_version(&warning), 3);
        let mut delivered = message("shipment.delivered", "2026-11-20T01:00:05Z");
        let entry = json!({"id": "ghn:1", "at": "2026-11-20T00:00:00Z", "received_at": "2026-11-20T00:00:00Z",
            "milestone": "shipment.delivered", "source": "ghn", "shipment": null, "line": null, "location": null,
            "note": null, "reason": null, "confidence": "confirmed", "corrected_by": "ghn:2"});
        delivered.timeline.entries.push(serde_json::from_value(entry).unwrap());
        assert_eq!(occasion_version(&delivered), 2);
    }

    #[test]
    fn the_date_of_a_delay_is_one_after_the_promise() {
        let mut warning = message("delay.warning", "2026-11-20T01:00:05Z");
        let named = |warning: &TimelineMessage| Context::of(warning).eta.is_some();
        let range = json!({"earliest": "2026-11-27T01:00:00Z", "latest": "2026-11-27T11:00:00Z"});
        warning.event.data.eta = serde_json::from_value(range).unwrap();
        assert!(named(&warning), "nothing was promised");
        for (promise, wanted) in [("2026-11-26", true), ("2026-11-27", false)] {
            let promise = json!({"latest": promise});
            warning.timeline.promise = serde_json::from_value(promise).unwrap();
            assert_eq!(named(&warning), wanted);
        }
        warning.timeline.promise = None;
        warning.event.time = "2026-11-28T01:00:00Z".parse().unwrap();
        assert!(!named(&warning), "it is over");
    }

    #[test]
    fn old_news_tells_nobody() {
        assert!(occasion(&message("order.confirmed", "2026-11-22T01:00:00Z")).is_none());
        assert!(
            occasion(&message("payment.paid", "2026-11-20T01:00:05Z")).is_none(),
            "not one of the eight"
        );
    }

    #[test]
    fn production_is_finished_with_the_last_item() {
        let mut message = message("production.finished", "2026-11-20T01:00:05Z");
        assert!(occasion(&message).is_none());
        message.timeline.items[1].status = contract::milestone::Milestone::FulfilmentPacked;
        assert!(occasion(&message).is_some());
    }
}
