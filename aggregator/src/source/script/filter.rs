//! A filter of the jq language, compiled once.

use super::{bound, json};
use crate::source::MOST_EVENTS;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::Val;

type Compiled = jaq_core::compile::Filter<jaq_core::Native<data::JustLut<Val>>>;

/// Most values that are looked at: one more than a record may have events.
const MOST: usize = MOST_EVENTS + 1;

/// The language's own definitions that the allowed functions stand on, with their arities.
const DEFINED: [(&str, usize); 19] = [
    ("null", 0),
    ("empty", 0),
    ("error", 0),
    ("error", 1),
    ("true", 0),
    ("false", 0),
    ("not", 0),
    ("select", 1),
    ("tostring", 0),
    ("first", 0),
    ("last", 0),
    ("isboolean", 0),
    ("isnumber", 0),
    ("isstring", 0),
    ("totype", 2),
    ("tonumber", 0),
    ("type", 0),
    ("values", 0),
    ("split", 1),
];

/// A compiled filter.
pub(super) struct Filter {
    compiled: Compiled,
    /// What it makes is at most `2^growth` times as large as what it is given.
    pub(super) growth: u32,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Filter")
    }
}

impl Filter {
    /// Compiles a filter that is known to end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn compile(code: &str) -> Result<Self, String> {
        bound::length(code)?;
        let term = load::parse(code, |parser| parser.term());
        let term = term.ok_or_else(|| format!("`{code}` is no filter"))?;
        let growth = bound::check(&term)?;
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        // The rest stands on functions that are not here.
        let defs = defs.filter(|def| DEFINED.contains(&(def.name, def.args.len())));
        let natives = jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs());
        let natives = natives.filter(|(name, ..)| *name != "fromjson");
        let funs = natives.chain([json::fromjson()]);
        let arena = Arena::default();
        let modules = Loader::new(defs).load(&arena, File { code, path: () });
        let modules = modules.map_err(|_| format!("`{code}` is no filter"))?;
        let compiled = Compiler::default().with_funs(funs).compile(modules);
        let undefined = |errors: jaq_core::compile::Errors<&str, ()>| {
            let first = errors.first().and_then(|(_, errors)| errors.first());
            let name = first.map_or("something", |(name, _)| *name);
            format!("`{name}` is not defined with so many arguments")
        };
        Ok(Self { compiled: compiled.map_err(undefined)?, growth })
    }

    /// Its values, one after the other as they are asked for; or why it does not fit the record.
    pub(super) fn values(&self, input: Val) -> impl Iterator<Item = Result<Val, String>> + '_ {
        let context = Ctx::<data::JustLut<Val>>::new(&self.compiled.lut, Vars::new([]));
        let values = self.compiled.id.run((context, input)).map(unwrap_valr);
        values.take(MOST).map(|value| value.map_err(|error| error.to_string()))
    }

    /// Its first value as a text: a text that is not empty, or a number as its digits.
    ///
    /// # Errors
    /// When it does not fit the record.
    pub(super) fn text(&self, input: &Val) -> Result<Option<String>, String> {
        let Some(value) = self.values(input.clone()).next().transpose()? else { return Ok(None) };
        Ok(match serde_json::from_str(&value.to_string()) {
            Ok(serde_json::Value::String(text)) => {
                Some(text.trim().to_owned()).filter(|text| !text.is_empty())
            }
            Ok(serde_json::Value::Number(number)) => Some(number.to_string()),
            Ok(serde_json::Value::Bool(flag)) => Some(flag.to_string()),
            _ => None,
        })
    }
}
