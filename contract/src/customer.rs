//! Who is told: the only personal data that the services pass on, and only through Kafka.

use crate::id::CustomerId;
use serde::{Deserialize, Serialize};

/// A customer as the shop describes one. Never published to Redis, never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Customer {
    /// The shop's number for the customer.
    #[schema(value_type = String)]
    pub id: CustomerId,
    /// Name, for the greeting; untrusted text.
    #[serde(default)]
    pub name: Option<String>,
    /// E-mail address; untrusted text.
    #[serde(default)]
    pub email: Option<String>,
    /// Phone number in any spelling; untrusted text.
    #[serde(default)]
    pub phone: Option<String>,
    /// `vi` or `en`, with or without a region.
    #[serde(default)]
    pub locale: Option<String>,
    /// IANA name of the time zone that days and hours are told in.
    #[serde(default)]
    pub time_zone: Option<String>,
}

impl Customer {
    /// Takes over what another description of the same moment knows.
    pub fn fill(&mut self, other: Self) {
        let Self { id: _, name, email, phone, locale, time_zone } = other;
        self.name = name.or(self.name.take());
        self.email = email.or(self.email.take());
        self.phone = phone.or(self.phone.take());
        self.locale = locale.or(self.locale.take());
        self.time_zone = time_zone.or(self.time_zone.take());
    }
}

impl std::fmt::Debug for Customer {
    /// Prints the number only: a debug line must not carry a person's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Customer").field("id", &self.id).finish_non_exhaustive()
    }
}
