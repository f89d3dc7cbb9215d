//! The WebSocket's bytes themselves: frames that no library would send.

use devstack::client::LiveClient;
use devstack::testing::{Stack, unique};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const LIMIT: Duration = Duration::from_secs(10);

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
/// The length follows in so many bits.
const LENGTH_OF_16_BITS: u8 = 0x7e;
const LENGTH_OF_64_BITS: u8 = 0x7f;
/// A bit that no extension of ours uses (RFC 6455, 5.2).
const RESERVED: u8 = 0x40;

/// A frame as a client has to send it: masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [7, 77, 177, 211];
    let mut bytes = vec![first];
    if let Ok(length @ 0..=125) = u8::try_from(payload.len()) {
        bytes.push(MASKED | length);
    } else {
        bytes.push(MASKED | LENGTH_OF_16_BITS);
        bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A connection whose bytes are written and read by hand.
struct Wire(TcpStream);

impl Wire {
    async fn open(gateway: &str) -> Self {
        let mut wire = Self::connect(gateway).await;
        let upgrade = "GET /v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Protocol: milepost.v1\r\n\r\n";
        wire.0.write_all(upgrade.as_bytes()).await.unwrap();
        assert!(wire.head().await.starts_with("HTTP/1.1 101"), "no upgrade");
        wire
    }

    async fn connect(gateway: &str) -> Self {
        Self(TcpStream::connect(gateway.trim_start_matches("http://")).await.unwrap())
    }

    async fn welcomed(stack: &Stack) -> Self {
        let mut wire = Self::open(&stack.manifest.gateways[0]).await;
        let token = stack.rest.token("C-1", &["A"]).await.unwrap();
        let hello = json!({"op": "hello", "token": token}).to_string();
        wire.send(&frame(FIN | TEXT, hello.as_bytes())).await;
        let (_, payload) = wire.next().await.unwrap();
        assert!(payload.starts_with(br#"{"op":"welcome""#));
        wire
    }

    async fn send(&mut self, bytes: &[u8]) {
        // The gateway may have closed already: what it said is read all the same.
        let _ = self.0.write_all(bytes).await;
    }

    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match timeout(LIMIT, self.0.read_u8()).await.expect("no answer") {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8_lossy(&head).into_owned()
    }

    /// The next frame: its opcode and payload; none at the end.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = async {
            let first = self.0.read_u8().await.ok()?;
            let length = match self.0.read_u8().await.ok()? {
                126 => usize::from(self.0.read_u16().await.ok()?),
                127 => usize::try_from(self.0.read_u64().await.ok()?).ok()?,
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.ok()?;
            Some((first & 0x0f, payload))
        };
        timeout(LIMIT, read).await.expect("neither a frame nor the end")
    }

    /// Reads until the close frame; its code.
    async fn closed(&mut self) -> Option<u16> {
        while let Some((opcode, payload)) = self.next().await {
            if opcode == CLOSE {
                return Some(u16::from_be_bytes([*payload.first()?, *payload.get(1)?]));
            }
        }
        None
    }
}

#[tokio::test]
async fn a_text_in_pieces_with_a_ping_between_them_is_one_text() {
    let stack = Stack::running().unwrap();
    let mut wire = Wire::welcomed(&stack).await;
    wire.send(&frame(TEXT, br#"{"op":"#)).await;
    wire.send(&frame(FIN | PING, b"there?")).await;
    assert_eq!(wire.next().await.unwrap(), (PONG, b"there?".to_vec()));
    wire.send(&frame(FIN | CONTINUATION, br#""ping"}"#)).await;
    assert_eq!(wire.next().await.unwrap(), (TEXT, br#"{"op":"pong"}"#.to_vec()));
}

#[tokio::test]
async fn what_breaks_the_rules_of_framing_is_named_and_ends() {
    let stack = Stack::running().unwrap();
    let unmasked = [&[FIN | TEXT, 13][..], br#"{"op":"ping"}"#].concat();
    let endless =
        [&[FIN | TEXT, MASKED | LENGTH_OF_64_BITS][..], &(1_u64 << 62).to_be_bytes(), &[0; 4]]
            .concat();
    let pieces = [frame(TEXT, b"{"), frame(FIN | TEXT, b"}")].concat();
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("unmasked", unmasked, 4400),
        ("not UTF-8", frame(FIN | TEXT, &[b'"', 0xc3, 0x28, b'"']), 4400),
        ("an opcode that is none", frame(FIN | 0x3, b"x"), 4400),
        ("a reserved bit", frame(FIN | RESERVED | TEXT, b"{}"), 4400),
        ("a long ping", frame(FIN | PING, &[0; 126]), 4400),
        ("a ping in pieces", frame(PING, b"x"), 4400),
        ("an end without a beginning", frame(FIN | CONTINUATION, b"x"), 4400),
        ("a beginning within another", pieces, 4400),
        ("four exabytes", endless, 4413),
    ];
    for (what, bytes, code) in cases {
        let mut wire = Wire::welcomed(&stack).await;
        wire.send(&bytes).await;
        assert_eq!(wire.closed().await, Some(code), "{what}");
    }
}

#[tokio::test]
async fn after_a_close_nothing_is_heard_any_more() {
    let stack = Stack::running().unwrap();
    let mut wire = Wire::welcomed(&stack).await;
    let bye = frame(FIN | CLOSE, &1000_u16.to_be_bytes());
    wire.send(&[bye, frame(FIN | TEXT, br#"{"op":"ping"}"#)].concat()).await;
    assert_eq!(wire.next().await, Some((CLOSE, 1000_u16.to_be_bytes().to_vec())));
    assert_eq!(wire.next().await, None);
}

#[tokio::test]
async fn a_flood_ends_its_own_connection_and_nobody_elses() {
    let stack = Stack::running().unwrap();
    let order = unique("CALM");
    let token = stack.rest.token("C-2", &[&order]).await.unwrap();
    let mut other = LiveClient::connect(&stack.manifest.gateways[0], &token).await.unwrap();
    let subscribe = json!({"op": "subscribe", "id": 1, "channel": "order:A"}).to_string();
    for one in [frame(FIN | TEXT, subscribe.as_bytes()), frame(FIN | PING, b"!")] {
        let mut wire = Wire::welcomed(&stack).await;
        wire.send(&one.repeat(10_000)).await;
        assert_eq!(wire.closed().await, Some(4429));
    }
    let answer = other.subscribe(&format!("order:{order}"), None).await.unwrap();
    assert_eq!((answer.op(), answer.version()), ("snapshot", 0));
}

#[tokio::test]
async fn only_our_own_names_are_answered_to() {
    let stack = Stack::running().unwrap();
    for (host, status) in [("localhost:1", "401"), ("evil.example", "421")] {
        let mut wire = Wire::connect(&stack.manifest.gateways[0]).await;
        wire.send(format!("GET /v1/inbox HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
        assert_eq!(wire.head().await.split(' ').nth(1), Some(status), "{host}");
    }
}

#[tokio::test]
async fn who_never_ends_a_request_or_sends_a_huge_one_is_not_waited_for() {
    let stack = Stack::running().unwrap();
    let gateway = &stack.manifest.gateways[0];
    let token = "x".repeat(100_000);
    let huge = format!(
        "GET /v1/inbox HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let mut wire = Wire::connect(gateway).await;
    wire.send(huge.as_bytes()).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 431"));
    let (mut slow, start) = (Wire::connect(gateway).await, Instant::now());
    slow.send(b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\n").await;
    let mut byte = [0];
    loop {
        slow.send(b"X-Slow: 1\r\n").await;
        match timeout(Duration::from_secs(1), slow.0.read(&mut byte)).await {
            // Silence: it is still waited for.
            Err(_) => assert!(start.elapsed() < Duration::from_secs(40), "it is waited for"),
            // An answer (408) or the end.
            Ok(_) => break,
        }
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_not_waited_for() {
    let stack = Stack::running().unwrap();
    let (mut slow, start) = (Wire::connect(&stack.manifest.gateways[0]).await, Instant::now());
    slow.send(b"POST /v1/lookup HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n").await;
    let mut byte = [0];
    loop {
        slow.send(b"x").await;
        match timeout(Duration::from_secs(1), slow.0.read(&mut byte)).await {
            Err(_) => assert!(start.elapsed() < Duration::from_secs(40), "it is waited for"),
            Ok(_) => break,
        }
    }
    assert!(slow.head().await.starts_with("TTP/1.1 408"));
}
