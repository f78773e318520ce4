//! The Codex: the user's configuration directory, read into one validated value.
//!
//! `lychd.toml` is LychD's own file, `forge.toml` ours; both may be missing. Their keys are in `docs/formats.md`.

pub mod document;
mod forge_toml;
mod lychd_toml;
pub mod nearest;
pub mod reader;
mod value;

use std::path::Path;

pub use value::{
    Codex, Debian, HostName, Image, ImageName, MirrorUrl, Origin, Policy, PythonSeries, Selection, Substrate,
};

use crate::{
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    host::file,
};

/// Reads the Codex at `directory`.
///
/// # Errors
/// Refused with everything that is wrong in both files; unable when they cannot be read.
pub fn load(directory: &Path) -> Result<Codex, Failure> {
    if !file::canonical(directory).is_ok_and(|real| file::is_directory(&real)) {
        return Err(Diagnostic::new(format!("there is no Codex at `{}`", directory.display()))
            .help("`lychd-forge init` writes one, `--codex DIR` names another")
            .into());
    }
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    for name in ["lychd.toml", "forge.toml"] {
        match document::read(&directory.join(name), name) {
            Ok(source) => sources.extend(source),
            Err(Failure::Refused(all)) => errors.extend(all),
            Err(unable) => return Err(unable),
        }
    }
    match parse(&sources) {
        Ok(codex) if errors.is_empty() => return Ok(codex),
        Ok(_) => {}
        Err(failure) => errors.extend(failure.diagnostics().iter().cloned()),
    }
    Err(Failure::Refused(errors))
}

/// Parses the Codex from the texts of its files, which are known by their names; each may be missing.
///
/// # Errors
/// Refused with everything that is wrong in them.
pub fn parse(sources: &[Source]) -> Result<Codex, Failure> {
    let mut codex = Codex::default();
    let mut errors = Vec::new();
    for source in sources {
        let already = errors.len();
        match (document::parse(source), source.name()) {
            (Ok(table), "lychd.toml") => codex.extensions = lychd_toml::read(&table, &mut errors),
            (Ok(table), _) => forge_toml::read(&table, &mut codex, &mut errors),
            (Err(failure), _) => errors.extend(failure.diagnostics().iter().cloned()),
        }
        reader::sort_by_place(errors.get_mut(already..).unwrap_or_default());
    }
    refuse_any(errors)?;
    Ok(codex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{
        Platform,
        debian::{Archive, Suite},
    };

    fn codex(name: &str, text: &str) -> Result<Codex, String> {
        parse(&[Source::new(name, text)]).map_err(|failure| failure.to_string())
    }

    #[test]
    fn every_key_is_read() {
        let read = codex(
            "forge.toml",
            r#"
            [image]
            name = "ghcr.io/me/body"
            python = "3.11"
            platforms = ["aarch64-linux", "x86_64-linux"]
            source-date-epoch = 1700000000
            [substrate]
            kind = "debian"
            [substrate.debian]
            suites = ["bookworm", "bookworm-security"]
            mirrors = { debian = ["http://mirror.example.org/debian"], pypi = [] }
            keyring = "keys/archive.pgp"
            [policy]
            hosts = ["wheels.example.org"]
            allow-hooks = false
            allow-sdist = ["Some_Package"]
            "#,
        )
        .unwrap();
        assert_eq!(read.image.name.as_str(), "ghcr.io/me/body");
        assert_eq!(read.image.python, PythonSeries::V3_11);
        assert!(read.image.platforms.contains(&Platform::Aarch64Linux) && read.image.platforms.len() == 2);
        assert_eq!(read.image.source_date_epoch, 1_700_000_000);
        let Substrate::Debian(debian) = read.substrate;
        assert_eq!(
            debian.suites.iter().map(Suite::as_str).collect::<Vec<_>>(),
            ["bookworm", "bookworm-security"]
        );
        assert_eq!(
            debian.mirrors[&Origin::Debian(Archive::Debian)][0].as_str(),
            "http://mirror.example.org/debian"
        );
        assert_eq!(debian.mirrors[&Origin::Pypi], []);
        assert_eq!(debian.keyring.unwrap(), Path::new("keys/archive.pgp"));
        assert!(!read.policy.allow_hooks);
        assert_eq!(read.policy.allow_sdist.first().unwrap().as_str(), "some-package");
        assert_eq!(read.policy.hosts.first().unwrap().as_str(), "wheels.example.org");
    }

    #[test]
    fn extensions_are_selected_in_lychds_own_file() {
        let read =
            codex("lychd.toml", "[server]\nport = 1\n[extensions]\ncrypt = [\"a/b\", \"c\"]\n").unwrap();
        let ids = read.extensions.crypt.unwrap();
        assert_eq!(ids.iter().map(|id| id.value.as_str()).collect::<Vec<_>>(), ["a/b", "c"]);
        assert_eq!(ids[1].place.to_string(), "lychd.toml:4:17");
        assert_eq!(codex("lychd.toml", "").unwrap().extensions.crypt, None);
        assert_eq!(codex("lychd.toml", "[extensions]\ncrypt = []").unwrap().extensions.crypt, Some(vec![]));
    }

    #[test]
    fn everything_wrong_is_told_with_its_place_and_the_nearest_key() {
        let error = codex(
            "forge.toml",
            "[image]\nnmae = \"x\"\npython = 3.13\nplatforms = [\"riscv64-linux\"]\nsource-date-epoch = -1\n\
             [substrate]\nkind = \"nixpkgs\"\n[substrate.debian]\nsuites = []\nmirrors = { debain = [] }\n\
             [policies]\n",
        )
        .unwrap_err();
        for want in [
            "unknown key `nmae` in [image]\n  at forge.toml:2:1\n  help: did you mean `name`?",
            "`python` in [image] must be a string, not a float\n  at forge.toml:3:10",
            "`riscv64-linux` is not a platform (`x86_64-linux` or `aarch64-linux`)\n  at forge.toml:4:14",
            "`source-date-epoch` in [image] must be between 0 and 4102444800\n  at forge.toml:5:21",
            "`kind = \"nixpkgs\"` in [substrate] is not built yet\n  at forge.toml:7:8",
            "`suites` in [substrate.debian] must name at least one suite\n  at forge.toml:9:10",
            "unknown key `debain` in [substrate.debian.mirrors]\n  at forge.toml:10:13\n  help: did you mean `debian`?",
            "unknown key `policies` in forge.toml\n  at forge.toml:11:2\n  help: did you mean `policy`?",
        ] {
            assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
        }
        assert_eq!(error.matches("  at ").count(), 8, "{error}");
        let error =
            codex("lychd.toml", "[extension]\n[extensions]\ncrypt = [\"../a\", \"b\", \"b\"]\n").unwrap_err();
        for want in ["did you mean `extensions`?", "`../a` is not a member id", "`b` stands twice"] {
            assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
        }
    }
}
