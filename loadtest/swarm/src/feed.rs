//! The publisher: open loop, by the clock, whatever became of the last one.

use crate::truth::Truth;
use anyhow::Context;
use service_kit::clock;
use service_kit::live_bus::{LivePublisher, LiveState};
use service_kit::redis::Redis;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// States that go to Redis at once, at most.
const PORTION: usize = 256;

/// How long Redis may take nothing.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which way states go to the server that is measured.
#[derive(Clone)]
pub(crate) enum Bus {
    /// The script of the live bus, as the services use it.
    Milepost(LivePublisher),
    /// What Centrifugo's own publisher sends, past its HTTP interface.
    Centrifugo(Redis),
}

impl Bus {
    /// Sends the newest states of channels.
    async fn send(
        &self,
        states: &[(usize, u64)],
        truth: &Truth,
        clock: Instant,
    ) -> anyhow::Result<()> {
        let now = u64::try_from(clock.elapsed().as_nanos())?;
        match self {
            Self::Milepost(publisher) => {
                let one = |(channel, version): &(usize, u64)| LiveState {
                    channel: format!("order:S-{channel}"),
                    version: *version,
                    data: truth.state(*version, now).into(),
                    traceparent: None,
                };
                let states: Vec<_> = states.iter().map(one).collect();
                Ok(publisher.publish(&states, clock::now().timestamp_millis()).await?)
            }
            Self::Centrifugo(connection) => {
                let mut pipeline = redis::pipe();
                for (channel, version) in states {
                    let name = format!("cfbench.client.plain:{channel}");
                    pipeline.publish(name, publication(&truth.state(*version, now))).ignore();
                }
                Ok(pipeline.query_async(&mut connection.at("").await?).await?)
            }
        }
    }
}

/// Protobuf `Publication { data = 4 }` (field 4, wire type 2).
fn publication(data: &str) -> Vec<u8> {
    let mut bytes = vec![0x22];
    let mut length = data.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap_or(0));
    bytes.extend_from_slice(data.as_bytes());
    bytes
}

/// What is published.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// States per second, over all channels in turn.
    pub(crate) rate: u32,
    pub(crate) span: Duration,
}

/// A publisher at work.
pub(crate) struct Feed {
    thread: JoinHandle<anyhow::Result<u64>>,
    done: Arc<AtomicBool>,
}

impl Feed {
    /// Starts publishing on a thread of its own.
    pub(crate) fn start(bus: &Bus, truth: &Truth, plan: Plan, clock: Instant) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (bus, truth, flag) = (bus.clone(), truth.clone(), done.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let sent = runtime.block_on(publish(&bus, &truth, plan, clock));
            flag.store(true, Ordering::Release);
            sent
        });
        Self { thread, done }
    }

    /// Whether everything is published.
    pub(crate) fn done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// How much was published.
    pub(crate) fn finish(self) -> anyhow::Result<u64> {
        self.thread.join().ok().context("the publisher fell over")?
    }
}

/// Publishes every channel once, so that each has a state.
pub(crate) fn seed(bus: &Bus, truth: &Truth, clock: Instant) -> anyhow::Result<()> {
    let rate = 50_000;
    let span = Duration::from_secs(1)
        .mul_f64(f64::from(u32::try_from(truth.channels())?) / f64::from(rate));
    Feed::start(bus, truth, Plan { rate, span }, clock).finish().map(drop)
}

async fn publish(bus: &Bus, truth: &Truth, plan: Plan, clock: Instant) -> anyhow::Result<u64> {
    let (start, total) = (Instant::now(), due(plan, plan.span));
    let mut sent = 0;
    while sent < total {
        let now = due(plan, start.elapsed()).min(total);
        let portion = (sent..now.min(sent + PORTION as u64)).map(|n| {
            let channel = usize::try_from(n).unwrap_or(0) % truth.channels();
            (channel, truth.advance(channel))
        });
        let portion: Vec<_> = portion.collect();
        sent += portion.len() as u64;
        deliver(bus, &portion, truth, clock).await?;
        if sent == due(plan, start.elapsed()).min(total) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    Ok(sent)
}

/// What Redis does not take is sent again until it does, as the services do; not for ever.
async fn deliver(
    bus: &Bus,
    portion: &[(usize, u64)],
    truth: &Truth,
    clock: Instant,
) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !portion.is_empty() {
        match bus.send(portion, truth, clock).await {
            Ok(()) => break,
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    Ok(())
}

/// How many are due after so long.
fn due(plan: Plan, elapsed: Duration) -> u64 {
    let nanos = elapsed.min(plan.span).as_nanos() * u128::from(plan.rate);
    u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_its_size_and_a_publication_its_length() {
        let state = Truth::new(1, 200).state(7, 123_456);
        assert_eq!(state.len(), 200);
        let bytes = publication(&state);
        // 200 = 0b1_1001000: two groups of seven bits, the lower one first.
        assert_eq!(bytes[..3], [0x22, 0xc8, 0x01]);
        assert_eq!(bytes.len(), 3 + 200);
    }

    #[test]
    fn the_clock_says_how_many_are_due() {
        let plan = Plan { rate: 1_000, span: Duration::from_secs(2) };
        assert_eq!(due(plan, Duration::from_millis(1_500)), 1_500);
        assert_eq!(due(plan, Duration::from_secs(9)), 2_000);
    }
}
