//! Packages that are built from source: archives of an index, files of a member, trees of git repositories.
//!
//! Everything here is read: no archive is unpacked on the host and no code of a package runs. What a source
//! wants to be built with is taken from its `pyproject.toml`; the build itself happens in the sandbox.

pub mod archive;
pub mod git;
pub mod recipe;
