//! Bad input for every source and for the fold: whatever comes, it is read or refused by name, and
//! what was read folds to the same timeline in any order. Pure: no server is needed.

mod mutate;

use crate::sample::{SAMPLES, Sample};
use aggregator::fold::fold;
use aggregator::source::Catalog;
use aggregator::validate;
use anyhow::ensure;
use contract::event::{Confidence, OrderEvent};
use contract::id::OrderId;
use devstack::host::term;
use fastrand::Rng;
use service_kit::clock;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Events that are folded together.
const HISTORY: usize = 24;

/// What came of the inputs.
#[derive(Default)]
struct Tally {
    read: u64,
    refused: u64,
    folded: u64,
    fell: Vec<String>,
}

pub(crate) fn prove(count: u64, seed: u64) -> anyhow::Result<()> {
    let catalog = Catalog::default();
    let (mut random, mut tally) = (Rng::with_seed(seed), Tally::default());
    for Sample { source, record, .. } in SAMPLES {
        let read = read(&catalog, source, record.as_bytes());
        ensure!(read.is_ok(), "the sample of {source} is refused: {read:?}");
    }
    let (started, mut history) = (Instant::now(), Vec::new());
    term::line(&format!("\n  {count} inputs for {} sources, seed {seed}", SAMPLES.len()));
    for _ in 0..count {
        let Sample { source: name, record, .. } = SAMPLES[random.usize(..SAMPLES.len())];
        let bytes = mutate::mutate(record, &mut random);
        match catch_unwind(AssertUnwindSafe(|| read(&catalog, name, &bytes))) {
            Ok(Ok(events)) => {
                tally.read += 1;
                history.extend(events);
            }
            Ok(Err(_)) => tally.refused += 1,
            Err(_) => tally.fell.push(format!("{name}: {}", String::from_utf8_lossy(&bytes))),
        }
        if history.len() >= HISTORY {
            tally.folded += 1;
            shake(std::mem::take(&mut history), &mut random, &mut tally);
        }
    }
    let rate = u128::from(count) * 1000 / started.elapsed().as_millis().max(1);
    term::line(&format!(
        "  {} read, {} refused by name, {} histories folded in two orders; {rate} inputs/s",
        tally.read, tally.refused, tally.folded
    ));
    ensure!(tally.fell.is_empty(), "{} fell over, the first: {}", tally.fell.len(), tally.fell[0]);
    Ok(())
}

/// Reads a record as the pipeline does, for one order.
fn read(catalog: &Catalog, name: &str, value: &[u8]) -> Result<Vec<OrderEvent>, String> {
    let order: OrderId = "T-1".parse().map_err(|_| "no id".to_owned())?;
    let now = clock::now();
    let drafts = catalog
        .read(name, value, &HashMap::new(), now, Confidence::Reported)
        .map_err(|refusal| refusal.to_string())?;
    let checked = drafts.into_iter().map(|draft| {
        let mut draft = draft;
        draft.received_at = now;
        validate::check(&mut draft, now).map_err(|refusal| refusal.to_string())?;
        Ok(draft.into_event(order.clone()))
    });
    checked.collect()
}

/// Folds a history as it came and shuffled.
fn shake(mut history: Vec<OrderEvent>, random: &mut Rng, tally: &mut Tally) {
    let Ok(order) = "T-1".parse::<OrderId>() else { return };
    let mut seen = std::collections::HashSet::new();
    history.retain(|event| seen.insert(event.key()));
    let folded = catch_unwind(AssertUnwindSafe(|| {
        let first = fold(&order, &history);
        random.shuffle(&mut history);
        first == fold(&order, &history)
    }));
    match folded {
        Ok(true) => {}
        Ok(false) => tally.fell.push("two orders of arrival, two timelines".to_owned()),
        Err(_) => tally.fell.push("the fold fell over".to_owned()),
    }
}
