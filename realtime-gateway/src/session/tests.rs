//! The conversation's rules, without sockets.

use super::*;
use crate::denied::{Denied, Right};
use crate::state::State;
use proptest::prelude::*;
use service_kit::api_key::ApiKeys;
use service_kit::auth::Auth;
use service_kit::clock;
use service_kit::token::{TokenKeys, generate_keys};
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

fn auth() -> Arc<Auth> {
    let tokens = TokenKeys::from_json(&generate_keys("t").unwrap()).unwrap();
    Arc::new(Auth { tokens, keys: ApiKeys::from_json("[]").unwrap() })
}

fn token(auth: &Auth, sub: &str, orders: &[&str], seconds: i64) -> String {
    let orders = orders.iter().map(ToString::to_string).collect();
    let scope = vec!["timeline".to_owned(), "inbox".to_owned()];
    auth.tokens.mint(sub, orders, scope, clock::now() + TimeDelta::seconds(seconds)).unwrap()
}

fn session(auth: &Arc<Auth>) -> Session {
    session_under(auth, Denied::default())
}

fn session_under(auth: &Arc<Auth>, denied: Denied) -> Session {
    let rules = Rules { heartbeat_ms: 25_000, frames_per_second: 20 };
    let authenticator = Authenticator::new(auth.clone(), denied, NonZeroUsize::MIN);
    Session::new(authenticator, "s1".into(), rules, clock::now())
}

fn welcomed(orders: &[&str]) -> (Session, Arc<Auth>) {
    let auth = auth();
    let mut session = session(&auth);
    let effects = session.hello(&token(&auth, "C-1", orders, 900), clock::now());
    assert!(matches!(effects[0], Effect::Send("welcome", _)));
    (session, auth)
}

fn state(version: u64) -> State {
    let data = serde_json::value::to_raw_value(&serde_json::json!({"version": version})).unwrap();
    State::new("order:A", version, data)
}

fn text<'a>(effects: impl IntoIterator<Item = &'a Effect>) -> String {
    let frames = effects.into_iter().filter_map(|effect| match effect {
        Effect::Send(_, frame) => Some(frame.text().to_owned()),
        _ => None,
    });
    frames.collect::<Vec<_>>().join(" ")
}

fn closed(effects: &[Effect]) -> Option<u16> {
    effects.iter().find_map(|effect| match effect {
        Effect::Close(close) => Some(close.code()),
        _ => None,
    })
}

const SUBSCRIBE: &str = r#"{"op":"subscribe","id":1,"channel":"order:A"}"#;

#[test]
fn what_comes_while_the_snapshot_is_under_way_is_not_lost() {
    let (mut session, _) = welcomed(&["A"]);
    assert!(matches!(session.frame(SUBSCRIBE, clock::now())[0], Effect::Watch(_)));
    assert!(session.publication(&state(8)).is_none());
    assert!(session.publication(&state(7)).is_none());
    let frames = text(&session.snapshot("order:A", Some(state(6))));
    assert_eq!(
        frames,
        r#"{"op":"snapshot","id":1,"channel":"order:A","version":8,"data":{"version":8}}"#
    );
    assert!(session.publication(&state(8)).is_none());
    assert!(session.publication(&state(9)).is_some());
}

#[test]
fn a_viewer_that_has_the_newest_version_is_told_so() {
    let (mut session, _) = welcomed(&["A"]);
    let frame = r#"{"op":"subscribe","id":2,"channel":"order:A","since":6}"#;
    session.frame(frame, clock::now());
    assert_eq!(
        text(&session.snapshot("order:A", Some(state(6)))),
        r#"{"op":"same","id":2,"channel":"order:A","version":6}"#
    );
    assert_eq!(session.position(), "order:A@6");
}

