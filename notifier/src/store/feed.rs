//! The in-app feed. Every change raises the feed's version, which the live bus carries.

use contract::feed::FeedItem;
use contract::milestone::Milestone;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// An item to add.
#[derive(Debug)]
pub struct NewItem<'a> {
    /// Whose feed.
    pub customer: &'a str,
    /// The order.
    pub order: &'a str,
    /// The milestone.
    pub milestone: Milestone,
    /// A few words.
    pub title: &'a str,
    /// One sentence.
    pub body: &'a str,
    /// When it was told.
    pub created_at: chrono::DateTime<chrono::Utc>,
}

/// Adds an item and raises the version.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn add(connection: &mut PgConnection, item: &NewItem<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into feed (id, customer_id, order_id, milestone, title, body, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        Uuid::now_v7(),
        item.customer,
        item.order,
        item.milestone.code(),
        item.title,
        item.body,
        item.created_at
    )
    .execute(&mut *connection)
    .await?;
    raise(connection, item.customer).await
}

async fn raise(connection: &mut PgConnection, customer: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into feed_heads (customer_id, version) values ($1, 1)
         on conflict (customer_id) do update set version = feed_heads.version + 1",
        customer
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks one item (or all, without a number) as read. How many were unread before.
///
/// # Errors
/// When the database is away.
pub async fn mark_read(
    pool: &PgPool,
    customer: &str,
    item: Option<Uuid>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<u64, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let done = sqlx::query!(
        "update feed set read_at = $3
         where customer_id = $1 and read_at is null and ($2::uuid is null or id = $2)",
        customer,
        item,
        now
    )
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() > 0 {
        raise(&mut transaction, customer).await?;
    }
    transaction.commit().await?;
    Ok(done.rows_affected())
}

/// Is this item in the customer's feed?
///
/// # Errors
/// When the database is away.
pub async fn has(pool: &PgPool, customer: &str, item: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from feed where customer_id = $1 and id = $2) as "found!""#,
        customer,
        item
    )
    .fetch_one(pool)
    .await
}

/// A page of the feed, newest first, with the unread count and the feed's version (0 for a
/// customer who was never told anything)..
///
/// # Errors
/// When the database is away.
pub async fn page(
    pool: &PgPool,
    customer: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<FeedItem>, i64, i64), sqlx::Error> {
    // Repeatable read: the version is the one of exactly these items.
    let mut transaction =
        pool.begin_with("begin isolation level repeatable read read only").await?;
    let rows = sqlx::query!(
        "select id, order_id, milestone, title, body, created_at, read_at from feed
         where customer_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
        customer,
        before,
        limit
    )
    .fetch_all(&mut *transaction)
    .await?;
    let unread = sqlx::query_scalar!(
        r#"select count(*) as "unread!" from feed where customer_id = $1 and read_at is null"#,
        customer
    )
    .fetch_one(&mut *transaction)
    .await?;
    let version =
        sqlx::query_scalar!("select version from feed_heads where customer_id = $1", customer)
            .fetch_optional(&mut *transaction)
            .await?;
    transaction.commit().await?;
    let items = rows.into_iter().map(|row| FeedItem {
        id: row.id.to_string(),
        order: row.order_id,
        milestone: row.milestone.parse().unwrap_or(Milestone::InfoIgnored),
        title: row.title,
        body: row.body,
        created_at: row.created_at,
        read_at: row.read_at,
    });
    Ok((items.collect(), unread, version.unwrap_or(0)))
}

/// Customers whose feed has a version that was not published yet.
///
/// # Errors
/// When the database is away.
pub async fn unpublished(pool: &PgPool, most: i64) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select customer_id from feed_heads where published < version limit $1",
        most
    )
    .fetch_all(pool)
    .await
}

/// Notes how far a feed was published.
///
/// # Errors
/// When the database is away.
pub async fn published(pool: &PgPool, customer: &str, version: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update feed_heads set published = greatest(published, $2) where customer_id = $1",
        customer,
        version
    )
    .execute(pool)
    .await?;
    Ok(())
}
