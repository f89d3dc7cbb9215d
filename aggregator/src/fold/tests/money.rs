//! Whether a refund is of a part or of all.

use super::*;
use contract::event::Money;

/// Money that a source tells of.
fn told(hour: i64, code: &str, source: &str, amount: i64) -> OrderEvent {
    let source = source.to_owned();
    event(hour, code, move |d| {
        d.source = source;
        d.data.money = Some(Money { amount, currency: "VND".to_owned() });
    })
}

/// The refunds as they are shown.
fn refunds(events: &[OrderEvent]) -> Vec<&'static str> {
    let entries = fold(&order(), events).unwrap().entries;
    let codes = entries.iter().map(|entry| entry.milestone.code());
    codes.filter(|code| code.ends_with("refunded")).collect()
}

const PART: &str = "payment.partially_refunded";
const ALL: &str = "payment.refunded";

#[test]
fn a_deposit_and_the_rest_are_paid_together() {
    let mut events =
        vec![told(1, "payment.paid", "payment", 200), told(2, "payment.paid", "payment", 250)];
    events.push(told(5, ALL, "payment", 250));
    assert_eq!(refunds(&events), [PART]);
    events.push(told(6, ALL, "payment", 200));
    assert_eq!(refunds(&events), [PART, ALL]);
}

#[test]
fn two_systems_that_tell_of_one_refund_tell_of_it_once() {
    let mut events =
        vec![told(1, "payment.paid", "payment", 500), told(2, "payment.paid", "shopify", 500)];
    events.push(told(5, ALL, "payment", 250));
    events.push(told(6, ALL, "shopify", 250));
    assert_eq!(refunds(&events), [PART, PART]);
}

#[test]
fn where_nobody_said_what_was_paid_what_was_to_be_paid_counts() {
    let authorized = told(1, "payment.authorized", "shopify", 409);
    assert_eq!(refunds(&[authorized.clone(), told(5, ALL, "shopify", 209)]), [PART]);
    assert_eq!(refunds(&[authorized.clone(), told(5, ALL, "shopify", 409)]), [ALL]);
    let captured = told(2, "payment.paid", "shopify", 300);
    assert_eq!(refunds(&[authorized, captured, told(5, ALL, "shopify", 300)]), [ALL]);
}
