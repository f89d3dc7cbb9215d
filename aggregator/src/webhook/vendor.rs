//! Which way each vendor signs, what of its call is kept, and what it wants to hear.

use super::canonical::body_field;
use super::scheme::{Call, Encoding, Key, Scheme, Verdict};
use super::secret::Secrets;
use crate::source::{Script, Webhook};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// What a vendor expects after its call was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// JSON; none for an empty body.
    pub body: Option<Value>,
}

/// A vendor that calls back.
#[derive(Clone, Copy)]
pub struct Vendor {
    /// Name of the source.
    pub source: &'static str,
    /// Its calls are GETs: the query is the record.
    pub by_query: bool,
    /// The ways that it may sign: the first that its call carries is checked.
    schemes: &'static [Scheme],
}

const HEX: Encoding = Encoding::Hex;
const BASE64: Encoding = Encoding::Base64;

const fn body(header: &'static str, prefix: &'static str, encoding: Encoding, key: Key) -> Scheme {
    Scheme::Body { header, prefix, encoding, key }
}

const fn signs(source: &'static str, schemes: &'static [Scheme]) -> Vendor {
    Vendor { source, by_query: false, schemes }
}

/// A vendor that does not sign: whoever knows the address is believed to be it, and reports.
const ADDRESS: Scheme = Scheme::Address { field: "secret" };

static BUILT_IN: &[Vendor] = &[
    signs("shopify", &[body("x-shopify-hmac-sha256", "", BASE64, Key::Plain)]),
    signs("woocommerce", &[body("x-wc-webhook-signature", "", BASE64, Key::Plain)]),
    signs("stripe", &[Scheme::Timestamped { header: "stripe-signature" }]),
    signs(
        "aftership",
        &[
            body("aftership-hmac-sha256", "", BASE64, Key::Plain),
            body("as-signature-hmac-sha256", "", BASE64, Key::Plain),
        ],
    ),
    signs("easypost", &[body("x-hmac-signature", "hmac-sha256-hex=", HEX, Key::Nfkd)]),
    signs("printful", &[body("x-pf-webhook-signature", "", HEX, Key::Hex), ADDRESS]),
    signs("printify", &[body("x-pfy-signature", "sha256=", HEX, Key::Plain)]),
    signs("17track", &[Scheme::HashWithKey { header: "sign" }]),
    signs("shippo", &[Scheme::Timestamped { header: "shippo-auth-signature" }, ADDRESS]),
    signs("karrio", &[Scheme::HeaderValue { header: "x-event-id" }]),
    signs("gelato", &[ADDRESS]),
    signs("ghn", &[ADDRESS]),
    signs("ghtk", &[Scheme::Address { field: "hash" }]),
    signs("viettelpost", &[Scheme::BodyField { field: "TOKEN" }]),
    signs("ems", &[ADDRESS]),
    signs("nhattin", &[ADDRESS]),
    signs("ghsv", &[ADDRESS]),
    signs("momo", &[Scheme::MomoFields]),
    Vendor { source: "vnpay", by_query: true, schemes: &[Scheme::SortedQuery] },
    signs("zalopay", &[Scheme::DataText]),
    signs("cloudevents", &[Scheme::Standard]),
    signs("debezium", &[Scheme::Standard]),
    signs("epcis", &[Scheme::Standard]),
];

/// Everybody who may call: the built-in vendors and those that a file describes.
pub struct Vendors(Vec<Vendor>);

impl Vendors {
    /// The built-in vendors and those of sources without code.
    #[must_use]
    pub fn new(scripts: &[Script]) -> Self {
        let described = scripts.iter().filter_map(|script| {
            let scheme = described(script.webhook.as_ref()?);
            // Once, when the program starts: these live as long as it does.
            let schemes: &'static [Scheme] = Vec::leak(vec![scheme]);
            Some(signs(script.name.clone().leak(), schemes))
        });
        Self(BUILT_IN.iter().copied().chain(described).collect())
    }

    /// The vendor of a source; none when nobody calls back for it.
    #[must_use]
    pub fn get(&self, source: &str) -> Option<&Vendor> {
        self.0.iter().find(|vendor| vendor.source == source)
    }
}

