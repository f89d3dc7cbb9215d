//! Keys of one run: made anew each time, private files, gone with the run.

use crate::host::folder::{DataFolder, write_private};
use service_kit::token::generate_keys;
use std::path::PathBuf;
use uuid::Uuid;

/// Keys and the files that hold them.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Key of the shop's back end.
    pub api_key: String,
    /// Key of an operator.
    pub operator_key: String,
    /// JWK set of token keys.
    pub token_keys_file: PathBuf,
    /// List of API keys.
    pub api_keys_file: PathBuf,
}

impl Secrets {
    /// Makes keys and writes their files.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn create(folder: &DataFolder) -> anyhow::Result<Self> {
        let key =
            |kind: &str| format!("{kind}_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let (api_key, operator_key) = (key("api"), key("ops"));
        let keys = serde_json::json!([
            {"name": "demo shop", "role": "api", "key": api_key},
            {"name": "demo operator", "role": "operator", "key": operator_key},
        ]);
        let token_keys_file = folder.path().join("token-keys.json");
        let api_keys_file = folder.path().join("api-keys.json");
        write_private(&token_keys_file, &generate_keys("dev-1").map_err(anyhow::Error::msg)?)?;
        write_private(&api_keys_file, &keys.to_string())?;
        Ok(Self { api_key, operator_key, token_keys_file, api_keys_file })
    }
}
