//! Vendors that call back, through a gateway: believed when they sign, and thanked as they want.

use aws_lc_rs::hmac;
use chrono::TimeDelta;
use devstack::testing::{Stack, find_record, unique};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use service_kit::clock;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

async fn place(stack: &Stack, order: &str) {
    let at = clock::now() - TimeDelta::hours(3);
    let placed = json!({"event": "order.placed", "order_no": order, "at": at.to_rfc3339(),
        "customer": {"id": format!("C-{order}"), "locale": "vi"},
        "items": [{"line": "1", "sku": "MUG", "title": "Cốc", "quantity": 1}]});
    stack.say("source.shop", &placed).await.unwrap();
}

/// Stripe's signature: the hexadecimal HMAC-SHA256 of `t.body`.
fn stripe_signature(secret: &str, body: &str) -> String {
    let time = clock::now().timestamp();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    let hex = tag.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("t={time},v1={hex}")
}

async fn post_stripe(stack: &Stack, body: &str, signature: &str) -> Response {
    let url = format!("{}/v1/webhooks/stripe", stack.manifest.gateways[0]);
    client()
        .post(url)
        .header("stripe-signature", signature)
        .body(body.to_owned())
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_signed_payment_is_taken_and_a_forged_one_is_not() {
    let stack = Stack::running().unwrap();
    let order = unique("HOOK");
    place(&stack, &order).await;
    let secret = &stack.manifest.webhook_secrets["stripe"];
    let body = json!({"id": unique("evt"), "type": "payment_intent.succeeded", "created": clock::now().timestamp(),
        "data": {"object": {"id": unique("pi"), "object": "payment_intent", "amount": 9000, "currency": "usd",
            "metadata": {"order_id": order}}}}).to_string();
    let forged = post_stripe(&stack, &body, &stripe_signature("whsec_guess", &body)).await;
    assert_eq!(forged.status(), StatusCode::UNAUTHORIZED);
    let problem: Value = forged.json().await.unwrap();
    assert_eq!(problem["code"], "signature_wrong");
    let taken = post_stripe(&stack, &body, &stripe_signature(secret, &body)).await;
    assert_eq!(taken.status(), StatusCode::OK);
    let timeline = stack.rest.wait_version(&order, 2, LIMIT).await.unwrap();
    let entries = timeline["entries"].as_array().unwrap();
    let paid = entries.iter().find(|entry| entry["milestone"] == "payment.paid").unwrap();
    assert_eq!(paid["confidence"], "confirmed");
    let (brokers, wanted) = (&stack.manifest.kafka_brokers, body.into_bytes());
    let found = find_record(brokers, "source.stripe", LIMIT, move |v| v == wanted).await.unwrap();
    assert_eq!(found.key, Some(order.into_bytes()), "what is said of one order lies together");
}

#[tokio::test]
async fn a_carrier_that_does_not_sign_reports_and_is_thanked_as_it_wants() {
    let stack = Stack::running().unwrap();
    let (order, parcel) = (unique("HOOK"), unique("EK"));
    place(&stack, &order).await;
    let gateway = &stack.manifest.gateways[1];
    let body = json!({"tracking_code": parcel, "order_code": order, "status_code": 4, "status_name": "Đang vận chuyển",
        "datetime": "22/11/2026 07:54:50"});
    let post = |secret: String| {
        let url = format!("{gateway}/v1/webhooks/ems/{secret}");
        client().post(url).header("ems-transaction", "tr-1").json(&body).send()
    };
    assert_eq!(post("guess".to_owned()).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let taken = post(stack.manifest.webhook_secrets["ems"].clone()).await.unwrap();
    let thanks: Value = taken.json().await.unwrap();
    assert_eq!(thanks, json!({"code": "success", "transaction": "tr-1"}));
    let timeline = stack.rest.wait_version(&order, 2, LIMIT).await.unwrap();
    assert_eq!(
        timeline["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["confidence"] == "reported")
            .count(),
        1
    );
}

#[tokio::test]
async fn what_nobody_agreed_on_is_not_there_and_what_is_too_large_is_refused() {
    let stack = Stack::running().unwrap();
    let gateway = &stack.manifest.gateways[0];
    let post = |path: &str, body: Vec<u8>| {
        client().post(format!("{gateway}/v1/webhooks/{path}")).body(body).send()
    };
    assert_eq!(post("nobody", b"{}".to_vec()).await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(post("shop", b"{}".to_vec()).await.unwrap().status(), StatusCode::NOT_FOUND);
    let large = vec![b'x'; 1024 * 1024 + 1];
    let refused = post("ghn/any", large).await.unwrap();
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let get = client().get(format!("{gateway}/v1/webhooks/stripe")).send().await.unwrap();
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    let ping = post("woocommerce", b"webhook_id=7".to_vec()).await.unwrap();
    assert_eq!(ping.status(), StatusCode::OK);
}

/// A carrier that is described by a file alone (`docs/examples/sources/lotus.toml`): its webhook,
/// its topic, its codes, its times.
#[tokio::test]
async fn a_carrier_that_a_file_describes_is_as_good_as_any() {
    let stack = Stack::running().unwrap();
    let (order, parcel) = (unique("LOTUS"), unique("LX"));
    place(&stack, &order).await;
    // Its clock is Viet Nam's and tells no offset.
    let at = clock::now() - TimeDelta::hours(1);
    let local = (at + TimeDelta::hours(7)).format("%d/%m/%Y %H:%M:%S").to_string();
    let body = json!({"parcels": [{"waybill": parcel, "reference": order, "expected": "2026-11-25",
        "state": {"code": "NOBODY_THERE", "at": local, "city": "Huế"}}]})
    .to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, stack.manifest.webhook_secrets["lotus"].as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let hex =
        tag.as_ref().iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"));
    let url = format!("{}/v1/webhooks/lotus", stack.manifest.gateways[0]);
    let post = |signature: String| {
        client().post(&url).header("x-lotus-signature", signature).body(body.clone()).send()
    };
    assert_eq!(
        post(hex.replace("sha256=", "sha256=00")).await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(post(hex).await.unwrap().status(), StatusCode::OK);
    let timeline = stack.rest.wait_version(&order, 2, LIMIT).await.unwrap();
    assert_eq!(timeline["problem"]["code"], "shipment.attempt_failed");
    assert_eq!(timeline["problem"]["reason"], "consignee_not_home");
    let entries = timeline["entries"].as_array().unwrap();
    let failed = entries.iter().find(|entry| entry["source"] == "lotus").unwrap();
    assert_eq!(failed["location"], "Huế");
    let told = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(failed["at"], told);
    assert_eq!(timeline["eta"]["earliest"], "2026-11-25T01:00:00Z");
}
