//! `lychd-forge` turns the many manifests of a living application into one proven body.
//!
//! Data flows one way, through six values; each stage is a function from one value to the next.
//!
//! ```text
//!   Codex (configuration)             Crypt (core/, extensions/, locks)
//!         │ codex::load                       │ crypt::discover        read once; hashed as read
//!         ▼                                   ▼
//!       Codex value                   Federation   members: manifests and source trees
//!         └──────────────┬────────────────────┘
//!                        ▼ synthesis::synthesize   hooks are asked; uv, npm and the Debian index decide
//!                        │                         versions; we merge, arbitrate and check
//!                    Synthesis       every artifact with url, hash, size, requester; its sha256 is its name
//!                        │
//!                        ▼ transmute (pure)
//!                    FileTree        a Nix flake: flake.nix, body.nix, debian.nix or nixpkgs.nix, the library, sources
//!                        │
//!                        ▼ forge     nix build, stream, load into podman, read back
//!                      Body          images by role, store paths, evidence; recorded under a number
//!                        │
//!                        ▼ runes (pure) with the Codex: one pod, its containers and targets
//!                        ▼ binding   judged by podman and systemd, planned, exchanged, checked
//!                    Candidate       unit files for this body
//!                        │
//!                        ▼ rebirth   a human's word, the databases kept, watched, and back where it does not live
//! ```
//!
//! A room uses only those above it in the table of `docs/architecture.md`, and files make no circle: a test holds both.
//! Only [`host`] touches files, processes, the network, the environment and the clock.

pub mod archive;
pub mod artifact;
pub mod binding;
pub mod body;
pub mod cli;
pub mod codex;
pub mod crypt;
pub mod debian;
pub mod diagnostic;
pub mod digest;
pub mod document;
pub mod engine;
pub mod forge;
pub mod hook;
pub mod host;
pub mod image;
pub mod lock;
pub mod name;
pub mod npm;
pub mod python;
pub mod rebirth;
pub mod report;
pub mod runes;
pub mod supply;
pub mod synthesis;
pub mod tools;
pub mod transmute;
pub mod tree;
pub mod upkeep;
