//! How Debian calls the package of a library.

use crate::name::DebianName;

/// Libraries whose package has another name than policy 8.1 gives it, some because it holds several.
const OTHERWISE: [(&str, &str); 8] = [
    ("libGLU.so.1", "libglu1-mesa"),
    ("libcrypto.so.3", "libssl3"),
    ("libgio-2.0.so.0", "libglib2.0-0"),
    ("libgmodule-2.0.so.0", "libglib2.0-0"),
    ("libgobject-2.0.so.0", "libglib2.0-0"),
    ("libgthread-2.0.so.0", "libglib2.0-0"),
    ("libjpeg.so.62", "libjpeg62-turbo"),
    ("libz.so.1", "zlib1g"),
];

/// What a package was renamed to when its times became 64 bits wide.
const RENAMED: &str = "t64";

/// What the package that has this library may be called, the likeliest name first. By policy 8.1 it is the library's
/// name and the version of its soname, with `-` between two digits, in lower case, with `-` for `_`. A file may be
/// linked with a longer version than the soname's (`libgomp.so.1.0.0`), and some packages leave a part out. Whether
/// there is such a package, an index tells. Empty for what is no name of a library.
#[must_use]
pub fn packages(soname: &str) -> Vec<DebianName> {
    if let Some((_, name)) = OTHERWISE.iter().find(|(library, _)| *library == soname) {
        return named([(*name).to_owned()]);
    }
    let Some((stem, version)) = split(soname) else { return Vec::new() };
    let stem = stem.to_lowercase().replace('_', "-");
    // GLib's own `libglib-2.0` is Debian's `libglib2.0`.
    let joined = stem.rsplit_once('-').filter(|(_, last)| last.starts_with(|c: char| c.is_ascii_digit()));
    let joined = joined.map(|(first, last)| format!("{first}{last}"));
    let stems: Vec<String> = [stem].into_iter().chain(joined).collect();
    let of_version = |version: &str| {
        let name = |stem: &String| match (version, stem.ends_with(|c: char| c.is_ascii_digit())) {
            ("", _) => stem.clone(),
            (_, true) => format!("{stem}-{version}"),
            (_, false) => format!("{stem}{version}"),
        };
        stems.iter().map(name).collect::<Vec<_>>()
    };
    named(versions(&stems, version).into_iter().flat_map(of_version))
}

/// `libfoo` and `1.2` of `libfoo.so.1.2`; the version of `libfoo.so` is empty.
fn split(soname: &str) -> Option<(&str, &str)> {
    let parts = soname.split_once(".so.").or_else(|| Some((soname.strip_suffix(".so")?, "")));
    parts.filter(|(stem, _)| !stem.is_empty())
}

/// Which parts of a version a package's name may have, the likeliest first.
fn versions<'v>(stems: &[String], version: &'v str) -> Vec<&'v str> {
    let ends = version.match_indices('.').map(|(at, _)| at).chain([version.len()]);
    let mut all: Vec<&str> =
        ends.filter_map(|end| version.get(..end)).filter(|one| !one.is_empty()).collect();
    // Three parts are a file's version more often than a soname's.
    if all.len() < 3 {
        all.reverse();
    }
    // Where the library's name has a version, as in `libpython3.13`, that is often all there is.
    let has_version = |stem: &String| {
        stem.rsplit_once('.').is_some_and(|(_, last)| last.bytes().all(|c| c.is_ascii_digit()))
    };
    if stems.iter().any(has_version) {
        all.insert(0, "");
    } else {
        all.push("");
    }
    all
}

/// Those that are names of packages, each before what it may have been renamed to.
fn named(names: impl IntoIterator<Item = String>) -> Vec<DebianName> {
    let both = names.into_iter().flat_map(|name| {
        let renamed = format!("{name}{RENAMED}");
        [name, renamed]
    });
    both.filter_map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_name_comes_first() {
        for (soname, package) in [
            ("libfoo.so.1", "libfoo1"),
            ("libfoo-1.2.so", "libfoo-1.2"),
            ("libfoo2.so.1", "libfoo2-1"),
            ("libFoo_Bar.so.3", "libfoo-bar3"),
            ("libpython3.13.so.1.0", "libpython3.13"),
            ("libtbb.so.12", "libtbb12"),
            ("libgomp.so.1", "libgomp1"),
            ("libgomp.so.1.0.0", "libgomp1"),
            ("libGL.so.1", "libgl1"),
            ("libX11.so.6", "libx11-6"),
            ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
            ("libstdc++.so.6", "libstdc++6"),
            ("libssl.so.1.1", "libssl1.1"),
            ("libperl.so.5.40", "libperl5.40"),
            ("libnss3.so", "libnss3"),
            ("libhdf5.so.310", "libhdf5-310"),
            ("libgthread-2.0.so.0", "libglib2.0-0"),
            ("libcrypto.so.3", "libssl3"),
            ("libz.so.1", "zlib1g"),
        ] {
            assert_eq!(packages(soname)[0].as_str(), package, "{soname}");
        }
    }

    #[test]
    fn others_come_after_it() {
        for (soname, package) in [
            ("libmagic.so.1", "libmagic1t64"),
            ("libgthread-2.0.so.0", "libglib2.0-0t64"),
            ("libglib-2.0.so.0", "libglib2.0-0t64"),
            ("libusb-1.0.so.0", "libusb-1.0-0"),
            ("liblua5.4.so.0", "liblua5.4-0"),
            ("libruby-3.3.so.3.3", "libruby3.3"),
            ("libboost_system.so.1.83.0", "libboost-system1.83.0"),
            ("libLLVM.so.19.1", "libllvm19"),
            ("libtcl8.6.so", "libtcl8.6"),
        ] {
            let all = packages(soname);
            assert!(all.iter().any(|name| name.as_str() == package), "{soname}: {all:?}");
        }
        let all = packages("libfoo.so.1.2");
        let names: Vec<&str> = all.iter().map(DebianName::as_str).collect();
        assert_eq!(names, ["libfoo1.2", "libfoo1.2t64", "libfoo1", "libfoo1t64", "libfoo", "libfoot64"]);
    }

    #[test]
    fn what_is_no_name_of_a_library_has_no_package() {
        for soname in ["", "libgomp1", "../x", ".so", "a b.so.1", "\u{e4}.so.1", "$(x).so"] {
            assert_eq!(packages(soname), [], "{soname:?}");
        }
    }
}
