//! Viewers' tokens: JWT signed with `EdDSA` (or HS256 in small set-ups), keys in a JWK set.
//!
//! The algorithm belongs to the key, never to the token: a token that names another algorithm
//! (`none` included) or an unknown key is refused.

mod key;

use crate::clock;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use chrono::{DateTime, TimeDelta, Utc};
use contract::name::Channel;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation};
use key::{Jwk, Key};
use serde::{Deserialize, Serialize};
use std::path::Path;
use uuid::Uuid;

/// Scope that opens timelines.
pub const SCOPE_TIMELINE: &str = "timeline";
/// Scope that opens the feed and the preferences.
pub const SCOPE_INBOX: &str = "inbox";

/// The longest life of a token that this system makes: that of a letter's link. What was taken away
/// is remembered longer.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(30);

/// Who holds a token, and what it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// The customer, or `guest:<random>`.
    pub sub: String,
    /// Orders that the token opens; nobody has to have heard of them.
    #[serde(default)]
    pub orders: Vec<String>,
    /// What may be seen of them.
    #[serde(default)]
    pub scope: Vec<String>,
    /// End, in Unix seconds.
    pub exp: i64,
    /// When it was made, in Unix seconds, if its maker says so.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Id of the token.
    #[serde(default)]
    pub jti: String,
}

impl Viewer {
    /// May this viewer watch the channel?
    #[must_use]
    pub fn may_watch(&self, channel: &Channel) -> bool {
        match channel {
            Channel::Order(id) => {
                self.has(SCOPE_TIMELINE) && self.orders.iter().any(|o| o == id.as_str())
            }
            Channel::Inbox(id) => self.has(SCOPE_INBOX) && self.sub == id.as_str(),
        }
    }

    /// Has the token this scope?
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.scope.iter().any(|s| s == scope)
    }

    /// When the token was made, in Unix milliseconds: our ids carry it (RFC 9562, version 7), others
    /// say it in `iat`.
    #[must_use]
    pub fn made_at(&self) -> Option<i64> {
        let id = Uuid::try_parse(&self.jti).ok().filter(|id| id.get_version_num() == 7);
        let milliseconds = id.map(|id| id.as_u64_pair().0 >> 16);
        milliseconds
            .and_then(|at| i64::try_from(at).ok())
            .or(self.iat.map(|at| at.saturating_mul(1000)))
    }

    /// What a token says, whoever made it: for what may only ever refuse.
    #[must_use]
    pub fn unverified(token: &str) -> Option<Self> {
        serde_json::from_slice(&B64.decode(token.split('.').nth(1)?).ok()?).ok()
    }

    /// When the token ends.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.exp, 0).unwrap_or_default()
    }
}

/// A whole number; anything else says nothing and is no reason to refuse the token.
fn whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    serde_json::Value::deserialize(from).map(|value| value.as_i64())
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Its time has not come.
    #[error("the token is of the future")]
    NotYet,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// No key of ours made it.
    #[error("the token was not signed by a known key")]
    UnknownKey,
    /// It names an algorithm that its key does not have.
    #[error("the token names another algorithm than its key has")]
    Algorithm,
    /// It is no token.
    #[error("this is no token")]
    Malformed,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
}

impl TokenError {
    /// Label for metrics and problem codes.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotYet => "token_not_yet",
            Self::Expired => "token_expired",
            Self::UnknownKey => "token_unknown_key",
            Self::Algorithm => "token_algorithm",
            Self::Malformed => "token_malformed",
            Self::Signature => "token_signature",
        }
    }
}

/// The keys that sign and verify tokens.
pub struct TokenKeys {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

impl TokenKeys {
    /// Reads a JWK set.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong with it, never a key.
    pub fn read(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
        Self::from_json(&text).map_err(|e| format!("{name}: {e}"))
    }

    /// Reads a JWK set from its text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let set: JwkSet = serde_json::from_str(text).map_err(|_| "is no JWK set".to_owned())?;
        let keys = set.keys.iter().map(Key::read).collect::<Result<Vec<_>, _>>()?;
        match keys.first() {
            None => Err("has no keys".to_owned()),
            Some(first) if first.encoding.is_none() => {
                Err("the first key has no private part".to_owned())
            }
            Some(_) => Ok(Self { keys }),
        }
    }

    /// Signs a token with the first key.
    ///
    /// # Errors
    /// When the key cannot sign, which reading it has excluded.
    pub fn sign(&self, viewer: &Viewer) -> Result<String, TokenError> {
        let key = self.keys.first().ok_or(TokenError::UnknownKey)?;
        let encoding = key.encoding.as_ref().ok_or(TokenError::UnknownKey)?;
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(key.algorithm) };
        jsonwebtoken::encode(&header, viewer, encoding).map_err(|_| TokenError::Malformed)
    }

    /// A new token that ends after `ttl_seconds`.
    ///
    /// # Errors
    /// As [`TokenKeys::sign`].
    pub fn mint(
        &self,
        subject: &str,
        orders: Vec<String>,
        scope: Vec<String>,
        exp: DateTime<Utc>,
    ) -> Result<String, TokenError> {
        let jti = Uuid::now_v7().to_string();
        let (sub, exp) = (subject.to_owned(), exp.timestamp());
        self.sign(&Viewer { sub, orders, scope, exp, iat: None, jti })
    }

    /// Reads and verifies a token.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, token: &str) -> Result<Viewer, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let kid = header.kid.as_deref().unwrap_or_default();
        let key = self.keys.iter().find(|k| k.kid == kid).ok_or(TokenError::UnknownKey)?;
        if header.alg != key.algorithm {
            return Err(TokenError::Algorithm);
        }
        let mut rules = Validation::new(key.algorithm);
        // The end is exact (below); only the beginning allows for clocks that differ.
        (rules.validate_exp, rules.validate_nbf) = (false, true);
        rules.leeway = AHEAD.unsigned_abs();
        rules.validate_aud = false;
        let decoded = jsonwebtoken::decode::<Viewer>(token, &key.decoding, &rules);
        let viewer = decoded.map(|data| data.claims).map_err(|error| match error.kind() {
            ErrorKind::ImmatureSignature => TokenError::NotYet,
            ErrorKind::InvalidSignature => TokenError::Signature,
            _ => TokenError::Malformed,
        })?;
        in_time(viewer, clock::now())
    }
}

