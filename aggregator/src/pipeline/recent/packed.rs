//! An order's events in few bytes: little more than their texts, without the room of all that they do not say.

use chrono::{DateTime, NaiveDate, Utc};
use contract::event::{
    Attribution, Confidence, ContentType, EtaRange, EventData, LineItem, Money, OrderEvent,
    SpecVersion,
};
use contract::id::OrderId;
use contract::milestone::Milestone;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Seconds and nanoseconds: an instant comes back to the last digit.
type Instant = (i64, u32);

/// An event without what its order says, and without its place in a trace, which nothing is folded from.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    id: &'a str,
    source: &'a str,
    milestone: Milestone,
    time: Instant,
    received: Instant,
    #[serde(borrow)]
    data: Data<'a>,
}

/// The rest. Fields are told by their places: none is ever left out.
#[derive(Serialize, Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    texts: [Option<&'a str>; 12],
    money: Option<Money>,
    /// Pieces, and how often it was withdrawn before.
    counts: (Option<u32>, Option<u16>),
    lines: Vec<&'a str>,
    skus: Vec<&'a str>,
    items: Vec<Item<'a>>,
    attribution: Option<Attribution>,
    eta: Option<(Instant, Instant)>,
    days: Option<(NaiveDate, NaiveDate)>,
    promise: Option<NaiveDate>,
    confidence: Confidence,
    flags: [bool; 4],
}

/// A line of the order.
#[derive(Serialize, Deserialize)]
struct Item<'a> {
    line: &'a str,
    sku: Option<&'a str>,
    title: Option<&'a str>,
    quantity: u32,
    unit_price: Option<i64>,
    discount: Option<i64>,
}

/// Adds an event to those that are packed already; none when it cannot be packed.
pub(super) fn add(mut packed: Vec<u8>, event: &OrderEvent) -> Option<Vec<u8>> {
    postcard::to_io(&Packed::of(event), &mut packed).ok()?;
    Some(packed)
}

/// The events of an order again; none when these are no packed events.
pub(super) fn events(order: &OrderId, mut packed: &[u8]) -> Option<Vec<Arc<OrderEvent>>> {
    let mut events = Vec::new();
    while !packed.is_empty() {
        let (event, rest) = postcard::take_from_bytes::<Packed<'_>>(packed).ok()?;
        events.push(Arc::new(event.event(order)?));
        packed = rest;
    }
    Some(events)
}

/// Packed events without what repeats in them: their parcels, sources and places are the same again and again.
pub(super) fn compress(packed: &[u8]) -> Box<[u8]> {
    lz4_flex::block::compress_prepend_size(packed).into_boxed_slice()
}

/// Packed events again; none when these are no compressed ones.
pub(super) fn decompress(compressed: &[u8]) -> Option<Vec<u8>> {
    lz4_flex::block::decompress_size_prepended(compressed).ok()
}

fn instant(at: &DateTime<Utc>) -> Instant {
    (at.timestamp(), at.timestamp_subsec_nanos())
}

fn at((seconds, nanos): Instant) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, nanos)
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl<'a> Packed<'a> {
    fn of(event: &'a OrderEvent) -> Self {
        Self {
            id: &event.id,
            source: &event.source,
            milestone: event.milestone,
            time: instant(&event.time),
            received: instant(&event.receivedat),
            data: Data::of(&event.data),
        }
    }

    fn event(self, order: &OrderId) -> Option<OrderEvent> {
        Some(OrderEvent {
            specversion: SpecVersion::Only,
            id: self.id.to_owned(),
            source: self.source.to_owned(),
            milestone: self.milestone,
            time: at(self.time)?,
            subject: order.clone(),
            partitionkey: order.clone(),
            traceparent: None,
            datacontenttype: ContentType::Only,
            receivedat: at(self.received)?,
            data: Box::new(self.data.data()?),
        })
    }
}

impl<'a> Data<'a> {
    /// Taken apart field by field, so that one which is new is not forgotten here.
    fn of(data: &'a EventData) -> Self {
        let EventData {
            customer_id,
            money,
            shipment,
            line,
            pieces,
            lines,
            skus,
            items,
            attribution,
            carrier,
            tracking_number,
            location,
            country,
            reason,
            eta,
            days,
            time_zone,
            promise,
            note,
            confidence,
            corrects,
            withdrawn_before,
            tz_assumed,
            step_back,
            restates,
            imported,
            source_code,
        } = data;
        Self {
            texts: [
                customer_id,
                shipment,
                line,
                carrier,
                tracking_number,
                location,
                country,
                reason,
                time_zone,
                note,
                corrects,
                source_code,
            ]
            .map(Option::as_deref),
            money: money.clone(),
            counts: (*pieces, *withdrawn_before),
            lines: borrowed(lines),
            skus: borrowed(skus),
            items: items.iter().map(Item::of).collect(),
            attribution: attribution.clone(),
            eta: eta.map(|eta| (instant(&eta.earliest), instant(&eta.latest))),
            days: *days,
            promise: *promise,
            confidence: *confidence,
            flags: [*tz_assumed, *step_back, *restates, *imported],
        }
    }

