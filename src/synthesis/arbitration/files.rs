//! Files of the environment that two distributions would write: assets, console scripts, modules.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    installed::Installed,
    told::{asked_by, listed},
};
use crate::{
    crypt::{Federation, Member, assets::Assets},
    diagnostic::{Diagnostic, Place},
    python::workspace::Part,
};

/// Asset builds that write where another asset build, or another member's package, puts its files.
pub(super) fn assets(federation: &Federation, installed: &[Installed<'_>]) -> Vec<Diagnostic> {
    let all: Vec<(&Member, &Assets, &str)> = federation
        .members()
        .iter()
        .filter_map(|member| {
            let assets = member.manifest.lychd.assets.as_ref()?;
            Some((member, assets, site_path(assets.output.as_str())))
        })
        .collect();
    let mut wrong = Vec::new();
    for (index, (member, assets, path)) in all.iter().enumerate() {
        for (other, theirs, other_path) in all.iter().skip(index + 1) {
            if !is_within(path, other_path) && !is_within(other_path, path) {
                continue;
            }
            let shared = if path.len() > other_path.len() { path } else { other_path };
            let message =
                format!("the assets of `{}` and `{}` are both written to `{shared}`", member.id, other.id);
            let diagnostic = Diagnostic::new(message)
                .at(assets.place.clone(), format!("`output` is `{}`", assets.output))
                .at(theirs.place.clone(), format!("`output` is `{}`", theirs.output));
            let diagnostic = asked_by(diagnostic, [&member.id, &other.id]);
            wrong.push(diagnostic.help("write each into a package of its own"));
        }
        for owner in installed.iter().filter(|one| one.part.member != member.id) {
            let Some((_, file)) = owner.files.iter().find(|(site, _)| is_within(site, path)) else {
                continue;
            };
            let title = &owner.part.title;
            let message =
                format!("the assets of `{}` are written to `{path}`, where `{title}` has files", member.id);
            let diagnostic = Diagnostic::new(message)
                .at(assets.place.clone(), format!("`output` is `{}`", assets.output))
                .at(owner.part.manifest.project.name.place.clone(), format!("`{title}` installs `{file}`"));
            let diagnostic = asked_by(diagnostic, [&member.id, &owner.part.member]);
            wrong.push(diagnostic.help("write each into a package of its own"));
        }
    }
    wrong
}

/// Where the build's output is in `site-packages`: a source layout's `src` is not.
fn site_path(output: &str) -> &str {
    output.strip_prefix("src/").unwrap_or(output)
}

/// Whether `path` is `directory` or lies below it.
fn is_within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Programs that are there more than once, of one distribution or several, and those with a name of the interpreter.
pub(super) fn scripts(parts: &[Part]) -> Vec<Diagnostic> {
    let mut by_name: BTreeMap<&str, Vec<(&Part, &Place)>> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.manifest.build_system.is_some()) {
        for (name, target) in part.manifest.project.programs() {
            by_name.entry(name).or_default().push((part, &target.place));
        }
    }
    let wrong = |(name, owners): (&str, Vec<(&Part, &Place)>)| {
        let mut titles: Vec<&str> = owners.iter().map(|(part, _)| part.title.as_str()).collect();
        titles.dedup();
        let who = listed(titles.iter().copied());
        let (message, help) = if is_interpreter(name) {
            (format!("the command `{name}` of {who} is called as the interpreter"), "")
        } else if owners.len() > 1 {
            let twice = if titles.len() == 1 { " twice" } else { "" };
            (format!("the command `{name}` comes from {who}{twice}"), " of all but one")
        } else {
            return None;
        };
        let mut diagnostic = Diagnostic::new(message);
        for (part, place) in &owners {
            diagnostic = diagnostic.at((*place).clone(), format!("that of `{}`", part.title));
        }
        let diagnostic = asked_by(diagnostic, owners.iter().map(|(part, _)| &part.member));
        Some(diagnostic.help(format!("rename it in [project.scripts]{help}")))
    };
    by_name.into_iter().filter_map(wrong).collect()
}

/// `python`, and with the digits of a version: what the environment has of its own.
fn is_interpreter(name: &str) -> bool {
    let version = name.strip_prefix("python");
    version.is_some_and(|version| version.bytes().all(|c| c.is_ascii_digit() || c == b'.'))
}

/// Modules that more than one distribution brings; of a package that is shared as a whole only its own name.
pub(super) fn modules<'a>(found: impl Iterator<Item = &'a Installed<'a>>) -> Vec<Diagnostic> {
    let installed: Vec<&Installed<'_>> = found.collect();
    let mut by_module: BTreeMap<String, BTreeMap<usize, &str>> = BTreeMap::new();
    for (index, one) in installed.iter().enumerate() {
        for (site, file) in &one.files {
            if let Some(module) = module(site) {
                by_module.entry(module).or_default().entry(index).or_insert(file);
            }
        }
    }
    let mut told: Vec<(String, BTreeSet<usize>)> = Vec::new();
    let mut wrong = Vec::new();
    for (module, owners) in by_module.into_iter().filter(|(_, owners)| owners.len() > 1) {
        let indices: BTreeSet<usize> = owners.keys().copied().collect();
        let below = |(above, all): &(String, BTreeSet<usize>)| {
            module.strip_prefix(above.as_str()).is_some_and(|rest| rest.starts_with('.'))
                && all.is_superset(&indices)
        };
        if told.iter().any(below) {
            continue;
        }
        let parts: Vec<(&Part, &str)> =
            owners.iter().filter_map(|(index, file)| Some((installed.get(*index)?.part, *file))).collect();
        let who = listed(parts.iter().map(|(part, _)| part.title.as_str()));
        let mut diagnostic = Diagnostic::new(format!("the module `{module}` comes from {who}"));
        for (part, file) in &parts {
            let place = part.manifest.project.name.place.clone();
            let brings = if part.manifest.build_system.is_some() { "installs" } else { "has" };
            diagnostic = diagnostic.at(place, format!("`{}` {brings} `{file}`", part.title));
        }
        let diagnostic = asked_by(diagnostic, parts.iter().map(|(part, _)| &part.member));
        wrong.push(diagnostic.help("rename the module in all but one"));
        told.push((module, indices));
    }
    wrong
}

/// `a.b` for `a/b.py` and `a/b/__init__.py`.
fn module(site: &str) -> Option<String> {
    let path = site.strip_suffix(".py")?;
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    Some(path.replace('/', "."))
}
