//! A viewer's frames, one in each line, after it was let in: whatever they are, each is answered, or ends
//! the conversation with a code; nothing is watched that the token does not open.

#![no_main]

use chrono::{DateTime, TimeDelta, Utc};
use libfuzzer_sys::fuzz_target;
use realtime_gateway::authenticator::Authenticator;
use realtime_gateway::denied::Denied;
use realtime_gateway::session::{Effect, Rules, Session};
use service_kit::api_key::ApiKeys;
use service_kit::auth::Auth;
use service_kit::token::{TokenKeys, generate_keys};
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

struct Ground {
    authenticator: Authenticator,
    token: String,
    now: DateTime<Utc>,
}

static GROUND: LazyLock<Ground> = LazyLock::new(|| {
    let tokens = TokenKeys::from_json(&generate_keys("f").expect("keys")).expect("keys");
    let auth = Arc::new(Auth { tokens, keys: ApiKeys::from_json("[]").expect("no keys") });
    let now = service_kit::clock::now();
    let scope = vec!["timeline".to_owned(), "inbox".to_owned()];
    let end = now + TimeDelta::hours(1);
    let token = auth.tokens.mint("C-1", vec!["A".to_owned()], scope, end).expect("a token");
    let authenticator = Authenticator::new(auth, Denied::default(), NonZeroUsize::MIN);
    Ground { authenticator, token, now }
});

fuzz_target!(|bytes: &[u8]| {
    let ground = &*GROUND;
    let rules = Rules { heartbeat_ms: 25_000, frames_per_second: 1_000_000 };
    let mut session =
        Session::new(ground.authenticator.clone(), "s".to_owned(), rules, ground.now);
    let _ = session.hello(&ground.token, ground.now);
    for line in bytes.split(|byte| *byte == b'\n') {
        let effects = session.frame(&String::from_utf8_lossy(line), ground.now);
        for effect in &effects {
            match effect {
                Effect::Send(op, frame) => {
                    let text = frame.text();
                    assert!(text.contains(op), "{op}: {text}");
                },
                Effect::Watch(channel) => {
                    assert!(["order:A", "inbox:C-1"].contains(&channel.to_string().as_str()));
                }
                Effect::Unwatch(_) => {}
                Effect::Close(_) => return,
            }
        }
    }
});
