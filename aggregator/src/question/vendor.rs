//! Vendors that are asked whether what was reported in their name is true. None of the two signs
//! its calls; both document how to ask.

use super::template::{ORDER, TRACKING, Template};
use super::want::{About, Occasion, Question};
use contract::milestone::Milestone;

/// Where the vendors are.
#[derive(Debug, Clone)]
pub struct Bases {
    /// Giao Hàng Nhanh.
    pub ghn: String,
    /// Printful.
    pub printful: String,
}

/// How a parcel ends, and what an order of the maker's says of itself.
const GHN: &[Milestone] = &[
    Milestone::ShipmentDelivered,
    Milestone::ShipmentReturned,
    Milestone::ShipmentLost,
    Milestone::ShipmentDamaged,
];
const PRINTFUL: &[Milestone] = &[Milestone::ShipmentHandedOver, Milestone::OrderCancelled];

/// The built-in questions.
#[must_use]
pub fn built_in(bases: &Bases) -> Vec<Question> {
    let question = |source: &str, template, about, codes| Question {
        source: source.to_owned(),
        template,
        about,
        occasion: Occasion::Confirms(codes),
        per_second: 5,
    };
    let ghn = Template {
        url: format!("{}/shiip/public-api/v2/shipping-order/detail", bases.ghn),
        body: Some(format!(r#"{{"order_code":"{TRACKING}"}}"#)),
        header: Some(("token".to_owned(), String::new())),
    };
    let printful = Template {
        url: format!("{}/orders/@{ORDER}", bases.printful),
        body: None,
        header: Some(("authorization".to_owned(), "Bearer ".to_owned())),
    };
    vec![
        question("ghn", ghn, About::Parcel("ghn".to_owned()), GHN),
        question("printful", printful, About::Order, PRINTFUL),
    ]
}
