//! `forge.toml`: what the forge builds, from where, and what it may do.

use std::{collections::BTreeSet, path::PathBuf};

use super::{
    Codex, Debian, ImagePackage, MaintainerScripts, Nixpkgs, Origin, Soname, Substrate, grants, spheres,
    vessel,
};
use crate::{
    diagnostic::Diagnostic,
    digest::{Integrity, Sha256},
    document::{
        Located, Table,
        reader::{Reader, like},
    },
    name::{RuneName, image::ImageReference, tree_ref::TreeRef},
};

pub(super) fn read(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let mut file = Reader::new(table, "forge.toml", errors);
    let image = file.table("image");
    let substrate = file.table("substrate");
    let policy = file.table("policy");
    let spheres = file.table("spheres");
    let granted = file.table(like("grants", "{ coder = { writable = true } }"));
    let vessel = file.table(like("vessel", r#"{ env = { LOG_LEVEL = "info" } }"#));
    let health = file.table(like("health", "{ coder = false }"));
    file.finish();
    if let Some(table) = vessel {
        codex.vessel_env = vessel::read(table, errors);
    }
    if let Some(table) = health {
        codex.health = vessel::read_health(table, errors);
    }
    if let Some(table) = image {
        read_image(table, codex, errors);
    }
    if let Some(table) = substrate {
        read_substrate(table, codex, errors);
    }
    if let Some(table) = policy {
        let mut policy = Reader::new(table, "[policy]", errors);
        codex.policy.hosts.extend(values(policy.parsed_list("hosts")));
        codex.policy.allow_hooks = policy.boolean("allow-hooks").unwrap_or(codex.policy.allow_hooks);
        codex.policy.allow_sdist.extend(values(policy.parsed_list("allow-sdist")));
        codex.policy.allow_scripts.extend(values(policy.parsed_list("allow-scripts")));
        allow_tags(&mut policy, codex);
        let collisions =
            policy.parsed_map(like("collisions", r#"{ "/app/.venv/LICENSE" = "alive-progress" }"#));
        let winners = collisions.into_iter().flatten();
        codex.policy.collisions.extend(winners.map(|(path, winner)| (path, winner.value)));
        missing_libraries(&mut policy, codex);
        codex.policy.strict = policy.boolean("strict").unwrap_or(codex.policy.strict);
    }
    if let Some(table) = spheres {
        codex.spheres = spheres::read(table, errors);
    }
    if let Some(table) = granted {
        read_grants(table, codex, errors);
    }
}

/// `allow-tags`: repositories of images that may be bound by a tag.
fn allow_tags(policy: &mut Reader<'_, '_>, codex: &mut Codex) {
    for image in policy
        .parsed_list::<ImageReference>(like("allow-tags", r#"["docker.io/vllm/vllm-openai"]"#))
        .unwrap_or_default()
    {
        if image.value.tag().is_some() || image.value.digest().is_some() {
            let message = format!("`allow-tags` in [policy]: `{}` is more than a repository", image.value);
            let wrong = Diagnostic::new(message).at(image.place, "");
            policy.errors().push(wrong.help(format!("write `{}`", image.value.repository())));
        } else {
            codex.policy.allow_tags.insert(image.value.to_string());
        }
    }
}

/// `missing-libraries`: sonames by package.
fn missing_libraries(policy: &mut Reader<'_, '_>, codex: &mut Codex) {
    let example = r#"{ numba = ["libtbb.so.12"] }"#;
    let Some(table) = policy.table(like("missing-libraries", example)) else { return };
    let mut packages = Reader::new(table, "[policy.missing-libraries]", policy.errors());
    for (name, field) in table.iter() {
        let libraries: BTreeSet<Soname> =
            values(packages.parsed_list(like(name, r#"["libtbb.so.12"]"#))).collect();
        match name.parse::<ImagePackage>() {
            Ok(package) if !libraries.is_empty() => {
                codex.policy.missing_libraries.insert(package, libraries);
            }
            Ok(_) => {}
            Err(error) => {
                let message = format!("{}: {error}", packages.title());
                let wrong = Diagnostic::new(message).at(field.key.clone(), "");
                packages.errors().push(wrong.help(format!("for example: `missing-libraries = {example}`")));
            }
        }
    }
}

/// `[grants.<rune>]`.
fn read_grants(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    for (name, field) in table.iter() {
        let title = format!("[grants.{}]", name.escape_debug());
        match (name.parse::<RuneName>(), field.node.as_table()) {
            (Ok(name), Some(grants)) => {
                let value = grants::read_operators(grants, &title, errors);
                codex.grants.insert(name, Located { value, place: field.key.clone() });
            }
            (Ok(_), None) => {
                let message = format!("{title} must be a table, not {}", field.node.kind());
                let wrong = Diagnostic::new(message).at(field.node.place.clone(), "");
                errors.push(wrong.help(format!("for example: `{name} = {{ writable = true }}`")));
            }
            (Err(error), _) => {
                let wrong = Diagnostic::new(format!("{title}: {error}")).at(field.key.clone(), "");
                errors.push(wrong.help("a service of the body without `lychd-`: [grants.coder]"));
            }
        }
    }
}

fn values<T>(list: Option<Vec<Located<T>>>) -> impl Iterator<Item = T> {
    list.into_iter().flatten().map(|item| item.value)
}

fn read_image(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let mut image = Reader::new(table, "[image]", errors);
    let target = &mut codex.image;
    if let Some(name) = image.parsed("name") {
        target.name = name.value;
    }
    if let Some(python) = image.parsed("python") {
        target.python = python.value;
    }
    if let Some(platforms) = image.parsed_list("platforms") {
        target.platforms = platforms.into_iter().map(|platform| platform.value).collect();
        if image.node("platforms").is_some_and(|node| node.as_array().is_some_and(<[_]>::is_empty)) {
            image.refuse(
                "platforms",
                "`platforms` in [image] must name at least one platform",
                "for example: `platforms = [\"x86_64-linux\"]`",
            );
        }
    }
    // The largest time a zip archive and a tar header can both hold is far above this: 2100-01-01.
    if let Some(epoch) = image.number("source-date-epoch", 4_102_444_800) {
        target.source_date_epoch = epoch;
    }
}

fn read_substrate(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let mut substrate = Reader::new(table, "[substrate]", errors);
    let kind = substrate.string("kind");
    let debian = substrate.table("debian").map(|table| read_debian(table, substrate.errors()));
    let nixpkgs = substrate.table("nixpkgs");
    // A table that is not used is read as well, so that a slip in it is found.
    let (reference, nar_hash) =
        nixpkgs.map(|table| read_nixpkgs(table, substrate.errors())).unwrap_or_default();
    let tools = debian.unwrap_or_default();
    match kind.as_ref().map_or("debian", |kind| kind.value) {
        "debian" => {
            substrate.errors().extend(unmade_locales(&tools));
            codex.substrate = Substrate::Debian(tools);
        }
        "nixpkgs" => {
            substrate.errors().extend(without_meaning(&tools));
            if let (Some(reference), Some(nar_hash)) = (reference, nar_hash) {
                codex.substrate = Substrate::Nixpkgs(Nixpkgs { reference, nar_hash, tools });
                return;
            }
            // What is there and wrong was told where it stands.
            let is_missing = |key: &&str| nixpkgs.is_none_or(|table| table.get(key).is_none());
            let missing: Vec<String> = ["ref", "nar-hash"]
                .iter()
                .filter(|key| is_missing(key))
                .map(|key| format!("`{key}`"))
                .collect();
            if !missing.is_empty() {
                let missing = missing.join(" and ");
                let message =
                    format!("`kind = \"nixpkgs\"` in [substrate] needs {missing} in [substrate.nixpkgs]");
                let diagnostic = Diagnostic::new(message).help(
                    "ref = \"github:NixOS/nixpkgs/<revision>\", and the `narHash` that `nix flake metadata --json` \
                     prints for it",
                );
                substrate.errors().push(match &kind {
                    Some(kind) => diagnostic.at(kind.place.clone(), ""),
                    None => diagnostic,
                });
            }
        }
        other => {
            let message = format!("`kind` in [substrate]: `{}` is not a substrate", other.escape_debug());
            let diagnostic = Diagnostic::new(message).help("known: \"debian\" and \"nixpkgs\"");
            substrate.errors().extend(kind.map(|kind| diagnostic.at(kind.place, "")));
        }
    }
}

/// Locales that no maintainer script makes, as none runs.
fn unmade_locales(debian: &Debian) -> Option<Diagnostic> {
    let first = debian.locales.first().filter(|_| debian.maintainer_scripts == MaintainerScripts::Read)?;
    let message = "`locales` in [substrate.debian]: maintainer scripts make locales, and none runs";
    let help = "either take the list out, which leaves `C.UTF-8`, or say `maintainer-scripts = \"run\"`";
    Some(Diagnostic::new(message).at(first.place.clone(), "").help(help))
}

/// What is said of an image's packages of Debian where it has none.
fn without_meaning(debian: &Debian) -> impl Iterator<Item = Diagnostic> {
    let without = debian.without.first().map(|first| ("without", first.place.clone()));
    let locales = debian.locales.first().map(|first| ("locales", first.place.clone()));
    [without, locales].into_iter().flatten().map(|(key, place)| {
        let message = format!("`{key}` in [substrate.debian]: an image on nixpkgs has no package of Debian");
        Diagnostic::new(message).at(place, "")
    })
}

fn read_nixpkgs(table: &Table, errors: &mut Vec<Diagnostic>) -> (Option<TreeRef>, Option<Sha256>) {
    let mut nixpkgs = Reader::new(table, "[substrate.nixpkgs]", errors);
    let reference = nixpkgs.parsed("ref").map(|reference| reference.value);
    let nar_hash = nixpkgs.parsed::<Integrity>("nar-hash").and_then(|hash| match hash.value {
        Integrity::Sha256(hash) => Some(hash),
        _ => None,
    });
    if nar_hash.is_none()
        && table
            .get("nar-hash")
            .and_then(|node| node.as_str())
            .is_some_and(|text| text.parse::<Integrity>().is_ok())
    {
        let message = "`nar-hash` in [substrate.nixpkgs] must be `sha256-` and base64, as `nix flake metadata --json` prints it";
        nixpkgs.refuse("nar-hash", message, "copy the `narHash` of its output");
    }
    (reference, nar_hash)
}

fn read_debian(table: &Table, errors: &mut Vec<Diagnostic>) -> Debian {
    let mut debian = Debian::default();
    let mut reader = Reader::new(table, "[substrate.debian]", errors);
    if let Some(suites) = reader.parsed_list("suites") {
        debian.suites = suites.into_iter().map(|suite| suite.value).collect();
        if reader.node("suites").is_some_and(|node| node.as_array().is_some_and(<[_]>::is_empty)) {
            reader.refuse(
                "suites",
                "`suites` in [substrate.debian] must name at least one suite",
                "for example: `suites = [\"trixie\"]`",
            );
        }
    }
    reader.knows(&["mirrors"]);
    // `mirrors = []`, the design's first form, means what the missing key means.
    let empty = reader.node("mirrors").is_some_and(|node| node.as_array().is_some_and(<[_]>::is_empty));
    if let Some(table) = if empty { None } else { reader.table("mirrors") } {
        let mut mirrors = Reader::new(table, "[substrate.debian.mirrors]", reader.errors());
        for origin in Origin::ALL {
            if let Some(list) = mirrors.parsed_list(origin.as_str()) {
                debian.mirrors.insert(origin, list.into_iter().map(|mirror| mirror.value).collect());
            }
        }
    }
    debian.essential = reader.boolean("essential").unwrap_or(debian.essential);
    let words = [("run", MaintainerScripts::Run), ("read", MaintainerScripts::Read)];
    if let Some(scripts) = reader.choice(like("maintainer-scripts", "\"run\""), &words) {
        debian.maintainer_scripts = scripts.value;
    }
    debian.without = reader.parsed_list(like("without", r#"["mesa-libgallium"]"#)).unwrap_or_default();
    debian.locales = reader.parsed_list(like("locales", r#"["de_DE.UTF-8"]"#)).unwrap_or_default();
    if let Some(keyring) = reader.string("keyring") {
        if keyring.value.is_empty() || keyring.value.contains(char::is_control) {
            reader.refuse(
                "keyring",
                "`keyring` in [substrate.debian] must be a path",
                "for example: `keyring = \"keys/archive.gpg\"`",
            );
        } else {
            debian.keyring = Some(PathBuf::from(keyring.value));
        }
    }
    debian
}