/// Seconds that the clock of whoever made a token may be ahead of ours.
const AHEAD: i64 = 60;

/// A token that says it is made in the future would outlive what is taken away now: refused, like one
/// that is not to be used yet.
fn in_time(viewer: Viewer, now: DateTime<Utc>) -> Result<Viewer, TokenError> {
    let latest = (now.timestamp() + AHEAD).saturating_mul(1000);
    let made = [viewer.iat.map(|at| at.saturating_mul(1000)), viewer.made_at()];
    if viewer.expires_at() <= now {
        Err(TokenError::Expired)
    } else if made.into_iter().flatten().any(|at| at > latest) {
        Err(TokenError::NotYet)
    } else {
        Ok(viewer)
    }
}

/// A new JWK set with one Ed25519 key, for set-ups that have none yet.
///
/// # Errors
/// When the system gives no randomness.
pub fn generate_keys(kid: &str) -> Result<String, String> {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    let seed: [u8; 32] = aws_lc_rs::rand::generate(&aws_lc_rs::rand::SystemRandom::new())
        .map_err(|_| "no randomness".to_owned())?
        .expose();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|e| e.to_string())?;
    let (x, d) = (B64.encode(pair.public_key()), B64.encode(seed));
    let set = serde_json::json!({"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":kid,"x":x,"d":d}]});
    Ok(set.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use jsonwebtoken::Algorithm;

    const HS: &str =
        r#"{"keys":[{"kty":"oct","kid":"h","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]}"#;

    fn both() -> [TokenKeys; 2] {
        let ed = TokenKeys::from_json(&generate_keys("e").unwrap()).unwrap();
        [ed, TokenKeys::from_json(HS).unwrap()]
    }

    fn mint(keys: &TokenKeys, seconds: i64) -> String {
        let end = clock::now() + TimeDelta::seconds(seconds);
        keys.mint("C-77", vec!["TM-1".into()], vec!["timeline".into()], end).unwrap()
    }

    #[test]
    fn a_token_of_ours_is_read_back() {
        for keys in both() {
            let viewer = keys.verify(&mint(&keys, 60)).unwrap();
            assert_eq!(viewer.sub, "C-77");
            assert!(viewer.may_watch(&"order:TM-1".parse().unwrap()));
            assert!(!viewer.may_watch(&"order:TM-2".parse().unwrap()));
            assert!(
                !viewer.may_watch(&"inbox:C-77".parse().unwrap()),
                "scope inbox was not asked for"
            );
        }
    }

    #[test]
    fn expired_foreign_unsigned_and_renamed_tokens_are_refused_by_name() {
        let [ed, hs] = both();
        assert_eq!(ed.verify(&mint(&ed, -1)), Err(TokenError::Expired));
        assert_eq!(ed.verify(&mint(&hs, 60)), Err(TokenError::UnknownKey));
        let other = TokenKeys::from_json(&generate_keys("e").unwrap()).unwrap();
        assert_eq!(ed.verify(&mint(&other, 60)), Err(TokenError::Signature));
        assert_eq!(ed.verify("a.b"), Err(TokenError::Malformed));
        let token = mint(&ed, 60);
        let body: Vec<&str> = token.split('.').collect();
        for header in [r#"{"alg":"none","kid":"e"}"#, r#"{"alg":"HS256","kid":"e"}"#] {
            let forged = format!("{}.{}.", B64.encode(header), body[1]);
            assert!(ed.verify(&forged).is_err(), "{header}");
        }
        let unsigned = format!("{}.{}.", body[0], body[1]);
        assert_eq!(ed.verify(&unsigned), Err(TokenError::Signature));
    }

    #[test]
    fn a_token_of_the_future_is_refused_and_a_clock_that_is_a_little_ahead_is_not() {
        let keys = TokenKeys::from_json(HS).unwrap();
        let signing = keys.keys[0].encoding.as_ref().unwrap();
        let header = Header { kid: Some("h".to_owned()), ..Header::new(Algorithm::HS256) };
        let now = clock::now().timestamp();
        let verified = |claim: &str, at: i64| {
            let claims = serde_json::json!({"sub": "C-1", "exp": now + 7200, claim: at});
            keys.verify(&jsonwebtoken::encode(&header, &claims, signing).unwrap())
        };
        for claim in ["nbf", "iat"] {
            assert_eq!(verified(claim, now + 3600).unwrap_err(), TokenError::NotYet, "{claim}");
            assert!(verified(claim, now + 30).is_ok(), "{claim}");
            assert!(verified(claim, now - 30).is_ok(), "{claim}");
        }
    }
}
