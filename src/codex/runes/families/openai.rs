//! Remote providers with `OpenAI`'s interface.

use crate::codex::runes::portal::{OPENROUTER, PortalFamily};

pub(super) const PORTAL: PortalFamily = PortalFamily {
    default: "openai",
    others: &["openai-compatible", "openai_compatible", "google-gemini", OPENROUTER, "ollama", "litellm"],
    sample: "litellm",
    base_url: "https://api.openai.com/v1",
};
