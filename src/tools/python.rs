//! A Python for uv to ask, unpacked from Debian packages into the cache.
//!
//! uv asks with `-I`, which ignores `PYTHONHOME`; so a small script starts Debian's binary by its own loader
//! with an `argv[0]` beside a `pyvenv.cfg`, and Python finds its library from there.

use std::path::{Path, PathBuf};

use crate::{
    archive::{Deb, deb},
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    host::file::{self, Kind},
    tree::{Entry, FileTree, RelativePath, RelativePathError},
};

/// Changes when the layout of what is written does.
const LAYOUT: &str = "1";
/// Start of the loaders' file names, with the directories that are searched for libraries beside them.
const LOADER: &str = "ld-linux";

/// Unpacks the packages to `<cache>/tools/python-<hash>` and gives the interpreter's path in it.
///
/// # Errors
/// Refused when a package is not the pinned one, is hostile, or there is no Python among them; unable
/// when the cache cannot be written.
pub fn install(cache: &Path, debs: &[Deb]) -> Result<PathBuf, Failure> {
    let mut hashes: Vec<String> = debs.iter().map(|deb| deb.sha256.to_string()).collect();
    hashes.sort();
    let id = Sha256::of(format!("{LAYOUT}\n{}\n", hashes.join("\n"))).short(16);
    file::create_directory(cache).map_err(|error| file::unable("create", cache, &error))?;
    let cache = file::canonical(cache).map_err(|error| file::unable("find", cache, &error))?;
    let directory = cache.join("tools").join(format!("python-{id}"));
    let interpreter = directory.join("bin/python3");
    let place = text(&directory)?;
    // The script names its own place, so a cache that was moved is written anew.
    let marker = directory.join("complete");
    if file::if_there(&marker, file::read(&marker, file::LIMIT))?
        .is_some_and(|known| known == place.as_bytes())
    {
        return Ok(interpreter);
    }
    let tree = lay_out(&deb::unpack(debs, &|_| true)?, place)?;
    file::write_tree(&directory, &tree).map_err(|error| file::unable("write", &directory, &error))?;
    Ok(interpreter)
}

/// How the interpreter is started without the script, for where there is no shell: paths below a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The directory on this host that holds all of it.
    pub root: PathBuf,
    /// The loader, below the root.
    pub loader: String,
    /// Directories of shared libraries, below the root.
    pub libraries: Vec<String>,
    /// Debian's binary, below the root.
    pub python: String,
}

/// What [`install`] wrote, by the path it gave.
///
/// # Errors
/// Unable when it is not there any more.
pub fn runtime(interpreter: &Path) -> Result<Runtime, Failure> {
    let root = interpreter.parent().and_then(Path::parent).unwrap_or(interpreter).join("root");
    let list = |below: &str| -> Result<Vec<String>, Failure> {
        let directory = root.join(below);
        if file::kind(&directory)? != Some(Kind::Directory) {
            return Ok(Vec::new());
        }
        let names = file::list(&directory).map_err(|error| file::unable("read", &directory, &error))?;
        Ok(names.into_iter().map(|(name, _)| format!("{below}/{name}")).collect())
    };
    let missing = |what: &str| {
        let message = format!("there is no {what} in `{}`", root.display());
        Failure::unable(Diagnostic::new(message).help("remove that directory: the forge writes it again"))
    };
    let python =
        list("usr/bin")?.into_iter().find(|path| is_python(path)).ok_or_else(|| missing("Python"))?;
    for libraries in ["usr/lib", "lib"] {
        for directory in list(libraries)?.into_iter().filter(|path| path.ends_with("-linux-gnu")) {
            let is_loader = |path: &String| {
                let name = path.rsplit('/').next().unwrap_or_default();
                name.starts_with(LOADER) && name.contains(".so.")
            };
            for loader in list(&directory)?.into_iter().filter(is_loader) {
                if file::kind(&root.join(&loader))? == Some(Kind::Link) {
                    continue;
                }
                let inner = directory.strip_prefix("usr/").unwrap_or(&directory);
                let mut libraries = Vec::new();
                for path in [format!("usr/{inner}"), inner.to_owned()] {
                    if file::kind(&root.join(&path))? == Some(Kind::Directory) {
                        libraries.push(path);
                    }
                }
                return Ok(Runtime { root, loader, libraries, python });
            }
        }
    }
    Err(missing("loader"))
}

fn is_python(path: &str) -> bool {
    path.strip_prefix("usr/bin/python3.").is_some_and(|minor| minor.parse::<u8>().is_ok())
}

