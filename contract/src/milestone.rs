//! What can happen to an order: `phase.status` codes and their ranks.
//!
//! A rank orders the phases for folding; it is not a time. Codes of one rank are alternatives.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! milestones {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $rank:literal, $kind:ident;)+) => {
        /// A canonical milestone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Milestone {
            $($(#[$doc])* #[serde(rename = $code)] $name,)+
        }

        impl Milestone {
            /// Every milestone, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code that people and other programs see.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The rank: a lower one never replaces a higher one of the same order, item or parcel.
            #[must_use]
            pub const fn rank(self) -> u8 {
                match self { $(Self::$name => $rank),+ }
            }

            /// What kind of milestone it is.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind),+ }
            }

            /// The part of an order that it is said of.
            #[must_use]
            pub const fn scope(self) -> Scope {
                match self { $(Self::$name => const { scope_of($code) }),+ }
            }
        }
    };
}

/// How a milestone takes part in the fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A step towards the door.
    Step,
    /// A step that is never left, except by a correction or a declared step back.
    Terminal,
    /// Something went wrong; any later event of the same thing leaves it.
    Problem,
    /// On its way back to the shop.
    Return,
    /// Shown beside the steps (refunds, expected dates, warnings); changes no status.
    Side,
    /// Kept for the operator only; takes no version.
    Info,
}

/// What a milestone is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole order.
    Order,
    /// A line item (or, without a line, every item).
    Item,
    /// A parcel.
    Shipment,
}

milestones! {
    /// The shop has the order.
    OrderPlaced = "order.placed", 10, Step;
    /// The payment was begun.
    PaymentPending = "payment.pending", 12, Step;
    /// The payment did not go through.
    PaymentFailed = "payment.failed", 12, Problem;
    /// The amount is held, not yet taken.
    PaymentAuthorized = "payment.authorized", 16, Step;
    /// Paid.
    PaymentPaid = "payment.paid", 20, Step;
    /// To be paid at the door.
    PaymentCodDue = "payment.cod_due", 20, Step;
    /// The shop will make it.
    OrderConfirmed = "order.confirmed", 30, Step;
    /// The shop needs something from the buyer.
    OrderOnHold = "order.on_hold", 31, Problem;
    /// A proof waits for the buyer.
    DesignProofPending = "design.proof_pending", 34, Step;
    /// The buyer agreed to the proof.
    DesignProofApproved = "design.proof_approved", 34, Step;
    /// The buyer asked for another proof.
    DesignProofRejected = "design.proof_rejected", 34, Problem;
    /// Waiting for a machine.
    ProductionQueued = "production.queued", 40, Step;
    /// Being printed or engraved.
    ProductionStarted = "production.started", 42, Step;
    /// Not good enough; made again.
    ProductionQcFailed = "production.qc_failed", 43, Problem;
    /// Made, and good.
    ProductionFinished = "production.finished", 46, Step;
    /// In its box.
    FulfilmentPacked = "fulfilment.packed", 50, Step;
    /// The carrier knows of the parcel.
    ShipmentLabelCreated = "shipment.label_created", 52, Step;
    /// The carrier did not collect it.
    ShipmentPickupFailed = "shipment.pickup_failed", 54, Problem;
    /// The carrier has it.
    ShipmentHandedOver = "shipment.handed_over", 60, Step;
    /// Moving.
    ShipmentInTransit = "shipment.in_transit", 62, Step;
    /// Waiting at a post office for the buyer.
    ShipmentAvailableForPickup = "shipment.available_for_pickup", 66, Step;
    /// With the courier.
    ShipmentOutForDelivery = "shipment.out_for_delivery", 70, Step;
    /// The courier could not hand it over.
    ShipmentAttemptFailed = "shipment.attempt_failed", 72, Problem;
    /// With the buyer.
    ShipmentDelivered = "shipment.delivered", 80, Terminal;
    /// The carrier asks whether to send it back.
    ShipmentReturnPending = "shipment.return_pending", 84, Problem;
    /// Going back.
    ShipmentReturning = "shipment.returning", 84, Return;
    /// Something happened to the parcel.
    ShipmentException = "shipment.exception", 86, Problem;
    /// Broken on the way.
    ShipmentDamaged = "shipment.damaged", 86, Problem;
    /// Lost on the way.
    ShipmentLost = "shipment.lost", 86, Terminal;
    /// Back at the shop.
    ShipmentReturned = "shipment.returned", 88, Terminal;
    /// The order will not be made or sent.
    OrderCancelled = "order.cancelled", 95, Terminal;
    /// A refund was begun.
    PaymentRefundPending = "payment.refund_pending", 0, Side;
    /// A part was paid back.
    PaymentPartiallyRefunded = "payment.partially_refunded", 0, Side;
    /// All was paid back.
    PaymentRefunded = "payment.refunded", 0, Side;
    /// The buyer's bank asks.
    PaymentDisputed = "payment.disputed", 0, Side;
    /// First expected dates.
    EtaSet = "eta.set", 0, Side;
    /// Other expected dates.
    EtaRevised = "eta.revised", 0, Side;
    /// The promise is at risk (derived).
    DelayWarning = "delay.warning", 0, Side;
    /// Expected within 24 hours (derived).
    DeliveryTomorrow = "delivery.tomorrow", 0, Side;
    /// Of no meaning for the buyer.
    InfoIgnored = "info.ignored", 0, Info;
}

