//! One instance of a service: how busy it is, and whether it answers.

use super::breaker::Breaker;
use crate::metric;
use reqwest::header::HeaderValue;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// An instance.
#[derive(Debug)]
pub(super) struct Instance {
    service: &'static str,
    /// `http://address:port`, without a slash at its end.
    pub(super) base: String,
    /// By which name it is asked, where that is not its address.
    pub(super) host: Option<HeaderValue>,
    under_way: AtomicUsize,
    breaker: Mutex<Breaker>,
}

impl Instance {
    pub(super) fn new(service: &'static str, base: String, host: Option<HeaderValue>) -> Self {
        let (under_way, breaker) = (AtomicUsize::default(), Mutex::default());
        Self { service, base, host, under_way, breaker }
    }

    /// Requests that wait for its answer.
    pub(super) fn load(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    pub(super) fn admits(&self, now: Instant) -> bool {
        self.breaker().admits(now)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.breaker().is_open() {
            metric::instances_left_alone(self.service, -1.0);
        }
    }
}

/// A request to an instance. Dropped without a verdict, it says nothing of the instance.
pub(super) struct Turn {
    pub(super) instance: Arc<Instance>,
    trying: bool,
}

impl Turn {
    pub(super) fn begin(instance: Arc<Instance>) -> Self {
        instance.under_way.fetch_add(1, Ordering::Relaxed);
        let trying = instance.breaker().begin();
        Self { instance, trying }
    }

    /// It answered, or what stands before it did.
    pub(super) fn answered(self, by_others: bool) {
        if by_others { self.bad() } else { self.good() }
    }

    /// It answered.
    pub(super) fn good(mut self) {
        self.trying = false;
        let mut breaker = self.instance.breaker();
        if breaker.is_open() {
            metric::instances_left_alone(self.instance.service, -1.0);
        }
        breaker.good();
        metric::upstream(self.instance.service, "answered");
    }

    /// It did not.
    pub(super) fn bad(mut self) {
        self.trying = false;
        if self.instance.breaker().bad(Instant::now()) {
            metric::instances_left_alone(self.instance.service, 1.0);
            tracing::warn!(
                service = self.instance.service,
                "an instance is left alone for a while"
            );
        }
        metric::upstream(self.instance.service, "failed");
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.instance.under_way.fetch_sub(1, Ordering::Relaxed);
        if self.trying {
            self.instance.breaker().give_up();
        }
    }
}
