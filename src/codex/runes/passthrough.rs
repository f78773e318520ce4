//! Families whose command is the rune's own: generic, vLLM, `SGLang`.

use super::{
    anchor::Family,
    soulstone::{Fields, Launch},
};
use crate::codex::reader::Reader;

/// Keys of vLLM and `SGLang`: accepted as LychD does, and without effect.
pub(super) const KEYS: &[&str] = &["ipc_host", "network_host"];

/// What a generic runtime must speak for LychD to use it.
const SPOKEN: [&str; 3] = ["openai", "openai-compatible", "openai_compatible"];

pub(super) fn read(family: Family, reader: &mut Reader<'_, '_>, fields: Option<&Fields>) -> Option<Launch> {
    for key in KEYS {
        reader.boolean(key);
    }
    let fields = fields?;
    let runtime = fields.runtime.as_ref().map_or(family.as_str(), |runtime| runtime.value.as_str());
    if family == Family::Generic && !SPOKEN.contains(&runtime) {
        let message = format!(
            "the runtime `{}` of {} offers nothing that LychD can use",
            runtime.escape_debug(),
            reader.title()
        );
        let place =
            fields.runtime.as_ref().map_or_else(|| fields.stone.place.clone(), |one| one.place.clone());
        reader.errors().push(
            crate::diagnostic::Diagnostic::new(message)
                .at(place, "")
                .help("write `runtime = \"openai-compatible\"` if it has that interface"),
        );
    }
    Some(Launch::Exec(fields.exec.clone()))
}
