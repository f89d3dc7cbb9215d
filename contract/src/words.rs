//! One voice: page, feed, letter and message say the same words for the same code.
//!
//! The words lie in `contract/words/*.json`, which the widget imports too. In braces: `{carrier}`,
//! `{day}`, `{eta}`, filled by whoever speaks.

use crate::milestone::Milestone;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Languages that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Vietnamese.
    Vi,
    /// English.
    En,
}

impl Language {
    /// The language of a locale (`vi`, `en-GB`, `vi_VN`); Vietnamese for any other.
    #[must_use]
    pub fn of(locale: Option<&str>) -> Self {
        match locale.and_then(|l| l.split(['-', '_']).next()) {
            Some(tag) if tag.eq_ignore_ascii_case("en") => Self::En,
            _ => Self::Vi,
        }
    }

    /// The language's tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }
}

/// What is said of a milestone.
#[derive(Debug, Clone, Deserialize)]
pub struct Words {
    /// A few words, for lists.
    pub label: String,
    /// One sentence: what is happening.
    pub headline: String,
    /// One sentence: what comes next; may be empty.
    pub next: String,
}

type Book = HashMap<Milestone, Words>;

static BOOKS: LazyLock<[Book; 2]> = LazyLock::new(|| {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_default();
    [read(include_str!("../words/vi.json")), read(include_str!("../words/en.json"))]
});

/// The words for a milestone.
///
/// # Panics
/// Never: a test reads both books and looks every milestone up.
#[must_use]
pub fn words(milestone: Milestone, language: Language) -> &'static Words {
    let book = match language {
        Language::Vi => &BOOKS[0],
        Language::En => &BOOKS[1],
    };
    book.get(&milestone).expect("every milestone has its words")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milestone::Kind;

    #[test]
    fn every_milestone_has_its_words_in_both_languages() {
        for milestone in Milestone::ALL {
            for language in [Language::Vi, Language::En] {
                let words = words(*milestone, language);
                assert!(!words.label.is_empty());
                assert!(
                    milestone.kind() == Kind::Info || words.headline.ends_with('.'),
                    "{milestone}"
                );
            }
        }
    }

    #[test]
    fn a_locale_is_read_by_its_language() {
        assert_eq!(Language::of(Some("en-GB")), Language::En);
        assert_eq!(Language::of(Some("vi_VN")), Language::Vi);
        assert_eq!(Language::of(Some("fr")), Language::Vi);
        assert_eq!(Language::of(None), Language::Vi);
    }
}
