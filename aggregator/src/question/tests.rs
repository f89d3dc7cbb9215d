use super::*;
use crate::draft::{Draft, OrderRef};
use crate::fold::fold;
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::Confidence;
use contract::id::OrderId;
use contract::timeline::Timeline;

fn start() -> DateTime<Utc> {
    "2026-11-20T02:00:00Z".parse().unwrap()
}

fn state(source: &str, steps: &[(&str, Confidence)]) -> Timeline {
    let order: OrderId = "T-1".parse().unwrap();
    let event = |(number, (code, sure)): (usize, &(&str, Confidence))| {
        let at = start() + TimeDelta::hours(i64::try_from(number).unwrap());
        let named = OrderRef::Order(order.clone());
        let mut draft = Draft::new(source, number.to_string(), code.parse().unwrap(), at, named);
        if code.starts_with("shipment.") {
            draft.parcel(source, Some("G1".to_owned()));
        }
        draft.data.confidence = *sure;
        draft.into_event(order.clone())
    };
    let events: Vec<_> = steps.iter().enumerate().map(event).collect();
    fold(&order, &events).unwrap()
}

fn polls(url: &str, about: About) -> Question {
    let stages = [("shipment.out_for_delivery".to_owned(), TimeDelta::minutes(20))].into();
    Question {
        source: "lotus".to_owned(),
        template: Template { url: url.to_owned(), body: None, header: None },
        about,
        occasion: Occasion::Polls { stages, every: Some(TimeDelta::hours(6)) },
        per_second: 5,
    }
}

fn bases() -> Bases {
    Bases { ghn: "https://ghn.example".to_owned(), printful: "https://printful.example".to_owned() }
}

const SURE: Confidence = Confidence::Confirmed;

#[test]
fn a_parcel_is_asked_about_as_often_as_its_stage_wants_until_it_is_there() {
    let question = [polls("https://x.example/{tracking}", About::Parcel("lotus".to_owned()))];
    let asked = |steps: &[(&str, Confidence)]| {
        let wants = wants(&state("lotus", steps), &question);
        wants.first().map(|want| (want.subject.clone(), want.interval))
    };
    let mut steps = vec![("order.placed", SURE), ("shipment.handed_over", SURE)];
    assert_eq!(asked(&steps), Some(("G1".to_owned(), TimeDelta::hours(6))));
    steps.push(("shipment.out_for_delivery", SURE));
    assert_eq!(asked(&steps), Some(("G1".to_owned(), TimeDelta::minutes(20))));
    steps.push(("shipment.delivered", SURE));
    assert_eq!(asked(&steps), None);
}

#[test]
fn another_carriers_parcel_is_not_asked_about() {
    let question = [polls("https://x.example/{tracking}", About::Parcel("lotus".to_owned()))];
    assert_eq!(wants(&state("ghn", &[("shipment.handed_over", SURE)]), &question), []);
}

#[test]
fn an_order_is_asked_about_by_its_number() {
    let question = [polls("https://x.example/{order}", About::Order)];
    let wants = wants(&state("shop", &[("order.placed", SURE)]), &question);
    assert_eq!(wants[0].subject, "T-1");
}

#[test]
fn a_reported_delivery_is_asked_about_until_it_is_confirmed() {
    let questions = built_in(&bases());
    let reported = [
        ("shipment.handed_over", Confidence::Reported),
        ("shipment.delivered", Confidence::Reported),
    ];
    let asked = wants(&state("ghn", &reported), &questions);
    assert_eq!(
        (asked[0].source.as_str(), asked[0].subject.as_str(), asked.len()),
        ("ghn", "G1", 1)
    );
    let confirmed = [("shipment.delivered", SURE)];
    assert_eq!(wants(&state("ghn", &confirmed), &questions), []);
}

#[test]
fn calls_are_filled_in_as_the_vendors_document_them() {
    let questions = built_in(&bases());
    let ghn = questions[0].template.call("L7X").unwrap();
    assert_eq!(ghn.url, "https://ghn.example/shiip/public-api/v2/shipping-order/detail");
    assert_eq!(ghn.body.unwrap(), r#"{"order_code":"L7X"}"#);
    assert_eq!(
        questions[1].template.call("T-1").unwrap().url,
        "https://printful.example/orders/@T-1"
    );
}

#[test]
fn a_number_that_would_leave_its_place_is_not_asked_about() {
    let template =
        Template { url: "https://x.example/p/{tracking}".into(), body: None, header: None };
    for bad in ["a/b", "..", "a?b", "a\"b", "a b", "é", &"x".repeat(65)] {
        assert_eq!(template.call(bad), None, "{bad}");
    }
}

#[test]
fn an_address_that_a_carrier_could_steer_is_refused() {
    for (url, ok) in [
        ("https://x.example/p/{tracking}", true),
        ("http://127.0.0.1:8088/p?number={order}", true),
        ("http://x.example/p/{tracking}", false),
        ("https://{tracking}.example/p", false),
        ("https://user@x.example/{tracking}", false),
        ("https://x.example/p", false),
        ("https://x.example/{order}/{tracking}", false),
        ("x.example/{order}", false),
        ("https://x.example", false),
        ("http://[::1]/{order}", true),
    ] {
        let template = Template { url: url.to_owned(), body: None, header: None };
        assert_eq!(template.check().is_ok(), ok, "{url}");
    }
    // The number may stand in the body alone.
    let (url, body) = ("https://x.example/p".to_owned(), Some("{\"n\":\"{tracking}\"}".to_owned()));
    assert_eq!(Template { url, body, header: None }.check(), Ok(()));
}

#[test]
fn waits_grow_without_news_spread_and_end_at_a_day() {
    let wait = |misses, dice| next(start(), TimeDelta::hours(2), misses, dice) - start();
    assert_eq!(wait(0, 0.5), TimeDelta::hours(2));
    assert_eq!(wait(1, 0.5), TimeDelta::hours(3));
    assert_eq!(wait(0, 0.0), TimeDelta::minutes(108));
    assert_eq!(wait(30, 0.5), TimeDelta::days(1));
}
