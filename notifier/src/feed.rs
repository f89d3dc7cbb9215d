//! Publishes feeds on the live bus: whole state, growing version; a second publish is harmless.

use crate::store::feed;
use contract::feed::{FeedState, LIVE_ITEMS};
use service_kit::clock;
use service_kit::health::Health;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::{LivePublisher, LiveState};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Feeds that are taken at a time.
const PORTION: i64 = 100;

/// Publishes until the soft stop.
pub fn start(
    life: &Lifecycle,
    pool: PgPool,
    live: LivePublisher,
    changed: Arc<Notify>,
    health: Health,
) {
    let soft = life.soft().clone();
    life.spawn("feed", async move {
        let work = async {
            loop {
                match portion(&pool, &live).await {
                    Ok(full) => {
                        health.good("feed");
                        if !full {
                            tokio::select! {
                                () = changed.notified() => {}
                                () = tokio::time::sleep(Duration::from_millis(200)) => {}
                            }
                        }
                    }
                    Err(error) => {
                        health.bad("feed", "cannot publish");
                        tracing::warn!(error, "publishing feeds is tried again");
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = soft.cancelled() => {}
        }
    });
}

/// Publishes one portion; tells whether it was a full one.
async fn portion(pool: &PgPool, live: &LivePublisher) -> Result<bool, String> {
    let customers = feed::unpublished(pool, PORTION).await.map_err(|e| e.to_string())?;
    // Of a Redis Cluster one node may be away: the others' feeds are published all the same.
    let mut refused = Ok(());
    for customer in &customers {
        let page = feed::page(pool, customer, None, LIVE_ITEMS).await.map_err(|e| e.to_string())?;
        let (items, unread, version) = page;
        let state = LiveState {
            channel: format!("inbox:{customer}"),
            version: u64::try_from(version).unwrap_or(0),
            data: serde_json::to_string(&FeedState { unread, items })
                .map_err(|e| e.to_string())?
                .into(),
            traceparent: None,
        };
        let told = live.publish(&[state], clock::now().timestamp_millis()).await;
        if let Err(error) = told {
            refused = Err(error.to_string());
            continue;
        }
        feed::published(pool, customer, version).await.map_err(|e| e.to_string())?;
    }
    refused?;
    Ok(customers.len() == usize::try_from(PORTION).unwrap_or(0))
}
