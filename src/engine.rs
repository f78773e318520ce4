//! The engine: podman and systemd as they answer.

pub mod btrfs;
pub mod podman;
pub mod systemd;
