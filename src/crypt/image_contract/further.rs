//! `[tool.lychd.images.NAME]`: images of the body besides the application's, of system packages alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    contract::{Health, ImageContract, User},
    keys,
    preset::{self, Entry, Preset},
};
use crate::{
    crypt::system_dependency::{self, SystemDependency},
    diagnostic::{Diagnostic, Place},
    document::{Table, reader::Reader},
    name::Role,
};

/// An image of the body besides the application's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FurtherImage {
    /// What it is for.
    pub role: Role,
    /// What it is made of.
    pub system_dependencies: Vec<SystemDependency>,
    /// What starts before its command.
    pub entry: Option<Entry>,
    /// What it promises.
    pub contract: ImageContract,
    /// Where its name is written.
    pub place: Place,
}

/// Reads `[tool.lychd.images]`; in the order of the names.
pub(in crate::crypt) fn read(table: &Table, errors: &mut Vec<Diagnostic>) -> Vec<FurtherImage> {
    let mut images = Vec::new();
    for (name, field) in table.iter() {
        let role = match name.parse::<Role>() {
            Ok(role) if role == Role::vessel() => {
                let message = "the image `vessel` is the application's own";
                let wrong = Diagnostic::new(message).at(field.key.clone(), "");
                errors.push(wrong.help("its contract is [tool.lychd.image]"));
                continue;
            }
            // The flake has `<package>-conf` of each image.
            Ok(role) if role.as_str().split('-').next_back() == Some("conf") => {
                let message = format!(
                    "an image cannot be called `{role}`: the flake has what an image is made of there"
                );
                errors.push(
                    Diagnostic::new(message)
                        .at(field.key.clone(), "")
                        .help("give it another end than `conf`"),
                );
                continue;
            }
            Ok(role) => role,
            Err(error) => {
                errors.push(Diagnostic::new(error.to_string()).at(field.key.clone(), ""));
                continue;
            }
        };
        if let Some(table) = field.node.as_table() {
            images.push(image(role, table, &field.key, errors));
        } else {
            let kind = field.node.kind();
            let message = format!("`{name}` in [tool.lychd.images] must be a table, not {kind}");
            errors.push(Diagnostic::new(message).at(field.node.place.clone(), ""));
        }
    }
    images.sort_by(|a, b| a.role.cmp(&b.role));
    images
}

fn image(role: Role, table: &Table, place: &Place, errors: &mut Vec<Diagnostic>) -> FurtherImage {
    let title = format!("[tool.lychd.images.{role}]");
    let mut reader = Reader::new(table, title.as_str(), errors);
    let known = preset::ALL.map(|preset| (preset.name, preset));
    let preset: Option<Preset> = reader.choice("preset", &known).map(|preset| preset.value);
    let mut contract = preset.as_ref().map_or_else(bare, Preset::contract);
    let given = keys::read(&mut reader, &mut contract, None);
    contract.env.extend(given.env);
    if !given.ports.is_empty() {
        contract.ports = given.ports.iter().map(|port| port.value).collect();
    }
    if let Some(Health::Http { port, .. }) = &contract.health {
        contract.ports.insert(*port);
    }
    let mut system_dependencies = Vec::new();
    if let (Some(preset), Some(node)) = (&preset, reader.node("preset")) {
        let of = |name: &&str| SystemDependency::plain(name, node.place.clone());
        system_dependencies.extend(preset.packages.iter().filter_map(of));
    }
    for node in reader.array("system-dependencies").unwrap_or_default() {
        let title = format!("`system-dependencies` of {title}");
        system_dependencies.extend(system_dependency::read(node, &title, reader.errors()));
    }
    if table.get("preset").is_none() {
        reader.require("command", place, "what the image starts, as words: `command = [\"…\"]`");
    }
    reader.finish();
    let entry = preset.map(|preset| preset.entry);
    FurtherImage { role, system_dependencies, entry, contract, place: place.clone() }
}

/// What an image promises of which nothing is written.
fn bare() -> ImageContract {
    ImageContract {
        command: Vec::new(),
        user: User::default(),
        env: BTreeMap::new(),
        directories: Vec::new(),
        volumes: BTreeSet::new(),
        ports: BTreeSet::new(),
        stop_signal: None,
        health: None,
        labels: BTreeMap::new(),
    }
}
