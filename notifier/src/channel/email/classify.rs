//! What a mail server's answer means (RFC 5321 replies, RFC 3463 enhanced codes).

use crate::outcome::Outcome;
use lettre::transport::smtp::Error;

/// Classifies an error of the SMTP client.
pub(super) fn classify(error: &Error) -> Outcome {
    let text = error.to_string();
    match error.status().and_then(|code| code.to_string().parse::<u16>().ok()) {
        Some(code) => reply(code, &text),
        // Nothing was promised: it may have been taken after the last dot. The letter keeps its
        // Message-ID, so a second one is the same letter.
        None if error.is_timeout() => Outcome::Ambiguous("timeout".to_owned()),
        None if error.is_tls() => Outcome::ProviderDown("tls".to_owned()),
        None => Outcome::ProviderDown("connection".to_owned()),
    }
}

/// Classifies a reply by its code and, where it has one, its enhanced code.
fn reply(code: u16, text: &str) -> Outcome {
    let enhanced = enhanced(text);
    let detail = match &enhanced {
        Some(enhanced) => format!("{code} {enhanced}"),
        None => code.to_string(),
    };
    let starts = |prefix: &str| enhanced.as_deref().is_some_and(|e| e.starts_with(prefix));
    match code {
        454 | 530 | 534 | 535 | 538 => Outcome::ProviderDown(detail),
        400..=499 => Outcome::Retry { after: None, detail },
        // 5.7: the server does not like us, which says nothing of the recipient.
        _ if starts("5.7.") => Outcome::Rejected(detail),
        550 | 551 | 553 => Outcome::RecipientDead(detail),
        _ if starts("5.1.") => Outcome::RecipientDead(detail),
        _ => Outcome::Rejected(detail),
    }
}

/// `5.1.1` in "permanent error (550): 5.1.1 no such user".
fn enhanced(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ':' | '-'));
    let enhanced = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        let number =
            |p: &&str| !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit());
        parts.len() == 3 && parts.iter().all(number)
    };
    words.into_iter().find(enhanced).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn replies_mean_what_the_table_says() {
        let label = |code, text| reply(code, text).label();
        assert_eq!(label(451, "4.3.0 try later"), "retry");
        assert_eq!(label(421, "4.7.0 too fast"), "retry");
        assert_eq!(label(535, "5.7.8 bad credentials"), "provider_down");
        assert_eq!(label(550, "5.1.1 no such user"), "recipient_dead");
        assert_eq!(label(550, "5.7.1 looks like spam"), "rejected");
        assert_eq!(label(552, "5.3.4 too large"), "rejected");
        assert_eq!(label(554, "5.1.2 no such host"), "recipient_dead");
    }

    proptest! {
        #[test]
        fn no_answer_can_break_us(code in 0_u16..1000, text in ".*") {
            prop_assert!(!reply(code, &text).label().is_empty());
        }
    }
}
