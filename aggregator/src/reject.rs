//! Why a record is refused. The label goes to metrics and dead letters; nothing else waits.

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than 1 MiB.
    #[error("the record has {0} bytes, at most 1048576 are accepted")]
    TooLarge(usize),
    /// No JSON.
    #[error("no JSON: {0}")]
    NotJson(String),
    /// JSON of another shape than the source's.
    #[error("another shape than this source has: {0}")]
    Shape(String),
    /// A status that the source's table does not have.
    #[error("no such status: {0}")]
    UnknownStatus(String),
    /// No order number, or one that is none.
    #[error("the order or customer number is unusable: {0}")]
    BadId(String),
    /// A time that is none, or outside 2000 to two years from now.
    #[error("the time is unusable: {0}")]
    BadTime(String),
    /// A text with U+0000, which no database keeps.
    #[error("a text holds U+0000")]
    NulCharacter,
    /// The record belongs to no source that we know.
    #[error("no such source: {0}")]
    UnknownSource(String),
    /// The database refused a value that passed everything else.
    #[error("the database refused a value of it: {0}")]
    RefusedByDatabase(String),
    /// Its order was not heard of for so long that nobody will.
    #[error("its order was not heard of in time")]
    NeverKnown,
}

impl Refusal {
    /// Label for metrics and the `reason` header.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::NotJson(_) => "not_json",
            Self::Shape(_) => "shape",
            Self::UnknownStatus(_) => "unknown_status",
            Self::BadId(_) => "bad_id",
            Self::BadTime(_) => "bad_time",
            Self::NulCharacter => "nul_character",
            Self::UnknownSource(_) => "unknown_source",
            Self::RefusedByDatabase(_) => "refused_by_database",
            Self::NeverKnown => "never_known",
        }
    }
}

/// A short, harmless excerpt of an untrusted text, for a refusal's detail.
#[must_use]
pub fn excerpt(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    if clean.len() < text.len() { format!("{clean}…") } else { clean }
}
