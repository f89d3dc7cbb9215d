//! Finds the orders behind names: what one event tells (a tracking number, a payment's id, a
//! platform's number of the order), others are found by, and may tell more in turn.

use super::ghost::{self, Bearers};
use super::held::{Held, alias_of, names};
use crate::draft::{Draft, OrderRef, TRACKING};
use crate::metric;
use crate::store::alias::{self, Bearer, Told};
use crate::store::parked;
use chrono::TimeDelta;
use contract::id::OrderId;
use contract::milestone::Milestone;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Drafts by their orders.
pub(super) type ByOrder = BTreeMap<OrderId, Vec<Draft>>;

/// A parcel may be scanned a little before the shop's clock says that its order was placed.
pub(super) const SLACK: TimeDelta = TimeDelta::days(2);

/// Sorts drafts by their orders and takes out of the park what the names that they tell are
/// waited for by. Returns the sorted ones and those whose name means nothing yet.
pub(super) async fn name_orders(
    connection: &mut PgConnection,
    drafts: &[&Draft],
) -> Result<(ByOrder, Vec<Draft>), sqlx::Error> {
    let mut held = Held::begin(connection).await?;
    let placing = placing(drafts);
    loop {
        let drafts = drafts.iter().copied().cloned().collect();
        if let Some(sorted) = name_held(connection, drafts, &placing, &mut held).await? {
            metric::events("unparked", sorted.freed);
            return Ok((sorted.by_order, sorted.waiting));
        }
        metric::retried("names");
        held.begin_again(connection).await?;
    }
}

/// Drafts by their orders, and those whose name means nothing yet.
#[derive(Default)]
struct Sorted {
    by_order: ByOrder,
    waiting: Vec<Draft>,
    /// How many were taken out of the park.
    freed: usize,
}

/// The same under the names that are held; none when somebody else has one that is needed.
async fn name_held(
    connection: &mut PgConnection,
    drafts: Vec<Draft>,
    placing: &[String],
    held: &mut Held,
) -> Result<Option<Sorted>, sqlx::Error> {
    let Sorted { mut by_order, mut waiting, freed: mut count } = Sorted::default();
    let ((mut open, mut late), mut known) = (ghost::put_off(drafts), BTreeSet::<Name>::new());
    while !open.is_empty() {
        if !held.take(connection, &open).await? {
            return Ok(None);
        }
        let Found { named, unnamed, bearers } = find(connection, open, placing).await?;
        waiting.extend(unnamed);
        let told = tell(connection, &named, &mut known).await?;
        let ghosts = ghost::of(&told, &bearers);
        let freed = parked::take_named(connection, &ghosts, &told).await?;
        let freed = freed.into_iter().map(|draft| ghost::freed(draft, &ghosts));
        let freed: Vec<Draft> = freed.collect();
        count += freed.len();
        // What was told just now may be what others of this batch are waiting for.
        let names = |draft: &Draft| {
            let is_told = |name: &String| told.contains(name);
            alias_of(draft).is_some_and(is_told) || draft.stand_in().as_ref().is_some_and(is_told)
        };
        let (again, still): (Vec<Draft>, Vec<Draft>) = waiting.into_iter().partition(names);
        waiting = still;
        for draft in named {
            if let OrderRef::Order(order) = &draft.order {
                by_order.entry(order.clone()).or_default().push(draft);
            }
        }
        open = freed.into_iter().chain(again).chain(std::mem::take(&mut late)).collect();
    }
    Ok(Some(Sorted { by_order, waiting, freed: count }))
}

/// Of what waits for orders that nobody placed, by its key, that whose parcel is another order's by now.
pub async fn of_others(
    connection: &mut PgConnection,
    waiting: Vec<(String, Draft)>,
) -> Result<Vec<(String, Draft)>, sqlx::Error> {
    let ghosts: Vec<String> = waiting.iter().map(|(_, draft)| draft.named().to_owned()).collect();
    let freed = waiting.into_iter().map(|(key, draft)| (key, ghost::freed(draft, &ghosts)));
    let freed: Vec<(String, Draft)> = freed.collect();
    let drafts: Vec<Draft> = freed.iter().map(|(_, draft)| draft.clone()).collect();
    let mut held = Held::begin(connection).await?;
    held.take(connection, &drafts).await?;
    let Found { named, .. } = find(connection, drafts, &[]).await?;
    // Whoever drives them decides anew, and with what else he needs.
    held.begin_again(connection).await?;
    let found = named.iter().filter(|draft| !ghosts.iter().any(|ghost| ghost == draft.named()));
    let found: HashSet<String> = found.map(Draft::key).collect();
    Ok(freed.into_iter().filter(|(_, draft)| found.contains(&draft.key())).collect())
}

