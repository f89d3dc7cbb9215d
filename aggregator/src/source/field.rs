//! What the sources' fields have in common: JSON, numbers of orders, stable ids, money.

use crate::draft::{OrderRef, tracking_alias};
use crate::reject::{Refusal, excerpt};
use aws_lc_rs::digest;
use contract::event::Money;
use contract::id::OrderId;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// Reads JSON of a known shape.
pub(super) fn json<T: DeserializeOwned>(value: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(value).map_err(|error| {
        // A wrong shape may be met before the place where the JSON breaks: JSON comes first.
        match serde_json::from_slice::<IgnoredAny>(value) {
            Ok(_) => Refusal::Shape(excerpt(&error.to_string())),
            Err(broken) => Refusal::NotJson(excerpt(&broken.to_string())),
        }
    })
}

/// Reads an order number.
pub(super) fn order(text: &str) -> Result<OrderRef, Refusal> {
    let id: Result<OrderId, _> = text.parse();
    id.map(OrderRef::Order).map_err(|error| Refusal::BadId(error.to_string()))
}

/// Most other names of an order in one record.
const MOST_ALIASES: usize = 20;
/// Longest of them, in bytes.
const LONGEST_ALIAS: usize = 200;

/// Other names of an order, as its shop knows them: `printify:5cb8…`, `stripe:pi_…`, `tracking:…`.
pub(super) fn aliases(told: Value) -> Result<Vec<String>, Refusal> {
    let names: Vec<String> = serde_json::from_value(told)
        .map_err(|_| Refusal::Shape("`aliases` are texts".to_owned()))?;
    if names.len() > MOST_ALIASES {
        return Err(Refusal::Shape(format!("at most {MOST_ALIASES} `aliases`")));
    }
    names.iter().map(|name| alias(name)).collect()
}

fn alias(told: &str) -> Result<String, Refusal> {
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let printed = |c: char| c.is_ascii_graphic() || c == ' ';
    let (source, number) = told.split_once(':').unwrap_or_default();
    let (source, number) = (source.trim(), number.trim());
    let fits = !source.is_empty() && source.chars().all(name) && number.chars().all(printed);
    if !fits || number.is_empty() || told.len() > LONGEST_ALIAS {
        let told = excerpt(told);
        return Err(Refusal::Shape(format!("`{told}` is no alias: `<source>:<its number>`")));
    }
    let known = format!("{source}:{number}");
    Ok(if source == "tracking" { tracking_alias(number) } else { known })
}

/// An id for a record that has none: the same content gives the same id.
pub(super) fn hashed_id(parts: &[&str]) -> String {
    let joined = parts.join("\u{1f}");
    let hash = digest::digest(&digest::SHA256, joined.as_bytes());
    hash.as_ref().iter().take(16).fold("h".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

/// None for an empty text.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.trim().is_empty())
}

/// Currencies without a smaller unit (ISO 4217, as Stripe lists them too).
const WHOLE: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];

/// Currencies of which a thousandth is the smallest unit.
const THOUSANDTHS: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// A decimal amount (`"398.00"`) in the smallest unit of its currency; none when it is no number.
pub(super) fn money(decimal: &str, currency: &str) -> Option<Money> {
    let currency = currency.to_ascii_uppercase();
    let (sign, digits) = decimal.strip_prefix('-').map_or((1, decimal), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = match currency.as_str() {
        currency if WHOLE.contains(&currency) => 0,
        currency if THOUSANDTHS.contains(&currency) => 3,
        _ => 2,
    };
    let mut unit: i64 = whole.parse().ok()?;
    for place in 0..places {
        let digit = fraction.as_bytes().get(place).copied().unwrap_or(b'0');
        unit = unit.checked_mul(10)?.checked_add(i64::from(char::from(digit).to_digit(10)?))?;
    }
    Some(Money { amount: unit.checked_mul(sign)?, currency })
}

/// Lower case, without accents, single spaces: people write one status in several ways.
pub(super) fn plain(text: &str) -> String {
    let letters: String = text.to_lowercase().chars().filter_map(base).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The Latin letter below Vietnamese marks; none for a combining mark itself.
fn base(letter: char) -> Option<char> {
    Some(match letter {
        '\u{0300}'..='\u{036f}' => return None,
        'à' | 'á' | 'ả' | 'ã' | 'ạ' | 'ă' | 'ằ' | 'ắ' | 'ẳ' | 'ẵ' | 'ặ' | 'â' | 'ầ' | 'ấ' | 'ẩ'
        | 'ẫ' | 'ậ' => 'a',
        'è' | 'é' | 'ẻ' | 'ẽ' | 'ẹ' | 'ê' | 'ề' | 'ế' | 'ể' | 'ễ' | 'ệ' => 'e',
        'ì' | 'í' | 'ỉ' | 'ĩ' | 'ị' => 'i',
        'ò' | 'ó' | 'ỏ' | 'õ' | 'ọ' | 'ô' | 'ồ' | 'ố' | 'ổ' | 'ỗ' | 'ộ' | 'ơ' | 'ờ' | 'ớ' | 'ở'
        | 'ỡ' | 'ợ' => 'o',
        'ù' | 'ú' | 'ủ' | 'ũ' | 'ụ' | 'ư' | 'ừ' | 'ứ' | 'ử' | 'ữ' | 'ự' => 'u',
        'ỳ' | 'ý' | 'ỷ' | 'ỹ' | 'ỵ' => 'y',
        'đ' => 'd',
        other if other.is_alphanumeric() => other,
        _ => ' ',
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_json_and_json_of_another_shape_have_different_names() {
        assert_eq!(json::<Vec<u8>>(b"{").unwrap_err().label(), "not_json");
        assert_eq!(json::<Vec<u8>>(b"{}").unwrap_err().label(), "shape");
    }

    #[test]
    fn amounts_are_told_in_the_smallest_unit() {
        let amount = |text, currency| money(text, currency).map(|m| m.amount);
        assert_eq!((amount("398.00", "usd"), amount("398.5", "USD")), (Some(39_800), Some(39_850)));
        assert_eq!(
            (amount("459000", "VND"), amount("459000.00", "VND")),
            (Some(459_000), Some(459_000))
        );
        assert_eq!((amount("10.500", "KWD"), amount("10.5", "KWD")), (Some(10_500), Some(10_500)));
        assert_eq!((amount("-1.05", "EUR"), amount("a", "EUR")), (Some(-105), None));
        assert_eq!(amount("99999999999999999999", "USD"), None);
    }
}
