//! The back end of the demo page: begins orders and gets tokens for whoever placed them, as a
//! real shop's back end would.

use super::life::Kind;
use super::people::Person;
use super::player::{Begun, Player};
use anyhow::Context;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// What the routes work on.
#[derive(Clone)]
struct Counter {
    player: Player,
    client: reqwest::Client,
    tokens: String,
    api_key: String,
}

/// `POST /shop/orders`, `GET /shop/orders`, `POST /shop/orders/{order}/token`.
///
/// # Errors
/// When no HTTP client can be made.
pub fn router(player: Player, gateway: &str, api_key: &str) -> anyhow::Result<Router> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build();
    let client = client.context("no HTTP client")?;
    let counter = Counter {
        player,
        client,
        tokens: format!("{gateway}/v1/tokens"),
        api_key: api_key.to_owned(),
    };
    Ok(Router::new()
        .route("/shop/orders", get(list).post(place))
        .route("/shop/orders/{order}/token", post(renew))
        .with_state(counter))
}

#[derive(Deserialize)]
struct Wish {
    life: Kind,
    #[serde(default)]
    locale: Option<String>,
    customer: String,
}

async fn list(State(counter): State<Counter>) -> Json<Vec<Begun>> {
    Json(counter.player.begun())
}

async fn place(
    State(counter): State<Counter>,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Json<Value>), StatusCode> {
    let locale = if wish.locale.as_deref() == Some("en") { "en" } else { "vi" };
    let person = Person::number(0).speaking(locale, wish.customer);
    let begun = counter.player.begin(wish.life, &person);
    let token = counter.token(&begun.customer, &begun.order).await?;
    Ok((
        StatusCode::CREATED,
        Json(json!({"order": begun.order, "customer": begun.customer, "token": token})),
    ))
}

#[derive(Deserialize)]
struct Whose {
    customer: String,
}

async fn renew(
    State(counter): State<Counter>,
    Path(order): Path<String>,
    Json(whose): Json<Whose>,
) -> Result<Json<Value>, StatusCode> {
    Ok(Json(json!({"token": counter.token(&whose.customer, &order).await?})))
}

impl Counter {
    async fn token(&self, customer: &str, order: &str) -> Result<String, StatusCode> {
        let wanted = json!({"subject": customer, "orders": [order], "scope": ["timeline", "inbox"], "ttl_seconds": 900});
        let answer =
            self.client.post(&self.tokens).bearer_auth(&self.api_key).json(&wanted).send().await;
        let answer = answer.map_err(|_| StatusCode::BAD_GATEWAY)?;
        let body: Value = answer.json().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
        body["token"].as_str().map(str::to_owned).ok_or(StatusCode::BAD_GATEWAY)
    }
}
