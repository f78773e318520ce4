//! The core's own `package-lock.json`, from which the first lock of a federation takes its versions.
//!
//! Its root becomes the workspace of the core's package; everything else stays where it lies. npm then adds what the
//! other members want and moves what does not fit.

use serde_json::{Map, Value as Json, json};

use super::{moves, plan::Plan};
use crate::{
    diagnostic::{Diagnostic, Failure},
    document::canonical_json,
    lock::{Change, Kind, Why},
    npm::lock::NpmLock,
    tree::RelativePath,
};

const NAME: &str = "package-lock.json";
/// How many versions that did not fit are named one by one.
const NAMED: usize = 20;

/// A lock to start from.
pub(super) struct Seed {
    /// The lock, as one of the workspace.
    pub(super) text: String,
    shown: String,
    own: NpmLock,
}

/// The seed, when the core has a lock beside one of its packages.
///
/// # Errors
/// Refused when there is one that cannot be read.
pub(super) fn of(plan: &Plan<'_>, core: Option<&crate::crypt::Member>) -> Result<Option<Seed>, Failure> {
    let Some(core) = core else { return Ok(None) };
    for project in plan.projects.iter().filter(|project| project.member.is_core()) {
        let path = match &project.package.directory {
            Some(directory) => format!("{directory}/{NAME}"),
            None => NAME.to_owned(),
        };
        let Some(bytes) = path.parse::<RelativePath>().ok().and_then(|path| core.source.tree.file(&path))
        else {
            continue;
        };
        let shown = format!("core/{path}");
        let own = NpmLock::parse(&shown, bytes).map_err(|failure| match failure {
            Failure::Refused(mut all) => {
                if let Some(last) = all.last_mut() {
                    last.help.push(format!(
                        "the first lock takes its versions from `{shown}`: repair it, or remove it to lock the newest"
                    ));
                }
                Failure::Refused(all)
            }
            unable @ Failure::Unable(_) => unable,
        })?;
        let text = transplanted(&own, &project.directory, project.name.as_str(), plan).ok_or_else(|| {
            Failure::from(Diagnostic::new(format!("`{shown}` cannot be taken over")).requested_by("core"))
        })?;
        return Ok(Some(Seed { text, shown, own }));
    }
    Ok(None)
}

/// The lock with its root at `directory` and the workspace's root above it.
fn transplanted(own: &NpmLock, directory: &str, name: &str, plan: &Plan<'_>) -> Option<String> {
    let lock: Json = serde_json::from_str(own.source.text()).ok()?;
    let mut packages = Map::new();
    packages.insert(String::new(), plan.root());
    packages.insert(format!("node_modules/{name}"), json!({ "resolved": directory, "link": true }));
    for (path, entry) in lock.get("packages")?.as_object()? {
        let mut entry = entry.clone();
        let is_link = entry.get("link") == Some(&Json::Bool(true));
        if let (true, Some(target)) = (is_link, entry.get_mut("resolved")) {
            *target = json!(format!("{directory}/{}", target.as_str()?));
        }
        if path.is_empty()
            && let Some(root) = entry.as_object_mut()
        {
            root.remove("workspaces");
        }
        let place = match path.as_str() {
            "" => directory.to_owned(),
            path if path.starts_with("node_modules/") => path.to_owned(),
            path => format!("{directory}/{path}"),
        };
        packages.insert(place, entry);
    }
    Some(canonical_json(&json!({ "lockfileVersion": 3, "requires": true, "packages": packages })))
}

impl Seed {
    /// What became of its versions, for people.
    pub(super) fn notes(&self, new: &NpmLock) -> Vec<String> {
        let (old, new) = (moves::versions(&self.own), moves::versions(new));
        let kept = new.iter().filter(|(name, versions)| old.get(*name) == Some(versions)).count();
        let moved: Vec<_> = Change::between(Kind::Npm, &old, &new, Why::Required)
            .into_iter()
            .filter(Change::is_move)
            .collect();
        let mut notes = vec![format!("`{}` gave the versions of {kept} packages", self.shown)];
        notes.extend(moved.iter().take(NAMED).map(|one| format!("but {one}")));
        if moved.len() > NAMED {
            notes.push(format!("but {} more of its versions do not fit", moved.len() - NAMED));
        }
        notes
    }
}
