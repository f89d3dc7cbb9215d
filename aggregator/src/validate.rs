//! Invariants of what a source said: times in range, no text that hurts a database, a letter or
//! a page. Refuses what cannot be kept, cleans what can.

use crate::draft::Draft;
use crate::reject::Refusal;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use contract::event::EventData;
use contract::milestone::Milestone;

/// Longest id of an event, in bytes.
const MAX_EVENT_ID: usize = 200;

/// Most lines of an order, and of a parcel: what is passed on has to fit into one message.
const MAX_LINES: usize = 200;

/// Checks and cleans a draft. Returns why texts were cleaned, for the metric.
///
/// # Errors
/// Why the draft cannot be kept.
pub fn check(draft: &mut Draft, now: DateTime<Utc>) -> Result<Vec<&'static str>, Refusal> {
    if draft.id.is_empty() || draft.id.len() > MAX_EVENT_ID {
        return Err(Refusal::Shape(format!("an event id has 1 to {MAX_EVENT_ID} bytes")));
    }
    if draft.data.items.len() > MAX_LINES || draft.data.lines.len() > MAX_LINES {
        return Err(Refusal::Shape(format!("an order has at most {MAX_LINES} lines")));
    }
    in_range(draft.time, now)?;
    let mut reasons = Vec::new();
    let years = 2000..=now.year() + 2;
    let odd_day = |day: NaiveDate| !years.contains(&day.year());
    let odd_time = |at: DateTime<Utc>| in_range(at, now).is_err();
    if draft.data.eta.is_some_and(|eta| odd_time(eta.earliest) || odd_time(eta.latest))
        || draft.data.days.is_some_and(|(first, last)| odd_day(first) || odd_day(last))
    {
        forget_the_eta(draft);
        reasons.push("eta_out_of_range");
    }
    if draft.data.promise.is_some_and(odd_day) {
        return Err(Refusal::BadTime(
            "the promise is outside 2000 to two years from now".to_owned(),
        ));
    }
    let mut clean = |text: &mut String, most: usize| match cleaned(text, most) {
        Ok(None) => Ok(()),
        Ok(Some((better, reason))) => {
            *text = better;
            reasons.push(reason);
            Ok(())
        }
        Err(refusal) => Err(refusal),
    };
    draft.data.location = draft.data.location.take().and_then(|place| without_phones(&place));
    clean(&mut draft.id, MAX_EVENT_ID)?;
    data_texts(&mut draft.data, &mut clean)?;
    if let Some(customer) = &mut draft.customer {
        let texts =
            [(&mut customer.name, 64), (&mut customer.email, 254), (&mut customer.phone, 32)];
        for (text, most) in
            texts.into_iter().chain([(&mut customer.locale, 16), (&mut customer.time_zone, 64)])
        {
            text.as_mut().map_or(Ok(()), |text| clean(text, most))?;
        }
    }
    Ok(reasons)
}

/// What happened is news without it; what only tells of it is none.
fn forget_the_eta(draft: &mut Draft) {
    (draft.data.eta, draft.data.days) = (None, None);
    if draft.milestone == Milestone::EtaRevised {
        draft.milestone = Milestone::InfoIgnored;
    }
}

fn data_texts(
    data: &mut EventData,
    clean: &mut impl FnMut(&mut String, usize) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let short = [
        &mut data.shipment,
        &mut data.line,
        &mut data.carrier,
        &mut data.tracking_number,
        &mut data.reason,
        &mut data.source_code,
        &mut data.corrects,
    ];
    for text in short.into_iter().flatten() {
        clean(text, 200)?;
    }
    for text in [&mut data.location, &mut data.note].into_iter().flatten() {
        clean(text, 500)?;
    }
    for line in data.lines.iter_mut().chain(&mut data.skus) {
        clean(line, 64)?;
    }
    if let Some(customer) = &mut data.customer_id {
        clean(customer, 64)?;
    }
    if let Some(country) = &mut data.country {
        clean(country, 8)?;
    }
    if let Some(zone) = &mut data.time_zone {
        clean(zone, 64)?;
    }
    for item in &mut data.items {
        clean(&mut item.line, 64)?;
        for text in [&mut item.sku, &mut item.title].into_iter().flatten() {
            clean(text, 200)?;
        }
    }
    if let Some(money) = &mut data.money {
        clean(&mut money.currency, 3)?;
    }
    if let Some(attribution) = &mut data.attribution {
        for text in [&mut attribution.code, &mut attribution.click].into_iter().flatten() {
            clean(text, 200)?;
        }
    }
    Ok(())
}