    fn data(self) -> Option<EventData> {
        let range =
            |(earliest, latest)| Some(EtaRange { earliest: at(earliest)?, latest: at(latest)? });
        let [
            customer_id,
            shipment,
            line,
            carrier,
            tracking_number,
            location,
            country,
            reason,
            time_zone,
            note,
            corrects,
            source_code,
        ] = self.texts.map(owned);
        let [tz_assumed, step_back, restates, imported] = self.flags;
        let texts = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect();
        Some(EventData {
            customer_id,
            money: self.money,
            shipment,
            line,
            pieces: self.counts.0,
            lines: texts(self.lines),
            skus: texts(self.skus),
            items: self.items.into_iter().map(Item::item).collect(),
            attribution: self.attribution,
            carrier,
            tracking_number,
            location,
            country,
            reason,
            eta: self.eta.map(|eta| range(eta).ok_or(())).transpose().ok()?,
            days: self.days,
            time_zone,
            promise: self.promise,
            note,
            confidence: self.confidence,
            corrects,
            withdrawn_before: self.counts.1,
            tz_assumed,
            step_back,
            restates,
            imported,
            source_code,
        })
    }
}

impl<'a> Item<'a> {
    fn of(item: &'a LineItem) -> Self {
        let LineItem { line, sku, title, quantity, unit_price, discount } = item;
        Self {
            line,
            sku: sku.as_deref(),
            title: title.as_deref(),
            quantity: *quantity,
            unit_price: *unit_price,
            discount: *discount,
        }
    }

    fn item(self) -> LineItem {
        LineItem {
            line: self.line.to_owned(),
            sku: owned(self.sku),
            title: owned(self.title),
            quantity: self.quantity,
            unit_price: self.unit_price,
            discount: self.discount,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// An event that says all that one can say.
    fn full() -> Value {
        json!({
            "specversion": "1.0", "id": "e-1", "source": "ghn", "type": "order.placed",
            "time": "2026-11-20T09:40:06.123456789Z", "subject": "TM-1", "partitionkey": "TM-1",
            "datacontenttype": "application/json", "receivedat": "2026-11-20T09:40:07Z",
            "data": {
                "customer_id": "C-1", "money": {"amount": -5, "currency": "VND"}, "shipment": "P1", "line": "1",
                "pieces": 2, "lines": ["1", "2"], "skus": ["MUG"],
                "items": [{"line": "1", "sku": "MUG", "title": "Cốc \u{1f381}", "quantity": 2, "unit_price": 9, "discount": 1}],
                "attribution": {"code": "A", "click": null}, "carrier": "ghn", "tracking_number": "GHN1",
                "location": "Hà Nội", "country": "VN", "reason": "x",
                "eta": {"earliest": "2026-11-22T01:00:00Z", "latest": "2026-11-24T13:00:00.5Z"},
                "days": ["2026-11-22", "2026-11-24"], "time_zone": "Asia/Ho_Chi_Minh", "promise": "2026-11-25",
                "note": "", "confidence": "reported", "corrects": "e-0", "withdrawn_before": 3,
                "tz_assumed": true, "step_back": true, "restates": true, "imported": true, "source_code": "77"
            }
        })
    }

    fn event(value: Value) -> OrderEvent {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_event_comes_back_whole_but_for_its_place_in_a_trace() {
        let bare = json!({"type": "info.ignored", "data": {"confidence": "predicted"}});
        let mut other = full();
        other.as_object_mut().unwrap().extend(bare.as_object().unwrap().clone());
        let all = [event(full()), event(other)];
        // A field that is new belongs into the sample too.
        let data = serde_json::to_value(&all[0].data).unwrap();
        assert_eq!(data.as_object().map(serde_json::Map::len), Some(27));
        let packed = all.iter().try_fold(Vec::new(), |packed, event| {
            let traced = OrderEvent { traceparent: Some("00-1-1-01".to_owned()), ..event.clone() };
            add(packed, &traced)
        });
        let packed = packed.unwrap();
        assert!(packed.len() * 3 < serde_json::to_vec(&all).unwrap().len(), "{}", packed.len());
        let order = all[0].subject.clone();
        assert_eq!(events(&order, &packed).unwrap(), all.map(Arc::new));
        assert!(events(&order, &packed[..packed.len() - 1]).is_none());
        let whole = compress(&packed);
        assert_eq!(decompress(&whole).unwrap(), packed);
        assert!(whole.len() < packed.len() && decompress(&whole[..whole.len() / 2]).is_none());
    }
}
