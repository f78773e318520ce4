//! The `[tool.uv]` keys that uv reads only at a workspace root, merged over all members.
//!
//! Values that are equal or can stand side by side are united; two that disagree are a conflict with
//! both places. What becomes of the other keys is in [`crate::crypt::inputs`].

use std::collections::{BTreeMap, BTreeSet};

use uv_pep440::{Version, VersionSpecifiers};

use super::{
    extras::has_extra,
    node::{complain, is_true, requirement},
    project::Project,
};
use crate::{
    crypt::manifest::Dependency,
    diagnostic::{Diagnostic, Place},
    document::{Node, Table},
    name::{
        PackageName,
        url::{HostPolicy, UrlError},
    },
    python::install::Building,
    tools,
};

/// One value for the whole federation.
const SCALARS: [&str; 5] = ["exclude-newer", "fork-strategy", "index-strategy", "prerelease", "resolution"];
/// One value for each package name.
const BY_PACKAGE: [&str; 2] = ["exclude-newer-package", "prerelease-package"];
/// Lists of requirements that add up.
const LISTS: [&str; 3] = ["build-constraint-dependencies", "constraint-dependencies", "exclude-dependencies"];

/// What the members' root-only settings come to.
#[derive(Clone, Debug, Default)]
pub(super) struct RootSettings {
    /// Keys for `[tool.uv]` of the root `pyproject.toml`.
    pub(super) root: toml::Table,
    /// Keys for `uv.toml`.
    pub(super) configuration: toml::Table,
    /// uv's keys about building, united; what the policy allows is left empty.
    pub(super) building: Building,
    /// Overrides and constraints with who wrote them, for explanations.
    pub(super) asked: Vec<(String, Dependency)>,
    /// What a person should know about the merge.
    pub(super) notes: Vec<String>,
}

/// A value and the member that set it.
struct Claim<'a> {
    by: String,
    node: &'a Node,
    /// Whether it is of an extension, whose word about all is told.
    is_of_extension: bool,
    /// Whether it is of a project within a member's workspace.
    is_further: bool,
}

impl<'a> Claim<'a> {
    /// The same member's word about a part of it.
    fn part(&self, node: &'a Node) -> Self {
        Self { by: self.by.clone(), node, ..*self }
    }
}

fn claims<'a>(projects: &'a [Project], key: &'a str) -> impl Iterator<Item = Claim<'a>> {
    // uv takes these keys from a member's own root, but the indexes of each project.
    projects
        .iter()
        .filter(move |project| project.directory.is_none() || key == "index")
        .filter_map(move |project| Some((project, project.manifest.uv.get(key)?)))
        .map(|(project, node)| Claim {
            by: project.title(),
            node,
            is_of_extension: !project.member.is_core(),
            is_further: project.directory.is_some(),
        })
}

/// Merges the settings of all members.
pub(super) fn root_settings(
    projects: &[Project],
    hosts: &HostPolicy,
) -> Result<RootSettings, Vec<Diagnostic>> {
    let mut merge = Merge { settings: RootSettings::default(), wrong: Vec::new() };
    for key in SCALARS {
        let mut first = BTreeMap::new();
        for claim in claims(projects, key) {
            if let Some(value) = merge.agree(&mut first, key.to_owned(), &format!("`{key}`"), &claim) {
                merge.speaks_for_all(key, &claim);
                merge.settings.configuration.insert(key.to_owned(), value);
            }
        }
    }
    for key in BY_PACKAGE {
        let mut first = BTreeMap::new();
        let mut table = toml::Table::new();
        for claim in claims(projects, key) {
            merge.speaks_for_all(key, &claim);
            for (package, field) in claim.node.as_table().into_iter().flat_map(Table::iter) {
                let one = claim.part(&field.node);
                let what = format!("`{key}` of `{}`", package.escape_debug());
                if let Some(value) = merge.agree(&mut first, package.to_owned(), &what, &one) {
                    table.insert(package.to_owned(), value);
                }
            }
        }
        if !table.is_empty() {
            merge.settings.configuration.insert(key.to_owned(), table.into());
        }
    }
    for key in LISTS {
        merge.requirements(projects, key, false);
    }
    merge.requirements(projects, "override-dependencies", true);
    merge.metadata(projects);
    merge.indexes(projects, hosts);
    merge.conflicts(projects);
    merge.building(projects);
    merge.required_version(projects);
    if merge.wrong.is_empty() { Ok(merge.settings) } else { Err(merge.wrong) }
}

