//! Finds the orders of drafts: by number, or by an alias that some event told.

use super::name::{SLACK, name_orders};
use crate::draft::{Draft, OrderRef};
use crate::metric;
use crate::store::order::{Description, Known};
use crate::store::{lock, order, parked};
use chrono::{DateTime, Utc};
use contract::id::OrderId;
use contract::milestone::Milestone;
use sqlx::PgConnection;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Drafts of known orders, with what is known of them.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) drafts: BTreeMap<OrderId, Vec<Draft>>,
    pub(super) known: HashMap<String, Known>,
}

/// Sorts drafts by their orders, drives again what waited for what they tell, and parks what
/// nothing is known of yet. Locks every name that it decides on.
pub(super) async fn resolve(
    connection: &mut PgConnection,
    drafts: Vec<Draft>,
    now: DateTime<Utc>,
) -> Result<Resolved, sqlx::Error> {
    let (mut by_order, mut waiting) = name_orders(connection, drafts).await?;
    lock::take(connection, "order", by_order.keys().map(OrderId::as_str)).await?;
    let ids: Vec<String> = by_order.keys().map(ToString::to_string).collect();
    let placed = |drafts: &Vec<Draft>| drafts.iter().any(|d| d.milestone == Milestone::OrderPlaced);
    let newly: Vec<String> =
        by_order.iter().filter(|(_, d)| placed(d)).map(|(order, _)| order.to_string()).collect();
    let freed = parked::take(connection, &newly, &[]).await?;
    metric::events("unparked", freed.len());
    let mut known = order::known(connection, &ids).await?;
    let told = descriptions(by_order.values().flatten().chain(&freed), &newly, &known);
    if !told.is_empty() {
        known.extend(order::describe(connection, &told).await?);
    }
    for draft in freed {
        if let OrderRef::Order(order) = &draft.order {
            by_order.entry(order.clone()).or_default().push(draft);
        }
    }
    let mut resolved = Resolved::default();
    for (order, mut drafts) in by_order {
        if let Some(known) = known.remove(order.as_str()) {
            disregard_former_life(&mut drafts, known.placed_at);
            resolved.known.insert(order.to_string(), known);
            resolved.drafts.insert(order, drafts);
        } else {
            waiting.extend(drafts);
        }
    }
    let count = parked::put(connection, &waiting, now).await?;
    metric::events("parked", usize::try_from(count).unwrap_or(0));
    Ok(resolved)
}

/// A number that came back has had another life: what happened to it before the order was there
/// is kept for the operator and says nothing of the order.
fn disregard_former_life(drafts: &mut [Draft], placed_at: Option<DateTime<Utc>>) {
    let Some(born) = placed_at.and_then(|at| at.checked_sub_signed(SLACK)) else { return };
    for draft in drafts.iter_mut().filter(|draft| draft.by_parcel && draft.time < born) {
        draft.milestone = Milestone::InfoIgnored;
        draft.data.reason = Some("before_the_order".to_owned());
        draft.data.eta = None;
    }
}

/// What is told of customers. `order.placed` makes an order known; any other news of a customer
/// waits with its event until then.
fn descriptions<'a>(
    drafts: impl Iterator<Item = &'a Draft>,
    newly: &[String],
    known: &HashMap<String, Known>,
) -> BTreeMap<String, Description> {
    let newly: HashSet<&str> = newly.iter().map(String::as_str).collect();
    let mut told: BTreeMap<String, Description> = BTreeMap::new();
    for draft in drafts {
        let (OrderRef::Order(order), Some(customer)) = (&draft.order, &draft.customer) else {
            continue;
        };
        if !newly.contains(order.as_str()) && !known.contains_key(order.as_str()) {
            continue;
        }
        let placed_at = (draft.milestone == Milestone::OrderPlaced).then_some(draft.time);
        let at = draft.customer_at.unwrap_or(draft.time);
        let new = Description { customer: customer.clone(), at, placed_at };
        match told.entry(order.to_string()) {
            Entry::Vacant(free) => drop(free.insert(new)),
            Entry::Occupied(mut there) => there.get_mut().join(new),
        }
    }
    told
}
