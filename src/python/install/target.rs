//! The environment that is resolved for, with nothing read from the machine the forge runs on.

use uv_pep440::Version;
use uv_pep508::{MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree};
use uv_platform_tags::{Arch, Os, Platform as TagPlatform, Tags, TagsOptions};

use crate::{
    diagnostic::{Diagnostic, Failure},
    name::{ExtraName, Platform},
};

/// `platform_release` and `platform_version` in markers: facts of the running kernel, which a build has not.
/// The empty string is what uv itself uses when it resolves for another platform.
pub const KERNEL: &str = "";

/// A `CPython` with the GIL, on Linux with glibc.
///
/// Marker values: `implementation_name` `cpython`, `implementation_version` the full version,
/// `python_full_version` its release (no `rc1`), `python_version` the first two numbers, `os_name` `posix`, `sys_platform` `linux`,
/// `platform_system` `Linux`, `platform_python_implementation` `CPython`, `platform_machine` the platform's,
/// `platform_release` and `platform_version` [`KERNEL`].
#[derive(Clone, Debug)]
pub struct Target {
    python: Version,
    series: (u8, u8),
    platform: Platform,
    glibc: (u16, u16),
    markers: MarkerEnvironment,
    tags: Tags,
}

impl Target {
    /// The target for a Python's full version (`3.13.5`) on a platform whose C library is glibc
    /// `glibc.0.glibc.1` (2.41 on Debian 13, 2.36 on Debian 12).
    ///
    /// # Errors
    /// When `python` is no version with a major and minor number below 256.
    pub fn new(python: &str, platform: Platform, glibc: (u16, u16)) -> Result<Self, Failure> {
        let wrong =
            || Failure::from(Diagnostic::new(format!("`{}` is no Python version", python.escape_debug())));
        let version: Version = python.parse().map_err(|_| wrong())?;
        let series = match version.release().iter().copied().collect::<Vec<_>>().as_slice() {
            [major, minor, ..] => u8::try_from(*major).ok().zip(u8::try_from(*minor).ok()),
            _ => None,
        };
        let (major, minor) = series.ok_or_else(wrong)?;
        let release = version.only_release().to_string();
        let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: python,
            os_name: "posix",
            platform_machine: platform.machine(),
            platform_python_implementation: "CPython",
            platform_release: KERNEL,
            platform_system: "Linux",
            platform_version: KERNEL,
            // As uv: a pre-release of Python counts as its release, because the lock's ranges are of releases.
            python_full_version: &release,
            python_version: &format!("{major}.{minor}"),
            sys_platform: "linux",
        })
        .map_err(|_| wrong())?;
        let architecture = match platform {
            Platform::X86_64Linux => Arch::X86_64,
            Platform::Aarch64Linux => Arch::Aarch64,
        };
        let os = Os::Manylinux { major: glibc.0, minor: glibc.1 };
        let options = TagsOptions { manylinux_compatible: true, ..TagsOptions::default() };
        let tags = Tags::from_env(
            TagPlatform::new(os, architecture),
            (major, minor),
            "cpython",
            (major, minor),
            options,
        )
        .map_err(|error| Diagnostic::new(format!("no wheel tags for Python {python}: {error}")))?;
        Ok(Self { python: version, series: (major, minor), platform, glibc, markers, tags })
    }

    /// The full version.
    #[must_use]
    pub fn python(&self) -> &Version {
        &self.python
    }

    /// Major and minor number.
    #[must_use]
    pub fn series(&self) -> (u8, u8) {
        self.series
    }

    /// The platform.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// Whether a marker holds here while `extras` (conflict items in uv's encoding among them) are active.
    #[must_use]
    pub fn satisfies(&self, marker: MarkerTree, extras: &[ExtraName]) -> bool {
        marker.evaluate(&self.markers, extras)
    }

    /// The wheel tags that fit, ranked.
    #[must_use]
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// For messages: `CPython 3.13.5 on x86_64-linux with glibc 2.41`.
    #[must_use]
    pub fn describe(&self) -> String {
        let (major, minor) = self.glibc;
        format!("CPython {} on {} with glibc {major}.{minor}", self.python, self.platform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::new("3.12.1", Platform::X86_64Linux, (2, 36)).unwrap()
    }

    /// Measured with uv 0.11.28 and 0.13.8 on `CPython` 3.12, `x86_64`, through markers in a lock.
    #[test]
    fn markers_mean_what_they_mean_to_uv() {
        for (marker, expected) in [
            ("'86' in platform_machine", true),
            ("platform_machine in 'my-x86_64-arch'", true),
            ("'linux' not in sys_platform", false),
            ("'3.12' == python_version", true),
            ("python_version in '3.11 3.12'", true),
            ("python_version in '3.11,3.12'", true),
            ("python_version not in '3.11 3.12'", false),
            ("python_version in '3.1'", false),
            ("python_version ~= '3.10'", true),
            ("python_version > '3.9'", true),
            ("sys_platform == ''", false),
            ("python_implementation == 'CPython'", true),
            ("os.name == 'posix'", true),
            ("'3.10' ~= python_version", true),
            ("sys_platform >= 'l'", false),
            ("sys_platform > 'a'", false),
            ("sys_platform >= 'linux'", true),
            // Clauses without a meaning are left out: alone true, else the others decide.
            ("python_version == 'abc'", true),
            ("python_version == 'abc' and sys_platform == 'win32'", false),
            ("python_version == 'abc' or sys_platform == 'win32'", false),
            ("platform_machine ~= 'x86'", true),
        ] {
            let parsed: MarkerTree = marker.parse().unwrap();
            assert_eq!(target().satisfies(parsed, &[]), expected, "{marker}");
        }
        assert!("implementation_name === 'cpython'".parse::<MarkerTree>().is_err());
    }

    #[test]
    fn the_kernel_is_not_asked() {
        for (marker, expected) in [
            ("platform_release == ''", true),
            ("platform_version == ''", true),
            ("platform_release >= '10'", false),
        ] {
            assert_eq!(target().satisfies(marker.parse().unwrap(), &[]), expected, "{marker}");
        }
    }

    #[test]
    fn only_versions_with_a_series_are_targets() {
        for bad in ["", "3", "x", "3.999", "three.one"] {
            assert!(Target::new(bad, Platform::X86_64Linux, (2, 36)).is_err(), "{bad:?}");
        }
        assert_eq!(target().describe(), "CPython 3.12.1 on x86_64-linux with glibc 2.36");
    }
}
