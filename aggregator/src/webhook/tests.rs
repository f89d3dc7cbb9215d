//! Signatures that vendors publish (facts), and ones made here by the documented scheme; a
//! tampered copy of each is refused.

use super::canonical::momo;
use super::{Call, Secrets, Vendors, Verdict};
use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

const BODY: &str = r#"{"id":"evt_1","type":"order.test","amount":1000}"#;
const SECRET: &str = "test_secret_not_real";

struct Attempt {
    source: &'static str,
    secret: String,
    headers: HeaderMap,
    query: String,
    body: Vec<u8>,
    path: Option<String>,
    now: DateTime<Utc>,
}

impl Attempt {
    fn new(source: &'static str, secret: &str, body: &str) -> Self {
        Self {
            source,
            secret: secret.to_owned(),
            headers: HeaderMap::new(),
            query: String::new(),
            body: body.as_bytes().to_vec(),
            path: None,
            now: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    fn verdict(&self) -> Verdict {
        let secrets = Secrets::from_json(&json!({self.source: self.secret}).to_string()).unwrap();
        self.verdict_with(&secrets)
    }

    fn verdict_with(&self, secrets: &Secrets) -> Verdict {
        Vendors::new(&[]).get(self.source).unwrap().check(&self.call(), secrets)
    }

    fn call(&self) -> Call<'_> {
        Call {
            headers: &self.headers,
            query: &self.query,
            body: &self.body,
            path_secret: self.path.as_deref(),
            now: self.now,
        }
    }

    /// Good as it is; bad with another body, and with another secret.
    fn holds(mut self) {
        assert_eq!(self.verdict(), Verdict::Verified, "{}", self.source);
        let other = if self.source == "cloudevents" { "c29tZXRoaW5n" } else { "736f6d65:656c7365" };
        let secret = std::mem::replace(&mut self.secret, other.to_owned());
        assert!(matches!(self.verdict(), Verdict::Bad(_)), "{}: another secret", self.source);
        self.secret = secret;
        let place = self.body.iter().position(|b| *b == b'1').unwrap();
        self.body[place] = b'2';
        assert!(matches!(self.verdict(), Verdict::Bad(_)), "{}: another body", self.source);
    }
}

#[test]
fn a_mac_of_the_body_in_base64() {
    let mac = "+mzn8eTKQ6br5UeJUDS+YKfi4OcyXRx6IPK1xwQH3H8=";
    for (source, header) in [
        ("shopify", "x-shopify-hmac-sha256"),
        ("woocommerce", "x-wc-webhook-signature"),
        ("aftership", "aftership-hmac-sha256"),
        ("aftership", "as-signature-hmac-sha256"),
    ] {
        Attempt::new(source, SECRET, BODY).header(header, mac).holds();
    }
}

#[test]
fn a_mac_of_the_body_in_hex() {
    let printify = "sha256=fa6ce7f1e4ca43a6ebe547895034be60a7e2e0e7325d1c7a20f2b5c70407dc7f";
    Attempt::new("printify", SECRET, BODY).header("x-pfy-signature", printify).holds();
    let printful = "17e0847e3ed27d8fe73cf7632fe6a8f3907540bd0131bdabae7189a48f2371ee";
    Attempt::new("printful", "deadbeef", BODY).header("x-pf-webhook-signature", printful).holds();
    let track = "396e1a5b32fad3af7408a793a2a651ff0157cd3812222005674babc07b4c639a";
    Attempt::new("17track", SECRET, BODY).header("sign", track).holds();
}

/// The secret is decomposed first: `é` signs as `e` and an accent.
#[test]
fn a_secret_with_an_accent_signs_in_its_decomposed_form() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, "se\u{301}cret".as_bytes());
    let tag = hmac::sign(&key, BODY.as_bytes());
    let start = "hmac-sha256-hex=".to_owned();
    let header = tag.as_ref().iter().fold(start, |text, byte| format!("{text}{byte:02x}"));
    Attempt::new("easypost", "s\u{e9}cret", BODY).header("x-hmac-signature", &header).holds();
}

#[test]
fn a_timestamped_mac_holds_for_five_minutes() {
    let value = "t=1700000000,v1=ccce827cde99bfb66d11d15ed7e11c73e7ac5c16ec00df76f9a9dea7fc1563a6";
    let make = || Attempt::new("stripe", SECRET, BODY).header("stripe-signature", value);
    make().holds();
    let rotated = format!("{value},v1=00");
    Attempt::new("stripe", SECRET, BODY).header("stripe-signature", &rotated).holds();
    let mut late = make();
    late.now += chrono::TimeDelta::seconds(301);
    assert_eq!(late.verdict(), Verdict::Bad("too_old"));
    let v0 = value.replace("v1=", "v0=");
    let old = Attempt::new("stripe", SECRET, BODY).header("stripe-signature", &v0);
    assert_eq!(old.verdict(), Verdict::Bad("signature_wrong"));
    Attempt::new("shippo", SECRET, BODY).header("shippo-auth-signature", value).holds();
}

