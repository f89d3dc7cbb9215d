//! Texts as one array of a statement, for which room is made at once.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, Postgres};
use sqlx::{Encode, Type};

/// Bytes of an array before its elements: dimensions, flags, type, length, lower bound.
const HEAD: usize = 20;
/// Bytes before each element: its length.
const EACH: usize = 4;
/// Bytes of the short columns beside a long text, whose arrays say nothing of their size.
const BESIDE: usize = 256;

/// Long texts. An array of another type says nothing of its size, and the message that it is put into is copied
/// each time that it has grown to twice its size: to a megabyte, for the states of a batch.
pub struct Texts<'a>(Vec<&'a str>);

impl<'a> FromIterator<&'a str> for Texts<'a> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        Self(texts.into_iter().collect())
    }
}

impl Type<Postgres> for Texts<'_> {
    fn type_info() -> PgTypeInfo {
        <Vec<&str> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Texts<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0.as_slice(), buffer)
    }

    fn size_hint(&self) -> usize {
        HEAD + self.0.iter().map(|text| EACH + text.len() + BESIDE).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_for_what_is_written_and_for_little_more() {
        for texts in [vec![], vec![""], vec!["a", "thiệp", "\u{1f381}"]] {
            let (texts, mut buffer) = (Texts(texts), PgArgumentBuffer::default());
            assert!(matches!(texts.encode_by_ref(&mut buffer), Ok(IsNull::No)));
            assert_eq!(buffer.len() + texts.0.len() * BESIDE, texts.size_hint());
        }
    }
}
