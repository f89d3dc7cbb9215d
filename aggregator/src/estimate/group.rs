//! The orders that an order is like: groups, the narrowest first.

use super::course::{Course, Stage};
use crate::turn::told;
use contract::event::OrderEvent;
use contract::milestone::Milestone;
use contract::timeline::Timeline;

/// What groups an order belongs to by where it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// Province or state, as the shop writes it.
    pub province: Option<String>,
    /// Country, ISO 3166 alpha-2.
    pub country: Option<String>,
}

impl Traits {
    /// Where the order goes, as it was told last. (It may be placed by several systems, in several
    /// editions, and not each says where it goes.)
    #[must_use]
    pub fn of(history: &[OrderEvent]) -> Self {
        let placed = history.iter().filter(|event| {
            let data = &event.data;
            event.milestone == Milestone::OrderPlaced
                && (data.location.is_some() || data.country.is_some())
        });
        let placed = placed.max_by_key(|event| (event.time, event.key()));
        let data = placed.map(|event| &event.data);
        Self {
            province: data.and_then(|data| data.location.clone()),
            country: data.and_then(|data| data.country.clone()),
        }
    }
}

/// Characters of a value that make a difference.
const LONGEST: usize = 100;

/// The name of a group: the stage, and what its orders have in common. None when a part of that
/// is not known. Whatever a source wrote, it can be a key in the database.
fn named(stage: &str, common: &[(&str, Option<&str>)]) -> Option<String> {
    let plain = |value: &str| -> String {
        value.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
    };
    let parts = common.iter().map(|(what, value)| Some(format!("/{what}={}", plain((*value)?))));
    Some(format!("{stage}{}", parts.collect::<Option<String>>()?))
}

/// The groups of a line at a stage. Making depends on what is made and where, carrying on who
/// carries it whither; a parcel abroad is never compared with one at home.
pub(super) fn groups(stage: Stage, course: &Course<'_>, traits: &Traits) -> Vec<String> {
    let product = ("product", course.item.sku.as_deref());
    let workshop = ("workshop", course.workshop);
    let carrier = ("carrier", course.carrier);
    let country = ("country", Some(traits.country.as_deref().unwrap_or("any")));
    let province = ("province", traits.province.as_deref());
    let common: Vec<Vec<(&str, Option<&str>)>> = match stage {
        Stage::Confirm => vec![vec![]],
        Stage::Prepare | Stage::Make => {
            vec![vec![product, workshop], vec![product], vec![workshop], vec![]]
        }
        Stage::Dispatch => vec![vec![workshop, carrier], vec![workshop], vec![carrier], vec![]],
        Stage::Carry => vec![
            vec![country, province, carrier],
            vec![country, carrier],
            vec![country, province],
            vec![country],
        ],
    };
    common.iter().filter_map(|common| named(stage.name(), common)).collect()
}

/// The groups of the silence of an order as it stands.
#[must_use]
pub fn quiet_groups_of(timeline: &Timeline) -> Vec<String> {
    let at_stage = told(timeline).rfind(|entry| entry.milestone == timeline.status);
    quiet_groups(timeline.status, at_stage.map(|entry| entry.source.as_str()))
}

/// The groups of a silence: at this step, of this workshop or carrier.
#[must_use]
pub fn quiet_groups(stage: Milestone, who: Option<&str>) -> Vec<String> {
    let stage = format!("quiet/{stage}");
    [vec![("who", who)], vec![]].iter().filter_map(|common| named(&stage, common)).collect()
}
