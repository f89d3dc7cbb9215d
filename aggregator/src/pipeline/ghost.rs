//! Orders that nobody placed and that carriers name all the same: of a second parcel (`TM-1042-2`: a carrier wants
//! a reference of its own for each), or mistyped. The parcel's number knows better.

use crate::draft::{Draft, OrderRef};
use crate::store::alias::Bearer;
use crate::store::order;
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};

/// Who bears which name.
pub(super) type Bearers = HashMap<String, Vec<Bearer>>;

/// The drafts; those of a carrier that name an order which nobody placed (nor is placing it now) are of the order
/// whose parcel it is, if one was told.
pub(super) async fn mended(
    connection: &mut PgConnection,
    drafts: Vec<Draft>,
    bearers: &Bearers,
    placing: &[String],
) -> Result<Vec<Draft>, sqlx::Error> {
    let doubted = |draft: &Draft| doubted(draft, bearers).map(|(order, _)| order.to_owned());
    let names: Vec<String> = drafts.iter().filter_map(doubted).collect();
    if names.is_empty() {
        return Ok(drafts);
    }
    let known = order::known(connection, &names).await?;
    let is_nobodys =
        |order: &str| !known.contains_key(order) && !placing.iter().any(|placing| placing == order);
    let mend = |draft: Draft| match self::doubted(&draft, bearers) {
        Some((order, alias)) if is_nobodys(order) => {
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

/// The order and the parcel that a carrier names, or somebody who follows parcels.
fn named_by_carrier(draft: &Draft) -> Option<(&str, String)> {
    Some((draft.named(), draft.surer_parcel()?))
}

/// Those of a carrier whose parcel others here tell of another order, and nobody of the one that it names, have
/// their turn after these.
pub(super) fn put_off(drafts: Vec<Draft>) -> (Vec<Draft>, Vec<Draft>) {
    let of_carriers: Vec<_> = drafts.iter().map(named_by_carrier).collect();
    let others = drafts.iter().zip(&of_carriers).filter(|(_, named)| named.is_none());
    let mut told: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (draft, name) in others.flat_map(|(d, _)| d.reveals.iter().map(move |name| (d, name))) {
        told.entry(name).or_default().insert(draft.named());
    }
    let is_late = |(order, alias): &(&str, String)| {
        told.get(alias.as_str()).is_some_and(|tellers| !tellers.contains(order))
    };
    let late = of_carriers.iter().map(|named| named.as_ref().is_some_and(is_late));
    let mut late = late.collect::<Vec<bool>>().into_iter();
    drafts.into_iter().partition(|_| !late.next().unwrap_or(false))
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
    let Some(parcel) = draft.parcel_name().filter(|_| waited(&draft.order)) else { return draft };
    if std::mem::take(&mut draft.by_parcel) {
        draft.order = OrderRef::Alias(parcel.clone());
    }
    draft.reveal(parcel);
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::tracking_alias;
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
        let mut noted = draft("17track", "vip");
        assert_eq!(doubted(&noted, &mine), None, "who tells of a carrier's parcel may be a shop's");
        noted.noted = true;
        assert_eq!(doubted(&noted, &mine), Some(("vip", tracking_alias("GX1"))));
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
        let both = vec![ghost.clone(), packed("T-1"), packed("T-1-2"), packed("T-2")];
        assert_eq!(put_off(both).1, [], "two orders in one parcel");
        let mut by_name = packed("T-1");
        by_name.order = OrderRef::Alias("shopify:82".to_owned());
        assert_eq!(put_off(vec![ghost, by_name]).1.len(), 1);
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
