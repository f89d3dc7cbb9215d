//! One SMTP conversation as pure decisions (RFC 5321, 8BITMIME RFC 6152, SMTPUTF8 RFC 6531).

/// What a line from the client asks of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Answer and go on.
    Say(String),
    /// Answer, then read a message up to the lone dot.
    Data,
    /// Answer and close.
    Bye,
}

/// Where the conversation stands.
#[derive(Debug, Default)]
pub struct Session {
    greeted: bool,
    /// Sender of the message in hand.
    pub from: Option<String>,
    /// Recipients of the message in hand.
    pub to: Vec<String>,
    utf8: bool,
}

impl Session {
    /// Takes a command line without its line end.
    pub fn line(&mut self, line: &str) -> Reply {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                self.reset();
                self.greeted = true;
                say(
                    "250-mailbox.devstack\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 SIZE 10485760",
                )
            }
            "HELO" => {
                self.reset();
                self.greeted = true;
                say("250 mailbox.devstack")
            }
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest),
            "DATA" if self.to.is_empty() => say("503 5.5.1 no recipients"),
            "DATA" => Reply::Data,
            "RSET" => {
                self.reset();
                say("250 2.0.0 forgotten")
            }
            "NOOP" => say("250 2.0.0 yes"),
            "VRFY" => say("252 2.0.0 send and see"),
            "QUIT" => Reply::Bye,
            _ => say("500 5.5.2 no such command"),
        }
    }

    /// Forgets the message in hand.
    pub fn reset(&mut self) {
        (self.from, self.utf8) = (None, false);
        self.to.clear();
    }

    fn mail(&mut self, rest: &str) -> Reply {
        if !self.greeted {
            return say("503 5.5.1 say EHLO first");
        }
        let Some((path, parameters)) = path(rest, "FROM:") else {
            return say("501 5.5.4 MAIL FROM:<address>");
        };
        let upper = parameters.to_ascii_uppercase();
        let known = |p: &str| p == "SMTPUTF8" || p.starts_with("BODY=") || p.starts_with("SIZE=");
        if let Some(unknown) = upper.split_whitespace().find(|p| !known(p)) {
            return say(&format!("555 5.5.4 no such parameter {unknown}"));
        }
        self.utf8 = upper.split_whitespace().any(|p| p == "SMTPUTF8");
        if !path.is_ascii() && !self.utf8 {
            return say("553 5.6.7 a non-ASCII address wants SMTPUTF8");
        }
        self.to.clear();
        self.from = Some(path);
        say("250 2.1.0 go on")
    }

    fn rcpt(&mut self, rest: &str) -> Reply {
        if self.from.is_none() {
            return say("503 5.5.1 MAIL first");
        }
        match path(rest, "TO:") {
            None => say("501 5.5.4 RCPT TO:<address>"),
            Some((address, _)) if !address.is_ascii() && !self.utf8 => {
                say("553 5.6.7 a non-ASCII address wants SMTPUTF8")
            }
            Some((address, _)) if !address.contains('@') => say("553 5.1.3 this is no address"),
            Some((address, _)) => {
                self.to.push(address);
                say("250 2.1.5 go on")
            }
        }
    }
}

fn say(text: &str) -> Reply {
    Reply::Say(format!("{text}\r\n"))
}

/// `FROM:<a@b> PARAM=x`: the address and the parameters.
fn path(rest: &str, keyword: &str) -> Option<(String, String)> {
    let head = rest.get(..keyword.len())?;
    let tail = rest.get(keyword.len()..)?.trim_start();
    let (address, parameters) = tail.strip_prefix('<')?.split_once('>')?;
    head.eq_ignore_ascii_case(keyword).then(|| (address.to_owned(), parameters.trim().to_owned()))
}

/// Undoes dot-stuffing (RFC 5321, 4.5.2).
#[must_use]
pub fn unstuff(line: &[u8]) -> &[u8] {
    if line.starts_with(b".") { &line[1..] } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_in_order_reaches_data() {
        let mut session = Session::default();
        for line in ["EHLO x", "MAIL FROM:<a@b.vn> BODY=8BITMIME", "RCPT TO:<c@d.vn>"] {
            assert!(
                matches!(session.line(line), Reply::Say(text) if text.starts_with("250")),
                "{line}"
            );
        }
        assert_eq!(session.line("DATA"), Reply::Data);
        assert_eq!(session.to, ["c@d.vn"]);
    }

    #[test]
    fn what_is_out_of_order_or_wrong_is_refused() {
        let mut session = Session::default();
        let mut refused = |line: &str, code: &str| match session.line(line) {
            Reply::Say(text) => assert!(text.starts_with(code), "{line}: {text}"),
            other => panic!("{line}: {other:?}"),
        };
        refused("MAIL FROM:<a@b>", "503");
        refused("EHLO x", "250");
        refused("RCPT TO:<a@b>", "503");
        refused("MAIL FROM:<a@b> X=1", "555");
        refused("MAIL FROM:<đ@b>", "553");
        refused("MAIL FROM:<đ@b> SMTPUTF8", "250");
        refused("DATA", "503");
        refused("RCPT TO:<nobody>", "553");
        refused("SHOUT", "500");
    }

    #[test]
    fn a_dot_that_was_doubled_is_one_again() {
        assert_eq!(unstuff(b"..x"), b".x");
        assert_eq!(unstuff(b"x"), b"x");
    }
}
