//! Reads of timelines. What is asked while the database is busy with others is one question to it: many
//! pages that come back at once cost little more than one.

use crate::store::timeline;
use contract::id::OrderId;
use service_kit::lifecycle::Lifecycle;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

/// Questions that are with the database at the same time. The more there are, the fewer orders share one.
const AT_ONCE: usize = 2;
/// Orders in a question at most.
const MOST: usize = 100;
/// So many wait for a question; whoever comes then waits to wait.
const WAITING: usize = 1_000;
/// Nobody is kept waiting for longer: the gateway that asks has given up by then.
const LONGEST: Duration = Duration::from_secs(5);

/// A version, and the JSON of the timeline; none of an order that has none.
type Found = Option<(i64, String)>;

/// An order, and who wants its timeline.
type Ask = (OrderId, oneshot::Sender<Result<Found, Away>>);

/// The database does not answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Away;

/// Asks for whoever asks it; cheap to clone.
#[derive(Clone)]
pub struct Reader(mpsc::Sender<Ask>);

impl Reader {
    /// Reads from here, until nobody asks any more.
    #[must_use]
    pub fn start(life: &Lifecycle, pool: &PgPool) -> Self {
        let (asker, asks) = mpsc::channel(WAITING);
        let asks = Arc::new(Mutex::new(asks));
        for _ in 0..AT_ONCE {
            life.spawn_behind("reading", run(pool.clone(), asks.clone()));
        }
        Self(asker)
    }

    /// The timeline of an order.
    pub(super) async fn read(&self, order: OrderId) -> Result<Found, Away> {
        let asked = async {
            let (tell, told) = oneshot::channel();
            self.0.send((order, tell)).await.map_err(|_| Away)?;
            told.await.map_err(|_| Away)?
        };
        timeout(LONGEST, asked).await.unwrap_or(Err(Away))
    }
}

/// Takes what is asked by now, for as long as somebody may ask.
async fn run(pool: PgPool, asks: Arc<Mutex<mpsc::Receiver<Ask>>>) {
    let mut taken = Vec::new();
    while asks.lock().await.recv_many(&mut taken, MOST).await > 0 {
        // While the database was away many have gone: it is not asked for them.
        taken.retain(|(_, tell)| !tell.is_closed());
        if !taken.is_empty() {
            answer(&pool, std::mem::take(&mut taken)).await;
        }
    }
}

/// Asks once, and tells everybody who is still there.
async fn answer(pool: &PgPool, asks: Vec<Ask>) {
    let orders: Vec<String> = asks.iter().map(|(order, _)| order.to_string()).collect();
    // A server whose machine is gone says nothing for long: the next ask goes over another connection.
    let found = match timeout(LONGEST, timeline::read(pool, &orders)).await {
        Ok(found) => found.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LONGEST.as_secs())),
    };
    if let Err(error) = &found {
        tracing::error!(error, orders = orders.len(), "timelines cannot be read");
    }
    for (order, tell) in asks {
        let theirs = found.as_ref().map(|all| all.get(order.as_str()).cloned());
        let _ = tell.send(theirs.map_err(|_: &String| Away));
    }
}