fn text(directory: &Path) -> Result<&str, Failure> {
    directory.to_str().filter(|text| !text.contains(char::is_control)).ok_or_else(|| {
        Failure::unable(
            Diagnostic::new(format!(
                "the cache directory `{}` has a name Python cannot take",
                directory.display()
            ))
            .help("set XDG_CACHE_HOME to a path of plain UTF-8"),
        )
    })
}

fn lay_out(root: &FileTree, place: &str) -> Result<FileTree, Failure> {
    let missing = |what: &str| Failure::from(Diagnostic::new(format!("the tool packages hold no {what}")));
    let bad = |error: RelativePathError| Failure::from(Diagnostic::new(error.to_string()));
    let python = root
        .iter()
        .map(|(path, _)| path)
        .find(|path| is_python(path.as_str()))
        .ok_or_else(|| missing("Python"))?
        .clone();
    let loader =
        root.iter().find_map(|(path, entry)| loader(path, entry)).ok_or_else(|| missing("loader"))?;
    let libraries: Vec<String> =
        libraries(root, &loader).iter().map(|path| format!("{place}/root/{path}")).collect();

    let mut tree = FileTree::new();
    let prefix: RelativePath = "root".parse().map_err(bad)?;
    for (path, entry) in root.iter().filter(|(path, _)| is_needed(path)) {
        let entry = match entry {
            // Only the loader can start it: the environments that uv makes for builds link to this file
            // and so cannot run anything.
            Entry::File { bytes, .. } if *path == python => {
                Entry::File { bytes: bytes.clone(), executable: false }
            }
            other => other.clone(),
        };
        tree.insert(path.below(&prefix), entry);
    }
    let script = format!(
        "#!/bin/sh\nexec {} --inhibit-cache --argv0 {} --library-path {} {} \"$@\"\n",
        quoted(&format!("{place}/root/{loader}")),
        quoted(&format!("{place}/bin/python3")),
        quoted(&libraries.join(":")),
        quoted(&format!("{place}/root/{python}")),
    );
    tree.insert(
        "bin/python3".parse().map_err(bad)?,
        Entry::File { bytes: script.as_bytes().into(), executable: true },
    );
    tree.insert_text("pyvenv.cfg".parse().map_err(bad)?, format!("home = {place}/root/usr/bin\n"));
    tree.insert_text("complete".parse().map_err(bad)?, place);
    Ok(tree)
}

/// The loader's file, not a link to it.
fn loader(path: &RelativePath, entry: &Entry) -> Option<String> {
    let name = path.components().next_back()?;
    let is_loader = name.starts_with(LOADER) && name.contains(".so.") && matches!(entry, Entry::File { .. });
    is_loader.then(|| path.to_string())
}

/// Where shared libraries are: the loader's multiarch directory below `lib` and `usr/lib`.
fn libraries(root: &FileTree, loader: &str) -> Vec<String> {
    let beside = loader.rsplit_once('/').map_or("", |(directory, _)| directory);
    let inner = beside.strip_prefix("usr/").unwrap_or(beside).to_owned();
    let has =
        |directory: &String| root.iter().any(|(path, _)| path.as_str().starts_with(&format!("{directory}/")));
    [format!("usr/{inner}"), inner].into_iter().filter(has).collect()
}

/// Documentation, translations and the like are left out.
fn is_needed(path: &RelativePath) -> bool {
    !["usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/lintian/"]
        .iter()
        .any(|directory| path.as_str().starts_with(directory))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_is_a_script_and_debians_binary_cannot_be_started_alone() {
        let file = |executable| Entry::File { bytes: b"elf".as_slice().into(), executable };
        let mut root = FileTree::new();
        root.insert("usr/bin/python3.13".parse().unwrap(), file(true));
        root.insert("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2".parse().unwrap(), file(true));
        root.insert("usr/share/doc/x/copyright".parse().unwrap(), file(false));
        let tree = lay_out(&root, "/c a'che/python-0").unwrap();
        let python = tree.get(&"root/usr/bin/python3.13".parse().unwrap());
        assert_eq!(python, Some(&file(false)));
        let script = String::from_utf8(tree.file(&"bin/python3".parse().unwrap()).unwrap().to_vec()).unwrap();
        assert!(script.contains(r"--argv0 '/c a'\''che/python-0/bin/python3'"), "{script}");
        assert!(tree.get(&"root/usr/share/doc/x/copyright".parse().unwrap()).is_none());
        assert!(lay_out(&FileTree::new(), "/x").is_err());
    }
}
