//! A statement changes a row once: what comes several times has as many rounds.

use std::collections::HashMap;
use std::hash::Hash;

/// Rows in their order, those of one key each in a round of its own.
pub(super) fn rounds<R, K: Hash + Eq>(
    rows: impl Iterator<Item = R>,
    key: impl Fn(&R) -> K,
) -> Vec<Vec<R>> {
    let (mut rounds, mut seen) = (Vec::<Vec<R>>::new(), HashMap::<K, usize>::new());
    for row in rows {
        let round = seen.entry(key(&row)).or_default();
        if *round == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[*round].push(row);
        *round += 1;
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_round_has_a_key_twice_and_no_row_is_left_out() {
        let rows = ["a1", "b1", "a2", "a3", "b2", "c1"];
        let rounds = rounds(rows.into_iter(), |row| row.as_bytes()[0]);
        assert_eq!(rounds, [vec!["a1", "b1", "c1"], vec!["a2", "b2"], vec!["a3"]]);
    }
}