/// The vector that the Standard Webhooks libraries publish.
#[test]
fn standard_webhooks_with_rotation() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    for list in [good.to_owned(), format!("v1,AAAA {good} v1a,zzz")] {
        let mut call = Attempt::new("cloudevents", secret, r#"{"test": 2432232314}"#)
            .header("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
            .header("webhook-timestamp", "1614265330")
            .header("webhook-signature", &list);
        call.now = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        call.holds();
    }
}

/// The values of a published test of VNPay's scheme.
#[test]
fn a_sorted_query() {
    let hash = "649982421beb422556a1374713c74e58e716ecbd05007c0c0e1f7effdfaf361dbf146889ca446139afe11b9954c4d5c486e99e3b86fcfab6957f29eb0be72895";
    let pairs = [
        ("vnp_TxnRef", "1716257871703"),
        ("vnp_Amount", "1000000"),
        ("vnp_BankCode", "NCB"),
        ("vnp_BankTranNo", "VNP14422574"),
        ("vnp_CardType", "ATM"),
        ("vnp_OrderInfo", "Thanh toan don hang 2024-05-21T02:17:31.249Z"),
        ("vnp_PayDate", "20240521091806"),
        ("vnp_ResponseCode", "00"),
        ("vnp_TmnCode", "TEST_TMN_CODE"),
        ("vnp_TransactionNo", "14422574"),
        ("vnp_TransactionStatus", "00"),
        ("vnp_SecureHashType", "HmacSHA512"),
        ("vnp_Empty", ""),
        ("vnp_SecureHash", hash),
    ];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let mut call = Attempt::new("vnpay", "test_secret", "");
    call.query = query.clone();
    assert_eq!(call.verdict(), Verdict::Verified);
    call.query = query.replace("vnp_Amount=1000000", "vnp_Amount=9000000");
    assert_eq!(call.verdict(), Verdict::Bad("signature_wrong"));
    call.query = format!("{query}&vnp_TransactionStatus=");
    assert_eq!(call.verdict(), Verdict::Bad("name_repeated"));
    call.query = query.replace("vnp_SecureHash=", "x=");
    assert_eq!(call.verdict(), Verdict::Bad("signature_missing"));
}

#[test]
fn momos_twelve_fields() {
    let body = json!({"partnerCode": "MOMOT5BZ20231213_TEST", "orderId": "Partner_Transaction_ID_1721720620078",
        "requestId": "Request_ID_1721720620078", "amount": 1000, "orderInfo": "Thank you for your purchase at MoMo_test",
        "orderType": "momo_wallet", "transId": 4_088_878_653_u64, "resultCode": 0, "message": "Successful.", "payType": "qr",
        "responseTime": 1_721_720_663_942_u64, "extraData": "eyJza3VzIjoiIn0=",
        "signature": "a5309d4fb6b3d6bd23ea739e1cffc27b08f3516de74b43bb01976dc73ddb7638"});
    assert!(momo("k", &body).starts_with("accessKey=k&amount=1000&extraData="));
    Attempt::new("momo", &format!("test_access:{SECRET}"), &body.to_string()).holds();
}

#[test]
fn a_secret_that_could_never_be_right_is_refused_at_the_start() {
    for wrong in [r#"{"momo": "alone"}"#, r#"{"epcis": "whsec_?"}"#, r#"{"ghn": ""}"#] {
        assert!(Secrets::from_json(wrong).is_err(), "{wrong}");
    }
}

/// The signed text is the same, but the fields are divided anew: a failure would become a payment.
#[test]
fn a_text_that_was_divided_anew_is_not_momos() {
    let told = "gift&orderType=w&partnerCode=P&payType=qr&requestId=r&responseTime=1&resultCode=0&transId=9";
    let mut body = json!({"amount": 5, "extraData": "", "message": "m", "orderId": "T-1", "orderInfo": told,
        "orderType": "w", "partnerCode": "P", "payType": "qr", "requestId": "r", "responseTime": 1,
        "resultCode": 1006, "transId": 4});
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, momo("a", &body).as_bytes());
    let hex = tag.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    body["signature"] = hex.into();
    let verdict =
        |body: &Value| Attempt::new("momo", &format!("a:{SECRET}"), &body.to_string()).verdict();
    assert_eq!(verdict(&body), Verdict::Verified);
    let signed = momo("a", &body);
    body["orderInfo"] = "gift".into();
    body["resultCode"] = 0.into();
    body["transId"] =
        "9&orderType=w&partnerCode=P&payType=qr&requestId=r&responseTime=1&resultCode=1006&transId=4".into();
    assert_eq!(momo("a", &body), signed);
    assert_eq!(verdict(&body), Verdict::Bad("signature_wrong"));
}

