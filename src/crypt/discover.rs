//! Finds the members of the federation.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{Checkout, Federation, Manifest, Member, SourceTree, package_json};
use crate::{
    codex::Codex,
    diagnostic::{Diagnostic, Failure, refuse_any},
    document::{self, nearest::nearest},
    host::file::{self, Kind},
    name::{MemberId, PackageName},
    tree::RelativePath,
};

const MANIFEST: &str = "pyproject.toml";

/// How deep below `extensions/` an extension may lie.
const DEPTH: usize = 8;

/// Reads the Crypt at `root`: the core, and the extensions that `codex` selects.
///
/// # Errors
/// Refused with everything that is wrong in any member; unable when the Crypt cannot be read.
pub fn discover(root: &Path, codex: &Codex) -> Result<Federation, Failure> {
    let root = file::if_there(root, file::canonical(root))?.ok_or_else(|| {
        Diagnostic::new(format!("there is no Crypt at `{}`", root.display()))
            .help("`lychd-forge init` writes one, `--crypt DIR` names another")
    })?;
    let mut errors = Vec::new();
    let core = root.join(MemberId::core().directory());
    let mut wanted = vec![(MemberId::core(), core.clone())];
    let kind = file::kind(&core)?;
    if kind != Some(Kind::Directory) || !file::exists(&core.join(MANIFEST))? {
        let what = if kind == Some(Kind::Link) { "is a symbolic link" } else { "has no `pyproject.toml`" };
        errors.push(
            Diagnostic::new(format!("`core` in the Crypt {what}"))
                .help("the core's repository belongs at `core/` itself"),
        );
        wanted.clear();
    }
    let directory = root.join(MemberId::EXTENSIONS);
    let present = match file::kind(&directory)? {
        None => BTreeSet::new(),
        Some(Kind::Directory) => extensions(&directory, &mut errors)?,
        Some(kind) => {
            let what = if kind == Kind::Link { "a symbolic link" } else { "no directory" };
            errors.push(Diagnostic::new(format!("`extensions` in the Crypt is {what}")));
            BTreeSet::new()
        }
    };
    let selected = select(&present, codex, &mut errors);
    let mut unselected = BTreeMap::new();
    for id in present.difference(&selected) {
        if let Some(name) = distribution(&directory.join(id.as_str()))? {
            unselected.insert(name, id.clone());
        }
    }
    wanted.extend(selected.into_iter().map(|id| {
        let directory = root.join(id.directory());
        (id, directory)
    }));

    let mut members = Vec::new();
    for (id, directory) in wanted {
        match read_member(&root, id, directory) {
            Ok(member) => members.push(member),
            Err(Failure::Refused(all)) => errors.extend(all),
            Err(unable) => return Err(unable),
        }
    }
    errors.extend(same_names(&members));
    refuse_any(errors)?;
    Ok(Federation { members, unselected })
}

/// The ids of all directories below `extensions/` that hold a manifest. A member's own directories are not
/// looked into: nothing lies inside another member.
fn extensions(directory: &Path, errors: &mut Vec<Diagnostic>) -> Result<BTreeSet<MemberId>, Failure> {
    let mut ids = BTreeSet::new();
    let mut pending = vec![String::new()];
    while let Some(prefix) = pending.pop() {
        let here = directory.join(&prefix);
        for (name, is_directory) in file::list(&here)
            .map_err(|error| file::unreadable(format!("extensions/{prefix}").trim_end_matches('/'), &error))?
        {
            let text = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let path = directory.join(&text);
            if name.starts_with('.') {
                continue;
            }
            if !is_directory {
                if file::kind(&path)? == Some(Kind::Link) && file::exists(&path.join(MANIFEST))? {
                    errors.push(
                        Diagnostic::new(format!("`extensions/{}` is a symbolic link", text.escape_debug()))
                            .help("an extension's repository lies in the Crypt itself"),
                    );
                }
                continue;
            }
            let member = file::exists(&path.join(MANIFEST))?;
            match text.parse::<MemberId>() {
                Ok(id) if member && !id.is_core() => {
                    ids.insert(id);
                }
                Ok(_) if member => errors.push(Diagnostic::new("an extension cannot be called `core`")),
                Err(error) if member => errors.push(
                    Diagnostic::new(format!("`extensions/{}`: {error}", text.escape_debug()))
                        .help("rename the directory"),
                ),
                _ if text.matches('/').count() < DEPTH => pending.push(text),
                _ => {}
            }
        }
    }
    Ok(ids)
}

