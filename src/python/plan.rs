//! Python packages of the Synthesis: wheels as the lock has them, and what is built from source.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    artifact::{Artifact, Bring},
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    digest::{
        Integrity, Sha256,
        nar::nar_sha256,
        store_path::{StoreName, StorePath},
    },
    host::file,
    lock::names,
    name::{MemberId, PackageName, derivation, url::HostPolicy},
    python::{
        install::{
            self, Building, EnvironmentMember, EnvironmentPackage, FileKind, Location, PythonEnvironment,
            Selection, Target,
        },
        lock::UvLock,
        record::{self, BuildBackend, PythonPackage, SourceBuild},
        sources::{
            archive,
            git::GitTree,
            recipe::{self, Recipe},
        },
        workspace::{FederationLock, Locked, LockedProject, SourcePackage},
    },
    tree::{Entry, FileTree, RelativePath},
};

/// The environment with what is to be built of it.
pub struct Plan {
    environment: PythonEnvironment,
    recipes: BTreeMap<PackageName, Recipe>,
    members: BTreeMap<PackageName, MemberId>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Decides over a new lock which files are installed and which are built, and reads the latter.
///
/// # Errors
/// Refused when no file fits, or a file is not what the lock pins; unable when one cannot be brought or read.
pub fn plan(
    lock: &FederationLock<'_>,
    allowed: &BTreeSet<PackageName>,
    target: &Target,
    policy: &HostPolicy,
    bring: Bring<'_>,
) -> Result<(Plan, Vec<SourcePackage>), Failure> {
    let text = UvLock::read(&Source::new(names::SHOWN_UV, lock.text))?;
    let building = Building { allowed: allowed.clone(), ..lock.building.clone() };
    let selection = Selection { building, ..Selection::members(&text) };
    let environment = install::environment(&text, target, &selection, policy)
        .map_err(|failure| in_members_terms(failure, lock.members))?;
    let members = lock.members.clone();
    let notes = environment.notes.iter().map(ToString::to_string).collect();
    let mut plan = Plan { environment, recipes: BTreeMap::new(), members, notes };
    plan.check_files(lock.files)?;
    let sources = plan.read_sources(lock.files, bring)?;
    Ok((plan, sources))
}

impl Plan {
    /// A file of a member must be the one that was locked.
    fn check_files(&self, files: &BTreeMap<RelativePath, std::sync::Arc<[u8]>>) -> Result<(), Failure> {
        let mut wrong = Vec::new();
        for package in &self.environment.packages {
            let Location::Local(path) = &package.location else { continue };
            let found = path.parse().ok().and_then(|path| files.get(&path)).map(Sha256::of);
            if found == Some(package.sha256) {
                continue;
            }
            let message = match found {
                Some(_) => format!("`{}` is not the file that `synthesis/uv.lock` has", shown(path)),
                None => format!("`{}`, which `synthesis/uv.lock` names, is in no member's tree", shown(path)),
            };
            let help = "give a changed file another version, or remove the package from the lock to take it";
            wrong.push(self.asked(package, Diagnostic::new(message).help(help)));
        }
        refuse_any(wrong)
    }

    fn asked(&self, package: &EnvironmentPackage, diagnostic: Diagnostic) -> Diagnostic {
        let members: BTreeSet<&MemberId> =
            package.requested_by.iter().filter_map(|name| self.members.get(name)).collect();
        members.into_iter().fold(diagnostic, |diagnostic, member| diagnostic.requested_by(member.as_str()))
    }

    fn read_sources(
        &mut self,
        files: &BTreeMap<RelativePath, std::sync::Arc<[u8]>>,
        bring: Bring<'_>,
    ) -> Result<Vec<SourcePackage>, Failure> {
        let sdists: Vec<&EnvironmentPackage> =
            self.environment.packages.iter().filter(|package| package.kind == FileKind::Sdist).collect();
        let remote: Vec<&EnvironmentPackage> =
            sdists.iter().filter(|one| matches!(one.location, Location::Url(_))).copied().collect();
        let artifacts: Vec<Artifact> =
            remote.iter().map(|one| Artifact::from(&one.to_python_package(&self.members))).collect();
        let paths = if artifacts.is_empty() { Vec::new() } else { bring(&artifacts)? };
        let paths: BTreeMap<&PackageName, _> = remote.iter().map(|one| &one.name).zip(paths).collect();
        let (mut recipes, mut sources, mut wrong) = (BTreeMap::new(), Vec::new(), Vec::new());
        for package in sdists {
            let bytes = match (&package.location, paths.get(&package.name)) {
                (Location::Local(path), _) => {
                    path.parse().ok().and_then(|path| files.get(&path)).map(|bytes| bytes.to_vec())
                }
                (Location::Url(_), Some(path)) => Some(
                    file::read(path, archive::PACKED_LIMIT)
                        .map_err(|error| file::unable("read", path, &error))?,
                ),
                (Location::Url(_), None) => None,
            };
            let bytes = bytes.filter(|bytes| Sha256::of(bytes) == package.sha256).ok_or_else(|| {
                let message = format!("`{}` is not what the lock pins", package.filename.escape_debug());
                self.asked(package, Diagnostic::new(message))
            })?;
            match read(package, &bytes) {
                Ok(recipe) => {
                    sources.push(SourcePackage {
                        name: package.name.clone(),
                        title: package.filename.clone(),
                        build_system: recipe.build_system.clone(),
                    });
                    recipes.insert(package.name.clone(), recipe);
                }
                Err(Failure::Refused(all)) => {
                    wrong.extend(all.into_iter().map(|one| self.asked(package, one)));
                }
                Err(unable @ Failure::Unable(_)) => return Err(unable),
            }
        }
        refuse_any(wrong)?;
        self.recipes = recipes;
        Ok(sources)
    }

