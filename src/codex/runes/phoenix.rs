//! Arize Phoenix, the tracing UI (the Oculus).

use super::quadlet;
use crate::{
    diagnostic::{Diagnostic, Place, Source},
    document::{
        Located, Table,
        reader::{Reader, like},
    },
    name::{RuneName, image::UnitImage, unit_text::UnitText},
};

/// Phoenix and its ports on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phoenix {
    /// Its name: that of its unit, behind `lychd-`.
    pub name: Located<RuneName>,
    /// Its image.
    pub image: Located<UnitImage>,
    /// The pages' port.
    pub ui_port: Located<u16>,
    /// The port that traces are sent to.
    pub otlp_port: Located<u16>,
    /// Where the rune begins.
    pub place: Place,
}

pub(super) fn read(source: &Source, table: &Table, errors: &mut Vec<Diagnostic>) -> Option<Phoenix> {
    let before = errors.len();
    let place = source.at(0..0);
    let mut reader = Reader::new(table, "this Phoenix rune", errors);
    let written = reader.parsed("name");
    let name = match table.get("name") {
        Some(_) => written,
        None => "phoenix".parse().ok().map(|value| Located { value, place: place.clone() }),
    };
    let image = match reader.table(like("quadlet", &quadlet::like(quadlet::SAMPLE))) {
        Some(table) => {
            let place = reader.node("quadlet").map_or_else(|| place.clone(), |node| node.place.clone());
            quadlet::image(table, &mut reader, &place)
        }
        None => default_image(&place),
    };
    reader.parsed::<UnitText>(like("host", r#""localhost""#));
    let port = |read: Option<Located<u16>>, key: &str, default: u16| match table.get(key) {
        None => Some(Located { value: default, place: place.clone() }),
        Some(_) => read,
    };
    let ui_port = port(reader.port(like("ui_port", "6006")), "ui_port", 6006);
    let otlp_port = port(reader.port(like("otlp_port", "4317")), "otlp_port", 4317);
    reader.finish();
    if errors.len() > before {
        return None;
    }
    Some(Phoenix { name: name?, image: image?, ui_port: ui_port?, otlp_port: otlp_port?, place })
}

fn default_image(place: &Place) -> Option<Located<UnitImage>> {
    let image = "docker.io/arize-ai/phoenix:latest".parse().ok();
    image.map(|value| Located { value, place: place.clone() })
}
