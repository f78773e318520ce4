//! Finds the members of the federation.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{Checkout, Federation, Manifest, Member, SourceTree, beside, package_json};
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
    let (mut errors, mut notes) = (Vec::new(), Vec::new());
    let core = root.join(MemberId::core().directory());
    let mut wanted = vec![(MemberId::core(), core.clone())];
    let kind = file::kind(&core)?;
    if kind != Some(Kind::Directory) || !file::exists(&core.join(MANIFEST))? {
        let what = if kind == Some(Kind::Link) { "is a symbolic link" } else { "has no `pyproject.toml`" };
        let help = if kind == Some(Kind::Directory) && file::exists(&core.join("setup.py"))? {
            "`setup.py` is not run to learn what it says: add a `pyproject.toml` with [project] and [build-system]"
        } else {
            "the core's repository belongs at `core/` itself"
        };
        errors.push(Diagnostic::new(format!("`core` in the Crypt {what}")).help(help));
        wanted.clear();
    }
    let directory = root.join(MemberId::EXTENSIONS);
    let (present, strays) = match file::kind(&directory)? {
        None => Default::default(),
        Some(Kind::Directory) => extensions(&directory, &mut errors)?,
        Some(kind) => {
            let what = if kind == Kind::Link { "a symbolic link" } else { "no directory" };
            errors.push(Diagnostic::new(format!("`extensions` in the Crypt is {what}")));
            Default::default()
        }
    };
    notes.extend(
        strays
            .iter()
            .map(|(stray, what)| format!("`extensions/{}` {what}: it is no member", stray.escape_debug())),
    );
    let selected = select(&present, &strays, codex, &mut errors);
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
            Ok((member, told)) => {
                members.push(member);
                notes.extend(told);
            }
            Err(Failure::Refused(all)) => errors.extend(all),
            Err(unable) => return Err(unable),
        }
    }
    errors.extend(same_names(&members));
    refuse_any(errors)?;
    Ok(Federation { members, unselected, notes })
}

/// Directories below `extensions/` that are no members and lead to none, with what is wrong with them.
type Strays = BTreeMap<String, &'static str>;

/// The ids of all directories below `extensions/` that hold a manifest, and the directories that lead to none. A
/// member's own directories are not looked into: nothing lies inside another member.
fn extensions(
    directory: &Path,
    errors: &mut Vec<Diagnostic>,
) -> Result<(BTreeSet<MemberId>, Strays), Failure> {
    let mut ids = BTreeSet::new();
    let mut without = Strays::new();
    let mut pending = vec![String::new()];
    while let Some(prefix) = pending.pop() {
        let here = directory.join(&prefix);
        let entries = file::list(&here).map_err(|error| {
            file::unreadable(format!("extensions/{prefix}").trim_end_matches('/'), &error)
        })?;
        if entries.is_empty() && !prefix.is_empty() {
            without.insert(prefix.clone(), "is empty");
        }
        for (name, is_directory) in entries {
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
                _ => {
                    without.insert(text.clone(), "has no `pyproject.toml`");
                    if text.matches('/').count() < DEPTH {
                        pending.push(text);
                    }
                }
            }
        }
    }
    Ok((ids.clone(), outermost(without, &ids)))
}

/// The directories that lead to no member, without those below one of them.
fn outermost(without: Strays, ids: &BTreeSet<MemberId>) -> Strays {
    let is_below =
        |path: &str, above: &str| path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
    let leads = |directory: &str| ids.iter().any(|id| is_below(id.as_str(), directory));
    let mut strays = Strays::new();
    for (directory, what) in without {
        let is_inner = strays.keys().any(|stray| is_below(&directory, stray));
        if !is_inner && !leads(&directory) && !directory.ends_with("__pycache__") {
            strays.insert(directory, what);
        }
    }
    strays
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
fn select(
    present: &BTreeSet<MemberId>,
    strays: &Strays,
    codex: &Codex,
    errors: &mut Vec<Diagnostic>,
) -> BTreeSet<MemberId> {
    let Some(listed) = &codex.extensions.crypt else { return present.clone() };
    let mut selected = BTreeSet::new();
    for id in listed {
        if present.contains(&id.value) {
            selected.insert(id.value.clone());
            continue;
        }
        if let Some(what) = strays.get(id.value.as_str()) {
            errors.push(
                Diagnostic::new(format!("`extensions/{}` {what}, so it is no extension", id.value))
                    .at(id.place.clone(), "selected here")
                    .help("a member has a `pyproject.toml` with [project]; a submodule may have to be checked out"),
            );
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

/// A member, with what a person should know of its inputs.
fn read_member(
    root: &Path,
    id: MemberId,
    directory: std::path::PathBuf,
) -> Result<(Member, Vec<String>), Failure> {
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
    let mut manifest = Manifest::parse(&id, &name, bytes)?;
    let mut told = beside::of_member(&id, &shown, &source.tree, &mut manifest)?;
    let assets = manifest.lychd.assets.as_ref();
    let packages = match package_json::of_member(&id, &shown, &source.tree, assets) {
        Err(Failure::Refused(all)) => {
            told.refused.extend(all);
            Vec::new()
        }
        other => other?,
    };
    told.extend(beside::of_packages(&id, &shown, &source.tree, &packages, assets)?);
    refuse_any(told.refused)?;
    let checkout = Checkout::read(&directory, &shown, &source.tree)?;
    Ok((Member { id, directory, manifest, packages, source, checkout }, told.notes))
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
