//! Orders that nobody placed and that carriers name all the same: of a second parcel (`TM-1042-2`: a carrier wants
//! a reference of its own for each), or mistyped. The parcel's number knows better.

use crate::draft::{Draft, OrderRef, tracking_alias};
use crate::store::alias::{self, Bearer};
use crate::store::{order, parked};
use contract::id::OrderId;
use sqlx::PgConnection;
use std::collections::HashMap;

/// Who bears which name.
pub(super) type Bearers = HashMap<String, Vec<Bearer>>;

/// The drafts; those of a carrier that name an order which nobody placed are of the order whose parcel it is, if
/// one was told.
pub(super) async fn mended(
    connection: &mut PgConnection,
    drafts: Vec<Draft>,
    bearers: &Bearers,
) -> Result<Vec<Draft>, sqlx::Error> {
    let doubted = |draft: &Draft| doubted(draft, bearers).map(|(order, _)| order.to_owned());
    let names: Vec<String> = drafts.iter().filter_map(doubted).collect();
    if names.is_empty() {
        return Ok(drafts);
    }
    let known = order::known(connection, &names).await?;
    let mend = |draft: Draft| match self::doubted(&draft, bearers) {
        Some((order, alias)) if !known.contains_key(order) => {
            let order = OrderRef::Alias(alias);
            Draft { order, ..draft }
        }
        _ => draft,
    };
    Ok(drafts.into_iter().map(mend).collect())
}

/// The order that a carrier names, and the name of its parcel, if that is another order's.
fn doubted<'a>(draft: &'a Draft, bearers: &Bearers) -> Option<(&'a str, String)> {
    let (order, alias) = named_by_carrier(draft)?;
    let anothers = |bearer: &Bearer| bearer.placed && bearer.open && bearer.order != order;
    bearers.get(&alias)?.iter().any(anothers).then_some((order, alias))
}

/// The order and the parcel that a carrier names.
fn named_by_carrier(draft: &Draft) -> Option<(&str, String)> {
    let OrderRef::Order(order) = &draft.order else { return None };
    let of_carrier = draft.data.carrier.as_deref() == Some(draft.source.as_str());
    let number = draft.data.tracking_number.as_deref().filter(|_| of_carrier)?;
    Some((order.as_str(), tracking_alias(number)))
}

/// Those of a carrier whose parcel others here tell of another order have their turn after these.
pub(super) fn put_off(drafts: Vec<Draft>) -> (Vec<Draft>, Vec<Draft>) {
    let of_carriers: Vec<_> = drafts.iter().map(named_by_carrier).collect();
    let others = drafts.iter().zip(&of_carriers).filter(|(_, named)| named.is_none());
    let told = others.filter_map(|(draft, _)| match &draft.order {
        OrderRef::Order(order) => {
            Some(draft.reveals.iter().map(move |name| (name.as_str(), order)))
        }
        OrderRef::Alias(_) => None,
    });
    let told: HashMap<&str, &OrderId> = told.flatten().collect();
    let is_late = |named: &Option<(&str, String)>| {
        let named = named.as_ref();
        named.is_some_and(|(order, alias)| {
            told.get(alias.as_str()).is_some_and(|other| other.as_str() != *order)
        })
    };
    let mut late = of_carriers.iter().map(is_late).collect::<Vec<bool>>().into_iter();
    drafts.into_iter().partition(|_| !late.next().unwrap_or(false))
}

/// What waits for orders that nobody placed and that bear a name of those which are placed now.
pub(super) async fn of_placed(
    connection: &mut PgConnection,
    placed: &[String],
) -> Result<Vec<Draft>, sqlx::Error> {
    let ghosts = alias::ghosts_of(connection, placed).await?;
    let freed = parked::take(connection, &ghosts, &[]).await?;
    Ok(freed.into_iter().map(|draft| self::freed(draft, &ghosts)).collect())
}

/// Those that are being placed count as placed, and come before who was not.
pub(super) fn take_as_placed(bearers: &mut Bearers, placed: &[String]) {
    if placed.is_empty() {
        return;
    }
    for all in bearers.values_mut() {
        for bearer in all.iter_mut().filter(|bearer| !bearer.placed) {
            bearer.placed = placed.contains(&bearer.order);
            bearer.open = bearer.placed;
        }
        all.sort_by_key(|bearer| !bearer.placed);
    }
}

/// Orders that nobody placed and that bear a name which was told of another one just now: what waits for them may
/// be of that one.
pub(super) fn of(told: &[String], bearers: &Bearers) -> Vec<String> {
    let all = told.iter().filter_map(|alias| bearers.get(alias)).flatten();
    all.filter(|bearer| !bearer.placed).map(|bearer| bearer.order.clone()).collect()
}

