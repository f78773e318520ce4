//! The engine: podman as it answers.

pub mod podman;
