//! `GET /v1/live/sse`: the same session, written as server-sent events.

use super::connection::{Connection, goodbye, written};
use crate::gateway::{ClientAddress, Gateway};
use crate::line::Outcome;
use crate::ticket;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use contract::live::{Close, MAX_CHANNELS};
use futures_util::stream::{self, Stream};
use service_kit::auth::bearer;
use service_kit::clock;
use service_kit::problem::Problem;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Sleep;

/// Its name in metrics.
const TRANSPORT: &str = "sse";
/// A comment goes out when nothing else did for so long, so that proxies keep the line open.
const COMMENT: Duration = Duration::from_secs(15);

/// What the query asks for.
#[derive(Debug, Default)]
struct Asked {
    channels: Vec<String>,
    ticket: Option<String>,
    since: HashMap<String, u64>,
}

/// Opens a stream. The token comes in `Authorization`, or behind a single-use `?ticket=`.
pub async fn open(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    gateway.admit_origin(TRANSPORT, &headers)?;
    let asked = Asked::read(query.as_deref().unwrap_or_default(), &headers)?;
    // Before the ticket is used up: who is sent away for a moment comes back with it.
    let place = gateway.admit(TRANSPORT, address)?;
    let token = match (&asked.ticket, bearer(&headers)) {
        (Some(number), _) => ticket::redeem(&gateway, number).await?,
        (None, Some(token)) => token.to_owned(),
        (None, None) => return Err(Problem::unauthorized("token_missing")),
    };
    // Again behind a ticket: it may be older than a revocation.
    gateway.authenticator.viewer(&token, clock::now())?;
    let mut connection = Connection::open(gateway, TRANSPORT, place);
    let first = connection.tell(|session| {
        let mut effects = session.hello(&token, clock::now());
        for channel in &asked.channels {
            let since = asked.since.get(channel).copied();
            effects.extend(session.subscribe(None, channel, since));
        }
        effects
    });
    let mut response = Sse::new(events(connection, first)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that buffer would hold updates back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

impl Asked {
    fn read(query: &str, headers: &HeaderMap) -> Result<Self, Problem> {
        let mut asked = Self::default();
        let mut last =
            headers.get("last-event-id").and_then(|v| v.to_str().ok()).map(str::to_owned);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value)
                .ok_or_else(|| Problem::bad_request("The query is not well formed."))?;
            match name {
                "channel" => asked.channels.push(value),
                "ticket" => asked.ticket = Some(value),
                "last_event_id" => last = Some(value),
                _ => {}
            }
        }
        if asked.channels.is_empty() || asked.channels.len() > MAX_CHANNELS {
            return Err(Problem::bad_request("1 to 50 times ?channel= is needed."));
        }
        let positions = last.iter().flat_map(|list| list.split(','));
        let known = positions
            .filter_map(|p| p.rsplit_once('@'))
            .filter_map(|(c, v)| Some((c.to_owned(), v.parse().ok()?)));
        asked.since = known.filter(|(_, version)| *version > 0).collect();
        Ok(asked)
    }
}

/// Undoes percent-encoding (RFC 3986); a query's `+` is a space.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The running stream.
struct Streaming {
    connection: Connection,
    ready: VecDeque<Event>,
    clock: Pin<Box<Sleep>>,
    over: bool,
}

fn events(connection: Connection, first: Outcome) -> impl Stream<Item = Result<Event, Infallible>> {
    let clock = Box::pin(tokio::time::sleep_until(connection.deadline(COMMENT)));
    let mut streaming = Streaming { connection, ready: VecDeque::new(), clock, over: false };
    streaming
        .ready
        .push_back(Event::default().retry(Duration::from_secs(2)).comment("milepost.v1"));
    streaming.write(first);
    stream::unfold(streaming, |mut streaming| async move {
        let event = streaming.next().await?;
        Some((Ok(event), streaming))
    })
}

impl Streaming {
    async fn next(&mut self) -> Option<Event> {
        let quiet = tokio::time::sleep(COMMENT);
        tokio::pin!(quiet);
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let outcome = tokio::select! {
                delivery = self.connection.next() => {
                    let outcome = self.connection.deliver(&delivery);
                    // The next thing is that the stream is asked for it.
                    delivery.state().into_iter().for_each(written);
                    outcome
                }
                () = &mut self.clock => {
                    let outcome = self.connection.tick();
                    self.clock.as_mut().reset(self.connection.deadline(COMMENT));
                    outcome
                }
                () = &mut quiet => return Some(Event::default().comment("still here")),
            };
            self.write(outcome);
        }
    }

    fn write(&mut self, mut outcome: Outcome) {
        let left = outcome.frames.iter().any(|(op, _)| *op == "unsubscribed");
        if left && outcome.close.is_none() && self.connection.session().channels().next().is_none()
        {
            // A stream cannot ask for another channel.
            outcome = Outcome { frames: outcome.frames, ..self.connection.close(Close::Revoked) };
        }
        let mut frames = outcome.frames;
        if let Some(close) = outcome.close {
            frames.push(("goodbye", goodbye(close)));
            self.over = true;
        }
        // The position is that after the last frame: a line that is cut before it resumes further
        // back, which repeats something and loses nothing.
        let position = self.connection.session().position();
        let last = frames.len().saturating_sub(1);
        for (place, (op, frame)) in frames.into_iter().enumerate() {
            let event = Event::default().event(op).data(frame.text());
            let told = place == last && matches!(op, "snapshot" | "update" | "same");
            self.ready.push_back(if told { event.id(&position) } else { event });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_channels_ticket_and_position() {
        let query =
            "channel=order%3ATM-1&channel=inbox:C-1&ticket=t1&last_event_id=order%3ATM-1%407";
        let asked = Asked::read(query, &HeaderMap::new()).unwrap();
        assert_eq!(asked.channels, ["order:TM-1", "inbox:C-1"]);
        assert_eq!((asked.ticket.as_deref(), asked.since["order:TM-1"]), (Some("t1"), 7));
        assert!(Asked::read("channel=%zz", &HeaderMap::new()).is_err());
        assert!(Asked::read("", &HeaderMap::new()).is_err());
    }
}
