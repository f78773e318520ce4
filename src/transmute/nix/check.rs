//! Reads printed text back with rnix and holds it against the [`Expr`] it came from.
//!
//! The decoder of strings here is written apart from the printer's escape function, so that one mistake in
//! either shows.

use rnix::ast::{self, AstToken as _, InterpolPart};

use super::expr::{Binding, Expr, Key};

/// The first place where text and value differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}expected {expected}, found `{}`", if .at.is_empty() { String::new() } else { format!("at {}: ", .at.join(".")) }, .found.escape_debug())]
pub struct Difference {
    /// Attribute names and list indexes from the outside in.
    pub at: Vec<String>,
    /// What the value has there.
    pub expected: &'static str,
    /// The beginning of what the text has there.
    pub found: String,
}

type Outcome = Result<(), Difference>;

/// Parses `text` and compares; comments and layout do not count.
///
/// # Errors
/// The first difference, a syntax error included.
pub fn check(text: &str, expr: &Expr) -> Outcome {
    let parsed = rnix::Root::parse(text);
    if let Some(error) = parsed.errors().first() {
        return Err(Difference { at: Vec::new(), expected: "Nix syntax", found: error.to_string() });
    }
    let root = parsed.tree().expr();
    compare(expr, root).map_err(|mut difference| {
        difference.at.reverse();
        difference
    })
}

/// The node's methods, which rnix hides behind a trait of rowan's.
fn syntax<N: ast::AstNode>(node: &N) -> &rnix::SyntaxNode {
    node.syntax()
}

fn differs(expected: &'static str, found: Option<&impl ToString>) -> Outcome {
    let found = found.map(|node| node.to_string().chars().take(120).collect()).unwrap_or_default();
    Err(Difference { at: Vec::new(), expected, found })
}

fn within(outcome: Outcome, part: impl FnOnce() -> String) -> Outcome {
    outcome.map_err(|mut difference| {
        difference.at.push(part());
        difference
    })
}

fn compare(expr: &Expr, found: Option<ast::Expr>) -> Outcome {
    let mut found = found;
    while let Some(ast::Expr::Paren(paren)) = found {
        found = paren.expr();
    }
    match (expr, found) {
        (Expr::Null, Some(ast::Expr::Ident(ident))) => variable("null", &ident, "null"),
        (Expr::Bool(true), Some(ast::Expr::Ident(ident))) => variable("true", &ident, "true"),
        (Expr::Bool(false), Some(ast::Expr::Ident(ident))) => variable("false", &ident, "false"),
        (Expr::Variable(name), Some(ast::Expr::Ident(ident))) => variable(name, &ident, "another variable"),
        (Expr::Int(number), Some(ast::Expr::Literal(literal))) => match literal.kind() {
            ast::LiteralKind::Integer(token) if token.value().ok() == i64::try_from(*number).ok() => Ok(()),
            _ => differs("another number", Some(&literal)),
        },
        (Expr::Text(text), Some(ast::Expr::Str(string))) => string_equals(text, &string),
        (Expr::Path(path), Some(ast::Expr::PathRel(literal))) => {
            match (
                literal.parts().as_slice(),
                syntax(&literal).text() == format!("./{}", path.as_str()).as_str(),
            ) {
                ([InterpolPart::Literal(_)], true) => Ok(()),
                _ => differs("another path", Some(&literal)),
            }
        }
        (Expr::List(items), Some(ast::Expr::List(list))) => {
            let mut found = list.items();
            for (index, item) in items.iter().enumerate() {
                within(compare(item, found.next()), || index.to_string())?;
            }
            found.next().map_or(Ok(()), |extra| differs("the end of the list", Some(&extra)))
        }
        (Expr::Set(bindings), Some(ast::Expr::AttrSet(set))) => {
            if set.rec_token().is_some() {
                return differs("a set that is not recursive", Some(&set));
            }
            entries(bindings, &set)
        }
        (Expr::Select(base, key), Some(ast::Expr::Select(select))) => {
            if select.or_token().is_some() {
                return differs("a selection without `or`", Some(&select));
            }
            // `a.b.c` is one node with a path of two; the value nests.
            selection(base, key, &select)
        }
        (Expr::Apply(function, argument), Some(ast::Expr::Apply(apply))) => {
            within(compare(function, apply.lambda()), || "function".to_owned())?;
            compare(argument, apply.argument())
        }
        (Expr::Let(bindings, body), Some(ast::Expr::LetIn(scope))) => {
            entries(bindings, &scope)?;
            compare(body, scope.body())
        }
        (Expr::Lambda(formals, body), Some(ast::Expr::Lambda(lambda))) => {
            parameters(formals, lambda.param())?;
            compare(body, lambda.body())
        }
        (expr, found) => differs(kind(expr), found.as_ref()),
    }
}

