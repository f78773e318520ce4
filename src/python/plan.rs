//! Python packages of the Synthesis: wheels as the lock has them, and what is built from source.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    artifact::{Artifact, Bring},
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::{Sha256, nar::nar_sha256},
    host::file,
    name::{MemberId, PackageName, url::HostPolicy},
    python::{
        install::{
            self, Building, EnvironmentMember, EnvironmentPackage, FileKind, PythonEnvironment, Selection,
            Target,
        },
        record::{BuildBackend, PackageSource, Place, PythonPackage, SourceBuild},
        sizes::sized,
        sources::{
            archive,
            git::GitTree,
            recipe::{self, Recipe},
        },
        workspace::{Locked, LockedFederation, LockedProject, SourcePackage},
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
    federation: &LockedFederation<'_>,
    allowed: &BTreeSet<PackageName>,
    target: &Target,
    policy: &HostPolicy,
    bring: Bring<'_>,
) -> Result<(Plan, Vec<SourcePackage>), Failure> {
    let lock = federation.lock();
    let building = Building { allowed: allowed.clone(), ..federation.building().clone() };
    let selection = Selection { building, ..Selection::members(lock) };
    let members = federation.members();
    let environment = install::environment(lock, target, &selection, policy)
        .map_err(|failure| in_members_terms(failure, &members))?;
    let notes = environment.notes.iter().map(ToString::to_string).collect();
    let mut plan = Plan { environment, recipes: BTreeMap::new(), members, notes };
    plan.check_files(federation.files())?;
    let sources = plan.read_sources(federation.files(), bring)?;
    Ok((plan, sources))
}

impl Plan {
    /// A file of a member must be the one that was locked.
    fn check_files(&self, files: &BTreeMap<RelativePath, Arc<[u8]>>) -> Result<(), Failure> {
        let mut wrong = Vec::new();
        for package in &self.environment.packages {
            let Place::Member(path) = &package.file.place else { continue };
            let found = files.get(path);
            let is_locked = |bytes: &Arc<[u8]>| {
                Sha256::of(bytes) == package.sha256
                    && package.file.size.is_none_or(|size| size == bytes.len() as u64)
            };
            if found.is_some_and(is_locked) {
                continue;
            }
            let shown = in_federation(path);
            let message = match found {
                Some(_) => format!("`{shown}` is not the file that `synthesis/uv.lock` has"),
                None => format!("`{shown}`, which `synthesis/uv.lock` names, is in no member's tree"),
            };
            let help = "give a changed file another version, or remove the package from the lock to take it";
            wrong.push(self.asked(package, Diagnostic::new(message).help(help)));
        }
        refuse_any(wrong)
    }

    fn asked(&self, package: &EnvironmentPackage, diagnostic: Diagnostic) -> Diagnostic {
        let members = package.requesters(&self.members);
        members.iter().fold(diagnostic, |diagnostic, member| diagnostic.requested_by(member.as_str()))
    }