    /// Whether anything that is built has files for a compiler.
    #[must_use]
    pub fn is_native(&self, locked: &Locked) -> bool {
        let mut trees = locked.projects.iter().filter_map(|project| project.git.as_ref());
        self.recipes.values().any(|recipe| recipe.native) || trees.any(|git| recipe::is_native(&git.tree))
    }

    /// The packages of the Synthesis, by name, and the bytes of those that no download has.
    ///
    /// # Errors
    /// Refused when a repository tells no version of its own.
    pub fn record(
        &self,
        locked: &Locked,
    ) -> Result<(Vec<PythonPackage>, BTreeMap<PackageName, FileTree>), Failure> {
        let (mut packages, mut trees) = (Vec::new(), BTreeMap::new());
        for one in &self.environment.packages {
            let mut package = one.to_python_package(&self.members);
            if let (Some(recipe), Some(environment)) =
                (self.recipes.get(&one.name), locked.sources.get(&one.name))
            {
                package.build = Some(SourceBuild {
                    environment: environment.clone(),
                    backend: BuildBackend {
                        object: recipe.build_system.backend.clone(),
                        path: recipe.build_system.backend_path.clone(),
                    },
                    subdirectory: one.subdirectory.clone(),
                    native: recipe.native,
                });
            }
            if let Location::Local(path) = &one.location {
                package.url = format!("member:{}", shown(path));
                let bytes = path.parse().ok().and_then(|path: RelativePath| locked.files.get(&path));
                let name = StoreName::mapped(&one.filename).to_string().parse().ok();
                if let (Some(bytes), Some(name)) = (bytes, name) {
                    let mut tree = FileTree::new();
                    tree.insert(name, Entry::File { bytes: bytes.clone(), executable: false });
                    trees.insert(one.name.clone(), tree);
                }
            }
            packages.push(package);
        }
        for project in &locked.projects {
            let Some(git) = &project.git else { continue };
            let reached = self.environment.members.iter().find(|member| member.name == project.name);
            if let Some(reached) = reached {
                packages.push(self.repository(project, git, reached)?);
                trees.insert(project.name.clone(), git.tree.clone());
            }
        }
        packages.sort_by(|one, other| one.name.cmp(&other.name));
        Ok((packages, trees))
    }

    fn repository(
        &self,
        project: &LockedProject,
        git: &GitTree,
        reached: &EnvironmentMember,
    ) -> Result<PythonPackage, Failure> {
        let about = |message: String| Diagnostic::new(message).requested_by(project.member.as_str());
        let sha256 = nar_sha256(&git.tree).map_err(|error| about(error.to_string()))?;
        let (Some(environment), Some(backend), Some(version)) =
            (&project.build_environment, &project.build_backend, &project.version)
        else {
            return Err(about(format!("`{}` of {} has no version of its own", project.name, git.url))
                .help(
                    "a tree without history cannot tell its version: `[project] version` must be written out",
                )
                .into());
        };
        let directory = derivation::source(&project.name);
        let url = format!("git+{}@{}", git.url, git.revision);
        Ok(PythonPackage {
            name: project.name.clone(),
            version: version.clone(),
            purl: format!("pkg:pypi/{}@{version}?vcs_url={}", project.name, install::percent_encoded(&url)),
            kind: record::GIT,
            url,
            filename: directory.to_string(),
            sha256,
            sri: Integrity::Sha256(sha256).to_sri_string(),
            size: None,
            store_path: StorePath::of_source(&sha256, &directory).to_string(),
            requested_by: reached
                .requested_by
                .iter()
                .filter_map(|name| self.members.get(name))
                .cloned()
                .collect(),
            dependencies: reached.dependencies.clone(),
            completed: false,
            bundled: true,
            build: Some(SourceBuild {
                environment: environment.clone(),
                backend: backend.clone(),
                subdirectory: None,
                native: recipe::is_native(&git.tree),
            }),
        })
    }
}

/// A staged file as its member has it.
fn shown(path: &str) -> &str {
    path.strip_prefix("files/").unwrap_or(path)
}

fn read(package: &EnvironmentPackage, bytes: &[u8]) -> Result<Recipe, Failure> {
    let title = &package.filename;
    let tree = archive::read(title, bytes)
        .map_err(|error| Diagnostic::new(format!("`{}` is refused: {error}", title.escape_debug())))?;
    let tree = match &package.subdirectory {
        None => tree,
        Some(directory) => {
            let wrong =
                |error: crate::tree::RelativePathError| Diagnostic::new(format!("`{title}`: {error}"));
            tree.subtree(&directory.parse().map_err(wrong)?)
        }
    };
    recipe::read(title, &tree)
}

/// The lock knows requesters by their distributions; people know members.
fn in_members_terms(failure: Failure, names: &BTreeMap<PackageName, MemberId>) -> Failure {
    let Failure::Refused(mut all) = failure else { return failure };
    for diagnostic in &mut all {
        let members: BTreeSet<String> = diagnostic
            .requested_by
            .iter()
            .filter_map(|by| names.get(&by.parse::<PackageName>().ok()?))
            .map(ToString::to_string)
            .collect();
        diagnostic.requested_by = members.into_iter().collect();
    }
    Failure::Refused(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requesters_are_told_as_members() {
        let names = BTreeMap::from([("lych-core".parse().unwrap(), MemberId::core())]);
        let refused = Diagnostic::new("x").requested_by("lych-core").requested_by("lychd-forge-federation");
        let told = in_members_terms(refused.into(), &names);
        assert_eq!(told.diagnostics()[0].requested_by, ["core"]);
    }
}
