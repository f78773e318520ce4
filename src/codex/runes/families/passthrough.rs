//! What vLLM and `SGLang` have in common: the command is the rune's own.

use crate::{
    codex::runes::{soulstone::Launch, stone_family::Fields},
    document::reader::{Reader, like},
};

/// Accepted as LychD does, and without effect: the pod has one network and one IPC namespace.
const KEYS: [&str; 2] = ["ipc_host", "network_host"];

pub(super) fn launch(reader: &mut Reader<'_, '_>, fields: Option<&Fields>) -> Option<Launch> {
    for key in KEYS {
        reader.boolean(like(key, "false"));
    }
    Some(Launch::of(&fields?.exec))
}