/// The values of ZaloPay's documented sample and its public sandbox key.
#[test]
fn the_text_in_data() {
    let data = r#"{"app_id":2553,"app_trans_id":"200904_2553_1598435687208","app_time":1599189392817,"app_user":"demo","amount":10000,"embed_data":"{\"merchantinfo\":\"embeddata123\",\"promotioninfo\":\"\"}","item":"[{\"itemid\":\"knb\",\"itemname\":\"kim nguyen bao\",\"itemprice\":198400,\"itemquantity\":1}]","zp_trans_id":200904000000389,"server_time":1599189413498,"channel":38,"merchant_user_id":"7ZMSl3nEg5sOUJzOLSoUFT8xKNQVaLOLXHB--8Eytqc","user_fee_amount":0,"discount_amount":0}"#;
    let mac = "d8d33baf449b31d7f9b94fa50d7c942c08cd4d83f28fa185557da21acb104f67";
    let body = json!({"data": data, "mac": mac, "type": 1});
    let call = Attempt::new("zalopay", "kLtgPl8HHhfvMuDHPwKfgfsY4Ydm9eIz", &body.to_string());
    assert_eq!(call.verdict(), Verdict::Verified);
    let tampered = body.to_string().replace("10000", "90000");
    let call = Attempt::new("zalopay", "kLtgPl8HHhfvMuDHPwKfgfsY4Ydm9eIz", &tampered);
    assert_eq!(call.verdict(), Verdict::Bad("signature_wrong"));
}

#[test]
fn a_secret_in_the_address_makes_a_report_and_one_in_the_body_is_not_kept() {
    let mut call = Attempt::new("ghn", "abc", "{}");
    assert_eq!(call.verdict(), Verdict::Bad("secret_missing"));
    call.path = Some("abc".to_owned());
    assert_eq!(call.verdict(), Verdict::Unsigned);
    call.path = Some("abd".to_owned());
    assert_eq!(call.verdict(), Verdict::Bad("secret_wrong"));
    let named = Attempt::new("gelato", "abc", "{}").header("authorization", "abc");
    assert_eq!(named.verdict(), Verdict::Unsigned);
    let mut call = Attempt::new("ghtk", "abc", "a=b");
    call.query = "hash=abc".to_owned();
    assert_eq!(call.verdict(), Verdict::Unsigned);
    let post = Attempt::new("viettelpost", "abc", r#"{"DATA":{"ORDER_NUMBER":"1"},"TOKEN":"abc"}"#);
    assert_eq!(post.verdict(), Verdict::Verified);
    let kept = Vendors::new(&[]).get("viettelpost").unwrap().record(&post.call());
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept, json!({"DATA": {"ORDER_NUMBER": "1"}}));
}

#[test]
fn a_vendor_that_may_sign_is_held_to_its_signature() {
    let mut call =
        Attempt::new("printful", "deadbeef", BODY).header("x-pf-webhook-signature", "00");
    call.path = Some("deadbeef".to_owned());
    assert_eq!(call.verdict(), Verdict::Bad("signature_wrong"));
    // Without a signature it reports, by the one secret that there is; where the address has a secret of
    // its own, what signs does not open it.
    call.headers.clear();
    assert_eq!(call.verdict(), Verdict::Unsigned);
    let both = r#"{"printful": "deadbeef", "printful:address": "s"}"#;
    let secrets = Secrets::from_json(both).unwrap();
    assert_eq!(secrets.of_address("printful").len(), 1);
    assert_eq!(call.verdict_with(&secrets), Verdict::Bad("secret_wrong"));
    call.path = Some("s".to_owned());
    assert_eq!(call.verdict_with(&secrets), Verdict::Unsigned);
    assert!(Secrets::from_json(r#"{"printful:address": "s"}"#).unwrap().is_in_use("printful"));
}

#[test]
fn a_shared_secret_may_stand_in_the_body_or_in_a_header_and_in_a_form() {
    let post = Attempt::new("viettelpost", "abc", r#"{"DATA":{},"TOKEN":""}"#);
    assert_eq!(post.verdict(), Verdict::Bad("secret_wrong"));
    assert_eq!(post.header("authorization", "Bearer abc").verdict(), Verdict::Verified);
    let form = Attempt::new("viettelpost", "abc", "ORDER_NUMBER=1&TOKEN=abc");
    assert_eq!(form.verdict(), Verdict::Verified);
    let vendors = Vendors::new(&[]);
    let kept = vendors.get("viettelpost").unwrap().record(&form.call());
    assert_eq!(kept, b"ORDER_NUMBER=1");
}
