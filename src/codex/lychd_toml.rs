//! `lychd.toml`, LychD's own file: judged as LychD judges it, so that one it would refuse is refused before
//! anything is built or bound.
//!
//! What shapes the body or a unit is kept, the rest is validated and dropped. Values must have their own TOML
//! type; LychD would also take `"7134"` for a number.

mod extensions;
mod orchestration;
mod section;
mod server;
#[cfg(test)]
mod tests;
mod value;

use section::{Keys, ROOT};
pub use value::{
    Actuator, Database, DatabaseImage, Loopback, Lychd, ReactorInbox, ReactorInboxError, Setting, Switching,
    Web,
};

use super::Codex;
use crate::{diagnostic::Diagnostic, document::Table};

pub(super) fn read(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let mut file = Keys::of(&ROOT, table, errors);
    let server = file.table("server");
    let orchestration = file.table("orchestration");
    let extensions = file.table("extensions");
    file.finish();
    if let Some(table) = server {
        server::read(table, codex, errors);
    }
    if let Some(table) = orchestration {
        orchestration::read(table, &mut codex.lychd.switching, errors);
    }
    if let Some(table) = extensions {
        extensions::read(table, &mut codex.extensions, errors);
    }
}
