//! The mail sink: accepts letters as a strict server would and notes them in the ledger.

use super::ledger::{Effect, Ledger};
use super::script::{Drop, Scripts};
use super::smtp_session::{Reply, Session, unstuff};
use mail_parser::{HeaderValue, MessageParser};
use serde_json::{Map, Value, json};
use service_kit::clock;
use service_kit::lifecycle::Lifecycle;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Longest letter, in bytes (as announced).
const MAX_LETTER: usize = 10 * 1024 * 1024;

/// Serves until the soft stop.
pub fn serve(life: &Lifecycle, listener: TcpListener, ledger: Ledger, scripts: Scripts) {
    let own = life.clone();
    life.spawn("smtp", async move {
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted,
                () = own.soft().cancelled() => return,
            };
            let Ok((stream, _)) = stream else { continue };
            let (ledger, scripts, soft) = (ledger.clone(), scripts.clone(), own.soft().clone());
            own.spawn_light(async move {
                tokio::select! {
                    // An error of the connection ends the conversation, as on a real server.
                    _ = converse(stream, ledger, scripts) => {}
                    () = soft.cancelled() => {}
                }
            });
        }
    });
}

async fn converse(stream: TcpStream, ledger: Ledger, scripts: Scripts) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mailbox.devstack ESMTP\r\n").await?;
    let mut session = Session::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        match session.line(text.trim_end_matches(['\r', '\n'])) {
            Reply::Say(answer) => stream.write_all(answer.as_bytes()).await?,
            Reply::Bye => return stream.write_all(b"221 2.0.0 bye\r\n").await,
            Reply::Data => {
                stream.write_all(b"354 end with a lone dot\r\n").await?;
                let letter = read_letter(&mut stream).await?;
                let Some(answer) = take(&session, &letter, &ledger, &scripts).await else {
                    return Ok(());
                };
                stream.write_all(answer.as_bytes()).await?;
                session.reset();
            }
        }
    }
}

/// Reads up to the lone dot.
async fn read_letter(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let (mut letter, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(letter);
        }
        if letter.len() + line.len() > MAX_LETTER {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        letter.extend_from_slice(unstuff(&line));
    }
}

/// The answer to a letter; none when the script cuts the connection.
async fn take(
    session: &Session,
    letter: &[u8],
    ledger: &Ledger,
    scripts: &Scripts,
) -> Option<String> {
    let recipient = session.to.first().cloned().unwrap_or_default();
    let script = scripts.next("smtp", &recipient);
    if let Some(script) = &script {
        tokio::time::sleep(Duration::from_millis(script.delay_ms)).await;
        match script.drop {
            Some(Drop::BeforeAccept) => return None,
            Some(Drop::AfterAccept) => {
                let _ = accept(session, letter, ledger);
                return None;
            }
            None if script.status >= 400 => {
                let text = if script.body.is_empty() { "scripted" } else { &script.body };
                return Some(format!("{} {text}\r\n", script.status));
            }
            None => {}
        }
    }
    Some(match accept(session, letter, ledger) {
        Ok(()) => format!("250 2.0.0 queued as {:08x}\r\n", fastrand::u32(..)),
        Err(why) => format!("554 5.6.0 {why}\r\n"),
    })
}

/// Reads the letter as a receiver would, and refuses what a strict one refuses.
fn accept(session: &Session, letter: &[u8], ledger: &Ledger) -> Result<(), String> {
    if letter.split(|b| *b == b'\n').any(|line| line.len() > 999) {
        return Err("a line is longer than 998 characters (RFC 5322, 2.1.1)".to_owned());
    }
    let message = MessageParser::default().parse(letter).ok_or("this is no message")?;
    let id = message.message_id().ok_or("no Message-ID")?.to_owned();
    message.date().ok_or("no Date")?;
    message.from().ok_or("no From")?;
    let headers: Map<String, Value> = message
        .headers()
        .iter()
        .map(|h| (h.name().to_owned(), plain(h.value(), letter, h)))
        .collect();
    for recipient in &session.to {
        let body = json!({
            "subject": message.subject(), "text": message.body_text(0), "html": message.body_html(0),
            "headers": headers, "message_id": id, "accepts": 1, "from": session.from,
        });
        ledger.accept(Effect {
            channel: "email",
            provider: "smtp",
            recipient: recipient.clone(),
            dedupe: id.clone(),
            at: clock::now(),
            accepts: 1,
            message: body,
        });
    }
    Ok(())
}

/// A header as decoded text, else as it stands in the letter.
fn plain(value: &HeaderValue<'_>, letter: &[u8], header: &mail_parser::Header<'_>) -> Value {
    if let HeaderValue::Text(text) = value {
        return text.trim().into();
    }
    let raw = letter.get(header.offset_start() as usize..header.offset_end() as usize);
    String::from_utf8_lossy(raw.unwrap_or_default()).trim().into()
}
