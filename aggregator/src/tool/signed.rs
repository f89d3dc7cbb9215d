//! Tries a call that a vendor made: who wonders about a 401 holds it against the secrets.

use super::samples::Report;
use crate::source::Catalog;
use crate::webhook::{Call, Secrets, Vendors, Verdict};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use service_kit::clock;
use std::path::Path;

/// Checks a body, byte by byte as it came, with its headers (`name: value`) against the secrets of a file.
///
/// # Errors
/// What cannot be read, or is no vendor's; never a secret.
pub(super) fn check(
    source: &str,
    secrets: &Path,
    body: &Path,
    lines: &[&str],
) -> Result<Report, String> {
    let secrets = Secrets::read(Some(secrets))?;
    let bytes = std::fs::read(body).map_err(|error| format!("{}: {error}", body.display()))?;
    let headers = lines.iter().copied().map(header).collect::<Result<HeaderMap, String>>()?;
    let vendors = Vendors::new(Catalog::default().scripts());
    let vendor =
        vendors.get(source).ok_or_else(|| format!("nobody calls for a source {source}"))?;
    if !secrets.is_in_use(source) {
        return Err(format!("there is no secret of {source}"));
    }
    let query = if vendor.by_query { String::from_utf8_lossy(&bytes) } else { "".into() };
    let call = Call {
        headers: &headers,
        query: query.trim(),
        body: if vendor.by_query { &[] } else { &bytes },
        path_secret: None,
        now: clock::now(),
    };
    let (text, refused) = match vendor.check(&call, &secrets) {
        Verdict::Verified => ("signed by the vendor\n".to_owned(), 0),
        Verdict::Unsigned => ("the secret is right; what it says is reported\n".to_owned(), 0),
        Verdict::Bad(why) => (format!("refused: {why}\n"), 1),
    };
    Ok(Report { text, refused })
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

    #[test]
    fn a_call_is_held_against_the_secrets_of_a_file() {
        let folder = std::env::temp_dir().join(format!("milepost-signed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let secrets = file("secrets.json", r#"{"shopify":"test_secret_not_real","ghn":"abc"}"#);
        let body = r#"{"id":"evt_1","type":"order.test","amount":1000}"#;
        let (good, other) = (file("good.json", body), file("other.json", "{}"));
        let signed = ["X-Shopify-Hmac-Sha256: +mzn8eTKQ6br5UeJUDS+YKfi4OcyXRx6IPK1xwQH3H8="];
        let said = |body: &Path, lines: &[&str]| check("shopify", &secrets, body, lines).unwrap();
        assert_eq!(said(&good, &signed).refused, 0);
        assert_eq!(said(&other, &signed).text, "refused: signature_wrong\n");
        assert_eq!(said(&good, &[]).text, "refused: signature_missing\n");
        assert_eq!(check("ghn", &secrets, &good, &["authorization: abc"]).unwrap().refused, 0);
        for (source, line) in [("shopify", "nothing"), ("stripe", "a: b"), ("shop", "a: b")] {
            assert!(check(source, &secrets, &good, &[line]).is_err(), "{source}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
