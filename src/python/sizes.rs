//! How many bytes the files of an environment have. A lock may leave it out, and layers are planned by it: so it is
//! the file's own, whatever the lock says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use super::{
    install::EnvironmentPackage,
    record::{File, Place},
};
use crate::{
    artifact::{Artifact, Bring},
    diagnostic::{Diagnostic, Failure},
    host::file,
    name::{MemberId, PackageName},
    tree::RelativePath,
};

/// The files of `packages` with their sizes, in the same order. Where the lock has none, the file is brought and
/// measured; `files` are those of members. `requested_by` says who asks for a package.
///
/// # Errors
/// As `bring`; refused when a file of a member is not there; unable when what was brought cannot be looked at.
pub fn sized(
    packages: &[EnvironmentPackage],
    files: &BTreeMap<RelativePath, Arc<[u8]>>,
    requested_by: &dyn Fn(&EnvironmentPackage) -> BTreeSet<MemberId>,
    bring: Bring<'_>,
) -> Result<Vec<File>, Failure> {
    let unknown = packages.iter().filter(|package| package.file.size.is_none());
    let download = |one: &EnvironmentPackage| Some((one.name.clone(), one.download(requested_by(one))?));
    let (remote, artifacts): (Vec<PackageName>, Vec<Artifact>) = unknown.filter_map(download).unzip();
    let paths = if artifacts.is_empty() { Vec::new() } else { bring(&artifacts).map_err(explained)? };
    let paths: BTreeMap<PackageName, PathBuf> = remote.into_iter().zip(paths).collect();
    let size = |package: &EnvironmentPackage| -> Result<u64, Failure> {
        let found = match (&package.file.place, package.file.size, paths.get(&package.name)) {
            (Place::Download(_), Some(size), _) => Some(size),
            (Place::Download(_), None, Some(path)) => {
                Some(file::size(path).map_err(|error| file::unable("read", path, &error))?)
            }
            (Place::Download(_), None, None) => None,
            (Place::Member(path), ..) => files.get(path).map(|bytes| bytes.len() as u64),
        };
        found.ok_or_else(|| {
            let message = format!("`{}` is nowhere to be measured", package.file.name.escape_debug());
            let asked = requested_by(package);
            asked.iter().fold(Diagnostic::new(message), |one, by| one.requested_by(by.as_str())).into()
        })
    };
    packages.iter().map(|package| Ok(package.file.clone().of_size(size(package)?))).collect()
}

/// Why anything is brought before the Synthesis is known.
fn explained(failure: Failure) -> Failure {
    let note = "the lock does not say how many bytes it has, so the file itself is measured";
    match failure {
        Failure::Refused(all) => Failure::Refused(all.into_iter().map(|one| one.note(note)).collect()),
        Failure::Unable(one) => Failure::unable(one.note(note)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::{
        digest::Sha256,
        name::url::HostPolicy,
        python::{install::FileKind, record::Origin},
    };

    fn package(name: &str, place: Place, size: Option<u64>) -> EnvironmentPackage {
        EnvironmentPackage {
            name: name.parse().unwrap(),
            version: "1.0".to_owned(),
            kind: FileKind::Wheel,
            file: File { place, name: format!("{name}-1.0-py3-none-any.whl"), size, origin: Origin::Unnamed },
            sha256: Sha256::of(name),
            requested_by: BTreeSet::new(),
            dependencies: BTreeSet::new(),
        }
    }

    fn download(name: &str, size: Option<u64>) -> EnvironmentPackage {
        let url = HostPolicy::new([]).check(&format!("https://files.pythonhosted.org/{name}.whl")).unwrap();
        package(name, Place::Download(url), size)
    }

    #[test]
    fn only_what_the_lock_does_not_say_is_brought() {
        let home = tempfile::tempdir().unwrap();
        let bundled: RelativePath = "files/core/c.whl".parse().unwrap();
        let files = BTreeMap::from([(bundled.clone(), Arc::from(&b"ccc"[..]))]);
        let asked = RefCell::new(Vec::new());
        let bring = |artifacts: &[Artifact]| {
            let place = |artifact: &Artifact| {
                asked.borrow_mut().push((artifact.label.clone(), artifact.requested_by.len()));
                let path = home.path().join(artifact.file());
                file::write(&path, b"four").unwrap();
                path
            };
            Ok(artifacts.iter().map(place).collect())
        };
        let packages =
            [download("a", Some(70)), download("b", None), package("c", Place::Member(bundled), None)];
        let core = |_: &EnvironmentPackage| BTreeSet::from([MemberId::core()]);
        let sizes = sized(&packages, &files, &core, &bring).unwrap();
        assert_eq!(sizes.iter().map(|file| file.size).collect::<Vec<_>>(), [70, 4, 3]);
        assert_eq!(asked.take(), [("b 1.0".to_owned(), 1)]);
        let gone = sized(&packages[2..], &BTreeMap::new(), &core, &bring).unwrap_err().to_string();
        assert!(gone.contains("`c-1.0-py3-none-any.whl` is nowhere to be measured"), "{gone}");
        assert!(gone.contains("requested by core"), "{gone}");
    }

    #[test]
    fn who_cannot_bring_it_is_told_why_it_is_wanted() {
        let offline =
            |_: &[Artifact]| Err(Failure::unable(Diagnostic::new("not in the cache").help("go online")));
        let failure =
            sized(&[download("a", None)], &BTreeMap::new(), &|_| BTreeSet::new(), &offline).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        let text = failure.to_string();
        assert!(text.contains("the file itself is measured") && text.contains("go online"), "{text}");
    }
}