fn kind(expr: &Expr) -> &'static str {
    match expr {
        Expr::Null => "null",
        Expr::Bool(_) => "a boolean",
        Expr::Int(_) => "a number",
        Expr::Text(_) => "a string",
        Expr::List(_) => "a list",
        Expr::Set(_) => "a set",
        Expr::Path(_) => "a path",
        Expr::Variable(_) => "a variable",
        Expr::Select(..) => "a selection",
        Expr::Apply(..) => "an application",
        Expr::Let(..) => "a let",
        Expr::Lambda(..) => "a function",
    }
}

fn variable(name: &str, ident: &ast::Ident, expected: &'static str) -> Outcome {
    if syntax(ident).text() == name { Ok(()) } else { differs(expected, Some(ident)) }
}

fn parameters(formals: &[&str], param: Option<ast::Param>) -> Outcome {
    let Some(ast::Param::Pattern(pattern)) = param else {
        return differs("a set pattern", param.as_ref());
    };
    let mut found = pattern.pat_entries();
    let same = formals.iter().all(|formal| {
        found.next().is_some_and(|entry| {
            entry.question_token().is_none()
                && entry.ident().is_some_and(|ident| syntax(&ident).text() == *formal)
        })
    });
    let plain = pattern.ellipsis_token().is_none() && pattern.pat_bind().is_none();
    if same && plain && found.next().is_none() { Ok(()) } else { differs("other parameters", Some(&pattern)) }
}

fn selection(base: &Expr, last: &Key, select: &ast::Select) -> Outcome {
    let mut attrs: Vec<ast::Attr> = select.attrpath().map(|path| path.attrs().collect()).unwrap_or_default();
    let mut keys = vec![last];
    let mut base = base;
    while keys.len() < attrs.len() {
        let Expr::Select(inner, key) = base else {
            return differs("a shorter selection", Some(select));
        };
        keys.push(key);
        base = inner;
    }
    for key in keys {
        key_equals(key, attrs.pop().as_ref())?;
    }
    compare(base, select.expr())
}

fn entries<N: ast::HasEntry + ToString>(bindings: &[Binding], node: &N) -> Outcome {
    let mut found = node.entries();
    for binding in bindings {
        let outcome = match (binding, found.next()) {
            (Binding::Inherit(name), Some(ast::Entry::Inherit(inherit))) => {
                let mut attrs = inherit.attrs();
                match (inherit.from(), attrs.next(), attrs.next()) {
                    (None, Some(attr), None) => key_equals(&Key::Field(name), Some(&attr)),
                    _ => differs("one inherited name", Some(&inherit)),
                }
            }
            (Binding::Value { key, value, .. }, Some(ast::Entry::AttrpathValue(entry))) => {
                single_key(key, entry.attrpath().as_ref()).and_then(|()| compare(value, entry.value()))
            }
            (_, other) => differs("another entry", other.as_ref()),
        };
        within(outcome, || binding.name().escape_debug().to_string())?;
    }
    found.next().map_or(Ok(()), |extra| differs("the end of the entries", Some(&extra)))
}

