//! Sends viewers to other gateways: all of them when this one stops, spread over a window so that they
//! do not come back at once; and each at its age, so that a gateway that was added gets its share of
//! those who stay for hours.

use crate::hub::{Hub, Viewer};
use crate::metric;
use contract::live::Close;
use service_kit::lifecycle::Lifecycle;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// When one who comes now shall go: at a random moment in the last fifth of the age; at once while
/// this gateway goes away. To be asked for once the hub knows the viewer: a stop that comes earlier is
/// seen here, one that comes later finds the viewer there.
#[must_use]
pub fn turn(life: &Lifecycle, age: Duration) -> Instant {
    let stays = !life.soft().is_cancelled();
    let share = if stays { fastrand::f64().mul_add(0.2, 0.8) } else { 0.0 };
    Instant::now() + age.mul_f64(share)
}

/// Waits for the stop, then sends each viewer away at a random moment of the window, at the latest at
/// the hard stop.
pub fn start(life: &Lifecycle, hub: Hub, window: Duration) {
    let task = life.clone();
    life.spawn_light(async move {
        task.soft().cancelled().await;
        metric::draining();
        tokio::select! {
            () = spread(&hub, window) => {}
            () = task.hard().cancelled() => hub.everybody().iter().for_each(leave),
        }
    });
}

async fn spread(hub: &Hub, window: Duration) {
    let start = Instant::now();
    let moment = |viewer| (window.mul_f64(fastrand::f64()), viewer);
    let mut turns: Vec<(Duration, Viewer)> = hub.everybody().into_iter().map(moment).collect();
    turns.sort_unstable_by_key(|(moment, _)| *moment);
    for (moment, viewer) in turns {
        sleep_until(start + moment).await;
        leave(&viewer);
    }
}

fn leave(viewer: &Viewer) {
    viewer.end(Close::Drain);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Delivery, Inbox};
    use futures_util::FutureExt;

    fn enter(hub: &Hub) -> (Viewer, Inbox) {
        let (viewer, inbox) = Viewer::new();
        hub.enter(&viewer);
        (viewer, inbox)
    }

    #[tokio::test]
    async fn everybody_goes_at_a_moment_of_the_window() {
        let (life, hub, window) = (Lifecycle::new(), Hub::default(), Duration::from_millis(200));
        start(&life, hub.clone(), window);
        let mut viewers: Vec<_> = (0..50).map(|_| enter(&hub)).collect();
        tokio::task::yield_now().await;
        assert!(viewers.iter_mut().all(|(_, inbox)| inbox.next().now_or_never().is_none()));
        life.stop();
        let began = Instant::now();
        for (_, inbox) in &mut viewers {
            assert!(matches!(inbox.next().await, Delivery::End(Close::Drain)));
        }
        assert!(began.elapsed() > window / 2, "spread, not at once: {:?}", began.elapsed());
    }

    #[tokio::test]
    async fn the_hard_stop_waits_for_nobody_s_moment() {
        let (life, hub) = (Lifecycle::new(), Hub::default());
        start(&life, hub.clone(), Duration::from_hours(1));
        let (_viewer, mut inbox) = enter(&hub);
        life.stop();
        life.hard().cancel();
        assert!(matches!(inbox.next().await, Delivery::End(Close::Drain)));
    }

    #[test]
    fn an_age_ends_in_its_last_fifth_and_a_stop_at_once() {
        let (life, age) = (Lifecycle::new(), Duration::from_secs(100));
        let now = Instant::now();
        for _ in 0..100 {
            let left = turn(&life, age) - now;
            assert!(left >= age.mul_f64(0.79) && left <= age.mul_f64(1.01), "{left:?}");
        }
        life.stop();
        assert!(turn(&life, age) - now < age.mul_f64(0.1));
    }
}
