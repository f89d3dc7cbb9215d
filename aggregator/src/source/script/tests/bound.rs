//! What may not end, or would work on too much, is refused.

use super::super::filter::Filter;
use super::*;

#[test]
fn a_filter_that_may_loop_or_grow_is_refused() {
    let refused = [
        "def f: f; f",
        "[range(infinite)]",
        "repeat(.)",
        "recurse",
        "..",
        "\"x\" * 1000000000",
        "reduce .[] as $x (0; . + $x)",
        "until(false; .)",
        ". as $x | $x",
        "[.[] | .[]]",
        "(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)",
        "input",
        "env",
        "$ENV",
        "@base64",
        "[limit(9; repeat(1))]",
        ".a = 1",
        "label $out | break $out",
        "now",
        "[.ev[] + .big] | last",
        "[.big | split(.ev[])]",
        "last(.ev[] + .big)",
        "[select(.ev[]) | .big | ascii_downcase]",
        ".ev[] + .big | select(. == \"x\")",
        "\"\\(.ev[]) \\(.big)\"",
        "if .ev[] then .big else .a end",
        "{e: .ev[], w: .} | select(.w.big | ascii_downcase == \"x\")",
        "[{e: .ev[], w: .big}]",
        "{\"\\(.ev[])\": .big}",
        ".a - .b",
        "{e: .ev[], w: (.big | ascii_downcase | select(. == \"x\"))}",
        "(.ev[])[(.big | ascii_downcase | length)?:]?",
        "last(.ev[][\"\\(.big)\"]?)",
        "try .[0] catch .",
        "split(\"\") | tostring | split(\"\") | tostring | split(\"\")",
        "(. / \"\") | tostring | (. / \"\") | tostring | (. / \"\")",
        ".a[.b]",
        ".a[[0, 1]]",
        ".a | has(.b)",
        ".a[\"x\" | fromjson]",
    ];
    for code in refused {
        assert!(Filter::compile(code).is_err(), "{code}");
    }
    assert!(Filter::compile(&format!(".{}", "a".repeat(2_000))).is_err());
    assert!(Filter::compile(&format!("{}.", ".|".repeat(400))).is_err());
    assert!(Filter::compile(&format!("{}.x", "-".repeat(900))).is_err());
    let long = format!("[.ev[] | \"{}\"] | tostring | . + .", "x".repeat(900));
    assert!(Filter::compile(&long).is_err());
    for code in [
        ".a.b[0].c",
        ".a // \"x\"",
        "(.t / 1000) | floor",
        ".data | fromjson | .order_id",
        ".id | split(\"_\") | last",
        ".a[-1][\"b c\"].\"d e\"[1:3]",
        "select(has(\"b\"))",
        ".at - 25200",
        ".total + (-.discount)",
        ".ev[] | select(.kind == \"scan\") | .at",
        "first(.ev[] | select(.done))",
        "[.ev[].no] | last",
        "(if .parcel then .parcel else . end).ev[]",
        ".data | fromjson | {no: .parcel.no, e: .scans[]}",
    ] {
        assert!(Filter::compile(code).is_ok(), "{code}");
    }
}

/// What is read may hold a text that is read in turn, of which nobody saw how deep it is.
#[test]
fn a_text_in_a_text_that_is_too_deep_reaches_no_parser() {
    let file = "name = \"deep\"\n[read]\norder = \".d | fromjson | fromjson | .o\"\nstatus = \".s\"\ntime = \".t\"\n[codes]\n";
    let hidden = format!("\"{}\"", "\\u005b".repeat(100_000));
    let value = serde_json::json!({"d": hidden, "s": "A", "t": "2026-11-22T10:00:00Z"}).to_string();
    assert_eq!(read_with(file, &value).unwrap_err().label(), "bad_id");
    let several =
        serde_json::json!({"d": "1 2", "s": "A", "t": "2026-11-22T10:00:00Z"}).to_string();
    assert_eq!(read_with(file, &several).unwrap_err().label(), "bad_id");
}

#[test]
fn a_text_that_is_too_deep_for_a_parser_reaches_none() {
    let file = "name = \"deep\"\n[read]\norder = \".d | fromjson | .o\"\nstatus = \".s\"\ntime = \".t\"\n[codes]\n";
    let deep = "[".repeat(100_000);
    let value = serde_json::json!({"d": deep, "s": "A", "t": "2026-11-22T10:00:00Z"}).to_string();
    assert_eq!(read_with(file, &value).unwrap_err().label(), "bad_id");
    let keys = format!("{{{}}}", vec!["NaN:0"; 100_000].join(","));
    let value = serde_json::json!({"d": keys, "s": "A", "t": "2026-11-22T10:00:00Z"}).to_string();
    assert_eq!(read_with(file, &value).unwrap_err().label(), "bad_id");
    let flat = format!(r#"{{"o":"T-1","x":[{}]}}"#, vec!["{}"; 200].join(","));
    let value = serde_json::json!({"d": flat, "s": "A", "t": "2026-11-22T10:00:00Z"}).to_string();
    assert_eq!(read_with(file, &value).unwrap().len(), 1, "much is not deep");
}

#[test]
fn a_record_that_its_filters_multiply_is_refused() {
    let file = r#"
        name = "grows"
        [read]
        each = "{w: ., e: .events[]}"
        order = ".e.order"
        status = ".e.status"
        time = ".e.time"
        note = ".w | tostring"
        [codes]
        x = "info.ignored""#;
    let script = Script::parse(file).unwrap();
    let read = |events: usize| {
        let event = r#"{"order":"T-1","status":"x","time":"2026-11-22T03:52:50Z"}"#;
        let events = vec![event; events].join(",");
        let value = format!(r#"{{"events":[{events}],"long":"{}"}}"#, "x".repeat(200_000));
        let (headers, options) = (HashMap::new(), Options::default());
        let received_at = service_kit::clock::now();
        let (value, zone) = (value.as_bytes(), script.zone);
        script.read(&Record { value, headers: &headers, received_at, options: &options, zone })
    };
    assert_eq!(read(3).unwrap().len(), 3);
    assert_eq!(read(100).unwrap_err().label(), "shape");
}

/// What would take minutes, or gigabytes, is refused before it is begun.
#[test]
fn what_would_work_on_too_much_is_refused() {
    let events = vec![r#"{"no":"Z1","s":"A","t":"2026-11-22T10:00:00Z"}"#; 199].join(",");
    let value = format!(r#"{{"ev":[{events}],"big":"{}"}}"#, "x".repeat(900_000));
    let grows = |each: &str| {
        let file = file("").replace("\".ev[]\"", &format!("'{each}'"));
        let file = file.replace("\".no\"", "\".e.no\"").replace("\".s\"", "\".e.s\"");
        file.replace("\".t\"", "\".e.t\"")
    };
    let (line, what) = Script::parse(&grows("{w: (.big|.+.|.+.), e: .ev[]}")).unwrap_err();
    assert!(line == 4 && what.contains("each"), "{line}: {what}");
    assert_eq!(read_with(&grows("{w: .big, e: .ev[]}"), &value).unwrap_err().label(), "shape");
    // What a filter reads as one: by the square of its digits.
    let file = file("").replace("\".s\"", "\".no | tonumber | tostring\"");
    let read_with = |value: &str| read_with(&file, value);
    let number = format!(r#"{{"ev":[{{"no":"{}","s":"A","t":"1"}}]}}"#, "9".repeat(1_000));
    assert_eq!(read_with(&number).unwrap_err().label(), "shape");
}
