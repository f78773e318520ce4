//! LychD reads TOML 1.0 alone. What later TOML allows would be taken here, and stop the body at its start.

use crate::diagnostic::{Diagnostic, Source};

/// What of `source` only later TOML allows; it is TOML of one kind or the other.
#[must_use]
pub fn judge(source: &Source) -> Vec<Diagnostic> {
    let text = source.text();
    let mut wrong = Vec::new();
    let mut open: Vec<char> = Vec::new();
    let mut before = ' ';
    let mut rest = text.char_indices().peekable();
    let mut say = |at: usize, what: &str, help: &str| {
        let message = format!("`{}` has {what}, which LychD cannot read", source.name());
        wrong.push(Diagnostic::new(message).at(source.at(at..at + 1), "").help(help));
    };
    while let Some((at, c)) = rest.next() {
        match c {
            '#' => while rest.next_if(|(_, c)| *c != '\n').is_some() {},
            '"' | '\'' => {
                let (one, three) = if c == '"' { ("\"", "\"\"\"") } else { ("'", "'''") };
                let tail = text.get(at..).unwrap_or_default();
                let quote = if tail.starts_with(three) { three } else { one };
                let end = at + quote.len() + length(tail.get(quote.len()..).unwrap_or_default(), quote);
                while let Some((at, escape)) = rest.next_if(|(at, _)| *at < end) {
                    if escape != '\\' || c != '"' {
                        continue;
                    }
                    if let Some((_, 'e' | 'x')) = rest.next_if(|(at, _)| *at < end) {
                        say(
                            at,
                            "an escape of TOML 1.1",
                            "write the character itself, or `\\u` and four digits",
                        );
                    }
                }
            }
            '{' | '[' => open.push(c),
            '}' | ']' => {
                if c == '}' && before == ',' {
                    say(at, "a comma at the end of an inline table", "remove the comma");
                }
                open.pop();
            }
            '\n' if open.last() == Some(&'{') => {
                let help = "write it in one line, or as a table of its own: [name]";
                say(at, "an inline table of several lines", help);
                // Once is enough for a table.
                open.pop();
                open.push('[');
            }
            _ => {}
        }
        if !c.is_whitespace() {
            before = c;
        }
    }
    wrong
}

/// How many bytes of `text` belong to a string that `quote` ends, with it.
fn length(text: &str, quote: &str) -> usize {
    let escapes = quote.starts_with('"');
    let mut rest = text.as_bytes();
    // Quotes and backslashes are no part of another character.
    while let [first, ..] = rest {
        if rest.starts_with(quote.as_bytes()) {
            let more = rest.iter().take_while(|byte| *byte == first).count();
            // Up to two quotes may stand before the three that end it.
            return text.len() - rest.len() + if quote.len() == 3 { more.min(5) } else { 1 };
        }
        let skip = if escapes && *first == b'\\' { 2 } else { 1 };
        rest = rest.get(skip..).unwrap_or_default();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        judge(&Source::new("a.toml", text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn later_toml_is_told_and_older_is_not() {
        for good in [
            "a = { b = 1 }\n[c]\nd = [\n  1,\n  { e = [\n 1,\n ] },\n]\n[[f]]\n",
            "a = '{\\e'\nb = \"{ # \\\\e \\u0065\"\nc = '''\n{\n\\x41'''\nd = \"\"\"\n{ \"a\\\" \\n \"\"\"\"\"\n# { \\e\n",
            "\"a{b\" = 1\n'a{b\\e' = 1\n",
        ] {
            assert_eq!(told(good), [""; 0], "{good}");
            assert!(good.parse::<toml::Table>().is_ok(), "{good}");
        }
        for (bad, want) in [
            (
                "a = {\n  b = 1,\n  c = 2,\n}\n",
                "a.toml` has an inline table of several lines, which LychD cannot read\n  at a.toml:1:6",
            ),
            (
                "a = { b = 1, }\n",
                "has a comma at the end of an inline table, which LychD cannot read\n  at a.toml:1:14",
            ),
            ("a = \"x\\e\"\n", "has an escape of TOML 1.1, which LychD cannot read\n  at a.toml:1:7"),
            ("a = \"\"\"\n\\x41\"\"\"\n", "has an escape of TOML 1.1"),
        ] {
            let told = told(bad);
            assert!(told[0].contains(want) && told[0].contains("\n  help: "), "{bad}: {told:?}");
        }
    }
}
