//! What does not fit together in a Debian lock, and where it is written.

use super::pin::{MOST, Pin};
use crate::{
    diagnostic::{Diagnostic, Failure, Place},
    document::{Node, Table},
    name::{DebianName, Platform},
};

/// Why pins do not answer for each other on one platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistency {
    /// There are too many.
    #[error("{platform} has {count} packages, more than {MOST}")]
    TooMany {
        /// The platform.
        platform: Platform,
        /// How many packages it has.
        count: usize,
    },
    /// A package of another architecture.
    #[error("package `{}` has architecture `{}` on {platform}", .pin.name, .pin.architecture.escape_debug())]
    Architecture {
        /// The package.
        pin: Box<Pin>,
        /// The platform.
        platform: Platform,
    },
    /// A path that names another package.
    #[error("package `{}` has the path `{}` of another", .pin.name, .pin.path)]
    Path {
        /// The package.
        pin: Box<Pin>,
    },
    /// A size that no package has.
    #[error("package `{}` has {} bytes, {} when unpacked", .pin.name, .pin.size, .pin.installed_size)]
    Size {
        /// The package.
        pin: Box<Pin>,
    },
    /// Two pins of one name.
    #[error("package `{name}` is pinned twice")]
    Twice {
        /// The name.
        name: DebianName,
    },
    /// An edge that leads nowhere.
    #[error("package `{name}` needs `{needed}`, which is not pinned")]
    Missing {
        /// The package.
        name: DebianName,
        /// What it needs.
        needed: DebianName,
    },
    /// An alias that is a package, or whose target is none.
    #[error("alias `{alias}` of `{target}` is no alias of a pin")]
    Alias {
        /// The alias.
        alias: DebianName,
        /// What it stands for.
        target: DebianName,
    },
}

impl Inconsistency {
    /// Where it is written in the lock's entry of its platform.
    pub(super) fn place(&self, entry: &Table) -> Option<Place> {
        let packages = entry.field("packages")?;
        let of = |name: &DebianName| -> Vec<&Table> {
            let is_named = |pin: &&Table| pin.get("name").and_then(Node::as_str) == Some(name.as_str());
            let pins = packages.node.as_array().unwrap_or_default().iter();
            pins.filter_map(Node::as_table).filter(is_named).collect()
        };
        let value = |pin: &Pin, key: &str| Some(of(&pin.name).first()?.get(key)?.place.clone());
        match self {
            Self::TooMany { .. } => Some(packages.key.clone()),
            Self::Architecture { pin, .. } => value(pin, "architecture"),
            Self::Path { pin } => value(pin, "path"),
            Self::Size { pin } => value(pin, "size"),
            Self::Twice { name } => Some(of(name).get(1)?.get("name")?.place.clone()),
            Self::Missing { name, needed } => {
                let mut needs =
                    of(name).into_iter().filter_map(|pin| pin.get("depends")?.as_array()).flatten();
                Some(needs.find(|node| node.as_str() == Some(needed.as_str()))?.place.clone())
            }
            Self::Alias { alias, .. } => Some(entry.table("aliases")?.field(alias.as_str())?.key.clone()),
        }
    }
}

impl From<Inconsistency> for Diagnostic {
    fn from(error: Inconsistency) -> Self {
        Self::new(error.to_string())
    }
}

/// All of them, refused without their places.
impl From<Vec<Inconsistency>> for Failure {
    fn from(errors: Vec<Inconsistency>) -> Self {
        Self::Refused(errors.into_iter().map(Diagnostic::from).collect())
    }
}
