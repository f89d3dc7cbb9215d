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
pub struct Control {
    pub(super) ledger: Ledger,
    scripts: Scripts,
}

#[derive(Deserialize)]
struct Wanted {
    channel: Option<String>,
    recipient: Option<String>,
}

/// `/ledger`, `/script/{provider}`, `/mailbox`.
pub fn router(ledger: Ledger, scripts: Scripts) -> Router {
    Router::new()
        .route("/ledger", get(list).delete(clear))
        .route("/script/{provider}", put(script))
        .route("/mailbox", get(mailbox::list))
        .route("/mailbox/{number}", get(mailbox::letter))
        .with_state(Control { ledger, scripts })
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
