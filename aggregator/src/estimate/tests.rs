use super::*;
use crate::draft::{Draft, OrderRef};
use crate::fold::fold;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use contract::event::{EtaRange, LineItem, OrderEvent};
use contract::id::OrderId;
use contract::timeline::Timeline;

const ZONE: Tz = Tz::Asia__Ho_Chi_Minh;

fn start() -> DateTime<Utc> {
    "2026-11-02T02:00:00Z".parse().unwrap()
}

/// An order of one mug whose steps were reached after so many hours each.
fn history(steps: &[(&str, i64)]) -> Vec<OrderEvent> {
    let order: OrderId = "T-1".parse().unwrap();
    let event = |(number, (code, hour)): (usize, &(&str, i64))| {
        let at = start() + TimeDelta::hours(*hour);
        let named = OrderRef::Order(order.clone());
        let mut draft = Draft::new("t", number.to_string(), code.parse().unwrap(), at, named);
        if *code == "order.placed" {
            draft.data.location = Some("Đà Nẵng".to_owned());
            draft.data.country = Some("VN".to_owned());
            let item = r#"{"line":"1","sku":"MUG","quantity":1}"#;
            draft.data.items = vec![serde_json::from_str::<LineItem>(item).unwrap()];
        }
        if code.starts_with("shipment.") {
            draft.parcel("ghn", Some("G1".to_owned()));
            draft.data.lines = vec!["1".to_owned()];
        }
        draft.into_event(order.clone())
    };
    steps.iter().enumerate().map(event).collect()
}

fn state(steps: &[(&str, i64)]) -> (Timeline, Traits) {
    let history = history(steps);
    (fold(&"T-1".parse().unwrap(), &history).unwrap(), Traits::of(&history))
}

/// What an order teaches.
fn taught_by(history: &[OrderEvent]) -> Vec<Lesson> {
    let timeline = fold(&"T-1".parse().unwrap(), history).unwrap();
    lessons(&timeline, history, &Traits::of(history))
}

/// A whole life: confirmed after 1 h, on the machine after 10, made after `made`, with the
/// carrier 5 h later, there after `carried` more.
fn life(made: i64, carried: i64) -> Vec<(&'static str, i64)> {
    vec![
        ("order.placed", 0),
        ("order.confirmed", 1),
        ("production.started", 10),
        ("production.finished", 10 + made),
        ("shipment.handed_over", 15 + made),
        ("shipment.delivered", 15 + made + carried),
    ]
}

/// What forty finished orders teach: made in 20 to 29 hours, carried in 40 to 59.
fn book() -> Book {
    let mut book = Book::default();
    for number in 0..40 {
        let steps = life(20 + number % 10, 40 + number / 2);
        for lesson in taught_by(&history(&steps)) {
            book.learn(&lesson.group, lesson.seconds);
        }
    }
    book
}

fn expected(steps: &[(&str, i64)], hours: i64, floor: usize) -> Option<EtaRange> {
    let (timeline, traits) = state(steps);
    let now = start() + TimeDelta::hours(hours);
    forecast(Forecast { timeline: &timeline, traits: &traits, zone: ZONE, now, floor }, &book())
}

#[test]
fn a_finished_order_teaches_each_stage_to_every_group_that_it_is_of() {
    let taught = taught_by(&history(&life(24, 48)));
    let of = |group: &str| taught.iter().find(|l| l.group == group).map(|l| l.seconds / 3600);
    assert_eq!(of("confirm"), Some(1));
    assert_eq!(of("prepare/product=MUG"), Some(9));
    assert_eq!(of("make/product=MUG/workshop=t"), Some(24));
    assert_eq!(of("dispatch/carrier=ghn"), Some(5));
    assert_eq!(of("carry/country=VN/province=Đà Nẵng/carrier=ghn"), Some(48));
    assert_eq!(of("quiet/production.started/who=t"), Some(24));
}

