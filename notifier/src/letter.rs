//! Letters: words from the common book, MJML once at the start, values at the end, escaped.

mod date;
mod view;

pub use view::{Context, Sentences, sentences};

use contract::words::Language;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use view::View;

const LAYOUT: &str = include_str!("../templates/letter.mjml");
/// The engine escapes by name.
const HTML: &str = "letter.html";
const TEXT: &str = include_str!("../templates/letter.txt");

/// A letter, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// At most 60 characters: the headline and the order number.
    pub subject: String,
    /// HTML part.
    pub html: String,
    /// Text part; says the same.
    pub text: String,
}

/// Why there is no letter.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The layout is no MJML, or cannot be rendered.
    #[error("the layout cannot be rendered: {0}")]
    Layout(String),
    /// A value is missing or a template is wrong.
    #[error("the letter cannot be filled: {0}")]
    Fill(#[from] minijinja::Error),
}

/// The templates, compiled.
pub struct Letters {
    environment: Environment<'static>,
    shop: String,
}

impl Letters {
    /// Compiles the templates. MJML comes first and values later: so a customer's text is never
    /// part of a template, and the HTML around it is made once.
    ///
    /// # Errors
    /// When a template is wrong, which a test would have shown.
    pub fn new(shop: &str) -> Result<Self, LetterError> {
        let parsed = mrml::parse(LAYOUT).map_err(|e| LetterError::Layout(e.to_string()))?;
        let html = parsed.element.render(&mrml::prelude::render::RenderOptions::default());
        let html = html.map_err(|e| LetterError::Layout(e.to_string()))?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(50_000));
        environment.set_auto_escape_callback(|name| {
            if name == HTML { AutoEscape::Html } else { AutoEscape::None }
        });
        environment
            .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.add_template_owned(HTML, html)?;
        environment.add_template("letter.txt", TEXT)?;
        Ok(Self { environment, shop: shop.to_owned() })
    }

    /// Writes a letter.
    ///
    /// # Errors
    /// When a template wants a value that is not there.
    pub fn write(
        &self,
        context: &Context,
        language: Language,
        link: &str,
    ) -> Result<Letter, LetterError> {
        let sentences = sentences(context, language);
        let view = View::new(context, language, &sentences, &self.shop, link);
        let view = Value::from(Serde(&view));
        let html = self.environment.get_template(HTML)?.render(view.clone())?;
        let text = self.environment.get_template("letter.txt")?.render(view)?;
        Ok(Letter { subject: subject(&sentences.headline, &context.order), html, text })
    }
}

/// The headline and the order number, at most 60 characters; the number is never cut.
fn subject(headline: &str, order: &str) -> String {
    let headline = headline.trim_end_matches('.');
    let room = 60_usize.saturating_sub(order.chars().count() + 3);
    let short: String = if headline.chars().count() > room {
        headline.chars().take(room.saturating_sub(1)).collect::<String>().trim_end().to_owned()
            + "…"
    } else {
        headline.to_owned()
    };
    format!("{short} · {order}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::event::EtaRange;
    use contract::milestone::Milestone;

    fn context(milestone: Milestone) -> Context {
        let time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let eta = EtaRange {
            earliest: time("2026-11-26T01:00:00Z"),
            latest: time("2026-11-27T11:00:00Z"),
        };
        Context {
            order: "TM-1042".into(),
            milestone,
            name: Some("<script>alert(1)</script>".into()),
            carrier: Some("ghn".into()),
            eta: Some(eta),
            time_zone: Some("Asia/Ho_Chi_Minh".into()),
            steps: vec![("placed".into(), "done".into()), ("confirmed".into(), "current".into())],
            items: vec![(2, "Cốc in tên <b>Bích</b>".into())],
        }
    }

    #[test]
    fn every_occasion_has_a_letter_in_both_languages() {
        let letters = Letters::new("Teemazing").unwrap();
        for milestone in Milestone::ALL {
            for language in [Language::Vi, Language::En] {
                let letter = letters
                    .write(&context(*milestone), language, "https://shop.example/o")
                    .unwrap();
                assert!(
                    letter.subject.chars().count() <= 60 && letter.subject.ends_with("TM-1042"),
                    "{milestone}"
                );
                assert!(
                    !letter.text.contains('{') && !letter.html.contains("{{"),
                    "{milestone}: {}",
                    letter.text
                );
                assert!(letter.html.len() < 102_000, "longer letters are cut by some readers");
            }
        }
    }

    #[test]
    fn a_customers_text_is_text() {
        let letter = Letters::new("Teemazing").unwrap();
        let letter =
            letter.write(&context(Milestone::OrderConfirmed), Language::Vi, "https://x/").unwrap();
        assert!(!letter.html.contains("<script>alert") && !letter.html.contains("<b>Bích"));
        assert!(letter.html.contains("&lt;script&gt;"));
    }

    #[test]
    fn a_delay_names_the_new_date_as_a_range() {
        let letters = Letters::new("Teemazing").unwrap();
        let vi =
            letters.write(&context(Milestone::DelayWarning), Language::Vi, "https://x/").unwrap();
        assert!(vi.text.contains("Ngày mới: Thứ Năm 26 – Thứ Sáu 27/11."), "{}", vi.text);
        let en =
            letters.write(&context(Milestone::DelayWarning), Language::En, "https://x/").unwrap();
        assert!(en.text.contains("New date: Thu 26 – Fri 27 Nov."), "{}", en.text);
    }

    #[test]
    fn a_long_headline_is_cut_before_the_number() {
        let subject = subject(&"x".repeat(100), "TM-1");
        assert_eq!(subject.chars().count(), 60);
        assert!(subject.ends_with("… · TM-1"));
    }
}
