//! Reads `order.timeline` and writes down what is to be told; offsets after the commit.

use crate::config::Config;
use crate::letter::{Context, sentences};
use crate::metric;
use crate::plan::{Channel, Occasion, Planned, deliveries, occasion, occasion_version};
use crate::store::feed::{self, NewItem};
use crate::store::notification::{self, Beginning, New};
use crate::store::preference;
use chrono::TimeDelta;
use contract::message::TimelineMessage;
use contract::name::TOPIC_ORDER_TIMELINE;
use contract::words::Language;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Portion, Record};
use service_kit::lifecycle::Lifecycle;
use service_kit::postgres::{Failure, classify};
use service_kit::{backoff, clock};
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The consumer group.
const GROUP: &str = "notifier";
/// Each of the eight events is told within this, counted from its acceptance.
const DEADLINE: TimeDelta = TimeDelta::minutes(5);
/// A letter does not mind so long a wait for others.
const LINGER: Duration = Duration::from_millis(25);
/// What goes into one transaction.
const PORTION: Portion =
    Portion { records: 200, bytes: 8 * 1024 * 1024, linger: LINGER, pause: LINGER };

/// Reads until the soft stop.
pub fn start(life: &Lifecycle, config: Config, pool: PgPool, planned: Arc<Notify>, health: Health) {
    let soft = life.soft().clone();
    life.spawn("intake", async move {
        tokio::select! {
            () = run(config, pool, planned, health) => {}
            () = soft.cancelled() => {}
        }
    });
}

async fn run(config: Config, pool: PgPool, planned: Arc<Notify>, health: Health) {
    let topics = [TOPIC_ORDER_TIMELINE.to_owned()];
    let consumer =
        BatchConsumer::join(&config.kafka, GROUP, &topics, &topics, PORTION, &health).await;
    let read = async {
        loop {
            let records = consumer.next().await;
            process(&pool, &records, &planned).await;
            consumer.done(&records);
        }
    };
    tokio::select! {
        () = read => {}
        () = consumer.watch(&health, || {}) => {}
    }
}

/// Plans a batch until it is committed. One message that cannot be planned does not hold up the
/// others: it is reported and left out. Whoever sends, or keeps the feed, is woken when
/// there is something to tell.
async fn process(pool: &PgPool, records: &[Record], planned: &Notify) {
    let messages: Vec<TimelineMessage> = records.iter().filter_map(read).collect();
    let mut open = vec![messages.as_slice()];
    let mut attempt = 0;
    while let Some(part) = open.pop() {
        match plan_all(pool, part).await {
            Ok(news) => {
                attempt = 0;
                if news {
                    planned.notify_waiters();
                }
            }
            Err(error) if classify(&error) != Failure::Value => {
                tracing::warn!(%error, messages = part.len(), "planning is tried again");
                tokio::time::sleep(backoff::delay(
                    attempt,
                    Duration::from_millis(20),
                    Duration::from_secs(2),
                ))
                .await;
                attempt += 1;
                open.push(part);
            }
            Err(_) if part.len() > 1 => {
                let (first, second) = part.split_at(part.len() / 2);
                open.extend([second, first]);
            }
            Err(error) => {
                metric::message("unplannable");
                tracing::error!(%error, "a message cannot be planned and is left out");
            }
        }
    }
}

fn read(record: &Record) -> Option<TimelineMessage> {
    let message = serde_json::from_slice(&record.value);
    if let Err(error) = &message {
        metric::message("unreadable");
        let (partition, offset) = (record.partition, record.offset);
        tracing::error!(%error, partition, offset, "a message cannot be read and is left out");
    }
    message.ok()
}

/// Plans messages in one transaction; tells whether there is something to tell.
async fn plan_all(pool: &PgPool, messages: &[TimelineMessage]) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let (orders, versions): (Vec<&str>, Vec<i64>) = messages.iter().map(name).unzip();
    let mut new = notification::first_time(&mut transaction, &orders, &versions).await?;
    let mut news = false;
    for (message, (order, version)) in messages.iter().zip(orders.into_iter().zip(versions)) {
        if new.remove(&(order.to_owned(), version)) {
            metric::message("planned");
            news |= plan(&mut transaction, message).await?;
        } else {
            metric::message("repeated");
        }
    }
    transaction.commit().await?;
    Ok(news)
}

/// The order and its version.
fn name(message: &TimelineMessage) -> (&str, i64) {
    let version = i64::try_from(message.timeline.version).unwrap_or(i64::MAX);
    (message.timeline.order.as_str(), version)
}

/// Inbox row, notification and deliveries of one message; tells whether there is something to tell.
async fn plan(
    connection: &mut PgConnection,
    message: &TimelineMessage,
) -> Result<bool, sqlx::Error> {
    let Some(occasion) = occasion(message) else {
        return Ok(false);
    };
    let choices = preference::choices(connection, message.customer.id.as_str()).await?;
    let planned = deliveries(&occasion, &message.customer, &choices);
    let language = Language::of(message.customer.locale.as_deref());
    let (context, subject) = (Context::of(message), format!("order:{}", message.timeline.order));
    let new = New {
        subject: &subject,
        occasion,
        occasion_version: occasion_version(message),
        customer: message.customer.id.as_str(),
        language: language.tag(),
        context: &context,
        accepted_at: message.accepted_at,
        deadline_at: message.accepted_at + DEADLINE,
    };
    let Some(id) = notification::add(connection, &new).await? else {
        return Ok(false);
    };
    let overtaken = notification::overtaken(connection, &subject, occasion.place).await?;
    let now = clock::now();
    let mut told_by_letter = false;
    for part in &planned {
        let (state, reason) = beginning(part, overtaken);
        told_by_letter |= part.channel == Channel::Email && state == "pending";
        if state != "pending" {
            metric::ended(part.channel.code(), state, reason.unwrap_or_default());
        }
        notification::add_delivery(connection, id, &new, part, Beginning { state, reason, now })
            .await?;
        if part.channel == Channel::InApp {
            tell(connection, &new, language, now).await?;
        }
    }
    if told_by_letter {
        supersede(connection, &subject, occasion, now).await?;
    }
    Ok(true)
}

/// The feed keeps everything; a letter that later news overtook is not sent.
fn beginning(part: &Planned, overtaken: bool) -> (&'static str, Option<&'static str>) {
    match (part.channel, part.skipped) {
        (Channel::InApp, _) => ("delivered", None),
        (_, Some(reason)) => ("skipped", Some(reason)),
        (_, None) if overtaken => ("superseded", Some("later_news")),
        (_, None) => ("pending", None),
    }
}

async fn tell(
    connection: &mut PgConnection,
    new: &New<'_>,
    language: Language,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), sqlx::Error> {
    let said = sentences(new.context, language);
    let body = if said.next.is_empty() {
        said.headline
    } else {
        format!("{} {}", said.headline, said.next)
    };
    let item = NewItem {
        customer: new.customer,
        order: &new.context.order,
        milestone: new.occasion.milestone,
        title: &said.label,
        body: &body,
        created_at: now,
    };
    feed::add(connection, &item).await
}

async fn supersede(
    connection: &mut PgConnection,
    subject: &str,
    occasion: Occasion,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), sqlx::Error> {
    // What stands outside the order's story overtakes nothing.
    if occasion.place == 0 {
        return Ok(());
    }
    let count = notification::supersede(connection, subject, occasion.place, now).await?;
    (0..count).for_each(|_| metric::ended("email", "superseded", "later_news"));
    Ok(())
}