/// One that waited for such an order: by the parcel's number, if that is how the order was found; and in any case
/// it tells the number once more.
pub(super) fn freed(mut draft: Draft, ghosts: &[String]) -> Draft {
    let waited = |order: &OrderRef| matches!(order, OrderRef::Order(order) if ghosts.iter().any(|g| g == order.as_str()));
    let Some(number) = draft.data.tracking_number.clone().filter(|_| waited(&draft.order)) else {
        return draft;
    };
    if std::mem::take(&mut draft.by_parcel) {
        draft.order = OrderRef::Alias(tracking_alias(&number));
    }
    draft.reveal(tracking_alias(&number));
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::milestone::Milestone;
    use service_kit::clock;

    fn draft(source: &str, order: &str) -> Draft {
        let order = OrderRef::Order(order.parse().unwrap());
        let mut draft =
            Draft::new(source, "1".into(), Milestone::ShipmentInTransit, clock::now(), order);
        draft.parcel("ghn", Some("gx 1".to_owned()));
        draft
    }

    fn bearers(all: &[(&str, bool)]) -> Bearers {
        let bearer = |(order, placed): &(&str, bool)| Bearer {
            order: (*order).to_owned(),
            since: clock::now(),
            placed: *placed,
            open: *placed,
        };
        HashMap::from([(tracking_alias("GX1"), all.iter().map(bearer).collect())])
    }

    #[test]
    fn a_carriers_order_is_doubted_where_its_parcel_is_anothers() {
        let mine = bearers(&[("T-1", true), ("T-1-2", false)]);
        let scan = draft("ghn", "T-1-2");
        assert_eq!(doubted(&scan, &mine), Some(("T-1-2", tracking_alias("GX1"))));
        assert_eq!(doubted(&draft("ghn", "T-1"), &mine), None);
        assert_eq!(
            doubted(&draft("fulfilment", "T-1-2"), &mine),
            None,
            "the shop knows its orders"
        );
        assert_eq!(
            doubted(&scan, &bearers(&[("T-1", false)])),
            None,
            "nobody placed that one either"
        );
    }

    #[test]
    fn a_carrier_has_its_turn_once_others_have_told_whose_the_parcel_is() {
        let packed = |order: &str| {
            let order = OrderRef::Order(order.parse().unwrap());
            let mut draft = Draft::new(
                "fulfilment",
                "1".into(),
                Milestone::FulfilmentPacked,
                clock::now(),
                order,
            );
            draft.reveal(tracking_alias("GX1"));
            draft
        };
        let [own, ghost] = ["T-1", "T-1-2"].map(|order| draft("ghn", order));
        let told = packed("T-1");
        let split = put_off(vec![ghost.clone(), own.clone(), told.clone()]);
        assert_eq!(split, (vec![own.clone(), told], vec![ghost.clone()]));
        assert_eq!(put_off(vec![ghost.clone(), own]).1, [], "no carrier tells whose it is");
        assert_eq!(put_off(vec![ghost, packed("T-1-2")]).1, []);
    }

    #[test]
    fn an_order_that_is_being_placed_bears_its_parcels_number_before_one_that_nobody_placed() {
        let mut all = bearers(&[("T-1-2", false), ("T-1", false)]);
        assert_eq!(doubted(&draft("ghn", "T-1-2"), &all), None);
        take_as_placed(&mut all, &["T-1".to_owned()]);
        assert!(doubted(&draft("ghn", "T-1-2"), &all).is_some());
        let orders = all[&tracking_alias("GX1")].iter().map(|bearer| bearer.order.as_str());
        assert_eq!(orders.collect::<Vec<_>>(), ["T-1", "T-1-2"]);
    }

    #[test]
    fn what_waited_for_an_order_that_nobody_placed_is_looked_for_by_its_parcel() {
        let told = [tracking_alias("GX1")];
        let ghosts = of(&told, &bearers(&[("T-1", true), ("T-1-2", false)]));
        assert_eq!(ghosts, ["T-1-2"]);
        let mut scan = draft("ghn", "T-1-2");
        scan.reveals.clear();
        assert_eq!(freed(scan.clone(), &ghosts).reveals, told);
        scan.by_parcel = true;
        assert_eq!(freed(scan.clone(), &ghosts).order, OrderRef::Alias(told[0].clone()));
        assert_eq!(freed(scan.clone(), &[]), scan);
    }
}
