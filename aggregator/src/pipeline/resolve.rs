//! Finds the orders of drafts: by number, or by an alias that some event told.

use super::name::{SLACK, name_orders};
use crate::draft::{Draft, OrderRef};
use crate::metric;
use crate::store::order::Known;
use crate::store::{lock, order, parked};
use chrono::{DateTime, Utc};
use contract::id::OrderId;
use contract::milestone::Milestone;
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap};

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
    describe(connection, &by_order).await?;
    let ids: Vec<String> = by_order.keys().map(ToString::to_string).collect();
    let placed = |drafts: &Vec<Draft>| drafts.iter().any(|d| d.milestone == Milestone::OrderPlaced);
    let newly: Vec<String> =
        by_order.iter().filter(|(_, d)| placed(d)).map(|(order, _)| order.to_string()).collect();
    let freed = parked::take(connection, &newly, &[]).await?;
    metric::events("unparked", freed.len());
    describe_all(connection, &freed).await?;
    let mut known = order::known(connection, &ids).await?;
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

/// Keeps what is told of customers. `order.placed` makes an order known; any other news of a
/// customer waits with its event until then.
async fn describe(
    connection: &mut PgConnection,
    by_order: &BTreeMap<OrderId, Vec<Draft>>,
) -> Result<(), sqlx::Error> {
    let news = |drafts: &&Vec<Draft>| drafts.iter().any(|draft| draft.customer.is_some());
    let ids: Vec<String> =
        by_order.iter().filter(|(_, d)| news(d)).map(|(order, _)| order.to_string()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let known = order::known(connection, &ids).await?;
    for (order_id, drafts) in by_order {
        let placed = drafts.iter().any(|d| d.milestone == Milestone::OrderPlaced);
        if placed || known.contains_key(order_id.as_str()) {
            describe_all(connection, drafts).await?;
        }
    }
    Ok(())
}

async fn describe_all(connection: &mut PgConnection, drafts: &[Draft]) -> Result<(), sqlx::Error> {
    for draft in drafts {
        if let (OrderRef::Order(order_id), Some(customer)) = (&draft.order, &draft.customer) {
            let placed = draft.milestone == Milestone::OrderPlaced;
            let placed_at = placed.then_some(draft.time);
            let described = draft.customer_at.unwrap_or(draft.time);
            order::describe(connection, order_id, customer, described, placed_at).await?;
        }
    }
    Ok(())
}
