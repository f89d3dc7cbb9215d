//! Orders that stand still: how long a stage may be silent, and whose turn it is. Pure.

use crate::estimate::{Patience, quiet_groups_of};
use crate::turn::heard;
use chrono::{DateTime, TimeDelta, Utc};
use contract::milestone::Milestone;
use contract::timeline::Timeline;

/// Name in the index of due times.
pub const SILENCE: &str = "silence";

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The shop: payment, confirmation, questions to the buyer, packing.
    Shop,
    /// The workshop: proofs, printing, remakes.
    Workshop,
    /// The carrier: from the label to the door, and back.
    Carrier,
}

impl Owner {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Shop, Self::Workshop, Self::Carrier];

    /// As operators see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Workshop => "workshop",
            Self::Carrier => "carrier",
        }
    }
}

/// How long nothing may be heard at a stage, in hours, and whose turn it is. None for a stage that
/// nothing follows.
const fn stage(status: Milestone) -> Option<(Owner, i64)> {
    Some(match status {
        Milestone::OrderPlaced
        | Milestone::PaymentPending
        | Milestone::PaymentFailed
        | Milestone::PaymentAuthorized
        | Milestone::PaymentPaid
        | Milestone::PaymentCodDue => (Owner::Shop, 24),
        Milestone::OrderOnHold | Milestone::ProductionFinished => (Owner::Shop, 48),
        Milestone::DesignProofPending | Milestone::DesignProofRejected => (Owner::Shop, 72),
        Milestone::OrderConfirmed
        | Milestone::DesignProofApproved
        | Milestone::ProductionQueued
        | Milestone::ProductionQcFailed => (Owner::Workshop, 48),
        Milestone::ProductionStarted => (Owner::Workshop, 72),
        Milestone::FulfilmentPacked
        | Milestone::ShipmentLabelCreated
        | Milestone::ShipmentPickupFailed
        | Milestone::ShipmentAttemptFailed => (Owner::Carrier, 48),
        Milestone::ShipmentHandedOver
        | Milestone::ShipmentInTransit
        | Milestone::ShipmentException
        | Milestone::ShipmentDamaged
        | Milestone::ShipmentReturnPending => (Owner::Carrier, 72),
        Milestone::ShipmentOutForDelivery => (Owner::Carrier, 24),
        Milestone::ShipmentAvailableForPickup | Milestone::ShipmentReturning => {
            (Owner::Carrier, 168)
        }
        _ => return None,
    })
}

/// A stage that will be silent for too long unless something is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Where the order stands.
    pub stage: Milestone,
    /// Whose turn it is.
    pub owner: Owner,
    /// When it was heard of last.
    pub since: DateTime<Utc>,
    /// From when on it stands still.
    pub at: DateTime<Utc>,
    /// The limit was learned: beyond it, 19 of 20 orders had gone on.
    pub unusual: bool,
}

/// No stage is called silent sooner, however quick it usually is.
const AT_LEAST: TimeDelta = TimeDelta::hours(1);

/// What an order is watched for; none once it is over. A stage may be silent for as long as 95 of
/// 100 finished orders were; for as long as is usual in the trade while too few are known.
#[must_use]
pub fn watch(timeline: &Timeline, patience: &Patience) -> Option<Watch> {
    let (owner, hours) = stage(timeline.status).filter(|_| !timeline.terminal)?;
    let since = heard(timeline)?.received_at;
    let groups = quiet_groups_of(timeline);
    let learned = patience.of(&groups);
    let limit = learned.map_or(TimeDelta::hours(hours), |learned| learned.max(AT_LEAST));
    let unusual = learned.is_some();
    Some(Watch { stage: timeline.status, owner, since, at: since + limit, unusual })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, OrderRef};
    use crate::estimate::quiet_groups;
    use crate::fold::fold;
    use contract::id::OrderId;
    use contract::milestone::Kind;

    fn state(codes: &[&str]) -> Timeline {
        let order: OrderId = "T-1".parse().unwrap();
        let start = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let event = |(hour, code): (usize, &&str)| {
            let at = start + TimeDelta::hours(i64::try_from(hour).unwrap());
            let named = OrderRef::Order(order.clone());
            Draft::new("t", code.to_string(), code.parse().unwrap(), at, named)
                .into_event(order.clone())
        };
        let events: Vec<_> = codes.iter().enumerate().map(event).collect();
        fold(&order, &events).unwrap()
    }

    fn watch(timeline: &Timeline) -> Option<Watch> {
        super::watch(timeline, &Patience::default())
    }

    #[test]
    fn a_stage_is_given_what_nineteen_of_twenty_orders_took() {
        let printing = state(&["order.placed", "production.started"]);
        let groups = quiet_groups(Milestone::ProductionStarted, Some("t"));
        let limits = |group: &String, hours| {
            Patience::new([(group.clone(), TimeDelta::hours(hours))].into(), false)
        };
        let long = |patience: &Patience| {
            let watch = super::watch(&printing, patience).unwrap();
            (watch.at - watch.since, watch.unusual)
        };
        assert_eq!(long(&limits(&groups[0], 9)), (TimeDelta::hours(9), true));
        assert_eq!(long(&limits(&groups[1], 30)), (TimeDelta::hours(30), true));
        assert_eq!(long(&limits(&groups[1], 0)), (AT_LEAST, true));
        assert_eq!(long(&Patience::default()), (TimeDelta::hours(72), false));
    }

    #[test]
    fn each_stage_has_its_owner_and_its_patience() {
        let paid = watch(&state(&["order.placed", "payment.paid"])).unwrap();
        assert_eq!((paid.owner, paid.at - paid.since), (Owner::Shop, TimeDelta::hours(24)));
        let printing = watch(&state(&["order.placed", "production.started"])).unwrap();
        assert_eq!(
            (printing.owner, printing.stage),
            (Owner::Workshop, Milestone::ProductionStarted)
        );
        let label = watch(&state(&["order.placed", "shipment.label_created"])).unwrap();
        assert_eq!(label.owner, Owner::Carrier);
    }

    #[test]
    fn an_order_that_is_over_is_not_watched_and_a_warning_is_no_sign_of_life() {
        assert_eq!(watch(&state(&["order.placed", "shipment.delivered"])), None);
        let quiet = watch(&state(&["order.placed", "payment.paid"])).unwrap();
        let warned = watch(&state(&["order.placed", "payment.paid", "delay.warning"])).unwrap();
        assert_eq!(quiet.at, warned.at);
    }

    #[test]
    fn every_step_before_the_end_has_somebody_whose_turn_it_is() {
        for milestone in Milestone::ALL {
            let over =
                milestone.is_terminal() || matches!(milestone.kind(), Kind::Side | Kind::Info);
            assert_eq!(stage(*milestone).is_none(), over, "{milestone}");
        }
    }
}
