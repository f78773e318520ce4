//! The Codex and Crypt skeleton that `init` writes: a core that can be forged as it is.

use std::path::{Path, PathBuf};

use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    host::file,
};

/// Which of the two directories a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    Codex,
    Crypt,
}

/// The skeleton as data. Beside it lie the two files that `nix flake init` writes and `init` does not.
const SKELETON: [(Home, &str, &str); 8] = [
    (Home::Codex, "forge.toml", include_str!("../../templates/init/codex/forge.toml")),
    (Home::Codex, "lychd.toml", include_str!("../../templates/init/codex/lychd.toml")),
    (Home::Crypt, ".gitignore", include_str!("../../templates/init/crypt/.gitignore")),
    (Home::Crypt, "core/.gitignore", include_str!("../../templates/init/crypt/core/.gitignore")),
    (Home::Crypt, "core/pyproject.toml", include_str!("../../templates/init/crypt/core/pyproject.toml")),
    (
        Home::Crypt,
        "core/src/body/__init__.py",
        include_str!("../../templates/init/crypt/core/src/body/__init__.py"),
    ),
    (Home::Crypt, "core/src/body/app.py", include_str!("../../templates/init/crypt/core/src/body/app.py")),
    (Home::Crypt, "extensions/README.md", include_str!("../../templates/init/crypt/extensions/README.md")),
];

/// Where what the Codex says of the core's own database begins, the last of its file.
const DATABASE: &str = "\n[server.database]\n";

/// A file that `init` wants to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub text: &'static str,
}

/// What `init` did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that were written.
    pub created: Vec<PathBuf>,
    /// What was there before, and was left as it is.
    pub kept: Vec<PathBuf>,
}

/// The files of a skeleton, Codex first, sorted.
///
/// `has_core` says that the Crypt has a `core/` already: a foreign core gets no files of ours.
#[must_use]
pub fn plan(codex: &Path, crypt: &Path, has_core: bool) -> Vec<Wanted> {
    SKELETON
        .into_iter()
        .filter(|(home, path, _)| !(has_core && *home == Home::Crypt && path.starts_with("core/")))
        .map(|(home, path, text)| {
            let root = if home == Home::Codex { codex } else { crypt };
            // Whether a foreign core makes a database is not known here.
            let end = text.find(DATABASE).filter(|_| has_core);
            Wanted { path: root.join(path), text: end.and_then(|end| text.get(..end)).unwrap_or(text) }
        })
        .collect()
}

/// Writes the skeleton where nothing exists; never overwrites.
///
/// # Errors
/// Refused when something else than a directory is in the way; unable when the system says no.
pub fn init(codex: &Path, crypt: &Path) -> Result<Report, Failure> {
    let mut in_the_way = Vec::new();
    for root in [codex, crypt] {
        if file::exists(root)? && file::kind_behind(root)? != Some(file::Kind::Directory) {
            in_the_way.push(Diagnostic::new(format!("`{}` is not a directory", root.display())));
        }
    }
    refuse_any(in_the_way)?;
    let mut report = Report::default();
    let core = crypt.join("core");
    let has_core = file::exists(&core)?;
    if has_core {
        report.kept.push(core);
    }
    for root in [codex, crypt] {
        file::create_directory(root).map_err(|error| file::unable("create", root, &error))?;
    }
    for Wanted { path, text } in plan(codex, crypt, has_core) {
        match file::create(&path, text.as_bytes()) {
            Ok(()) => report.created.push(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => report.kept.push(path),
            Err(error) => return Err(file::unable("write", &path, &error)),
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codex, crypt::manifest::Manifest, name::MemberId};

    #[test]
    fn the_templates_are_valid_and_say_the_defaults() {
        let directory = tempfile::tempdir().unwrap();
        let (codex, crypt) = (directory.path().join("codex"), directory.path().join("crypt"));
        let first = init(&codex, &crypt).unwrap();
        assert_eq!((first.created.len(), first.kept.len()), (SKELETON.len(), 0));
        let mut read = codex::load(&codex).unwrap();
        assert_eq!(read.lychd.database.image.value, codex::DatabaseImage::Forged);
        read.lychd.database.image = codex::Codex::default().lychd.database.image;
        assert_eq!(read, codex::Codex::default());
        let core = file::read(&crypt.join("core/pyproject.toml"), 1 << 20).unwrap();
        let manifest = Manifest::parse(&MemberId::core(), "core/pyproject.toml", &core).unwrap();
        assert_eq!(manifest.lychd.image.unwrap().contract.command.last().unwrap(), "body.app:create_app");
    }

    #[test]
    fn what_is_there_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let (codex, crypt) = (directory.path().join("codex"), directory.path().join("crypt"));
        file::write(&codex.join("forge.toml"), b"# mine\n").unwrap();
        file::write(&crypt.join("core/setup.cfg"), b"").unwrap();
        let report = init(&codex, &crypt).unwrap();
        assert_eq!(report.kept, [crypt.join("core"), codex.join("forge.toml")]);
        // What a foreign core makes is its own affair.
        assert_eq!(codex::load(&codex).unwrap(), codex::Codex::default());
        assert_eq!(file::read(&codex.join("forge.toml"), 100).unwrap(), b"# mine\n");
        assert!(!file::exists(&crypt.join("core/pyproject.toml")).unwrap());
        let again = init(&codex, &crypt).unwrap();
        assert_eq!(again.created, Vec::<PathBuf>::new());
    }
}
