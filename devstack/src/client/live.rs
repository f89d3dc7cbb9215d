//! A viewer on a WebSocket.

use super::Seen;
use anyhow::{Context, ensure};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection to `/v1/live`.
pub struct LiveClient {
    write: SplitSink<Socket, Message>,
    read: SplitStream<Socket>,
    /// Why the gateway closed, when it did.
    pub closed: Option<CloseFrame>,
}

impl LiveClient {
    /// Connects without saying who it is.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn open(gateway: &str, origin: Option<&str>) -> anyhow::Result<Self> {
        let mut request =
            format!("{}/v1/live", gateway.replacen("http", "ws", 1)).into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "milepost.v1".parse()?);
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse()?);
        }
        let (socket, _) =
            tokio_tungstenite::connect_async(request).await.context("the gateway refuses")?;
        let (write, read) = socket.split();
        Ok(Self { write, read, closed: None })
    }

    /// Connects and says who it is.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn connect(gateway: &str, token: &str) -> anyhow::Result<Self> {
        let mut client = Self::open(gateway, None).await?;
        client.send(&json!({"op": "hello", "token": token})).await?;
        let welcome = client.wait(Duration::from_secs(5), |seen| seen.op() == "welcome").await?;
        ensure!(welcome.frame["heartbeat_ms"].is_u64(), "a welcome without a heartbeat");
        Ok(client)
    }

    /// Watches a channel and returns the answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn subscribe(&mut self, channel: &str, since: Option<u64>) -> anyhow::Result<Seen> {
        self.send(&json!({"op": "subscribe", "id": 1, "channel": channel, "since": since})).await?;
        self.wait(Duration::from_secs(10), |seen| {
            seen.about(channel) && matches!(seen.op(), "snapshot" | "same") || seen.op() == "error"
        })
        .await
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, frame: &Value) -> anyhow::Result<()> {
        self.send_raw(Message::text(frame.to_string())).await
    }

    /// Sends anything.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send_raw(&mut self, message: Message) -> anyhow::Result<()> {
        Ok(self.write.send(message).await?)
    }

    /// The next frame; none when the connection ended.
    pub async fn next(&mut self) -> Option<Seen> {
        while let Some(Ok(message)) = self.read.next().await {
            match message {
                Message::Text(text) => {
                    let frame = serde_json::from_str(&text).unwrap_or_default();
                    return Some(Seen { at: Instant::now(), frame });
                }
                Message::Close(frame) => self.closed = frame,
                _ => {}
            }
        }
        None
    }

    /// Waits for a frame and passes over others.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait(
        &mut self,
        limit: Duration,
        wanted: impl Fn(&Seen) -> bool,
    ) -> anyhow::Result<Seen> {
        let search = async {
            while let Some(seen) = self.next().await {
                if wanted(&seen) {
                    return Some(seen);
                }
            }
            None
        };
        let found =
            tokio::time::timeout(limit, search).await.context("the frame did not come in time")?;
        found.with_context(|| format!("the connection ended: {:?}", self.closed))
    }

    /// Waits for a version of a channel.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait_version(
        &mut self,
        channel: &str,
        version: u64,
        limit: Duration,
    ) -> anyhow::Result<Seen> {
        let wanted = |seen: &Seen| seen.about(channel) && seen.version() >= version;
        self.wait(limit, wanted).await.with_context(|| format!("{channel} did not reach {version}"))
    }

    /// Waits for the end and returns the close code.
    ///
    /// # Errors
    /// When the connection stays.
    pub async fn wait_close(&mut self, limit: Duration) -> anyhow::Result<u16> {
        let end = async { while self.next().await.is_some() {} };
        tokio::time::timeout(limit, end).await.context("the connection stays")?;
        self.closed
            .as_ref()
            .map(|frame| frame.code.into())
            .context("it ended without a close frame")
    }
}
