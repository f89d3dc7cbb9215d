//! Makes a record bad: fields missing, of another type, empty, huge, in another charset; bytes
//! flipped, cut off, repeated.

use fastrand::Rng;
use serde_json::Value;

/// A bad record, out of a good one.
pub(super) fn mutate(sample: &str, random: &mut Rng) -> Vec<u8> {
    let mut bytes = match serde_json::from_str::<Value>(sample) {
        Ok(mut value) if random.u8(..4) > 0 => {
            for _ in 0..random.u8(1..4) {
                spoil(&mut value, random);
            }
            value.to_string().into_bytes()
        }
        _ => sample.as_bytes().to_vec(),
    };
    if random.u8(..3) == 0 {
        for _ in 0..random.u8(1..6) {
            scratch(&mut bytes, random);
        }
    }
    bytes
}

/// Changes one place of a document.
fn spoil(value: &mut Value, random: &mut Rng) {
    let deeper = random.u8(..5) > 0;
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let place = random.usize(..fields.len());
            let name = fields.keys().nth(place).cloned().unwrap_or_default();
            if random.u8(..6) == 0 {
                fields.remove(&name);
            } else if let Some(field) = fields.get_mut(&name) {
                spoil(field, random);
            }
        }
        Value::Array(list) if deeper && !list.is_empty() => {
            let place = random.usize(..list.len());
            if random.u8(..6) == 0 {
                let again = list[place].clone();
                list.extend(std::iter::repeat_n(again, random.usize(..300)));
            } else {
                spoil(&mut list[place], random);
            }
        }
        other => *other = odd(random),
    }
}

/// A value that nobody expects.
fn odd(random: &mut Rng) -> Value {
    const TEXTS: [&str; 14] = [
        "",
        " ",
        "0",
        "-1",
        "9999999999999999999",
        "2026-13-45T99:99:99Z",
        "0000-00-00",
        "\u{0}",
        "🎁",
        "Đ\u{301}",
        "T-1",
        "2026-11-22T10:00:00Z",
        "NaN",
        "../../etc",
    ];
    match random.u8(..12) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(..).into(),
        3 => i64::MAX.into(),
        4 => (random.f64() * 1e300).into(),
        5 => Value::Array(Vec::new()),
        6 => Value::Object(serde_json::Map::new()),
        7 => "x".repeat(random.usize(..5_000)).into(),
        8 => random.i64(0..4_000_000_000_000).into(),
        _ => TEXTS[random.usize(..TEXTS.len())].into(),
    }
}

/// Changes some bytes.
fn scratch(bytes: &mut Vec<u8>, random: &mut Rng) {
    if bytes.is_empty() {
        return;
    }
    let place = random.usize(..bytes.len());
    match random.u8(..5) {
        0 => bytes[place] = random.u8(..),
        1 => bytes.truncate(place),
        2 => bytes.insert(place, random.u8(..)),
        3 => drop(bytes.remove(place)),
        _ => bytes.splice(place..place, [b'[', b'{', b'"', 0xFF, 0xC3]).for_each(drop),
    }
}
