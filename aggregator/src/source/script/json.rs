//! `fromjson` as filters have it: of one value, and of none that a parser cannot bear.

use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{DataT, Error};
use jaq_json::Val;

/// Deepest nesting of a text that is read as JSON.
const DEEPEST: usize = 100;
/// Longest number in it: reading one takes time by the square of its digits.
const LONGEST: usize = 100;

/// Can a text be read as JSON, or as a number, without going too deep or taking too long?
pub(super) fn is_tame(text: &str) -> bool {
    let mut digits = text.split(|c: char| !c.is_ascii_digit());
    text.bytes().filter(|b| matches!(b, b'[' | b'{')).count() <= DEEPEST
        && digits.all(|run| run.len() <= LONGEST)
}

/// The function, in place of the language's own: that reads several values, to any depth. (What is read may hold
/// a text that is read in turn.)
pub(super) fn fromjson<D: for<'a> DataT<V<'a> = Val>>() -> Fun<D> {
    run(("fromjson", v(0), |(_, value)| bome(parsed(&value))))
}

fn parsed(value: &Val) -> Result<Val, Error<Val>> {
    let failed = |why: &str| Error::str(format_args!("{why}"));
    let Val::TStr(bytes) = value else { return Err(failed("only a text is read as JSON")) };
    let text = std::str::from_utf8(bytes).map_err(|_| failed("the text is no UTF-8"))?;
    if !is_tame(text) {
        return Err(failed("the text nests too deeply, or is a huge number"));
    }
    jaq_json::read::parse_single(text.as_bytes()).map_err(|error| failed(&error.to_string()))
}
