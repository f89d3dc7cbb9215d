//! One call, and what came of it.

use crate::question::{Call, Template};
use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Longest answer.
const MOST_BYTES: usize = 1 << 20;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It answered, with this content type.
    Answer(Bytes, Option<String>),
    /// It does not know the number (yet).
    Unknown,
    /// It wants us to wait.
    Wait(Option<Duration>),
    /// It refuses us: a secret that it does not take, a call that it does not understand.
    Refused(u16),
    /// It is away, slow or broken.
    Away(&'static str),
}

impl Outcome {
    /// For the metric.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Answer(..) => "answer",
            Self::Unknown => "unknown",
            Self::Wait(_) => "wait",
            Self::Refused(_) => "refused",
            Self::Away(_) => "away",
        }
    }
}

/// A client that follows nobody anywhere else: a redirect is an answer that is not understood.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(10))
        .user_agent(concat!("milepost/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Calls.
pub(super) async fn ask(
    client: &Client,
    template: &Template,
    secret: Option<&SecretString>,
    call: Call,
) -> Outcome {
    let mut request = match call.body {
        Some(body) => client.post(call.url).header(CONTENT_TYPE, "application/json").body(body),
        None => client.get(call.url),
    };
    if let (Some((name, prefix)), Some(secret)) = (&template.header, secret) {
        let name = HeaderName::try_from(name.as_str());
        let value = HeaderValue::try_from(format!("{prefix}{}", secret.expose_secret()));
        let (Ok(name), Ok(mut value)) = (name, value) else { return Outcome::Refused(0) };
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(response) => understood(response).await,
        Err(error) if error.is_timeout() => Outcome::Away("timeout"),
        Err(_) => Outcome::Away("connection"),
    }
}

async fn understood(response: Response) -> Outcome {
    let status = response.status();
    match status {
        StatusCode::TOO_MANY_REQUESTS => Outcome::Wait(retry_after(&response)),
        status if status.is_success() => body(response).await,
        status if status.is_server_error() => Outcome::Away("status"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Outcome::Refused(status.as_u16()),
        // A redirect is not followed, and is no answer.
        status if status.is_redirection() => Outcome::Refused(status.as_u16()),
        // Some say 404 of a number that they do not know, some 400.
        _ => Outcome::Unknown,
    }
}

/// Seconds; a date is rare and only means a default wait.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn body(mut response: Response) -> Outcome {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let (kind, mut whole) = (kind.map(str::to_owned), BytesMut::new());
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if whole.len() + chunk.len() > MOST_BYTES => {
                return Outcome::Away("too_long");
            }
            Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
            Ok(None) => return Outcome::Answer(whole.freeze(), kind),
            Err(_) => return Outcome::Away("broken_off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http;

    async fn outcome(status: u16, retry_after: Option<&str>) -> Outcome {
        let mut answer = http::Response::builder().status(status);
        if let Some(wait) = retry_after {
            answer = answer.header(RETRY_AFTER, wait);
        }
        understood(answer.body("{}").expect("an answer").into()).await
    }

    #[tokio::test]
    async fn every_status_means_one_thing() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(outcome(429, Some("120")).await, Outcome::Wait(seconds(120)));
        assert_eq!(outcome(429, Some("Sun, 22 Nov 2026 10:00:00 GMT")).await, Outcome::Wait(None));
        assert_eq!(outcome(429, None).await, Outcome::Wait(None));
        assert_eq!(outcome(200, None).await, Outcome::Answer("{}".into(), None));
        assert_eq!(outcome(302, None).await, Outcome::Refused(302));
        assert_eq!(outcome(401, None).await, Outcome::Refused(401));
        assert_eq!(outcome(404, None).await, Outcome::Unknown);
        assert_eq!(outcome(400, None).await, Outcome::Unknown);
        assert_eq!(outcome(503, Some("5")).await, Outcome::Away("status"));
    }

    #[tokio::test]
    async fn an_answer_without_end_is_no_answer() {
        let long = http::Response::new(vec![b'x'; MOST_BYTES + 1]);
        assert_eq!(understood(long.into()).await, Outcome::Away("too_long"));
    }
}
