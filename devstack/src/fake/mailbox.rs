//! The mail box for people: what arrived, newest first, each letter as its reader sees it.

use super::ledger::Ledger;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;

const HEAD: &str = "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>\
<title>Mail box</title><style>body{font:16px/1.5 system-ui;max-width:45rem;margin:2rem auto;padding:0 1rem}\
li{margin:.5rem 0}small{color:#52606d}</style><h1>Mail box</h1><ul>";

/// `/mailbox` and its letters.
pub(super) fn router(ledger: Ledger) -> Router {
    Router::new()
        .route("/mailbox", get(list))
        .route("/mailbox/{number}", get(letter))
        .with_state(ledger)
}

async fn list(State(ledger): State<Ledger>) -> Html<String> {
    let letters = ledger.list(Some("email"), None);
    let mut page = HEAD.to_owned();
    for (number, letter) in letters.iter().enumerate().rev().take(200) {
        let subject = escape(letter.message["subject"].as_str().unwrap_or("(no subject)"));
        let (to, at) = (escape(&letter.recipient), letter.at.format("%H:%M:%S"));
        page.push_str(&format!(
            "<li><a href='/mailbox/{number}'>{subject}</a><br><small>{to} · {at} UTC</small>"
        ));
    }
    Html(page)
}

async fn letter(
    State(ledger): State<Ledger>,
    Path(number): Path<usize>,
) -> Result<Html<String>, StatusCode> {
    let letters = ledger.list(Some("email"), None);
    let letter = letters.get(number).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Html(letter.message["html"].as_str().unwrap_or_default().to_owned()))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&#39;")
}
