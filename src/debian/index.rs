//! The archive's `Packages` indexes, several suites merged, as slices of their text.
//!
//! Reading notes where each paragraph and each provided name is and nothing more; a paragraph's fields
//! are read and checked when the resolver comes to it. Format: Debian policy 5 and the wiki's
//! "DebianRepository/Format".

use std::cmp::Ordering;

use super::relation;
use crate::{
    diagnostic::{Diagnostic, Failure},
    name::{
        Platform,
        debian::{Archive, Suite},
    },
};

/// One paragraph of the index, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParagraphId(u32);

/// Several suites' packages for one platform.
#[derive(Debug)]
pub struct Index {
    platform: Platform,
    files: Vec<File>,
    /// Sorted by package name; of equal names in the order of the suites.
    paragraphs: Vec<Span>,
    /// Sorted by provided name.
    provides: Vec<Provided>,
}

#[derive(Debug)]
struct File {
    suite: Suite,
    text: String,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    file: u32,
    start: u32,
    end: u32,
    name: (u32, u32),
}

#[derive(Clone, Copy, Debug)]
struct Provided {
    name: (u32, u32),
    paragraph: u32,
}

/// A package's fields, unchecked slices of the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the fields")]
pub struct Paragraph<'a> {
    pub package: &'a str,
    pub version: &'a str,
    pub architecture: &'a str,
    pub multi_arch: &'a str,
    pub pre_depends: &'a str,
    pub depends: &'a str,
    pub provides: &'a str,
    pub conflicts: &'a str,
    pub breaks: &'a str,
    pub essential: &'a str,
    pub important: &'a str,
    pub protected: &'a str,
    pub priority: &'a str,
    pub filename: &'a str,
    pub size: &'a str,
    pub sha256: &'a str,
    pub installed_size: &'a str,
}

/// Where a package's name is first written: file, paragraph, field, byte.
pub type Mention = (usize, usize, usize, usize);

/// Fields that name packages, in the order apt reads them.
const NAMING: [&str; 10] = [
    "Package",
    "Pre-Depends",
    "Depends",
    "Conflicts",
    "Breaks",
    "Recommends",
    "Suggests",
    "Replaces",
    "Enhances",
    "Provides",
];

fn to_u32(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The fields of a paragraph: name, value (continuation lines and all), offset of the value.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
            let mut end = rest.find('\n').unwrap_or(rest.len());
            while rest.as_bytes().get(end + 1).is_some_and(|c| matches!(c, b' ' | b'\t')) {
                let next = rest.get(end + 1..).and_then(|rest| rest.find('\n'));
                end = next.map_or(rest.len(), |next| end + 1 + next);
            }
            let start = at;
            at += end + 1;
            if let Some((name, value)) = rest.get(..end).and_then(|line| line.split_once(':')) {
                let trimmed = value.trim_start();
                return Some((name, trimmed.trim_end(), start + end - trimmed.len()));
            }
        }
    })
}

