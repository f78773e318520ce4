//! The image as data before bytes: layers, configuration, manifests and all their digests, known
//! before anything is loaded; then the bytes, streamed as a docker-archive or laid out for podman.
//!
//! ```text
//!   conf.json ── Conf::parse ──► Conf ── prepare (hashes layers on all cores) ──► Image
//!                                                                                   │
//!                                       docker-archive on a stream ◄── stream ──────┤
//!                                       OCI layout in a directory  ◄── oci_layout ──┘
//! ```
//!
//! `nix/debian/stream.py` is the same writer in Python, by design: a flake stands alone, and without the forge it must
//! stream the same bytes. Who changes one changes the other.

mod archive;
mod cache;
pub mod conf;
mod config;
mod content;
mod identity;
mod json;
mod layer;
mod oci;
mod order;
mod placed;
mod plan;
mod prepare;
mod prepared;
mod store_root;
mod tar;
mod writer;

pub use archive::stream;
pub use conf::{Conf, Reference};
pub use identity::{ConfigDigest, EngineId};
pub use oci::oci_layout;
pub use prepare::prepare;
pub use prepared::{Image, Layer};
pub use store_root::StoreRoot;
