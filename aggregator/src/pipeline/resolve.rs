//! Finds the orders of drafts: by number, or by an alias that some event told.

use super::name::{SLACK, name_orders};
use crate::draft::{Draft, OrderRef};
use crate::metric;
use crate::store::order::{Description, Known};
use crate::store::{lock, order, parked};
use chrono::{DateTime, Utc};
use contract::customer::Customer;
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
    drafts: &[&Draft],
    now: DateTime<Utc>,
) -> Result<Resolved, sqlx::Error> {
    let (mut by_order, mut waiting) = name_orders(connection, drafts).await?;
    lock::take(connection, "order", by_order.keys().map(OrderId::as_str)).await?;
    let ids: Vec<String> = by_order.keys().map(ToString::to_string).collect();
    let placed = |drafts: &Vec<Draft>| drafts.iter().any(|d| d.milestone == Milestone::OrderPlaced);
    let newly: Vec<String> =
        by_order.iter().filter(|(_, d)| placed(d)).map(|(order, _)| order.to_string()).collect();
    let freed = parked::take(connection, &newly).await?;
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
        draft.expect(None);
    }
}

fn described(draft: &Draft) -> DateTime<Utc> {
    draft.customer_at.unwrap_or(draft.time)
}

/// An order that was placed by somebody whom its source does not describe: any description is newer.
fn stranger(draft: &Draft, order: &OrderId) -> Option<(Customer, DateTime<Utc>)> {
    if draft.milestone != Milestone::OrderPlaced {
        return None;
    }
    let number = draft.data.customer_id.as_deref().and_then(|id| id.parse().ok());
    let id = number.or_else(|| order.as_str().parse().ok())?;
    let (name, email, phone, locale, time_zone) = (None, None, None, None, None);
    Some((Customer { id, name, email, phone, locale, time_zone }, DateTime::UNIX_EPOCH))
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
        let OrderRef::Order(order) = &draft.order else { continue };
        let bare = || stranger(draft, order);
        let Some((customer, at)) =
            draft.customer.clone().map(|c| (c, described(draft))).or_else(bare)
        else {
            continue;
        };
        if !newly.contains(order.as_str()) && !known.contains_key(order.as_str()) {
            continue;
        }
        let placed_at = (draft.milestone == Milestone::OrderPlaced).then_some(draft.time);
        let new = Description { customer, at, placed_at };
        match told.entry(order.to_string()) {
            Entry::Vacant(free) => drop(free.insert(new)),
            Entry::Occupied(mut there) => there.get_mut().join(new),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use service_kit::clock;

    fn placed(source: &str, customer: Option<Customer>) -> Draft {
        let order = OrderRef::Order("T-1".parse().unwrap());
        let mut draft = Draft::new(source, "1".into(), Milestone::OrderPlaced, clock::now(), order);
        draft.customer = customer;
        draft
    }

    #[test]
    fn an_order_whose_customer_nobody_describes_is_known_and_any_description_is_newer() {
        let known = HashMap::new();
        let told = |drafts: &[Draft]| {
            descriptions(drafts.iter(), &["T-1".to_owned()], &known).remove("T-1").unwrap()
        };
        let mut bare = placed("cloudevents", None);
        assert_eq!(told(&[bare.clone()]).customer.id.as_str(), "T-1");
        bare.data.customer_id = Some("C-7".to_owned());
        let first = told(&[bare.clone()]);
        assert_eq!((first.customer.id.as_str(), first.placed_at), ("C-7", Some(bare.time)));
        let described = Customer { name: Some("An".into()), ..first.customer };
        let shop = placed("shop", Some(described));
        for drafts in [[bare.clone(), shop.clone()], [shop, bare]] {
            assert_eq!(told(&drafts).customer.name.as_deref(), Some("An"));
        }
    }
}
