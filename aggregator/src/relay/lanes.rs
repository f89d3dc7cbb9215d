//! Holds leases on the outbox's lanes: one owner at a time.

use crate::shelf::Shelf;
use crate::store::lane;
use service_kit::lifecycle::Lifecycle;
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

/// A lease is 5 s long and renewed every second; what is older than this is not trusted.
const TRUST: Duration = Duration::from_secs(4);

/// The lanes that this process holds; cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    held: watch::Receiver<(Instant, Vec<i16>)>,
}

impl Lanes {
    /// Keeps taking and renewing (and the shelf knowing) until the soft stop, then gives everything back.
    #[must_use]
    pub fn keep(life: &Lifecycle, pool: PgPool, shelf: Shelf) -> Self {
        let (tell, held) = watch::channel((Instant::now(), Vec::new()));
        let (soft, owner) = (life.soft().clone(), Uuid::now_v7());
        life.spawn("lanes", async move {
            let mut tick = tokio::time::interval(Duration::from_secs(1));
            loop {
                tokio::select! {
                    _ = tick.tick() => {}
                    () = soft.cancelled() => break,
                }
                let asked = Instant::now();
                match lane::take(&pool, owner).await {
                    Ok(lanes) => {
                        shelf.serve(&lanes);
                        tell.send_replace((asked, lanes))
                    }
                    Err(error) => {
                        tracing::warn!(%error, "lanes cannot be renewed");
                        continue;
                    }
                };
            }
            if let Err(error) = lane::give_back(&pool, owner).await {
                tracing::warn!(%error, "lanes end by themselves");
            }
        });
        Self { held }
    }

    /// The lanes that are surely held now.
    #[must_use]
    pub fn held(&self) -> Vec<i16> {
        let held = self.held.borrow();
        if held.0.elapsed() < TRUST { held.1.clone() } else { Vec::new() }
    }
}