/// The first claim of each subject: its value, who made it, where.
type First = BTreeMap<String, (toml::Value, String, Place)>;

fn field<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.as_table()?.get(key)
}

struct Merge {
    settings: RootSettings,
    wrong: Vec<Diagnostic>,
}

impl Merge {
    /// What an extension says of all packages holds for the core's too, which its author may not expect.
    fn speaks_for_all(&mut self, key: &str, claim: &Claim<'_>) {
        if claim.is_of_extension {
            let place = &claim.node.place;
            self.settings.notes.push(format!("{place}: `{key}` of `{}` holds for every member", claim.by));
        }
    }

    /// The value when this claim is the first on `subject`; a later one that differs is a conflict.
    fn agree(
        &mut self,
        first: &mut First,
        subject: String,
        what: &str,
        claim: &Claim<'_>,
    ) -> Option<toml::Value> {
        let value = claim.node.to_toml();
        match first.get(&subject) {
            None => {
                first.insert(subject, (value.clone(), claim.by.clone(), claim.node.place.clone()));
                Some(value)
            }
            Some((earlier, ..)) if *earlier == value => None,
            Some((_, by, place)) => {
                self.wrong.push(
                    Diagnostic::new(format!("`{by}` and `{}` disagree on {what}", claim.by))
                        .at(place.clone(), format!("{by} wants this"))
                        .at(claim.node.place.clone(), format!("{} wants this", claim.by))
                        .requested_by(by.clone())
                        .requested_by(claim.by.clone())
                        .help("uv takes one value for the whole federation: make the two equal"),
                );
                None
            }
        }
    }

    /// Unites lists of requirements; an override is a word of command, so one a package and marker.
    fn requirements(&mut self, projects: &[Project], key: &str, exclusive: bool) {
        let mut first = BTreeMap::new();
        let mut all = BTreeSet::new();
        for claim in claims(projects, key) {
            for node in claim.node.as_array().unwrap_or_default() {
                if node.as_table().is_some() {
                    let message =
                        format!("an entry of `{key}` for the dependencies of one package is not taken");
                    let help = "write the requirement itself, which then holds for every package";
                    self.wrong.push(complain(&node.place, message).requested_by(claim.by.clone()).help(help));
                    continue;
                }
                let asked = match requirement(node) {
                    Ok(asked) => asked,
                    Err(bad) => {
                        self.wrong.push(bad.requested_by(claim.by.clone()));
                        continue;
                    }
                };
                let requirement = &asked.requirement;
                let marker = requirement.marker.try_to_string().unwrap_or_default();
                let subject = format!("{} {marker}", requirement.name);
                if exclusive {
                    let one = claim.part(node);
                    let text = requirement.to_string();
                    let same =
                        first.get(&subject).is_some_and(|(_, earlier): &(First, String)| *earlier == text);
                    if !same {
                        let entry = first.entry(subject.clone()).or_insert_with(|| (First::new(), text));
                        self.agree(
                            &mut entry.0,
                            subject,
                            &format!("the override of `{}`", requirement.name),
                            &one,
                        );
                    }
                }
                all.insert(requirement.to_string());
                self.settings.asked.push((claim.by.clone(), asked));
            }
        }
        if !all.is_empty() {
            let values: Vec<toml::Value> = all.into_iter().map(Into::into).collect();
            self.settings.root.insert(key.to_owned(), values.into());
        }
    }

