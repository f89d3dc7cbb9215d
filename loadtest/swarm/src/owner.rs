//! The service behind the gateway, as far as viewers need it: it tells the newest state of an order
//! and counts how often it was asked.

use crate::truth::Truth;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;

#[derive(Clone)]
struct Owned {
    truth: Truth,
    asked: Arc<AtomicU64>,
}

/// An owner that answers.
pub(crate) struct Owner {
    pub(crate) url: String,
    asked: Arc<AtomicU64>,
}

impl Owner {
    /// Serves the truth on a free port, until the runtime ends.
    pub(crate) async fn serve(truth: Truth) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (url, asked) = (format!("http://{}", listener.local_addr()?), Arc::default());
        let owned = Owned { truth, asked: Arc::clone(&asked) };
        let router =
            Router::new().route("/v1/orders/{order}/timeline", get(tell)).with_state(owned);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await });
        tasks.detach_all();
        Ok(Self { url, asked })
    }

    /// How often it was asked so far.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }
}

async fn tell(State(owned): State<Owned>, Path(order): Path<String>) -> Response {
    owned.asked.fetch_add(1, Ordering::AcqRel);
    let number = order.strip_prefix("S-").and_then(|n| n.parse::<usize>().ok());
    match number.map(|n| owned.truth.newest(n)) {
        Some(version) if version > 0 => {
            let headers = [
                (header::ETAG, format!("\"{version}\"")),
                (header::CONTENT_TYPE, "application/json".to_owned()),
            ];
            (headers, owned.truth.state(version, 0)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
