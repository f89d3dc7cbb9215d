//! Where records of a key lie.

/// What Kafka's own client begins its hash with.
const SEED: u32 = 0x9747_b28c;

/// The place of a key: divided by a topic's partitions, the rest is the partition of its records, as Kafka's own
/// client chooses it (`murmur2`), and our [`Producer`](super::Producer).
#[must_use]
pub fn place_of(key: &[u8]) -> u32 {
    murmur2::murmur2(key, SEED) & 0x7fff_ffff
}
