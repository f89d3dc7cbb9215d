//! What a record costs as the database grows, and what a second aggregator brings on the same
//! machine. Cost is CPU, not time: on a busy machine it is what can be compared.

use super::copies::Copies;
use super::feed::{Feed, Sequence};
use super::gauge::Gauge;
use super::spent::{NOBODY, Spent};
use super::{compare, database, finished};
use anyhow::ensure;
use devstack::host::term;
use devstack::run::stack::Stack;
use sqlx::{PgPool, Row};
use std::time::{Duration, Instant};

/// How many times as many orders.
const SIZES: [usize; 3] = [1, 3, 10];
/// Runs at each size; the median counts.
const RUNS: usize = 5;
/// Runs with one aggregator and with two; the median of what follows each other counts.
const PAIRS: usize = 5;
/// A run of a pair has so many times as many orders: half a minute of records, of the usual number. (In ten seconds
/// less is to be told between two than there is later.)
const OF_PAIRS: usize = 4;
/// And at least so many.
const FEWEST: usize = 16_000;
/// Orders that are written before a measured run, so that everybody has what is theirs, and is past its beginning:
/// connections whose server processes are new, statements that are planned, memory that is touched for the first time.
const SOME: usize = 2_000;
/// What a run may take.
const LIMIT: Duration = Duration::from_mins(10);

/// What a run took.
struct Cost {
    /// Microseconds of CPU of the aggregators, for each record.
    aggregator: f64,
    /// The same of the database server.
    database: f64,
    /// And of Kafka.
    kafka: f64,
    /// The same of cores that had nothing to do.
    idle: f64,
    /// Records a second, from the first one that is written.
    rate: f64,
}

/// Wanted: the same within 20 %, and two no slower than one by more than 5 %.
pub(crate) async fn prove(stack: &Stack, orders: usize, pairs_only: bool) -> anyhow::Result<()> {
    let pool = database(&stack.manifest).await?;
    let first = stack.aggregator(0).await?;
    let sizes = if pairs_only { Vec::new() } else { sizes(stack, &pool, orders).await? };
    // As many as in a measured run: the first of these would be the one that warms up Kafka.
    run(stack, &pool, "WARM", of_pairs(orders)).await?;
    first.end().await;
    let pairs = pairs(stack, &pool, of_pairs(orders)).await?;
    for cost in &sizes {
        let times = cost / sizes[0];
        ensure!((times - 1.0).abs() <= 0.2, "not flat: {times:.2} of the first");
    }
    ensure!(pairs >= 0.95, "two aggregators do {pairs:.2} of one");
    Ok(())
}

/// Cost at each size: the median of runs in turns.
async fn sizes(stack: &Stack, pool: &PgPool, orders: usize) -> anyhow::Result<Vec<f64>> {
    let mut copies = grow(stack, pool, orders).await?;
    let mut costs: [Vec<Cost>; SIZES.len()] = Default::default();
    for number in 0..RUNS {
        for (size, costs) in SIZES.iter().zip(&mut costs) {
            copies.give(orders * size).await?;
            // What the move has left to do, and caches that are cold after it, are not the size's.
            run(stack, pool, &format!("WARM{size}R{number}"), orders / 10).await?;
            settle(pool).await?;
            costs.push(run(stack, pool, &format!("SIZE{size}R{number}"), orders / 5).await?);
        }
        term::line(&format!("  round {} of {RUNS} is over", number + 1));
    }
    term::line("\n  orders there   aggregator    Postgres    together");
    Ok(SIZES.iter().zip(costs).map(|(size, costs)| together(orders * size, &costs)).collect())
}

/// A database with all orders, and copies of it as it was with fewer.
async fn grow(stack: &Stack, pool: &PgPool, orders: usize) -> anyhow::Result<Copies> {
    let (mut there, mut copies) = (0, Copies::of(&stack.manifest).await?);
    for size in SIZES {
        run(stack, pool, &format!("FILL{size}"), orders * size - there).await?;
        there = orders * size;
        settle(pool).await?;
        if there < orders * SIZES[SIZES.len() - 1] {
            copies.keep(there).await?;
        }
        term::line(&format!("  there are {there} orders"));
    }
    copies.grown(there);
    Ok(copies)
}

/// Prints what a record costs with so many orders; gives the sum.
fn together(orders: usize, costs: &[Cost]) -> f64 {
    let part = |of: fn(&Cost) -> f64| median(costs.iter().map(of).collect());
    let (own, database) = (part(|c| c.aggregator), part(|c| c.database));
    let together = part(|c| c.aggregator + c.database);
    term::line(&format!("  {orders:>12} {own:>9.0} µs {database:>8.0} µs {together:>8.0} µs"));
    together
}

