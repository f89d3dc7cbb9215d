//! What may happen to a line.

use proptest::prelude::*;

/// The orders that there are.
pub(super) const ORDERS: [&str; 3] = ["A", "B", "C"];

/// What may happen next.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Subscribe(usize, Since),
    Unsubscribe(usize),
    /// A newer version; whether the bus brings it here.
    Publish(usize, bool),
    /// The newest version is read again.
    Repair(usize),
    /// The oldest snapshot that is under way arrives; so many versions old, if it can be.
    Snapshot(u64),
    /// The socket takes one delivery.
    Take,
    Tick,
    /// A newer token that opens these orders.
    Refresh([bool; ORDERS.len()]),
    Revoke(usize),
    /// That is the end; whether it is found by the clock or before the next delivery.
    End(End, bool),
}

/// Why a line ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// Somebody sends the viewer away.
    Sent,
    /// The customer is shut out.
    ShutOut,
    /// The token is over, and the grace after it.
    Over,
}

/// What the viewer says it has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Since {
    Nothing,
    Newest,
    Older,
}

/// One of them.
pub(super) fn step() -> impl Strategy<Value = Step> {
    let order = || 0..ORDERS.len();
    let end = prop_oneof![Just(End::Sent), Just(End::ShutOut), Just(End::Over)];
    let since = prop_oneof![Just(Since::Nothing), Just(Since::Newest), Just(Since::Older)];
    prop_oneof![
        18 => (order(), since).prop_map(|(order, since)| Step::Subscribe(order, since)),
        6 => order().prop_map(Step::Unsubscribe),
        36 => (order(), prop::bool::weighted(0.8)).prop_map(|(o, there)| Step::Publish(o, there)),
        6 => order().prop_map(Step::Repair),
        18 => (0..3_u64).prop_map(Step::Snapshot),
        36 => Just(Step::Take),
        12 => Just(Step::Tick),
        6 => prop::array::uniform(any::<bool>()).prop_map(Step::Refresh),
        6 => order().prop_map(Step::Revoke),
        1 => (end, any::<bool>()).prop_map(|(end, ticks)| Step::End(end, ticks)),
    ]
}
