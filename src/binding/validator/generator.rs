//! What podman's generator said and made.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{self, Sources};
use crate::{
    diagnostic::{Diagnostic, Failure, Place, Source},
    runes::unit::is_quadlet,
};

/// Both runs of the generator over one set.
pub(super) struct Run<'a> {
    /// Whether one of them ended with another code than 0.
    pub(super) failed: bool,
    /// All messages.
    pub(super) stderr: &'a str,
    /// Names of the units on the dry run's output.
    pub(super) dry: &'a BTreeSet<String>,
    /// The units that were written.
    pub(super) made: &'a BTreeMap<String, String>,
    /// Whether there is a link of this path among what was written.
    pub(super) linked: &'a dyn Fn(&str) -> Result<bool, Failure>,
    /// Where the set was staged.
    pub(super) directory: &'a str,
}

/// Files of one name, of which podman reads only the first.
pub(super) fn twins(sources: &Sources) -> Vec<Diagnostic> {
    let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let in_drop_in = |path: &str| {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        directory.rsplit_once('.').is_some_and(|(_, end)| end == "d")
    };
    for path in sources.paths().filter(|path| !in_drop_in(path)) {
        named.entry(sources::file_name(path)).or_default().push(path);
    }
    let twins = named.into_iter().filter(|(name, paths)| is_quadlet(name) && paths.len() > 1);
    twins
        .map(|(name, paths)| {
            let message =
                format!("`{name}` is there {} times, and podman reads the first alone", paths.len());
            let places = paths.iter().filter_map(|path| sources.get(path));
            places.fold(Diagnostic::new(message), |told, source| told.at(source.at(0..0), ""))
        })
        .collect()
}

/// Names of the units in the output of a dry run.
pub(super) fn names(stdout: &str) -> BTreeSet<String> {
    let name = |line: &str| Some(line.strip_prefix("---")?.strip_suffix("---")?.to_owned());
    stdout.lines().filter_map(name).collect()
}

/// The units in the output of a dry run, by name.
pub(super) fn units(stdout: &str) -> BTreeMap<String, String> {
    let mut units: BTreeMap<String, String> = BTreeMap::new();
    let mut current = None;
    for line in stdout.lines() {
        if let Some(name) = line.strip_prefix("---").and_then(|rest| rest.strip_suffix("---")) {
            current = Some(units.entry(name.to_owned()).or_default());
        } else if let Some(text) = &mut current {
            text.push_str(line);
            text.push('\n');
        }
    }
    units
}

/// All that is wrong.
pub(super) fn judge(
    run: &Run<'_>,
    sources: &Sources,
    expected: &BTreeSet<String>,
) -> Result<Vec<Diagnostic>, Failure> {
    let mut findings: Vec<Diagnostic> = messages(run.stderr)
        .into_iter()
        // Of a set without Quadlet files, and of one in which nothing could be read.
        .filter(|message| !message.starts_with("No files parsed from ["))
        .map(|message| finding(&message, sources, run.directory))
        .collect();
    if run.failed && findings.is_empty() {
        findings.push(Diagnostic::new("podman's generator refuses the units and does not say why"));
    }
    let written: BTreeSet<String> = run.made.keys().cloned().collect();
    let missing: Vec<&String> = expected.iter().filter(|name| !written.contains(*name)).collect();
    if let (Some(first), false) = (findings.first_mut(), missing.is_empty()) {
        let names = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        first.notes.push(format!("not made, of what was expected: {names}"));
    } else {
        findings.extend(missing.iter().map(|name| {
            Diagnostic::new(format!("podman's generator made no `{name}`, and does not say why"))
        }));
    }
    for name in written.difference(expected) {
        let diagnostic = Diagnostic::new(format!("podman's generator made `{name}`, which is not expected"));
        findings.push(match run.made.get(name).and_then(|text| source_of(text, sources, run.directory)) {
            Some(source) => diagnostic.at(source.at(0..0), "from this"),
            None => diagnostic,
        });
    }
    for name in written.symmetric_difference(run.dry) {
        findings.push(Diagnostic::new(format!("podman's generator makes `{name}` in one run of two")));
    }
    for (name, text) in run.made {
        for link in links(name, text) {
            if (run.linked)(&link)? {
                continue;
            }
            let diagnostic =
                Diagnostic::new(format!("`{name}` is not started by itself: there is no `{link}`"));
            let source = source_of(text, sources, run.directory);
            let place = source.and_then(|source| sources::in_section(source, Some("Install"), |_| true));
            findings.push(place.into_iter().fold(diagnostic, |told, place| told.at(place, "asked for here")));
        }
    }
    Ok(findings)
}

