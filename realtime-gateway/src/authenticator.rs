//! Who holds a token, for every door alike: verified, not over, not taken away.
//!
//! A token that was verified a moment ago is known by its hash: when viewers come back to this
//! gateway, each with the token that it had, no signature is checked again.

use crate::denied::Denied;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use lru::LruCache;
use service_kit::auth::Auth;
use service_kit::problem::Problem;
use service_kit::token::{TokenError, Viewer};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is none of ours, or it is over.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It was taken away.
    #[error("the token was taken away")]
    Revoked,
    /// What was taken away has not been read yet.
    #[error("it is not known yet what was taken away")]
    Unknown,
}

impl Refused {
    /// Label for metrics and problem codes.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Token(error) => error.label(),
            Self::Revoked => "token_revoked",
            Self::Unknown => "revocations_unknown",
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::unavailable("This gateway is still starting."),
            other => Self::unauthorized(other.label()),
        }
    }
}

/// Verified tokens, by their SHA-256.
type Verified = LruCache<[u8; 32], Viewer>;

/// Verifies tokens; cheap to clone.
#[derive(Clone)]
pub struct Authenticator {
    auth: Arc<Auth>,
    /// What was taken away.
    pub denied: Denied,
    verified: Arc<Mutex<Verified>>,
}

impl Authenticator {
    /// One that remembers nothing yet, and so many tokens at most (some 500 bytes each).
    #[must_use]
    pub fn new(auth: Arc<Auth>, denied: Denied, most: NonZeroUsize) -> Self {
        Self { auth, denied, verified: Arc::new(Mutex::new(LruCache::new(most))) }
    }

    /// Who holds the token.
    ///
    /// # Errors
    /// Why it opens nothing.
    pub fn viewer(&self, token: &str, now: DateTime<Utc>) -> Result<Viewer, Refused> {
        let viewer = self.verify(token)?;
        if self.denied.is_unread() {
            return Err(Refused::Unknown);
        }
        // One that is remembered may be over by now.
        if viewer.expires_at() <= now {
            return Err(TokenError::Expired.into());
        }
        if self.denied.token(&viewer) { Err(Refused::Revoked) } else { Ok(viewer) }
    }

    fn verify(&self, token: &str) -> Result<Viewer, TokenError> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let verified = || self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(viewer) = verified().get(&hash) {
            return Ok(viewer.clone());
        }
        let viewer = self.auth.tokens.verify(token)?;
        verified().put(hash, viewer.clone());
        Ok(viewer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denied::Right;
    use chrono::TimeDelta;
    use service_kit::api_key::ApiKeys;
    use service_kit::clock;
    use service_kit::token::{TokenKeys, generate_keys};

    #[test]
    fn a_token_that_is_remembered_still_ends_and_is_still_taken_away() {
        let tokens = TokenKeys::from_json(&generate_keys("t").unwrap()).unwrap();
        let auth = Arc::new(Auth { tokens, keys: ApiKeys::from_json("[]").unwrap() });
        let authenticator = Authenticator::new(
            auth.clone(),
            Denied::default(),
            NonZeroUsize::MIN.saturating_add(9),
        );
        let (now, end) = (clock::now(), clock::now() + TimeDelta::seconds(60));
        let token = auth.tokens.mint("C-1", Vec::new(), Vec::new(), end).unwrap();
        let forged = format!("{token}x");
        for _ in 0..2 {
            assert_eq!(authenticator.viewer(&token, now).unwrap().sub, "C-1");
            assert!(authenticator.viewer(&forged, now).is_err());
        }
        assert_eq!(authenticator.verified.lock().unwrap().len(), 1, "what is refused is no memory");
        let later = now + TimeDelta::seconds(61);
        assert_eq!(authenticator.viewer(&token, later).unwrap_err().label(), "token_expired");
        authenticator.denied.add(Right::Subject("C-1".to_owned()), end.timestamp_millis());
        assert_eq!(authenticator.viewer(&token, now).unwrap_err(), Refused::Revoked);
    }

    #[test]
    fn nobody_is_let_in_before_it_is_known_who_is_shut_out() {
        let tokens = TokenKeys::from_json(&generate_keys("t").unwrap()).unwrap();
        let auth = Arc::new(Auth { tokens, keys: ApiKeys::from_json("[]").unwrap() });
        let end = clock::now() + TimeDelta::seconds(60);
        let token = auth.tokens.mint("C-1", Vec::new(), Vec::new(), end).unwrap();
        let authenticator = Authenticator::new(auth, Denied::unread(), NonZeroUsize::MIN);
        assert_eq!(authenticator.viewer(&token, clock::now()).unwrap_err(), Refused::Unknown);
        authenticator.denied.was_read();
        assert!(authenticator.viewer(&token, clock::now()).is_ok());
    }
}
