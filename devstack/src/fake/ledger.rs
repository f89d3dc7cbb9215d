//! What the fakes accepted: effects, not attempts.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that a provider accepted and a person would have received.
#[derive(Debug, Clone, Serialize)]
pub struct Effect {
    /// `email`, `sms`, …
    pub channel: &'static str,
    /// `smtp`, …
    pub provider: &'static str,
    /// To whom.
    pub recipient: String,
    /// What makes a second acceptance the same effect (a letter's Message-ID).
    pub dedupe: String,
    /// First acceptance.
    pub at: DateTime<Utc>,
    /// How often it was accepted.
    pub accepts: u32,
    /// What was sent, read by the receiver's rules.
    pub message: Value,
}

/// The effects so far; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    effects: Arc<Mutex<Vec<Effect>>>,
}

impl Ledger {
    /// Notes an effect, or counts a known one on.
    pub fn accept(&self, effect: Effect) {
        let mut effects = self.lock();
        let known = effects.iter_mut().find(|e| {
            e.channel == effect.channel
                && e.dedupe == effect.dedupe
                && e.recipient == effect.recipient
        });
        match known {
            Some(known) => {
                known.accepts += 1;
                known.message["accepts"] = known.accepts.into();
            }
            None => effects.push(effect),
        }
    }

    /// The effects of a channel and recipient; all of them without.
    #[must_use]
    pub fn list(&self, channel: Option<&str>, recipient: Option<&str>) -> Vec<Effect> {
        let wanted = |e: &&Effect| {
            channel.is_none_or(|c| c == e.channel)
                && recipient.is_none_or(|r| r.eq_ignore_ascii_case(&e.recipient))
        };
        self.lock().iter().filter(wanted).cloned().collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Effect>> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
