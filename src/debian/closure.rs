//! From roots to pins over the index: names of the roots, the choice, and why it cannot be when it
//! cannot.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Root,
    relation::{Group, Relation},
    request::asked_by,
    resolver::Resolver,
    universe::{Candidate, Origin, Universe},
};
use crate::{
    debian::lock::{Pin, PlatformLock, Provided},
    diagnostic::{Diagnostic, Failure, refuse_any},
    name::DebianName,
};

/// The closed set for some roots.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closure {
    /// Pins of all that apt would install, by name.
    pub(super) pins: Vec<Pin>,
    /// Virtual roots and the package that answers each.
    pub(super) aliases: BTreeMap<DebianName, DebianName>,
}

/// Why there is none: what to say, and which packages' versions had a part in it.
#[derive(Debug)]
pub(super) struct Unsatisfied {
    pub(super) failure: Failure,
    pub(super) blamed: BTreeSet<String>,
}

impl From<Failure> for Unsatisfied {
    fn from(failure: Failure) -> Self {
        Self { failure, blamed: BTreeSet::new() }
    }
}

/// Resolves the roots over a universe, step by step: what one step chose, the next leaves as it is.
pub(super) fn close<'a>(
    universe: &Universe<'a>,
    lock: Option<&'a PlatformLock>,
    steps: &'a [Vec<Root>],
) -> Result<Closure, Unsatisfied> {
    let mut aliases = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut asked: Vec<BTreeMap<&'a str, Vec<&'a Root>>> = Vec::new();
    for step in steps {
        let mut real: BTreeMap<&'a str, Vec<&'a Root>> = BTreeMap::new();
        for root in step {
            match real_name(universe, lock, root) {
                Ok(name) => {
                    if name != root.name.as_str()
                        && let Ok(target) = name.parse()
                    {
                        aliases.insert(root.name.clone(), target);
                    }
                    real.entry(name).or_default().push(root);
                }
                Err(diagnostic) => wrong.push(diagnostic),
            }
        }
        asked.push(real);
    }
    wrong.extend(universe.malformed());
    refuse_any(wrong)?;
    let mut resolver = Resolver::new(universe);
    let mut edges = Edges::default();
    for real in &asked {
        let names: Vec<&'a str> = real.keys().copied().collect();
        resolver.choose(&names);
        edges.follow(universe, &resolver, names);
    }
    refuse_any(universe.malformed())?;
    let search = Search { universe, resolver: &resolver };
    let mut blamed = BTreeSet::new();
    let mut wrong = Vec::new();
    for (&name, asked) in asked.iter().flatten() {
        if let Some(reason) = search.trouble(name, &mut blamed) {
            wrong.push(explain(asked, &reason));
        }
    }
    if !wrong.is_empty() {
        return Err(Unsatisfied { failure: Failure::Refused(wrong), blamed });
    }
    Ok(Closure { pins: edges.pins(universe)?, aliases })
}

/// The package that a root means: itself, or the one provider of a virtual name.
fn real_name<'a>(
    universe: &Universe<'a>,
    lock: Option<&'a PlatformLock>,
    root: &'a Root,
) -> Result<&'a str, Diagnostic> {
    let name = root.name.as_str();
    if universe.candidate(name).is_some() {
        return Ok(name);
    }
    let providers = universe.answers(&Relation { name, qualifier: None, constraint: None });
    let before = lock.and_then(|lock| lock.aliases().get(&root.name));
    if let Some(before) = before
        && providers.contains(&before.as_str())
    {
        return Ok(before.as_str());
    }
    let suites = universe.index().suites();
    let suites = suites.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match providers[..] {
        [only] => Ok(only),
        [] => {
            let near = universe.index().near(name);
            let diagnostic = Diagnostic::new(format!("there is no system package `{name}` in {suites}"));
            let diagnostic = asked_by(diagnostic, &[root]);
            let is_python = root.requested_by.is_none() && name.starts_with("python3.");
            Err(if is_python {
                diagnostic.help(
                    "of Debian trixie has Python 3.13 and bookworm 3.11: `python` under [image] and `suites` under [substrate.debian] in forge.toml say which",
                )
            } else if near.is_empty() {
                diagnostic
            } else {
                diagnostic.help(format!("there is `{}`", near.join("`, `")))
            })
        }
        _ => Err(asked_by(
            Diagnostic::new(format!("system package `{name}` is virtual and provided by several packages")),
            &[root],
        )
        .help(format!("name one of `{}`", providers.join("`, `")))),
    }
}

