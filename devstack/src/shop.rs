//! A simulated shop: orders with real lives, told in the native forms of its systems.
//!
//! `catalog` and `people` are its goods and customers; `native` writes records as the real
//! systems would; `life` is what can happen to an order; `arrival` shuffles and repeats; `player`
//! plays it into Kafka; `counter` is the back end of the demo page.

pub mod catalog;
pub mod people;
pub mod native;
pub mod life;
pub mod arrival;
pub mod player;
pub mod counter;

use anyhow::Context;
use axum::Router;
use player::Player;
use service_kit::kafka::Producer;
use service_kit::lifecycle::Lifecycle;

/// What the shop is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The gateway that gives tokens.
    pub gateway: String,
    /// Key of the shop's back end.
    pub api_key: String,
    /// Orders to keep alive.
    pub orders: u32,
    /// Speed of a life.
    pub speed: Option<f64>,
}

/// Starts the simulated shop beside the fakes and adds its routes.
///
/// # Errors
/// When no Kafka is given.
pub fn serve(
    life: &Lifecycle,
    settings: &Settings,
    kafka: Option<&str>,
    router: Router,
) -> anyhow::Result<Router> {
    let brokers = kafka.context("the simulated shop needs KAFKA_BROKERS")?;
    let producer = Producer::new(brokers, "simulated-shop")?;
    let player = Player::new(life.clone(), producer, settings.speed);
    if settings.orders > 0 {
        player.clone().keep_alive(settings.orders);
    }
    Ok(router.merge(counter::router(player, &settings.gateway, &settings.api_key)?))
}
