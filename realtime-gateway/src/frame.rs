//! What is said to viewers, as it goes over the wire: made once, for however many get it.

use bytes::{BufMut, Bytes, BytesMut};

/// A final text frame, from the server: not masked (RFC 6455, 5.2).
const TEXT: u8 = 0x81;
/// Longest head of such a frame: two bytes, and eight for the length.
const HEAD: usize = 10;

/// A text with its head. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct Frame {
    wire: Bytes,
    head: u8,
}

impl Frame {
    /// A frame of this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut wire = BytesMut::with_capacity(HEAD + text.len());
        wire.put_u8(TEXT);
        let head = match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(length @ 0..=125), _) => {
                wire.put_u8(length);
                2
            }
            (_, Ok(length)) => {
                wire.put_u8(126);
                wire.put_u16(length);
                4
            }
            _ => {
                wire.put_u8(127);
                wire.put_u64(text.len() as u64);
                10
            }
        };
        wire.put_slice(text.as_bytes());
        Self { wire: wire.freeze(), head }
    }

    /// As a WebSocket carries it.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The text alone.
    #[must_use]
    pub fn text(&self) -> &str {
        // It was made of a text.
        std::str::from_utf8(&self.wire[usize::from(self.head)..]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use tungstenite::Message;
    use tungstenite::protocol::{Role, WebSocket};

    #[test]
    fn a_client_reads_what_was_said_whatever_its_length() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
            let text = "ă".repeat(length / 2) + &"a".repeat(length % 2);
            let frame = Frame::new(&text);
            assert_eq!(frame.text(), text);
            let wire = Cursor::new(frame.wire().to_vec());
            let read = WebSocket::from_raw_socket(wire, Role::Client, None).read().unwrap();
            assert_eq!(read, Message::text(text), "{length}");
        }
    }
}
