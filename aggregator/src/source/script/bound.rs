//! Does a filter end, and how large can what it makes become? Decided before it ever runs.
//!
//! What is allowed takes time and memory in proportion to its input: no recursion, no
//! definitions, no bindings, no multiplication (which repeats texts), one iteration, with nothing
//! beside it that would be worked on for each of its values, and few places that can double what
//! they are given.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

/// Functions that take time in proportion to their input and make nothing larger than it.
const FUNCTIONS: [&str; 26] = [
    "null",
    "not",
    "length",
    "tostring",
    "tonumber",
    "ascii_downcase",
    "ascii_upcase",
    "split",
    "first",
    "last",
    "startswith",
    "endswith",
    "ltrimstr",
    "rtrimstr",
    "trim",
    "ltrim",
    "rtrim",
    "select",
    "has",
    "type",
    "empty",
    "fromjson",
    "floor",
    "values",
    "true",
    "false",
];

/// Most places that can double what they are given: at most 64 times the record.
const MOST_DOUBLINGS: u32 = 6;
/// Longest filter, in bytes.
const MOST_BYTES: usize = 1_000;
/// Most steps that lie in each other.
const DEEPEST: u32 = 64;
/// A text that is cut up is a text of its own for each piece.
const OF_SPLIT: u32 = 2;
/// A text of a filter that is no longer than twice this makes nothing larger that is worth counting, in bytes.
const SHORT: usize = 16;

/// Why a list is not taken from a list: each of its values would be held against all of the other's.
const MINUS: &str = "`-` wants a number beside it; for two fields write `.a + (-.b)`";

/// What a filter may cost.
#[derive(Default)]
struct Cost {
    doublings: u32,
    iterations: u32,
    /// How deep the term lies that is looked at.
    depth: u32,
}

/// Where a term stands.
#[derive(Clone, Copy)]
struct Place {
    /// It may iterate: what stands beside it is not worked on again for each of its values.
    iterates: bool,
    /// Nothing is done with what it makes: so many values are taken, and no more are made.
    last: bool,
}

impl Place {
    /// The whole filter.
    const WHOLE: Self = Self { iterates: true, last: true };
    /// Beside something.
    const BESIDE: Self = Self { iterates: false, last: false };

    /// In the same place, with something to come after it.
    const fn before(self) -> Self {
        Self { last: false, ..self }
    }

    /// A value in an object: what the others are is worked out again for each of its own.
    const fn in_object(self) -> Self {
        Self { iterates: self.iterates && self.last, last: false }
    }
}

/// Refuses a filter that is too long to be read.
pub(super) fn length(code: &str) -> Result<(), String> {
    let fits = code.len() <= MOST_BYTES;
    fits.then_some(()).ok_or_else(|| format!("a filter has at most {MOST_BYTES} bytes"))
}

/// Refuses a filter that may run long or grow, with the reason; tells how often what it makes may be as
/// large again as what it is given, as a power of two.
pub(super) fn check(term: &Term<&str>) -> Result<u32, String> {
    let mut cost = Cost::default();
    cost.term(term, Place::WHOLE)?;
    if cost.iterations > 1 {
        return Err("a filter iterates at most once".to_owned());
    }
    if cost.doublings > MOST_DOUBLINGS {
        return Err(format!("more than {MOST_DOUBLINGS} of `,` `+` and \\( )"));
    }
    Ok(cost.doublings)
}

