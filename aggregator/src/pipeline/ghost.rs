//! Orders that nobody placed and that carriers name all the same: of a second parcel (`TM-1042-2`: a carrier wants
//! a reference of its own for each), or mistyped. The parcel's number knows better.

use crate::draft::{Draft, OrderRef, tracking_alias};
use crate::store::alias::Bearer;
use crate::store::order;
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
    let OrderRef::Order(order) = &draft.order else { return None };
    let of_carrier = draft.data.carrier.as_deref() == Some(draft.source.as_str());
    let alias = tracking_alias(draft.data.tracking_number.as_deref().filter(|_| of_carrier)?);
    let anothers = |bearer: &Bearer| bearer.placed && bearer.open && bearer.order != order.as_str();
    bearers.get(&alias)?.iter().any(anothers).then_some((order.as_str(), alias))
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
