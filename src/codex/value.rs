//! What the Codex says, with every default filled in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    str::FromStr,
};

use super::{
    grants::OperatorGrants,
    lychd_toml::Lychd,
    runes::Runes,
    selection::Selection,
    spheres::Spheres,
    vessel::{HealthCheck, VesselVariable},
};
use crate::{
    diagnostic::Place,
    digest::Sha256,
    document::Located,
    name::{
        DebianName, LocaleName, PackageName, Platform, RuneName,
        debian::{Archive, Suite},
        image::ImageReference,
        npm::NpmName,
        tree_ref::TreeRef,
        url::HostPolicy,
        variable::VariableName,
    },
    tree::RelativePath,
};

/// The user's configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Codex {
    /// `[image]` of `forge.toml`.
    pub image: Image,
    /// `[substrate]` of `forge.toml`.
    pub substrate: Substrate,
    /// `[policy]` of `forge.toml`.
    pub policy: Policy,
    /// `[extensions]` of `lychd.toml`.
    pub extensions: Selection,
    /// The ports in `[server]` of `lychd.toml`.
    pub ports: HostPorts,
    /// What else of `[server]` and `[orchestration]` in `lychd.toml` shapes units.
    pub lychd: Lychd,
    /// `runes/` of the Codex.
    pub runes: Runes,
    /// `[spheres]` of `forge.toml`.
    pub spheres: Spheres,
    /// `[grants]` of `forge.toml`, by rune.
    pub grants: BTreeMap<RuneName, Located<OperatorGrants>>,
    /// `[vessel.env]` of `forge.toml`.
    pub vessel_env: BTreeMap<VariableName, Located<VesselVariable>>,
    /// `[health]` of `forge.toml`, by service without `lychd-`.
    pub health: BTreeMap<RuneName, Located<HealthCheck>>,
}

/// The ports that LychD publishes on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPorts {
    /// `server.port`.
    pub web: HostPort,
    /// `server.database.port`.
    pub database: HostPort,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The port.
    pub port: u16,
    /// Where it is set; `None` for LychD's default.
    pub place: Option<Place>,
}

/// LychD's defaults.
impl Default for HostPorts {
    fn default() -> Self {
        let port = |port| HostPort { port, place: None };
        Self { web: port(7134), database: port(5432) }
    }
}

/// What is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Repository name without tag.
    pub name: ImageName,
    /// The Python series.
    pub python: PythonSeries,
    /// What is resolved for; never empty.
    pub platforms: BTreeSet<Platform>,
    /// The time every builder sees, in seconds since 1970.
    pub source_date_epoch: u64,
}

impl Default for Image {
    fn default() -> Self {
        Self {
            name: ImageName("localhost/lychd".to_owned()),
            python: PythonSeries::V3_13,
            platforms: BTreeSet::from([Platform::X86_64Linux]),
            source_date_epoch: 1,
        }
    }
}

/// Where system packages come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Substrate {
    /// The embedded one: pinned Debian packages.
    Debian(Debian),
    /// Real nixpkgs.
    Nixpkgs(Nixpkgs),
}

impl Substrate {
    /// Where Debian's packages come from: the embedded substrate's, or those of the forge's own tools.
    #[must_use]
    pub const fn debian(&self) -> &Debian {
        match self {
            Self::Debian(debian) | Self::Nixpkgs(Nixpkgs { tools: debian, .. }) => debian,
        }
    }
}

impl Default for Substrate {
    fn default() -> Self {
        Self::Debian(Debian::default())
    }
}

/// `[substrate.nixpkgs]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nixpkgs {
    /// The pinned tree.
    pub reference: TreeRef,
    /// Hash of the tree as a Nix archive.
    pub nar_hash: Sha256,
    /// `[substrate.debian]`: what uv, and the Python it asks, are made of.
    pub tools: Debian,
}

/// `[substrate.debian]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debian {
    /// Suites, in the order they were written; never empty, no repeats.
    pub suites: Vec<Suite>,
    /// Where to fetch from, tried in order; an archive that is missing here has its built-in addresses.
    pub mirrors: BTreeMap<Origin, Vec<MirrorUrl>>,
    /// A keyring to use instead of the built-in archive keys; relative paths are below the Codex.
    pub keyring: Option<PathBuf>,
    /// Whether an image has the Essential packages.
    pub essential: bool,
    /// What becomes of the maintainer scripts of an image's packages.
    pub maintainer_scripts: MaintainerScripts,
    /// Packages that an image does without, though others depend on them.
    pub without: Vec<Located<DebianName>>,
    /// Locales that are made for an image; the first is its `LANG`.
    pub locales: Vec<Located<LocaleName>>,
}