    /// The forge has one uv for all; a member that wants another is told of.
    fn required_version(&mut self, projects: &[Project]) {
        for claim in claims(projects, "required-version") {
            let text = claim.node.as_str().unwrap_or_default();
            // A version alone is that one.
            let specifiers = text.parse().or_else(|_| format!("=={text}").parse::<VersionSpecifiers>());
            let own = tools::uv::VERSION.parse::<Version>();
            let fits = specifiers.ok().zip(own.ok()).is_some_and(|(wanted, own)| wanted.contains(&own));
            if !fits {
                self.settings.notes.push(format!(
                    "{}: `{}` wants uv {}, and the forge locks with its own {}",
                    claim.node.place,
                    claim.by,
                    text.escape_debug(),
                    tools::uv::VERSION
                ));
            }
        }
    }

    /// One member's word about building holds for all: they share one environment.
    fn building(&mut self, projects: &[Project]) {
        let on = |key| claims(projects, key).any(|claim| is_true(claim.node));
        let (no_binary_at_all, no_build_at_all) = (on("no-binary"), on("no-build"));
        let no_binary = self.names(projects, "no-binary-package");
        let no_build = self.names(projects, "no-build-package");
        self.settings.building =
            Building { allowed: BTreeSet::new(), no_binary_at_all, no_binary, no_build_at_all, no_build };
    }

    fn names(&mut self, projects: &[Project], key: &str) -> BTreeSet<PackageName> {
        let mut names = BTreeSet::new();
        for claim in claims(projects, key) {
            for node in claim.node.as_array().unwrap_or_default() {
                match node.as_str().unwrap_or_default().parse() {
                    Ok(name) => drop(names.insert(name)),
                    Err(_) => self.wrong.push(
                        complain(&node.place, format!("`{key}` takes names of packages"))
                            .requested_by(claim.by.clone()),
                    ),
                }
            }
        }
        names
    }

    fn metadata(&mut self, projects: &[Project]) {
        let mut first = BTreeMap::new();
        let mut all = Vec::new();
        for claim in claims(projects, "dependency-metadata") {
            for node in claim.node.as_array().unwrap_or_default() {
                let text = |key: &str| field(node, key).and_then(Node::as_str).unwrap_or_default();
                let subject = format!("{} {}", text("name"), text("version"));
                let what = format!("the metadata of `{}`", subject.trim_end().escape_debug());
                let one = claim.part(node);
                all.extend(self.agree(&mut first, subject, &what, &one));
            }
        }
        if !all.is_empty() {
            self.settings.configuration.insert("dependency-metadata".to_owned(), all.into());
        }
    }

    /// Indexes keep their order, the core's first; names and the default must not disagree.
    fn indexes(&mut self, projects: &[Project], hosts: &HostPolicy) {
        let mut first = BTreeMap::new();
        let mut all: Vec<toml::Value> = Vec::new();
        for claim in claims(projects, "index") {
            for node in claim.node.as_array().unwrap_or_default() {
                let one = claim.part(node);
                self.index(&one, hosts, &mut first, &mut all);
            }
        }
        for claim in claims(projects, "extra-index-url") {
            for node in claim.node.as_array().unwrap_or_default() {
                let one = claim.part(node);
                if self.allowed(&one, node, hosts)
                    && !all.iter().any(|index| index.get("url") == Some(&node.to_toml()))
                {
                    all.push(toml::Table::from_iter([("url".to_owned(), node.to_toml())]).into());
                }
            }
        }
        for claim in claims(projects, "index-url") {
            if self.allowed(&claim, claim.node, hosts)
                && let Some(url) = self.agree(&mut first, "default".to_owned(), "the default index", &claim)
            {
                let flag = ("default".to_owned(), toml::Value::Boolean(true));
                all.push(toml::Table::from_iter([("url".to_owned(), url), flag]).into());
            }
        }
        if !all.is_empty() {
            self.settings.configuration.insert("index".to_owned(), all.clone().into());
            self.settings.root.insert("index".to_owned(), all.into());
        }
    }