/// The messages of both runs, each once, without what stands before every line, and without the usual ones.
pub(super) fn messages(stderr: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in stderr.lines() {
        let text = line
            .strip_prefix("quadlet-generator[")
            .and_then(|rest| rest.split_once("]: "))
            .map_or(line, |(_, text)| text)
            .trim();
        let usual = ["Loading source unit file ", "Loading source drop-in file "]
            .iter()
            .any(|usual| text.starts_with(usual));
        if !text.is_empty() && !usual && !all.iter().any(|known| known == text) {
            all.push(text.to_owned());
        }
    }
    all
}

fn finding(message: &str, sources: &Sources, directory: &str) -> Diagnostic {
    let prefix = format!("{directory}/");
    let message = message.replace(&prefix, "");
    if let Some((name, reason)) =
        message.strip_prefix("converting \"").and_then(|rest| rest.split_once("\": "))
    {
        let source = sources.named(name);
        let tail = source.map(|source| format!(" in {}", source.name())).unwrap_or_default();
        let reason = reason.strip_suffix(&tail).unwrap_or(reason);
        return at(refused(name, reason), source.map(|source| place_of(reason, source)));
    }
    if let Some((path, reason)) =
        message.strip_prefix("error loading \"").and_then(|rest| rest.split_once("\", "))
    {
        return at(refused(path, reason), sources.get(path).map(|source| place_of(reason, source)));
    }
    if let Some((name, rest)) =
        message.strip_prefix("Warning: ").and_then(|rest| rest.split_once(" specifies the image "))
        && rest.contains("not a fully qualified image name")
    {
        let image = rest.split('"').nth(1).unwrap_or_default();
        let source = sources.named(name);
        let place = source.map(|source| place_of(rest, source));
        let told = Diagnostic::new(format!("`{name}` has the image `{image}`, which is not a full name"));
        return at(told, place).help("write it with its registry, or pin it by its ID");
    }
    Diagnostic::new(format!("podman's generator says: {message}"))
}

fn refused(name: &str, reason: &str) -> Diagnostic {
    Diagnostic::new(format!("podman's generator refuses `{name}`: {reason}"))
}

fn at(diagnostic: Diagnostic, place: Option<Place>) -> Diagnostic {
    match place {
        Some(place) => diagnostic.at(place, ""),
        None => diagnostic,
    }
}

/// The line that a reason is about, else the start of the text.
fn place_of(reason: &str, source: &Source) -> Place {
    place_in(reason, source).unwrap_or_else(|| source.at(0..0))
}

/// The line that a reason is about: by its number, of the key it names, else of what it quotes or of a unit it names.
pub(super) fn place_in(reason: &str, source: &Source) -> Option<Place> {
    let number = reason.strip_prefix("file contains line ").and_then(|rest| rest.split_once(':'));
    if let Some(number) = number.and_then(|(number, _)| number.parse().ok()) {
        return Some(sources::line(source, number));
    }
    let quoted = |quote: char| reason.split(quote).skip(1).step_by(2);
    let named = reason.split(' ').filter(|word| is_quadlet(word));
    let mut words = quoted('\'').chain(quoted('"')).chain(named).filter(|word| !word.is_empty());
    key_in(reason, source).or_else(|| words.find_map(|word| sources::containing(source, word)))
}

/// The line of the key that a reason names.
pub(super) fn key_in(reason: &str, source: &Source) -> Option<Place> {
    let (key, group) = reason.strip_prefix("unsupported key '")?.split_once("' in group '")?;
    let is_key = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    sources::in_section(source, group.split('\'').next(), is_key)
}

/// The Quadlet file that a unit was made of.
pub(super) fn source_of<'a>(text: &str, sources: &'a Sources, directory: &str) -> Option<&'a Source> {
    let path = sources::values(text, "Unit", "SourcePath").last()?;
    sources.get(path.strip_prefix(directory)?.strip_prefix('/')?)
}

