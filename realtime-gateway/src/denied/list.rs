//! The deny list in memory: asked for every token, and almost always empty.

use service_kit::token::Viewer;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// What can be taken away.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Right {
    /// Everything that a customer's tokens open.
    Subject(String),
    /// One order, whoever's token opens it.
    Order(String),
    /// One token.
    Token(String),
    /// One connection.
    Connection(String),
}

impl Right {
    /// As it is written in Redis.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Subject(id) => format!("subject:{id}"),
            Self::Order(id) => format!("order:{id}"),
            Self::Token(id) => format!("token:{id}"),
            Self::Connection(id) => format!("connection:{id}"),
        }
    }

    /// Reads what [`Right::name`] wrote.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (kind, id) = name.split_once(':')?;
        match kind {
            "subject" => Some(Self::Subject(id.to_owned())),
            "order" => Some(Self::Order(id.to_owned())),
            "token" => Some(Self::Token(id.to_owned())),
            "connection" => Some(Self::Connection(id.to_owned())),
            _ => None,
        }
    }
}

/// What was taken away, and when (Unix milliseconds); cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Denied(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    since: RwLock<HashMap<Right, i64>>,
    changes: AtomicU64,
    unread: AtomicBool,
}

impl Denied {
    /// A list that has not been read yet: until it is, nobody can say who is shut out.
    #[must_use]
    pub fn unread() -> Self {
        let denied = Self::default();
        denied.0.unread.store(true, Ordering::Release);
        denied
    }

    /// The list has been read.
    pub fn was_read(&self) {
        self.0.unread.store(false, Ordering::Release);
    }

    /// Whether it has not been read yet.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.0.unread.load(Ordering::Acquire)
    }

    /// How much was taken away.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.since.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing was taken away.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a right away from all tokens that were made up to this time.
    pub fn add(&self, right: Right, at: i64) {
        let mut since = self.0.since.write().unwrap_or_else(PoisonError::into_inner);
        if since.get(&right).is_none_or(|known| *known < at) {
            since.insert(right, at);
            // Before the list is free again: who sees the number sees the right.
            self.0.changes.fetch_add(1, Ordering::Release);
        }
    }

    /// Forgets what was taken away before this time: no token of then is still good.
    pub fn forget(&self, before: i64) {
        self.0.since.write().unwrap_or_else(PoisonError::into_inner).retain(|_, at| *at >= before);
    }

    /// Counts up with everything that is taken away.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// Is the whole token refused?
    #[must_use]
    pub fn token(&self, viewer: &Viewer) -> bool {
        let since = self.0.since.read().unwrap_or_else(PoisonError::into_inner);
        !since.is_empty()
            && (since.contains_key(&Right::Token(viewer.jti.clone()))
                || covers(&since, &Right::Subject(viewer.sub.clone()), viewer))
    }

    /// Is this connection to end?
    #[must_use]
    pub fn connection(&self, id: &str) -> bool {
        let since = self.0.since.read().unwrap_or_else(PoisonError::into_inner);
        !since.is_empty() && since.contains_key(&Right::Connection(id.to_owned()))
    }

    /// Is this order refused to the token?
    #[must_use]
    pub fn order(&self, viewer: &Viewer, order: &str) -> bool {
        let since = self.0.since.read().unwrap_or_else(PoisonError::into_inner);
        !since.is_empty() && covers(&since, &Right::Order(order.to_owned()), viewer)
    }

    /// Everything, for another who knows less.
    #[must_use]
    pub fn all(&self) -> Vec<(Right, i64)> {
        let since = self.0.since.read().unwrap_or_else(PoisonError::into_inner);
        since.iter().map(|(right, at)| (right.clone(), *at)).collect()
    }
}

/// A token that was made later has its right anew. One that does not say when it was made is
/// taken for an old one.
fn covers(since: &HashMap<Right, i64>, right: &Right, viewer: &Viewer) -> bool {
    since.get(right).is_some_and(|at| viewer.made_at().is_none_or(|made| made <= *at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(iat: Option<i64>) -> Viewer {
        let (sub, jti) = ("C-1".to_owned(), "t-1".to_owned());
        Viewer { sub, orders: vec!["A".to_owned()], scope: Vec::new(), exp: 100, iat, jti }
    }

    #[test]
    fn a_token_that_was_made_later_has_its_right_anew() {
        let denied = Denied::default();
        denied.add(Right::Subject("C-1".to_owned()), 20_000);
        denied.add(Right::Order("A".to_owned()), 30_000);
        let made = [(None, true, true), (Some(20), true, true), (Some(21), false, true)];
        for (iat, whole, order) in made {
            let viewer = viewer(iat);
            assert_eq!((denied.token(&viewer), denied.order(&viewer, "A")), (whole, order));
            assert!(!denied.order(&viewer, "B"));
        }
        assert!(!denied.order(&viewer(Some(31)), "A"));
    }

    #[test]
    fn one_token_stays_refused_and_an_older_word_changes_nothing() {
        let denied = Denied::default();
        denied.add(Right::Token("t-1".to_owned()), 20_000);
        assert!(denied.token(&viewer(Some(99))));
        let changes = denied.changes();
        denied.add(Right::Token("t-1".to_owned()), 10_000);
        assert_eq!(denied.changes(), changes);
        denied.forget(20_001);
        assert!(!denied.token(&viewer(Some(1))));
    }

    #[test]
    fn a_right_is_read_as_it_was_written() {
        for right in [Right::Subject("guest:a:b".to_owned()), Right::Order("A".to_owned())] {
            assert_eq!(Right::from_name(&right.name()), Some(right));
        }
        assert_eq!(Right::from_name("else:A"), None);
    }
}
