//! REST, through a gateway; and the mail box of the fakes.

use crate::manifest::Manifest;
use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// A client of one stack.
#[derive(Debug, Clone)]
pub struct Rest {
    client: reqwest::Client,
    manifest: Manifest,
}

/// A letter that a customer got.
#[derive(Debug, Clone, Deserialize)]
pub struct Letter {
    /// Its Message-ID.
    pub dedupe: String,
    /// How often the server took it.
    pub accepts: u32,
    /// Subject, text, HTML, headers.
    pub message: Value,
}

impl Letter {
    /// The milestone that it tells.
    #[must_use]
    pub fn milestone(&self) -> &str {
        self.message["headers"]["X-Milepost-Milestone"].as_str().unwrap_or_default()
    }

    /// The order that it is about.
    #[must_use]
    pub fn order(&self) -> &str {
        self.message["headers"]["X-Milepost-Order"].as_str().unwrap_or_default()
    }
}

impl Rest {
    /// A client.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(manifest: Manifest) -> anyhow::Result<Self> {
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        Ok(Self { client, manifest })
    }

    /// A viewer's token for some orders.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn token(&self, customer: &str, orders: &[&str]) -> anyhow::Result<String> {
        let url = format!("{}/v1/tokens", self.manifest.gateways[0]);
        let wanted = json!({"subject": customer, "orders": orders, "scope": ["timeline", "inbox"], "ttl_seconds": 3600});
        let answer =
            self.client.post(url).bearer_auth(&self.manifest.api_key).json(&wanted).send().await?;
        ensure!(answer.status() == 201, "a token is refused: {}", answer.text().await?);
        let body: Value = answer.json().await?;
        body["token"].as_str().map(str::to_owned).context("no token in the answer")
    }

    /// The timeline of an order, as an operator; none while it is unknown.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn timeline(&self, order: &str) -> anyhow::Result<Option<Value>> {
        let url = format!("{}/v1/orders/{order}/timeline", self.manifest.gateways[0]);
        let answer = self.client.get(url).bearer_auth(&self.manifest.operator_key).send().await?;
        match answer.status().as_u16() {
            200 => Ok(Some(answer.json().await?)),
            404 => Ok(None),
            other => anyhow::bail!("the timeline answers {other}"),
        }
    }

    /// Waits for a version of a timeline and returns it.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait_version(
        &self,
        order: &str,
        version: u64,
        limit: Duration,
    ) -> anyhow::Result<Value> {
        let end = Instant::now() + limit;
        loop {
            let timeline = self.timeline(order).await?.unwrap_or_default();
            if timeline["version"].as_u64().unwrap_or(0) >= version {
                return Ok(timeline);
            }
            ensure!(
                Instant::now() < end,
                "{order} is at {}, not at {version}",
                timeline["version"]
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The first page of a customer's feed.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn inbox(&self, token: &str) -> anyhow::Result<Value> {
        let url = format!("{}/v1/inbox", self.manifest.gateways[1]);
        let answer = self.client.get(url).bearer_auth(token).send().await?;
        ensure!(answer.status() == 200, "the feed answers {}", answer.status());
        Ok(answer.json().await?)
    }

    /// The letters of a recipient; of all without one.
    ///
    /// # Errors
    /// When the fakes do not answer.
    pub async fn letters(&self, recipient: Option<&str>) -> anyhow::Result<Vec<Letter>> {
        let mut url = format!("{}/ledger?channel=email", self.manifest.fakes);
        if let Some(recipient) = recipient {
            url.push_str(&format!("&recipient={recipient}"));
        }
        Ok(self.client.get(url).send().await?.json().await?)
    }

    /// Waits for the letter of a milestone.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait_letter(
        &self,
        recipient: &str,
        milestone: &str,
        limit: Duration,
    ) -> anyhow::Result<Letter> {
        let end = Instant::now() + limit;
        loop {
            let letters = self.letters(Some(recipient)).await?;
            if let Some(letter) = letters.into_iter().find(|l| l.milestone() == milestone) {
                return Ok(letter);
            }
            ensure!(Instant::now() < end, "no letter tells {recipient} of {milestone}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Gives a provider its next answers.
    ///
    /// # Errors
    /// When the fakes do not answer.
    pub async fn script(&self, provider: &str, script: &Value) -> anyhow::Result<()> {
        let url = format!("{}/script/{provider}", self.manifest.fakes);
        self.client.put(url).json(script).send().await?.error_for_status()?;
        Ok(())
    }

    /// Any request to a gateway, for what has no method of its own.
    pub fn request(
        &self,
        method: reqwest::Method,
        gateway: usize,
        path: &str,
    ) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.manifest.gateways[gateway]))
    }
}
