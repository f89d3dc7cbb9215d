//! The ways to a customer.

/// A way to a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A letter.
    Email,
    /// The feed.
    InApp,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Email, Self::InApp];

    /// Its name in the store and in preferences.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::InApp => "in_app",
        }
    }
}
