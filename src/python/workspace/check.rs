//! What uv would not check or would tell badly: Python series, and versions that members want of each other.

use std::collections::BTreeMap;

use uv_pep440::{Version, VersionSpecifiers};
use uv_pep508::VersionOrUrl;

use super::{node::complain, project::Project};
use crate::{
    codex::{Codex, PythonSeries},
    diagnostic::{Failure, refuse_any},
    python::lock::outline::{Origin, Outline},
};

/// Patch releases of a series that are held against `requires-python`.
const PATCHES: u64 = 64;

/// Refuses members that another member or the image's Python rules out; gives notes on what cannot be known.
pub(super) fn check(projects: &[Project], codex: &Codex) -> Result<Vec<String>, Failure> {
    let (mut wrong, mut notes) = (Vec::new(), Vec::new());
    let series = codex.image.python.as_str();
    for project in projects {
        if let Some(requires) = &project.manifest.project.requires_python
            && !fits(&requires.value, series)
        {
            let fitting = PythonSeries::ALL.iter().find(|other| fits(&requires.value, other.as_str()));
            let help = match fitting {
                Some(other) => format!(
                    "`python = \"{other}\"` under [image] in forge.toml, with suites that have it, or widen `requires-python`"
                ),
                None => {
                    "widen `requires-python`: Debian's suites have Python 3.13 (trixie) and 3.11 (bookworm)"
                        .to_owned()
                }
            };
            wrong.push(
                complain(
                    &requires.place,
                    format!("`{}` needs Python {}, the image has {series}", project.title(), requires.value),
                )
                .requested_by(project.title())
                .help(help),
            );
        }
    }
    let by_name: BTreeMap<_, _> = projects.iter().map(|project| (project.name(), project)).collect();
    for project in projects {
        for asked in project.asked() {
            let Some(target) = by_name.get(&asked.requirement.name) else { continue };
            let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &asked.requirement.version_or_url else {
                continue;
            };
            let title = target.title();
            match &target.manifest.project.version {
                Some(version) if !specifiers.contains(&version.value) => wrong.push(
                    complain(
                        &asked.place,
                        format!("`{}` wants {title} {specifiers}, but it is {}", project.title(), version.value),
                    )
                    .at(version.place.clone(), format!("{title}'s version"))
                    .requested_by(project.title())
                    .help("take a version of the two that fit"),
                ),
                None if !specifiers.is_empty() => notes.push(format!(
                    "`{}` wants {title} {specifiers}; only the build knows {title}'s version, so it is not checked",
                    project.title()
                )),
                _ => {}
            }
        }
    }
    refuse_any(wrong)?;
    Ok(notes)
}

/// Refuses a lock in which a released package got one of our projects for what it depends on.
pub(super) fn check_lock(lock: &Outline, projects: &[Project]) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for package in lock.packages.iter().filter(|package| !matches!(package.origin, Origin::Unstated)) {
        for name in &package.needs {
            let Some(project) = projects.iter().find(|project| project.name().as_ref() == name) else {
                continue;
            };
            let message = format!(
                "`{}` has the name `{name}`, which the released package `{}` depends on",
                project.title(),
                package.name
            );
            wrong.push(
                complain(&project.manifest.project.name.place, message)
                    .requested_by(project.title())
                    .help("rename the member: it would stand in for the released package"),
            );
        }
    }
    refuse_any(wrong)
}

fn fits(requires: &VersionSpecifiers, series: &str) -> bool {
    (0..PATCHES)
        .filter_map(|patch| format!("{series}.{patch}").parse::<Version>().ok())
        .any(|version| requires.contains(&version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_fits_when_one_of_its_releases_does() {
        let specifiers = |text: &str| text.parse::<VersionSpecifiers>().unwrap();
        assert!(fits(&specifiers(">=3.13.4,<3.14"), "3.13"));
        assert!(fits(&specifiers("~=3.11"), "3.13"));
        assert!(!fits(&specifiers("<3.13"), "3.13"));
        assert!(!fits(&specifiers(">=3.14"), "3.13"));
    }
}