impl Index {
    /// Merges the suites' `Packages` texts, in the configured order.
    ///
    /// # Errors
    /// [`Failure::Refused`] when a paragraph lacks a name or version, or a text is 4 GB or more.
    pub fn new(platform: Platform, suites: Vec<(Suite, String)>) -> Result<Self, Failure> {
        let mut index = Self {
            platform,
            files: suites.into_iter().map(|(suite, text)| File { suite, text }).collect(),
            paragraphs: Vec::new(),
            provides: Vec::new(),
        };
        let mut provides = Vec::new();
        for (number, file) in index.files.iter().enumerate() {
            if file.text.len() >= u32::MAX as usize {
                return Err(
                    Diagnostic::new(format!("the package index of `{}` is too large", file.suite)).into()
                );
            }
            scan(platform, to_u32(number), file, &mut index.paragraphs, &mut provides)?;
        }
        let mut paragraphs = std::mem::take(&mut index.paragraphs);
        let mut order: Vec<u32> = (0..to_u32(paragraphs.len())).collect();
        let name =
            |at: &u32| paragraphs.get(*at as usize).map_or("", |span| index.text(span.file, span.name));
        order.sort_by(|left, right| name(left).cmp(name(right)));
        let mut place = vec![0_u32; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(*old as usize) {
                *slot = to_u32(new);
            }
        }
        paragraphs = order.iter().filter_map(|&old| paragraphs.get(old as usize).copied()).collect();
        index.paragraphs = paragraphs;
        for entry in &mut provides {
            entry.paragraph = place.get(entry.paragraph as usize).copied().unwrap_or(u32::MAX);
        }
        provides.sort_by(|left, right| {
            index.provided(left).cmp(index.provided(right)).then(left.paragraph.cmp(&right.paragraph))
        });
        provides.dedup_by(|left, right| {
            left.paragraph == right.paragraph && index.provided(left) == index.provided(right)
        });
        index.provides = provides;
        Ok(index)
    }

    /// What it was read for.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// Its suites, in the configured order.
    #[must_use]
    pub fn suites(&self) -> Vec<Suite> {
        self.files.iter().map(|file| file.suite.clone()).collect()
    }

    /// How many paragraphs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paragraphs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paragraphs.is_empty()
    }

    fn text(&self, file: u32, (start, end): (u32, u32)) -> &str {
        let text = self.files.get(file as usize).map_or("", |file| file.text.as_str());
        text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn provided(&self, entry: &Provided) -> &str {
        self.paragraphs.get(entry.paragraph as usize).map_or("", |span| self.text(span.file, entry.name))
    }

    fn name(&self, span: &Span) -> &str {
        self.text(span.file, span.name)
    }

    /// All paragraphs of a package, one a suite at most.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = ParagraphId> {
        let start = self.paragraphs.partition_point(|span| self.name(span) < name);
        let end = self.paragraphs.partition_point(|span| self.name(span) <= name);
        (start..end).map(|at| ParagraphId(to_u32(at)))
    }

    /// The paragraph with the highest version; of equal ones that of the first suite.
    #[must_use]
    pub fn candidate(&self, name: &str) -> Option<ParagraphId> {
        self.versions(name).reduce(|best, next| {
            match relation::compare(self.paragraph(next).version, self.paragraph(best).version) {
                Ordering::Greater => next,
                _ => best,
            }
        })
    }

    /// The paragraphs that provide a virtual name, whatever their version.
    pub fn providers(&self, name: &str) -> impl Iterator<Item = ParagraphId> {
        let start = self.provides.partition_point(|entry| self.provided(entry) < name);
        let end = self.provides.partition_point(|entry| self.provided(entry) <= name);
        self.provides.get(start..end).unwrap_or_default().iter().map(|entry| ParagraphId(entry.paragraph))
    }

    /// The fields of a paragraph.
    #[must_use]
    pub fn paragraph(&self, id: ParagraphId) -> Paragraph<'_> {
        let mut paragraph = Paragraph::default();
        let Some(span) = self.paragraphs.get(id.0 as usize) else { return paragraph };
        for (name, value, _) in fields(self.text(span.file, (span.start, span.end))) {
            let slot = match name {
                "Package" => &mut paragraph.package,
                "Version" => &mut paragraph.version,
                "Architecture" => &mut paragraph.architecture,
                "Multi-Arch" => &mut paragraph.multi_arch,
                "Pre-Depends" => &mut paragraph.pre_depends,
                "Depends" => &mut paragraph.depends,
                "Provides" => &mut paragraph.provides,
                "Conflicts" => &mut paragraph.conflicts,
                "Breaks" => &mut paragraph.breaks,
                "Essential" => &mut paragraph.essential,
                "Important" => &mut paragraph.important,
                "Protected" => &mut paragraph.protected,
                "Priority" => &mut paragraph.priority,
                "Filename" => &mut paragraph.filename,
                "Size" => &mut paragraph.size,
                "SHA256" => &mut paragraph.sha256,
                "Installed-Size" => &mut paragraph.installed_size,
                _ => continue,
            };
            *slot = value;
        }
        paragraph
    }

    /// The suite and archive a paragraph is from.
    #[must_use]
    pub fn archive(&self, id: ParagraphId) -> Archive {
        let file = self.paragraphs.get(id.0 as usize).and_then(|span| self.files.get(span.file as usize));
        file.map_or(Archive::Debian, |file| file.suite.archive())
    }

    /// Where a name is first written. apt numbers packages in this order, and where nothing else decides
    /// between two providers it takes the one with the higher number.
    #[must_use]
    pub fn mention(&self, name: &str) -> Option<Mention> {
        self.files.iter().enumerate().find_map(|(number, file)| {
            let start = file.text.match_indices(name).find_map(|(at, _)| mention_in(&file.text, at, name))?;
            let paragraph = file.text.get(..start)?.rfind("\n\n").map_or(0, |at| at + 2);
            let end = file.text.get(start..)?.find("\n\n").map_or(file.text.len(), |at| start + at);
            let text = file.text.get(paragraph..end)?;
            let first = fields(text).filter_map(|(field, value, offset)| {
                let order = NAMING.iter().position(|&naming| naming == field)?;
                let at = value.match_indices(name).map(|(at, _)| at).find(|&at| whole(value, at, name))?;
                Some((order, offset + at))
            });
            let (order, at) = first.min()?;
            Some((number, paragraph, order, at))
        })
    }

    /// Names like this one, nearest first: those it begins or ends, and those a few letters away.
    #[must_use]
    pub fn near(&self, name: &str) -> Vec<&str> {
        let far = (name.len() / 4).max(2);
        let mut near: Vec<(usize, usize, &str)> = Vec::new();
        for span in &self.paragraphs {
            let other = self.name(span);
            let lengths = other.len().abs_diff(name.len());
            let away = if name.len() >= 3 && other.starts_with(name) {
                1
            } else if name.len() >= 3 && other.ends_with(name) {
                2
            } else if lengths <= far {
                distance(name, other)
            } else {
                continue;
            };
            if away <= far {
                near.push((away, lengths, other));
            }
        }
        near.sort_unstable();
        near.dedup();
        near.truncate(5);
        near.into_iter().map(|(.., name)| name).collect()
    }
}

