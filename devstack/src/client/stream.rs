//! A viewer on server-sent events.

use super::Seen;
use anyhow::{Context, ensure};
use futures_util::{Stream, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;

type Bytes = Pin<Box<dyn Stream<Item = reqwest::Result<axum::body::Bytes>> + Send>>;

/// A connection to `/v1/live/sse`.
pub struct StreamClient {
    bytes: Bytes,
    buffer: String,
    /// The last `id:`.
    pub last_id: String,
}

impl StreamClient {
    /// Opens a stream of one channel.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn connect(gateway: &str, token: &str, channel: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("{gateway}/v1/live/sse?channel={channel}");
        let answer = client.get(url).bearer_auth(token).send().await?;
        ensure!(answer.status() == 200, "the stream answers {}", answer.status());
        Ok(Self {
            bytes: Box::pin(answer.bytes_stream()),
            buffer: String::new(),
            last_id: String::new(),
        })
    }

    /// The next event; none when the stream ended.
    pub async fn next(&mut self) -> Option<Seen> {
        loop {
            if let Some((block, rest)) =
                self.buffer.split_once("\n\n").map(|(b, r)| (b.to_owned(), r.to_owned()))
            {
                self.buffer = rest;
                let field =
                    |name: &str| block.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
                if let Some(id) = field("id:") {
                    id.clone_into(&mut self.last_id);
                }
                if let Some(data) = field("data:") {
                    return Some(Seen {
                        at: Instant::now(),
                        frame: serde_json::from_str(data).unwrap_or_default(),
                    });
                }
                continue;
            }
            let chunk = self.bytes.next().await?.ok()?;
            self.buffer.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// Waits for a version.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait_version(&mut self, version: u64, limit: Duration) -> anyhow::Result<Seen> {
        let search = async {
            while let Some(seen) = self.next().await {
                if seen.version() >= version {
                    return Some(seen);
                }
            }
            None
        };
        let found =
            tokio::time::timeout(limit, search).await.context("the event did not come in time")?;
        found.context("the stream ended")
    }
}
