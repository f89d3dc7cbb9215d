//! Control of the fakes: the ledger, the scripts, and a mail box for people.

use super::ledger::{Effect, Ledger};
use super::mailbox;
use super::script::{Script, Scripts};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;

/// What the routes work on.
#[derive(Clone)]
struct Control {
    ledger: Ledger,
    scripts: Scripts,
}

#[derive(Deserialize)]
struct Wanted {
    channel: Option<String>,
    recipient: Option<String>,
}

/// `/ledger`, `/script/{provider}`, `/mailbox`.
pub fn router(ledger: Ledger, scripts: Scripts) -> Router {
    let people = mailbox::router(ledger.clone());
    Router::new()
        .route("/ledger", get(list).delete(clear))
        .route("/script/{provider}", put(script))
        .with_state(Control { ledger, scripts })
        .merge(people)
}

async fn list(State(control): State<Control>, Query(wanted): Query<Wanted>) -> Json<Vec<Effect>> {
    Json(control.ledger.list(wanted.channel.as_deref(), wanted.recipient.as_deref()))
}

async fn clear(State(control): State<Control>) -> StatusCode {
    control.ledger.clear();
    StatusCode::NO_CONTENT
}

async fn script(
    State(control): State<Control>,
    Path(provider): Path<String>,
    Json(script): Json<Script>,
) -> StatusCode {
    control.scripts.put(&provider, script);
    StatusCode::NO_CONTENT
}