    /// Brings all source archives at once, and reads what each wants to be built with.
    fn read_sources(
        &mut self,
        files: &BTreeMap<RelativePath, Arc<[u8]>>,
        bring: Bring<'_>,
    ) -> Result<Vec<SourcePackage>, Failure> {
        let sdists: Vec<&EnvironmentPackage> = self
            .environment
            .packages
            .iter()
            .filter(|package| matches!(package.kind, FileKind::Sdist { .. }))
            .collect();
        let download = |one: &&EnvironmentPackage| -> Option<(PackageName, Artifact)> {
            Some((one.name.clone(), one.download(one.requesters(&self.members))?))
        };
        let (remote, artifacts): (Vec<PackageName>, Vec<Artifact>) =
            sdists.iter().filter_map(download).unzip();
        let paths = if artifacts.is_empty() { Vec::new() } else { bring(&artifacts)? };
        let paths: BTreeMap<PackageName, PathBuf> = remote.into_iter().zip(paths).collect();
        let (mut recipes, mut sources, mut wrong) = (BTreeMap::new(), Vec::new(), Vec::new());
        for package in sdists {
            let name = &package.file.name;
            let bytes: Option<Arc<[u8]>> = match &package.file.place {
                Place::Member(path) => files.get(path).cloned(),
                Place::Download(_) => match paths.get(&package.name) {
                    Some(path) => Some(
                        file::read(path, archive::PACKED_LIMIT)
                            .map_err(|error| file::unable("read", path, &error))?
                            .into(),
                    ),
                    None => None,
                },
            };
            let bytes = bytes.filter(|bytes| Sha256::of(bytes) == package.sha256).ok_or_else(|| {
                let message = format!("`{}` is not what the lock pins", name.escape_debug());
                self.asked(package, Diagnostic::new(message))
            })?;
            match read(package, &bytes) {
                Ok(recipe) => {
                    sources.push(SourcePackage {
                        name: package.name.clone(),
                        title: name.clone(),
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
        let mut projects = locked.projects.iter();
        self.recipes.values().any(|recipe| recipe.native) || projects.any(|project| project.native)
    }

    /// The packages of the Synthesis, by name, and the bytes of those that no download has.
    ///
    /// # Errors
    /// Refused when a repository tells no version of its own; as [`sized`].
    pub fn record(
        &self,
        locked: &Locked,
        bring: Bring<'_>,
    ) -> Result<(Vec<PythonPackage>, BTreeMap<PackageName, FileTree>), Failure> {
        let (mut packages, mut trees) = (Vec::new(), BTreeMap::new());
        let requesters = |one: &EnvironmentPackage| one.requesters(&self.members);
        let files = sized(&self.environment.packages, &locked.files, &requesters, bring)?;
        for (one, mut file) in self.environment.packages.iter().zip(files) {
            if let Place::Member(path) = &one.file.place {
                file.place = Place::Member(in_federation(path));
                let name = file.store_name().to_string().parse().ok();
                if let (Some(bytes), Some(name)) = (locked.files.get(path), name) {
                    let mut tree = FileTree::new();
                    tree.insert(name, Entry::File { bytes: bytes.clone(), executable: false });
                    trees.insert(one.name.clone(), tree);
                }
            }
            let source = match &one.kind {
                FileKind::Wheel => PackageSource::Wheel(file),
                FileKind::Sdist { subdirectory } => {
                    let build = self.source_build(&one.name, subdirectory.as_ref(), locked)?;
                    PackageSource::Sdist { file, build }
                }
            };
            packages.push(one.record(source, requesters(one)));
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

    fn source_build(
        &self,
        name: &PackageName,
        subdirectory: Option<&String>,
        locked: &Locked,
    ) -> Result<SourceBuild, Failure> {
        let (Some(recipe), Some(environment)) = (self.recipes.get(name), locked.sources.get(name)) else {
            let message = format!("nothing was locked to build `{name}` with");
            return Err(Failure::unable(Diagnostic::new(message)));
        };
        Ok(SourceBuild {
            environment: environment.clone(),
            backend: BuildBackend {
                object: recipe.build_system.backend.clone(),
                path: recipe.build_system.backend_path.clone(),
            },
            subdirectory: subdirectory.cloned(),
            native: recipe.native,
        })
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
        Ok(PythonPackage {
            name: project.name.clone(),
            version: version.clone(),
            source: PackageSource::Git {
                url: git.url.clone(),
                revision: git.revision.clone(),
                build: SourceBuild {
                    environment: environment.clone(),
                    backend: backend.clone(),
                    subdirectory: None,
                    native: project.native,
                },
            },
            sha256,
            requested_by: reached
                .requested_by
                .iter()
                .filter_map(|name| self.members.get(name))
                .cloned()
                .collect(),
            dependencies: reached.dependencies.clone(),
        })
    }
}

/// A staged file's path as its member has it.
fn in_federation(path: &RelativePath) -> RelativePath {
    let inner = path.as_str().strip_prefix("files/").and_then(|inner| inner.parse().ok());
    inner.unwrap_or_else(|| path.clone())
}

fn read(package: &EnvironmentPackage, bytes: &[u8]) -> Result<Recipe, Failure> {
    let title = &package.file.name;
    let tree = archive::read(title, bytes)
        .map_err(|error| Diagnostic::new(format!("`{}` is refused: {error}", title.escape_debug())))?;
    let tree = match &package.kind {
        FileKind::Wheel | FileKind::Sdist { subdirectory: None } => tree,
        FileKind::Sdist { subdirectory: Some(directory) } => {
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
