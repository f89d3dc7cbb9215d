//! kill -9 in the middle: nothing lost, nothing told twice.

use crate::expected;
use crate::histories::{History, histories, shuffled};
use crate::{settle, signal};
use anyhow::{Context, ensure};
use devstack::client::{Letter, Rest};
use devstack::host::term;
use devstack::manifest::ManifestFile;
use nix::sys::signal::Signal;
use serde_json::json;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Healed means: within this.
const HEALED: Duration = Duration::from_secs(15);

pub(crate) async fn prove(manifest: &ManifestFile, count: usize) -> anyhow::Result<()> {
    let histories = histories("KILL", count);
    let records = shuffled(&histories, 11);
    let rest = Rest::new(manifest.get())?;
    let producer = Producer::new(&manifest.get().kafka_brokers, "prove-kill")?;
    term::line(&format!(
        "\n  {} records of {} orders, shuffled, every seventh twice\n",
        records.len(),
        histories.len()
    ));
    let part = records.len() / 7;
    for (round, chunk) in records.chunks(part.max(1)).enumerate() {
        let service = if round < 3 { "aggregator" } else { "notifier" };
        let half = chunk.len() / 2;
        write(&producer, &chunk[..half]).await?;
        let killed = if round < 6 {
            Some((signal::send(manifest, service, 0, Signal::SIGKILL)?, Instant::now()))
        } else {
            None
        };
        write(&producer, &chunk[half..]).await?;
        if let Some((pid, at)) = killed {
            healed(&rest, &producer, round)
                .await
                .with_context(|| format!("after the kill of {service}"))?;
            let seconds = at.elapsed().as_secs_f64();
            term::line(&format!(
                "  kill -9 {service:<12} process {pid:<8} healed after {seconds:.1} s"
            ));
            ensure!(at.elapsed() < HEALED, "{service} took longer than {HEALED:?}");
        }
    }
    settle::timelines(&rest, &histories, Duration::from_secs(30)).await?;
    letters(&rest, &histories).await
}

async fn write(
    producer: &Producer,
    records: &[devstack::shop::native::Native],
) -> anyhow::Result<()> {
    for chunk in records.chunks(20) {
        let all: Vec<Outgoing> =
            chunk.iter().map(|r| Outgoing::new(r.topic, "", r.body())).collect();
        producer.send(&all).await?;
        // A steady stream, so that the kill falls into the middle of work.
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok(())
}

/// A new order and its letter: the whole line works again.
async fn healed(rest: &Rest, producer: &Producer, round: usize) -> anyhow::Result<()> {
    let order = format!("HEAL-{round}");
    let (at, email) = (clock::now().to_rfc3339(), format!("heal-{round}@example.com"));
    let placed = json!({"event": "order.placed", "order_no": order, "at": at,
        "customer": {"id": format!("C-{order}"), "email": email}, "items": []});
    let confirmed = json!({"event": "order.confirmed", "order_no": order, "at": at});
    for value in [placed, confirmed] {
        producer.send(&[Outgoing::new("source.shop", "", value.to_string())]).await?;
    }
    rest.wait_letter(&email, "order.confirmed", Duration::from_mins(1)).await.map(drop)
}

/// Every customer has the letter of the last milestone; no milestone has two letters.
async fn letters(rest: &Rest, histories: &[History]) -> anyhow::Result<()> {
    for history in histories {
        if let Some(milestone) = expected::last_letter(history)? {
            rest.wait_letter(&history.person.email(), milestone.code(), Duration::from_secs(30))
                .await?;
        }
    }
    let mut ids: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let letters = rest.letters(None).await?;
    for letter in &letters {
        let key = (letter.order().to_owned(), letter.milestone().to_owned());
        ids.entry(key).or_default().insert(letter.dedupe.clone());
    }
    let twice = ids.iter().filter(|(_, ids)| ids.len() > 1).count();
    let again: u32 = letters.iter().map(|letter: &Letter| letter.accepts - 1).sum();
    term::line(&format!("  {} customers have the letter of their last milestone", histories.len()));
    term::line(&format!(
        "  {} letters; {twice} milestones with two Message-IDs; {again} accepted again under one",
        letters.len()
    ));
    ensure!(twice == 0, "a milestone was told by two letters");
    Ok(())
}
