//! The Codex: the user's configuration directory, read into one validated value.
//!
//! `lychd.toml` is LychD's own file, `forge.toml` ours; both may be missing. Their keys are in `docs/formats.md`.
//! Keys of LychD that shape nothing here are judged all the same. LychD reads the same Codex when the body starts and
//! refuses all of it for one wrong key, so a slip that is passed over here is a forged body that does not start.
//! The price is that the judging follows LychD's releases.
//!
//! Reading asks nothing of who may write the files: that is [`ownership`], for those who act on them.

mod forge_toml;
pub mod grants;
mod lychd_toml;
pub mod ownership;
pub mod runes;
mod selection;
mod spheres;
mod value;
mod vessel;

use std::path::Path;

pub use grants::{Grants, OperatorGrants};
pub use lychd_toml::{
    Actuator, Database, DatabaseImage, Loopback, Lychd, ReactorInbox, ReactorInboxError, Setting, Switching,
    Web,
};
pub use selection::{Builtin, Selection};
pub use spheres::{Sphere, Spheres};
pub use value::{
    Codex, Debian, HostName, HostPort, HostPorts, Image, ImageName, ImagePackage, ImagePath,
    MaintainerScripts, MirrorUrl, Nixpkgs, Origin, Policy, PythonSeries, Soname, Substrate,
};
pub use vessel::{HealthCheck, VesselVariable};

use crate::{
    diagnostic::{Diagnostic, Failure, Fault, Source, refuse_any},
    document::{self, reader, toml_1_0},
    host::file::{self, Kind},
};