/// A place without the numbers to call that carriers write behind it, in brackets or not: places are
/// shown to whoever has the order's link. None when nothing else is left.
fn without_phones(place: &str) -> Option<String> {
    let (mut kept, mut rest) = (String::new(), place);
    while let Some((before, behind)) = rest.split_once('(') {
        let (inside, after) = behind.split_once(')').unwrap_or((behind, ""));
        kept.push_str(before);
        if digits(inside) < PHONE {
            kept.push_str(&rest[before.len()..rest.len() - after.len()]);
        }
        rest = after;
    }
    kept.push_str(rest);
    let words: Vec<&str> = kept.split_whitespace().collect();
    // A list goes on behind a comma; a number does not.
    let goes_on = |one: &str| !one.ends_with([',', ';']);
    let runs = words.chunk_by(|one, next| goes_on(one) && is_number(one) && is_number(next));
    let shown = runs
        .filter(|run| !is_number(run[0]) || run.iter().map(|w| digits(w)).sum::<usize>() < PHONE);
    let shown =
        shown.flatten().filter(|word| !is_sign(word)).copied().collect::<Vec<_>>().join(" ");
    (!shown.is_empty()).then_some(shown)
}

/// Digits of a number to call, at least; codes of post offices have fewer.
const PHONE: usize = 9;

fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

/// A part of a number to call, with its sign or without.
fn is_number(word: &str) -> bool {
    let bare = word.trim_start_matches(['Đ', 'Ð', 'T', ':', '+']).trim_end_matches([',', ';']);
    !is_degrees(bare)
        && digits(bare) > 0
        && bare.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
}

/// A part of a position: `106.660172`. (`090.1234567` is somebody's number.)
fn is_degrees(word: &str) -> bool {
    word.split_once('.').is_some_and(|(whole, rest)| {
        let is_whole = whole == "0" || (1..=3).contains(&whole.len()) && !whole.starts_with('0');
        is_whole && (4..=7).contains(&rest.len()) && !rest.contains(['.', '-'])
    })
}

/// What stands before a number to call, alone.
fn is_sign(word: &str) -> bool {
    matches!(word, "ĐT" | "ÐT" | "ĐT:" | "ÐT:")
}

/// Outside 2000 to two years from now nothing of ours happened.
fn in_range(time: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if time.year() < 2000 || time > now + TimeDelta::days(730) {
        return Err(Refusal::BadTime(time.format("%Y-%m-%d").to_string()));
    }
    Ok(())
}

