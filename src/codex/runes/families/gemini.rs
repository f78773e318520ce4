//! Google Gemini.

use crate::codex::runes::portal::PortalFamily;

pub(super) const PORTAL: PortalFamily = PortalFamily {
    default: "google-gemini",
    others: &[],
    sample: "google-gemini",
    base_url: "https://generativelanguage.googleapis.com/v1beta/openai/",
};
