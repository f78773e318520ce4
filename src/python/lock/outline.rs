//! What two locks are compared by: names, versions, hashes of files.
//!
//! A lock that is about to be replaced may be one that [`UvLock::read`](super::UvLock::read) refuses (a core's own,
//! one of an older form), so this reads leniently. Projects of a workspace (`virtual`) are left out: they are ours.

use toml::{Table, Value};

/// The third-party packages of a lock, in its order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    pub(crate) packages: Vec<Listed>,
}

/// One package.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) origin: Origin,
    /// Names that it depends on, its extras' too.
    pub(crate) needs: Vec<String>,
    /// Where its files are, as the lock says it, with their hashes.
    pub(crate) files: Vec<(String, String)>,
}

/// Where a package is from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// An index.
    Index(String),
    /// Anything else.
    Other,
    /// The lock does not say.
    Unstated,
}

impl Outline {
    /// `None` when it is no lock.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let lock: Table = text.parse().ok()?;
        let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
        let third_party = packages
            .filter(|package| package.get("source").is_none_or(|source| source.get("virtual").is_none()));
        Some(Self { packages: third_party.map(Listed::read).collect::<Option<_>>()? })
    }
}

impl Listed {
    fn read(package: &Value) -> Option<Self> {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let origin = match package.get("source") {
            None => Origin::Unstated,
            Some(source) => text(source, "registry").map_or(Origin::Other, Origin::Index),
        };
        let optional = package.get("optional-dependencies").and_then(Value::as_table);
        let lists =
            package.get("dependencies").into_iter().chain(optional.into_iter().flat_map(Table::values));
        let edges = lists.filter_map(Value::as_array).flatten();
        let wheels = package.get("wheels").and_then(Value::as_array).into_iter().flatten();
        let file =
            |file: &Value| Some((text(file, "url").or_else(|| text(file, "path"))?, text(file, "hash")?));
        Some(Self {
            name: text(package, "name")?,
            version: text(package, "version"),
            origin,
            needs: edges.filter_map(|edge| text(edge, "name")).collect(),
            files: wheels.chain(package.get("sdist")).filter_map(file).collect(),
        })
    }
}
