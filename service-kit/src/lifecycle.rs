//! From the first signal to the last task: soft stop, grace, hard stop.
//!
//! The first SIGINT or SIGTERM is told to whoever asks whether we are ready; after a wait, in which they
//! may find out, it cancels the soft token: stop taking work, finish what is in hand. A second signal, or
//! the end of the grace, cancels the hard token: drop everything. A task that panics stops the process,
//! and the exit code says so.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Handle on the life of the process; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    leaving: CancellationToken,
    wait: Duration,
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
    crashed: Arc<AtomicBool>,
}

impl Lifecycle {
    /// A life that nothing has ended yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with a wait between the signal and the soft stop.
    #[must_use]
    pub fn waiting(wait: Duration) -> Self {
        Self { wait, ..Self::default() }
    }

    /// Shall nobody be sent here any more?
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled() || self.soft.is_cancelled()
    }

    /// Cancelled when no new work should be taken.
    #[must_use]
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when everything should be dropped.
    #[must_use]
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Asks for an orderly stop.
    pub fn stop(&self) {
        self.soft.cancel();
    }

    /// Runs a task that the stop waits for. Its panic stops the process.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(self.clone().watched(name, task));
    }

    /// Runs a task that others need until they have ended: the stop does not wait for it. Its panic
    /// stops the process.
    pub fn spawn_behind<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        #[expect(clippy::disallowed_methods, reason = "whoever waited for it would wait for ever")]
        tokio::spawn(self.clone().watched(name, task));
    }

    fn watched<F>(self, name: &'static str, task: F) -> impl Future<Output = ()> + Send + 'static
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let life = self;
        async move {
            #[expect(
                clippy::disallowed_methods,
                reason = "inner task of a tracked one: its panic is seen here"
            )]
            let inner = tokio::spawn(task);
            let abort = inner.abort_handle();
            tokio::select! {
                end = inner => if let Err(error) = end && error.is_panic() {
                    tracing::error!(task = name, "a task panicked; stopping");
                    life.crashed.store(true, Ordering::Relaxed);
                    life.soft.cancel();
                },
                () = life.hard.cancelled() => abort.abort(),
            }
        }
    }

    /// Runs a short task of which there may be very many (a connection); its end is waited for.
    pub fn spawn_light<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task);
    }

    /// A future that somebody else runs (an upgraded connection) and that the stop waits for.
    pub fn track<F: Future>(&self, task: F) -> impl Future<Output = F::Output> + use<F> {
        self.tasks.track_future(task)
    }

    /// Waits for a signal or [`Lifecycle::stop`], then for the tasks, at most `grace`.
    pub async fn run(self, grace: Duration) -> ExitCode {
        let mut signals = Signals::listen();
        tokio::select! {
            () = signals.next() => {
                tracing::info!("signal: stopping in order");
                self.leave(&mut signals).await;
            }
            () = self.soft.cancelled() => {}
        }
        self.soft.cancel();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => {}
            () = signals.next() => tracing::warn!("second signal: dropping what is in hand"),
            () = tokio::time::sleep(grace) => tracing::warn!("grace is over: dropping what is in hand"),
        }
        self.hard.cancel();
        // Aborted tasks still run their destructors.
        let ended = tokio::time::timeout(Duration::from_secs(1), self.tasks.wait()).await.is_ok();
        let crashed = self.crashed.load(Ordering::Relaxed);
        if ended && !crashed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl Lifecycle {
    /// Works on while those who send work here find out that they should not.
    async fn leave(&self, signals: &mut Signals) {
        self.leaving.cancel();
        tokio::select! {
            () = tokio::time::sleep(self.wait) => {}
            () = signals.next() => {}
            () = self.soft.cancelled() => {}
        }
    }
}

/// The two signals that ask for a stop.
struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Signals {
    fn listen() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    async fn next(&mut self) {
        async fn one(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(&mut self.interrupt) => {}
            () = one(&mut self.terminate) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_panic_of_a_task_ends_the_process_with_a_failure() {
        let life = Lifecycle::new();
        life.spawn("bad", async { panic!("planted") });
        assert_eq!(life.run(Duration::from_secs(1)).await, ExitCode::FAILURE);
    }

    #[tokio::test]
    async fn work_in_hand_is_finished_after_the_soft_stop() {
        let (life, done) = (Lifecycle::new(), Arc::new(AtomicBool::new(false)));
        let (soft, flag) = (life.soft().clone(), done.clone());
        life.spawn("worker", async move {
            soft.cancelled().await;
            tokio::task::yield_now().await;
            flag.store(true, Ordering::Relaxed);
        });
        life.stop();
        assert_eq!(life.run(Duration::from_secs(5)).await, ExitCode::SUCCESS);
        assert!(done.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn who_is_asked_to_go_says_so_before_it_does() {
        let life = Lifecycle::waiting(Duration::from_millis(300));
        let mut none = Signals { interrupt: None, terminate: None };
        assert!(!life.is_leaving());
        let mut leaving = Box::pin(life.leave(&mut none));
        assert!(leaving.as_mut().now_or_never().is_none(), "it waits");
        assert!(life.is_leaving() && !life.soft().is_cancelled(), "the door is still open");
        leaving.await;
    }
}
