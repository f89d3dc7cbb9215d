//! Reads what a server says to one that listens (RESP 2): lists of texts and numbers. Pure.

use redis::{ErrorKind, RedisError};
use std::ops::Range;

/// A longer text than this is no message of ours, and is not waited for.
const LONGEST: usize = 64 * 1024 * 1024;
/// A list of ours has three parts; a longer one than this is none.
const MOST: usize = 16;

/// A line is a length, a number or an error: a longer one than this is none of them.
const LINE: usize = 4 * 1024;

/// A reply; texts are places in the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// A message on a channel.
    Message { channel: Range<usize>, payload: Range<usize> },
    /// Anything else: that a channel is subscribed to, `OK`.
    Other,
}

/// The first reply of the bytes, and how many it takes; none while it is not whole.
///
/// # Errors
/// What the server refuses; what is no reply.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Reply, usize)>, RedisError> {
    let mut reader = Reader { bytes, at: 0 };
    let Some((kind, line)) = reader.head()? else { return Ok(None) };
    let reply = match kind {
        b'*' => reader.list(number(line)?)?,
        b'-' => return Err(refused(line)),
        b'+' | b':' => Some(Reply::Other),
        _ => return Err(broken()),
    };
    Ok(reply.map(|reply| (reply, reader.at)))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next line: its first byte, which says what it is, and the rest.
    fn head(&mut self) -> Result<Option<(u8, &'a [u8])>, RedisError> {
        let rest = &self.bytes[self.at..];
        let line = &rest[..rest.len().min(LINE)];
        let Some(end) = line.windows(2).position(|two| two == b"\r\n") else {
            return if line.len() == LINE { Err(broken()) } else { Ok(None) };
        };
        let (kind, line) = rest[..end].split_first().ok_or_else(broken)?;
        self.at += end + 2;
        Ok(Some((*kind, line)))
    }

    fn list(&mut self, count: usize) -> Result<Option<Reply>, RedisError> {
        if count > MOST {
            return Err(broken());
        }
        let (mut texts, mut found) = ([const { 0..0 }; 3], 0);
        for _ in 0..count {
            let Some((kind, line)) = self.head()? else { return Ok(None) };
            if kind == b':' {
                continue;
            }
            if kind != b'$' {
                return Err(broken());
            }
            let Some(text) = self.text(number(line)?)? else { return Ok(None) };
            if let Some(place) = texts.get_mut(found) {
                *place = text;
            }
            found += 1;
        }
        let [what, channel, payload] = texts;
        let message = found == 3 && &self.bytes[what] == b"message";
        Ok(Some(if message { Reply::Message { channel, payload } } else { Reply::Other }))
    }

    fn text(&mut self, length: usize) -> Result<Option<Range<usize>>, RedisError> {
        if length > LONGEST {
            return Err(broken());
        }
        let text = self.at..self.at + length;
        match self.bytes.get(text.end..text.end + 2) {
            None => Ok(None),
            Some(b"\r\n") => {
                self.at = text.end + 2;
                Ok(Some(text))
            }
            Some(_) => Err(broken()),
        }
    }
}

fn number(line: &[u8]) -> Result<usize, RedisError> {
    std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).ok_or_else(broken)
}

/// What came is no reply.
pub(super) fn broken() -> RedisError {
    (ErrorKind::Parse, "not a reply that a subscription gets").into()
}

fn refused(line: &[u8]) -> RedisError {
    let text = String::from_utf8_lossy(line).into_owned();
    (ErrorKind::Client, "the server refuses to be listened to", text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_whole_is_waited_for_and_what_is_no_reply_is_refused() {
        let whole = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nbc\r\n";
        for end in 0..whole.len() {
            assert!(matches!(read(&whole[..end]), Ok(None)), "{end}");
        }
        assert_eq!(
            read(whole).unwrap(),
            Some((Reply::Message { channel: 21..22, payload: 28..30 }, whole.len()))
        );
        for bad in [
            "x\r\n",
            "*-1\r\n",
            "*9999\r\n",
            "*1\r\n$99999999999\r\n",
            "*1\r\n$1\r\nab\r\n",
            "\r\n",
            "*1\r\n*1\r\n",
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(read(&[b'x'; LINE]).is_err(), "a line without an end is not waited for");
        assert_eq!(read(b"+OK\r\n+OK\r\n").unwrap(), Some((Reply::Other, 5)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn nearly_replies_do_not_either(text in r"[*$:+\-]?[0-9]{0,3}(\r\n)?[*$:][0-9]{0,20}(\r\n){0,2}.{0,12}") {
            let _ = read(text.as_bytes());
        }
    }
}
