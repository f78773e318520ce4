//! Packages whose bytes lie in the flake: files of members and trees of git repositories.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{asked, path};
use crate::{
    diagnostic::{Diagnostic, Failure},
    name::PackageName,
    python::record::PythonPackage,
    synthesis::value::Synthesis,
    tree::{FileTree, RelativePath},
};

/// What a file is called in its directory: the name it gets in the store is no safe path of a flake.
const FILE: &str = "file";

/// Where a package's bytes lie below the flake's root: a directory for a tree, else the file.
pub(super) fn place(package: &PythonPackage) -> Result<RelativePath, Failure> {
    let directory = format!("packages/{}", package.name);
    path(&if is_tree(package) { directory } else { format!("{directory}/{FILE}") })
}

const fn is_tree(package: &PythonPackage) -> bool {
    package.source.file().is_none()
}

/// Whether the flake has a package's bytes.
fn is_bundled(package: &PythonPackage) -> bool {
    package.source.address().is_none()
}

/// Puts the bytes of all bundled packages into the flake.
pub(super) fn insert(
    flake: &mut FileTree,
    synthesis: &Synthesis,
    packages: &BTreeMap<PackageName, FileTree>,
) -> Result<(), Failure> {
    for package in synthesis.python_packages.iter().filter(|package| is_bundled(package)) {
        let Some(bytes) = packages.get(&package.name) else { continue };
        let place = place(package)?;
        if is_tree(package) {
            flake.insert_tree(&place, bytes);
        } else if let Some((_, entry)) = bytes.iter().next() {
            flake.insert(place, entry.clone());
        }
    }
    Ok(())
}

/// What is wrong with packages that are built or bundled.
pub(super) fn problems(synthesis: &Synthesis, packages: &BTreeMap<PackageName, FileTree>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let environments: BTreeSet<&str> =
        synthesis.build_environments.iter().map(|environment| environment.id.as_str()).collect();
    for package in &synthesis.python_packages {
        let about = |message: String| asked(Diagnostic::new(message), package.requested_by.iter());
        let files = packages.get(&package.name).map_or(0, FileTree::len);
        if is_bundled(package) && (files == 0 || (!is_tree(package) && files > 1)) {
            found.push(about(format!("package `{}` is bundled, and its files are not there", package.name)));
        }
        if let Some(build) = package.source.build()
            && !environments.contains(build.environment.as_str())
        {
            let id = build.environment.escape_debug();
            found.push(about(format!(
                "package `{}` wants the unknown build environment `{id}`",
                package.name
            )));
        }
    }
    for package in synthesis.build_environments.iter().flat_map(|environment| &environment.packages) {
        if is_bundled(package) || package.source.build().is_some() {
            let message = format!("`{}` is to build with, and must be a wheel of an index", package.name);
            found.push(asked(Diagnostic::new(message), package.requested_by.iter()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        name::url::HostPolicy,
        python::record::{BuildBackend, File, Origin, PackageSource, Place, SourceBuild},
    };

    #[test]
    fn a_tree_lies_in_the_flake_whole_and_a_file_alone() {
        let package = |name: &str, source| PythonPackage {
            name: name.parse().unwrap(),
            version: "1".to_owned(),
            source,
            sha256: crate::digest::Sha256::of(""),
            requested_by: BTreeSet::new(),
            dependencies: BTreeSet::new(),
        };
        let tree = PackageSource::Git {
            url: HostPolicy::new([]).check("https://pypi.org/a.git").unwrap(),
            revision: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
            build: SourceBuild {
                environment: String::new(),
                backend: BuildBackend { object: String::new(), path: Vec::new() },
                subdirectory: None,
                native: false,
            },
        };
        let file = PackageSource::Wheel(File {
            place: Place::Member("core/odd name?.whl".parse().unwrap()),
            name: "odd name?.whl".to_owned(),
            size: 3,
            origin: Origin::Unnamed,
        });
        assert_eq!(place(&package("a", tree)).unwrap().as_str(), "packages/a");
        assert_eq!(place(&package("b", file)).unwrap().as_str(), "packages/b/file");
    }
}
