//! What may be installed: one version of each package, from the index or from a pin, with what it needs
//! and provides, and the order in which apt tries those that answer one relation.

use std::{
    cell::RefCell,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    index::{Index, Paragraph, ParagraphId},
    relation::{self, Group, Relation},
    unneeded::is_unneeded,
};
use crate::{
    debian::lock::{Pin, PlatformLock},
    diagnostic::Diagnostic,
    name::DebianName,
};

/// The one version of a package that may be installed.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// The binary package.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Where it comes from.
    pub origin: Origin<'a>,
    /// Pre-Depends, then Depends.
    pub needs: Vec<Group<'a>>,
    /// Conflicts, then Breaks.
    pub excludes: Vec<Relation<'a>>,
    provides: Vec<Relation<'a>>,
    /// Whether it answers `name:any`.
    any_architecture: bool,
    essential: bool,
    important: bool,
    priority: u8,
}

/// Where a candidate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A paragraph of the index.
    Index(ParagraphId),
    /// A pin that the index no longer has.
    Pin(&'a Pin),
}

/// All candidates; reads the index as it is asked.
#[derive(Debug)]
pub struct Universe<'a> {
    index: &'a Index,
    pins: BTreeMap<&'a str, &'a Pin>,
    /// Whether the pins have all their needs.
    whole: bool,
    candidates: RefCell<BTreeMap<&'a str, Option<Rc<Candidate<'a>>>>>,
    answers: RefCell<BTreeMap<Relation<'a>, Rc<[&'a str]>>>,
    mentions: RefCell<BTreeMap<&'a str, Option<super::index::Mention>>>,
    malformed: RefCell<BTreeMap<&'a str, String>>,
}

impl<'a> Universe<'a> {
    /// Everything the index has, with the versions of the lock preferred except for the `released`.
    #[must_use]
    pub fn new(index: &'a Index, lock: Option<&'a PlatformLock>, released: &BTreeSet<DebianName>) -> Self {
        let pins = lock.into_iter().flat_map(PlatformLock::packages);
        Self {
            index,
            whole: lock.is_none_or(PlatformLock::is_whole),
            pins: pins
                .filter(|(name, _)| !released.contains(*name))
                .map(|(name, pin)| (name.as_str(), pin))
                .collect(),
            candidates: RefCell::default(),
            answers: RefCell::default(),
            mentions: RefCell::default(),
            malformed: RefCell::default(),
        }
    }

