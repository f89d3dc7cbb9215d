//! Identifiers that come from outside and are checked once, where they enter.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest order or customer id, in characters.
pub const MAX_ID: usize = 64;

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, or longer than [`MAX_ID`].
    #[error("an id has 1 to {MAX_ID} characters, this one has {0}")]
    Length(usize),
    /// A character outside `A-Z a-z 0-9 . _ -`.
    #[error("an id has only A-Z a-z 0-9 . _ -")]
    Character,
}

fn check(text: &str) -> Result<(), IdError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    match text.len() {
        0 => Err(IdError::Length(0)),
        _ if !text.bytes().all(allowed) => Err(IdError::Character),
        length if length > MAX_ID => Err(IdError::Length(length)),
        _ => Ok(()),
    }
}

macro_rules! checked_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Shared: an id goes wherever its order goes.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text).map(|()| Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                check(&text).map(|()| Self(text.into()))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_id!(
    /// The shop's order number: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    OrderId
);
checked_id!(
    /// The shop's customer number: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    CustomerId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_number_as_shops_write_them_is_taken() {
        assert!("TM-1042".parse::<OrderId>().is_ok());
    }

    #[test]
    fn what_could_break_a_key_a_url_or_a_log_line_is_refused() {
        for bad in ["", "TM 1042", "TM/1042", "TM\u{0}", "đơn", "a\nb", "{x}", "a:b"] {
            assert!(bad.parse::<OrderId>().is_err(), "{bad:?}");
        }
        assert_eq!("x".repeat(500).parse::<OrderId>(), Err(IdError::Length(500)));
    }
}
