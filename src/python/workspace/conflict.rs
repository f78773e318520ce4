//! Tells in terms of the members why uv found no set of versions.

use std::collections::{BTreeMap, BTreeSet};

use super::{node, uv::Complaint};
use crate::{
    crypt::manifest::Dependency,
    diagnostic::{Diagnostic, Failure, Fault},
    name::PackageName,
};

/// A requirement and who wrote it.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// The member, as messages call it.
    pub(super) by: &'a str,
    /// The distribution name that uv calls the member by, when it takes part under one.
    pub(super) name: Option<&'a PackageName>,
    pub(super) dependency: &'a Dependency,
}

impl Ask<'_> {
    fn package(&self) -> &PackageName {
        &self.dependency.requirement.name
    }

    fn is_versioned(&self) -> bool {
        self.dependency.requirement.version_or_url.is_some()
    }
}

/// Signs of a network that did not answer.
const NETWORK: [&str; 6] = [
    "Failed to fetch",
    "error sending request",
    "network was disabled",
    "client error (Connect)",
    "dns error",
    "operation timed out",
];

/// Turns uv's complaint into a failure: what could not be had, who asked for it and where, and uv's
/// own explanation with the members' names. `titles` maps distribution names to members.
pub(super) fn explain(
    complaint: &Complaint,
    asks: &[Ask<'_>],
    titles: &BTreeMap<&PackageName, String>,
) -> Failure {
    let text = &complaint.0;
    let note = format!("uv says:\n{}", with_titles(text, titles));
    // The Python that uv has cannot be started, so that nothing is built: that is no fault of the host.
    if text.contains("Permission denied (os error 13)") && !text.contains("Failed to build") {
        let denied = Diagnostic::new("uv may not read or write what it needs").of_kind(Fault::File);
        return Failure::unable(denied.note(note).help("its cache is `uv/` in the forge's own cache"));
    }
    if NETWORK.iter().any(|sign| text.contains(sign)) {
        // What uv says where `--offline` is the cause.
        let (message, kind, help) = if text.contains("network was disabled") {
            let message =
                "locking Python packages needs the package index, and --offline forbids the network";
            (message, Fault::Offline, "run once without --offline")
        } else {
            let help = "check the network, the proxy variables and SSL_CERT_FILE, then run it again";
            ("the package index could not be asked", Fault::Network, help)
        };
        return Failure::unable(Diagnostic::new(message).of_kind(kind).note(note).help(help));
    }
    let named = names(text);
    let third_party: Vec<Ask<'_>> = asks
        .iter()
        .filter(|ask| named.contains_key(ask.package()) && !titles.contains_key(ask.package()))
        .copied()
        .collect();
    let mut involved: Vec<Ask<'_>> = third_party
        .iter()
        .filter(|ask| ask.name.is_none_or(|name| named.contains_key(name)))
        .copied()
        .collect();
    if involved.is_empty() {
        involved = third_party;
    }
    let story = story(text, &named, &involved, titles);
    let contested = |ask: &Ask<'_>| story.contested.as_ref() == Some(ask.package());
    involved.sort_by_key(|ask| !contested(ask));
    let mut diagnostic = Diagnostic::new(story.message).of_kind(story.kind);
    let mut members = BTreeSet::new();
    for ask in &involved {
        let label = format!("`{}` wants `{}`", ask.by, node::shown(&ask.dependency.text));
        diagnostic = diagnostic.at(ask.dependency.place.clone(), label);
        if members.insert(ask.by) {
            diagnostic = diagnostic.requested_by(ask.by);
        }
    }
    diagnostic = diagnostic.note(note);
    if let Some(help) = story.help {
        diagnostic = diagnostic.help(help);
    }
    diagnostic.into()
}

struct Story {
    kind: Fault,
    message: String,
    /// The package that is wanted in two ways.
    contested: Option<PackageName>,
    help: Option<String>,
}

fn story(
    text: &str,
    named: &BTreeMap<PackageName, BTreeSet<String>>,
    involved: &[Ask<'_>],
    titles: &BTreeMap<&PackageName, String>,
) -> Story {
    let mut askers: BTreeMap<&PackageName, BTreeSet<&str>> = BTreeMap::new();
    for ask in involved.iter().filter(|ask| ask.is_versioned()) {
        askers.entry(ask.package()).or_default().insert(ask.by);
    }
    let members: BTreeSet<&str> = involved.iter().map(|ask| ask.by).collect();
    let is_foreign = |name: &&PackageName| !titles.contains_key(*name);
    let wanted_twice = |name: &&PackageName| named.get(*name).is_some_and(|specifiers| specifiers.len() > 1);
    let loosen = "loosen one of these requirements, or leave one of the members out";
    let twice = askers.iter().filter(|(_, by)| by.len() > 1).map(|(name, _)| *name).find(wanted_twice);
    if let Some(package) = twice {
        let by = askers.get(package).cloned().unwrap_or_default();
        return Story {
            kind: Fault::Conflict,
            message: format!("{} want versions of `{package}` that cannot be one", list(&by)),
            contested: Some(package.clone()),
            help: Some(loosen.to_owned()),
        };
    }
    if text.contains("authentication credentials") {
        return Story {
            kind: Fault::Conflict,
            message: "an index wants a login".to_owned(),
            contested: None,
            help: Some(
                "`~/.netrc`, or the file NETRC names, has logins: `machine`, `login`, `password`".to_owned(),
            ),
        };
    }
    if let Some(name) = word_before(text, " was not found in the package registry") {
        return Story {
            kind: Fault::Conflict,
            message: format!("`{name}` is in no package index that is asked"),
            contested: name.parse().ok(),
            help: Some("check the name, or add the index it is in with `[[tool.uv.index]]`".to_owned()),
        };
    }
    if let Some(name) = between(text, "Wheels are required for `", "`") {
        return Story {
            kind: Fault::NoWheel,
            message: format!("`{name}` has no wheel in a version that fits"),
            contested: name.parse().ok(),
            help: Some(format!(
                "allow a version that has wheels; `[policy] allow-sdist = [\"{name}\"]` in forge.toml lets it be built from source"
            )),
        };
    }
    if let Some(name) = between(text, "Failed to build `", "`") {
        return Story {
            kind: Fault::NoWheel,
            message: format!("only running the build of `{name}` could tell what it depends on"),
            contested: name.parse().ok(),
            help: Some(format!(
                "no foreign code runs here: state its metadata, `[[tool.uv.dependency-metadata]]` with name = \"{name}\", `version` and `requires-dist`, or take it off `[policy] allow-sdist`"
            )),
        };
    }
    if !text.contains("No solution found") {
        return Story {
            kind: Fault::General,
            message: "uv cannot lock the federation".to_owned(),
            contested: None,
            help: None,
        };
    }
    let contested = named.keys().filter(is_foreign).find(wanted_twice).cloned();
    let message = match (&contested, members.len()) {
        (Some(package), 0 | 1) => format!("no version of `{package}` fits all that needs it"),
        (Some(package), _) => {
            format!("what {} need leads to versions of `{package}` that cannot be one", list(&members))
        }
        (None, 1) => format!("no set of versions fits what {} requires", list(&members)),
        (None, _) => format!("no set of versions fits what {} require", list(&members)),
    };
    Story { kind: Fault::Conflict, message, contested, help: Some(loosen.to_owned()) }
}

fn list(members: &BTreeSet<&str>) -> String {
    let quoted: Vec<String> = members.iter().map(|member| format!("`{member}`")).collect();
    match quoted.split_last() {
        None => "the members".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0.split([' ', '=', '@']).next().unwrap_or_default())
}

fn word_before<'a>(text: &'a str, sign: &str) -> Option<&'a str> {
    text.split_once(sign)?.0.rsplit([' ', '\n']).next()
}

