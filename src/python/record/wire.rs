//! The record of a Python package as `synthesis.json` has it.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::{PackageSource, Place, PythonPackage, SourceBuild, git_address};
use crate::{
    digest::{Sha256, store_path::StorePath},
    name::{MemberId, PackageName},
};

/// The format promises readers some fields that follow from others.
#[derive(Serialize)]
struct Wire<'a> {
    name: &'a PackageName,
    version: &'a str,
    purl: String,
    kind: &'static str,
    url: String,
    filename: String,
    sha256: Sha256,
    sri: String,
    size: Option<u64>,
    store_path: StorePath,
    requested_by: &'a BTreeSet<MemberId>,
    dependencies: &'a BTreeSet<PackageName>,
    /// Always false: the lock has the hash.
    completed: bool,
    bundled: bool,
    build: Option<&'a SourceBuild>,
}

impl Serialize for PythonPackage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, url, filename) = match &self.source {
            PackageSource::Wheel(file) => ("wheel", address(&file.place), file.name.clone()),
            PackageSource::Sdist { file, .. } => ("sdist", address(&file.place), file.name.clone()),
            PackageSource::Git { url, revision, .. } => {
                ("git", git_address(url, revision), self.tree_name().to_string())
            }
        };
        Wire {
            name: &self.name,
            version: &self.version,
            purl: self.purl(),
            kind,
            url,
            filename,
            sha256: self.sha256,
            sri: self.sha256.to_sri_string(),
            size: self.size(),
            store_path: self.store_path(),
            requested_by: &self.requested_by,
            dependencies: &self.dependencies,
            completed: false,
            bundled: self.source.address().is_none(),
            build: self.source.build(),
        }
        .serialize(serializer)
    }
}

fn address(place: &Place) -> String {
    match place {
        Place::Download(url) => url.to_string(),
        Place::Member(path) => format!("member:{path}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        name::url::HostPolicy,
        python::record::{BuildBackend, File, Origin},
    };

    #[test]
    fn what_is_built_is_told_by_its_kind_and_address() {
        let build = SourceBuild {
            environment: "0123456789abcdef".to_owned(),
            backend: BuildBackend { object: "flit_core.buildapi".to_owned(), path: Vec::new() },
            subdirectory: None,
            native: false,
        };
        let package = |source| PythonPackage {
            name: "a".parse().unwrap(),
            version: "1.0+x".to_owned(),
            source,
            sha256: Sha256::of(""),
            requested_by: BTreeSet::new(),
            dependencies: BTreeSet::new(),
        };
        let archive = |place, origin| PackageSource::Sdist {
            file: File { place, name: "a 1.tar.gz".to_owned(), size: 5, origin },
            build: build.clone(),
        };
        let url = |text: &str| HostPolicy::new([]).check(text).unwrap();
        let member = archive(Place::Member("core/a 1.tar.gz".parse().unwrap()), Origin::Unnamed);
        let download = archive(
            Place::Download(url("https://pypi.org/a%201.tar.gz")),
            Origin::Url("https://pypi.org/a%201.tar.gz".to_owned()),
        );
        let revision = "0123456789abcdef0123456789abcdef01234567";
        let git = PackageSource::Git {
            url: url("https://pypi.org/a.git"),
            revision: revision.parse().unwrap(),
            build: build.clone(),
        };
        for (source, want) in [
            (member, json!(["sdist", "member:core/a 1.tar.gz", true, "pkg:pypi/a@1.0%2Bx", "a 1.tar.gz", 5])),
            (
                download,
                json!([
                    "sdist",
                    "https://pypi.org/a%201.tar.gz",
                    false,
                    "pkg:pypi/a@1.0%2Bx?download_url=https:%2F%2Fpypi.org%2Fa%25201.tar.gz",
                    "a 1.tar.gz",
                    5
                ]),
            ),
            (
                git,
                json!([
                    "git",
                    format!("git+https://pypi.org/a.git@{revision}"),
                    true,
                    format!("pkg:pypi/a@1.0+x?vcs_url=git%2Bhttps:%2F%2Fpypi.org%2Fa.git%40{revision}"),
                    "a-source",
                    null
                ]),
            ),
        ] {
            let written = serde_json::to_value(package(source)).unwrap();
            let keys = ["kind", "url", "bundled", "purl", "filename", "size"];
            assert_eq!(json!(keys.map(|key| &written[key])), want);
            assert_eq!(written["build"]["environment"], "0123456789abcdef");
        }
    }
}
