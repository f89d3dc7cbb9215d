//! x
use crate::manifest::Manifest;
/// x
pub async fn check(_m: &Manifest) -> anyhow::Result<()> { anyhow::bail!("later") }
