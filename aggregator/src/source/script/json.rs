//! `fromjson` as filters have it: of one value, and only what our own parser has read.

use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{DataT, Error};
use jaq_json::Val;
use serde_json::Value;

/// Longest number in a text that is read: reading one takes time by the square of its digits.
const LONGEST: usize = 100;

/// The function, in place of the language's own: that reads several values, of any depth, and keys that are no texts.
/// (What is read may hold a text that is read in turn.)
pub(super) fn fromjson<D: for<'a> DataT<V<'a> = Val>>() -> Fun<D> {
    run(("fromjson", v(0), |(_, value)| bome(parsed(&value))))
}

fn parsed(value: &Val) -> Result<Val, Error<Val>> {
    let failed = |why: &str| Error::str(format_args!("{why}"));
    let Val::TStr(bytes) = value else { return Err(failed("only a text is read as JSON")) };
    let long = bytes.split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() > LONGEST);
    if long {
        return Err(failed("a number in the text is too long"));
    }
    let read: Result<Value, _> = serde_json::from_slice(bytes);
    of(&read.map_err(|error| failed(&error.to_string()))?)
}

/// A value of ours as filters have it.
pub(super) fn of(value: &Value) -> Result<Val, Error<Val>> {
    let read = jaq_json::read::parse_single(value.to_string().as_bytes());
    read.map_err(|error| Error::str(format_args!("{error}")))
}
