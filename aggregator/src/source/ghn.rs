//! `source.ghn`: Giao Hàng Nhanh's order webhook.
//!
//! It has no event id and no signature. `Type` says whether the record is about the status at
//! all: weight, COD and fee changes are not.

use super::field::{filled, hashed_id, instant, json, order};
use crate::draft::{Draft, OrderRef, tracking_alias};
use crate::reject::Refusal;
use contract::milestone::Milestone;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Webhook {
    order_code: String,
    #[serde(default)]
    client_order_code: Option<String>,
    status: String,
    #[serde(default)]
    r#type: Option<String>,
    time: String,
    #[serde(default)]
    warehouse: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    reason_code: Option<String>,
}

/// GHN's statuses. `waiting_to_return` is no return yet: the carrier tries again within a day
/// or two. `cancel` takes back the label, not the shop's order.
fn milestone(status: &str) -> Option<Milestone> {
    Some(match status {
        "ready_to_pick" | "picking" | "money_collect_picking" => Milestone::ShipmentLabelCreated,
        "picked" => Milestone::ShipmentHandedOver,
        "storing" | "sorting" | "transporting" => Milestone::ShipmentInTransit,
        "delivering" | "money_collect_delivering" => Milestone::ShipmentOutForDelivery,
        "delivery_fail" | "waiting_to_return" => Milestone::ShipmentAttemptFailed,
        "return" | "return_transporting" | "return_sorting" | "returning" => {
            Milestone::ShipmentReturning
        }
        "return_fail" | "exception" => Milestone::ShipmentException,
        "returned" => Milestone::ShipmentReturned,
        "delivered" => Milestone::ShipmentDelivered,
        "damage" => Milestone::ShipmentDamaged,
        "lost" => Milestone::ShipmentLost,
        "cancel" => Milestone::InfoIgnored,
        _ => return None,
    })
}

pub(super) fn read(value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let hook: Webhook = json(value)?;
    let kind = hook.r#type.clone().unwrap_or_default().to_ascii_lowercase();
    let about_status = matches!(kind.as_str(), "" | "create" | "switch_status");
    let mapped = if about_status { milestone(&hook.status) } else { Some(Milestone::InfoIgnored) };
    let named = filled(hook.client_order_code);
    let order = match &named {
        Some(text) => order(text)?,
        None => OrderRef::Alias(tracking_alias(&hook.order_code)),
    };
    let id = hashed_id(&[&hook.order_code, &kind, &hook.status, &hook.time]);
    let time = instant(&hook.time)?;
    let mut draft = Draft::new("ghn", id, mapped.unwrap_or(Milestone::InfoIgnored), time, order);
    if named.is_some() {
        draft.reveals = vec![tracking_alias(&hook.order_code)];
    }
    draft.data.source_code = mapped.is_none().then(|| hook.status.clone());
    draft.data.carrier = Some("ghn".to_owned());
    draft.data.tracking_number = Some(hook.order_code);
    draft.data.location = filled(hook.warehouse);
    draft.data.note = filled(hook.reason);
    draft.data.reason = filled(hook.reason_code);
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(status: &str, kind: &str, client: &str) -> Draft {
        let record = format!(
            r#"{{"OrderCode":"L7X","ClientOrderCode":"{client}","Status":"{status}","Type":"{kind}",
               "Time":"2026-11-22T03:52:50.158Z","Warehouse":"Bưu cục Cẩm Lệ","Reason":"","ReasonCode":""}}"#
        );
        read(record.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn a_carrier_that_waits_to_return_has_not_returned() {
        assert_eq!(
            one("waiting_to_return", "switch_status", "T-1").milestone.code(),
            "shipment.attempt_failed"
        );
        assert_eq!(one("returned", "Switch_status", "T-1").milestone.code(), "shipment.returned");
    }

    #[test]
    fn a_change_of_weight_is_no_change_of_status() {
        assert_eq!(one("delivering", "Update_weight", "T-1").milestone, Milestone::InfoIgnored);
    }

    #[test]
    fn an_unknown_status_is_kept_with_its_code() {
        let draft = one("flying", "switch_status", "T-1");
        assert_eq!(
            (draft.milestone, draft.data.source_code.as_deref()),
            (Milestone::InfoIgnored, Some("flying"))
        );
    }

    #[test]
    fn without_the_shops_number_the_order_is_known_by_the_parcel() {
        assert_eq!(
            one("picked", "switch_status", "").order,
            OrderRef::Alias("tracking:L7X".into())
        );
        assert_eq!(one("picked", "switch_status", "T-1").reveals, ["tracking:L7X"]);
    }
}