/// Whether `name` stands at `at` as a whole word without a qualifier.
fn whole(text: &str, at: usize, name: &str) -> bool {
    let part = |c: &u8| c.is_ascii_alphanumeric() || b"+-.:".contains(c);
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(part);
    !before && !bytes.get(at + name.len()).is_some_and(part)
}

fn mention_in(text: &str, at: usize, name: &str) -> Option<usize> {
    if !whole(text, at, name) {
        return None;
    }
    let mut line = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    while line > 0 && matches!(text.as_bytes().get(line), Some(b' ' | b'\t')) {
        line = text.get(..line - 1)?.rfind('\n').map_or(0, |newline| newline + 1);
    }
    let (field, _) = text.get(line..)?.split_once(':')?;
    NAMING.contains(&field).then_some(at)
}

fn scan(
    platform: Platform,
    number: u32,
    file: &File,
    paragraphs: &mut Vec<Span>,
    provides: &mut Vec<Provided>,
) -> Result<(), Failure> {
    let text = file.text.as_str();
    let within = |part: &str| {
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        (to_u32(start), to_u32(start + part.len()))
    };
    let mut start = 0;
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find("\n\n").unwrap_or(rest.len());
        let paragraph = rest.get(..length).unwrap_or_default();
        let next = start + length + 2;
        if paragraph.trim().is_empty() {
            start = next;
            continue;
        }
        let (mut name, mut version, mut architecture, mut virtuals) = ("", "", "", "");
        for (field, value, _) in fields(paragraph) {
            match field {
                "Package" => name = value,
                "Version" => version = value,
                "Architecture" => architecture = value,
                "Provides" => virtuals = value,
                _ => {}
            }
        }
        if name.is_empty() || version.is_empty() {
            let shown = paragraph.lines().next().unwrap_or_default().escape_debug();
            let what =
                format!("the package index of `{}` has a paragraph without name or version", file.suite);
            return Err(Diagnostic::new(what).help(format!("it begins with `{shown}`")).into());
        }
        if architecture == "all" || architecture == platform.debian_architecture() {
            let at = to_u32(paragraphs.len());
            let (from, _) = within(paragraph);
            paragraphs.push(Span {
                file: number,
                start: from,
                end: from + to_u32(paragraph.len()),
                name: within(name),
            });
            for entry in virtuals.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
                let end = entry.find([' ', '(', ':', '\t', '\n']).unwrap_or(entry.len());
                let name = entry.get(..end).unwrap_or_default();
                provides.push(Provided { name: within(name), paragraph: at });
            }
        }
        start = next;
    }
    Ok(())
}

