//! A line against a naive reference: whatever comes in whatever order, a viewer sees each channel
//! grow, sees nothing that it may not, and ends with the newest version.

mod step;

use super::*;
use crate::authenticator::Authenticator;
use crate::denied::{Denied, Right};
use crate::session::{EXPIRY_GRACE, Rules};
use crate::state::State;
use chrono::TimeDelta;
use contract::name::Shard;
use futures_util::FutureExt;
use proptest::prelude::*;
use serde_json::{Value, json};
use service_kit::api_key::ApiKeys;
use service_kit::auth::Auth;
use service_kit::clock;
use service_kit::token::{TokenKeys, Viewer as Holder};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;
use step::{End, ORDERS, Since, Step, step};

/// HS256: signing is not what is tried here.
const KEYS: &str =
    r#"{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}]}"#;

/// The world around a line, and what a viewer makes of its frames.
struct World {
    auth: Arc<Auth>,
    denied: Denied,
    hub: Hub,
    line: Line,
    /// Seconds: each token and each revocation has one of its own.
    now: i64,
    newest: [u64; ORDERS.len()],
    /// Snapshots under way: the order, and its version when it was entered.
    under_way: VecDeque<(usize, u64)>,
    /// By the frames: what is watched, and the version there; none before the snapshot.
    seen: BTreeMap<usize, Option<u64>>,
    opened: BTreeSet<usize>,
    revoked: BTreeSet<usize>,
    /// The line has ended: whatever happens, nothing comes of it any more.
    over: bool,
}

impl World {
    fn new() -> Self {
        let tokens = TokenKeys::from_json(KEYS).unwrap();
        let auth = Arc::new(Auth { tokens, keys: ApiKeys::from_json("[]").unwrap() });
        let (denied, hub) = (Denied::default(), Hub::default());
        let rules = Rules { heartbeat_ms: 25_000, frames_per_second: 1_000_000 };
        let authenticator = Authenticator::new(auth.clone(), denied.clone(), NonZeroUsize::MIN);
        let session = Session::new(authenticator, "s".into(), rules, clock::now());
        let line = Line::new(session, hub.clone());
        let mut world = Self {
            auth,
            denied,
            hub,
            line,
            now: 1,
            newest: [0; ORDERS.len()],
            under_way: VecDeque::new(),
            seen: BTreeMap::new(),
            opened: (0..ORDERS.len()).collect(),
            revoked: BTreeSet::new(),
            over: false,
        };
        let token = world.token([true; ORDERS.len()]);
        world.say(&json!({"op": "hello", "token": token}));
        world
    }

    fn token(&mut self, opens: [bool; ORDERS.len()]) -> String {
        self.now += 1;
        let orders = ORDERS.iter().zip(opens).filter(|(_, open)| *open);
        let holder = Holder {
            sub: "C".into(),
            orders: orders.map(|(order, _)| (*order).to_owned()).collect(),
            scope: vec!["timeline".into()],
            exp: clock::now().timestamp() + 3600,
            iat: Some(self.now),
            jti: String::new(),
        };
        self.auth.tokens.sign(&holder).unwrap()
    }

    /// What the viewer says; gives the number of channels that it enters by that.
    fn say(&mut self, frame: &Value) -> usize {
        let effects = self.line.session.frame(&frame.to_string(), clock::now());
        let outcome = self.line.apply(effects);
        let entered = outcome.entered.len();
        self.read(outcome);
        entered
    }

    fn step(&mut self, step: &Step) {
        if self.over {
            return;
        }
        match *step {
            Step::End(end, ticks) => self.end(end, ticks),
            Step::Subscribe(order, since) => self.subscribe(order, since),
            Step::Unsubscribe(order) => {
                self.say(&json!({"op": "unsubscribe", "id": 1, "channel": channel(order)}));
            }
            Step::Publish(order, there) => {
                self.newest[order] += 1;
                if there {
                    self.repair(order);
                }
            }
            Step::Repair(order) => self.repair(order),
            Step::Snapshot(old) => self.snapshot(old),
            Step::Take => drop(self.take()),
            Step::Tick => self.tick(),
            Step::Refresh(opens) => self.refresh(opens),
            Step::Revoke(order) => {
                self.now += 1;
                self.revoked.insert(order);
                self.denied.add(Right::Order(ORDERS[order].to_owned()), self.now * 1000);
                self.hub.look();
            }
        }
    }

    /// Nothing is said but the end, whatever waits.
    fn end(&mut self, end: End, ticks: bool) {
        let mut at = clock::now();
        let wanted = match end {
            End::Sent => {
                self.line.viewer().end(Close::Overload);
                Close::Overload
            }
            End::ShutOut => {
                self.now += 1;
                self.denied.add(Right::Subject("C".to_owned()), self.now * 1000);
                self.line.viewer().look();
                Close::Revoked
            }
            End::Over => {
                self.line.viewer().look();
                at += TimeDelta::seconds(3600) + EXPIRY_GRACE;
                Close::BadToken
            }
        };
        let by_clock = ticks && !matches!(end, End::Sent);
        let outcome = if by_clock {
            self.line.tick(at)
        } else {
            let delivery = self.line.next().now_or_never().expect("it was told to look");
            self.line.deliver(&delivery, at)
        };
        assert_eq!(outcome.close, Some(wanted), "{end:?}");
        // Leaving what was taken away before is all that may be said.
        assert!(outcome.frames.iter().all(|(op, _)| *op == "unsubscribed"), "{:?}", outcome.frames);
        self.over = true;
    }

