//! Made-up lives with the spread of a small maker's: products, two workshops with busy weeks, one
//! pick-up a day, two carriers that are quick to some provinces and slow to others, doors that
//! open by day only, remakes and failed attempts.

use aggregator::draft::{Draft, OrderRef};
use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::event::{LineItem, OrderEvent};
use contract::id::OrderId;
use contract::milestone::Milestone;

/// The steps at which an order is estimated.
pub(super) const STEPS: [&str; 5] =
    ["placed", "confirmed", "on the machine", "made", "with the carrier"];

/// Article, hours that its making takes.
const PRODUCTS: [(&str, f64); 4] =
    [("MUG", 10.0), ("SHIRT", 14.0), ("CANVAS", 22.0), ("LAMP", 30.0)];
/// Province, days that a parcel takes.
const PROVINCES: [(&str, f64); 5] =
    [("Đà Nẵng", 1.0), ("Hà Nội", 1.6), ("Cần Thơ", 1.9), ("Hải Phòng", 2.1), ("Lâm Đồng", 2.6)];

/// An order with its six events.
pub(super) struct Life {
    pub(super) events: Vec<OrderEvent>,
    pub(super) delivered: DateTime<Utc>,
}

/// Lives that begin within a year.
pub(super) fn lives(count: usize, start: DateTime<Utc>) -> anyhow::Result<Vec<Life>> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count)
        .map(|number| {
            let at = start + TimeDelta::minutes(random.i64(0..365 * 24 * 60));
            Ok(life(&format!("Y-{number}").parse()?, at, &mut random))
        })
        .collect()
}

/// About this much: the logarithm is normal, so there are a few that take very long.
fn about(hours: f64, spread: f64, random: &mut fastrand::Rng) -> TimeDelta {
    // The sum of twelve dice is as good as normal.
    let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    let minutes = hours * 60.0 * (normal * spread).exp();
    #[expect(clippy::cast_possible_truncation, reason = "whole minutes, on purpose")]
    let minutes = minutes as i64;
    TimeDelta::minutes(minutes)
}

/// Weeks before the end of the year and before Tết are busy.
fn season(at: DateTime<Utc>) -> f64 {
    match at.month() {
        12 => 1.35,
        1 | 11 => 1.2,
        _ => 1.0,
    }
}

/// The workshop is open from 07:00 to 19:00: what begins at night begins in the morning.
fn opened(at: DateTime<Utc>, from: u32, to: u32) -> DateTime<Utc> {
    let local = at.with_timezone(&Ho_Chi_Minh).naive_local();
    let day = match local.hour() {
        hour if hour < from => local.date(),
        hour if hour >= to => local.date().succ_opt().unwrap_or(local.date()),
        _ => return at,
    };
    let morning = day.and_time(NaiveTime::from_hms_opt(from, 0, 0).unwrap_or_default());
    let morning = Ho_Chi_Minh.from_local_datetime(&morning).earliest();
    morning.map_or(at, |morning| morning.to_utc())
}

fn life(order: &OrderId, placed: DateTime<Utc>, random: &mut fastrand::Rng) -> Life {
    let (product, making) = PRODUCTS[random.usize(..PRODUCTS.len())];
    let (province, carrying) = PROVINCES[random.usize(..PROVINCES.len())];
    let slow = random.bool();
    let workshop = if slow { "printify" } else { "manufacturing" };
    let carrier = if random.bool() { "ghn" } else { "viettelpost" };
    let confirmed = opened(placed + about(1.0, 0.5, random), 7, 20);
    let started = opened(confirmed + about(4.0 * season(placed), 0.4, random), 7, 19);
    let remade = if random.u8(..10) == 0 { 1.6 } else { 1.0 };
    let making = making * season(placed) * if slow { 1.15 } else { 1.0 } * remade;
    let finished = started + about(making, 0.2, random);
    // One pick-up a day, at five in the afternoon.
    let handed = opened(finished, 17, 18);
    let days = carrying * if carrier == "ghn" { 1.0 } else { 1.2 };
    let failed = if random.u8(..20) == 0 { TimeDelta::days(1) } else { TimeDelta::zero() };
    let there = opened(handed + about(days * 24.0, 0.18, random) + failed, 8, 20);
    let steps = [
        ("shop", Milestone::OrderPlaced, placed),
        ("shop", Milestone::OrderConfirmed, confirmed),
        (workshop, Milestone::ProductionStarted, started),
        (workshop, Milestone::ProductionFinished, finished),
        (carrier, Milestone::ShipmentHandedOver, handed),
        (carrier, Milestone::ShipmentDelivered, there),
    ];
    let event = |(source, code, at): (&str, Milestone, DateTime<Utc>)| {
        let named = OrderRef::Order(order.clone());
        let mut draft = Draft::new(source, code.code().to_owned(), code, at, named);
        if code == Milestone::OrderPlaced {
            draft.data.items = vec![item(product)];
            draft.data.location = Some(province.to_owned());
            draft.data.country = Some("VN".to_owned());
        }
        if source == carrier {
            draft.parcel(carrier, Some(format!("P{order}")));
            draft.data.lines = vec!["1".to_owned()];
        }
        draft.into_event(order.clone())
    };
    Life { events: steps.into_iter().map(event).collect(), delivered: there }
}

fn item(product: &str) -> LineItem {
    LineItem {
        line: "1".to_owned(),
        sku: Some(product.to_owned()),
        title: None,
        quantity: 1,
        unit_price: None,
        discount: None,
    }
}
