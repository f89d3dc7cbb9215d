//! One key, as a JWK names it (RFC 7517, 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::Deserialize;

pub(super) struct Key {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Option<EncodingKey>,
    pub(super) decoding: DecodingKey,
}

#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    kid: String,
    #[serde(default)]
    crv: Option<String>,
    /// Public part of an Ed25519 key.
    #[serde(default)]
    x: Option<String>,
    /// Private seed of an Ed25519 key.
    #[serde(default)]
    d: Option<String>,
    /// Secret of an HS256 key.
    #[serde(default)]
    k: Option<String>,
}

/// RFC 8410: what stands before the 32 bytes of an Ed25519 seed in PKCS #8.
const PKCS8_ED25519: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

impl Key {
    pub(super) fn read(jwk: &Jwk) -> Result<Self, String> {
        let bytes = |part: &Option<String>, name: &str| {
            let text =
                part.as_ref().ok_or_else(|| format!("key {}: {name} is missing", jwk.kid))?;
            B64.decode(text).map_err(|_| format!("key {}: {name} is no base64url", jwk.kid))
        };
        match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("oct", _) => {
                let secret = bytes(&jwk.k, "k")?;
                if secret.len() < 32 {
                    return Err(format!("key {}: an HS256 secret has at least 32 bytes", jwk.kid));
                }
                let encoding = Some(EncodingKey::from_secret(&secret));
                let decoding = DecodingKey::from_secret(&secret);
                Ok(Self { kid: jwk.kid.clone(), algorithm: Algorithm::HS256, encoding, decoding })
            }
            ("OKP", Some("Ed25519")) => {
                let encoding = match &jwk.d {
                    None => None,
                    Some(_) => Some(ed25519(&bytes(&jwk.d, "d")?, &jwk.kid)?),
                };
                let public =
                    jwk.x.as_deref().ok_or_else(|| format!("key {}: x is missing", jwk.kid))?;
                let decoding = DecodingKey::from_ed_components(public)
                    .map_err(|_| format!("key {}: x is no Ed25519 point", jwk.kid))?;
                Ok(Self { kid: jwk.kid.clone(), algorithm: Algorithm::EdDSA, encoding, decoding })
            }
            (kind, _) => {
                Err(format!("key {}: kind {kind} is not supported (OKP Ed25519, oct)", jwk.kid))
            }
        }
    }
}

fn ed25519(seed: &[u8], kid: &str) -> Result<EncodingKey, String> {
    if seed.len() != 32 {
        return Err(format!("key {kid}: d has 32 bytes"));
    }
    Ok(EncodingKey::from_ed_der(&[&PKCS8_ED25519, seed].concat()))
}
