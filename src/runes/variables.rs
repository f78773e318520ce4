//! Variables that every container has, and how they name secrets.

use std::collections::BTreeMap;

use super::{
    mounts,
    unit::{Piece, Value},
};
use crate::name::{SecretName, variable::VariableName};

/// A variable of ours.
pub(super) fn variable(environment: &mut BTreeMap<VariableName, Value>, name: &str, value: impl Into<Value>) {
    if let Ok(name) = name.parse() {
        environment.insert(name, value.into());
    }
}

/// The file that podman puts a secret into.
pub(super) fn secret_file(name: &SecretName) -> String {
    format!("/run/secrets/{name}")
}

/// Home and XDG directories with the host's own names, so that paths mean the same inside.
pub(super) fn home_environment() -> BTreeMap<VariableName, Value> {
    let mut environment = BTreeMap::new();
    variable(&mut environment, "HOME", Value::of([Piece::Home]));
    for (name, below) in
        [("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share"), ("XDG_CACHE_HOME", ".cache")]
    {
        variable(&mut environment, name, mounts::below_home(below));
    }
    environment
}
