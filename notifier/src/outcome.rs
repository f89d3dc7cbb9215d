//! What can come of an attempt: one taxonomy for all channels.

use std::time::Duration;

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider has it.
    Accepted,
    /// Not now; later it may work.
    Retry {
        /// When the provider asks to come back, if it does.
        after: Option<Duration>,
        /// Short code, for the log.
        detail: String,
    },
    /// The recipient cannot be reached on this channel.
    RecipientDead(String),
    /// The provider will never take this message: our mistake.
    Rejected(String),
    /// The provider, or our account there, is down.
    ProviderDown(String),
    /// Nobody knows whether it was taken; the same message again is harmless.
    Ambiguous(String),
}

impl Outcome {
    /// Label for metrics and the log of attempts.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Retry { .. } => "retry",
            Self::RecipientDead(_) => "recipient_dead",
            Self::Rejected(_) => "rejected",
            Self::ProviderDown(_) => "provider_down",
            Self::Ambiguous(_) => "ambiguous",
        }
    }

    /// The provider's words, shortened; never an address.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Accepted => "",
            Self::Retry { detail, .. }
            | Self::RecipientDead(detail)
            | Self::Rejected(detail)
            | Self::ProviderDown(detail)
            | Self::Ambiguous(detail) => detail,
        }
    }
}

/// What follows from an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is over: state and reason.
    Done(&'static str, &'static str),
    /// Try again after a while.
    Again(Duration),
}

/// Waits before the second, third, … attempt, in seconds (within the five minutes of a deadline).
const WAITS: [u64; 5] = [2, 5, 10, 20, 40];

/// Decides by the outcome of attempt number `attempt` (1 = the first), with `jitter` from 0 to 1.
#[must_use]
pub fn decide(outcome: &Outcome, attempt: u32, jitter: f64) -> Decision {
    let wait = || {
        let step = usize::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(WAITS.len() - 1);
        Duration::from_secs(WAITS[step]).mul_f64(0.8 + 0.4 * jitter)
    };
    match outcome {
        Outcome::Accepted => Decision::Done("accepted", ""),
        Outcome::RecipientDead(_) => Decision::Done("failed", "recipient_dead"),
        Outcome::Rejected(_) => Decision::Done("failed", "rejected"),
        Outcome::Retry { after: Some(after), .. } => Decision::Again((*after).max(wait())),
        Outcome::Retry { .. } | Outcome::ProviderDown(_) | Outcome::Ambiguous(_) => {
            Decision::Again(wait())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transient_answer_is_tried_again_with_growing_waits() {
        let busy = Outcome::Retry { after: None, detail: "451".into() };
        let wait = |attempt| match decide(&busy, attempt, 0.5) {
            Decision::Again(wait) => wait.as_secs(),
            Decision::Done(..) => panic!("over"),
        };
        assert_eq!((1..=6).map(wait).collect::<Vec<_>>(), [2, 5, 10, 20, 40, 40]);
    }

    #[test]
    fn a_dead_address_and_a_mistake_of_ours_are_over() {
        let dead = Outcome::RecipientDead("550".into());
        assert_eq!(decide(&dead, 1, 0.0), Decision::Done("failed", "recipient_dead"));
        assert_eq!(
            decide(&Outcome::Rejected("554".into()), 1, 0.0),
            Decision::Done("failed", "rejected")
        );
    }
}