/// What becomes of maintainer scripts (`postinst` and the like).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaintainerScripts {
    /// dpkg runs them in the build.
    #[default]
    Run,
    /// They are read for plain words and never run: for hosts whose kernel gives a builder no user namespace.
    Read,
}

impl Default for Debian {
    fn default() -> Self {
        Self {
            suites: Suite::defaults(),
            mirrors: BTreeMap::new(),
            keyring: None,
            essential: true,
            maintainer_scripts: MaintainerScripts::default(),
            without: Vec::new(),
            locales: Vec::new(),
        }
    }
}

/// What goes beyond the defaults, or forbids them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Artifact hosts besides the public indexes.
    pub hosts: BTreeSet<HostName>,
    /// Whether `register(context)` may run in its sandbox.
    pub allow_hooks: bool,
    /// Packages that may be built from source.
    pub allow_sdist: BTreeSet<PackageName>,
    /// npm packages whose install scripts run, in the sandbox.
    pub allow_scripts: BTreeSet<NpmName>,
    /// Whose file a path of the image is, where two packages bring it with different content.
    pub collisions: BTreeMap<ImagePath, ImagePackage>,
    /// Libraries that files of a package may lack, as it does without them.
    pub missing_libraries: BTreeMap<ImagePackage, BTreeSet<Soname>>,
    /// Repositories of container images that may be bound by a tag, without a digest.
    pub allow_tags: BTreeSet<String>,
    /// Whether a build ends where maintainer scripts do not run and would make more than is made otherwise.
    pub strict: bool,
}

impl Policy {
    /// The hosts that artifacts may come from.
    #[must_use]
    pub fn host_policy(&self) -> HostPolicy {
        HostPolicy::new(self.hosts.iter().map(ToString::to_string))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hosts: BTreeSet::new(),
            allow_hooks: true,
            allow_sdist: BTreeSet::new(),
            allow_scripts: BTreeSet::new(),
            collisions: BTreeMap::new(),
            missing_libraries: BTreeMap::new(),
            allow_tags: BTreeSet::new(),
            strict: false,
        }
    }
}

/// Why a text in the Codex is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {what}", .text.escape_debug())]
pub struct CodexValueError {
    text: String,
    what: &'static str,
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $sound:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = CodexValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let sound: fn(&str) -> bool = $sound;
                if sound(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(CodexValueError { text: text.to_owned(), what: $what })
                }
            }
        }
    };
}

checked_text!(
    /// A repository name with its registry, without tag or digest (the OCI distribution grammar).
    ImageName,
    "an image name (`host/path`, lower case, without tag or digest)",
    |text| {
        let is_name = |image: &ImageReference| image.host().is_some() && image.repository() == text;
        text.len() <= 200
            && !text.contains(|c: char| c.is_ascii_uppercase())
            && text.parse().as_ref().is_ok_and(is_name)
    }
);

checked_text!(
    /// A host name in lower case: no port, no address, no punycode.
    HostName,
    "a host name (lower case, with a dot, no scheme, port, IP address or punycode)",
    |text| {
        let last = text.rsplit('.').next().unwrap_or_default();
        is_host(text)
            && text.contains('.')
            && last.bytes().any(|c| c.is_ascii_lowercase())
            && !text.split('.').any(|label| label.starts_with("xn--"))
    }
);

checked_text!(
    /// A path of the image in normal form.
    ImagePath,
    "a path of the image (from `/` on, without `.`, `..`, `\\`, empty parts and control characters)",
    |text| text.strip_prefix('/').is_some_and(|below| below.parse::<RelativePath>().is_ok())
);

checked_text!(
    /// A package of the image as messages of a build call it: a wheel or a member by the normalised name of its
    /// distribution, or a Debian package.
    ImagePackage,
    "a package of the image (a Debian package, or a distribution in lower case with `-` for `_` and `.`)",
    |text| {
        text.parse::<DebianName>().is_ok()
            || text.parse::<PackageName>().is_ok_and(|name| name.as_str() == text)
    }
);

checked_text!(
    /// What a library is asked for as: an ELF file's `DT_NEEDED`.
    Soname,
    "the name of a library as a file needs it, such as `libgomp.so.1`",
    |text| {
        let plain = |c: u8| c.is_ascii_graphic() && !b"/\"'\\".contains(&c);
        text.len() <= 255 && text.contains(".so") && text.bytes().all(plain)
    }
);

