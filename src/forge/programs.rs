//! The programs that the core's image contract starts, held against the console scripts of the environment before
//! anything is built.
//!
//! The check of the Nix library (`nix/root/started.py`) looks into the finished root: it knows everything, after the whole
//! build and without a place. Here is refused what is certain before, and the rest is left to it.

mod builds;
mod command;
mod judge;
#[cfg(test)]
mod sample;
mod scripts;

use std::{
    collections::BTreeSet,
    io::{BufReader, Cursor},
};

use self::judge::Environment;
use super::prepared::Prepared;
use crate::{
    archive::deb,
    debian::SystemPackage,
    diagnostic::{Failure, refuse_any},
    host::{file, progress::Progress},
    image::StoreRoot,
    name::Role,
    python::{PythonPackage, record::PackageSource, workspace::parts},
    synthesis::value::Substrate,
    tree::{Entry, FileTree, RelativePath},
};

/// Where programs lie that a container finds by their name, besides the environment's own.
const ON_PATH: [&str; 6] = ["bin", "sbin", "usr/bin", "usr/local/bin", "usr/local/sbin", "usr/sbin"];
/// What a package's scripts are called that may make more.
const SCRIPTS: [&str; 2] = ["DEBIAN/postinst", "DEBIAN/preinst"];
/// Bytes of the largest Debian package that is looked into.
const DEB: u64 = 256 << 20;

/// Looks at the programs that the application's image starts, when everything was brought into this store.
///
/// # Errors
/// Refused with each that certainly is not there.
pub(super) fn check(prepared: &Prepared, store: &StoreRoot, progress: &dyn Progress) -> Result<(), Failure> {
    let Some(core) = prepared.federation.core() else { return Ok(()) };
    let Some(image) = &core.manifest.lychd.image else { return Ok(()) };
    let elsewhere = |name: &str| may_be_elsewhere(prepared, store, name, progress);
    refuse_any(judge::judge(core, image, &environment(prepared, store), &elsewhere))
}

/// Looks, before anything is brought, whether the core has the module that LychD's own command serves, when it names none
/// of its own.
///
/// # Errors
/// Refused when it certainly has not.
pub(super) fn check_module(prepared: &Prepared) -> Result<(), Failure> {
    let Some(core) = prepared.federation.core() else { return Ok(()) };
    let Some(image) = &core.manifest.lychd.image else { return Ok(()) };
    // Servers have the name of their package.
    let packages =
        prepared.synthesis.python_packages.iter().map(|package| package.name.to_string()).collect();
    refuse_any(judge::module(core, image, &packages).into_iter().collect())
}

/// What members and wheels bring to `bin/`, with the interpreter.
fn environment(prepared: &Prepared, store: &StoreRoot) -> Environment {
    let python = &prepared.synthesis.python;
    let mut programs = BTreeSet::from(["python".to_owned(), "python3".to_owned(), format!("python{python}")]);
    let mut is_open = false;
    let (parts, _) = parts(prepared.federation.members());
    for part in parts.iter().filter(|part| part.manifest.build_system.is_some()) {
        programs.extend(part.manifest.project.programs().map(|(name, _)| name.to_owned()));
        let member = prepared.federation.member(&part.member);
        is_open |= member.is_none_or(|member| {
            builds::may_bring_more(&part.manifest, &member.source.tree, part.directory.as_ref())
        });
    }
    for package in &prepared.synthesis.python_packages {
        match of_package(package, prepared, store) {
            Some(more) => programs.extend(more),
            None => is_open = true,
        }
    }
    Environment { programs, is_open }
}

/// The programs of a package; `None` where they cannot be told: it is built, or cannot be read, which the build will say.
fn of_package(package: &PythonPackage, prepared: &Prepared, store: &StoreRoot) -> Option<BTreeSet<String>> {
    let PackageSource::Wheel(_) = &package.source else { return None };
    if package.download().is_some() {
        let wheel = file::open(&store.locate(&package.store_path())).ok()?;
        return scripts::of_wheel(BufReader::new(wheel)).ok();
    }
    let (_, entry) = prepared.packages.get(&package.name)?.iter().next()?;
    let Entry::File { bytes, .. } = entry else { return None };
    scripts::of_wheel(Cursor::new(bytes.as_ref())).ok()
}

/// Whether a system package of the application's image has a program, as far as that can be told of packages.
fn may_be_elsewhere(prepared: &Prepared, store: &StoreRoot, name: &str, progress: &dyn Progress) -> bool {
    // What packages of nixpkgs have is known when they are there.
    let Substrate::Debian { .. } = &prepared.synthesis.substrate else { return true };
    let mut packages =
        prepared.synthesis.system_packages.iter().filter(|one| one.is_in_image(&Role::vessel()));
    progress.stage("look", &format!("for `{}` in the Debian packages of the image", name.escape_debug()));
    packages.any(|package| may_have(package, store, name))
}

/// Whether a Debian package has a program, or its maintainer scripts speak of it; what cannot be read may.
fn may_have(package: &SystemPackage, store: &StoreRoot, name: &str) -> bool {
    let path = store.locate(&package.store_path());
    let is_wanted = |path: &RelativePath| is_program(path, name);
    let look = |bytes: Vec<u8>| deb::look(&bytes, &is_wanted).ok();
    file::read(&path, DEB).ok().and_then(look).is_none_or(|tree| brings(&tree, name))
}

/// Whether a path is that of a program of this name.
fn is_program(path: &RelativePath, name: &str) -> bool {
    let directory = path.as_str().strip_suffix(name).and_then(|path| path.strip_suffix('/'));
    directory.is_some_and(|directory| ON_PATH.contains(&directory))
}

/// Whether what was looked at of a package is such a program, or a script with its name in it.
fn brings(looked: &FileTree, name: &str) -> bool {
    looked.iter().any(|(path, entry)| match entry {
        Entry::File { bytes, .. } if SCRIPTS.contains(&path.as_str()) => {
            let text = String::from_utf8_lossy(bytes);
            text.split(|c: char| c.is_whitespace() || "/\"';".contains(c)).any(|word| word == name)
        }
        _ => is_program(path, name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> FileTree {
        let mut tree = FileTree::new();
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), text);
        }
        tree
    }

    #[test]
    fn programs_of_a_package_lie_on_the_path_or_are_made_by_its_scripts() {
        for path in ["usr/bin/awk", "sbin/awk", "usr/local/bin/awk"] {
            assert!(brings(&tree(&[(path, "")]), "awk"), "{path}");
        }
        for path in ["usr/games/awk", "awk", "usr/bin/mawk", "usr/bin/awk/x", "DEBIAN/awk", "bin/x/awk"] {
            assert!(!brings(&tree(&[(path, "")]), "awk"), "{path}");
        }
        let script = "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5\n";
        assert!(brings(&tree(&[("DEBIAN/postinst", script)]), "awk"));
        assert!(!brings(&tree(&[("DEBIAN/postinst", script), ("DEBIAN/md5sums", "0 usr/bin/aw")]), "aw"));
    }
}
