//! Some of the pieces of a line are called off.

use super::*;

/// So many pieces of line 1, made.
fn made(pieces: u32) -> Vec<OrderEvent> {
    let mut events = plain()[..5].to_vec();
    events[0] = placed(0, pieces);
    events
}

fn placed(hour: i64, pieces: u32) -> OrderEvent {
    event(hour, "order.placed", |d| {
        items(d, &["1"]);
        d.data.items[0].quantity = pieces;
    })
}

fn called_off(hour: i64, pieces: Option<u32>) -> OrderEvent {
    event(hour, "order.cancelled", |d| {
        d.data.line = Some("1".to_owned());
        d.data.pieces = pieces;
    })
}

#[test]
fn the_rest_comes() {
    let mut events = made(3);
    events.push(called_off(9, Some(1)));
    assert_eq!(status_of(&events), "production.finished");
    events.push(event(10, "fulfilment.packed", parcel("P1", "X1", &["1"])));
    events.push(event(20, "shipment.delivered", scan("X1")));
    assert_eq!(status_of(&events), "shipment.delivered");
}

#[test]
fn all_of_them_one_by_one_are_the_line_and_so_is_a_line_of_which_nobody_counts() {
    let mut events = made(3);
    events.extend([called_off(9, Some(1)), called_off(10, Some(2))]);
    assert_eq!(status_of(&events), "order.cancelled");
    let mut events = made(3);
    events.push(called_off(9, None));
    assert_eq!(status_of(&events), "order.cancelled");
}

#[test]
fn the_line_ends_with_its_last_piece_and_not_before() {
    let mut events = made(3);
    events.push(called_off(9, Some(1)));
    events.push(event(10, "fulfilment.packed", parcel("P1", "X1", &["1"])));
    events.push(event(20, "shipment.delivered", scan("X1")));
    events.push(called_off(30, Some(2)));
    assert_eq!(status_of(&events), "shipment.delivered", "that was over by then");
}

#[test]
fn a_hold_of_the_order_outlives_a_piece_that_is_called_off() {
    let mut events = made(3)[..3].to_vec();
    events.push(event(3, "order.on_hold", |_| ()));
    events.push(called_off(4, Some(1)));
    assert_eq!(status_of(&events), "order.on_hold");
}

#[test]
fn what_two_tell_is_called_off_once_and_an_edited_order_has_the_rest() {
    let mut events = made(2);
    events.push(called_off(9, Some(1)));
    let mut again = called_off(10, Some(1));
    again.source = "shop".to_owned();
    events.push(again);
    assert_eq!(status_of(&events), "production.finished");
    events.push(placed(11, 1));
    assert_eq!(status_of(&events), "production.finished", "one of the two that were ordered");
}

/// Who says first that a piece less is wanted is chance, and so is the time of what a platform tells anew: each
/// edition of its order has that of the first.
#[test]
fn a_piece_that_the_shop_and_the_warehouse_take_out_is_one_piece() {
    for hour in [0, 8, 10] {
        let mut events = made(2);
        let mut edition = placed(hour, 1);
        edition.id = format!("{}-2", edition.id);
        events.extend([edition, called_off(9, Some(1))]);
        assert_eq!(status_of(&events), "production.finished", "edited at {hour}");
        events.push(called_off(11, None));
        assert_eq!(status_of(&events), "order.cancelled", "edited at {hour}");
    }
}

#[test]
fn some_pieces_of_a_line_that_nobody_told_are_not_the_order() {
    let mut events = plain()[..5].to_vec();
    events[0] = event(0, "order.placed", |_| ());
    events.push(called_off(9, Some(1)));
    assert_eq!(status_of(&events), "production.finished");
}

#[test]
fn a_line_that_is_listed_twice_has_the_pieces_of_both() {
    let mut events = made(2);
    events[0] = event(0, "order.placed", |d| {
        items(d, &["1", "1"]);
        d.data.items[0].quantity = 2;
        d.data.items[1].quantity = 1;
    });
    events.push(called_off(9, Some(2)));
    assert_eq!(status_of(&events), "production.finished");
    events.push(called_off(10, Some(1)));
    assert_eq!(status_of(&events), "order.cancelled");
}

#[test]
fn of_two_pieces_that_are_called_off_one_by_one_neither_is_said_before() {
    let mut events = made(2);
    events.extend([called_off(9, Some(1)), called_off(10, Some(1))]);
    events.last_mut().unwrap().data.confidence = Confidence::Reported;
    assert_eq!(status_of(&events), "order.cancelled");
}
