//! Forgets what is old: whole months of orders, and refused records.

use super::Keep;
use crate::store::month;
use service_kit::clock;
use sqlx::PgPool;

pub(super) async fn run(pool: &PgPool, keep: Keep) -> Result<(), sqlx::Error> {
    month::make(pool).await?;
    let now = clock::now();
    for old in month::before(pool, (now - keep.orders).date_naive()).await? {
        let orders = month::forget(pool, old).await?;
        tracing::info!(month = %old, orders, "orders of a month are forgotten");
    }
    while month::forget_letters(pool, now - keep.letters).await? > 0 {}
    Ok(())
}
