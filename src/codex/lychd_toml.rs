//! `lychd.toml`, LychD's own file: only what shapes the body is read, and the ports that LychD itself takes.

use super::{Codex, HostPort, Selection, document::Table, reader::Reader};
use crate::diagnostic::Diagnostic;

/// LychD's three sections.
const SECTIONS: [&str; 3] = ["server", "orchestration", "extensions"];

pub(super) fn read(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let mut file = Reader::new(table, "lychd.toml", &SECTIONS, errors);
    file.table("orchestration");
    if let Some(server) = file.table("server") {
        port(server, "[server]", &mut codex.ports.web, file.errors());
        // The rest of both sections is LychD's to judge.
        if let Some(database) = Reader::open(server, "[server]", file.errors()).table("database") {
            port(database, "[server.database]", &mut codex.ports.database, file.errors());
        }
    }
    let Some(extensions) = file.table("extensions") else { return };
    let mut extensions = Reader::new(extensions, "[extensions]", &["builtins", "crypt"], errors);
    codex.extensions = Selection {
        crypt: extensions.parsed_list("crypt"),
        builtins: extensions.parsed_list("builtins").unwrap_or_default(),
    };
}

/// `port`, over its default.
fn port(table: &Table, title: &str, own: &mut HostPort, errors: &mut Vec<Diagnostic>) {
    let number = Reader::open(table, title, errors).number("port", u64::from(u16::MAX));
    let number = number.and_then(|number| u16::try_from(number).ok());
    if let Some((port, node)) = number.zip(table.get("port")) {
        *own = HostPort { port, place: Some(node.place.clone()) };
    }
}