/// A text without control and direction characters, at most `most` characters long; and why it
/// was changed. Markup is left as it is (it is data; every output escapes), but counted.
///
/// # Errors
/// U+0000, which no database keeps: whoever sends it sends something else than a text.
pub fn cleaned(text: &str, most: usize) -> Result<Option<(String, &'static str)>, Refusal> {
    if text.contains('\0') {
        return Err(Refusal::NulCharacter);
    }
    // Bidirectional controls turn what a person reads around (Unicode UAX #9).
    let harmful =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(harmful) {
        let spaced: String = text.chars().map(|c| if harmful(c) { ' ' } else { c }).collect();
        let joined = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
        return Ok(Some((joined.chars().take(most).collect(), "control_character")));
    }
    if text.chars().nth(most).is_some() {
        return Ok(Some((text.chars().take(most).collect(), "too_long")));
    }
    Ok(text.contains(['<', '>']).then(|| (text.to_owned(), "markup")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use contract::event::EtaRange;

    fn draft(time: &str) -> Draft {
        let order = OrderRef::Order("T-1".parse().unwrap());
        let time = DateTime::parse_from_rfc3339(time).unwrap().to_utc();
        Draft::new("shop", "e1".into(), Milestone::OrderPlaced, time, order)
    }

    fn now() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-21T00:00:00Z").unwrap().to_utc()
    }

    #[test]
    fn times_that_nobody_lives_in_are_refused() {
        for bad in ["0000-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "9999-01-01T00:00:00Z"] {
            assert_eq!(check(&mut draft(bad), now()).unwrap_err().label(), "bad_time", "{bad}");
        }
        assert!(check(&mut draft("2028-11-01T00:00:00Z"), now()).is_ok());
    }

    #[test]
    fn a_day_that_nobody_lives_to_see_is_not_expected() {
        for (milestone, left) in [
            (Milestone::ShipmentInTransit, Milestone::ShipmentInTransit),
            (Milestone::EtaRevised, Milestone::InfoIgnored),
        ] {
            let mut draft = draft("2026-11-20T00:00:00Z");
            draft.milestone = milestone;
            let (earliest, latest) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
            draft.data.eta = Some(EtaRange { earliest, latest });
            assert_eq!(check(&mut draft, now()), Ok(vec!["eta_out_of_range"]));
            assert_eq!((draft.milestone, draft.data.eta), (left, None));
        }
    }

    #[test]
    fn a_name_that_would_add_a_header_becomes_one_line() {
        let (text, reason) = cleaned("Bích\r\nBcc: all@example.com", 64).unwrap().unwrap();
        assert_eq!((text.as_str(), reason), ("Bích Bcc: all@example.com", "control_character"));
    }

    #[test]
    fn long_markup_and_nul_texts_have_their_names() {
        assert_eq!(
            cleaned(&"ă".repeat(10_000), 64).unwrap().unwrap(),
            ("ă".repeat(64), "too_long")
        );
        assert_eq!(cleaned("<script>", 64).unwrap().unwrap().1, "markup");
        assert_eq!(cleaned("a\0b", 64), Err(Refusal::NulCharacter));
        assert_eq!(cleaned("Trần Thị Bích", 64), Ok(None));
    }

    #[test]
    fn a_place_is_shown_without_its_number_to_call() {
        for (told, shown) in [
            ("890100 - KTC1 Vĩnh Long (ÐT:02703834180)", "890100 - KTC1 Vĩnh Long"),
            ("Bưu cục Cẩm Lệ ĐT:0901234567", "Bưu cục Cẩm Lệ"),
            ("Bưu cục 0901234567", "Bưu cục"),
            ("Bưu cục Cẩm Lệ 0236 3846 789", "Bưu cục Cẩm Lệ"),
            ("Kho ĐT 0901.234.567", "Kho"),
            (
                "Trung tâm 3 - Hồ Chí Minh, 02862938169, 729003, Quận 12",
                "Trung tâm 3 - Hồ Chí Minh, 729003, Quận 12",
            ),
            ("Kho ĐT 090.1234567", "Kho"),
            ("Kho +84.901234567", "Kho"),
            ("Kho 028.38293816", "Kho"),
            ("10.762622, 106.660172", "10.762622, 106.660172"),
            ("Kho Củ Chi (HCM) 700000", "Kho Củ Chi (HCM) 700000"),
            ("Memphis, TN (hub", "Memphis, TN (hub"),
            ("urn:epc:id:sgln:4012345.00001.0", "urn:epc:id:sgln:4012345.00001.0"),
            ("10.762622,106.660172", "10.762622,106.660172"),
        ] {
            assert_eq!(without_phones(told).as_deref(), Some(shown));
        }
    }
}
