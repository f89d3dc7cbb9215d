//! Holds leases on the outbox's lanes: one owner at a time, an equal share for each process.

use crate::shelf::Shelf;
use crate::store::lane::{self, Held};
use crate::store::outbox::LANES;
use service_kit::lifecycle::Lifecycle;
use sqlx::PgPool;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A lease is 5 s long and renewed every second; what is older than this is not trusted.
const TRUST: Duration = Duration::from_secs(4);
/// What is to be given back is looked at so often, in one go, whether somebody still works on it.
const MOMENTS: usize = 25;
/// And after so long again.
const MOMENT: Duration = Duration::from_millis(20);
/// Who has this lane does what one process does for all.
const FIRST: i16 = 0;

/// What is read of a lane is published before somebody else may have it: who publishes in order keeps
/// this for as long as that takes.
#[derive(Debug, Default)]
pub struct Turn {
    lanes: Vec<i16>,
    leaving: Vec<i16>,
}

impl Turn {
    /// The lanes that are one's own.
    #[must_use]
    pub fn lanes(&self) -> &[i16] {
        &self.lanes
    }

    /// With those that are about to be somebody else's: whose order is free goes on with them until then.
    #[must_use]
    pub fn with_leaving(&self) -> Vec<i16> {
        [self.lanes.as_slice(), &self.leaving].concat()
    }

    /// Is it for this process to do what one does for all? Of several it is for the one that has the first lane.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.lanes.contains(&FIRST)
    }

    /// Is there surely no other process that publishes? (Not so while nothing is surely held.)
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.lanes.len() == usize::from(LANES.unsigned_abs())
    }
}

/// The lanes that this process holds; cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    held: watch::Receiver<(Instant, Arc<Turn>)>,
}

impl Lanes {
    /// Keeps taking and renewing (and the shelf knowing) until the soft stop, then gives everything back.
    #[must_use]
    pub fn keep(life: &Lifecycle, pool: PgPool, shelf: Shelf, name: String) -> Self {
        let (tell, held) = watch::channel((Instant::now(), Arc::default()));
        let keeper = Keeper { pool, shelf, tell, owner: Uuid::now_v7(), name, turns: Vec::new() };
        let soft = life.soft().clone();
        life.spawn("lanes", keeper.run(soft));
        Self { held }
    }

    /// The lanes that are surely held now.
    #[must_use]
    pub fn held(&self) -> Arc<Turn> {
        let held = self.held.borrow();
        if held.0.elapsed() < TRUST { held.1.clone() } else { Arc::default() }
    }
}

/// Takes, renews and gives back.
struct Keeper {
    pool: PgPool,
    shelf: Shelf,
    tell: watch::Sender<(Instant, Arc<Turn>)>,
    owner: Uuid,
    /// Among its equals.
    name: String,
    /// Those that may still be worked on.
    turns: Vec<Weak<Turn>>,
}

impl Keeper {
    async fn run(mut self, soft: CancellationToken) {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = soft.cancelled() => break,
            }
            if let Err(error) = self.renew().await {
                tracing::warn!(%error, "lanes cannot be renewed");
            }
        }
        if let Err(error) = lane::leave(&self.pool, self.owner).await {
            tracing::warn!(%error, "lanes end by themselves");
        }
    }

    /// Takes what is one's share; what is somebody else's is given back once nobody works on it: until
    /// then it is tried again at each tick.
    async fn renew(&mut self) -> Result<(), sqlx::Error> {
        let asked = Instant::now();
        let Held { lanes, leaving } = lane::take(&self.pool, self.owner, &self.name).await?;
        self.serve(asked, lanes.clone(), leaving.clone());
        if leaving.is_empty() || !self.are_idle(&leaving).await {
            return Ok(());
        }
        lane::give_back(&self.pool, self.owner, &leaving).await?;
        self.serve(asked, lanes, Vec::new());
        Ok(())
    }

    fn serve(&mut self, asked: Instant, lanes: Vec<i16>, leaving: Vec<i16>) {
        let turn = Arc::new(Turn { lanes, leaving });
        self.shelf.serve(&turn.with_leaving());
        self.turns.push(Arc::downgrade(&turn));
        self.tell.send_replace((asked, turn));
        self.turns.retain(|turn| turn.strong_count() > 0);
    }

    /// Waits a moment until nobody works on these lanes; tells whether that is so.
    async fn are_idle(&self, lanes: &[i16]) -> bool {
        let busy = |turn: &Weak<Turn>| {
            turn.upgrade().is_some_and(|turn| turn.lanes.iter().any(|lane| lanes.contains(lane)))
        };
        for _ in 0..MOMENTS {
            if !self.turns.iter().any(busy) {
                return true;
            }
            tokio::time::sleep(MOMENT).await;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lane_stays_until_nobody_publishes_it_and_pages_see_it_meanwhile() {
        let pool = PgPool::connect_lazy("postgres://nobody.invalid/none").unwrap();
        let (tell, held) = watch::channel((Instant::now(), Arc::default()));
        let (shelf, owner) = (Shelf::default(), Uuid::nil());
        let mut keeper =
            Keeper { pool, shelf, tell, owner, name: String::new(), turns: Vec::new() };
        let lanes = Lanes { held };
        keeper.serve(Instant::now(), vec![0, 1], Vec::new());
        let publishes = lanes.held();
        assert_eq!(publishes.lanes(), [0, 1]);
        assert!(publishes.leads() && !publishes.is_all(), "somebody has the others");
        keeper.serve(Instant::now(), vec![0], vec![1]);
        assert_eq!((lanes.held().lanes(), lanes.held().with_leaving()), (&[0][..], vec![0, 1]));
        assert!(!keeper.are_idle(&[1]).await, "somebody has begun before");
        drop(publishes);
        keeper.serve(Instant::now(), vec![2], vec![0]);
        assert!(!lanes.held().leads(), "somebody else is going to");
        assert!(keeper.are_idle(&[1]).await);
        keeper.serve(Instant::now(), (0..LANES).collect(), Vec::new());
        assert!(lanes.held().is_all());
    }
}
