//! Does a filter end, and how large can what it makes become? Decided before it ever runs.
//!
//! What is allowed takes time and memory in proportion to its input: no recursion, no
//! definitions, no bindings, no multiplication (which repeats texts), one iteration, and few
//! places that can double what they are given.

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

/// What a filter may cost.
#[derive(Default)]
struct Cost {
    doublings: u32,
    iterations: u32,
}

/// Refuses a filter that may run long or grow, with the reason; tells how often what it makes may be as
/// large again as what it is given, as a power of two.
pub(super) fn check(code: &str, term: &Term<&str>) -> Result<u32, String> {
    if code.len() > MOST_BYTES {
        return Err(format!("a filter has at most {MOST_BYTES} bytes"));
    }
    let mut cost = Cost::default();
    cost.term(term)?;
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
    ) -> Result<(), String> {
        terms.into_iter().try_for_each(|term| self.term(term))
    }

    fn term(&mut self, term: &Term<&str>) -> Result<(), String> {
        match term {
            Term::Id | Term::Num(_) => Ok(()),
            Term::Str(None, parts) => self.text(parts),
            Term::Arr(inner) => {
                self.doublings += 1;
                self.all(inner.as_deref())
            }
            Term::Obj(pairs) => {
                self.doublings += u32::try_from(pairs.len().saturating_sub(1)).unwrap_or(u32::MAX);
                pairs.iter().try_for_each(|(key, value)| {
                    self.term(key)?;
                    self.all(value.as_ref())
                })
            }
            Term::Neg(inner) => self.term(inner),
            Term::TryCatch(inner, catch) => {
                self.term(inner)?;
                self.all(catch.as_deref())
            }
            Term::IfThenElse(branches, otherwise) => {
                for (test, then) in branches {
                    self.term(test)?;
                    self.term(then)?;
                }
                self.all(otherwise.as_deref())
            }
            Term::BinOp(left, operator, right) => {
                self.operator(operator)?;
                self.term(left)?;
                self.term(right)
            }
            Term::Call(name, arguments) => self.call(name, arguments),
            Term::Path(inner, path) => {
                self.term(inner)?;
                self.path(path)
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
                self.term(inner)
            }
            StrPart::Str(_) | StrPart::Char(_) => Ok(()),
        })
    }

    fn operator(&mut self, operator: &BinaryOp<&str>) -> Result<(), String> {
        match operator {
            BinaryOp::Pipe(None)
            | BinaryOp::Alt
            | BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Cmp(_)
            | BinaryOp::Math(Math::Sub | Math::Div | Math::Rem) => Ok(()),
            BinaryOp::Comma | BinaryOp::Math(Math::Add) => {
                self.doublings += 1;
                Ok(())
            }
            BinaryOp::Math(Math::Mul) => Err("`*` is not allowed here".to_owned()),
            _ => Err("bindings and assignments are not allowed here".to_owned()),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Term<&str>]) -> Result<(), String> {
        if !FUNCTIONS.contains(&name) {
            return Err(format!("`{name}` is not one of {}", FUNCTIONS.join(", ")));
        }
        // A text of a text escapes what is in it.
        self.doublings += u32::from(name == "tostring");
        if name == "has" {
            return arguments.iter().try_for_each(|argument| self.place(argument));
        }
        self.all(arguments)
    }

    /// A list at the place of a list is searched for in it, which takes the product of their lengths.
    fn place(&mut self, term: &Term<&str>) -> Result<(), String> {
        match term {
            Term::Num(_) => Ok(()),
            Term::Neg(inner) => self.place(inner),
            Term::Str(None, parts) => self.text(parts),
            _ => Err("what stands in `[ ]` after a value is a number or a text".to_owned()),
        }
    }

    fn path(&mut self, path: &Path<Term<&str>>) -> Result<(), String> {
        path.0.iter().try_for_each(|(part, _)| match part {
            Part::Index(inner) => self.place(inner),
            Part::Range(None, None) => {
                self.iterations += 1;
                Ok(())
            }
            Part::Range(from, to) => {
                self.all(from.as_ref())?;
                self.all(to.as_ref())
            }
        })
    }
}
