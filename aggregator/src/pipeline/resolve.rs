//! Finds the orders of drafts: by number, or by an alias that some event told.

use crate::draft::{Draft, OrderRef};
use crate::metric;
use crate::store::{alias, lock, order, parked};
use chrono::{DateTime, Utc};
use contract::customer::Customer;
use contract::id::OrderId;
use contract::milestone::Milestone;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Drafts of known orders, with their customers.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) drafts: BTreeMap<OrderId, Vec<Draft>>,
    pub(super) customers: HashMap<String, Customer>,
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
    let customers = order::known(connection, &ids).await?;
    for draft in freed {
        if let OrderRef::Order(order) = &draft.order {
            by_order.entry(order.clone()).or_default().push(draft);
        }
    }
    let mut resolved = Resolved { customers, ..Resolved::default() };
    for (order, drafts) in by_order {
        if resolved.customers.contains_key(order.as_str()) {
            resolved.drafts.insert(order, drafts);
        } else {
            waiting.extend(drafts);
        }
    }
    let count = parked::put(connection, &waiting, now).await?;
    metric::events("parked", usize::try_from(count).unwrap_or(0));
    Ok(resolved)
}

type Named = (BTreeMap<OrderId, Vec<Draft>>, Vec<Draft>);

/// Notes the aliases that are told, and finds the orders behind those that are used.
async fn name_orders(
    connection: &mut PgConnection,
    mut drafts: Vec<Draft>,
) -> Result<Named, sqlx::Error> {
    let told: BTreeMap<String, String> = drafts
        .iter()
        .filter_map(|draft| match &draft.order {
            OrderRef::Order(order) => {
                Some(draft.reveals.iter().map(|alias| (alias.clone(), order.to_string())))
            }
            OrderRef::Alias(_) => None,
        })
        .flatten()
        .collect();
    let used = drafts.iter().filter_map(|draft| match &draft.order {
        OrderRef::Alias(alias) => Some(alias.clone()),
        OrderRef::Order(_) => None,
    });
    let all: BTreeSet<String> = told.keys().cloned().chain(used).collect();
    let (aliases, orders): (Vec<String>, Vec<String>) = told.into_iter().unzip();
    let mut known = HashMap::new();
    if !all.is_empty() {
        lock::take(connection, "alias", all.iter().map(String::as_str)).await?;
        if !aliases.is_empty() {
            alias::reveal(connection, &aliases, &orders).await?;
            let freed = parked::take(connection, &[], &aliases).await?;
            metric::events("unparked", freed.len());
            drafts.extend(freed);
        }
        known = alias::resolve(connection, &all.into_iter().collect::<Vec<_>>()).await?;
    }
    let (mut by_order, mut waiting): Named = (BTreeMap::new(), Vec::new());
    for mut draft in drafts {
        let order = match &draft.order {
            OrderRef::Order(order) => Some(order.clone()),
            OrderRef::Alias(alias) => known.get(alias).and_then(|order| order.parse().ok()),
        };
        match order {
            Some(order) => {
                draft.order = OrderRef::Order(order.clone());
                by_order.entry(order).or_default().push(draft);
            }
            None => waiting.push(draft),
        }
    }
    Ok((by_order, waiting))
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
            order::describe(connection, order_id, customer, draft.time).await?;
        }
    }
    Ok(())
}
