use super::*;
use crate::source::tests::{read_all, read_with_headers};

fn codes(drafts: &[Draft]) -> Vec<&str> {
    drafts.iter().map(|d| d.milestone.code()).collect()
}

const ORDER: &str = r##"{"id":820982911946154508,"name":"#T-20","created_at":"2026-11-20T08:58:03+07:00","updated_at":"2026-11-20T09:10:00+07:00",
    "currency":"VND","total_price":"459000","financial_status":"paid","fulfillment_status":null,"confirmed":true,"cancelled_at":null,
    "email":"an@example.com","customer":{"id":55,"first_name":"An","last_name":"Lê"},
    "line_items":[{"id":1,"sku":"MUG","name":"Cốc","quantity":2}]}"##;

#[test]
fn an_order_is_placed_paid_and_confirmed_and_tells_its_alias() {
    let drafts = read_all("shopify", ORDER);
    assert_eq!(codes(&drafts), ["order.placed", "payment.paid", "order.confirmed"]);
    assert_eq!(drafts[0].order, OrderRef::Order("T-20".parse().unwrap()));
    assert_eq!(drafts[0].reveals, ["shopify:820982911946154508"]);
    assert_eq!(drafts[0].customer.as_ref().unwrap().id.as_str(), "55");
    assert_eq!(drafts[1].data.money.as_ref().unwrap().amount, 459_000);
    let wrapped = read_all("shopify", &format!(r#"{{"order":{ORDER}}}"#));
    assert_eq!(wrapped, drafts);
}

#[test]
fn a_cancelled_order_says_when_and_why() {
    let cancelled = ORDER.replace(
        r#""cancelled_at":null"#,
        r#""cancelled_at":"2026-11-21T08:00:00Z","cancel_reason":"customer""#,
    );
    let drafts = read_all("shopify", &cancelled);
    assert_eq!(codes(&drafts), ["order.placed", "payment.paid", "order.cancelled"]);
    assert_eq!(drafts[2].data.reason.as_deref(), Some("customer"));
}

#[test]
fn collected_by_the_buyer_is_delivered_and_by_the_carrier_is_not() {
    let event = |status: &str| {
        read_all("shopify", &format!(
        r#"{{"id":9,"fulfillment_id":7,"order_id":82,"status":"{status}","happened_at":"2026-11-23T16:32:23+07:00"}}"#)).remove(0)
    };
    assert_eq!(event("picked_up").milestone, Milestone::ShipmentDelivered);
    assert_eq!(event("carrier_picked_up").milestone, Milestone::ShipmentHandedOver);
    assert_eq!(event("in_transit").order, OrderRef::Alias("shopify:82".into()));
}

#[test]
fn a_fulfilment_tells_its_parcel_and_a_refund_its_amount() {
    let parcel = r##"{"id":7,"order_id":82,"status":"success","created_at":"2026-11-22T10:00:00Z","tracking_company":"GHN","tracking_number":"gx 9",
        "name":"#T-20.1","shipment_status":null,"line_items":[{"id":1}]}"##;
    let parcel = read_all("shopify", parcel).remove(0);
    assert_eq!(
        (parcel.data.shipment.as_deref(), parcel.reveals),
        (Some("7"), vec!["tracking:GX9".to_owned()])
    );
    let refund = r#"{"id":3,"order_id":82,"created_at":"2026-11-24T10:00:00Z","refund_line_items":[],"transactions":[
        {"id":4,"kind":"refund","status":"success","amount":"100000","currency":"VND","processed_at":"2026-11-24T10:01:00Z"}]}"#;
    let refund = read_all("shopify", refund).remove(0);
    assert_eq!(
        (refund.milestone, refund.data.money.unwrap().amount),
        (Milestone::PaymentRefunded, 100_000)
    );
}

#[test]
fn a_transaction_is_no_parcel_and_a_refund_that_comes_twice_is_one() {
    let money = |kind: &str, status: &str| {
        let body = format!(
            r#"{{"id":4,"order_id":82,"kind":"{kind}","status":"{status}","amount":"100000","currency":"VND","created_at":"2026-11-24T10:01:00Z"}}"#
        );
        assert_eq!(
            read_all("shopify", &body),
            read_all("shopify", &format!(r#"{{"transaction":{body}}}"#))
        );
        read_all("shopify", &body).remove(0)
    };
    for (kind, status, code) in [
        ("sale", "success", "payment.paid"),
        ("capture", "success", "payment.paid"),
        ("authorization", "success", "payment.authorized"),
        ("sale", "pending", "payment.pending"),
        ("sale", "failure", "payment.failed"),
        ("void", "success", "payment.failed"),
        ("refund", "success", "payment.refunded"),
    ] {
        let draft = money(kind, status);
        assert_eq!((draft.milestone.code(), draft.data.shipment), (code, None), "{kind}");
    }
    let with_refund = r#"{"id":3,"order_id":82,"created_at":"2026-11-24T10:00:00Z","refund_line_items":[],"transactions":[
        {"id":4,"kind":"refund","status":"success","amount":"100000","currency":"VND","created_at":"2026-11-24T10:01:00Z"}]}"#;
    assert_eq!(read_all("shopify", with_refund), [money("refund", "success")]);
}

#[test]
fn an_order_tells_what_of_it_is_ready() {
    let with = |status: &str, more: &str| {
        let status = format!(r#""fulfillment_status":{status},{more}"confirmed":false"#);
        let order = ORDER.replace(r#""fulfillment_status":null,"confirmed":true"#, &status);
        let order = order.replace(
            r#""quantity":2}"#,
            r#""quantity":2,"fulfillment_status":"fulfilled"},
            {"id":2,"sku":"CUP","name":"Ly","quantity":1,"fulfillment_status":null}"#,
        );
        read_all("shopify", &order)
    };
    assert_eq!(codes(&with("null", ""))[2..], ["order.confirmed"]);
    let partial = with(r#""partial""#, "");
    assert_eq!(codes(&partial)[2..], ["order.confirmed", "fulfilment.packed"]);
    assert_eq!(partial[3].data.lines, ["1"]);
    let whole = with(r#""fulfilled""#, "");
    assert_eq!(codes(&whole)[3..], ["shipment.label_created"]);
    assert_eq!(whole[3].data.lines, ["1", "2"]);
    // A parcel that is listed is the one that its own record tells of.
    let parcel = r#"{"id":7,"order_id":820982911946154508,"status":"success","created_at":"2026-11-22T10:00:00Z","tracking_company":"GHN",
        "tracking_numbers":["GX9","GX10"],"line_items":[{"id":1}]}"#;
    let listed = with(r#""partial""#, &format!(r#""fulfillments":[{parcel}],"#));
    let alone = read_all("shopify", parcel);
    assert_eq!(alone[0].reveals, ["tracking:GX9", "tracking:GX10"]);
    assert_eq!((listed.len(), &listed[3].id), (4, &alone[0].id));
}

#[test]
fn what_is_told_of_other_things_than_orders_says_nothing() {
    let draft = r##"{"id":9,"name":"#D2","status":"open","created_at":"2026-11-20T08:58:03Z","invoice_url":"https://x/"}"##;
    let planned = r#"{"id":1,"order_id":82,"assigned_location_id":3,"status":"open"}"#;
    let edited = r#"{"order_edit":{"id":1,"order_id":82,"created_at":"2026-11-20T08:58:03Z"}}"#;
    for nothing in [draft, planned, edited] {
        assert!(read_all("shopify", nothing).is_empty(), "{nothing}");
    }
    let told = |topic: &str, body: &str| {
        read_with_headers("shopify", body, &[("x-shopify-topic", topic)]).unwrap().len()
    };
    assert_eq!((told("orders/updated", ORDER), told("checkouts/create", ORDER)), (3, 0));
    let tender = r#"{"id":1,"order_id":82,"amount":"138.46"}"#;
    assert_eq!(
        (told("tender_transactions/create", tender), told("orders/delete", r#"{"id":1}"#)),
        (0, 0)
    );
}

#[test]
fn a_dispute_is_one_and_a_fulfilment_that_was_called_off_is_off_whatever_was_scanned() {
    let dispute = r#"{"id":35,"order_id":82,"amount":"11.50","currency":"USD","reason":"fraudulent","initiated_at":"2026-11-24T10:00:00Z"}"#;
    let dispute = read_all("shopify", dispute).remove(0);
    assert_eq!(
        (dispute.milestone, dispute.data.money.unwrap().amount),
        (Milestone::PaymentDisputed, 1150)
    );
    let parcel = |status: &str, number: &str| {
        let body = format!(
            r#"{{"id":7,"order_id":82,"status":"{status}","shipment_status":"label_printed","updated_at":"2026-11-22T10:00:00Z","tracking_number":{number}}}"#
        );
        read_all("shopify", &body).remove(0)
    };
    assert_eq!(parcel("cancelled", "null").milestone, Milestone::OrderCancelled);
    assert_eq!(parcel("success", "null").milestone, Milestone::ShipmentLabelCreated);
    assert_ne!(parcel("success", "null").id, parcel("success", "\"GX9\"").id, "its number is news");
}

#[test]
fn who_pays_in_another_currency_is_paid_back_in_that() {
    let foreign = ORDER.replacen(
        r#""total_price":"459000""#,
        r#""total_price":"459000","total_price_set":{"presentment_money":{"amount":"18.00","currency_code":"USD"}}"#,
        1,
    );
    let paid = read_all("shopify", &foreign)[1].data.money.clone().unwrap();
    assert_eq!((paid.amount, paid.currency.as_str()), (1800, "USD"));
}

#[test]
fn what_is_paid_at_the_door_is_due_there() {
    let order = |gateway: &str| {
        let more = format!(r#""payment_gateway_names":["{gateway}"],"currency""#);
        let pending =
            ORDER.replace(r#""financial_status":"paid""#, r#""financial_status":"pending""#);
        read_all("shopify", &pending.replacen(r#""currency""#, &more, 1))[1].milestone
    };
    for gateway in ["Cash on Delivery (COD)", "COD", "Thanh toán khi nhận hàng"] {
        assert_eq!(order(gateway), Milestone::PaymentCodDue, "{gateway}");
    }
    for gateway in ["Bank Deposit", "Codapay"] {
        assert_eq!(order(gateway), Milestone::PaymentPending, "{gateway}");
    }
    let sale = r#"{"id":3,"order_id":82,"kind":"sale","status":"pending","gateway":"Cash on Delivery (COD)","created_at":"2026-11-20T08:58:03Z"}"#;
    assert_eq!(read_all("shopify", sale)[0].milestone, Milestone::PaymentCodDue);
}

#[test]
fn an_event_that_was_deleted_did_not_happen() {
    let event = r#"{"id":944,"fulfillment_id":7,"order_id":82,"status":"delivered","happened_at":"2026-11-24T10:00:00Z"}"#;
    let deleted = [("x-shopify-topic", "fulfillment_events/delete")];
    let draft = read_with_headers("shopify", event, &deleted).unwrap().remove(0);
    assert_eq!(
        (draft.milestone, draft.data.corrects.as_deref()),
        (Milestone::InfoIgnored, Some("944"))
    );
    assert_eq!(read_all("shopify", event)[0].id, "944");
}

#[test]
fn a_dispute_of_no_order_says_nothing() {
    let dispute = r#"{"id":35,"order_id":null,"amount":"11.50","currency":"USD","initiated_at":"2026-11-24T10:00:00Z"}"#;
    assert!(read_all("shopify", dispute).is_empty());
    let protect = r#"{"order_id":82,"eligibility":"eligible","status":"pending"}"#;
    let topic = [("x-shopify-topic", "orders/shopify_protect_eligibility_changed")];
    assert!(read_with_headers("shopify", protect, &topic).unwrap().is_empty());
}
