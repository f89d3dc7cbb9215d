//! A letter as a mail message.

use crate::letter::Letter;
use crate::outcome::Outcome;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use uuid::Uuid;

/// Who writes.
#[derive(Debug, Clone)]
pub struct Sender {
    address: Address,
    name: String,
}

/// What a letter's envelope and headers say.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The delivery's number: the same letter again has the same Message-ID.
    pub delivery: Uuid,
    /// The address.
    pub recipient: &'a str,
    /// Order number.
    pub order: &'a str,
    /// Milestone code.
    pub milestone: &'static str,
}

impl Sender {
    /// A sender.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(address: &str, name: &str) -> Result<Self, String> {
        let parsed = address.parse().map_err(|_| "MAIL_FROM: this is no address".to_owned())?;
        Ok(Self { address: parsed, name: plain(name) })
    }

    /// Puts a letter in its envelope.
    ///
    /// # Errors
    /// The outcome that says why it cannot be sent at all.
    pub fn seal(&self, letter: &Letter, envelope: Envelope<'_>) -> Result<Message, Outcome> {
        let to: Address = envelope
            .recipient
            .parse()
            .map_err(|_| Outcome::RecipientDead("no address".to_owned()))?;
        let from = Mailbox::new(Some(self.name.clone()), self.address.clone());
        let body = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
        let message = Message::builder()
            .message_id(Some(format!("<{}@{}>", envelope.delivery, self.address.domain())))
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(plain(&letter.subject))
            .raw_header(header("X-Milepost-Order", envelope.order))
            .raw_header(header("X-Milepost-Milestone", envelope.milestone))
            // RFC 3834: nobody's holiday answer should come back.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .date_now()
            .multipart(body);
        message.map_err(|_| Outcome::Rejected("the letter cannot be put together".to_owned()))
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), plain(value))
}

/// One line: a line end in a header would begin another header (the mail library panics on one).
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(recipient: &str, subject: &str) -> Result<String, Outcome> {
        let sender = Sender::new("shop@example.com", "Tee\r\nBcc: x@example.com").unwrap();
        let letter =
            Letter { subject: subject.into(), html: "<p>quà</p>".into(), text: "quà".into() };
        let envelope = Envelope {
            delivery: Uuid::nil(),
            recipient,
            order: "TM-1",
            milestone: "order.confirmed",
        };
        sender.seal(&letter, envelope).map(|m| String::from_utf8(m.formatted()).unwrap())
    }

    #[test]
    fn a_letter_names_its_order_milestone_and_delivery() {
        let text = seal("an@example.com", "Xin chào").unwrap();
        assert!(text.contains("X-Milepost-Order: TM-1\r\n"), "{text}");
        assert!(text.contains("X-Milepost-Milestone: order.confirmed\r\n"));
        assert!(text.contains("Message-ID: <00000000-0000-0000-0000-000000000000@example.com>"));
    }

    #[test]
    fn no_text_can_add_a_header() {
        let text = seal("an@example.com", "a\r\nBcc: all@example.com").unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| !line.starts_with("Bcc:")), "{head}");
    }

    #[test]
    fn what_is_no_address_is_a_dead_recipient() {
        for bad in ["", "an", "an@example.com\r\nBcc: x@y", "a b@c"] {
            assert_eq!(seal(bad, "s").unwrap_err().label(), "recipient_dead", "{bad:?}");
        }
    }
}
