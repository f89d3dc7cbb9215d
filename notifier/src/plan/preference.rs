//! What the customer chose: yes, no, or never asked.

use super::channel::Channel;
use super::rule::Occasion;
use std::collections::HashMap;

/// What became of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Opted in: always sent.
    In,
    /// Opted out: never sent.
    Out,
    /// Never asked: the occasion's default.
    NeverAsked,
}

/// A customer's choices by category and channel.
#[derive(Debug, Clone, Default)]
pub struct Choices(pub HashMap<(String, String), bool>);

impl Choices {
    /// The choice for an occasion's category and a channel. The feed cannot be switched off.
    #[must_use]
    pub fn of(&self, occasion: &Occasion, channel: Channel) -> Choice {
        if channel == Channel::InApp {
            return Choice::NeverAsked;
        }
        match self.0.get(&(occasion.category.to_owned(), channel.code().to_owned())) {
            Some(true) => Choice::In,
            Some(false) => Choice::Out,
            None => Choice::NeverAsked,
        }
    }
}
