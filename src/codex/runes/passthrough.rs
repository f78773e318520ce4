//! Families whose command is the rune's own: generic, vLLM, `SGLang`.

use super::{
    anchor::Family,
    soulstone::{Fields, Launch},
};
use crate::{
    diagnostic::Diagnostic,
    document::reader::{Reader, like},
};

/// Keys of vLLM and `SGLang`: accepted as LychD does, and without effect.
pub(super) const KEYS: &[&str] = &["ipc_host", "network_host"];

/// What a generic runtime must speak for LychD to use it.
const SPOKEN: [&str; 3] = ["openai", "openai-compatible", "openai_compatible"];

pub(super) fn read(family: Family, reader: &mut Reader<'_, '_>, fields: Option<&Fields>) -> Option<Launch> {
    for key in KEYS {
        reader.boolean(like(key, "false"));
    }
    let fields = fields?;
    if family == Family::Generic {
        spoken(reader, fields);
    }
    Some(Launch::Exec(fields.exec.clone()))
}

/// A generic runtime must say that it speaks what LychD speaks.
fn spoken(reader: &mut Reader<'_, '_>, fields: &Fields) {
    let runtime = fields.runtime.as_ref().map_or(Family::Generic.as_str(), |runtime| runtime.value.as_str());
    if SPOKEN.contains(&runtime) {
        return;
    }
    let shown = runtime.escape_debug();
    let message = format!("the runtime `{shown}` of {} offers nothing that LychD can use", reader.title());
    let place = fields.runtime.as_ref().map_or(&fields.stone.place, |runtime| &runtime.place).clone();
    let silent = Diagnostic::new(message).at(place, "");
    reader.errors().push(silent.help("write `runtime = \"openai-compatible\"` if it has that interface"));
}
