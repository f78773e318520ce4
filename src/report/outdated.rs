//! `outdated`, and `--dry-run` wherever locks are made.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};
use crate::{
    digest::Sha256,
    lock::{Change, Kind},
};

/// What would move in the locks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "outdated --json", deny_unknown_fields)]
pub struct Outdated {
    /// Whether nothing would.
    pub equal: bool,
    /// What the synthesis id would be.
    pub synthesis_sha256: Sha256,
    /// What would move.
    pub moved: Vec<Change>,
    /// What else to know, a line each.
    pub notes: Vec<String>,
}

impl Report for Outdated {
    fn write(&self, page: &mut Page) {
        if self.equal {
            page.remark("Nothing would move: every pin is the newest that the manifests allow.");
            return;
        }
        let versions = |all: &[String]| if all.is_empty() { "-".to_owned() } else { all.join(", ") };
        let rows: Vec<[String; 4]> = self
            .moved
            .iter()
            .map(|one| [kind(one.kind).to_owned(), one.name.clone(), versions(&one.from), versions(&one.to)])
            .collect();
        let head = ["OF", "NAME", "LOCKED", "WOULD BE"].map(str::to_owned);
        let widths = [0, 1, 2].map(|at| {
            let column = rows.iter().chain([&head]).filter_map(|row| row.get(at));
            column.map(|text| text.chars().count()).max().unwrap_or_default()
        });
        let [first, second, third] = widths;
        for [of, name, from, to] in [&head].into_iter().chain(&rows) {
            page.line(format!("{of:<first$}  {name:<second$}  {from:<third$}  {to}"));
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Member => "member",
        Kind::System => "system",
        Kind::Python => "python",
        Kind::Build => "build",
        Kind::Git => "git",
        Kind::Npm => "npm",
    }
}