    /// Whoever is gone is watched for nowhere.
    fn leave(self) {
        let hub = self.hub.clone();
        drop(self.line);
        assert!(Shard::all().all(|shard| hub.watched(shard).is_empty()), "somebody is left behind");
        assert!(hub.everybody().is_empty());
    }

    fn subscribe(&mut self, order: usize, since: Since) {
        let newest = self.newest[order];
        let since = match since {
            Since::Nothing => None,
            Since::Newest => Some(newest),
            Since::Older => Some(newest.saturating_sub(1)),
        };
        let may = self.opened.contains(&order) && !self.revoked.contains(&order);
        let enters = may && !self.seen.contains_key(&order);
        if enters {
            self.seen.insert(order, None);
            self.under_way.push_back((order, newest));
        }
        let frame = json!({"op": "subscribe", "id": 1, "channel": channel(order), "since": since});
        assert_eq!(self.say(&frame), usize::from(enters), "{frame}");
    }

    /// The version lies between that at the entrance and the newest.
    fn snapshot(&mut self, old: u64) {
        let Some((order, entered)) = self.under_way.front().copied() else { return };
        let version = self.newest[order].saturating_sub(old).max(entered);
        let state = (version > 0).then(|| state(order, version));
        let viewer = self.line.viewer().clone();
        viewer.snapshot(channel(order), state);
        self.under_way.pop_front();
    }

    fn repair(&self, order: usize) {
        if self.newest[order] > 0 {
            self.hub.publish(&state(order, self.newest[order]));
        }
    }

    fn take(&mut self) -> Option<()> {
        let delivery = self.line.next().now_or_never()?;
        let outcome = self.line.deliver(&delivery, clock::now());
        self.read(outcome);
        Some(())
    }

    fn tick(&mut self) {
        let outcome = self.line.tick(clock::now());
        self.read(outcome);
        assert!(self.seen.keys().all(|order| !self.revoked.contains(order)), "still there");
    }

    /// A newer token has again what was taken away from older ones; what the line has not left by
    /// then, it need not leave any more.
    fn refresh(&mut self, opens: [bool; ORDERS.len()]) {
        let token = self.token(opens);
        self.opened = (0..ORDERS.len()).filter(|order| opens[*order]).collect();
        self.revoked.clear();
        self.say(&json!({"op": "refresh", "id": 2, "token": token}));
        assert!(self.seen.keys().all(|order| self.opened.contains(order)), "opened no more");
    }

    fn read(&mut self, outcome: Outcome) {
        assert_eq!(outcome.close, None);
        for (op, frame) in outcome.frames {
            let frame: Value = serde_json::from_str(frame.text()).unwrap();
            let of = |order: &usize| frame["channel"] == channel(*order);
            if let Some(order) = (0..ORDERS.len()).find(of) {
                self.read_channel(order, op, &frame);
            }
        }
    }

    fn read_channel(&mut self, order: usize, op: &str, frame: &Value) {
        let (known, version) = (self.seen.get(&order).copied(), frame["version"].as_u64());
        match op {
            "snapshot" | "same" => assert_eq!(known, Some(None), "nobody waits for it: {frame}"),
            "update" => assert!(known.flatten().is_some_and(|k| Some(k) < version), "{frame}"),
            "unsubscribed" => assert!(self.seen.remove(&order).is_some(), "{frame}"),
            _ => panic!("{frame}"),
        }
        if op != "unsubscribed" {
            self.seen.insert(order, version);
        }
    }

    /// Everything that is under way arrives, what was lost is repaired, the socket takes all.
    fn settle(&mut self) {
        if self.over {
            return;
        }
        while !self.under_way.is_empty() {
            self.snapshot(9);
            while self.take().is_some() {}
        }
        (0..ORDERS.len()).for_each(|order| self.repair(order));
        while self.take().is_some() {}
        self.tick();
        for (order, version) in &self.seen {
            assert_eq!(*version, Some(self.newest[*order]), "{}", ORDERS[*order]);
        }
    }
}

fn channel(order: usize) -> String {
    format!("order:{}", ORDERS[order])
}

fn state(order: usize, version: u64) -> State {
    State::new(&channel(order), version, serde_json::value::to_raw_value(&version).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn whatever_comes_a_viewer_sees_its_channels_grow_up_to_the_newest(
        steps in prop::collection::vec(step(), 1..80)
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.settle();
        world.leave();
    }
}