/// The orders that are placed by these drafts.
fn placing(drafts: &[&Draft]) -> Vec<String> {
    let order = |draft: &&Draft| match &draft.order {
        OrderRef::Order(order) if draft.milestone == Milestone::OrderPlaced => {
            Some(order.to_string())
        }
        _ => None,
    };
    drafts.iter().filter_map(order).collect()
}

/// Drafts with an order, and those whose name means nothing yet; and who bears the names.
#[derive(Default)]
struct Found {
    named: Vec<Draft>,
    unnamed: Vec<Draft>,
    bearers: Bearers,
}

/// Names what can be named; some orders are only being placed. Every name that it decides on, or that will
/// be told, is held.
async fn find(
    connection: &mut PgConnection,
    drafts: Vec<Draft>,
    placing: &[String],
) -> Result<Found, sqlx::Error> {
    let names: Vec<String> = names(&drafts).into_iter().collect();
    if names.is_empty() {
        return Ok(Found { named: drafts, ..Found::default() });
    }
    let bearers = alias::bearers(connection, &names).await?;
    let drafts = ghost::mended(connection, drafts, &bearers, placing).await?;
    let called = drafts.into_iter().map(|draft| called(draft, &bearers, placing));
    let named = called.map(|draft| untold(meant(draft, &bearers), &bearers));
    let (named, unnamed) = named.partition(|draft| alias_of(draft).is_none());
    Ok(Found { named, unnamed, bearers })
}

/// What calls its order by a name that nobody told goes by its parcel's, where it may, and tells the name. (Of an
/// order that nobody placed a parcel tells no name: a carrier may have called it so.)
fn called(mut draft: Draft, bearers: &Bearers, placing: &[String]) -> Draft {
    let untold = alias_of(&draft).is_some_and(|alias| !bearers.contains_key(alias));
    let is_placed = |bearer: &Bearer| bearer.placed || placing.contains(&bearer.order);
    let is_somebodys =
        |name: &String| bearers.get(name).is_some_and(|all| all.iter().any(is_placed));
    if let Some(parcel) = draft.stand_in().filter(|name| untold && is_somebodys(name)) {
        let name = draft.named().to_owned();
        draft.order = OrderRef::Alias(parcel);
        draft.reveal(name);
    }
    draft
}

/// A name means the newest order that was there when the event happened; the oldest when none
/// was. It stays with the order that had it before until that is over: then another may have it.
/// (An order that nobody has placed holds no name against one.)
fn meant(mut draft: Draft, bearers: &Bearers) -> Draft {
    let all = alias_of(&draft).and_then(|alias| bearers.get(alias));
    let there = |bearer: &Bearer| {
        bearer.since.checked_sub_signed(SLACK).is_none_or(|since| since <= draft.time)
    };
    let newest_there = |all: &[Bearer]| {
        let free = |place: usize| all[place + 1..].iter().all(|before| !before.open);
        (0..all.len()).find(|place| there(&all[*place]) && free(*place))
    };
    let found = all.and_then(|all| newest_there(all).map(|place| &all[place]).or(all.last()));
    if let Some(order) = found.and_then(|bearer| bearer.order.parse().ok()) {
        draft.by_parcel = alias_of(&draft).is_some_and(|alias| alias.starts_with(TRACKING));
        draft.order = OrderRef::Order(order);
    }
    draft
}

/// What was told of the order before need not be told again.
fn untold(mut draft: Draft, bearers: &Bearers) -> Draft {
    if let OrderRef::Order(order) = &draft.order {
        let told = |name: &String| {
            bearers.get(name).is_some_and(|all| all.iter().any(|b| b.order == order.as_str()))
        };
        draft.reveals.retain(|name| !told(name));
    }
    draft
}

/// Notes the names that these drafts tell for the first time here, and returns them.
async fn tell(
    connection: &mut PgConnection,
    named: &[Draft],
    known: &mut BTreeSet<Name>,
) -> Result<Vec<String>, sqlx::Error> {
    let told = told(named, known);
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let (names, told): (Vec<Name>, Vec<Told>) = told.into_iter().unzip();
    alias::reveal(connection, &told).await?;
    let aliases: BTreeSet<String> = names.iter().map(|(alias, _)| alias.clone()).collect();
    known.extend(names);
    Ok(aliases.into_iter().collect())
}

