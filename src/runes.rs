//! Runes as units: what a Podman of some version can be told.

pub mod podman;
