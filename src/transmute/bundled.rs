//! Packages whose bytes lie in the flake: files of members and trees of git repositories.

use std::collections::{BTreeMap, BTreeSet};

use super::{asked, path};
use crate::{
    diagnostic::{Diagnostic, Failure},
    name::PackageName,
    python::record::{GIT, PythonPackage},
    synthesis::value::Synthesis,
    tree::{FileTree, RelativePath},
};

/// What a file is called in its directory: the name it gets in the store is no safe path of a flake.
const FILE: &str = "file";

/// Where a package's bytes lie below the flake's root: a directory for a tree, else the file.
pub(super) fn place(package: &PythonPackage) -> Result<RelativePath, Failure> {
    let directory = format!("packages/{}", package.name);
    path(&if package.kind == GIT { directory } else { format!("{directory}/{FILE}") })
}

/// Puts the bytes of all bundled packages into the flake.
pub(super) fn insert(
    flake: &mut FileTree,
    synthesis: &Synthesis,
    packages: &BTreeMap<PackageName, FileTree>,
) -> Result<(), Failure> {
    for package in synthesis.python_packages.iter().filter(|package| package.bundled) {
        let Some(bytes) = packages.get(&package.name) else { continue };
        let place = place(package)?;
        if package.kind == GIT {
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
        if package.bundled && (files == 0 || (package.kind != GIT && files > 1)) {
            found.push(about(format!("package `{}` is bundled, and its files are not there", package.name)));
        }
        if let Some(build) = &package.build
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
        if package.bundled || package.build.is_some() {
            let message = format!("`{}` is to build with, and must be a wheel of an index", package.name);
            found.push(asked(Diagnostic::new(message), package.requested_by.iter()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_lies_in_the_flake_whole_and_a_file_alone() {
        let package = |name: &str, kind| PythonPackage {
            name: name.parse().unwrap(),
            version: "1".to_owned(),
            purl: String::new(),
            kind,
            url: String::new(),
            filename: "odd name?.whl".to_owned(),
            sha256: crate::digest::Sha256::of(""),
            sri: String::new(),
            size: None,
            store_path: String::new(),
            requested_by: BTreeSet::new(),
            dependencies: BTreeSet::new(),
            completed: false,
            bundled: true,
            build: None,
        };
        assert_eq!(place(&package("a", GIT)).unwrap().as_str(), "packages/a");
        assert_eq!(place(&package("b", "wheel")).unwrap().as_str(), "packages/b/file");
    }
}
