//! `unbind`: what was taken away, and what stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};
use crate::upkeep::unbind;

/// What was taken away, and what stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "unbind --json", deny_unknown_fields)]
pub struct Unbound {
    /// The generation that was inscribed; `null` where none was.
    pub generation: Option<u64>,
    /// Containers that kept images.
    pub containers: BTreeSet<String>,
    /// Whether LychD's own units, which had been taken over, are back.
    pub gives_back: bool,
    /// What stays: places, with what is there.
    pub stays: BTreeMap<PathBuf, String>,
    /// Secrets that stay with podman.
    pub secrets: BTreeSet<String>,
}

impl Unbound {
    /// What is told of it.
    #[must_use]
    pub fn of(unbound: unbind::Unbound) -> Self {
        let unbind::Unbound { generation, keepers, gives_back, stays, secrets } = unbound;
        let stays = stays.into_iter().map(|(what, path)| (path, what.to_owned())).collect();
        Self { generation, containers: keepers, gives_back, stays, secrets }
    }
}

impl Report for Unbound {
    fn write(&self, page: &mut Page) {
        match self.generation {
            Some(generation) => {
                page.field("unbound", format!("generation {generation} is inscribed no longer"));
            }
            None => page.field("unbound", "nothing was inscribed"),
        }
        if !self.containers.is_empty() {
            let many = self.containers.len();
            let what = if many == 1 { "container that kept an image" } else { "containers that kept images" };
            page.field("removed", format!("{many} {what}"));
        }
        for (path, what) in &self.stays {
            page.field("stays", format!("{}: {what}", path.display()));
        }
        if !self.containers.is_empty() {
            page.field("stays", "podman's images, which nothing keeps from being pruned now");
        }
        for secret in &self.secrets {
            page.field("stays", format!("podman's secret {secret}"));
        }
        if self.gives_back {
            page.field("next", "LychD's own units are loaded: systemctl --user start lychd-vessel");
        } else if self.generation.is_some() {
            page.field("next", "`lychd-forge bind --first` brings the same body back");
        }
    }
}
