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
    pub id: String,
    /// The order that it is about.
    pub order: String,
    /// Milestone code.
    #[schema(value_type = String)]
    pub milestone: Milestone,
    /// Label, in the customer's language.
    pub title: String,
    /// One sentence, in the customer's language.
    pub body: String,
    /// When it was told.
    pub created_at: DateTime<Utc>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

/// State of the channel `inbox:<customer>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedState {
    /// How many are unread.
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
    pub unread: i64,
    /// Cursor of the next page.
    pub next: Option<String>,
}
