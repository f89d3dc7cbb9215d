//! Everything that is said without being asked, as one `AsyncAPI` 3.0 document: the frames of the live
//! protocol, the topics of Kafka, the shards of Redis. Made from the types themselves.

use crate::event::OrderEvent;
use crate::feed::FeedState;
use crate::live::{ClientFrame, MAX_CHANNELS, MAX_FRAME, SUBPROTOCOL, ServerFrame};
use crate::message::{Publication, TimelineMessage};
use crate::name::{SHARDS, TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE};
use crate::timeline::Timeline;
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// The document.
#[must_use]
pub fn document() -> String {
    let (viewer, gateway) = (frames::<ClientFrame>(), frames::<ServerFrame<'_>>());
    let whole = json!({
        "asyncapi": "3.0.0",
        "info": {"title": "Milepost", "version": "1", "description":
            "What is said without being asked. REST is in openapi.json; the rules behind the frames are in protocol.md."},
        "servers": {
            "gateway": {"host": "shop.example", "protocol": "wss", "description": "Any gateway."},
            "kafka": {"host": "kafka.internal:9092", "protocol": "kafka"},
            "redis": {"host": "redis.internal:6379", "protocol": "redis"},
        },
        "channels": channels(&viewer, &gateway),
        "operations": operations(&viewer, &gateway),
        "components": {"schemas": schemas(), "messages": messages(&viewer, &gateway)},
    });
    // References to components are written alike in OpenAPI and AsyncAPI.
    format!("{}\n", serde_json::to_string_pretty(&whole).unwrap_or_default())
}

/// The variants of a frame by their `op`.
fn frames<T: PartialSchema>() -> Vec<(String, Value)> {
    let schema = value(&T::schema());
    let variants = schema.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |variant: Value| {
        let op = variant.pointer("/properties/op/enum/0").and_then(Value::as_str)?.to_owned();
        Some((op, variant))
    };
    variants.into_iter().filter_map(named).collect()
}

fn value(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

fn channels(viewer: &[(String, Value)], gateway: &[(String, Value)]) -> Value {
    let from = |who: &str, frames: &[(String, Value)]| -> Map<String, Value> {
        let one = |(op, _): &(String, Value)| {
            let name = format!("{who}.{op}");
            (name.clone(), json!({"$ref": format!("#/components/messages/{name}")}))
        };
        frames.iter().map(one).collect()
    };
    let mut live = from("viewer", viewer);
    live.extend(from("gateway", gateway));
    let topic = |name: &str, what: &str, message: &str| {
        json!({"address": name, "description": what, "servers": [{"$ref": "#/servers/kafka"}],
            "messages": {message: {"$ref": format!("#/components/messages/{message}")}}})
    };
    json!({
        "live": {"address": "/v1/live", "servers": [{"$ref": "#/servers/gateway"}],
            "description": format!("WebSocket, subprotocol `{SUBPROTOCOL}`: JSON text frames, of a viewer at most \
                {MAX_FRAME} bytes, at most {MAX_CHANNELS} channels. `/v1/live/sse` says the gateway's part as events."),
            "bindings": {"ws": {"method": "GET"}}, "messages": live},
        "orderEvents": topic(TOPIC_ORDER_EVENTS, "Accepted events; key: the order.", "orderEvent"),
        "orderTimeline": topic(TOPIC_ORDER_TIMELINE,
            "One message for each version of an order, in order; key: the order.", "timelineMessage"),
        "deadLetters": topic(TOPIC_DEAD_LETTER,
            "Records that were refused, untouched; headers say where from and why.", "deadLetter"),
        "shard": {"address": "live:{shard}", "servers": [{"$ref": "#/servers/redis"}],
            "description": "Pub/sub of the newest states.",
            "parameters": {"shard": {"description": format!(
                "CRC16 (XMODEM) of the live channel's name mod {SHARDS}, as two digits in literal braces: `{{07}}`.")}},
            "messages": {"publication": {"$ref": "#/components/messages/publication"}}},
    })
}

fn operations(viewer: &[(String, Value)], gateway: &[(String, Value)]) -> Value {
    let said = |who: &str, frames: &[(String, Value)]| -> Vec<Value> {
        let one = |(op, _): &(String, Value)| json!({"$ref": format!("#/channels/live/messages/{who}.{op}")});
        frames.iter().map(one).collect()
    };
    let sends = |channel: &str| json!({"action": "send", "channel": {"$ref": format!("#/channels/{channel}")}});
    json!({
        "hearViewer": {"action": "receive", "channel": {"$ref": "#/channels/live"},
            "summary": "What a viewer says to a gateway.", "messages": said("viewer", viewer)},
        "tellViewer": {"action": "send", "channel": {"$ref": "#/channels/live"},
            "summary": "What a gateway says to a viewer.", "messages": said("gateway", gateway)},
        "tellEvents": sends("orderEvents"),
        "tellTimelines": sends("orderTimeline"),
        "refuseRecords": sends("deadLetters"),
        "publishStates": sends("shard"),
    })
}

fn messages(viewer: &[(String, Value)], gateway: &[(String, Value)]) -> Map<String, Value> {
    let mut all = Map::new();
    for (who, frames) in [("viewer", viewer), ("gateway", gateway)] {
        for (op, schema) in frames {
            let summary = schema.get("description").cloned().unwrap_or_default();
            let message = json!({"name": op, "summary": summary, "contentType": "application/json",
                "payload": schema});
            all.insert(format!("{who}.{op}"), message);
        }
    }
    let typed = |schema: &str| {
        json!({"contentType": "application/json",
            "payload": {"$ref": format!("#/components/schemas/{schema}")}})
    };
    all.insert("orderEvent".to_owned(), typed("OrderEvent"));
    all.insert("timelineMessage".to_owned(), typed("TimelineMessage"));
    all.insert("publication".to_owned(), typed("Publication"));
    let headers = ["source", "reason", "detail", "topic", "partition", "offset", "received-at"];
    let headers: Map<String, Value> =
        headers.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    all.insert(
        "deadLetter".to_owned(),
        json!({"headers": {"type": "object", "properties": headers}, "payload": {}}),
    );
    all
}

/// The types behind the messages, and the states that frames carry as `data`.
fn schemas() -> Map<String, Value> {
    let mut found = Vec::new();
    ClientFrame::schemas(&mut found);
    ServerFrame::schemas(&mut found);
    OrderEvent::schemas(&mut found);
    TimelineMessage::schemas(&mut found);
    Publication::schemas(&mut found);
    Timeline::schemas(&mut found);
    FeedState::schemas(&mut found);
    found.extend([
        (OrderEvent::name().into_owned(), OrderEvent::schema()),
        (TimelineMessage::name().into_owned(), TimelineMessage::schema()),
        (Publication::name().into_owned(), Publication::schema()),
        (Timeline::name().into_owned(), Timeline::schema()),
        (FeedState::name().into_owned(), FeedState::schema()),
    ]);
    found.into_iter().map(|(name, schema)| (name, value(&schema))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_every_frame_is_there() {
        let whole: Value = serde_json::from_str(&document()).unwrap();
        let mut references = Vec::new();
        collect(&whole, &mut references);
        assert!(references.len() > 50);
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(whole.pointer(pointer).is_some(), "{reference}");
        }
        let messages = whole.pointer("/channels/live/messages").unwrap();
        for name in ["viewer.hello", "viewer.subscribe", "gateway.update", "gateway.goodbye"] {
            assert!(messages.get(name).is_some(), "{name}");
        }
    }

    fn collect<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                into.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| collect(value, into));
            }
            Value::Array(list) => list.iter().for_each(|value| collect(value, into)),
            _ => {}
        }
    }
}
