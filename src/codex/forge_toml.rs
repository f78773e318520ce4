//! `forge.toml`: what the forge builds, from where, and what it may do.

use std::path::PathBuf;

use super::{
    Codex, Debian, Origin, Substrate,
    document::{Located, Table},
    reader::Reader,
};
use crate::diagnostic::Diagnostic;

pub(super) fn read(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let mut file = Reader::new(table, "forge.toml", &["image", "substrate", "policy"], errors);
    let image = file.table("image");
    let substrate = file.table("substrate");
    let policy = file.table("policy");
    if let Some(table) = image {
        read_image(table, codex, errors);
    }
    if let Some(table) = substrate {
        read_substrate(table, codex, errors);
    }
    if let Some(table) = policy {
        let mut policy = Reader::new(table, "[policy]", &["hosts", "allow-hooks", "allow-sdist"], errors);
        codex.policy.hosts.extend(values(policy.parsed_list("hosts")));
        codex.policy.allow_hooks = policy.boolean("allow-hooks").unwrap_or(codex.policy.allow_hooks);
        codex.policy.allow_sdist.extend(values(policy.parsed_list("allow-sdist")));
    }
}

fn values<T>(list: Option<Vec<Located<T>>>) -> impl Iterator<Item = T> {
    list.into_iter().flatten().map(|item| item.value)
}

fn read_image(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let known = ["name", "python", "platforms", "source-date-epoch"];
    let mut image = Reader::new(table, "[image]", &known, errors);
    let target = &mut codex.image;
    if let Some(name) = image.parsed("name") {
        target.name = name.value;
    }
    if let Some(python) = image.parsed("python") {
        target.python = python.value;
    }
    // The largest time a zip archive and a tar header can both hold is far above this: 2100-01-01.
    if let Some(epoch) = image.number("source-date-epoch", 4_102_444_800) {
        target.source_date_epoch = epoch;
    }
    if let Some(platforms) = image.parsed_list("platforms") {
        target.platforms = platforms.into_iter().map(|platform| platform.value).collect();
        if image.node("platforms").is_some_and(|node| node.as_array().is_some_and(<[_]>::is_empty)) {
            refuse(&mut image, "platforms", "`platforms` in [image] must name at least one platform");
        }
    }
}

fn refuse(reader: &mut Reader<'_, '_>, key: &str, message: &str) {
    if let Some(node) = reader.node(key) {
        let place = node.place.clone();
        reader.errors().push(Diagnostic::new(message).at(place, ""));
    }
}

fn read_substrate(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let mut substrate = Reader::new(table, "[substrate]", &["kind", "debian", "nixpkgs"], errors);
    if let Some(kind) = substrate.string("kind") {
        let diagnostic = match kind.value {
            "debian" => None,
            "nixpkgs" => Some(
                Diagnostic::new("`kind = \"nixpkgs\"` in [substrate] is not built yet")
                    .help("use `kind = \"debian\"`, the embedded substrate"),
            ),
            other => {
                let other = other.escape_debug();
                Some(
                    Diagnostic::new(format!("`kind` in [substrate]: `{other}` is not a substrate"))
                        .help("known: \"debian\""),
                )
            }
        };
        substrate.errors().extend(diagnostic.map(|diagnostic| diagnostic.at(kind.place, "")));
    }
    if let Some(nixpkgs) = substrate.table("nixpkgs") {
        // Checked so that a slip is found, though the substrate itself is refused above.
        Reader::new(nixpkgs, "[substrate.nixpkgs]", &["ref", "nar-hash"], substrate.errors());
    }
    if let Some(table) = substrate.table("debian") {
        codex.substrate = Substrate::Debian(read_debian(table, errors));
    }
}

fn read_debian(table: &Table, errors: &mut Vec<Diagnostic>) -> Debian {
    let mut debian = Debian::default();
    let mut reader = Reader::new(table, "[substrate.debian]", &["suites", "mirrors", "keyring"], errors);
    if let Some(suites) = reader.parsed_list("suites") {
        debian.suites = suites.into_iter().map(|suite| suite.value).collect();
        if reader.node("suites").is_some_and(|node| node.as_array().is_some_and(<[_]>::is_empty)) {
            refuse(&mut reader, "suites", "`suites` in [substrate.debian] must name at least one suite");
        }
    }
    if let Some(keyring) = reader.string("keyring") {
        if keyring.value.is_empty() || keyring.value.contains(char::is_control) {
            refuse(&mut reader, "keyring", "`keyring` in [substrate.debian] must be a path");
        } else {
            debian.keyring = Some(PathBuf::from(keyring.value));
        }
    }
    // `mirrors = []`, the design's first form, means what the missing key means.
    let empty = reader.node("mirrors").is_some_and(|node| node.as_array().is_some_and(<[_]>::is_empty));
    if let Some(table) = if empty { None } else { reader.table("mirrors") } {
        let known = Origin::ALL.map(Origin::as_str);
        let mut mirrors = Reader::new(table, "[substrate.debian.mirrors]", &known, errors);
        for origin in Origin::ALL {
            if let Some(list) = mirrors.parsed_list(origin.as_str()) {
                debian.mirrors.insert(origin, list.into_iter().map(|mirror| mirror.value).collect());
            }
        }
    }
    debian
}
