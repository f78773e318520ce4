//! Texts with places: TOML and JSON as values that know where each part was written, and the reader that takes typed
//! values out of them and collects everything that is wrong.

mod canonical;
pub mod json;
pub mod nearest;
pub mod reader;
mod toml;
pub mod toml_1_0;
pub mod yaml;

pub use canonical::canonical_json;
pub use toml::*;
