//! Nix text for an [`Expr`], laid out as nixfmt does: what fits in 100 columns stays on a line, anything else
//! has one entry a line. The layout depends on the value alone.

use super::expr::{Binding, Expr, Key};

/// Columns that a list or set on one line may reach.
const WIDTH: usize = 100;
const STEP: usize = 2;

/// The text of `expr` with comment lines above it. Total: [`super::limits`] has refused what has no text.
#[must_use]
pub fn print(header: &[&str], expr: &Expr) -> String {
    let mut printer = Printer { out: String::new(), line_start: 0 };
    for line in header {
        printer.comment(line);
        printer.newline(0);
    }
    printer.expr(expr, 0, 0);
    printer.out.push('\n');
    printer.out
}

/// The contents of a Nix string literal that evaluates to `text`. The only escape function: strings and
/// attribute names both come through here.
///
/// A `$` before `{` is escaped whatever stands before it: `$${` would be no interpolation, but `$\${` is the
/// same string without a reader having to know that.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if characters.peek() == Some(&'{') => out.push_str("\\$"),
            other => out.push(other),
        }
    }
    out
}

/// Whether an expression can be a list item, a function's argument or the base of a selection as it is.
fn is_operand(expr: &Expr) -> bool {
    !matches!(expr, Expr::Apply(..) | Expr::Let(..) | Expr::Lambda(..))
}

/// Whether an expression can be applied as it is: application binds to the left.
fn is_function(expr: &Expr) -> bool {
    !matches!(expr, Expr::Let(..) | Expr::Lambda(..))
}

/// Whether `.key` may follow directly: `1.` would be a float and `./a.` a path.
fn is_base(expr: &Expr) -> bool {
    is_operand(expr) && !matches!(expr, Expr::Int(_) | Expr::Path(_))
}

struct Printer {
    out: String,
    line_start: usize,
}

