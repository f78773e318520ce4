//! What runs beside a hook in its sandbox, and how the Synthesis knows it.

use super::record::HookEngine;
use crate::{
    digest::Sha256,
    tree::{FileTree, relative_path},
};

/// Changes when what a hook may see or do changes, besides the files of the engine.
const VERSION: &str = "1";
const RUN: &str = include_str!("engine/run.py");
const PACKAGE: &str = include_str!("engine/lychd_forge/__init__.py");

/// What is bound into the sandbox besides the member.
pub(super) fn files() -> FileTree {
    let mut tree = FileTree::new();
    tree.insert_text(relative_path!("run.py"), RUN);
    tree.insert_text(relative_path!("lychd_forge/__init__.py"), PACKAGE);
    tree
}

/// The sandbox as the Synthesis records it. The version of bubblewrap is the host's and no part of it: equal
/// inputs give an equal Synthesis everywhere.
pub(super) fn recorded() -> HookEngine {
    HookEngine {
        name: "bubblewrap".to_owned(),
        version: VERSION.to_owned(),
        sha256: Sha256::of(format!("{RUN}\0{PACKAGE}")),
    }
}