#[test]
fn an_order_under_way_teaches_nothing() {
    assert_eq!(taught_by(&history(&life(24, 48)[..5])), []);
    let mut brought_in = history(&life(24, 48));
    brought_in[0].data.imported = true;
    assert_eq!(taught_by(&brought_in), []);
}

#[test]
fn a_range_of_whole_days_is_expected_from_what_is_left() {
    let range = expected(&life(24, 48)[..2], 1, 30).unwrap();
    // 1 h + 9 h + 20 to 29 h + 5 h + 40 to 59 h after 09:00 of the 2nd: the 5th or the 6th.
    assert_eq!(range.earliest, "2026-11-05T01:00:00Z".parse::<DateTime<Utc>>().unwrap());
    assert_eq!(range.latest, "2026-11-06T16:59:59Z".parse::<DateTime<Utc>>().unwrap());
}

#[test]
fn what_has_passed_narrows_the_range_and_what_drags_on_moves_it() {
    // Handed over on the 3rd at 24:00 in Viet Nam; 40 to 59 hours lead to the 5th and the 6th.
    let carried = &life(24, 48)[..5];
    let soon = expected(carried, 39, 30).unwrap();
    let late = expected(carried, 39 + 55, 30).unwrap();
    let never = expected(carried, 39 + 100, 30).unwrap();
    assert!(late.earliest > soon.earliest, "{soon:?} {late:?}");
    // Nobody ever took 100 hours: half as long again.
    assert!(never.latest > start() + TimeDelta::hours(39 + 149), "{never:?}");
}

#[test]
fn too_few_orders_say_nothing_and_no_parcel_is_like_one_abroad() {
    let steps = &life(24, 48)[..2];
    assert_eq!(expected(steps, 1, 41), None);
    let (timeline, mut traits) = state(steps);
    traits.country = Some("US".to_owned());
    let now = start();
    let asked = Forecast { timeline: &timeline, traits: &traits, zone: ZONE, now, floor: 30 };
    assert_eq!(forecast(asked, &book()), None);
}

#[test]
fn a_wider_group_answers_for_a_new_product() {
    let (mut timeline, traits) = state(&life(24, 48)[..2]);
    timeline.items[0].sku = Some("CANVAS".to_owned());
    let asked =
        Forecast { timeline: &timeline, traits: &traits, zone: ZONE, now: start(), floor: 30 };
    assert!(forecast(asked, &book()).is_some());
}

#[test]
fn an_order_is_estimated_at_each_step_until_somebody_knows() {
    let (confirmed, _) = state(&life(24, 48)[..2]);
    assert_eq!(due_at(&confirmed), Some(start() + TimeDelta::hours(1)));
    let (placed, _) = state(&life(24, 48)[..1]);
    assert_eq!(due_at(&placed), None);
    let (over, _) = state(&life(24, 48));
    assert_eq!(due_at(&over), None);
    let mut history = history(&life(24, 48)[..5]);
    history[4].data.eta = Some(EtaRange { earliest: start(), latest: start() });
    let told = fold(&"T-1".parse().unwrap(), &history).unwrap();
    assert_eq!(due_at(&told), Some(start()), "what was told counts until it is over");
}

#[test]
fn the_newest_durations_are_kept() {
    let mut samples = Samples::default();
    for seconds in 0..i32::try_from(MOST_SAMPLES).unwrap() + 50 {
        samples.learn(seconds);
    }
    assert_eq!(samples.count(), MOST_SAMPLES);
    assert_eq!(samples.quantile(1), Some(TimeDelta::seconds(50)));
    assert_eq!(samples.quantile(950), Some(TimeDelta::seconds(50 + 284)));
}

#[test]
fn a_score_tells_right_from_late_and_early() {
    let mut score = Score::default();
    let range = EtaRange { earliest: start(), latest: start() + TimeDelta::days(2) };
    for hours in [-1, 1, 47, 49] {
        score.note(range, start() + TimeDelta::hours(hours));
    }
    assert_eq!((score.count(), score.inside(), score.late()), (4, 50.0, 25.0));
    assert!((score.median_width() - 2.0).abs() < 1e-9);
}
