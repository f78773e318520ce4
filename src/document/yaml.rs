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
    /// Whether its value is `false`, nothing, or an empty list or table.
    pub is_off: bool,
}

/// What an entry needs to be complete.
enum Waiting {
    Key,
    Value {
        key: String,
        place: Place,
    },
    /// Within the value, whose parts so far are counted.
    Inner {
        key: String,
        place: Place,
        parts: usize,
    },
}

/// The keys of the first document; none when it is no table.
///
/// # Errors
/// What is no YAML, at its place.
pub fn keys(source: &Source) -> Result<Vec<Entry>, Diagnostic> {
    let text = source.text();
    let byte = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(byte, _)| byte);
    let (mut entries, mut depth, mut waiting) = (Vec::new(), 0_usize, Waiting::Key);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = byte(error.marker().index());
            let message = format!("`{}` is no YAML: {}", source.name(), error.info());
            Diagnostic::new(message).at(source.at(at..at), "")
        })?;
        let ends = matches!(event, Event::MappingEnd | Event::SequenceEnd);
        let starts = matches!(event, Event::MappingStart(..) | Event::SequenceStart(..));
        depth = if ends { depth.saturating_sub(1) } else { depth };
        waiting = match (waiting, &event) {
            // A list, or a text: no table of keys.
            (Waiting::Key, Event::SequenceStart(..)) if depth == 0 => return Ok(Vec::new()),
            (Waiting::Key, Event::Scalar(key, ..)) if depth == 1 => Waiting::Value {
                key: key.to_string(),
                place: source.at(byte(span.start.index())..byte(span.end.index())),
            },
            (Waiting::Value { key, place }, Event::Scalar(value, ..)) => {
                let is_off = matches!(&**value, "" | "~" | "null" | "false");
                entries.push(Entry { key, place, is_off });
                Waiting::Key
            }
            (Waiting::Value { key, place }, Event::Alias(_)) => {
                entries.push(Entry { key, place, is_off: false });
                Waiting::Key
            }
            (Waiting::Value { key, place }, _) if starts => Waiting::Inner { key, place, parts: 0 },
            (Waiting::Inner { key, place, parts }, _) if ends && depth == 1 => {
                entries.push(Entry { key, place, is_off: parts == 0 });
                Waiting::Key
            }
            (Waiting::Inner { key, place, parts }, _) => Waiting::Inner { key, place, parts: parts + 1 },
            (_, Event::DocumentEnd) => break,
            (other, _) => other,
        };
        depth += usize::from(starts);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let entries = keys(&Source::new("x.yaml", text)).unwrap();
        entries.iter().map(|one| format!("{} {} {}", one.key, one.place, one.is_off)).collect()
    }

    #[test]
    fn the_keys_at_the_top_have_places() {
        let text = "# é\npackages:\n  - 'a/*'\n  - b: { deep: 1 }\noverrides: {x: 1}\n\"quoted\": &a [1]\n\
                    off: false\nnone:\nempty: []\nalso: {}\nlike: *a\n";
        assert_eq!(
            read(text),
            [
                "packages x.yaml:2:1 false",
                "overrides x.yaml:5:1 false",
                "quoted x.yaml:6:1 false",
                "off x.yaml:7:1 true",
                "none x.yaml:8:1 true",
                "empty x.yaml:9:1 true",
                "also x.yaml:10:1 true",
                "like x.yaml:11:1 false",
            ]
        );
        assert_eq!(read("{a: 1, b: {c: 2}}"), ["a x.yaml:1:2 false", "b x.yaml:1:8 false"]);
        for none in ["", "- a\n- b: 1\n", "text", "---\n---\na: 1\n"] {
            assert_eq!(read(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        let told = keys(&Source::new("x.yaml", "a: 1\nb: [1\n")).unwrap_err().to_string();
        assert!(told.contains("`x.yaml` is no YAML") && told.contains("x.yaml:"), "{told}");
    }
}
