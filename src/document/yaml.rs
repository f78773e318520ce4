//! The keys at the top of a YAML document, with their places: as much of YAML as the forge has to understand.

use saphyr_parser::{Event, Parser};

use crate::diagnostic::{Diagnostic, Place, Source};

/// A key at the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// Its value as it is written; empty for an empty list or table, `None` for what holds something.
    pub value: Option<String>,
}

/// What is read next at the top.
enum Next {
    Key,
    Value {
        key: Option<(String, Place)>,
    },
    /// The rest of a value, or of a key that is no text, whose parts so far are counted.
    Inner {
        key: Option<(String, Place)>,
        is_key: bool,
        parts: usize,
    },
}

/// The keys of all documents; none of what is no table. A key that is no text is left out.
///
/// # Errors
/// What is no YAML, at its place.
pub fn keys(source: &Source) -> Result<Vec<Entry>, Diagnostic> {
    let text = source.text();
    // The parser counts characters.
    let bytes: Vec<usize> = text.char_indices().map(|(byte, _)| byte).collect();
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(text.len());
    let (mut entries, mut depth, mut next) = (Vec::new(), 0_usize, Next::Key);
    let mut is_table = false;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = byte(error.marker().index());
            let message = format!("`{}` is no YAML: {}", source.name(), error.info());
            Diagnostic::new(message).at(source.at(at..at), "")
        })?;
        let ends = matches!(event, Event::MappingEnd | Event::SequenceEnd);
        let starts = matches!(event, Event::MappingStart(..) | Event::SequenceStart(..));
        depth = if ends { depth.saturating_sub(1) } else { depth };
        let mut found = |key: Option<(String, Place)>, value: Option<String>| {
            entries.extend(key.map(|(key, place)| Entry { key, place, value }));
        };
        if depth == 0 {
            is_table = matches!(event, Event::MappingStart(..)) || is_table && !ends;
            next = Next::Key;
        } else if is_table {
            next = match (next, &event) {
                (Next::Key, Event::Scalar(key, ..)) if depth == 1 => {
                    let place = source.at(byte(span.start.index())..byte(span.end.index()));
                    Next::Value { key: Some((key.to_string(), place)) }
                }
                (Next::Key, Event::Alias(_)) => Next::Value { key: None },
                (Next::Key, _) if starts => Next::Inner { key: None, is_key: true, parts: 0 },
                (Next::Value { key }, Event::Scalar(value, ..)) => {
                    found(key, Some(value.to_string()));
                    Next::Key
                }
                (Next::Value { key }, Event::Alias(_)) => {
                    found(key, None);
                    Next::Key
                }
                (Next::Value { key }, _) if starts => Next::Inner { key, is_key: false, parts: 0 },
                (Next::Inner { is_key: true, .. }, _) if ends && depth == 1 => Next::Value { key: None },
                (Next::Inner { key, parts, .. }, _) if ends && depth == 1 => {
                    found(key, (parts == 0).then(String::new));
                    Next::Key
                }
                (Next::Inner { key, is_key, parts }, _) => Next::Inner { key, is_key, parts: parts + 1 },
                (other, _) => other,
            };
        }
        depth += usize::from(starts);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let entries = keys(&Source::new("x.yaml", text)).unwrap();
        entries.iter().map(|one| format!("{} {} {:?}", one.key, one.place, one.value)).collect()
    }

    #[test]
    fn the_keys_at_the_top_have_places() {
        let text = "# é\npackages:\n  - 'a/*'\n  - b: { deep: 1 }\noverrides: {x: 1}\n\"quoted\": &a [1]\n\
                    off: false\nnone:\nempty: []\nalso: {}\nlike: *a\n";
        assert_eq!(
            read(text),
            [
                "packages x.yaml:2:1 None",
                "overrides x.yaml:5:1 None",
                "quoted x.yaml:6:1 None",
                "off x.yaml:7:1 Some(\"false\")",
                "none x.yaml:8:1 Some(\"\")",
                "empty x.yaml:9:1 Some(\"\")",
                "also x.yaml:10:1 Some(\"\")",
                "like x.yaml:11:1 None",
            ]
        );
        assert_eq!(read("{a: 1, b: {c: 2}}"), ["a x.yaml:1:2 Some(\"1\")", "b x.yaml:1:8 None"]);
        assert_eq!(
            read("---\na: 1\n---\n- x\n---\nb: 2\n"),
            ["a x.yaml:2:1 Some(\"1\")", "b x.yaml:6:1 Some(\"2\")"]
        );
        let odd = "? [x, {y: 1}]\n: z\nodd: &k overrides\n*k : 1\nlast: 2\n";
        assert_eq!(read(odd), ["odd x.yaml:3:1 Some(\"overrides\")", "last x.yaml:5:1 Some(\"2\")"]);
        for none in ["", "- a\n- b: 1\n", "text"] {
            assert_eq!(read(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        let told = keys(&Source::new("x.yaml", "a: 1\nb: [1\n")).unwrap_err().to_string();
        assert!(told.contains("`x.yaml` is no YAML") && told.contains("x.yaml:"), "{told}");
    }
}
