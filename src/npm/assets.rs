//! The members' front ends: what builds each, and which members' trees it reads.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    plan::{Plan, Project},
    record::Asset,
};
use crate::{
    crypt::{AssetSource, Member},
    diagnostic::{Diagnostic, Failure, refuse_any},
    name::MemberId,
    tools::node as tools,
    tree::{Entry, FileTree, RelativePath},
};

/// What a front end writes in its sources to have the trees of all members beside it: the start of the names of
/// the files that `nix/node/tailwind.py` writes.
const FEDERATION: &str = "tailwind.federation.";
/// Files that may say so.
const STYLED: [&str; 12] =
    ["css", "scss", "pcss", "js", "cjs", "mjs", "ts", "cts", "mts", "html", "vue", "svelte"];

/// The front ends with the Nodes they are built with.
pub(super) fn of(members: &[Member], plan: &Plan<'_>) -> Result<Vec<Asset>, Failure> {
    let mut assets = Vec::new();
    let mut errors = Vec::new();
    for project in &plan.projects {
        let engines = project.package.node.as_ref();
        let Some(pin) = tools::choose(engines.map(|engine| &engine.range)) else {
            let known: Vec<&str> = tools::NODES.iter().map(|pin| pin.version).collect();
            errors.extend(engines.map(|engine| {
                Diagnostic::new(format!("no pinned Node is `{}`", engine.text.escape_debug()))
                    .at(engine.place.clone(), "`engines` wants it")
                    .requested_by(project.member.to_string())
                    .help(format!("this forge has Node {}", known.join(" and ")))
            }));
            continue;
        };
        let Some(member) = members.iter().find(|member| member.id == *project.member) else { continue };
        let Some(of) = &member.manifest.lychd.assets else { continue };
        if of.source.directory() != project.package.directory.as_ref() {
            continue;
        }
        assets.push(Asset {
            member: project.member.clone(),
            source: of.source.clone(),
            script: of.script.clone(),
            output: of.output.clone(),
            node: pin.version.to_owned(),
            reads: reads(project, styles_all(&member.source.tree, &of.source), members, plan),
        });
    }
    refuse_any(errors)?;
    Ok(assets)
}

/// The members whose trees a front end reads besides its own: all, when it styles what they show; else those whose
/// packages it depends on, however far. No more than these: each one makes it anew when it changes.
fn reads(
    front_end: &Project<'_>,
    styles_all: bool,
    members: &[Member],
    plan: &Plan<'_>,
) -> BTreeSet<MemberId> {
    let mut reads = BTreeSet::new();
    if styles_all {
        reads.extend(members.iter().map(|member| member.id.clone()));
    }
    let mut seen = BTreeSet::new();
    let mut open = vec![front_end];
    while let Some(here) = open.pop() {
        for name in here.package.dependencies.values().flat_map(BTreeMap::keys) {
            // npm links a member's package under its name, whatever the dependency's version says.
            let other = plan.projects.iter().find(|project| project.name == *name);
            if let Some(other) = other.filter(|_| seen.insert(name)) {
                reads.insert(other.member.clone());
                open.push(other);
            }
        }
    }
    reads.remove(front_end.member);
    reads
}

/// Whether a file of a front end asks for the trees of all members.
fn styles_all(tree: &FileTree, source: &AssetSource) -> bool {
    let below = |path: &RelativePath| {
        source.directory().is_none_or(|directory| {
            path.as_str().strip_prefix(directory.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let styled =
        |path: &RelativePath| path.as_str().rsplit_once('.').is_some_and(|(_, end)| STYLED.contains(&end));
    tree.iter().filter(|(path, _)| below(path) && styled(path)).any(|(_, entry)| match entry {
        Entry::File { bytes, .. } => {
            bytes.windows(FEDERATION.len()).any(|window| window == FEDERATION.as_bytes())
        }
        Entry::Link { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypt::Manifest, npm::plan::tests::member};

    /// What the front end of `scribe` reads; it depends on a package of the core, which depends on one of `altar`.
    fn read(directory: &str, style: &str, dependencies: &str) -> Vec<String> {
        let web = format!(r#"{{"name": "web", "scripts": {{"build": "x"}}, {dependencies}}}"#);
        let mut scribe = member("scribe", &[(directory, &web)]);
        let source = if directory.is_empty() { "." } else { directory };
        let manifest = format!(
            "[project]\nname = 'scribe'\nversion = '1'\n[build-system]\nrequires = ['hatchling']\n\
             [tool.lychd.assets]\nsource = '{source}'\nscript = 'build'\noutput = 'out'\n"
        );
        scribe.manifest = Manifest::parse(&scribe.id, "m", manifest.as_bytes()).unwrap();
        scribe.source.tree.insert_text("web/src/style.css".parse().unwrap(), style);
        let members = [
            member(
                "core",
                &[("ui", r#"{"name": "@body/ui", "peerDependencies": {"altar": "*", "ms": "1"}}"#)],
            ),
            member("altar", &[("web", r#"{"name": "altar", "devDependencies": {"web": "*"}}"#)]),
            scribe,
            member("vision", &[]),
        ];
        let plan = Plan::of(&members).unwrap();
        let assets = of(&members, &plan).unwrap();
        let [asset] = assets.as_slice() else { panic!("{assets:?}") };
        asset.reads.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_front_end_reads_the_members_it_depends_on_or_all_that_it_styles() {
        let nothing = r#""dependencies": {}"#;
        let styled = r#"@import "../tailwind.federation.css";"#;
        assert_eq!(read("web", "", nothing), <[&str; 0]>::default());
        assert_eq!(read("web", "", r#""optionalDependencies": {"@body/ui": "*"}"#), ["altar", "core"]);
        assert_eq!(read("web", styled, nothing), ["altar", "core", "vision"]);
        assert_eq!(read("", styled, nothing), ["altar", "core", "vision"]);
        // Of a tree only what belongs to the front end is looked at.
        assert_eq!(read("we", styled, nothing), <[&str; 0]>::default());
    }
}
