//! What a Synthesis holds, for `synthesize` and `forge`.

use schemars::JsonSchema;
use serde::Serialize;

use super::Page;
use crate::{
    name::MemberId,
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

impl Contents {
    /// What a Synthesis holds.
    #[must_use]
    pub fn of(synthesis: &Synthesis) -> Self {
        let distribution = |member: &crate::synthesis::value::Member| Distribution {
            member: member.id.clone(),
            role: member.role,
            name: member.name.to_string(),
            version: member.version.clone(),
        };
        let system = match &synthesis.substrate {
            Substrate::Debian { .. } => {
                synthesis.system_packages.iter().filter(|package| package.image).count()
            }
            Substrate::Nixpkgs { packages, .. } => packages.len(),
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
        }
    }

    /// A line a member, and one of counts.
    pub(super) fn write(&self, page: &mut Page) {
        for Distribution { member, role, name, version } in &self.distributions {
            let label = match role {
                Role::Core => "core",
                Role::Extension => "extension",
            };
            page.field(label, format!("{member} ({name} {})", version.as_deref().unwrap_or("dynamic")));
        }
        let Packages { python, npm, system, build } = self.packages;
        let npm = if npm > 0 { format!("{npm} npm, ") } else { String::new() };
        page.field("packages", format!("{python} Python, {npm}{system} system, {build} to build with"));
    }
}
