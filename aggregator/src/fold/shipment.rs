//! Parcels as people see them: with their states.

use super::fact::Fact;
use super::parcel::{Parcel, Parcels};
use super::thread::Thread;
use contract::milestone::{Milestone, Scope};
use contract::timeline::Shipment;

/// The parcels with their states, by name.
pub(super) fn shipments(parcels: &Parcels, facts: &[Fact<'_>]) -> Vec<Shipment> {
    let states = parcels.by_name.iter().filter_map(|(name, parcel)| {
        let own = |fact: &&Fact<'_>| {
            fact.scope() == Scope::Shipment && fact.parcel.as_ref() == Some(name)
        };
        let status = Thread::fold(facts.iter().filter(own)).state?.code;
        Some(shipment(name, parcel, status, parcels.lines_of(parcel)))
    });
    states.collect()
}

fn shipment(name: &str, parcel: &Parcel, status: Milestone, items: Vec<String>) -> Shipment {
    let url = parcel.carrier.as_deref().zip(parcel.tracking_number.as_deref());
    Shipment {
        id: name.to_owned(),
        carrier: parcel.carrier.clone(),
        tracking_number: parcel.tracking_number.clone(),
        tracking_url: url.and_then(|(carrier, number)| tracking_url(carrier, number)),
        status,
        items,
    }
}

/// The carrier's own page, for carriers that we know and numbers that need no escaping.
fn tracking_url(carrier: &str, number: &str) -> Option<String> {
    let plain =
        number.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let base = match carrier {
        "ghn" => "https://donhang.ghn.vn/?order_code=",
        "ghtk" => "https://i.ghtk.vn/",
        "viettelpost" => {
            "https://viettelpost.com.vn/tra-cuu-hanh-trinh-don/?peopleTracking=sms&orderNumber="
        }
        _ => return None,
    };
    plain.then(|| format!("{base}{number}"))
}
