//! The in-app feed: what a customer was told, newest first.

use crate::milestone::Milestone;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many of the newest items the live state carries.
pub const LIVE_ITEMS: i64 = 20;

/// One message in the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedItem {
    /// Id of the item.
    #[schema(example = "0198c0de-0000-7000-8000-000000000001")]
    pub id: String,
    /// The order that it is about.
    #[schema(example = "TM-1042")]
    pub order: String,
    /// Milestone code.
    #[schema(value_type = String, example = "shipment.delivered")]
    pub milestone: Milestone,
    /// Label, in the customer's language.
    #[schema(example = "Delivered")]
    pub title: String,
    /// One sentence, in the customer's language.
    #[schema(example = "Your order TM-1042 has been delivered.")]
    pub body: String,
    /// When it was told.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub created_at: DateTime<Utc>,
    /// When it was read.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub read_at: Option<DateTime<Utc>>,
}

/// State of the channel `inbox:<customer>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedState {
    /// How many are unread.
    #[schema(example = 2)]
    pub unread: i64,
    /// The newest ones.
    pub items: Vec<FeedItem>,
}

/// A page of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedPage {
    /// Newest first.
    pub items: Vec<FeedItem>,
    /// How many are unread in all.
    #[schema(example = 2)]
    pub unread: i64,
    /// Cursor of the next page.
    #[schema(example = "MjAyNi0xMS0yMFQwOTo0MDowNlo")]
    pub next: Option<String>,
}