/// The way of signing that a file describes.
fn described(webhook: &Webhook) -> Scheme {
    let text = |text: &String| -> &'static str { text.clone().leak() };
    match webhook {
        Webhook::Hmac { header, prefix, base64 } => {
            let encoding = if *base64 { Encoding::Base64 } else { Encoding::Hex };
            body(text(header), text(prefix), encoding, Key::Plain)
        }
        Webhook::Timestamped { header } => Scheme::Timestamped { header: text(header) },
        Webhook::Standard => Scheme::Standard,
        Webhook::Header { header } => Scheme::HeaderValue { header: text(header) },
        Webhook::Body { field } => Scheme::BodyField { field: text(field) },
        Webhook::Address => ADDRESS,
    }
}

impl Vendor {
    /// Checks a call. A vendor with several ways is held to the first that its call carries.
    #[must_use]
    pub fn check(&self, call: &Call<'_>, secrets: &Secrets) -> Verdict {
        let mut found = Verdict::Bad("signature_missing");
        for scheme in self.schemes {
            let own = match scheme {
                Scheme::Address { .. } => secrets.of_address(self.source),
                _ => secrets.of(self.source),
            };
            found = scheme.check(call, own);
            if !matches!(found, Verdict::Bad("signature_missing" | "secret_missing")) {
                return found;
            }
        }
        found
    }

    /// Is it the call with which the vendor only tries the address?
    #[must_use]
    pub fn is_ping(&self, call: &Call<'_>) -> bool {
        self.source == "woocommerce"
            && call.header("x-wc-webhook-topic").is_none()
            && call.body.starts_with(b"webhook_id=")
    }

    /// The record for the log: the vendor's bytes, without a secret that it sends along.
    #[must_use]
    pub fn record(&self, call: &Call<'_>) -> Vec<u8> {
        if self.by_query {
            return call.query.as_bytes().to_vec();
        }
        let secret_inside = self.schemes.iter().find_map(|scheme| match scheme {
            Scheme::BodyField { field } => Some(*field),
            _ => None,
        });
        secret_inside
            .and_then(|field| without(call.body, field))
            .unwrap_or_else(|| call.body.to_vec())
    }

    /// Does a header belong to the event, and not to the way that it took?
    #[must_use]
    pub fn keeps(name: &str) -> bool {
        let prefixes = ["x-shopify-", "x-wc-webhook-", "ce-"];
        let names = ["ems-transaction", "webhook-id", "webhook-timestamp", "content-type"];
        let signature = name.ends_with("-hmac-sha256") || name.ends_with("-signature");
        !signature && (names.contains(&name) || prefixes.iter().any(|p| name.starts_with(p)))
    }

    /// What the vendor wants to hear once the log has its record.
    #[must_use]
    pub fn thanks(&self, call: &Call<'_>) -> Answer {
        let body = match self.source {
            "ems" => {
                let transaction = call.header("ems-transaction").unwrap_or_default();
                Some(json!({"code": "success", "transaction": transaction}))
            }
            "vnpay" => Some(json!({"RspCode": "00", "Message": "Confirm Success"})),
            "zalopay" if is_first_version(call.body) => {
                Some(json!({"returncode": 1, "returnmessage": "success"}))
            }
            "zalopay" => Some(json!({"return_code": 1, "return_message": "success"})),
            "ghsv" => Some(json!({"success": true, "msg": ""})),
            "momo" => return Answer { status: StatusCode::NO_CONTENT, body: None },
            _ => Some(json!({"received": true})),
        };
        Answer { status: StatusCode::OK, body }
    }

    /// What it wants to hear when its signature is bad; none: a problem as everybody gets.
    #[must_use]
    pub fn refusal(&self, call: &Call<'_>) -> Option<Value> {
        match self.source {
            "vnpay" => Some(json!({"RspCode": "97", "Message": "Invalid Checksum"})),
            "zalopay" if is_first_version(call.body) => {
                Some(json!({"returncode": 2, "returnmessage": "invalid mac"}))
            }
            "zalopay" => Some(json!({"return_code": 2, "return_message": "invalid mac"})),
            _ => None,
        }
    }
}

/// `ZaloPay`'s first version writes its names without `_`, and expects them so.
fn is_first_version(body: &[u8]) -> bool {
    let name = b"apptransid";
    body.windows(name.len()).any(|part| part == name)
}

/// The same object, or form, without a field. None when the body has none of this name.
fn without(body: &[u8], field: &str) -> Option<Vec<u8>> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        let rest = form_urlencoded::parse(body).filter(|(name, _)| name != field);
        let rest = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
        return body_field(body, field).map(|_| rest.into_bytes());
    };
    value.as_object_mut()?.remove(field)?;
    serde_json::to_vec(&value).ok()
}
