//! Scripted answers: taken in order, then the provider is its normal self again.

use serde::Deserialize;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drop {
    /// Before the provider took it.
    BeforeAccept,
    /// After the provider took it, without a word.
    AfterAccept,
}

/// One scripted answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Response {
    /// Status of the provider's protocol (HTTP or SMTP); 0 or absent: the normal one.
    #[serde(default)]
    pub status: u16,
    /// Headers, where the protocol has them.
    #[serde(default)]
    pub headers: HashMap<String, String>,
    /// Body or reply text.
    #[serde(default)]
    pub body: String,
    /// Wait before the answer.
    #[serde(default)]
    pub delay_ms: u64,
    /// Cut the connection instead of answering.
    #[serde(default)]
    pub drop: Option<Drop>,
}

/// A script as it is put.
#[derive(Debug, Clone, Deserialize)]
pub struct Script {
    /// For this recipient alone; for all without.
    #[serde(default)]
    pub recipient: Option<String>,
    /// The answers.
    pub responses: Vec<Response>,
}

type Key = (String, Option<String>);

/// The scripts that are not used up; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Scripts {
    scripts: Arc<Mutex<HashMap<Key, VecDeque<Response>>>>,
}

impl Scripts {
    /// Replaces the script of a provider and recipient.
    pub fn put(&self, provider: &str, script: Script) {
        let key = (provider.to_owned(), script.recipient.map(|r| r.to_lowercase()));
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        scripts.insert(key, script.responses.into());
    }

    /// The next answer for a recipient: its own script first, then the one for all.
    #[must_use]
    pub fn next(&self, provider: &str, recipient: &str) -> Option<Response> {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let own = (provider.to_owned(), Some(recipient.to_lowercase()));
        let all = (provider.to_owned(), None);
        let response = scripts.get_mut(&own).and_then(VecDeque::pop_front);
        response.or_else(|| scripts.get_mut(&all).and_then(VecDeque::pop_front))
    }
}
