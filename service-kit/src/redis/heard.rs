//! What comes in on the live bus.

use contract::name::Shard;
use redis::Msg;

/// What a subscription hears.
pub enum Heard {
    /// A message.
    Said(Msg),
    /// The shard is heard again from here on; something may have been lost before.
    Renewed(Shard),
}