impl Printer {
    fn newline(&mut self, indent: usize) {
        self.out.push('\n');
        self.line_start = self.out.len();
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn column(&self) -> usize {
        self.out.get(self.line_start..).map_or(0, |line| line.chars().count())
    }

    /// A static line; were there a line break in it, the next line would be code.
    fn comment(&mut self, line: &str) {
        self.out.push_str("# ");
        self.out.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        self.out.push_str(&escape(text));
        self.out.push('"');
    }

    fn key(&mut self, key: &Key) {
        match key {
            Key::Field(name) => self.out.push_str(name),
            Key::Name(name) => self.quoted(name),
        }
    }

    /// Writes `expr`; continued lines are indented by `indent`, and `after` columns follow on its last line.
    fn expr(&mut self, expr: &Expr, indent: usize, after: usize) {
        let room = WIDTH.saturating_sub(self.column() + after);
        if flat_width(expr, room).is_some() {
            return self.flat(expr);
        }
        match expr {
            Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Text(_) | Expr::Path(_) | Expr::Variable(_) => {
                self.flat(expr);
            }
            Expr::List(items) => {
                self.out.push('[');
                for item in items {
                    self.newline(indent + STEP);
                    self.operand(item, indent + STEP, 0);
                }
                self.newline(indent);
                self.out.push(']');
            }
            Expr::Set(bindings) => {
                self.out.push('{');
                self.bindings(bindings, indent + STEP);
                self.newline(indent);
                self.out.push('}');
            }
            Expr::Select(base, key) => {
                self.part(base, is_base(base), indent, 0);
                self.out.push('.');
                self.key(key);
            }
            Expr::Apply(function, argument) => {
                self.part(function, is_function(function), indent, 1);
                self.out.push(' ');
                self.operand(argument, indent, after);
            }
            Expr::Let(bindings, body) => {
                self.out.push_str("let");
                self.bindings(bindings, indent + STEP);
                self.newline(indent);
                self.out.push_str("in");
                self.newline(indent);
                self.expr(body, indent, after);
            }
            Expr::Lambda(formals, body) => {
                self.formals(formals);
                self.newline(indent);
                self.expr(body, indent, after);
            }
        }
    }

    fn operand(&mut self, expr: &Expr, indent: usize, after: usize) {
        self.part(expr, is_operand(expr), indent, after);
    }

    fn part(&mut self, expr: &Expr, bare: bool, indent: usize, after: usize) {
        if bare {
            return self.expr(expr, indent, after);
        }
        self.out.push('(');
        self.expr(expr, indent, after + 1);
        self.out.push(')');
    }

    fn bindings(&mut self, bindings: &[Binding], indent: usize) {
        for binding in bindings {
            self.newline(indent);
            match binding {
                Binding::Inherit(name) => {
                    self.out.push_str("inherit ");
                    self.out.push_str(name);
                }
                Binding::Value { comment, key, value } => {
                    if let Some(line) = comment {
                        self.comment(line);
                        self.newline(indent);
                    }
                    self.key(key);
                    self.out.push_str(" =");
                    if matches!(value, Expr::Let(..) | Expr::Lambda(..)) {
                        self.newline(indent + STEP);
                        self.expr(value, indent + STEP, 1);
                    } else {
                        self.out.push(' ');
                        self.expr(value, indent, 1);
                    }
                }
            }
            self.out.push(';');
        }
    }

    fn formals(&mut self, formals: &[&str]) {
        if formals.is_empty() {
            self.out.push_str("{ }:");
        } else {
            self.out.push_str("{ ");
            self.out.push_str(&formals.join(", "));
            self.out.push_str(" }:");
        }
    }

    /// Writes what [`flat_width`] has measured.
    fn flat(&mut self, expr: &Expr) {
        match expr {
            Expr::Null => self.out.push_str("null"),
            Expr::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Expr::Int(number) => self.out.push_str(&number.to_string()),
            Expr::Text(text) => self.quoted(text),
            Expr::Path(path) => {
                self.out.push_str("./");
                self.out.push_str(path.as_str());
            }
            Expr::Variable(name) => self.out.push_str(name),
            Expr::List(items) => {
                self.out.push_str("[ ");
                for item in items {
                    self.flat_part(item, is_operand(item));
                    self.out.push(' ');
                }
                self.out.push(']');
            }
            Expr::Set(bindings) => {
                self.out.push_str("{ ");
                for binding in bindings {
                    match binding {
                        Binding::Inherit(name) => {
                            self.out.push_str("inherit ");
                            self.out.push_str(name);
                        }
                        Binding::Value { key, value, .. } => {
                            self.key(key);
                            self.out.push_str(" = ");
                            self.flat(value);
                        }
                    }
                    self.out.push_str("; ");
                }
                self.out.push('}');
            }
            Expr::Select(base, key) => {
                self.flat_part(base, is_base(base));
                self.out.push('.');
                self.key(key);
            }
            Expr::Apply(function, argument) => {
                self.flat_part(function, is_function(function));
                self.out.push(' ');
                self.flat_part(argument, is_operand(argument));
            }
            // Never measured as flat, so never reached from there.
            Expr::Let(..) | Expr::Lambda(..) => self.expr(expr, 0, 0),
        }
    }

    fn flat_part(&mut self, expr: &Expr, bare: bool) {
        if bare {
            return self.flat(expr);
        }
        self.out.push('(');
        self.flat(expr);
        self.out.push(')');
    }
}

/// Columns left of `room` after `expr` on one line; `None` when it does not fit or needs lines of its own.
/// Stops as soon as it is clear, so that printing stays linear.
fn flat_width(expr: &Expr, room: usize) -> Option<usize> {
    match expr {
        Expr::Null => room.checked_sub(4),
        Expr::Bool(value) => room.checked_sub(if *value { 4 } else { 5 }),
        Expr::Int(number) => room.checked_sub(number.to_string().len()),
        Expr::Text(text) => quoted_width(text, room),
        Expr::Path(path) => room.checked_sub(2 + path.as_str().len()),
        Expr::Variable(name) => room.checked_sub(name.len()),
        Expr::List(items) => items.iter().try_fold(room.checked_sub(3)?, |room, item| {
            part_width(item, is_operand(item), room.checked_sub(1)?)
        }),
        Expr::Set(bindings) => {
            bindings.iter().try_fold(room.checked_sub(3)?, |room, binding| match binding {
                Binding::Inherit(name) => room.checked_sub("inherit ; ".len() + name.len()),
                Binding::Value { comment: Some(_), .. } => None,
                Binding::Value { comment: None, key, value } => {
                    flat_width(value, key_width(key, room.checked_sub(" = ; ".len())?)?)
                }
            })
        }
        Expr::Select(base, key) => key_width(key, part_width(base, is_base(base), room.checked_sub(1)?)?),
        Expr::Apply(function, argument) => {
            let left = part_width(function, is_function(function), room.checked_sub(1)?)?;
            part_width(argument, is_operand(argument), left)
        }
        Expr::Let(..) | Expr::Lambda(..) => None,
    }
}

fn part_width(expr: &Expr, bare: bool, room: usize) -> Option<usize> {
    flat_width(expr, if bare { room } else { room.checked_sub(2)? })
}

fn key_width(key: &Key, room: usize) -> Option<usize> {
    match key {
        Key::Field(name) => room.checked_sub(name.len()),
        Key::Name(name) => quoted_width(name, room),
    }
}

fn quoted_width(text: &str, room: usize) -> Option<usize> {
    // Four bytes a character at most: a longer text cannot fit, and is not escaped only to be measured.
    if text.len() > room * 4 {
        return None;
    }
    room.checked_sub(2 + escape(text).chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_function_covers_what_a_nix_string_reads_specially() {
        for (text, escaped) in [
            ("plain", "plain"),
            ("a\"b\\c", "a\\\"b\\\\c"),
            ("\n\r\t", "\\n\\r\\t"),
            ("${x}", "\\${x}"),
            ("$${x}", "$\\${x}"),
            ("\\${x}", "\\\\\\${x}"),
            ("$HOME costs 5$", "$HOME costs 5$"),
            ("''${x}''", "''\\${x}''"),
        ] {
            assert_eq!(escape(text), escaped, "{text:?}");
        }
    }

    #[test]
    fn what_fits_stays_on_a_line_and_the_rest_has_an_entry_a_line() {
        let short = Expr::fields([("names", Expr::texts(["a", "b"])), ("none", Expr::list([]))]);
        assert_eq!(print(&[], &short), "{ names = [ \"a\" \"b\" ]; none = [ ]; }\n");
        let fits = Expr::list([Expr::text("x".repeat(94))]);
        assert_eq!(print(&[], &fits).len(), 101, "100 columns and the newline");
        let wide = Expr::list([Expr::text("x".repeat(95))]);
        assert_eq!(print(&[], &wide).lines().count(), 3);
    }

    #[test]
    fn scopes_and_calls_have_the_usual_shape() {
        let body = Expr::Variable("forge").field("image").call(Expr::fields([
            ("wheels", Expr::list([Expr::Variable("wheels").member("idna")])),
            ("long", Expr::texts(["x".repeat(60), "y".repeat(60)])),
        ]));
        let scope = Expr::Let(
            vec![Binding::field("wheels", Expr::Set(vec![])).commented("third-party wheels")],
            Box::new(body),
        );
        let text = print(&["head"], &Expr::Lambda(vec!["pkgs", "forge"], Box::new(scope)));
        let expected = format!(
            "# head\n{{ pkgs, forge }}:\nlet\n  # third-party wheels\n  wheels = {{ }};\nin\nforge.image {{\n  \
             wheels = [ wheels.\"idna\" ];\n  long = [\n    \"{}\"\n    \"{}\"\n  ];\n}}\n",
            "x".repeat(60),
            "y".repeat(60)
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_comment_cannot_end_its_line() {
        assert_eq!(print(&["a\nb\rc"], &Expr::Null), "# a b c\nnull\n");
    }
}
