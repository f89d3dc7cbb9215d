//! Which node of a cluster has which slot, as one of the nodes tells it. Pure.

use contract::name::SLOTS;
use std::sync::Arc;

/// Where a node is reached: `host:port`.
pub(super) type Address = Arc<str>;

/// The owner of each slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Slots(Vec<(u16, u16, Address)>);

impl Slots {
    /// Reads what `CLUSTER NODES` says. A node that does not know its own address yet is the one that
    /// was asked.
    pub(super) fn read(text: &str, asked: &Address) -> Self {
        Self(text.lines().flat_map(|line| node(line, asked)).collect())
    }

    /// Who has a slot.
    pub(super) fn owner(&self, slot: u16) -> Option<&Address> {
        self.0.iter().find(|(first, last, _)| (*first..=*last).contains(&slot)).map(|(.., a)| a)
    }

    /// All nodes that have some.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Address> {
        self.0.iter().map(|(.., address)| address)
    }
}

/// `id ip:port@bus[,name] flags master ping pong epoch link slot slot …`: the slots of one line.
fn node(line: &str, asked: &Address) -> Vec<(u16, u16, Address)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (Some(address), Some(flags)) = (fields.get(1), fields.get(2)) else {
        return Vec::new();
    };
    if !flags.split(',').any(|flag| flag == "master") || flags.split(',').any(|flag| flag == "fail")
    {
        return Vec::new();
    }
    let address = address.split('@').next().unwrap_or_default();
    let is = |flag| flags.split(',').any(|one| one == flag);
    let address: Address = match address.strip_prefix(':') {
        Some(port) if !port.contains(':') && is("myself") => asked.clone(),
        Some(port) if !port.contains(':') => return Vec::new(),
        _ => address.into(),
    };
    let ranges = fields.get(8..).unwrap_or_default().iter().filter_map(|field| range(field));
    ranges.map(|(first, last)| (first, last, address.clone())).collect()
}

/// `0-5460` or `7`; none for `[93->-id]`, a slot that is on its way.
fn range(field: &str) -> Option<(u16, u16)> {
    let (first, last) = field.split_once('-').unwrap_or((field, field));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && last < SLOTS).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_that_live_have_slots() {
        let text = "\
a 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-99 101 [93->-b]\n\
b 10.0.0.2:7000@17000,name.example master - 0 0 2 connected 100 102-16383\n\
c 10.0.0.3:7000@17000 slave b 0 0 2 connected\n\
d 10.0.0.4:7000@17000 master,fail - 0 0 3 disconnected 5-9\n\
broken line";
        let slots = Slots::read(text, &"x:1".into());
        let owner = |slot| slots.owner(slot).map(AsRef::as_ref);
        assert_eq!([owner(0), owner(101), owner(7)], [Some("10.0.0.1:7000"); 3]);
        assert_eq!([owner(100), owner(16_383)], [Some("10.0.0.2:7000"); 2]);
        assert_eq!(Slots::read("", &"x:1".into()).owner(0), None);
    }

    #[test]
    fn a_node_that_does_not_know_its_address_is_the_one_that_was_asked() {
        let slots =
            Slots::read("a :7000@17000 myself,master - 0 0 1 connected 0-16383", &"h:1".into());
        assert_eq!(slots.owner(5).map(AsRef::as_ref), Some("h:1"));
    }
}