/// An alias and the order that it is told for: two orders may tell one together.
type Name = (String, OrderId);

/// What these drafts tell, each with when it was told first.
fn told(named: &[Draft], known: &BTreeSet<Name>) -> BTreeMap<Name, Told> {
    let mut told: BTreeMap<Name, Told> = BTreeMap::new();
    for draft in named {
        let OrderRef::Order(order) = &draft.order else { continue };
        for alias in &draft.reveals {
            let name = (alias.clone(), order.clone());
            if known.contains(&name) {
                continue;
            }
            let new = Told { alias: alias.clone(), order: order.to_string(), at: draft.time };
            let first = told.entry(name).or_insert_with(|| new.clone());
            if new.at < first.at {
                *first = new;
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::tracking_alias;
    use chrono::{DateTime, Utc};
    use std::collections::HashMap;

    fn day(day: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + day)
    }

    fn bearer(order: &str, since: i64, open: bool) -> Bearer {
        Bearer { order: order.to_owned(), since: day(since), placed: open, open }
    }

    fn order_of(scan_on: i64, bearers: &[Bearer]) -> String {
        let name = tracking_alias("X1");
        let order = OrderRef::Alias(name.clone());
        let scan = Draft::new("ghn", "1".into(), Milestone::ShipmentInTransit, day(scan_on), order);
        match meant(scan, &HashMap::from([(name, bearers.to_vec())])).order {
            OrderRef::Order(order) => order.to_string(),
            OrderRef::Alias(name) => name,
        }
    }

    #[test]
    fn a_makers_number_is_known_by_its_parcel_where_that_is_somebodys() {
        let own = || OrderRef::Alias("printify:5cb8".to_owned());
        let mut made =
            Draft::new("printify", "1".into(), Milestone::ShipmentHandedOver, day(5), own());
        made.makers_parcel("ghn", Some("x 1".to_owned()));
        let name = tracking_alias("X1");
        let of = |order: &str, open| HashMap::from([(name.clone(), vec![bearer(order, 0, open)])]);
        let called = |bearers: &Bearers, placing: &[String]| called(made.clone(), bearers, placing);
        let known = called(&of("A", true), &[]);
        assert_eq!(known.order, OrderRef::Alias(name.clone()));
        assert!(known.reveals.contains(&"printify:5cb8".to_owned()), "and tells it to others");
        assert_eq!(called(&of("ghost", false), &[]).order, own());
        assert_eq!(called(&of("B", false), &["B".to_owned()]).order, known.order);
        let mut told = of("A", true);
        told.insert("printify:5cb8".to_owned(), vec![bearer("C", 0, true)]);
        assert_eq!(called(&told, &[]).order, own(), "it means something already");
        made.or_parcel = false;
        assert_eq!(super::called(made, &of("A", true), &[]).order, own());
    }

    #[test]
    fn two_orders_that_tell_one_name_together_both_tell_it() {
        let packed = |order: &str, on: i64| {
            let order = OrderRef::Order(order.parse().unwrap());
            let mut draft =
                Draft::new("t", "1".into(), Milestone::FulfilmentPacked, day(on), order);
            draft.reveal(tracking_alias("X1"));
            draft
        };
        let told = told(&[packed("A", 5), packed("B", 30), packed("A", 3)], &BTreeSet::new());
        let told: Vec<_> = told.values().map(|told| (told.order.as_str(), told.at)).collect();
        assert_eq!(told, [("A", day(3)), ("B", day(30))]);
    }

    #[test]
    fn a_number_that_comes_back_stays_with_its_first_order_until_that_is_over() {
        let told_early = [bearer("B", 30, true), bearer("A", 0, true)];
        assert_eq!(order_of(31, &told_early), "A", "A is still on its way");
        let over = [bearer("B", 30, true), bearer("A", 0, false)];
        assert_eq!(order_of(31, &over), "B", "told early, and not lost");
        assert_eq!(order_of(5, &over), "A", "that was before B");
        let nobody_placed = [bearer("B", 30, true), bearer("ghost", 0, false)];
        assert_eq!(order_of(31, &nobody_placed), "B");
        assert_eq!(order_of(31, &[bearer("A", 0, true)]), "A");
    }
}