fn explain(roots: &[&Root], reason: &[String]) -> Diagnostic {
    let name = roots.first().map_or("", |root| root.name.as_str());
    let diagnostic =
        Diagnostic::new(format!("system package `{name}` cannot be installed: {}", reason.join("; ")));
    asked_by(diagnostic, roots)
}

struct Search<'s, 'u, 'a> {
    universe: &'s Universe<'a>,
    resolver: &'s Resolver<'u, 'a>,
}

impl<'a> Search<'_, '_, 'a> {
    /// The shortest chain of needs from a root to the first thing that does not hold.
    fn trouble(&self, root: &'a str, blamed: &mut BTreeSet<String>) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([root]);
        // Breadth first; each entry knows the one that led to it, and how.
        let mut trail: Vec<(&'a str, usize, String)> = vec![(root, 0, String::new())];
        let mut open_need = None;
        let mut at = 0;
        while let Some(&(name, ..)) = trail.get(at) {
            let here = at;
            at += 1;
            let Some(candidate) = self.universe.candidate(name) else { continue };
            let chosen = self.resolver.is_chosen(name);
            if chosen && let Some((other, relation)) = self.resolver.clashing(&candidate).first() {
                blamed.extend([name.to_owned(), (*other).to_owned()]);
                let last = format!("`{name}` excludes `{relation}`, and `{other}` is needed as well");
                return Some(told(&trail, here, last));
            }
            for group in &candidate.needs {
                let mut onward = self.resolver.answering(group);
                if onward.is_empty() {
                    blamed.insert(name.to_owned());
                    self.blame(group, blamed);
                    onward =
                        group.iter().flat_map(|relation| self.universe.answers(relation).to_vec()).collect();
                    if onward.is_empty() {
                        return Some(told(&trail, here, self.missing(name, group)));
                    }
                    if chosen && open_need.is_none() {
                        let last =
                            format!("`{name}` needs `{}`, which excludes something else", spell(group));
                        open_need = Some(told(&trail, here, last));
                    }
                }
                for to in onward {
                    if seen.insert(to) {
                        trail.push((to, here, format!("`{name}` needs `{}`", spell(group))));
                    }
                }
            }
        }
        // Nothing is impossible by itself: what is left open excludes what is needed elsewhere.
        open_need
    }

    fn blame(&self, group: &Group<'a>, blamed: &mut BTreeSet<String>) {
        for relation in group {
            blamed.insert(relation.name.to_owned());
            let any = Relation { constraint: None, ..*relation };
            blamed.extend(self.universe.answers(&any).iter().map(|&name| name.to_owned()));
        }
    }

    fn missing(&self, name: &str, group: &Group<'a>) -> String {
        let versions: Vec<String> = group
            .iter()
            .filter_map(|relation| self.universe.candidate(relation.name))
            .map(|candidate| format!("{} is {}", candidate.name, candidate.version))
            .collect();
        let have = if versions.is_empty() { String::new() } else { format!(" ({})", versions.join(", ")) };
        format!("`{name}` needs `{}`, which is not available{have}", spell(group))
    }
}

/// The steps that led to an entry of the trail, and the last one.
fn told(trail: &[(&str, usize, String)], at: usize, last: String) -> Vec<String> {
    let mut steps = vec![last];
    let mut at = at;
    while let Some((_, before, step)) = trail.get(at).filter(|_| at > 0) {
        steps.push(step.clone());
        at = *before;
    }
    if steps.len() > 12 {
        let hidden = steps.len() - 11;
        steps.splice(6..6 + hidden, [format!("… {hidden} more …")]);
    }
    steps.reverse();
    steps
}

fn spell(group: &Group<'_>) -> String {
    group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

/// Which chosen package needs which, and by what names.
#[derive(Default)]
struct Edges<'a> {
    onward: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// What a package is needed as besides its own name, with the version it is provided in.
    provided: BTreeMap<&'a str, BTreeSet<(&'a str, Option<&'a str>)>>,
}

impl<'a> Edges<'a> {
    /// Follows from the roots what was chosen; what was followed before keeps its edges.
    fn follow(&mut self, universe: &Universe<'a>, resolver: &Resolver<'_, 'a>, mut pending: Vec<&'a str>) {
        while let Some(name) = pending.pop() {
            if self.onward.contains_key(name) {
                continue;
            }
            let mut onward = BTreeSet::new();
            if let Some(candidate) = universe.candidate(name) {
                for group in &candidate.needs {
                    let Some(&to) = resolver.answering(group).first() else { continue };
                    if to == name {
                        continue;
                    }
                    onward.insert(to);
                    if let Some(target) =
                        universe.candidate(to).filter(|_| group.iter().all(|one| one.name != to))
                    {
                        let used =
                            target.provides().iter().filter(|one| group.iter().any(|r| r.name == one.name));
                        self.provided
                            .entry(to)
                            .or_default()
                            .extend(used.map(|one| (one.name, one.constraint.map(|(_, version)| version))));
                    }
                }
            }
            pending.extend(onward.iter().copied());
            self.onward.insert(name, onward);
        }
    }

