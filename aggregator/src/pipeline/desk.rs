//! Connections that batches are written over, kept from one batch to the next: a pool asks a connection whether it is
//! there each time that it comes back, and takes the room from it in which the last batch was sent.

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many are kept: as many batches are stored side by side.
const MOST: usize = 4;
/// One that was used this long ago goes back to the pool, which asks whether it is still there.
const FRESH: Duration = Duration::from_secs(1);

/// A connection, and since when nobody has it.
type Desk = (Instant, PoolConnection<Postgres>);

/// The connections, the one that was used last on top; cheap to clone.
#[derive(Clone)]
pub struct Desks {
    pool: PgPool,
    free: Arc<Mutex<Vec<Desk>>>,
}

impl Desks {
    /// None yet.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, free: Arc::default() }
    }

    /// One that was used a moment ago, or one of the pool's.
    pub(super) async fn take(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let kept = self.newest();
        match kept {
            Some(desk) => Ok(desk),
            None => self.pool.acquire().await,
        }
    }

    /// For the next batch. After an error nobody puts one back: the pool looks at it.
    pub(super) fn put_back(&self, desk: PoolConnection<Postgres>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MOST {
            free.push((Instant::now(), desk));
        }
    }

    /// The newest one; where that is old, so are all.
    fn newest(&self) -> Option<PoolConnection<Postgres>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, desk) = free.pop()?;
        if since.elapsed() < FRESH {
            return Some(desk);
        }
        free.clear();
        None
    }
}
