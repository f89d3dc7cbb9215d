//! Whether money that is back is a part of it, or all.

use super::fact::Fact;
use contract::milestone::Milestone;
use std::collections::BTreeMap;

/// A refund is a partial one while less than what was paid has been paid back, by currency. Several systems tell
/// of the same money: the one that tells most of it counts.
pub(super) fn split_refunds(facts: &mut [Fact<'_>]) {
    let paid = paid(facts);
    let mut back: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for fact in facts.iter_mut().filter(|f| f.stands() && f.milestone == Milestone::PaymentRefunded)
    {
        let Some(money) = &fact.event.data.money else {
            continue;
        };
        let sum = back.entry((&money.currency, &fact.event.source)).or_default();
        *sum = sum.saturating_add(money.amount);
        let of_currency = back.range((money.currency.as_str(), "")..);
        let of_currency = of_currency.take_while(|((currency, _), _)| *currency == money.currency);
        let most = of_currency.map(|(_, sum)| *sum).max();
        if paid.get(money.currency.as_str()).copied() > most {
            fact.milestone = Milestone::PaymentPartiallyRefunded;
        }
    }
}

/// What was paid, by currency; where nobody told that, what was to be paid.
fn paid<'a>(facts: &[Fact<'a>]) -> BTreeMap<&'a str, i64> {
    let mut all = told(
        facts,
        &[
            Milestone::OrderPlaced,
            Milestone::PaymentPending,
            Milestone::PaymentAuthorized,
            Milestone::PaymentCodDue,
        ],
    );
    all.extend(told(facts, &[Milestone::PaymentPaid]));
    all
}

/// The most that one source tells with these codes, by currency: payments one by one, or, where it tells the
/// whole state again and again, the largest (of several payments that is their sum).
fn told<'a>(facts: &[Fact<'a>], codes: &[Milestone]) -> BTreeMap<&'a str, i64> {
    let (mut sums, mut most): (BTreeMap<_, i64>, BTreeMap<_, i64>) = Default::default();
    let counts = |f: &&Fact<'a>| f.stands() || f.corrected_by.is_none() && f.event.data.restates;
    let said = facts.iter().filter(counts).filter(|f| codes.contains(&f.milestone));
    for event in said.map(|fact| fact.event) {
        let Some(money) = &event.data.money else { continue };
        let sum: &mut i64 =
            sums.entry((&event.source, event.data.restates, &money.currency)).or_default();
        let one_by_one = event.milestone == Milestone::PaymentPaid && !event.data.restates;
        *sum = if one_by_one { sum.saturating_add(money.amount) } else { money.amount.max(*sum) };
        let known: &mut i64 = most.entry(money.currency.as_str()).or_default();
        *known = (*known).max(*sum);
    }
    most
}