    /// A pin for each.
    fn pins(mut self, universe: &Universe<'a>) -> Result<Vec<Pin>, Failure> {
        let mut pins = Vec::new();
        let mut wrong = Vec::new();
        for (name, onward) in self.onward {
            let Some(candidate) = universe.candidate(name) else { continue };
            let provided = self.provided.remove(name).unwrap_or_default();
            match pin(universe, &candidate, &onward, &provided) {
                Ok(pin) => pins.push(pin),
                Err(what) => wrong.push(Diagnostic::new(format!(
                    "the paragraph of `{}` in the package index is malformed: {what}",
                    name.escape_debug()
                ))),
            }
        }
        refuse_any(wrong)?;
        Ok(pins)
    }
}

fn pin(
    universe: &Universe<'_>,
    candidate: &Candidate<'_>,
    onward: &BTreeSet<&str>,
    provided: &BTreeSet<(&str, Option<&str>)>,
) -> Result<Pin, String> {
    let number = |text: &str, what: &str| {
        let plain = !text.is_empty() && text.len() <= 12 && text.bytes().all(|c| c.is_ascii_digit());
        text.parse::<u64>()
            .ok()
            .filter(|_| plain)
            .ok_or_else(|| format!("bad {what} `{}`", text.escape_debug()))
    };
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut depends = BTreeSet::new();
    for name in onward {
        depends.insert(name.parse().map_err(|error: crate::name::NameError| text(&error))?);
    }
    let id = match candidate.origin {
        Origin::Pin(pin) => return Ok(Pin { depends, ..pin.clone() }),
        Origin::Index(id) => id,
    };
    let paragraph = universe.index().paragraph(id);
    let mut virtuals = BTreeSet::new();
    for (name, version) in provided {
        let version = match version {
            Some(version) => {
                Some(version.parse().map_err(|error: crate::name::debian::ArchiveTextError| text(&error))?)
            }
            None => None,
        };
        virtuals.insert(Provided {
            name: name.parse().map_err(|error: crate::name::NameError| text(&error))?,
            version,
        });
    }
    Ok(Pin {
        name: paragraph.package.parse().map_err(|error: crate::name::NameError| text(&error))?,
        version: paragraph
            .version
            .parse()
            .map_err(|error: crate::name::debian::ArchiveTextError| text(&error))?,
        architecture: paragraph.architecture.to_owned(),
        archive: universe.index().archive(id),
        path: paragraph
            .filename
            .parse()
            .map_err(|error: crate::name::debian::ArchiveTextError| text(&error))?,
        sha256: paragraph.sha256.parse().map_err(|error: crate::digest::DigestError| text(&error))?,
        size: number(paragraph.size, "size")?,
        // The index counts in KiB; a few packages say nothing.
        installed_size: match paragraph.installed_size {
            "" => 0,
            size => number(size, "installed size")?.saturating_mul(1024),
        },
        depends,
        provides: virtuals,
    })
}
