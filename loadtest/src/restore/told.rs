//! What customers were told.

use super::{LATE, LIMIT};
use crate::expected;
use crate::histories::History;
use devstack::client::Rest;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Letters, and what stands in the feeds.
#[derive(PartialEq)]
pub(super) struct Told {
    /// How often the mail server took each.
    letters: BTreeMap<String, u32>,
    /// By customer.
    feeds: BTreeMap<String, Value>,
}

impl Told {
    pub(super) async fn so_far(rest: &Rest, histories: &[History]) -> anyhow::Result<Self> {
        let letters = rest.letters(None).await?.into_iter();
        let letters = letters.map(|letter| (letter.dedupe, letter.accepts)).collect();
        let mut feeds = BTreeMap::new();
        for customer in histories.iter().map(|history| &history.person.id) {
            let token = rest.token(customer, &[]).await?;
            feeds.insert(customer.clone(), rest.inbox(&token).await?["items"].take());
        }
        Ok(Self { letters, feeds })
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: u32 = self.letters.values().sum();
        let lines = self.feeds.values().filter_map(Value::as_array).map(Vec::len).sum::<usize>();
        write!(f, "{letters} letters and {lines} lines in the feeds")
    }
}

/// Waits until every customer has the letter of the last milestone, and nothing more comes.
pub(super) async fn told(rest: &Rest, histories: &[History]) -> anyhow::Result<Told> {
    for history in histories {
        if let Some(milestone) = expected::last_letter(history)? {
            rest.wait_letter(&history.person.email(), milestone.code(), LIMIT).await?;
        }
    }
    tokio::time::sleep(LATE).await;
    Told::so_far(rest, histories).await
}
