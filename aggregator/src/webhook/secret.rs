//! Secrets of the vendors, from a file. Several for one vendor while they are being rotated.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    One(String),
    Several(Vec<String>),
}

/// Secrets by source.
#[derive(Default)]
pub struct Secrets(HashMap<String, Vec<SecretString>>);

/// Does a secret look as it has to?
type Fits = fn(&str) -> bool;

/// What a secret has to look like, where one that does not would refuse every call for ever.
fn wants(source: &str) -> Option<(&'static str, Fits)> {
    match source {
        "momo" => Some(("<access key>:<secret key>", |secret| secret.contains(':'))),
        "cloudevents" | "debezium" | "epcis" => Some(("base64, after whsec_", |secret| {
            STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).is_ok()
        })),
        _ => None,
    }
}

impl Secrets {
    /// Reads the file: a JSON object from a source's name to its secret, or to a list of them
    /// (rotation). MoMo's is `<access key>:<secret key>`, ZaloPay's is key2. `<source>:address` is
    /// the secret in the address of one that may also sign, `<source>:ask` what it is asked with.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong, never a secret.
    pub fn read(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else { return Ok(Self::default()) };
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
        Self::from_json(&text).map_err(|e| format!("{name}: {e}"))
    }

    /// Reads the object from its text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let shape = r#"wants {"<source>": "<secret>" or ["<secret>", …]}"#;
        let entries: HashMap<String, Entry> =
            serde_json::from_str(text).map_err(|_| shape.to_owned())?;
        let mut secrets = HashMap::new();
        for (source, entry) in entries {
            let list = match entry {
                Entry::One(secret) => vec![secret],
                Entry::Several(list) => list,
            };
            if list.is_empty() || list.iter().any(String::is_empty) {
                return Err(format!("the secret of {source} is empty"));
            }
            if let Some(wants) = wants(&source).filter(|(_, fits)| !list.iter().all(|s| fits(s))) {
                return Err(format!("the secret of {source}: {}", wants.0));
            }
            secrets.insert(source, list.into_iter().map(SecretString::from).collect());
        }
        Ok(Self(secrets))
    }

    /// The secret that a source is asked with: `<source>:ask`, the newest of several.
    #[must_use]
    pub fn to_ask(&self, source: &str) -> Option<&SecretString> {
        self.of(&format!("{source}:ask")).first()
    }

    /// What may stand in the address of a source that does not sign. Of one that may sign it is
    /// `<source>:address`: proxies log addresses, and what signs should not stand there. Where there is no
    /// such secret, the shop has but one.
    #[must_use]
    pub fn of_address(&self, source: &str) -> &[SecretString] {
        match self.of(&format!("{source}:address")) {
            [] => self.of(source),
            own => own,
        }
    }

    /// Is the webhook of a source in use?
    #[must_use]
    pub fn is_in_use(&self, source: &str) -> bool {
        !self.of_address(source).is_empty()
    }

    /// The secrets of a source; none when its webhook is not in use.
    #[must_use]
    pub fn of(&self, source: &str) -> &[SecretString] {
        self.0.get(source).map_or(&[], Vec::as_slice)
    }
}
