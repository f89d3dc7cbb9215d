//! What vendors sign when it is not the body as it stands.

use serde_json::Value;
use std::collections::HashSet;

/// VNPay's fields without the signature and empty values, sorted by name, as a query: as it was
/// sent (whoever signs encodes once), and encoded anew.
pub(super) fn sorted_query(query: &str) -> [String; 2] {
    let is_signed = |name: &str, text: &str| {
        !text.is_empty() && !matches!(name, "vnp_SecureHash" | "vnp_SecureHashType")
    };
    let mut raw: Vec<&str> = query
        .split('&')
        .filter(|pair| pair.split_once('=').is_some_and(|(name, text)| is_signed(name, text)))
        .collect();
    raw.sort_by_key(|pair| pair.split('=').next());
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, text)| is_signed(name, text))
        .collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let anew = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    [raw.join("&"), anew]
}

/// Does a field stand twice in a query?
pub(super) fn names_repeat(query: &str) -> bool {
    let mut names = HashSet::new();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| !names.insert(name.into_owned()))
}

/// A field of a query.
pub(super) fn field(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, text)| text.into_owned())
}

/// The fields that MoMo signs, in its order.
const MOMO: [&str; 12] = [
    "amount",
    "extraData",
    "message",
    "orderId",
    "orderInfo",
    "orderType",
    "partnerCode",
    "payType",
    "requestId",
    "responseTime",
    "resultCode",
    "transId",
];

/// MoMo's text: `accessKey` (which is the shop's, not in the body) and its fields.
pub(super) fn momo(access_key: &str, body: &Value) -> String {
    let mut text = format!("accessKey={access_key}");
    for name in MOMO {
        text.push('&');
        text.push_str(name);
        text.push('=');
        match &body[name] {
            Value::String(value) => text.push_str(value),
            Value::Null => {}
            other => text.push_str(&other.to_string()),
        }
    }
    text
}

/// Are MoMo's numbers numbers? Its text joins fields without a sign of where each ends: a text that holds
/// the beginning of the next ones could be divided anew, and mean something else under the same signature.
pub(super) fn momo_numbers_are_numbers(body: &Value) -> bool {
    let is_number = |name: &&str| match body.get(*name).unwrap_or(&Value::Null) {
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::Null => true,
        _ => false,
    };
    ["amount", "responseTime", "resultCode", "transId"].iter().all(is_number)
}

/// A text field of a JSON body, or of a form.
pub(super) fn body_field(body: &[u8], name: &str) -> Option<String> {
    match serde_json::from_slice::<Value>(body) {
        Ok(body) => body.get(name)?.as_str().map(str::to_owned),
        Err(_) => field(std::str::from_utf8(body).ok()?, name),
    }
}
