//! One integration binary.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails"
)]

mod air_gap;
mod altar;
mod apt_root;
mod arbitration;
mod asgi_cores;
mod asked;
mod assets;
mod bind;
mod bodies;
mod build_environments;
mod codex_laws;
mod codex_load;
mod compare;
mod crypt;
mod debian_closure;
mod docs;
mod examples;
mod federation_lock;
mod fetch;
mod flake;
mod flow;
mod forged_database;
mod golden;
mod home;
mod hook_attacks;
mod hooks;
mod hostile_units;
mod image_stream;
mod inputs;
mod inscription;
mod layers;
mod missing_libraries;
mod nix_library;
mod nixpkgs;
mod node_modules;
mod npm;
mod npm_corpus;
mod output;
mod placed_layers;
mod plain_image;
mod podman_load;
mod podmans;
mod pseudo_store;
mod real_places;
mod realm;
mod schemas;
mod small_crypts;
mod sources;
mod sovereign_path;
mod streamed;
mod transmute;
mod unit_values;
mod unreadable;
mod users_own;
mod uv_corpus;
mod validator;
mod verbs;
mod workspace;