/// Reads the Codex at `directory`.
///
/// # Errors
/// Refused with everything that is wrong in both files; unable when they cannot be read.
pub fn load(directory: &Path) -> Result<Codex, Failure> {
    if file::kind_behind(directory)? != Some(Kind::Directory) {
        return Err(Diagnostic::new(format!("there is no Codex at `{}`", directory.display()))
            .of_kind(Fault::File)
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
    archive(directory, &mut sources, &mut errors)?;
    match parse(&sources) {
        Ok(codex) if errors.is_empty() => return Ok(codex),
        Ok(_) => {}
        Err(failure) => errors.extend(failure.diagnostics().iter().cloned()),
    }
    Err(Failure::Refused(errors))
}

/// How deep directories of the archive may lie in each other, and how many files it may hold.
const DEPTH: usize = 8;
const FILES: usize = 10_000;

/// Reads every `.toml` file below `runes/`; a link is refused, since it can change between two reads.
fn archive(directory: &Path, sources: &mut Vec<Source>, errors: &mut Vec<Diagnostic>) -> Result<(), Failure> {
    let mut pending = vec![("runes".to_owned(), 1)];
    while let Some((below, depth)) = pending.pop() {
        let path = directory.join(&below);
        let kind = file::kind(&path)?;
        if depth == 1 && kind.is_none() {
            return Ok(());
        }
        if kind != Some(Kind::Directory) {
            let other = Diagnostic::new(format!("`{below}` of the Codex is not a directory"));
            errors.push(other.help("runes lie in directories of their families below it"));
            continue;
        }
        for (name, is_directory) in file::list(&path).map_err(|error| file::unable("read", &path, &error))? {
            let inner = format!("{below}/{name}");
            let is_rune = Path::new(&name).extension().is_some_and(|extension| extension == "toml");
            if is_directory && depth < DEPTH {
                pending.push((inner, depth + 1));
            } else if is_directory || !is_rune && file::kind(&path.join(&name))? == Some(Kind::Link) {
                let (what, help) = if is_directory {
                    ("lies too deep", "no family of runes lies that deep: move it out of `runes`")
                } else {
                    (
                        "is a symbolic link",
                        "put the directory itself there: a link can change between two reads",
                    )
                };
                errors.push(Diagnostic::new(format!("`{inner}` {what}")).help(help));
            } else if is_rune {
                match document::read(&path.join(&name), &inner) {
                    Ok(source) => sources.extend(source),
                    Err(Failure::Refused(all)) => errors.extend(all),
                    Err(unable) => return Err(unable),
                }
            }
            if sources.len() > FILES {
                return Err(
                    Diagnostic::new(format!("`runes` of the Codex has more than {FILES} files")).into()
                );
            }
        }
    }
    Ok(())
}

/// Parses the Codex from the texts of its files, which are known by their names; each may be missing.
///
/// # Errors
/// Refused with everything that is wrong in them.
pub fn parse(sources: &[Source]) -> Result<Codex, Failure> {
    let mut codex = Codex::default();
    let mut errors = Vec::new();
    let (archive, mut files): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| source.name().starts_with("runes/"));
    // What is wrong is told in one order, however the files were found.
    files.sort_by_key(|source| source.name() != "lychd.toml");
    for source in files {
        let already = errors.len();
        match (document::parse(source), source.name()) {
            (Ok(table), "lychd.toml") => {
                errors.extend(toml_1_0::judge(source));
                lychd_toml::read(&table, &mut codex, &mut errors);
            }
            (Ok(table), _) => forge_toml::read(&table, &mut codex, &mut errors),
            (Err(failure), _) => errors.extend(failure.diagnostics().iter().cloned()),
        }
        reader::sort_by_place(errors.get_mut(already..).unwrap_or_default());
    }
    codex.runes = runes::read(&archive, &codex.extensions.active_builtins(), &mut errors);
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
            essential = false
            maintainer-scripts = "read"
            without = ["mesa-libgallium", "libllvm19"]
            locales = []
            [policy]
            hosts = ["wheels.example.org"]
            allow-hooks = false
            allow-sdist = ["Some_Package"]
            collisions = { "/app/.venv/LICENSE" = "alive-progress" }
            missing-libraries = { numba = ["libtbb.so.12", "libgomp.so.1.0.0"], six = [] }
            strict = true
            "#,
        )
        .unwrap();
        assert_eq!(read.image.name.as_str(), "ghcr.io/me/body");
        assert_eq!(read.image.python, PythonSeries::V3_11);
        assert!(read.image.platforms.contains(&Platform::Aarch64Linux) && read.image.platforms.len() == 2);
        assert_eq!(read.image.source_date_epoch, 1_700_000_000);
        let Substrate::Debian(debian) = read.substrate else { panic!("the other substrate") };
        assert_eq!(
            debian.suites.iter().map(Suite::as_str).collect::<Vec<_>>(),
            ["bookworm", "bookworm-security"]
        );
        assert_eq!(
            debian.mirrors[&Origin::Debian(Archive::Debian)][0].as_str(),
            "http://mirror.example.org/debian"
        );
        assert_eq!(debian.mirrors[&Origin::Pypi], []);
        assert!(!debian.essential && debian.maintainer_scripts == MaintainerScripts::Read);
        let without = debian.without.iter();
        let without: Vec<String> = without.map(|name| format!("{} {}", name.value, name.place)).collect();
        assert_eq!(without, ["mesa-libgallium forge.toml:15:24", "libllvm19 forge.toml:15:43"]);
        assert_eq!(debian.locales, []);
        assert_eq!(debian.keyring.unwrap(), Path::new("keys/archive.pgp"));
        assert!(!read.policy.allow_hooks && read.policy.strict);
        assert_eq!(read.policy.allow_sdist.first().unwrap().as_str(), "some-package");
        assert_eq!(read.policy.hosts.first().unwrap().as_str(), "wheels.example.org");
        let collisions = read.policy.collisions.iter();
        assert_eq!(
            collisions.map(|(path, winner)| (path.as_str(), winner.as_str())).collect::<Vec<_>>(),
            [("/app/.venv/LICENSE", "alive-progress")]
        );
        let missing = read.policy.missing_libraries.iter();
        let missing =
            missing.flat_map(|(package, all)| all.iter().map(|one| (package.as_str(), one.as_str())));
        assert_eq!(
            missing.collect::<Vec<_>>(),
            [("numba", "libgomp.so.1.0.0"), ("numba", "libtbb.so.12")],
            "nothing to waive is no waiver"
        );
    }

    #[test]
    fn a_waiver_that_can_mean_nothing_is_refused_at_its_place() {
        for (text, wants) in [
            (
                "collisions = { \"app/x\" = \"a\" }",
                &["`collisions` in [policy]: `app/x` is not a path of the image", "  at forge.toml:2:16"][..],
            ),
            (
                "collisions = { \"/app/x\" = \"Alive_Progress\" }",
                &[
                    "`Alive_Progress` is not a package of the image",
                    "  at forge.toml:2:27",
                    "with `-` for `_`",
                ],
            ),
            ("collisions = [\"/app/x\"]", &["must be a table, not an array", "{ \"/app/.venv/LICENSE\" = "]),
            (
                "missing-libraries = { numba = [\"libgomp1\"] }",
                &["`numba` in [policy.missing-libraries]: `libgomp1` is not the name of a library"],
            ),
            (
                "missing-libraries = { Numba = [\"libgomp.so.1\"] }",
                &["[policy.missing-libraries]: `Numba` is not a package", "missing-libraries = { numba = ["],
            ),
            (
                "missing-libraries = { numba = \"x.so\" }",
                &["`numba` in [policy.missing-libraries] must be an array"],
            ),
        ] {
            let error = codex("forge.toml", &format!("[policy]\n{text}\n")).unwrap_err();
            for want in wants {
                assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
            }
            assert_eq!(error.matches("  at ").count(), 1, "told once: {error}");
        }
    }

    #[test]
    fn what_becomes_of_debians_packages_is_said_in_known_words() {
        for (text, wants) in [
            (
                "maintainer-scripts = \"raed\"",
                &[
                    "`maintainer-scripts` in [substrate.debian]: `raed` is not known",
                    ":2:22",
                    "did you mean \"read\"?",
                ][..],
            ),
            ("maintainer-scripts = \"never\"", &["`never` is not known", "known: \"run\", \"read\""]),
            ("maintainer-scripts = false", &["must be a string, not a boolean", ":2:22"]),
            (
                "without = \"mesa\"",
                &["`without` in [substrate.debian] must be an array", "[\"mesa-libgallium\"]"],
            ),
            (
                "without = [\"Mesa\"]",
                &["`without` in [substrate.debian]: ", ":2:12", "[\"mesa-libgallium\"]"],
            ),
            ("without = [\"aa\", \"aa\"]", &["`aa` stands twice in `without`", ":2:18"]),
            (
                "locales = \"de_DE.UTF-8\"",
                &["`locales` in [substrate.debian] must be an array", "[\"de_DE.UTF-8\"]"],
            ),
            (
                "locales = [\"de_DE.UTF-8\", \"en_GB\"]",
                &["`en_GB` does not end in `.UTF-8`", "write `en_GB.UTF-8`", ":2:27"],
            ),
            (
                "locales = [\"de_DE.UTF-8\", \"de_DE.UTF-8\"]",
                &["`de_DE.UTF-8` stands twice in `locales`", ":2:27"],
            ),
            (
                "maintainer-scripts = \"read\"\nlocales = [\"de_DE.UTF-8\"]",
                &[
                    "maintainer scripts make locales, and none runs",
                    ":3:12",
                    "`maintainer-scripts = \"run\"`",
                ],
            ),
        ] {
            let error = codex("forge.toml", &format!("[substrate.debian]\n{text}\n")).unwrap_err();
            for want in wants {
                assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
            }
            assert_eq!(error.matches("  at ").count(), 1, "told once: {error}");
        }
    }

    #[test]
    fn locales_keep_their_order() {
        let read =
            codex("forge.toml", "substrate.debian.locales = [\"sr_RS.UTF-8@latin\", \"de_DE.UTF-8\"]\n");
        let locales = &read.unwrap().substrate.debian().locales.clone();
        let locales: Vec<&str> = locales.iter().map(|locale| locale.value.as_str()).collect();
        assert_eq!(locales, ["sr_RS.UTF-8@latin", "de_DE.UTF-8"]);
    }

    const PIN: &str = "github:NixOS/nixpkgs/531670d871c0e29724a02f3cbcac170adc65b58c";
    const HASH: &str = "sha256-ODZkEK9Gy50yg6h98u7KkitZ3oc/uuTFK00bh1CRdNA=";

    #[test]
    fn nixpkgs_is_pinned_twice() {
        let read = codex(
            "forge.toml",
            &format!(
                "[substrate]\nkind = \"nixpkgs\"\n[substrate.nixpkgs]\nref = \"{PIN}\"\nnar-hash = \"{HASH}\"\n\
                 [substrate.debian]\nsuites = [\"bookworm\"]\n"
            ),
        )
        .unwrap();
        let Substrate::Nixpkgs(nixpkgs) = &read.substrate else { panic!("{:?}", read.substrate) };
        assert_eq!((nixpkgs.reference.as_str(), nixpkgs.nar_hash.to_sri_string().as_str()), (PIN, HASH));
        assert_eq!(read.substrate.debian().suites[0].as_str(), "bookworm", "what the tools are made of");
        // The table of the substrate that is not used is checked and has no say.
        let other = codex("forge.toml", &format!("[substrate.nixpkgs]\nref = \"{PIN}\"\n"));
        assert_eq!(other.unwrap().substrate, Substrate::default());
    }

    #[test]
    fn a_half_pinned_nixpkgs_is_refused() {
        let with = |rest: &str| {
            codex("forge.toml", &format!("[substrate]\nkind = \"nixpkgs\"\n{rest}")).unwrap_err()
        };
        let table = |reference: &str, hash: &str| {
            with(&format!("[substrate.nixpkgs]\nref = \"{reference}\"\nnar-hash = \"{hash}\"\n"))
        };
        for (error, want) in [
            (
                with(""),
                "`kind = \"nixpkgs\"` in [substrate] needs `ref` and `nar-hash` in [substrate.nixpkgs]\n  at forge.toml:2:8",
            ),
            (
                with(&format!("[substrate.nixpkgs]\nref = \"{PIN}\"\n")),
                "needs `nar-hash` in [substrate.nixpkgs]\n  at forge.toml:2:8",
            ),
            (with(&format!("nixpkgs = {{ nar-hash = \"{HASH}\" }}\n")), "needs `ref` in [substrate.nixpkgs]"),
            (
                table("github:NixOS/nixpkgs/nixos-26.05", HASH),
                "`ref` in [substrate.nixpkgs]: `github:NixOS/nixpkgs/nixos-26.05` does not name a revision in full: \
                 40 hex digits\n  at forge.toml:4:7",
            ),
            (table("nixpkgs", HASH), "is not `github:OWNER/REPO/REVISION`"),
            (
                table(PIN, &format!("{HASH}\"\n[substrate.debian]\nwithout = [\"mesa\"] # \"")),
                "`without` in [substrate.debian]: an image on nixpkgs has no package of Debian\n  at forge.toml:7:12",
            ),
            (
                table(PIN, &format!("{HASH}\"\n[substrate.debian]\nlocales = [\"de_DE.UTF-8\"] # \"")),
                "`locales` in [substrate.debian]: an image on nixpkgs has no package of Debian\n  at forge.toml:7:12",
            ),
            (
                table(PIN, "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
                "`nar-hash` in [substrate.nixpkgs]: hash algorithm `sha1`",
            ),
            (
                table(PIN, &format!("sha512-{}==", "A".repeat(86))),
                "`nar-hash` in [substrate.nixpkgs] must be `sha256-` and base64, as `nix flake metadata --json` prints it",
            ),
        ] {
            assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
            assert_eq!(error.matches("  at ").count(), 1, "told once: {error}");
        }
    }

    #[test]
    fn extensions_are_selected_in_lychds_own_file() {
        let read =
            codex("lychd.toml", "[server]\nport = 1\n[extensions]\ncrypt = [\"a/b\", \"c\"]\n").unwrap();
        let ids = read.extensions.crypt.unwrap();
        assert_eq!(ids.iter().map(|id| id.value.as_str()).collect::<Vec<_>>(), ["a/b", "c"]);
        assert_eq!(ids[1].place.to_string(), "lychd.toml:4:17");
        assert_eq!((read.ports.web.port, read.ports.database.port), (1, 5432));
        assert_eq!(codex("lychd.toml", "").unwrap().extensions.crypt, None);
        let bad = codex("lychd.toml", "[server.database]\nport = 70000\n").unwrap_err();
        assert!(bad.contains("`port` in [server.database] must be between 1 and 65535"), "{bad}");
        assert_eq!(codex("lychd.toml", "[extensions]\ncrypt = []").unwrap().extensions.crypt, Some(vec![]));
    }

    #[test]
    fn everything_wrong_is_told_with_its_place_and_the_nearest_key() {
        let error = codex(
            "forge.toml",
            "[image]\nnmae = \"x\"\npython = 3.13\nplatforms = [\"riscv64-linux\"]\nsource-date-epoch = -1\n\
             [substrate]\nkind = \"nix\"\n[substrate.debian]\nsuites = []\nmirrors = { debain = [] }\n\
             [policies]\n",
        )
        .unwrap_err();
        for want in [
            "unknown key `nmae` in [image]\n  at forge.toml:2:1\n  help: did you mean `name`?",
            "`python` in [image] must be a string, not a float\n  at forge.toml:3:10",
            "`riscv64-linux` is not a platform (`x86_64-linux` or `aarch64-linux`)\n  at forge.toml:4:14",
            "`source-date-epoch` in [image] must be between 0 and 4102444800\n  at forge.toml:5:21",
            "`kind` in [substrate]: `nix` is not a substrate\n  at forge.toml:7:8",
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
