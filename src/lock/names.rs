//! How the locks are called: below the Crypt's `synthesis/`, and in messages.

macro_rules! locks {
    ($($(#[$doc:meta])* $name:ident $shown:ident $text:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $name: &str = $text;
            /// The same from the Crypt, as messages have it.
            pub const $shown: &str = concat!("synthesis/", $text);
        )*
    };
}

locks! {
    /// The federation's Python packages.
    UV SHOWN_UV "uv.lock";
    /// The directory of the locks of build environments, `<id>.uv.lock` each.
    BUILDS SHOWN_BUILDS "build";
    /// Debian packages.
    DEBIAN SHOWN_DEBIAN "debian.lock.json";
    /// npm packages.
    NPM SHOWN_NPM "package-lock.json";
    /// What the registry added to the lock of npm packages.
    NPM_COMPLETED SHOWN_NPM_COMPLETED "package-lock.completed.json";
    /// Git sources.
    GIT SHOWN_GIT "git.lock.json";
}

/// What follows the id of a build environment in the name of its lock.
const BUILD_SUFFIX: &str = ".uv.lock";

/// The lock of a build environment, below the Crypt's `synthesis/`.
#[must_use]
pub fn build(id: &str) -> String {
    format!("{BUILDS}/{id}{BUILD_SUFFIX}")
}

/// The lock of a build environment, in messages.
#[must_use]
pub fn shown_build(id: &str) -> String {
    format!("{SHOWN_BUILDS}/{id}{BUILD_SUFFIX}")
}

/// The build environment that a file of [`BUILDS`] is the lock of: its id is 16 hex digits. `None` for what is no lock
/// of ours.
#[must_use]
pub fn build_of(file: &str) -> Option<&str> {
    let is_id =
        |id: &&str| id.len() == 16 && id.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    file.strip_suffix(BUILD_SUFFIX).filter(is_id)
}
