//! A container with an interface that LychD is told.

use crate::{
    codex::runes::{
        soulstone::Launch,
        stone_family::{Fields, StoneFamily},
    },
    diagnostic::Diagnostic,
    document::reader::Reader,
};

pub(super) const STONE: StoneFamily =
    StoneFamily { runtime: Some("openai-compatible"), launch, ..StoneFamily::PLAIN };

/// What a generic runtime must speak for LychD to use it.
const SPOKEN: [&str; 3] = ["openai", "openai-compatible", "openai_compatible"];

fn launch(reader: &mut Reader<'_, '_>, fields: Option<&Fields>) -> Option<Launch> {
    let fields = fields?;
    let stone = &fields.stone;
    let runtime = fields.runtime.as_ref().map_or(stone.family, |runtime| runtime.value.as_str());
    if !SPOKEN.contains(&runtime) {
        let shown = runtime.escape_debug();
        let message =
            format!("the runtime `{shown}` of {} offers nothing that LychD can use", reader.title());
        let place = fields.runtime.as_ref().map_or(&stone.place, |runtime| &runtime.place).clone();
        let silent = Diagnostic::new(message).at(place, "");
        reader.errors().push(silent.help("write `runtime = \"openai-compatible\"` if it has that interface"));
    }
    Some(Launch::of(&fields.exec))
}
