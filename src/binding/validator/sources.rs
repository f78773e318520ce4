//! The rendered texts, and places in them.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Place, Source},
    tree::{Entry, FileTree},
};

/// Texts by their paths.
pub(super) struct Sources(BTreeMap<String, Source>);

impl Sources {
    pub(super) fn of(tree: &FileTree) -> Self {
        let source = |(path, entry): (&crate::tree::RelativePath, &Entry)| match entry {
            Entry::File { bytes, .. } => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                Some((path.to_string(), Source::new(path.as_str(), text)))
            }
            Entry::Link { .. } => None,
        };
        Self(tree.iter().filter_map(source).collect())
    }

    /// With texts that lie elsewhere, by their whole paths.
    pub(super) fn and(mut self, further: impl IntoIterator<Item = Source>) -> Self {
        self.0.extend(further.into_iter().map(|source| (source.name().to_owned(), source)));
        self
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn get(&self, path: &str) -> Option<&Source> {
        self.0.get(path)
    }

    /// The first of this file name, which is the one that podman reads.
    pub(super) fn named(&self, name: &str) -> Option<&Source> {
        self.0.iter().find(|(path, _)| file_name(path) == name).map(|(_, source)| source)
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A line, counted from one; the start of the text when there is none.
pub(super) fn line(source: &Source, number: usize) -> Place {
    source.at(lines(source.text()).find(|(at, ..)| *at == number).map_or(0..0, |(.., span)| span))
}

/// The first line in which a text stands.
pub(super) fn containing(source: &Source, text: &str) -> Option<Place> {
    lines(source.text()).find(|(_, line, _)| line.contains(text)).map(|(.., span)| source.at(span))
}

/// The first line of a section (`None`: of any) that a test takes.
pub(super) fn in_section(
    source: &Source,
    section: Option<&str>,
    wanted: impl Fn(&str) -> bool,
) -> Option<Place> {
    let mut current = None;
    for (_, line, span) in lines(source.text()) {
        if let Some(name) = header(line) {
            current = Some(name);
        }
        if (section.is_none() || section == current) && wanted(line) {
            return Some(source.at(span));
        }
    }
    None
}

/// The section and the text of a line, counted from one.
pub(super) fn line_of(text: &str, number: usize) -> Option<(Option<&str>, &str)> {
    let mut current = None;
    for (at, line, _) in lines(text) {
        if let Some(name) = header(line) {
            current = Some(name);
        }
        if at == number {
            return Some((current, line));
        }
    }
    None
}

/// Values of a key in a section, in order.
pub(super) fn values<'a>(text: &'a str, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let mut current = None;
    text.lines().filter_map(move |line| {
        if let Some(name) = header(line) {
            current = Some(name);
        }
        let (name, value) = line.split_once('=')?;
        (current == Some(section) && name.trim() == key).then(|| value.trim())
    })
}

fn header(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.strip_suffix(']')
}

/// Lines with their numbers and the bytes they take.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str, std::ops::Range<usize>)> {
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, whole)| {
        let line = whole.trim_end_matches(['\n', '\r']);
        let span = start..start + line.len();
        start += whole.len();
        (index + 1, line, span)
    })
}
