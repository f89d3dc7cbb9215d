//! Truthful readiness: every part says of itself whether it works.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the parts said last; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Health {
    /// The part works.
    pub fn good(&self, part: &'static str) {
        self.lock().remove(part);
    }

    /// The part does not work, and why.
    pub fn bad(&self, part: &'static str, why: impl Into<String>) {
        self.lock().insert(part, why.into());
    }

    /// Nothing when all is well, else one sentence.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let parts = self.lock();
        let list: Vec<String> = parts.iter().map(|(part, why)| format!("{part}: {why}")).collect();
        (!list.is_empty()).then(|| list.join("; "))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
