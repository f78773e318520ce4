//! Our own uv, and a Python for it out of the packages the build tools are made of.

use crate::{
    archive::Deb,
    artifact::{Artifact, Effects},
    debian::SystemPackage,
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    name::{Platform, url::ArtifactUrl},
    tools::{self, Tools},
};

/// Brings and installs both.
pub(super) fn install(
    packages: &[SystemPackage],
    platform: Platform,
    effects: &Effects<'_>,
) -> Result<Tools, Failure> {
    let needed: Vec<&SystemPackage> = packages.iter().filter(|package| package.tool).collect();
    let wanted: Vec<Artifact> = needed.iter().map(|package| Artifact::from(*package)).collect();
    let paths = (effects.bring)(&wanted)?;
    let debs: Vec<Deb> =
        needed.iter().zip(paths).map(|(package, path)| Deb { path, sha256: package.sha256 }).collect();
    let fetch = |url: &ArtifactUrl, sha256: &Sha256, size: Option<u64>| {
        let artifact = Artifact::of_tool(url, *sha256, size);
        let brought = (effects.bring)(&[artifact])?;
        brought.into_iter().next().ok_or_else(|| Failure::unable(Diagnostic::new("uv was not brought")))
    };
    tools::install(effects.cache, platform, &debs, &fetch)
}
