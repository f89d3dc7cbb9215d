//! What comes in on the live bus.

use contract::name::Shard;

/// What a subscription hears.
#[derive(Debug)]
pub enum Heard<'a> {
    /// A message, as it lies in the connection's buffer.
    Said {
        /// The pub/sub channel.
        channel: &'a str,
        /// The message.
        payload: &'a [u8],
    },
    /// The shard is heard again from here on; something may have been lost before.
    Renewed(Shard),
}