fn single_key(key: &Key, path: Option<&ast::Attrpath>) -> Outcome {
    let mut attrs = path.into_iter().flat_map(ast::Attrpath::attrs);
    match (attrs.next(), attrs.next()) {
        (Some(attr), None) => key_equals(key, Some(&attr)),
        _ => differs("one attribute name", path),
    }
}

fn key_equals(key: &Key, found: Option<&ast::Attr>) -> Outcome {
    match (key, found) {
        (Key::Field(name), Some(ast::Attr::Ident(ident))) => variable(name, ident, "another attribute name"),
        (Key::Name(name), Some(ast::Attr::Str(string))) => string_equals(name, string),
        (_, found) => differs("another attribute name", found),
    }
}

fn string_equals(text: &str, string: &ast::Str) -> Outcome {
    if !syntax(string).text().to_string().starts_with('"') {
        return differs("a string in double quotes", Some(string));
    }
    let mut decoded = String::with_capacity(text.len());
    for part in string.parts() {
        match part {
            InterpolPart::Literal(literal) => decode(literal.syntax().text(), &mut decoded),
            InterpolPart::Interpolation(_) => return differs("a string without interpolation", Some(string)),
        }
    }
    if decoded == text { Ok(()) } else { differs("another string", Some(string)) }
}

/// Appends what the inside of a double-quoted literal stands for (Nix manual, "String literal").
fn decode(raw: &str, decoded: &mut String) {
    let mut escaped = false;
    for c in raw.chars() {
        match (escaped, c) {
            (false, '\\') => {
                escaped = true;
                continue;
            }
            (true, 'r') => decoded.push('\r'),
            (true, 't') => decoded.push('\t'),
            // Nix reads a raw CR, which the printer never leaves, as a newline.
            (true, 'n') | (false, '\r') => decoded.push('\n'),
            (_, other) => decoded.push(other),
        }
        escaped = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_means_something_else_is_noticed() {
        let value = || Expr::fields([("a", Expr::text("x"))]);
        assert_eq!(check("# c\n{ a = (\"x\"); }", &value()), Ok(()));
        for other in [
            "{ a = \"y\"; }",
            "{ a = ''x''; }",
            "{ a = \"${x}\"; }",
            "{ a = x; }",
            "{ \"a\" = \"x\"; }",
            "{ a.b = \"x\"; }",
            "{ a = \"x\"; b = null; }",
            "{ inherit a; }",
            "rec { a = \"x\"; }",
            "{ a = \"x\" + \"\"; }",
            "{ a = \"x\"; } { }",
            "{ a = \"x\"; ",
            "{ }",
            "",
        ] {
            assert!(check(other, &value()).is_err(), "{other}");
        }
        let error = check("{ a = \"y\"; }", &value()).unwrap_err();
        assert_eq!(error.to_string(), "at a: expected another string, found `\\\"y\\\"`");
    }

    #[test]
    fn other_shapes_are_told_apart() {
        let function = Expr::Lambda(vec!["a"], Box::new(Expr::Variable("a").field("b").member("c")));
        assert_eq!(check("{ a }: a.b.\"c\"", &function), Ok(()));
        for other in [
            "{ a, ... }: a.b.\"c\"",
            "{ a ? 1 }: a.b.\"c\"",
            "x@{ a }: a.b.\"c\"",
            "a: a.b.\"c\"",
            "{ a }: a.b.\"c\" or null",
            "{ a }: a.\"b\".\"c\"",
            "{ a }: a.b.c.\"c\"",
            "{ a }: a.\"c\"",
        ] {
            assert!(check(other, &function).is_err(), "{other}");
        }
        let path = Expr::Path("a/b".parse::<crate::tree::RelativePath>().unwrap().try_into().unwrap());
        assert_eq!(check("./a/b", &path), Ok(()));
        for other in ["./a/c", "../a/b", "/a/b", "<a/b>", "\"./a/b\"", "./a/b + \"c\""] {
            assert!(check(other, &path).is_err(), "{other}");
        }
    }
}