/// Waits until what the many orders have left to do is done: cleaning up, and what becomes due by the
/// clock. It is work of theirs, not of the records that are measured.
async fn settle(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::query("vacuum analyze").execute(pool).await?;
    // What a run leaves to be written to the disk would be written in the next one.
    sqlx::query("checkpoint").execute(pool).await?;
    let (started, open) =
        (Instant::now(), "select count(*) from due where at < now() + interval '20 seconds'");
    while sqlx::query(open).fetch_one(pool).await?.get::<i64, _>(0) > 0 {
        ensure!(started.elapsed() < LIMIT, "something is always due");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Records a second of two aggregators, of one's: in turns, so that an hour of a busy machine makes neither
/// look dearer.
async fn pairs(stack: &Stack, pool: &PgPool, orders: usize) -> anyhow::Result<f64> {
    let mut costs: [Vec<Cost>; 2] = Default::default();
    for number in 0..PAIRS {
        // Who comes first changes: what comes and goes on the machine with the turns would always meet the same.
        for count in if number % 2 == 0 { [1, 2] } else { [2, 1] } {
            costs[count - 1].push(of_so_many(stack, pool, count, number, orders).await?);
        }
        term::line(&format!("  pair {} of {PAIRS} is over", number + 1));
    }
    (1..).zip(&costs).for_each(|(count, costs)| say(count, costs));
    // Of two runs that follow each other: what the hour does to both says nothing.
    let [one, two] = &costs;
    let times: Vec<f64> = one.iter().zip(two).map(|(one, two)| two.rate / one.rate).collect();
    let each = times.iter().map(|times| format!("{times:.2}")).collect::<Vec<_>>().join(", ");
    let median = median(times);
    term::line(&format!("  two do {median:.2} of one ({each})"));
    Ok(median)
}

/// What a run takes with so many aggregators, all new: each has its share of the cores, as the operations
/// advise.
async fn of_so_many(
    stack: &Stack,
    pool: &PgPool,
    count: usize,
    number: usize,
    orders: usize,
) -> anyhow::Result<Cost> {
    let cores = std::thread::available_parallelism()?.get();
    let mut all = Vec::with_capacity(count);
    for slot in 0..count {
        let threads = ("WORKER_THREADS", (cores / count).max(1).to_string());
        all.push(stack.aggregator_with(slot, [threads]).await?);
    }
    share(stack, pool, count, number).await?;
    settle(pool).await?;
    let cost = run(stack, pool, &format!("OF{count}N{number}"), orders).await?;
    for aggregator in all.into_iter().rev() {
        aggregator.end().await;
    }
    Ok(cost)
}

/// Lets records flow until all aggregators work on them: until they have shared out what is to be read.
async fn share(stack: &Stack, pool: &PgPool, count: usize, number: usize) -> anyhow::Result<()> {
    let (started, pids) = (Instant::now(), stack.manifest.get().pids["aggregator"].clone());
    ensure!(pids.len() == count, "{} aggregators instead of {count}", pids.len());
    for turn in 0.. {
        ensure!(started.elapsed() < LIMIT, "one of the aggregators has nothing to do");
        let gauges =
            pids.iter().map(|pid| Gauge::new(&[*pid])).collect::<anyhow::Result<Vec<_>>>()?;
        run(stack, pool, &format!("SHARE{count}N{number}T{turn}"), SOME).await?;
        let spent = gauges.iter().map(Gauge::cpu).collect::<anyhow::Result<Vec<f64>>>()?;
        if spent.iter().all(|own| *own > spent.iter().sum::<f64>() / 4.0) {
            break;
        }
    }
    Ok(())
}

/// Prints what so many aggregators took.
fn say(count: usize, costs: &[Cost]) {
    let of = |part: fn(&Cost) -> f64| median(costs.iter().map(part).collect());
    let (rate, own, database) = (of(|c| c.rate), of(|c| c.aggregator), of(|c| c.database));
    let (kafka, idle) = (of(|c| c.kafka), of(|c| c.idle));
    term::line(&format!(
        "  {count} aggregator(s) {rate:>8.0} records/s, {own:.0} µs of CPU each, {database:.0} µs in Postgres, {kafka:.0} in Kafka, {idle:.0} nobody's"
    ));
}

/// How many orders a run of a pair has, whatever the sizes are: few seconds say little.
fn of_pairs(orders: usize) -> usize {
    (orders * OF_PAIRS).max(FEWEST)
}

/// Writes so many orders and waits until everything of them is stored and published.
async fn run(stack: &Stack, pool: &PgPool, prefix: &str, orders: usize) -> anyhow::Result<Cost> {
    let manifest = stack.manifest.get();
    ensure!(manifest.servers.contains_key("postgres"), "the server is not ours");
    let begun = Spent::begin(&manifest)?;
    let feed = Feed::fill(&stack.manifest, prefix, orders, Sequence::AsItHappens).await?;
    // It is over when all is published, not once that was looked at. (Counters of the server would tell for less what
    // is stored, but up to ten seconds late: a server process that has nothing to do keeps what it counted.)
    let spent = loop {
        let until = begun.so_far(&manifest)?;
        if finished(pool, &feed).await? {
            break until;
        }
        ensure!(until.seconds() < LIMIT.as_secs_f64(), "{prefix} is not through");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let count = f64::from(u32::try_from(feed.records)?);
    let each = |seconds: f64| seconds / count * 1e6;
    let cost = Cost {
        aggregator: each(spent.of_aggregators()),
        database: each(spent.of("postgres")),
        kafka: each(spent.of("kafka")),
        idle: each(spent.of(NOBODY)),
        rate: count / spent.seconds(),
    };
    compare(pool, &feed).await?;
    Ok(cost)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