impl Cost {
    fn all<'a>(
        &mut self,
        terms: impl IntoIterator<Item = &'a Term<&'a str>>,
        place: Place,
    ) -> Result<(), String> {
        terms.into_iter().try_for_each(|term| self.term(term, place))
    }

    fn term(&mut self, term: &Term<&str>, place: Place) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("more than {DEEPEST} steps in each other"));
        }
        self.inside(term, place)?;
        self.depth -= 1;
        Ok(())
    }

    fn inside(&mut self, term: &Term<&str>, place: Place) -> Result<(), String> {
        match term {
            Term::Id | Term::Num(_) => Ok(()),
            Term::Str(None, parts) => self.text(parts),
            Term::Arr(inner) => {
                self.doublings += 1;
                self.all(inner.as_deref(), place.before())
            }
            Term::Obj(pairs) => self.object(pairs, place.in_object()),
            Term::Neg(inner) => self.term(inner, place.before()),
            Term::TryCatch(inner, None) => self.term(inner, place),
            Term::TryCatch(_, Some(_)) => Err("`catch` is not allowed here".to_owned()),
            Term::IfThenElse(branches, otherwise) => {
                for (test, then) in branches {
                    self.term(test, Place::BESIDE)?;
                    self.term(then, place)?;
                }
                self.all(otherwise.as_deref(), place)
            }
            Term::BinOp(left, operator, right) => self.operation(left, operator, right, place),
            Term::Call(name, arguments) => self.call(name, arguments, place),
            Term::Path(inner, path) => {
                self.term(inner, place.before())?;
                self.path(path, place)
            }
            Term::Recurse => Err("`..` is not allowed here".to_owned()),
            Term::Str(Some(format), _) => Err(format!("`{format}` is not allowed here")),
            Term::Label(..) | Term::Break(_) | Term::Fold(..) | Term::Def(..) | Term::Var(_) => {
                Err("definitions, variables, reduce, foreach and label are not allowed here"
                    .to_owned())
            }
        }
    }

    fn text(&mut self, parts: &[StrPart<&str, Term<&str>>]) -> Result<(), String> {
        parts.iter().try_for_each(|part| match part {
            StrPart::Term(inner) => {
                self.doublings += 1;
                self.term(inner, Place::BESIDE)
            }
            StrPart::Str(text) => {
                // It is there once for each value.
                let times = text.len() / SHORT;
                self.doublings +=
                    if self.iterations > 0 { times.checked_ilog2().unwrap_or(0) } else { 0 };
                Ok(())
            }
            StrPart::Char(_) => Ok(()),
        })
    }

    /// What stands after a value that iterates is worked out again for each of its own: so that is the last one.
    fn object(
        &mut self,
        pairs: &[(Term<&str>, Option<Term<&str>>)],
        value: Place,
    ) -> Result<(), String> {
        let last = pairs.len().saturating_sub(1);
        self.doublings += u32::try_from(last).unwrap_or(u32::MAX);
        pairs.iter().enumerate().try_for_each(|(number, (key, told))| {
            self.doublings += u32::from(!is_plain(key));
            self.term(key, Place::BESIDE)?;
            self.all(told.as_ref(), if number == last { value } else { Place::BESIDE })
        })
    }

    fn operation(
        &mut self,
        left: &Term<&str>,
        operator: &BinaryOp<&str>,
        right: &Term<&str>,
        place: Place,
    ) -> Result<(), String> {
        let is_number = |term: &Term<&str>| matches!(term, Term::Num(_));
        let [left_place, right_place] = match operator {
            BinaryOp::Pipe(None) => [place.before(), place],
            BinaryOp::Alt => [place, place],
            BinaryOp::Comma => {
                self.doublings += 1;
                [place, place]
            }
            BinaryOp::Math(Math::Add) => {
                self.doublings += 1;
                [Place::BESIDE; 2]
            }
            BinaryOp::Math(Math::Div) if !is_number(left) && !is_number(right) => {
                self.doublings += OF_SPLIT;
                [Place::BESIDE; 2]
            }
            BinaryOp::Math(Math::Sub) if !is_number(left) && !is_number(right) => {
                return Err(MINUS.to_owned());
            }
            BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Cmp(_)
            | BinaryOp::Math(Math::Sub | Math::Div | Math::Rem) => [Place::BESIDE; 2],
            BinaryOp::Math(Math::Mul) => return Err("`*` is not allowed here".to_owned()),
            _ => return Err("bindings and assignments are not allowed here".to_owned()),
        };
        self.term(left, left_place)?;
        self.term(right, right_place)
    }

    fn call(&mut self, name: &str, arguments: &[Term<&str>], place: Place) -> Result<(), String> {
        if !FUNCTIONS.contains(&name) {
            return Err(format!("`{name}` is not one of {}", FUNCTIONS.join(", ")));
        }
        // A text of a text escapes what is in it.
        self.doublings += match name {
            "tostring" => 1,
            "split" => OF_SPLIT,
            _ => 0,
        };
        match name {
            "has" => arguments.iter().try_for_each(index),
            "first" | "last" => self.all(arguments, place.before()),
            _ => self.all(arguments, Place::BESIDE),
        }
    }

    fn path(&mut self, path: &Path<Term<&str>>, place: Place) -> Result<(), String> {
        path.0.iter().try_for_each(|(part, _)| match part {
            Part::Index(inner) => index(inner),
            Part::Range(None, None) if place.iterates => {
                self.iterations += 1;
                Ok(())
            }
            Part::Range(None, None) => Err(
                "`[]` stands alone, before a `|`, or last in the object that is the filter's last step"
                    .to_owned(),
            ),
            Part::Range(from, to) => [from, to].into_iter().flatten().try_for_each(index),
        })
    }
}

/// What stands in `[ ]` is not worked out: it would be for each value that is looked into. (And a list at the place of
/// a list is searched for in it, which takes the product of their lengths.)
fn index(term: &Term<&str>) -> Result<(), String> {
    match term {
        Term::Num(_) => Ok(()),
        Term::Neg(inner) => index(inner),
        term if is_plain(term) => Ok(()),
        _ => Err("what stands in `[ ]` after a value is a number or a text".to_owned()),
    }
}

/// Is it a text as it stands there?
fn is_plain(term: &Term<&str>) -> bool {
    let inside = |part: &StrPart<&str, Term<&str>>| matches!(part, StrPart::Term(_));
    matches!(term, Term::Str(None, parts) if !parts.iter().any(inside))
}
