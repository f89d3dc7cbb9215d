//! The ways of signing. Every comparison takes the same time whatever it finds.

use super::canonical::{
    body_field, field, momo, momo_numbers_are_numbers, names_repeat, sorted_query,
};
use aws_lc_rs::{digest, hmac};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;

/// A signed time may be this far from ours, in seconds (Stripe's and Standard Webhooks' advice).
const WINDOW: u64 = 300;

/// One call, as it came.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Headers.
    pub headers: &'a HeaderMap,
    /// The raw query.
    pub query: &'a str,
    /// The raw body.
    pub body: &'a [u8],
    /// The secret that the address carries.
    pub path_secret: Option<&'a str>,
    /// When it came.
    pub now: DateTime<Utc>,
}

impl Call<'_> {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Signed by the vendor.
    Verified,
    /// By somebody who knows the address; the vendor does not sign.
    Unsigned,
    /// Refused, with a label.
    Bad(&'static str),
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
}

/// How a secret becomes a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    /// Its bytes.
    Plain,
    /// Its bytes after Unicode's NFKD.
    Nfkd,
    /// It is hexadecimal.
    Hex,
}

/// A way of signing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scheme {
    /// HMAC-SHA256 of the body in a header, after a prefix.
    Body { header: &'static str, prefix: &'static str, encoding: Encoding, key: Key },
    /// `t=…,v1=…`: HMAC-SHA256 of `t.body`, hexadecimal, several `v1` while rotating.
    Timestamped { header: &'static str },
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    Standard,
    /// VNPay: HMAC-SHA512 of the sorted query.
    SortedQuery,
    /// MoMo: HMAC-SHA256 of twelve fields of the body; the secret is `access:secret`.
    MomoFields,
    /// ZaloPay: HMAC-SHA256 of the text in `data`.
    DataText,
    /// 17TRACK: SHA-256 of body, `/` and key.
    HashWithKey { header: &'static str },
    /// A secret in a field of the body, or in `Authorization`.
    BodyField { field: &'static str },
    /// A secret as a header's value.
    HeaderValue { header: &'static str },
    /// A secret in the address: the path, or a field of the query. A vendor that can be told a header says it in
    /// `Authorization`.
    Address { field: &'static str },
}

impl Scheme {
    /// Checks a call against the secrets that are in use.
    pub(super) fn check(self, call: &Call<'_>, secrets: &[SecretString]) -> Verdict {
        match self {
            Self::Body { header, prefix, encoding, key } => {
                let given = call.header(header).and_then(|text| text.strip_prefix(prefix));
                let Some(given) = given else { return Verdict::Bad("signature_missing") };
                any(secrets, |secret| mac_is(&key.of(secret)?, &[call.body], given, encoding))
            }
            Self::Timestamped { header } => timestamped(call, header, secrets),
            Self::Standard => standard(call, secrets),
            Self::SortedQuery => query_signed(call, secrets),
            Self::MomoFields => momo_signed(call, secrets),
            Self::DataText => data_signed(call, secrets),
            Self::HashWithKey { header } => {
                let Some(given) = call.header(header) else {
                    return Verdict::Bad("signature_missing");
                };
                any(secrets, |secret| Some(hash_is(call.body, secret, given)))
            }
            Self::BodyField { field } => {
                let header = call.header("authorization").map(bare).map(str::to_owned);
                let given = [body_field(call.body, field), header];
                let found = given.map(|given| shared(given.as_deref(), secrets, Verdict::Verified));
                match found {
                    [Verdict::Verified, _] | [_, Verdict::Verified] => Verdict::Verified,
                    [Verdict::Bad("secret_missing"), by_header] => by_header,
                    [by_body, _] => by_body,
                }
            }
            Self::HeaderValue { header } => shared(call.header(header), secrets, Verdict::Verified),
            Self::Address { field: name } => {
                let header = || call.header("authorization").map(bare).map(str::to_owned);
                let given = call.path_secret.map(str::to_owned).or_else(|| field(call.query, name));
                let given = given.or_else(header);
                shared(given.as_deref(), secrets, Verdict::Unsigned)
            }
        }
    }
}

impl Key {
    fn of(self, secret: &str) -> Option<Vec<u8>> {
        match self {
            Self::Plain => Some(secret.as_bytes().to_vec()),
            Self::Nfkd => Some(secret.nfkd().collect::<String>().into_bytes()),
            Self::Hex => unhex(secret),
        }
    }
}

/// `Bearer x` and `Token x` mean x.
fn bare(text: &str) -> &str {
    text.rsplit(' ').next().unwrap_or(text)
}

/// Every secret is tried, whatever the result.
fn any(secrets: &[SecretString], check: impl Fn(&str) -> Option<bool>) -> Verdict {
    let good = secrets
        .iter()
        .fold(false, |good, secret| check(secret.expose_secret()).unwrap_or(false) | good);
    if good { Verdict::Verified } else { Verdict::Bad("signature_wrong") }
}

fn shared(given: Option<&str>, secrets: &[SecretString], good: Verdict) -> Verdict {
    let Some(given) = given else { return Verdict::Bad("secret_missing") };
    let same = |secret: &str| Some(bool::from(secret.as_bytes().ct_eq(given.as_bytes())));
    match any(secrets, same) {
        Verdict::Verified => good,
        _ => Verdict::Bad("secret_wrong"),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks(2).map(|two| Some(digit(two[0])? << 4 | digit(two[1])?)).collect())?
}

fn decoded(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => unhex(text),
        Encoding::Base64 => STANDARD.decode(text).ok(),
    }
}

/// Is the text the HMAC-SHA256 of these parts? The comparison is the library's, constant in time.
fn mac_is(key: &[u8], parts: &[&[u8]], given: &str, encoding: Encoding) -> Option<bool> {
    let tag = decoded(given, encoding)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    Some(hmac::verify(&key, &parts.concat(), &tag).is_ok())
}

fn hash_is(body: &[u8], secret: &str, given: &str) -> bool {
    let hash = digest::digest(&digest::SHA256, &[body, b"/", secret.as_bytes()].concat());
    unhex(given).is_some_and(|tag| hash.as_ref().ct_eq(&tag).into())
}

fn in_window(time: &str, now: DateTime<Utc>) -> bool {
    time.parse().is_ok_and(|t: i64| t.abs_diff(now.timestamp()) <= WINDOW)
}

fn timestamped(call: &Call<'_>, header: &str, secrets: &[SecretString]) -> Verdict {
    let Some(text) = call.header(header) else { return Verdict::Bad("signature_missing") };
    let parts: Vec<(&str, &str)> =
        text.split(',').filter_map(|part| part.trim().split_once('=')).collect();
    let Some((_, time)) = parts.iter().find(|(name, _)| *name == "t") else {
        return Verdict::Bad("signature_missing");
    };
    let signed = any(secrets, |secret| {
        let own = parts.iter().filter(|(name, _)| *name == "v1").map(|(_, given)| {
            mac_is(secret.as_bytes(), &[time.as_bytes(), b".", call.body], given, Encoding::Hex)
        });
        Some(own.fold(false, |good, same| good | same.unwrap_or(false)))
    });
    fresh(signed, time, call.now)
}

/// A replayed call is told from a forged one only after its signature is good.
fn fresh(signed: Verdict, time: &str, now: DateTime<Utc>) -> Verdict {
    match signed {
        Verdict::Verified if !in_window(time, now) => Verdict::Bad("too_old"),
        other => other,
    }
}

fn standard(call: &Call<'_>, secrets: &[SecretString]) -> Verdict {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let [Some(id), Some(time), Some(list)] = names.map(|name| call.header(name)) else {
        return Verdict::Bad("signature_missing");
    };
    let signed = any(secrets, |secret| {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", call.body];
        let own = list.split(' ').filter_map(|one| one.strip_prefix("v1,"));
        let same = own.map(|given| mac_is(&key, &parts, given, Encoding::Base64));
        Some(same.fold(false, |good, same| good | same.unwrap_or(false)))
    });
    fresh(signed, time, call.now)
}

fn query_signed(call: &Call<'_>, secrets: &[SecretString]) -> Verdict {
    let Some(given) = field(call.query, "vnp_SecureHash").and_then(|text| unhex(&text)) else {
        return Verdict::Bad("signature_missing");
    };
    // Empty values are not signed: a name that comes twice could hide behind one.
    if names_repeat(call.query) {
        return Verdict::Bad("name_repeated");
    }
    let texts = sorted_query(call.query);
    any(secrets, |secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes());
        let same = texts.iter().map(|text| hmac::verify(&key, text.as_bytes(), &given).is_ok());
        Some(same.fold(false, |good, same| good | same))
    })
}

fn momo_signed(call: &Call<'_>, secrets: &[SecretString]) -> Verdict {
    let Ok(body) = serde_json::from_slice::<Value>(call.body) else {
        return Verdict::Bad("signature_missing");
    };
    let Some(given) = body["signature"].as_str() else { return Verdict::Bad("signature_missing") };
    if !momo_numbers_are_numbers(&body) {
        return Verdict::Bad("signature_wrong");
    }
    any(secrets, |pair| {
        let (access, secret) = pair.split_once(':')?;
        let text = momo(access, &body);
        mac_is(secret.as_bytes(), &[text.as_bytes()], given, Encoding::Hex)
    })
}

fn data_signed(call: &Call<'_>, secrets: &[SecretString]) -> Verdict {
    match (body_field(call.body, "data"), body_field(call.body, "mac")) {
        (Some(data), Some(mac)) => any(secrets, |secret| {
            mac_is(secret.as_bytes(), &[data.as_bytes()], &mac, Encoding::Hex)
        }),
        _ => Verdict::Bad("signature_missing"),
    }
}
