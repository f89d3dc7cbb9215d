//! Keys of back ends and operators, compared in constant time.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::path::Path;
use subtle::ConstantTimeEq;

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The shop's back end: mints tokens, places orders.
    Api,
    /// People who run it: read everything, drive refused records again.
    Operator,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    role: Role,
    key: String,
}

/// The keys that are known.
pub struct ApiKeys {
    keys: Vec<(Role, SecretString)>,
}

impl ApiKeys {
    /// Reads the file: a JSON list of `{"name","role","key"}`.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong, never a key.
    pub fn read(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
        Self::from_json(&text).map_err(|e| format!("{name}: {e}"))
    }

    /// Reads the list from its text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let shape = r#"wants [{"name","role":"api"|"operator","key"}]"#;
        let entries: Vec<Entry> = serde_json::from_str(text).map_err(|_| shape.to_owned())?;
        if let Some(short) = entries.iter().find(|e| e.key.len() < 20) {
            return Err(format!("the key of {} is shorter than 20 characters", short.name));
        }
        Ok(Self { keys: entries.into_iter().map(|e| (e.role, e.key.into())).collect() })
    }

    /// The role of a key. Every key is compared, whatever the result.
    #[must_use]
    pub fn role(&self, given: &str) -> Option<Role> {
        self.keys.iter().fold(None, |found, (role, key)| {
            let same: bool = key.expose_secret().as_bytes().ct_eq(given.as_bytes()).into();
            if same { Some(*role) } else { found }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_role_and_nothing_else_has_one() {
        let text = r#"[{"name":"shop","role":"api","key":"a-key-of-twenty-characters"},
                       {"name":"ops","role":"operator","key":"another-key-of-twenty-chars"}]"#;
        let keys = ApiKeys::from_json(text).unwrap();
        assert_eq!(keys.role("a-key-of-twenty-characters"), Some(Role::Api));
        assert_eq!(keys.role("another-key-of-twenty-chars"), Some(Role::Operator));
        assert_eq!(keys.role("a-key-of-twenty-character"), None);
        assert!(ApiKeys::from_json(r#"[{"name":"x","role":"api","key":"short"}]"#).is_err());
    }
}
