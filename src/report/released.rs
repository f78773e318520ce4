//! `bind --release`: what was given back.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};

/// The inscription that went, for LychD's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "bind --release --json", deny_unknown_fields)]
pub struct Released {
    /// The generation that lay in the site.
    pub generation: u64,
}

impl Report for Released {
    fn write(&self, page: &mut Page) {
        page.field("released", format!("generation {} is inscribed no longer", self.generation));
        page.field("next", "LychD's own units are loaded: systemctl --user start lychd-vessel");
    }
}
