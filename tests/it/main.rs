//! One integration binary.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails"
)]

mod crypt;
mod debian_closure;
mod fetch;
mod image_stream;
mod layers;
mod nix_library;
mod podman_load;
mod pseudo_store;
mod schemas;
mod sovereign_path;
mod transmute;
mod uv_corpus;
mod workspace;
