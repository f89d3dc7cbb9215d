//! Keys of one run: made anew each time, private files, gone with the run.

use crate::host::folder::{DataFolder, write_private};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use service_kit::token::generate_keys;
use std::collections::BTreeMap;
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
    /// What vendors sign with, by source.
    pub webhook_secrets: BTreeMap<String, String>,
    /// The same as a file.
    pub webhook_secrets_file: PathBuf,
}

/// Sources that call back; the secrets in the addresses of those that may also sign, and those
/// that sources are asked with.
const VENDORS: [&str; 30] = [
    "shopify",
    "woocommerce",
    "stripe",
    "aftership",
    "easypost",
    "printful",
    "printify",
    "17track",
    "shippo",
    "karrio",
    "gelato",
    "ghn",
    "ghtk",
    "viettelpost",
    "ems",
    "nhattin",
    "ghsv",
    "momo",
    "vnpay",
    "zalopay",
    "cloudevents",
    "debezium",
    "epcis",
    "lotus",
    "heron",
    "printful:address",
    "shippo:address",
    "ghn:ask",
    "printful:ask",
    "heron:ask",
];

/// A secret of the kind that the vendor gives out.
fn vendor_secret(vendor: &str) -> String {
    let random = || Uuid::new_v4().simple().to_string();
    match vendor {
        "cloudevents" | "debezium" | "epcis" => {
            format!("whsec_{}", STANDARD.encode(Uuid::new_v4().as_bytes()))
        }
        "stripe" => format!("whsec_{}", random()),
        "momo" => format!("{}:{}", random(), random()),
        _ => random(),
    }
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
        let webhook_secrets: BTreeMap<String, String> =
            VENDORS.iter().map(|vendor| ((*vendor).to_owned(), vendor_secret(vendor))).collect();
        let webhook_secrets_file = folder.path().join("webhook-secrets.json");
        write_private(&webhook_secrets_file, &serde_json::to_string(&webhook_secrets)?)?;
        Ok(Self {
            api_key,
            operator_key,
            token_keys_file,
            api_keys_file,
            webhook_secrets,
            webhook_secrets_file,
        })
    }
}
