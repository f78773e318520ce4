//! What a Synthesis holds, for `synthesize` and `forge`.

use std::collections::BTreeSet;

use indicatif::HumanBytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::Page;
use crate::{
    debian,
    name::{self, DebianName, MemberId},
    synthesis::{
        Synthesis,
        value::{Role, Substrate},
    },
};

/// Members and packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Contents {
    /// Ids: the core, then the extensions. A member with several projects has an id for each.
    pub members: Vec<MemberId>,
    /// The distribution of each member, in the same order.
    pub distributions: Vec<Distribution>,
    /// How many packages there are.
    pub packages: Packages,
    /// What of Debian the image does without; `null` when there is nothing.
    pub without: Option<Without>,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Distribution {
    /// Whose it is.
    pub member: MemberId,
    /// `core` or `extension`.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// Its version; `null` when its build decides it.
    pub version: Option<String>,
    /// Where its sources lie in the image as they are; `null` for a package, and for a further project of a member.
    pub place: Option<String>,
}

/// Counts of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Packages {
    /// Python packages in the image.
    pub python: usize,
    /// npm packages that front ends are built with.
    pub npm: usize,
    /// System packages in the image, on either substrate.
    pub system: usize,
    /// Python packages that something is built with.
    pub build: usize,
}

/// What an image does without, though others depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Without {
    /// The packages, as `forge.toml` names them.
    pub names: Vec<String>,
    /// What that saves; `null` when maintainer scripts do not run, as nothing of them is recorded then.
    pub saved: Option<Saved>,
}

/// What the image would have besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Saved {
    /// How many packages: those that are named, and what only they need.
    pub packages: usize,
    /// Bytes of them when unpacked.
    pub size: u64,
}

impl Without {
    fn of(synthesis: &Synthesis, names: &BTreeSet<DebianName>) -> Option<Self> {
        if names.is_empty() {
            return None;
        }
        let saved = debian::left_out(&synthesis.system_packages, names).map(|packages| Saved {
            packages: packages.len(),
            size: packages.iter().map(|package| package.installed_size).sum(),
        });
        Some(Self { names: names.iter().map(ToString::to_string).collect(), saved })
    }

    fn line(&self) -> String {
        let names = self.names.join(", ");
        let Some(Saved { packages, size }) = self.saved else { return names };
        let size = HumanBytes(size);
        let who = if self.names.len() == 1 { "it needs" } else { "they need" };
        match packages.saturating_sub(self.names.len()) {
            0 => format!("{names} ({size})"),
            1 => format!("{names} ({size} with 1 package that only {who})"),
            more => format!("{names} ({size} with {more} packages that only {who})"),
        }
    }
}

impl Distribution {
    fn line(&self) -> String {
        let Self { member, name, version, place, .. } = self;
        let version = version.as_deref().unwrap_or("dynamic");
        let place = place.as_ref().map(|place| format!(", plain sources at {place}"));
        format!("{member} ({name} {version}){}", place.unwrap_or_default())
    }
}

impl Contents {
    /// What a Synthesis holds.
    #[must_use]
    pub fn of(synthesis: &Synthesis) -> Self {
        let distribution = |member: &crate::synthesis::value::Member| Distribution {
            member: member.id.clone(),
            role: member.role,
            name: member.name.to_string(),
            version: member.version.clone(),
            place: member.place.clone(),
        };
        let system = match &synthesis.substrate {
            Substrate::Debian { .. } => synthesis
                .system_packages
                .iter()
                .filter(|package| package.is_in_image(&name::Role::vessel()))
                .count(),
            Substrate::Nixpkgs { packages, .. } => packages.len(),
        };
        let without = match &synthesis.substrate {
            Substrate::Debian { without, .. } => Without::of(synthesis, without),
            Substrate::Nixpkgs { .. } => None,
        };
        let build = synthesis.build_environments.iter().map(|environment| environment.packages.len()).sum();
        Self {
            members: synthesis.members.iter().map(|member| member.id.clone()).collect(),
            distributions: synthesis.members.iter().map(distribution).collect(),
            packages: Packages {
                python: synthesis.python_packages.len(),
                npm: synthesis.node.as_ref().map_or(0, |node| node.packages.len()),
                system,
                build,
            },
            without,
        }
    }

    /// A line a member, and one of counts.
    pub(super) fn write(&self, page: &mut Page) {
        for distribution in &self.distributions {
            let label = match distribution.role {
                Role::Core => "core",
                Role::Extension => "extension",
            };
            page.field(label, distribution.line());
        }
        let Packages { python, npm, system, build } = self.packages;
        let npm = if npm > 0 { format!("{npm} npm, ") } else { String::new() };
        page.field("packages", format!("{python} Python, {npm}{system} system, {build} to build with"));
        if let Some(without) = &self.without {
            page.field("without", without.line());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_package_says_where_it_lies() {
        let line = |version: Option<&str>, place: Option<&str>| {
            let member = MemberId::core();
            let (version, place) = (version.map(str::to_owned), place.map(str::to_owned));
            Distribution { member, role: Role::Core, name: "flat".to_owned(), version, place }.line()
        };
        assert_eq!(line(Some("0.1.0"), None), "core (flat 0.1.0)");
        assert_eq!(line(None, None), "core (flat dynamic)");
        assert_eq!(line(Some("0.1.0"), Some("/app")), "core (flat 0.1.0), plain sources at /app");
    }

    #[test]
    fn what_the_image_does_without_is_a_line() {
        let line = |names: &[&str], saved: Option<(usize, u64)>| {
            let saved = saved.map(|(packages, size)| Saved { packages, size });
            Without { names: names.iter().map(|&name| name.to_owned()).collect(), saved }.line()
        };
        let size = 193 << 20;
        assert_eq!(line(&["mesa"], Some((1, size))), "mesa (193.00 MiB)");
        assert_eq!(line(&["mesa"], Some((2, size))), "mesa (193.00 MiB with 1 package that only it needs)");
        assert_eq!(
            line(&["mesa"], Some((15, size))),
            "mesa (193.00 MiB with 14 packages that only it needs)"
        );
        assert_eq!(
            line(&["icons", "mesa"], Some((5, size))),
            "icons, mesa (193.00 MiB with 3 packages that only they need)"
        );
        assert_eq!(line(&["icons", "mesa"], None), "icons, mesa");
    }
}