/// The name of an extension that is not selected, as far as its manifest makes sense. It guards against a stranger
/// of that name, so a manifest that may not be read is an error.
fn distribution(directory: &Path) -> Result<Option<PackageName>, Failure> {
    let source = match document::read(&directory.join(MANIFEST), MANIFEST) {
        Ok(Some(source)) => source,
        Ok(None) | Err(Failure::Refused(_)) => return Ok(None),
        Err(unable) => return Err(unable),
    };
    let name =
        |table: &document::Table| table.get("project")?.as_table()?.get("name")?.as_str()?.parse().ok();
    Ok(document::parse(&source).ok().and_then(|table| name(&table)))
}

/// What `[extensions].crypt` selects, or all when it is missing.
fn select(present: &BTreeSet<MemberId>, codex: &Codex, errors: &mut Vec<Diagnostic>) -> BTreeSet<MemberId> {
    let Some(listed) = &codex.extensions.crypt else { return present.clone() };
    let mut selected = BTreeSet::new();
    for id in listed {
        if present.contains(&id.value) {
            selected.insert(id.value.clone());
            continue;
        }
        let known = present.iter().map(MemberId::as_str);
        let help = match nearest(id.value.as_str(), known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if present.is_empty() => "the Crypt's `extensions/` holds none".to_owned(),
            None => format!("the Crypt holds: {}", known.collect::<Vec<_>>().join(", ")),
        };
        errors.push(
            Diagnostic::new(format!("there is no extension `{}` in the Crypt", id.value))
                .at(id.place.clone(), "selected here")
                .help(help),
        );
    }
    selected
}

fn read_member(root: &Path, id: MemberId, directory: std::path::PathBuf) -> Result<Member, Failure> {
    let shown = id.directory();
    let source = SourceTree::read(&id, root, &directory)?;
    let name = format!("{shown}/{MANIFEST}");
    let kept = MANIFEST.parse::<RelativePath>().ok().and_then(|path| source.tree.file(&path));
    let Some(bytes) = kept else {
        let what = match file::kind(&directory.join(MANIFEST))? {
            Some(Kind::Link) => "a symbolic link",
            Some(Kind::Directory) => "a directory, not a file",
            _ => "ignored by a `.gitignore`",
        };
        return Err(Diagnostic::new(format!("`{name}` is {what}")).requested_by(id.to_string()).into());
    };
    let manifest = Manifest::parse(&id, &name, bytes)?;
    let packages = package_json::of_member(&id, &shown, &source.tree, manifest.lychd.assets.as_ref())?;
    let checkout = Checkout::read(&directory, &shown, &source.tree)?;
    Ok(Member { id, directory, manifest, packages, source, checkout })
}

/// Two members that are the same distribution could not be told apart in one environment.
fn same_names(members: &[Member]) -> Vec<Diagnostic> {
    let mut by_name: BTreeMap<&PackageName, Vec<&Member>> = BTreeMap::new();
    for member in members {
        by_name.entry(&member.manifest.project.name.value).or_default().push(member);
    }
    let twice = by_name.into_iter().filter(|(_, members)| members.len() > 1);
    twice
        .map(|(name, members)| {
            members.into_iter().fold(
                Diagnostic::new(format!("more than one member is the distribution `{name}`"))
                    .help("give each member a name of its own in [project]"),
                |diagnostic, member| {
                    diagnostic
                        .at(member.manifest.project.name.place.clone(), "")
                        .requested_by(member.id.to_string())
                },
            )
        })
        .collect()
}
