//! What stands in unit files of the user's own, as podman and systemd read it: keys with their sections and places.

use crate::diagnostic::{Place, Source};

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The section it stands in, without brackets; empty before the first.
    pub(super) section: String,
    /// Its name.
    pub(super) key: String,
    /// Its value, lines that go on joined.
    pub(super) value: String,
    /// The same as podman joins lines: without a blank.
    pub(super) joined: String,
    /// Where it stands.
    pub(super) place: Place,
}

impl Entry {
    /// Whether it is this key of one of these sections.
    #[must_use]
    pub(super) fn is(&self, sections: &[&str], key: &str) -> bool {
        self.key == key && sections.contains(&self.section.as_str())
    }

    /// What podman makes of the value of a key that has one: double quotes around it are no part of it. Before 5.8 that
    /// holds of any number of them, and no name has one.
    #[must_use]
    pub(super) fn single(&self) -> &str {
        self.joined.trim_matches('"')
    }
}

/// The entry that counts of a key that has one value.
pub(super) fn last<'a>(all: &'a [Entry], sections: &[&str], key: &str) -> Option<&'a Entry> {
    all.iter().rfind(|entry| entry.is(sections, key)).filter(|entry| !entry.value.is_empty())
}

/// The entries of a key that adds up; an empty one begins anew.
pub(super) fn list<'a>(all: &'a [Entry], sections: &[&str], key: &str) -> Vec<&'a Entry> {
    let mut listed = Vec::new();
    for entry in all.iter().filter(|entry| entry.is(sections, key)) {
        if entry.value.is_empty() {
            listed.clear();
        } else {
            listed.push(entry);
        }
    }
    listed
}

/// The words of a value: between blanks, without quotes and escapes.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut all, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\\' {
            let Some(next) = rest.next() else { break };
            let code = || u8::from_str_radix(rest.as_str().get(..2)?, 16).ok().map(char::from);
            let escaped = (next == 'x').then(code).flatten();
            if escaped.is_some() {
                rest.nth(1);
            }
            word.get_or_insert_default().push(escaped.unwrap_or(next));
        } else if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && matches!(c, '"' | '\'') {
            quote = Some(c);
            word.get_or_insert_default();
        } else if quote.is_none() && c.is_whitespace() {
            all.extend(word.take());
        } else {
            word.get_or_insert_default().push(c);
        }
    }
    all.extend(word);
    all
}

/// All of a file, in order. What is neither a section nor a key is left to those who judge it.
#[must_use]
pub(super) fn entries(source: &Source) -> Vec<Entry> {
    let (mut all, mut section) = (Vec::new(), String::new());
    let mut start = 0;
    let mut going_on: Option<(usize, String, String)> = None;
    for whole in source.text().split_inclusive('\n') {
        let (at, line) = (start, whole.trim());
        start += whole.len();
        // Comments may stand between lines that go on.
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (from, text, joined) = match going_on.take() {
            Some((from, before, joined)) => (from, format!("{before} {line}"), joined + line),
            None => (at, line.to_owned(), line.to_owned()),
        };
        if let (Some(open), Some(joined)) = (text.strip_suffix('\\'), joined.strip_suffix('\\')) {
            going_on = Some((from, open.trim_end().to_owned(), joined.to_owned()));
            continue;
        }
        take((&text, &joined), source.at(from..at + line.len()), &mut section, &mut all);
    }
    if let Some((from, text, joined)) = going_on {
        take((&text, &joined), source.at(from..start), &mut section, &mut all);
    }
    all
}

fn take((text, joined): (&str, &str), place: Place, section: &mut String, all: &mut Vec<Entry>) {
    if let Some(title) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        title.clone_into(section);
    } else if let Some((key, value)) = text.split_once('=') {
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        let joined = joined.split_once('=').map_or("", |(_, joined)| joined).trim().to_owned();
        all.push(Entry { section: section.clone(), key, value, joined, place });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_sections_places_and_whole_values() {
        let text = "A=0\n# x\n[Container]\nImage = x:1\nPublishPort=80 \\\n; no\n  81\n\n[Pod\nwords\n[Pod]\r\nPodName=\nX=a \\";
        let all = entries(&Source::new("u", text));
        let told: Vec<String> = all
            .iter()
            .map(|one| format!("{} [{}] {}={}", one.place, one.section, one.key, one.value))
            .collect();
        assert_eq!(
            told,
            [
                "u:1:1 [] A=0",
                "u:4:1 [Container] Image=x:1",
                "u:5:1 [Container] PublishPort=80 81",
                "u:12:1 [Pod] PodName=",
                "u:13:1 [Pod] X=a",
            ]
        );
        assert!(all[1].is(&["Pod", "Container"], "Image") && !all[1].is(&["Pod"], "Image"));
    }

    #[test]
    fn values_are_read_as_podman_reads_them() {
        let read = |text: &str| entries(&Source::new("u", text)).pop().unwrap().single().to_owned();
        for (text, want) in [
            ("A=\"one\"", "one"),
            ("A='one'", "'one'"),
            ("A=\"\"one", "one"),
            ("A=one-\\\n# no\n  two\\\n three", "one-twothree"),
            ("A=\"one \\\n two\"", "one two"),
            ("A=\"", ""),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
        assert_eq!(
            words(r#" a "b c"  --x='y z' \x2dq \" "" é"#),
            ["a", "b c", "--x=y z", "-q", "\"", "", "é"]
        );
        assert_eq!(words("\\"), Vec::<String>::new());
    }
}
