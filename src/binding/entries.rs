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
    /// Where it stands.
    pub(super) place: Place,
}

impl Entry {
    /// Whether it is this key of one of these sections.
    #[must_use]
    pub(super) fn is(&self, sections: &[&str], key: &str) -> bool {
        self.key == key && sections.contains(&self.section.as_str())
    }
}

/// All of a file, in order. What is neither a section nor a key is left to those who judge it.
#[must_use]
pub(super) fn entries(source: &Source) -> Vec<Entry> {
    let (mut all, mut section) = (Vec::new(), String::new());
    let mut start = 0;
    let mut going_on: Option<(usize, String)> = None;
    for whole in source.text().split_inclusive('\n') {
        let (at, line) = (start, whole.trim());
        start += whole.len();
        // Comments may stand between lines that go on.
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (from, text) = match going_on.take() {
            Some((from, before)) => (from, format!("{before} {line}")),
            None => (at, line.to_owned()),
        };
        if let Some(open) = text.strip_suffix('\\') {
            going_on = Some((from, open.trim_end().to_owned()));
            continue;
        }
        take(&text, source.at(from..at + line.len()), &mut section, &mut all);
    }
    if let Some((from, text)) = going_on {
        take(&text, source.at(from..start), &mut section, &mut all);
    }
    all
}

fn take(text: &str, place: Place, section: &mut String, all: &mut Vec<Entry>) {
    if let Some(title) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        title.clone_into(section);
    } else if let Some((key, value)) = text.split_once('=') {
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        all.push(Entry { section: section.clone(), key, value, place });
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
}
