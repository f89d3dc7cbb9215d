//! The names that a transaction holds: locked all at once, in one order for everybody. What it hears of later (what
//! it frees tells names of its own) it takes only where that is free; else it begins again, and with all of them.
//! So nobody waits for a name because of others that he holds, and two batches never wait for each other's.

use crate::draft::{Draft, OrderRef};
use crate::store::lock;
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// Names of orders that are not their numbers.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// To be locked with the first ones.
    wanted: BTreeSet<String>,
    held: BTreeSet<String>,
}

impl Held {
    /// Holds none yet; what is taken from here on can be given back.
    pub(super) async fn begin(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        lock::mark(connection).await?;
        Ok(Self::default())
    }

    /// Gives all back, with all that was written meanwhile; takes them together the next time.
    pub(super) async fn begin_again(
        &mut self,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        lock::give_back(connection).await?;
        self.wanted.append(&mut self.held);
        Ok(())
    }

    /// Takes the names that these drafts are called by or tell. False when somebody else has one of them: then
    /// all is to be begun again.
    pub(super) async fn take(
        &mut self,
        connection: &mut PgConnection,
        drafts: &[Draft],
    ) -> Result<bool, sqlx::Error> {
        let mut new: BTreeSet<String> = names(drafts).difference(&self.held).cloned().collect();
        if new.is_empty() {
            return Ok(true);
        }
        let is_first = self.held.is_empty();
        if is_first {
            new.append(&mut self.wanted);
        }
        let texts = new.iter().map(String::as_str);
        let taken = if is_first {
            lock::take(connection, "alias", texts).await.map(|()| true)
        } else {
            lock::try_all(connection, "alias", texts).await
        };
        self.held.append(&mut new);
        taken
    }
}

/// The names that drafts are called by, or may be, and those that they tell.
pub(super) fn names(drafts: &[Draft]) -> BTreeSet<String> {
    let called = drafts.iter().filter_map(alias_of);
    let told = called.chain(drafts.iter().flat_map(|draft| &draft.reveals)).cloned();
    told.chain(drafts.iter().filter_map(Draft::stand_in)).collect()
}

/// The name that a draft is called by, if that is no number.
pub(super) fn alias_of(draft: &Draft) -> Option<&String> {
    match &draft.order {
        OrderRef::Alias(alias) => Some(alias),
        OrderRef::Order(_) => None,
    }
}
