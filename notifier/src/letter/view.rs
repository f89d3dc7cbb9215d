//! What a letter is filled with.

use super::date;
use contract::event::EtaRange;
use contract::message::TimelineMessage;
use contract::milestone::Milestone;
use contract::timeline::StepState;
use contract::words::{Language, words};
use serde::{Deserialize, Serialize};

/// What has to be known to tell an occasion; kept with the notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Order number.
    pub order: String,
    /// The occasion.
    pub milestone: Milestone,
    /// For the greeting; untrusted.
    pub name: Option<String>,
    /// Carrier code.
    pub carrier: Option<String>,
    /// When it is expected.
    pub eta: Option<EtaRange>,
    /// Zone that days are told in.
    pub time_zone: Option<String>,
    /// Steps with their states.
    pub steps: Vec<(String, String)>,
    /// Pieces and names; untrusted.
    pub items: Vec<(u32, String)>,
}

impl Context {
    /// What a new version tells.
    #[must_use]
    pub fn of(message: &TimelineMessage) -> Self {
        let (event, timeline, customer) = (&message.event, &message.timeline, &message.customer);
        let carrier = timeline.shipments.iter().find_map(|shipment| shipment.carrier.clone());
        let state = |state| match state {
            StepState::Done => "done",
            StepState::Current => "current",
            StepState::Ahead => "ahead",
        };
        Self {
            order: timeline.order.to_string(),
            milestone: event.milestone,
            name: customer.name.clone(),
            carrier: event.data.carrier.clone().or(carrier),
            eta: event.data.eta.or(timeline.eta.as_ref().map(|eta| eta.range)).filter(|range| {
                event.milestone != Milestone::DelayWarning || is_news(message, range)
            }),
            time_zone: customer.time_zone.clone(),
            steps: timeline
                .steps
                .iter()
                .map(|s| (s.code.clone(), state(s.state).to_owned()))
                .collect(),
            items: timeline
                .items
                .iter()
                .filter_map(|i| Some((i.quantity, i.title.clone()?)))
                .collect(),
        }
    }
}

/// Is it the new date of an order that will be late? One that is over, or lies within the promise (nobody was
/// heard of for long, and who has to do something expects nothing else), is none.
fn is_news(message: &TimelineMessage, range: &EtaRange) -> bool {
    let (promise, zone) = (message.timeline.promise, message.customer.time_zone.as_deref());
    range.latest > message.event.time
        && promise.is_none_or(|promise| date::ends_after(range, promise.latest, zone))
}

/// The common book's words, filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentences {
    /// A few words.
    pub label: String,
    /// What is happening.
    pub headline: String,
    /// What comes next; may be empty.
    pub next: String,
}

/// Fills the words for an occasion.
#[must_use]
pub fn sentences(context: &Context, language: Language) -> Sentences {
    let words = words(context.milestone, language);
    let unknown = match language {
        Language::Vi => ("Đơn vị vận chuyển", "sớm"),
        Language::En => ("The carrier", "soon"),
    };
    let carrier = context.carrier.as_deref().and_then(carrier_name).unwrap_or(unknown.0);
    let eta = context.eta.map(|range| date::range(range, context.time_zone.as_deref(), language));
    let eta = eta.as_deref().unwrap_or(unknown.1);
    let fill =
        |text: &str| text.replace("{carrier}", carrier).replace("{day}", eta).replace("{eta}", eta);
    Sentences {
        label: words.label.clone(),
        headline: fill(&words.headline),
        next: fill(&words.next),
    }
}

/// Carriers by the names that people know them by.
fn carrier_name(code: &str) -> Option<&'static str> {
    Some(match code {
        "ghn" => "GHN",
        "ghtk" => "GHTK",
        "viettelpost" => "Viettel Post",
        "ems" => "EMS",
        "nhattin" => "Nhất Tín",
        "ghsv" => "GHSV",
        _ => return None,
    })
}

#[derive(Debug, Serialize)]
struct Step {
    label: &'static str,
    state: String,
}

#[derive(Debug, Serialize)]
struct Item<'a> {
    quantity: u32,
    title: &'a str,
}

/// The values of the templates.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    language: &'static str,
    shop: &'a str,
    order: &'a str,
    greeting: String,
    headline: &'a str,
    next: &'a str,
    eta: Option<String>,
    eta_label: &'static str,
    steps: Vec<Step>,
    items: Vec<Item<'a>>,
    items_label: &'static str,
    button: &'static str,
    link: &'a str,
    why: String,
}

impl<'a> View<'a> {
    pub(super) fn new(
        context: &'a Context,
        language: Language,
        sentences: &'a Sentences,
        shop: &'a str,
        link: &'a str,
    ) -> Self {
        let fixed = Fixed::of(language);
        let name = context.name.as_deref().filter(|name| !name.is_empty());
        let step = |(code, state): &(String, String)| Step {
            label: step_label(code, language),
            state: state.clone(),
        };
        let delivered = context.milestone == Milestone::ShipmentDelivered;
        Self {
            language: language.tag(),
            shop,
            order: &context.order,
            greeting: name
                .map_or_else(|| fixed.hello.to_owned(), |name| format!("{} {name},", fixed.dear)),
            headline: &sentences.headline,
            next: &sentences.next,
            eta: context
                .eta
                .filter(|_| !delivered)
                .map(|range| date::range(range, context.time_zone.as_deref(), language)),
            eta_label: fixed.eta,
            steps: context.steps.iter().map(step).collect(),
            items: context
                .items
                .iter()
                .map(|(quantity, title)| Item { quantity: *quantity, title })
                .collect(),
            items_label: fixed.items,
            button: fixed.button,
            link,
            why: fixed.why.replace("{shop}", shop).replace("{order}", &context.order),
        }
    }
}

/// Words of the letter itself.
struct Fixed {
    hello: &'static str,
    dear: &'static str,
    eta: &'static str,
    items: &'static str,
    button: &'static str,
    why: &'static str,
}

impl Fixed {
    const fn of(language: Language) -> Self {
        match language {
            Language::Vi => Self {
                hello: "Chào bạn,",
                dear: "Chào",
                eta: "Dự kiến giao",
                items: "Trong đơn",
                button: "Theo dõi đơn hàng",
                why: "Bạn nhận thư này vì đã đặt đơn {order} tại {shop}.",
            },
            Language::En => Self {
                hello: "Hello,",
                dear: "Hello",
                eta: "Expected",
                items: "In your order",
                button: "Track your order",
                why: "You get this letter because you placed order {order} with {shop}.",
            },
        }
    }
}

fn step_label(code: &str, language: Language) -> &'static str {
    let vi = language == Language::Vi;
    match code {
        "placed" if vi => "Đã đặt",
        "placed" => "Ordered",
        "confirmed" if vi => "Xác nhận",
        "confirmed" => "Confirmed",
        "production" if vi => "Sản xuất",
        "production" => "Making",
        "packed" if vi => "Đóng gói",
        "packed" => "Packed",
        "in_transit" if vi => "Vận chuyển",
        "in_transit" => "On its way",
        "out_for_delivery" if vi => "Đang giao",
        "out_for_delivery" => "Courier",
        _ if vi => "Đã giao",
        _ => "Delivered",
    }
}