/// The first word of a code tells what it is said of. (Told by the compiler: a fold asks at each step.)
const fn scope_of(code: &str) -> Scope {
    match code.as_bytes() {
        [b'd', b'e', b's', b'i', b'g', b'n', b'.', ..] | [b'p', b'r', b'o', b'd', ..] => {
            Scope::Item
        }
        [b'f', b'u', b'l', b'f', ..] | [b's', b'h', b'i', b'p', ..] => Scope::Shipment,
        _ => Scope::Order,
    }
}

impl Milestone {
    /// Never left, except by a correction or a declared step back.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        self.kind() == Kind::Terminal
    }

    /// Something that the buyer would call a problem; any later event leaves it.
    #[must_use]
    pub fn is_problem(self) -> bool {
        self.kind() == Kind::Problem
    }

    /// Is the parcel on its way back, or about to be?
    #[must_use]
    pub const fn goes_back(self) -> bool {
        matches!(self, Self::ShipmentReturnPending | Self::ShipmentReturning)
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is no milestone code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such milestone")]
pub struct UnknownMilestone;

impl FromStr for Milestone {
    type Err = UnknownMilestone;
    fn from_str(code: &str) -> Result<Self, UnknownMilestone> {
        Self::ALL.iter().copied().find(|m| m.code() == code).ok_or(UnknownMilestone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for milestone in Milestone::ALL {
            assert_eq!(milestone.code().parse(), Ok(*milestone));
            assert_eq!(serde_json::to_value(milestone).unwrap(), milestone.code());
        }
    }

    #[test]
    fn the_first_word_tells_what_it_is_said_of() {
        for milestone in Milestone::ALL {
            let expected = match milestone.code().split('.').next() {
                Some("design" | "production") => Scope::Item,
                Some("fulfilment" | "shipment") => Scope::Shipment,
                _ => Scope::Order,
            };
            assert_eq!(milestone.scope(), expected, "{}", milestone.code());
        }
    }

    #[test]
    fn ranks_follow_the_parcel_to_the_door() {
        let path = ["order.placed", "payment.paid", "order.confirmed", "production.started"];
        let rest = ["production.finished", "fulfilment.packed", "shipment.handed_over"];
        let ranks: Vec<u8> = path
            .iter()
            .chain(&rest)
            .map(|code| code.parse::<Milestone>().unwrap().rank())
            .collect();
        assert!(ranks.is_sorted());
    }
}