    fn index(
        &mut self,
        claim: &Claim<'_>,
        hosts: &HostPolicy,
        first: &mut First,
        all: &mut Vec<toml::Value>,
    ) {
        let Some(url) = field(claim.node, "url") else {
            self.wrong.push(complain(&claim.node.place, "an index needs a `url`"));
            return;
        };
        if !self.allowed(claim, url, hosts) {
            return;
        }
        // uv takes those of a further project for its own sources alone.
        if claim.is_further && field(claim.node, "name").is_none() {
            return;
        }
        let flag = |key: &str| match key {
            "explicit" if claim.is_further => true,
            "default" if claim.is_further => false,
            _ => field(claim.node, key).is_some_and(is_true),
        };
        if flag("default") {
            let one = claim.part(url);
            self.agree(first, "default".to_owned(), "the default index", &one);
        }
        let name = field(claim.node, "name").and_then(Node::as_str);
        let subject =
            name.map_or_else(|| format!("url {}", url.as_str().unwrap_or_default()), |n| format!("name {n}"));
        let what = format!("the index `{}`", name.or(url.as_str()).unwrap_or_default().escape_debug());
        if let Some(mut value) = self.agree(first, subject, &what, claim) {
            if let Some(table) = value.as_table_mut().filter(|_| claim.is_further) {
                table.remove("default");
                table.insert("explicit".to_owned(), true.into());
            }
            if !flag("explicit") && !flag("default") && all.iter().all(|known| known != &value) {
                self.settings.notes.push(format!(
                    "{what} of `{}` is searched before the default index, for every member's packages; `explicit = true` narrows it",
                    claim.by
                ));
            }
            all.push(value);
        }
    }

    fn allowed(&mut self, claim: &Claim<'_>, url: &Node, hosts: &HostPolicy) -> bool {
        let Err(error) = hosts.check(url.as_str().unwrap_or_default()) else { return true };
        let mut complaint = complain(&url.place, error.to_string()).requested_by(claim.by.clone());
        if let UrlError::Host { host } = &error {
            complaint =
                complaint.help(format!("add \"{}\" to `[policy] hosts` in forge.toml", host.escape_debug()));
        }
        self.wrong.push(complaint);
        false
    }

    /// Declared conflicts between extras; one without `package` means the member that wrote it.
    /// Groups are never staged, so sets of them have no meaning here.
    fn conflicts(&mut self, projects: &[Project]) {
        let mut all = BTreeSet::new();
        for project in projects.iter().filter(|project| project.directory.is_none()) {
            let sets = project.manifest.uv.get("conflicts").and_then(Node::as_array);
            for set in sets.unwrap_or_default() {
                let own = project.name().to_string();
                let items: BTreeSet<(String, String)> = set
                    .as_array()
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|item| {
                        let package = field(item, "package").and_then(Node::as_str);
                        let extra = field(item, "extra")?.as_str()?;
                        Some((package.map_or_else(|| own.clone(), str::to_owned), extra.to_owned()))
                    })
                    .filter(|(package, extra)| has_extra(projects, package, extra))
                    .collect();
                if items.len() > 1 {
                    all.insert(items.into_iter().collect::<Vec<_>>());
                }
            }
        }
        if !all.is_empty() {
            let item = |(package, extra): (String, String)| {
                let entries = [("package".to_owned(), package.into()), ("extra".to_owned(), extra.into())];
                toml::Value::Table(entries.into_iter().collect())
            };
            let sets: Vec<toml::Value> =
                all.into_iter().map(|set| set.into_iter().map(item).collect::<Vec<_>>().into()).collect();
            self.settings.root.insert("conflicts".to_owned(), sets.into());
        }
    }
}