/// The links that a unit's `[Install]` asks for; of a template none, which has no instance of its own.
fn links(name: &str, text: &str) -> Vec<String> {
    if name.contains('@') {
        return Vec::new();
    }
    let kinds = [("WantedBy", "wants"), ("RequiredBy", "requires"), ("UpheldBy", "upholds")];
    let mut links = Vec::new();
    for (key, kind) in kinds {
        for value in sources::values(text, "Install", key) {
            links.extend(value.split_whitespace().map(|target| format!("{target}.{kind}/{name}")));
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::FileTree;

    const CONTAINER: &str = "[Unit]\nDescription=Foo=\n[Container]\nImage=x:1\nFoo=bar\nPod=nope.pod\n[Install]\nWantedBy=default.target\n";

    fn sources(files: &[(&str, &str)]) -> Sources {
        let mut tree = FileTree::new();
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), text);
        }
        Sources::of(&tree)
    }

    fn judged(stderr: &str, failed: bool, made: &[(&str, &str)], expected: &[&str]) -> Vec<String> {
        let made: BTreeMap<String, String> =
            made.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let run = Run {
            failed,
            stderr,
            dry: &made.keys().cloned().collect(),
            made: &made,
            linked: &|link| Ok(link == "default.target.wants/a.service"),
            directory: "/s",
        };
        let expected = expected.iter().map(|name| (*name).to_owned()).collect();
        let all = judge(&run, &sources(&[("a.container", CONTAINER)]), &expected).unwrap();
        all.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn told(message: &str, want: &str) {
        let line = format!("quadlet-generator[77]: {message}\nquadlet-generator[78]: {message}\n");
        assert_eq!(judged(&line, true, &[], &[]), [want]);
    }

    #[test]
    fn messages_become_findings_with_their_places() {
        told(
            "converting \"a.container\": unsupported key 'Foo' in group 'Container' in /s/a.container",
            "podman's generator refuses `a.container`: unsupported key 'Foo' in group 'Container'\n  at a.container:5:1",
        );
        told(
            "converting \"a.container\": no Image or Rootfs key specified",
            "podman's generator refuses `a.container`: no Image or Rootfs key specified\n  at a.container:1:1",
        );
        told(
            "converting \"a.container\": quadlet pod unit nope.pod does not exist",
            "podman's generator refuses `a.container`: quadlet pod unit nope.pod does not exist\n  at a.container:6:1",
        );
        told(
            "error loading \"/s/a.container\", file contains line 3: “[Container” which is not a key-value pair, group, or comment",
            "podman's generator refuses `a.container`: file contains line 3: “[Container” which is not a key-value pair, \
             group, or comment\n  at a.container:3:1",
        );
        told(
            "Warning: a.container specifies the image \"x:1\" which not a fully qualified image name. This is not ideal.",
            "`a.container` has the image `x:1`, which is not a full name\n  at a.container:4:1\n  \
             help: write it with its registry, or pin it by its ID",
        );
        told("something new", "podman's generator says: something new");
    }

    #[test]
    fn what_is_usual_is_no_finding() {
        let made = [("a.service", "[Unit]\nSourcePath=/s/a.container\n[Install]\nWantedBy=default.target\n")];
        let usual = "quadlet-generator[7]: Loading source unit file /s/a.container\n";
        assert!(judged(usual, false, &made, &["a.service"]).is_empty());
        assert!(judged("quadlet-generator[7]: No files parsed from [/s]\n", false, &[], &[]).is_empty());
    }

    #[test]
    fn the_units_must_be_the_expected_ones() {
        let other =
            [("b.service", "[Unit]\nSourcePath=/s/a.container\n[Install]\nWantedBy=default.target\n")];
        assert_eq!(
            judged("", false, &other, &["a.service"]),
            [
                "podman's generator made no `a.service`, and does not say why",
                "podman's generator made `b.service`, which is not expected\n  at a.container:1:1: from this",
                "`b.service` is not started by itself: there is no `default.target.wants/b.service`\n  \
                 at a.container:7:1: asked for here",
            ]
        );
        assert_eq!(
            judged("quadlet-generator[7]: no\n", true, &[], &["a.service"]),
            ["podman's generator says: no\n  note: not made, of what was expected: `a.service`"]
        );
        assert_eq!(judged("", true, &[], &[]), ["podman's generator refuses the units and does not say why"]);
        let dry = "---a.service---\n[Unit]\nA=b\n\n---b-pod.service---\n";
        assert_eq!(names(dry).len(), 2);
        assert_eq!(units(dry)["a.service"], "[Unit]\nA=b\n\n");
    }

    #[test]
    fn two_files_of_one_name_are_told() {
        let twice =
            sources(&[("x/a.container", ""), (".y/a.container", ""), ("a.container.d/a.container", "")]);
        let all: Vec<String> = twins(&twice).iter().map(ToString::to_string).collect();
        assert_eq!(
            all,
            ["`a.container` is there 2 times, and podman reads the first alone\n  at .y/a.container:1:1\n  \
              at x/a.container:1:1"]
        );
        assert!(twins(&sources(&[("x/a.conf", ""), ("y/a.conf", "")])).is_empty());
    }
}
