//! Tries a call that a vendor made: who wonders about a 401 holds it against the secrets.

use super::samples::Report;
use crate::source::Catalog;
use crate::webhook::{Call, Secrets, Vendors, Verdict};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use service_kit::clock;
use std::path::Path;

/// What of a call its body does not hold.
#[derive(Default)]
struct Rest<'a> {
    headers: HeaderMap,
    secret: Option<&'a str>,
    query: &'a str,
    at: Option<DateTime<Utc>>,
}

impl<'a> Rest<'a> {
    /// `name: value`, `/<the secret in the address>`, `?<query>`, `@<when it came>`.
    fn read(words: &[&'a str]) -> Result<Self, String> {
        let mut rest = Self::default();
        for word in words {
            match word.split_at_checked(1) {
                Some(("/", secret)) => rest.secret = Some(secret),
                Some(("?", query)) => rest.query = query,
                Some(("@", time)) => {
                    let at = DateTime::parse_from_rfc3339(time);
                    rest.at = Some(at.map_err(|error| format!("`{word}`: {error}"))?.to_utc());
                }
                _ => rest.headers.extend([header(word)?]),
            }
        }
        Ok(rest)
    }
}

/// Checks a body, byte by byte as it came, with what else the call had, against the secrets of a file. The sources
/// are the built-in ones and those of a folder.
///
/// # Errors
/// What cannot be read, or is no vendor's; never a secret.
pub(super) fn check(
    source: &str,
    secrets: &Path,
    body: &Path,
    words: &[&str],
    folder: Option<&Path>,
) -> Result<Report, String> {
    let secrets = Secrets::read(Some(secrets))?;
    let bytes = std::fs::read(body).map_err(|error| format!("{}: {error}", body.display()))?;
    let rest = Rest::read(words)?;
    let catalog = Catalog::open(folder).map_err(|error| error.to_string())?;
    let vendors = Vendors::new(catalog.scripts());
    let vendor =
        vendors.get(source).ok_or_else(|| format!("nobody calls for a source {source}"))?;
    if !secrets.is_in_use(source) {
        return Err(format!("there is no secret of {source}"));
    }
    let as_query = String::from_utf8_lossy(if vendor.by_query { &bytes } else { &[] });
    let call = Call {
        headers: &rest.headers,
        query: if vendor.by_query { as_query.trim() } else { rest.query },
        body: if vendor.by_query { &[] } else { &bytes },
        path_secret: rest.secret,
        now: rest.at.unwrap_or_else(clock::now),
    };
    Ok(told(vendor.check(&call, &secrets)))
}

fn told(verdict: Verdict) -> Report {
    let (text, refused) = match verdict {
        Verdict::Verified => ("signed by the vendor\n".to_owned(), 0),
        Verdict::Unsigned => ("the secret is right; what it says is reported\n".to_owned(), 0),
        Verdict::Bad(why @ "too_old") => {
            (format!("refused: {why} (the signature is right; `@<time>` says when it came)\n"), 1)
        }
        Verdict::Bad(why) => (format!("refused: {why}\n"), 1),
    };
    Report { text, refused }
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = || format!("`{line}` is no header: <name>: <value>");
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let name = name.trim().parse().map_err(|_| wrong())?;
    Ok((name, HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| wrong())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::hmac;

    #[test]
    fn a_call_is_held_against_the_secrets_of_a_file() {
        let folder = std::env::temp_dir().join(format!("milepost-signed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let secrets = file(
            "secrets.json",
            r#"{"shopify":"test_secret_not_real","ghn":"abc","stripe":"whsec"}"#,
        );
        let body = r#"{"id":"evt_1","type":"order.test","amount":1000}"#;
        let (good, other) = (file("good.json", body), file("other.json", "{}"));
        let signed = ["X-Shopify-Hmac-Sha256: +mzn8eTKQ6br5UeJUDS+YKfi4OcyXRx6IPK1xwQH3H8="];
        let said = |source: &str, body: &Path, words: &[&str]| {
            check(source, &secrets, body, words, None).map(|report| report.text)
        };
        let right = Ok("signed by the vendor\n".to_owned());
        assert_eq!(said("shopify", &good, &signed), right);
        assert_eq!(said("shopify", &other, &signed).unwrap(), "refused: signature_wrong\n");
        assert_eq!(said("shopify", &good, &[]).unwrap(), "refused: signature_missing\n");
        for address in ["/abc", "?secret=abc", "authorization: abc"] {
            assert!(said("ghn", &good, &[address]).unwrap().contains("reported"), "{address}");
        }
        let stripe =
            format!("stripe-signature: t=1700000000,v1={}", mac(&format!("1700000000.{body}")));
        assert!(said("stripe", &good, &[&stripe]).unwrap().contains("too_old (the signature"));
        assert_eq!(said("stripe", &good, &[&stripe, "@2023-11-14T22:13:21Z"]), right);
        for (source, word) in
            [("shopify", "nothing"), ("shop", "a: b"), ("ems", "a: b"), ("ghn", "@noon")]
        {
            assert!(said(source, &good, &[word]).is_err(), "{source}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// In hexadecimal, by Stripe's secret.
    fn mac(text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"whsec");
        let tag = hmac::sign(&key, text.as_bytes());
        tag.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}