#[test]
fn an_order_that_nobody_has_heard_of_stays_subscribed() {
    let (mut session, _) = welcomed(&["A"]);
    session.frame(SUBSCRIBE, clock::now());
    assert!(text(&session.snapshot("order:A", None)).contains(r#""version":0,"data":null"#));
    assert!(session.publication(&state(1)).is_some());
}

#[test]
fn what_the_token_does_not_open_is_refused_and_the_connection_stays() {
    let (mut session, _) = welcomed(&["A"]);
    for channel in ["order:B", "inbox:C-2", "nonsense"] {
        let frame = format!(r#"{{"op":"subscribe","id":3,"channel":"{channel}"}}"#);
        let effects = session.frame(&frame, clock::now());
        assert!(text(&effects).starts_with(r#"{"op":"error","id":3"#), "{channel}");
        assert_eq!(closed(&effects), None);
    }
    let frame = r#"{"op":"subscribe","id":4,"channel":"inbox:C-1"}"#;
    assert!(matches!(session.frame(frame, clock::now())[0], Effect::Watch(_)));
}

#[test]
fn broken_big_early_and_too_many_frames_end_with_their_codes() {
    let auth = auth();
    let now = clock::now();
    assert_eq!(closed(&session(&auth).frame("{", now)), Some(4400));
    assert_eq!(closed(&session(&auth).frame(r#"{"op":"shout"}"#, now)), Some(4400));
    assert_eq!(closed(&session(&auth).frame(&"x".repeat(5000), now)), Some(4413));
    assert_eq!(closed(&session(&auth).frame(SUBSCRIBE, now)), Some(4401));
    let expired = token(&auth, "C-1", &[], -5);
    assert_eq!(closed(&session(&auth).hello(&expired, now)), Some(4401));
    let (mut busy, _) = welcomed(&["A"]);
    let ends: Vec<_> =
        (0..25).filter_map(|_| closed(&busy.frame(r#"{"op":"ping"}"#, now))).collect();
    assert_eq!(ends.first(), Some(&4429));
}

#[test]
fn silence_at_the_door_ends_after_five_seconds() {
    let mut session = session(&auth());
    assert_eq!(closed(&session.tick(clock::now() + TimeDelta::seconds(4))), None);
    assert_eq!(closed(&session.tick(clock::now() + TimeDelta::seconds(6))), Some(4003));
}

#[test]
fn the_server_asks_for_a_newer_token_once_and_waits_25_seconds() {
    let (mut session, auth) = welcomed(&["A"]);
    let before = clock::now() + TimeDelta::seconds(875);
    assert_eq!(text(&session.tick(before)), r#"{"op":"refresh"}"#);
    assert!(session.tick(before).is_empty());
    assert_eq!(closed(&session.tick(clock::now() + TimeDelta::seconds(920))), None);
    let newer = token(&auth, "C-1", &["A"], 1800);
    let frame = format!(r#"{{"op":"refresh","id":9,"token":"{newer}"}}"#);
    assert!(text(&session.frame(&frame, clock::now())).contains("refreshed"));
    assert_eq!(closed(&session.tick(clock::now() + TimeDelta::seconds(930))), None);
    assert_eq!(closed(&session.tick(clock::now() + TimeDelta::seconds(1826))), Some(4401));
}

#[test]
fn a_newer_token_that_opens_less_ends_what_it_does_not_open() {
    let (mut session, auth) = welcomed(&["A"]);
    session.frame(SUBSCRIBE, clock::now());
    let less = token(&auth, "C-1", &[], 900);
    let effects =
        session.frame(&format!(r#"{{"op":"refresh","id":5,"token":"{less}"}}"#), clock::now());
    assert!(
        text(&effects).contains(r#""op":"unsubscribed","channel":"order:A","reason":"forbidden""#)
    );
    assert!(session.publication(&state(9)).is_none());
    let others = token(&auth, "C-2", &["A"], 900);
    let effects =
        session.frame(&format!(r#"{{"op":"refresh","id":6,"token":"{others}"}}"#), clock::now());
    assert!(text(&effects).contains("forbidden"));
}

#[test]
fn what_is_taken_away_is_left_at_the_next_second_and_not_entered_again() {
    let (auth, denied) = (auth(), Denied::default());
    let mut session = session_under(&auth, denied.clone());
    let token = token(&auth, "C-1", &["A", "B"], 900);
    session.hello(&token, clock::now());
    for channel in ["order:A", "order:B", "inbox:C-1"] {
        assert!(matches!(session.subscribe(Some(1), channel, None)[0], Effect::Watch(_)));
    }
    assert!(session.tick(clock::now()).is_empty());
    let now = || clock::now().timestamp_millis();
    denied.add(Right::Order("A".to_owned()), now());
    let effects = session.tick(clock::now());
    assert!(matches!(&effects[0], Effect::Unwatch(Channel::Order(order)) if order.as_str() == "A"));
    assert_eq!(text(&effects), r#"{"op":"unsubscribed","channel":"order:A","reason":"revoked"}"#);
    assert!(text(&session.frame(SUBSCRIBE, clock::now())).contains(r#""code":"revoked""#));
    assert!(session.tick(clock::now()).is_empty(), "told once");
    denied.add(Right::Subject("C-1".to_owned()), now());
    assert_eq!(closed(&session.tick(clock::now())), Some(4403));
    assert_eq!(closed(&session_under(&auth, denied).hello(&token, clock::now())), Some(4403));
}

/// A frame of the protocol, as it is or with a part of it put out of place.
fn frames() -> impl Strategy<Value = String> {
    let good = prop::sample::select(vec![
        r#"{"op":"subscribe","id":1,"channel":"order:A","since":6}"#,
        r#"{"op":"subscribe","id":2,"channel":"inbox:C-2"}"#,
        r#"{"op":"unsubscribe","id":3,"channel":"order:A"}"#,
        r#"{"op":"refresh","id":4,"token":"a.b.c"}"#,
        r#"{"op":"ping"}"#,
    ]);
    let broken =
        (good.clone(), any::<prop::sample::Index>(), ".{0,8}").prop_map(|(text, at, other)| {
            let (before, after) = text.split_at(at.index(text.len()));
            format!("{before}{other}{}", after.get(1..).unwrap_or_default())
        });
    prop_oneof![good.prop_map(str::to_owned), broken, ".{0,64}"]
}

proptest! {
    #[test]
    fn whatever_is_said_is_answered_or_ends_it_and_opens_nothing_else(
        said in prop::collection::vec(frames(), 1..20)
    ) {
        static GROUND: LazyLock<(Arc<Auth>, String)> = LazyLock::new(|| {
            let auth = auth();
            let token = token(&auth, "C-1", &["A"], 900);
            (auth, token)
        });
        let mut session = session(&GROUND.0);
        session.hello(&GROUND.1, clock::now());
        for frame in said {
            let effects = session.frame(&frame, clock::now());
            prop_assert!(!effects.is_empty(), "{frame} is not answered");
            for effect in &effects {
                match effect {
                    Effect::Watch(channel) => prop_assert_eq!(channel.to_string(), "order:A"),
                    Effect::Send(_, frame) => {
                        prop_assert!(serde_json::from_str::<serde_json::Value>(frame.text()).is_ok());
                    }
                    Effect::Unwatch(_) | Effect::Close(_) => {}
                }
            }
            if closed(&effects).is_some() {
                break;
            }
        }
    }
}
