//! What an image promises to run.

use std::collections::{BTreeMap, BTreeSet};

use crate::{diagnostic::Place, name::StopSignal};

/// The image contract with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageContract {
    /// Argument vector that starts the application; never empty.
    pub command: Vec<String>,
    /// The account the image declares.
    pub user: User,
    /// Environment of the running body.
    pub env: BTreeMap<String, String>,
    /// Absolute paths of directories that exist and that any user may write.
    pub directories: Vec<String>,
    /// Absolute paths whose content is to outlive a container.
    pub volumes: BTreeSet<String>,
    /// TCP ports that it listens on.
    pub ports: BTreeSet<u16>,
    /// What asks it to end; `None`: `SIGTERM`.
    pub stop_signal: Option<StopSignal>,
    /// How to ask whether it is well.
    pub health: Option<Health>,
    /// OCI labels.
    pub labels: BTreeMap<String, String>,
}

/// The account the image declares; user and group have the same name and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Account name.
    pub name: String,
    /// User and group id.
    pub uid: u32,
}

impl Default for User {
    fn default() -> Self {
        Self { name: "lich".to_owned(), uid: 1001 }
    }
}

/// How to ask whether a container is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// A question that answers 2xx then.
    Http {
        /// Path, starting with `/`.
        path: String,
        /// TCP port inside the container.
        port: u16,
        /// Where the port is written, or else the whole question.
        place: Place,
    },
    /// A program in the container that ends with 0 then.
    Command(Vec<String>),
}
