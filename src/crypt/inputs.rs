//! What becomes of each key of the inputs that other tools define.
//!
//! The rule: whatever in an input decides the result is taken, refused with its place, or noted. What no row has is
//! noted by its name. `docs/inputs.md` is these tables, for people.

pub mod backends;
pub mod files;
mod input;
pub mod lychd;
pub mod npm;

pub mod uv;

pub use self::input::{Fate, Input, Row, Told, Written, written};

/// Every kind of input, in the order of the documentation.
#[must_use]
pub fn all() -> Vec<&'static Input> {
    let python = [
        &lychd::TOOL_LYCHD,
        &lychd::DEPENDENCY_GROUPS,
        &uv::TOOL_UV,
        &uv::UV_TOML,
        &backends::SETUP_CFG,
        &backends::POETRY,
        &files::PYTHON,
        &lychd::HOOK,
    ];
    let node = [
        &npm::PACKAGE_JSON,
        &npm::LIFECYCLE,
        &npm::PNPM,
        &npm::NPMRC,
        &npm::PNPM_WORKSPACE,
        &npm::YARNRC,
        &files::NODE,
    ];
    python.into_iter().chain(node).chain([&files::SECRETS]).collect()
}
