//! The services that own the channels' states: asked when nobody else knows.

use super::{Unanswered, state};
use crate::metric;
use crate::state::State;
use crate::upstream::Upstream;
use axum::http::Method;
use chrono::TimeDelta;
use contract::feed::{FeedPage, FeedState};
use contract::name::Channel;
use service_kit::auth::Auth;
use service_kit::clock;
use service_kit::token::{SCOPE_INBOX, SCOPE_TIMELINE};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Questions to the services at a time.
const QUESTIONS: usize = 32;

/// Version (`ETag`) and body.
type Told = Option<(u64, String)>;

/// The owners; cheap to clone.
#[derive(Clone)]
pub(super) struct Owners {
    aggregator: Upstream,
    notifier: Upstream,
    auth: Arc<Auth>,
    room: Arc<Semaphore>,
}

impl Owners {
    pub(super) fn new([aggregator, notifier]: [Upstream; 2], auth: Arc<Auth>) -> Self {
        Self { aggregator, notifier, auth, room: Arc::new(Semaphore::new(QUESTIONS)) }
    }

    /// The newest state of a channel; none when nothing has happened there yet.
    pub(super) async fn ask(&self, channel: &Channel) -> Result<Option<State>, Unanswered> {
        let _room = self.room.acquire().await.map_err(|_| Unanswered)?;
        let told = match channel {
            Channel::Order(order) => {
                let token = self.own_token(order.as_str(), SCOPE_TIMELINE)?;
                get(&self.aggregator, &format!("/v1/orders/{order}/timeline"), &token).await?
            }
            Channel::Inbox(customer) => {
                let token = self.own_token(customer.as_str(), SCOPE_INBOX)?;
                let told = get(&self.notifier, "/v1/inbox?limit=20", &token).await?;
                told.and_then(|(version, body)| Some((version, feed(&body)?)))
            }
        };
        metric::snapshot("service");
        Ok(told.and_then(|(version, data)| state(&channel.to_string(), version, data)))
    }

    /// A token for this one question: services trust tokens, not addresses.
    fn own_token(&self, id: &str, scope: &str) -> Result<String, Unanswered> {
        let end = clock::now() + TimeDelta::seconds(30);
        let minted = self.auth.tokens.mint(id, vec![id.to_owned()], vec![scope.to_owned()], end);
        minted.map_err(|_| Unanswered)
    }
}

/// What a service says; nothing when it does not know the thing.
async fn get(service: &Upstream, path: &str, token: &str) -> Result<Told, Unanswered> {
    let sent = service.send(&Method::GET, path, |request| request.bearer_auth(token)).await;
    let response = sent.map_err(|_| Unanswered)?;
    if response.status() == reqwest::StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok());
    let version = tag.and_then(|tag| tag.trim_matches('"').parse().ok());
    let (true, Some(version)) = (response.status().is_success(), version) else {
        return Err(Unanswered);
    };
    Ok(Some((version, response.text().await.map_err(|_| Unanswered)?)))
}

/// The live state of a feed from its first page.
fn feed(body: &str) -> Option<String> {
    let page: FeedPage = serde_json::from_str(body).ok()?;
    serde_json::to_string(&FeedState { unread: page.unread, items: page.items }).ok()
}
