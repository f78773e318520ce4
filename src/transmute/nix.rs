//! Nix text from typed values: [`expr`] is the value, [`limits`] says what it may hold, [`mod@print`] writes it,
//! [`check`] reads the text back and compares. [`render`] is the only door.

pub mod check;
pub mod expr;
pub mod limits;
pub mod print;

pub use expr::{Binding, Expr, FlakePath, Key};

/// Why an expression gives no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The value holds what must not get into a Nix file.
    #[error(transparent)]
    Limit(#[from] limits::LimitError),
    /// The text does not read back as the value. A defect of the printer: nothing may be written.
    #[error("the printed text does not read back: {0}")]
    Difference(#[from] check::Difference),
}

/// The text of `expr` below the comment lines of `header`, ending in a newline; held against `expr` again after printing.
///
/// # Errors
/// [`RenderError`].
pub fn render(header: &[&str], expr: &Expr) -> Result<String, RenderError> {
    limits::check(expr)?;
    let text = print::print(header, expr);
    check::check(&text, expr)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::RelativePath;

    /// Texts of what Nix reads specially, and whatever else there is.
    fn text() -> impl Strategy<Value = String> {
        let special = prop::sample::select(vec![
            "$", "{", "}", "${", "$${", "\\", "\"", "''", "'''", "\n", "\r", "\t", "#", "/*", "*/", ";", " ",
            "a", ".", "\u{2028}", "with", "ß",
        ]);
        let mixed = prop::collection::vec(special, 0..8).prop_map(|parts| parts.concat());
        let any = any::<String>()
            .prop_map(|text| text.chars().filter(|&c| !crate::tree::compare::hides(c)).collect());
        prop_oneof![4 => mixed, 1 => any, 1 => "[a-z ]{90,120}"]
    }

    fn key() -> impl Strategy<Value = Key> {
        prop_oneof![
            prop::sample::select(vec!["a", "b", "c_d", "e'"]).prop_map(Key::Field),
            text().prop_map(Key::Name)
        ]
    }

    fn bindings(inner: impl Strategy<Value = Expr> + Clone + 'static) -> impl Strategy<Value = Vec<Binding>> {
        let value = (key(), inner).prop_map(|(key, value)| Binding::Value { comment: None, key, value });
        let binding = prop_oneof![6 => value, 1 => Just(Binding::Inherit("system"))];
        prop::collection::vec(binding, 0..5).prop_map(|mut bindings| {
            let mut seen = std::collections::BTreeSet::new();
            bindings.retain(|binding| seen.insert(binding.name().to_owned()));
            bindings
        })
    }

    fn path() -> impl Strategy<Value = Expr> {
        "[a-z0-9._+-]{1,9}(/[a-z0-9_+-]{1,9}){0,2}".prop_filter_map("no part is `.` or `..`", |text| {
            Some(Expr::Path(text.parse::<RelativePath>().ok()?.try_into().ok()?))
        })
    }

    fn expr() -> impl Strategy<Value = Expr> {
        let leaf = prop_oneof![
            Just(Expr::Null),
            any::<bool>().prop_map(Expr::Bool),
            (0..=u64::MAX >> 1).prop_map(Expr::Int),
            text().prop_map(Expr::Text),
            path(),
            prop::sample::select(vec!["pkgs", "import", "_x", "a-b'"]).prop_map(Expr::Variable),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            let boxed = || inner.clone().prop_map(Box::new);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Expr::List),
                bindings(inner.clone()).prop_map(Expr::Set),
                (boxed(), key()).prop_map(|(base, key)| Expr::Select(base, key)),
                (boxed(), boxed()).prop_map(|(function, argument)| Expr::Apply(function, argument)),
                (bindings(inner.clone()), boxed()).prop_map(|(bindings, body)| Expr::Let(bindings, body)),
                (prop::sample::subsequence(vec!["self", "pkgs", "forge"], 0..=3), boxed())
                    .prop_map(|(formals, body)| Expr::Lambda(formals, body)),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_printed_reads_back_as_the_value_and_as_no_other(one in expr(), other in expr()) {
            let text = render(&["header"], &one).expect("prints and reads back");
            prop_assert_eq!(check::check(&text, &other).is_ok(), one == other);
            prop_assert_eq!(render(&["header"], &one), Ok(text));
        }

        #[test]
        fn a_changed_string_is_noticed(one in text(), other in text()) {
            let inside = |text: &str| Expr::fields([("a", Expr::list([Expr::text(text), Expr::Null]))]);
            let printed = render(&[], &inside(&one)).expect("prints and reads back");
            prop_assert_eq!(check::check(&printed, &inside(&other)).is_ok(), one == other);
        }
    }
}
