//! All `package.json` files of a member that take part: at its root, at its front end, and what these lead to.

use std::collections::{BTreeMap, BTreeSet};

use super::{NAME, PackageJson, Spec};
use crate::{
    crypt::{assets::Assets, glob},
    diagnostic::{Diagnostic, Failure, refuse_any},
    name::MemberId,
    tree::{FileTree, RelativePath},
};

/// The most `package.json` files of one member.
const MOST: usize = 1_000;

/// Reads the `package.json` at the member's root and at `assets.source`, with the packages of their `workspaces`
/// and the directories they name by `file:`; sorted by directory. `shown` is the member's path in the Crypt.
///
/// # Errors
/// Refused with everything that is wrong in any of them.
pub(in crate::crypt) fn of_member(
    member: &MemberId,
    shown: &str,
    tree: &FileTree,
    assets: Option<&Assets>,
) -> Result<Vec<PackageJson>, Failure> {
    let mut pending: Vec<Option<RelativePath>> = vec![None];
    pending.extend(assets.map(|assets| assets.source.directory().cloned()));
    let mut found: BTreeMap<Option<RelativePath>, PackageJson> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    while let Some(directory) = pending.pop() {
        if !seen.insert(directory.clone()) {
            continue;
        }
        if seen.len() > MOST {
            return Err(Diagnostic::new(format!("a member cannot have more than {MOST} npm packages"))
                .requested_by(member.to_string())
                .into());
        }
        let Some(bytes) = manifest(tree, directory.as_ref()) else { continue };
        let at = directory.as_ref().map(|at| format!("/{at}")).unwrap_or_default();
        let shown = format!("{shown}{at}/{NAME}");
        match PackageJson::parse(member, &shown, directory.as_ref(), bytes) {
            Ok(package) => {
                pending.extend(workspaces(tree, &package).into_iter().map(Some));
                pending.extend(directories(member, tree, &package, &mut errors));
                found.insert(directory, package);
            }
            Err(Failure::Refused(all)) => errors.extend(all),
            Err(unable) => return Err(unable),
        }
    }
    errors.extend(assets.and_then(|assets| unfit(member, shown, assets, &found, tree)));
    refuse_any(errors)?;
    Ok(found.into_values().collect())
}

fn manifest<'a>(tree: &'a FileTree, directory: Option<&RelativePath>) -> Option<&'a [u8]> {
    let name: RelativePath = NAME.parse().ok()?;
    tree.file(&directory.map_or(name.clone(), |directory| name.below(directory)))
}

/// The directories that a package's `workspaces` match, without those a later `!pattern` takes out.
fn workspaces(tree: &FileTree, package: &PackageJson) -> Vec<RelativePath> {
    if package.workspaces.is_empty() {
        return Vec::new();
    }
    let prefix = package.directory.as_ref().map(|at| format!("{at}/")).unwrap_or_default();
    let suffix = format!("/{NAME}");
    let candidates = tree.iter().filter_map(|(path, _)| {
        let directory = path.as_str().strip_suffix(&suffix)?;
        Some((directory, directory.strip_prefix(&prefix)?))
    });
    let is_in = |below: &str| {
        package.workspaces.iter().fold(false, |is_in, pattern| match pattern.value.strip_prefix('!') {
            Some(out) => is_in && !glob::matches(out, below),
            None => is_in || glob::matches(&pattern.value, below),
        })
    };
    candidates
        .filter(|(_, below)| !below.split('/').any(|part| part == "node_modules") && is_in(below))
        .filter_map(|(directory, _)| directory.parse().ok())
        .collect()
}

