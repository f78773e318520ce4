//! What an expression may hold before it is printed: sizes that no honest input reaches, and no character that
//! Nix cuts off at or that hides from a reader.

use std::collections::BTreeSet;

use super::expr::{Binding, Expr, Key};
use crate::tree::compare::hides;

/// The longest string or attribute name, in bytes.
pub const STRING: usize = 1 << 20;
/// The most entries of one list, set or `let`.
pub const ENTRIES: usize = 100_000;
/// The deepest nesting.
pub const DEPTH: usize = 64;

/// What must not be printed, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", place(.at))]
pub struct LimitError {
    /// Attribute names and list indexes from the outside in.
    pub at: Vec<String>,
    /// What is wrong there.
    pub problem: Problem,
}

fn place(at: &[String]) -> String {
    if at.is_empty() { String::new() } else { format!("at {}: ", at.join(".")) }
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A string above [`STRING`].
    #[error("a string of {0} bytes (at most {STRING})")]
    LongString(usize),
    /// A list, set or `let` above [`ENTRIES`].
    #[error("{0} entries (at most {ENTRIES})")]
    ManyEntries(usize),
    /// Deeper than [`DEPTH`].
    #[error("nested more than {DEPTH} deep")]
    Deep,
    /// NUL, which Nix 2.8 truncates at; another control character or one that reorders text, which a Nix string
    /// can hold only raw and a reader would not see.
    #[error("the character U+{:04X}, which cannot be shown", u32::from(*.0))]
    Character(char),
    /// Above what Nix can hold.
    #[error("the number {0} (at most 2^63-1)")]
    LargeNumber(u64),
    /// One name twice.
    #[error("the name `{}` twice", .0.escape_debug())]
    Twice(String),
    /// A bare name that Nix would read as something else.
    #[error("`{}` as a bare name", .0.escape_debug())]
    Identifier(&'static str),
}

/// Holds an expression against the limits.
///
/// # Errors
/// The first thing that breaks one.
pub fn check(expr: &Expr) -> Result<(), LimitError> {
    walk(expr, 0).map_err(|mut error| {
        error.at.reverse();
        error
    })
}

fn wrong<T>(problem: Problem) -> Result<T, LimitError> {
    Err(LimitError { at: Vec::new(), problem })
}

fn within<T>(result: Result<T, LimitError>, part: impl FnOnce() -> String) -> Result<T, LimitError> {
    result.map_err(|mut error| {
        error.at.push(part());
        error
    })
}

fn walk(expr: &Expr, depth: usize) -> Result<(), LimitError> {
    if depth > DEPTH {
        return wrong(Problem::Deep);
    }
    let deeper = depth + 1;
    match expr {
        Expr::Int(number) if i64::try_from(*number).is_err() => wrong(Problem::LargeNumber(*number)),
        Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Path(_) => Ok(()),
        Expr::Text(text) => string(text),
        Expr::List(items) => {
            entries(items.len())?;
            for (index, item) in items.iter().enumerate() {
                within(walk(item, deeper), || index.to_string())?;
            }
            Ok(())
        }
        Expr::Set(bindings) => names(bindings, deeper),
        Expr::Variable(name) => identifier(name),
        Expr::Select(base, selected) => {
            key(selected)?;
            walk(base, deeper)
        }
        Expr::Apply(function, argument) => {
            walk(function, deeper)?;
            walk(argument, deeper)
        }
        Expr::Let(bindings, body) => {
            names(bindings, deeper)?;
            walk(body, deeper)
        }
        Expr::Lambda(formals, body) => {
            entries(formals.len())?;
            let mut seen = BTreeSet::new();
            for formal in formals {
                identifier(formal)?;
                if !seen.insert(formal) {
                    return wrong(Problem::Twice((*formal).to_owned()));
                }
            }
            walk(body, deeper)
        }
    }
}

fn names(bindings: &[Binding], depth: usize) -> Result<(), LimitError> {
    entries(bindings.len())?;
    let mut seen = BTreeSet::new();
    for binding in bindings {
        if !seen.insert(binding.name()) {
            return wrong(Problem::Twice(binding.name().to_owned()));
        }
        match binding {
            Binding::Inherit(name) => identifier(name)?,
            Binding::Value { key: name, value, .. } => {
                within(key(name), || "a name".to_owned())?;
                within(walk(value, depth), || name.as_str().escape_debug().to_string())?;
            }
        }
    }
    Ok(())
}

fn entries(count: usize) -> Result<(), LimitError> {
    if count > ENTRIES { wrong(Problem::ManyEntries(count)) } else { Ok(()) }
}

fn key(key: &Key) -> Result<(), LimitError> {
    match key {
        Key::Field(name) => identifier(name),
        Key::Name(name) => string(name),
    }
}

fn string(text: &str) -> Result<(), LimitError> {
    if text.len() > STRING {
        return wrong(Problem::LongString(text.len()));
    }
    match text.chars().find(|&c| hides(c)) {
        Some(c) => wrong(Problem::Character(c)),
        None => Ok(()),
    }
}

fn identifier(name: &'static str) -> Result<(), LimitError> {
    const TAKEN: [&str; 13] = [
        "if", "then", "else", "assert", "with", "let", "in", "rec", "inherit", "or", "true", "false", "null",
    ];
    let mut bytes = name.bytes();
    let sound = bytes.next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
        && bytes.all(|c| c.is_ascii_alphanumeric() || b"_-'".contains(&c))
        && !name.starts_with("__")
        && !TAKEN.contains(&name);
    if sound { Ok(()) } else { wrong(Problem::Identifier(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(expr: &Expr) -> Option<Problem> {
        check(expr).err().map(|error| error.problem)
    }

    #[test]
    fn sizes_are_capped_before_anything_is_printed() {
        assert_eq!(problem(&Expr::text("x".repeat(STRING))), None);
        assert_eq!(problem(&Expr::text("x".repeat(STRING + 1))), Some(Problem::LongString(STRING + 1)));
        let long_name = Expr::named([("x".repeat(STRING + 1), Expr::Null)]);
        assert_eq!(problem(&long_name), Some(Problem::LongString(STRING + 1)));
        assert_eq!(problem(&Expr::List(vec![Expr::Null; ENTRIES])), None);
        let many = Expr::List(vec![Expr::Null; ENTRIES + 1]);
        assert_eq!(problem(&many), Some(Problem::ManyEntries(ENTRIES + 1)));
        assert_eq!(problem(&Expr::Int(1 << 63)), Some(Problem::LargeNumber(1 << 63)));
        assert_eq!(problem(&Expr::Int((1 << 63) - 1)), None);
        let nested = |depth| (0..depth).fold(Expr::Null, |inner, _| Expr::List(vec![inner]));
        assert_eq!(problem(&nested(DEPTH)), None);
        assert_eq!(problem(&nested(DEPTH + 1)), Some(Problem::Deep));
    }

    #[test]
    fn what_a_reader_would_not_see_is_refused() {
        for c in ['\0', '\u{1b}', '\u{7f}', '\u{85}', '\u{202e}', '\u{2066}', '\u{200f}'] {
            assert_eq!(problem(&Expr::text(format!("a{c}b"))), Some(Problem::Character(c)));
            assert_eq!(problem(&Expr::named([(c, Expr::Null)])), Some(Problem::Character(c)));
        }
        assert_eq!(problem(&Expr::text("a\n\r\tb \u{2028} ß 👩\u{200d}🚀")), None);
    }

    #[test]
    fn a_name_cannot_be_bound_twice_and_a_bare_one_must_be_a_name() {
        let twice = Expr::Set(vec![Binding::field("a", Expr::Null), Binding::named("a", Expr::Null)]);
        assert_eq!(problem(&twice), Some(Problem::Twice("a".to_owned())));
        let inherited = Expr::Set(vec![Binding::Inherit("a"), Binding::named("a", Expr::Null)]);
        assert_eq!(problem(&inherited), Some(Problem::Twice("a".to_owned())));
        for bad in ["", "a b", "1a", "with", "or", "true", "a.b", "${x}", "__curPos", "a\"b"] {
            assert_eq!(problem(&Expr::Variable(bad)), Some(Problem::Identifier(bad)));
            assert_eq!(problem(&Expr::fields([(bad, Expr::Null)])), Some(Problem::Identifier(bad)));
        }
    }

    #[test]
    fn an_error_says_where() {
        let bad =
            Expr::fields([("wheels", Expr::named([("x", Expr::list([Expr::Null, Expr::text("\0")]))]))]);
        let said = check(&bad).unwrap_err().to_string();
        assert_eq!(said, "at wheels.x.1: the character U+0000, which cannot be shown");
    }
}