/// The package names of an explanation, each with the version specifiers it is named with.
fn names(text: &str) -> BTreeMap<PackageName, BTreeSet<String>> {
    let mut found: BTreeMap<PackageName, BTreeSet<String>> = BTreeMap::new();
    for word in text.split_whitespace() {
        let word = bare(word);
        let end =
            word.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(word.len());
        let (name, rest) = word.split_at(end);
        let Ok(name) = name.parse::<PackageName>() else { continue };
        let specifier = rest.trim_start_matches('[').split(']').next_back().unwrap_or_default();
        let specifiers = found.entry(name).or_default();
        if specifier.starts_with(['<', '>', '=', '!', '~']) {
            specifiers.insert(specifier.to_owned());
        }
    }
    found
}

/// A word without the punctuation of its sentence.
fn bare(word: &str) -> &str {
    let word = word.trim_matches(|c: char| "`'\"(),;:".contains(c));
    word.strip_suffix("'s").unwrap_or(word).trim_end_matches(['.', ','])
}

/// uv's text with members called by their names in the Crypt.
fn with_titles(text: &str, titles: &BTreeMap<&PackageName, String>) -> String {
    let renamed: BTreeMap<String, String> = titles
        .iter()
        .filter(|(name, title)| name.as_ref() != title.as_str())
        .map(|(name, title)| (name.to_string(), format!("{title} ({name})")))
        .collect();
    let words =
        text.replace("your workspace", "the federation").replace("your project", "the build environment");
    words
        .split_inclusive([' ', '\n'])
        .map(|word| {
            let inner = bare(word.trim_end());
            match renamed.get(inner) {
                Some(title) => word.replacen(inner, title, 1),
                None => word.to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_uvs_sentences() {
        let text = "Because my-core depends on pydantic[email]>=2.10,<3 and relic depends on pydantic<2, we can conclude \
                    that relic's requirements are unsatisfiable.";
        let found = names(text);
        let specifiers = |name: &str| -> Vec<&str> {
            found[&name.parse::<PackageName>().unwrap()].iter().map(String::as_str).collect()
        };
        assert_eq!(specifiers("pydantic"), ["<2", ">=2.10,<3"]);
        assert!(specifiers("relic").is_empty());
        let core = "my-core".parse().unwrap();
        let titles = BTreeMap::from([(&core, "core".to_owned())]);
        assert!(with_titles(text, &titles).starts_with("Because core (my-core) depends on pydantic"));
    }
}
