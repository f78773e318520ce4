//! What every image and every build starts from.

use std::collections::BTreeSet;

use super::{essential, request::Base};
use crate::{
    diagnostic::{Diagnostic, Failure},
    name::DebianName,
};

/// Packages of every image, besides its Python: what Python and manylinux wheels expect of a system
/// (PEP 600: glibc, libstdc++, zlib), and what a shell in the container needs. `libc-bin` is there for
/// `ldconfig`: Python's `ctypes.util.find_library` asks it where a library is.
pub const BASE: [&str; 12] = [
    "base-files",
    "bash",
    "ca-certificates",
    "coreutils",
    "dash",
    "libc-bin",
    "libc6",
    "libstdc++6",
    "media-types",
    "netbase",
    "tzdata",
    "zlib1g",
];

/// The packages of an image that nobody asked for, sorted, each once.
#[must_use]
pub fn of_image(base: Base) -> BTreeSet<&'static str> {
    match base {
        Base::None => BTreeSet::new(),
        Base::Small => BASE.into(),
        Base::Essential => BASE.into_iter().chain(essential::names()).collect(),
    }
}

/// What makes locales when its maintainer script runs; only of images for which the Codex names one.
pub const LOCALES: &str = "locales";

/// What maintainer scripts run in and with, besides the Essential packages ([`of_configuring`]): dpkg itself, fakeroot,
/// so that what they give to root and others is theirs, and the configuration of PAM, which programs for accounts ask.
pub const CONFIGURE: [&str; 3] = ["dpkg", "fakeroot", "libpam-runtime"];

/// The packages of every root in which dpkg configures, sorted: maintainer scripts may use whatever is Essential
/// (Policy 3.8), also what no image has. `login` is Essential in bookworm alone, and nothing that is configured calls it.
#[must_use]
pub fn of_configuring() -> BTreeSet<&'static str> {
    let essential = essential::ESSENTIAL.iter().map(|entry| entry.name).filter(|name| *name != "login");
    CONFIGURE.into_iter().chain(essential).collect()
}

/// Packages of every native build, besides the headers of its Python: a C and C++ compiler with its linker, libc's
/// headers, and what build scripts call.
pub const COMPILER: [&str; 6] = ["binutils", "g++", "gcc", "libc6-dev", "make", "pkgconf"];

/// The package with the headers of a Python of this series.
///
/// # Errors
/// As [`python`].
pub fn python_headers(series: &str) -> Result<DebianName, Failure> {
    python(series)?;
    format!("libpython{series}-dev")
        .parse()
        .map_err(|_| Failure::unable(Diagnostic::new("no package name for Python's headers")))
}

/// The packages that are a Python of this series, `3.13` in trixie and `3.11` in bookworm: the
/// interpreter and the whole standard library. They are roots of the image and of the build tools.
///
/// # Errors
/// [`Failure::Refused`] when the series is not `<number>.<number>`.
pub fn python(series: &str) -> Result<[DebianName; 2], Failure> {
    let number = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|c| c.is_ascii_digit());
    let wrong = || {
        Failure::from(
            Diagnostic::new(format!("`{}` is not a Python series", series.escape_debug()))
                .help("write it like \"3.13\""),
        )
    };
    if !series.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor)) {
        return Err(wrong());
    }
    let name = |text: String| text.parse().map_err(|_| wrong());
    Ok([name(format!("python{series}-minimal"))?, name(format!("libpython{series}-stdlib"))?])
}