/// Edit distance (Levenshtein) of two short texts, in bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, byte) in left.bytes().enumerate() {
        let mut diagonal = line;
        let mut previous = line + 1;
        for (slot, letter) in row.iter_mut().skip(1).zip(right.bytes()) {
            let next = if byte == letter { diagonal } else { 1 + diagonal.min(previous).min(*slot) };
            diagonal = *slot;
            *slot = next;
            previous = next;
        }
        if let Some(start) = row.first_mut() {
            *start = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(texts: &[(&str, &str)]) -> Result<Index, Failure> {
        let suites = texts.iter().map(|(suite, text)| (suite.parse().unwrap(), (*text).to_owned())).collect();
        Index::new(Platform::X86_64Linux, suites)
    }

    const MAIN: &str = "Package: zoo\nVersion: 1.0-1\nArchitecture: amd64\nDepends: ant,\n bee (>= 2)\nDescription: named cow\n dog\nSHA256: x\n
Package: ant\nVersion: 1\nArchitecture: all\nProvides: bug (= 2), worm\n
Package: other\nVersion: 1\nArchitecture: i386\n";
    const SECURITY: &str = "Package: zoo\nVersion: 1.0-1+deb13u1\nArchitecture: amd64\nProvides: bug\n";

    #[test]
    fn suites_are_merged_and_the_highest_version_wins() {
        let index = index(&[("trixie", MAIN), ("trixie-security", SECURITY)]).unwrap();
        assert_eq!(index.len(), 3);
        assert_eq!(index.versions("zoo").count(), 2);
        let zoo = index.candidate("zoo").unwrap();
        assert_eq!(index.paragraph(zoo).version, "1.0-1+deb13u1");
        assert_eq!(index.archive(zoo), Archive::Security);
        let old = index.versions("zoo").next().unwrap();
        assert_eq!(index.paragraph(old).depends, "ant,\n bee (>= 2)");
        assert_eq!(index.paragraph(old).sha256, "x");
        assert!(index.candidate("other").is_none(), "another architecture");
        let bugs: Vec<_> = index.providers("bug").map(|id| index.paragraph(id).package).collect();
        assert_eq!(bugs, ["ant", "zoo"]);
        assert_eq!(index.near("antt"), ["ant"]);
        let mentions = ["zoo", "ant", "bee", "bug", "worm"].map(|name| index.mention(name).unwrap());
        assert!(mentions.is_sorted(), "{mentions:?}");
        assert_eq!(index.mention("cow"), None);
        assert_eq!(index.mention("dog"), None);
    }

    #[test]
    fn a_paragraph_without_a_name_is_refused() {
        assert!(index(&[("trixie", "Version: 1\nArchitecture: all\n")]).is_err());
        assert!(index(&[("trixie", "\n\n\n")]).unwrap().is_empty());
    }
}