    /// The index behind it.
    #[must_use]
    pub fn index(&self) -> &'a Index {
        self.index
    }

    /// The candidate of a package, if there is a package of this name.
    #[must_use]
    pub fn candidate(&self, name: &'a str) -> Option<Rc<Candidate<'a>>> {
        if let Some(known) = self.candidates.borrow().get(name) {
            return known.clone();
        }
        let candidate = self.read(name).map(Rc::new);
        self.candidates.borrow_mut().insert(name, candidate.clone());
        candidate
    }

    fn read(&self, name: &'a str) -> Option<Candidate<'a>> {
        let pin = self.pins.get(name).copied();
        let id = match pin {
            Some(pin) => {
                let same = |id: &ParagraphId| {
                    let paragraph = self.index.paragraph(*id);
                    paragraph.version == pin.version.as_str() && paragraph.sha256 == pin.sha256.to_string()
                };
                match self.index.versions(name).find(same) {
                    Some(id) => id,
                    None => return self.stale(pin),
                }
            }
            None => self.index.candidate(name)?,
        };
        let paragraph = self.index.paragraph(id);
        let read = |field| self.groups(paragraph.package, field);
        let needs = self.needs(&paragraph)?;
        let excludes = [read(paragraph.conflicts)?, read(paragraph.breaks)?];
        let provides = read(paragraph.provides)?.into_iter().flatten().collect();
        let yes = |field: &str| field == "yes";
        // apt protects itself as if it were essential.
        let apt = paragraph.package == "apt";
        Some(Candidate {
            name: paragraph.package,
            version: paragraph.version,
            origin: Origin::Index(id),
            needs,
            excludes: excludes.into_iter().flatten().flatten().collect(),
            provides,
            any_architecture: paragraph.multi_arch == "allowed",
            essential: yes(paragraph.essential),
            important: yes(paragraph.important) || yes(paragraph.protected) || apt,
            priority: match paragraph.priority {
                "required" => 1,
                "important" => 2,
                "standard" => 3,
                "optional" => 4,
                _ => 5,
            },
        })
    }

    /// What a field of a package says; what is wrong with it is kept.
    fn groups(&self, package: &'a str, field: &'a str) -> Option<Vec<Group<'a>>> {
        let wrong = |error: relation::RelationError| {
            self.malformed.borrow_mut().entry(package).or_insert_with(|| error.to_string());
        };
        relation::parse(field).map_err(wrong).ok()
    }

    /// Pre-Depends, then Depends.
    fn needs(&self, paragraph: &Paragraph<'a>) -> Option<Vec<Group<'a>>> {
        let mut needs = self.groups(paragraph.package, paragraph.pre_depends)?;
        needs.extend(self.groups(paragraph.package, paragraph.depends)?);
        Some(needs)
    }

    /// A pin that the index no longer has: it needs what it was locked with, in whatever version. What a partial lock
    /// left out of that is what the version needs that the index has now.
    fn stale(&self, pin: &'a Pin) -> Option<Candidate<'a>> {
        let mut candidate = stale(pin);
        if !self.whole
            && let Some(id) = self.index.candidate(candidate.name)
        {
            let mut needs = self.needs(&self.index.paragraph(id))?;
            needs.retain(|group| group.iter().any(|one| is_unneeded(candidate.name, one.name)));
            candidate.needs.append(&mut needs);
        }
        Some(candidate)
    }

    /// Whether the candidate of this name is a pin that the index no longer has, as far as it was asked for.
    #[must_use]
    pub fn is_stale(&self, name: &str) -> bool {
        let candidates = self.candidates.borrow();
        let candidate = candidates.get(name).and_then(Option::as_ref);
        candidate.is_some_and(|candidate| matches!(candidate.origin, Origin::Pin(_)))
    }

    /// The packages that answer a relation, in the order apt would try them.
    #[must_use]
    pub fn answers(&self, relation: &Relation<'a>) -> Rc<[&'a str]> {
        if let Some(known) = self.answers.borrow().get(relation) {
            return Rc::clone(known);
        }
        let mut found: Vec<Rc<Candidate<'a>>> = Vec::new();
        let native = self.index.platform().debian_architecture();
        let any = relation.qualifier == Some("any");
        let here =
            any || relation.qualifier.is_none_or(|qualifier| qualifier == native || qualifier == "native");
        let fits = |version: Option<&str>| match (relation.constraint, version) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((operator, want)), Some(have)) => operator.holds(have, want),
        };
        if here
            && let Some(own) = self.candidate(relation.name)
            && (!any || own.any_architecture)
            && fits(Some(own.version))
        {
            found.push(own);
        }
        if here {
            for name in self.provider_names(relation.name) {
                let Some(owner) = self.candidate(name) else { continue };
                let provides = owner.provides.iter().any(|provided| {
                    provided.name == relation.name
                        && match provided.qualifier {
                            None => !any || owner.any_architecture,
                            Some(qualifier) => relation.qualifier == Some(qualifier),
                        }
                        && fits(provided.constraint.map(|(_, version)| version))
                });
                if provides && !found.iter().any(|known| known.name == owner.name) {
                    found.push(owner);
                }
            }
        }
        found.sort_by(|left, right| self.preference(relation, left, right));
        let names: Rc<[&'a str]> = found.iter().map(|candidate| candidate.name).collect();
        self.answers.borrow_mut().insert(*relation, Rc::clone(&names));
        names
    }

    /// Names of packages that provide a name, in some version of theirs.
    fn provider_names(&self, name: &str) -> BTreeSet<&'a str> {
        let indexed = self.index.providers(name).map(|id| self.index.paragraph(id).package);
        let pinned = self.pins.values().filter(|pin| pin.provides.iter().any(|p| p.name.as_str() == name));
        indexed.chain(pinned.map(|pin| pin.name.as_str())).collect()
    }

    /// apt's order (`CompareProviders`): the package of that very name, essential ones, important ones,
    /// by priority, and at last the one that the indexes mention later.
    fn preference(&self, relation: &Relation<'a>, left: &Candidate<'a>, right: &Candidate<'a>) -> Ordering {
        if left.name == right.name {
            return Ordering::Equal;
        }
        let namesake =
            |candidate: &Candidate<'a>| relation.qualifier.is_none() && candidate.name == relation.name;
        namesake(right)
            .cmp(&namesake(left))
            .then(right.essential.cmp(&left.essential))
            .then(right.important.cmp(&left.important))
            .then(left.priority.cmp(&right.priority))
            .then_with(|| self.mention(right.name).cmp(&self.mention(left.name)))
            .then(left.name.cmp(right.name))
    }

    fn mention(&self, name: &'a str) -> Option<super::index::Mention> {
        if let Some(known) = self.mentions.borrow().get(name) {
            return *known;
        }
        let mention = self.index.mention(name);
        self.mentions.borrow_mut().insert(name, mention);
        mention
    }

    /// What was wrong with the paragraphs that were read.
    #[must_use]
    pub fn malformed(&self) -> Vec<Diagnostic> {
        let malformed = self.malformed.borrow();
        let diagnostic = |(name, error): (&&str, &String)| {
            Diagnostic::new(format!(
                "the paragraph of `{}` in the package index is malformed: {error}",
                name.escape_debug()
            ))
        };
        malformed.iter().map(diagnostic).collect()
    }
}

/// A pin as a candidate.
fn stale(pin: &Pin) -> Candidate<'_> {
    let plain = |name| Relation { name, qualifier: None, constraint: None };
    Candidate {
        name: pin.name.as_str(),
        version: pin.version.as_str(),
        origin: Origin::Pin(pin),
        needs: pin.depends.iter().map(|name| vec![plain(name.as_str())]).collect(),
        excludes: Vec::new(),
        provides: pin
            .provides
            .iter()
            .map(|provided| Relation {
                constraint: provided
                    .version
                    .as_ref()
                    .map(|version| (relation::Operator::Equal, version.as_str())),
                ..plain(provided.name.as_str())
            })
            .collect(),
        any_architecture: true,
        essential: false,
        important: false,
        priority: 4,
    }
}

impl<'a> Candidate<'a> {
    /// What it provides besides its own name.
    #[must_use]
    pub fn provides(&self) -> &[Relation<'a>] {
        &self.provides
    }
}