checked_text!(
    /// The base address of a mirror, without the slash at its end.
    MirrorUrl,
    "a mirror (an `http:` or `https:` URL in normal form, without user, query, fragment or `/` at its end)",
    |text| {
        url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
                && !text.ends_with('/')
                && !text.contains('%')
                && url.as_str().trim_end_matches('/') == text
        })
    }
);

fn is_host(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| inner(c) || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A Python series the forge can build for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PythonSeries {
    /// Debian 12's.
    V3_11,
    /// Debian 13's.
    V3_13,
}

impl PythonSeries {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::V3_11, Self::V3_13];

    /// `3.13`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V3_11 => "3.11",
            Self::V3_13 => "3.13",
        }
    }
}

impl fmt::Display for PythonSeries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for PythonSeries {
    type Err = CodexValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "3.11" => Ok(Self::V3_11),
            "3.13" => Ok(Self::V3_13),
            _ => Err(CodexValueError { text: text.to_owned(), what: "a Python series (`3.13` or `3.11`)" }),
        }
    }
}

/// Where files come from that has mirrors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// One of Debian's archives.
    Debian(Archive),
    /// The Python package index's files.
    Pypi,
    /// The npm registry: metadata and tarballs.
    Npm,
}

impl Origin {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Debian(Archive::Debian), Self::Debian(Archive::Security), Self::Pypi, Self::Npm];

    /// The key in `mirrors`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debian(archive) => archive.as_str(),
            Self::Pypi => "pypi",
            Self::Npm => "npm",
        }
    }

    /// The public address its paths are relative to, without a trailing `/`.
    #[must_use]
    pub const fn default_url(self) -> &'static str {
        match self {
            Self::Debian(archive) => archive.default_url(),
            Self::Pypi => "https://files.pythonhosted.org",
            Self::Npm => "https://registry.npmjs.org",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_values_are_taken() {
        for good in
            ["localhost/lychd", "ghcr.io/hexanomicon/lychd", "localhost:5000/a/b-c.d", "registry:5000/a"]
        {
            assert!(good.parse::<ImageName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "lychd",
            "me/lychd",
            "localhost/",
            "localhost/A",
            "localhost/a:tag",
            "a.b/c@sha256:00",
            "a/../b",
            "dir:9/a",
        ] {
            assert!(bad.parse::<ImageName>().is_err(), "{bad}");
        }
        for bad in
            ["", "localhost", "1.2.3.4", "a.b:1", "https://a.b", "A.b", "xn--a.b", "a..b", "*.a.b", "a.b/"]
        {
            assert!(bad.parse::<HostName>().is_err(), "{bad}");
        }
        assert!("wheels.example.org".parse::<HostName>().is_ok());
        for bad in [
            "",
            "ftp://a.b",
            "http://u@a.b/c",
            "http://a.b/",
            "http://a.b/../c",
            "http://a.b?x",
            "http://a.b/%2e",
        ] {
            assert!(bad.parse::<MirrorUrl>().is_err(), "{bad}");
        }
        for good in ["http://a.b", "https://a.b:8080/debian", "http://10.0.0.1/debian"] {
            assert!(good.parse::<MirrorUrl>().is_ok(), "{good}");
        }
        for bad in ["", "/", "app/x", "/app/", "/app//x", "/./x", "/app/../x", "/app/x\n", "/a\\b"] {
            assert!(bad.parse::<ImagePath>().is_err(), "{bad:?}");
        }
        assert!("/app/.venv/share/A file.txt".parse::<ImagePath>().is_ok());
        for bad in ["", "Numba", "a_b", "-a", "a b", "a/b", "numba\n"] {
            assert!(bad.parse::<ImagePackage>().is_err(), "{bad:?}");
        }
        for good in ["numba", "x", "libstdc++6", "libpython3.13", "lych-core"] {
            assert!(good.parse::<ImagePackage>().is_ok(), "{good}");
        }
        for bad in ["", "libgomp1", "/lib/libgomp.so.1", "libgomp.so.1 ", "lib\u{e4}.so", "\"x.so"] {
            assert!(bad.parse::<Soname>().is_err(), "{bad:?}");
        }
        for good in ["libgomp.so.1.0.0", "libstdc++.so.6", "libfoo-1.2.so"] {
            assert!(good.parse::<Soname>().is_ok(), "{good}");
        }
        for bad in ["", "-", "a/b", "Trixie", "a--b", "../a", "trixie\n"] {
            assert!(bad.parse::<Suite>().is_err(), "{bad:?}");
        }
    }
}