/// The directories that a package names by `file:`; a tarball is none.
fn directories(
    member: &MemberId,
    tree: &FileTree,
    package: &PackageJson,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Option<RelativePath>> {
    let mut directories = Vec::new();
    for (_, name, dependency) in package.asked() {
        let Spec::File(path) = &dependency.spec else { continue };
        if path.as_ref().is_some_and(|path| tree.file(path).is_some()) {
            continue;
        }
        if manifest(tree, path.as_ref()).is_some() {
            directories.push(path.clone());
        } else {
            let message = format!(
                "`{name}`: the member has no tarball and no directory with {NAME} at `{}`",
                path.as_ref().map_or(".", RelativePath::as_str)
            );
            errors.push(
                Diagnostic::new(message)
                    .at(dependency.place.clone(), "wanted here")
                    .requested_by(member.to_string()),
            );
        }
    }
    directories
}

/// What keeps a front end from being built.
fn unfit(
    member: &MemberId,
    shown: &str,
    assets: &Assets,
    found: &BTreeMap<Option<RelativePath>, PackageJson>,
    tree: &FileTree,
) -> Option<Diagnostic> {
    let directory = assets.source.directory().cloned();
    if manifest(tree, directory.as_ref()).is_none() {
        let there = directory.map_or_else(|| shown.to_owned(), |at| format!("{shown}/{at}"));
        return Some(
            Diagnostic::new(format!("`{there}` has no {NAME}"))
                .at(assets.place.clone(), "`source` names it")
                .requested_by(member.to_string())
                .help("`source` in [tool.lychd.assets] is the directory that holds it"),
        );
    }
    let package = found.get(&directory)?;
    if package.scripts.contains_key(assets.script.as_str()) {
        return None;
    }
    let known: Vec<&str> = package.scripts.keys().map(String::as_str).collect();
    let help = match crate::document::nearest::nearest(assets.script.as_str(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "it has no scripts".to_owned(),
        None => format!("it has: {}", known.join(", ")),
    };
    Some(
        Diagnostic::new(format!("`{}` has no script `{}`", package.source.name(), assets.script))
            .at(assets.place.clone(), "`script` names it")
            .requested_by(member.to_string())
            .help(help),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypt::Manifest;

    fn packages(files: &[(&str, &str)], assets: &str) -> Result<Vec<String>, String> {
        let id: MemberId = "altar".parse().unwrap();
        let mut tree = FileTree::new();
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), text);
        }
        let build = "[build-system]\nrequires = ['hatchling']\n";
        let text = format!("[project]\nname = 'altar'\nversion = '1'\n{assets}{build}");
        let manifest = Manifest::parse(&id, "m/pyproject.toml", text.as_bytes()).unwrap();
        of_member(&id, "extensions/altar", &tree, manifest.lychd.assets.as_ref())
            .map(|all| all.iter().map(|one| one.source.name().to_owned()).collect())
            .map_err(|failure| failure.to_string())
    }

    const ASSETS: &str = "[tool.lychd.assets]\nsource = 'web'\nscript = 'build'\noutput = 'out'\n";

    #[test]
    fn workspaces_and_directories_are_followed() {
        let files = [
            (
                "web/package.json",
                r#"{"scripts": {"build": "x"}, "workspaces": ["p/*", "!p/c"], "dependencies": {"d": "file:../d", "t": "file:t.tgz"}}"#,
            ),
            ("web/t.tgz", ""),
            ("web/p/a/package.json", "{}"),
            ("web/p/c/package.json", "{}"),
            ("web/p/a/node_modules/x/package.json", "{"),
            ("web/p/b.txt", ""),
            ("d/package.json", "{}"),
            ("other/package.json", "{"),
        ];
        assert_eq!(
            packages(&files, ASSETS).unwrap(),
            [
                "extensions/altar/d/package.json",
                "extensions/altar/web/package.json",
                "extensions/altar/web/p/a/package.json"
            ]
        );
        assert_eq!(packages(&[], "").unwrap(), [] as [&str; 0]);
    }

    #[test]
    fn a_front_end_that_cannot_be_built_is_told() {
        for (files, want) in [
            (
                vec![],
                "`extensions/altar/web` has no package.json\n  at m/pyproject.toml:4:13: `source` names it",
            ),
            (
                vec![("web/package.json", r#"{"scripts": {"biuld": "x"}}"#)],
                "`extensions/altar/web/package.json` has no script `build`\n  at m/pyproject.toml:4:13: `script` names it\n  requested by altar\n  help: did you mean `biuld`?",
            ),
            (
                vec![(
                    "web/package.json",
                    "{\n\"dependencies\": {\"d\": \"file:x\"}, \"scripts\": {\"build\": \"\"}}",
                )],
                "no tarball and no directory with package.json at `web/x`\n  at extensions/altar/web/package.json:2:23",
            ),
        ] {
            let error = packages(&files, ASSETS).unwrap_err();
            assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
        }
    }
}
