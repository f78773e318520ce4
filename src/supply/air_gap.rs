//! The folder that carries every download to a host without a network: written here, and read there.
//!
//! What is in it is believed by its hash alone: first the index's, which tells a damaged copy, then the lock's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    artifact::Artifact,
    diagnostic::{Diagnostic, Failure},
    digest::{Sha256, store_path::StoreName},
    document::canonical_json,
    host::file,
    name::MemberId,
    tree::RelativePath,
};

/// The index's schema and version.
pub const SCHEMA: &str = "lychd-forge/air-gap/1";
const INDEX: &str = "index.json";
const ARTIFACTS: &str = "artifacts";
/// The most files of one folder, and the most bytes of one file.
const MOST: usize = 200_000;
const LARGEST: u64 = 8 << 30;

/// `index.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    schema: String,
    /// Version of the forge that wrote it.
    forge: String,
    /// What it was made for.
    synthesis_sha256: Sha256,
    artifacts: Vec<Entry>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// `artifacts/<hash>/<name>`.
    path: String,
    sha256: Sha256,
    size: u64,
    /// What a person calls it.
    label: String,
    requested_by: Vec<MemberId>,
}

/// A folder to read from.
#[derive(Debug)]
pub struct AirGap {
    directory: PathBuf,
    synthesis_sha256: Sha256,
    entries: BTreeMap<String, Entry>,
}

/// A folder that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Files in the folder.
    pub artifacts: usize,
    /// Their bytes.
    pub size: u64,
}

/// Where an artifact lies below the folder: the hash that pins it, then its store name.
fn path_of(artifact: &Artifact) -> String {
    format!("{ARTIFACTS}/{}/{}", artifact.integrity.to_hex(), artifact.file())
}

fn refused(directory: &Path, what: &str) -> Diagnostic {
    Diagnostic::new(format!("the folder `{}` {what}", directory.display()))
}

impl AirGap {
    /// Opens a folder that [`write()`] made.
    ///
    /// # Errors
    /// Refused when it is none, or its index is not one that the forge writes; unable when it cannot be read.
    pub fn open(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(INDEX);
        let remade = "`lychd-forge fetch --to DIR` makes one on a host with a network";
        if !file::exists(&path)? {
            return Err(refused(directory, &format!("has no `{INDEX}`")).help(remade).into());
        }
        let text =
            file::read_text(&path).map_err(|error| file::unreadable(&path.display().to_string(), &error))?;
        let wrong = |what: &str| -> Failure {
            refused(directory, &format!("has an `{INDEX}` that is not right: {what}")).help(remade).into()
        };
        let index: Index = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        if index.schema != SCHEMA {
            return Err(wrong(&format!("unknown schema `{}`", index.schema.escape_debug())));
        }
        if index.artifacts.len() > MOST {
            return Err(wrong(&format!("more than {MOST} artifacts")));
        }
        let mut entries = BTreeMap::new();
        for entry in index.artifacts {
            let shown = entry.path.escape_debug().to_string();
            if !is_place(&entry.path) {
                return Err(wrong(&format!("`{shown}` is no place of an artifact")));
            }
            if entry.size > LARGEST || entry.label.len() > 500 || entry.label.contains(char::is_control) {
                return Err(wrong(&format!("`{shown}` has a size or label that no artifact has")));
            }
            if entries.insert(entry.path.clone(), entry).is_some() {
                return Err(wrong(&format!("`{shown}` stands twice")));
            }
        }
        Ok(Self { directory: directory.to_owned(), synthesis_sha256: index.synthesis_sha256, entries })
    }

    /// Copies an artifact to `place`, and says so only when it is the pinned one.
    ///
    /// # Errors
    /// Refused when the folder lacks it, or holds something else in its place; unable when it cannot be copied.
    pub fn take(&self, artifact: &Artifact, place: &Path) -> Result<(), Failure> {
        let path = path_of(artifact);
        let directory = &self.directory;
        let Some(entry) = self.entries.get(&path) else {
            let made_for = self.synthesis_sha256.short(12);
            return Err(refused(directory, &format!("has no `{}` ({path})", artifact.label))
                .note(format!("it was made for the synthesis {made_for}…"))
                .help("make it anew where there is a network: `lychd-forge fetch --to DIR`, with the same locks")
                .into());
        };
        let wrong = |what: String| -> Failure {
            refused(directory, &format!("is damaged: `{path}` {what}")).help("copy it anew").into()
        };
        // A folder's links could lead anywhere on this host.
        let mut above = directory.clone();
        for part in path.split('/').take(2) {
            above.push(part);
            if file::kind(&above)? != Some(file::Kind::Directory) {
                return Err(wrong("is missing".to_owned()));
            }
        }
        let from = directory.join(&path);
        let mut unfinished = place.as_os_str().to_owned();
        unfinished.push(".copy");
        let unfinished = PathBuf::from(unfinished);
        let copied = file::copy(&from, &unfinished, entry.size);
        let found = match copied {
            Err(error) if file::is_wrong(&error) => return Err(wrong(format!("cannot be taken: {error}"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(wrong("is missing".to_owned()));
            }
            other => other.map_err(|error| file::unable("copy", &from, &error))?,
        };
        let pinned = &artifact.integrity;
        let of_the_pins_kind = file::integrity(&unfinished, pinned)
            .map_err(|error| file::unable("read", &unfinished, &error))?;
        let judged = if found != entry.sha256 {
            Err(wrong(format!("has sha256 {found}, not {}", entry.sha256)))
        } else if of_the_pins_kind != *pinned {
            let (has, pins) = (of_the_pins_kind.to_sri_string(), pinned.to_sri_string());
            Err(wrong(format!("is {has}, and the lock pins {pins}")))
        } else {
            file::rename(&unfinished, place).map_err(|error| file::unable("write", place, &error))
        };
        if judged.is_err() {
            file::remove(&unfinished).map_err(|error| file::unable("remove", &unfinished, &error))?;
        }
        judged
    }
}

/// `artifacts/<hash in hex>/<store name>`, and nothing that leads elsewhere.
fn is_place(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let [ARTIFACTS, hash, name] = parts.as_slice() else { return false };
    path.parse::<RelativePath>().is_ok()
        && matches!(hash.len(), 64 | 96 | 128)
        && hash.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
        && StoreName::mapped(name).to_string() == *name
}

/// Writes what was brought into a folder: artifacts with where they lie. The folder must be new, empty, or one of
/// these; what an older one held and this one does not is removed.
///
/// # Errors
/// Refused when something else lies there; unable when it cannot be written.
pub fn write(
    directory: &Path,
    synthesis_sha256: Sha256,
    brought: &[(Artifact, PathBuf)],
) -> Result<Folder, Failure> {
    let unable = |doing: &'static str| move |error: std::io::Error| file::unable(doing, directory, &error);
    file::create_directory(directory).map_err(unable("create"))?;
    let empty = file::names(directory).map_err(unable("read"))?.is_empty();
    let before = if empty {
        BTreeMap::new()
    } else {
        AirGap::open(directory)
            .map_err(|failure| match failure {
                Failure::Refused(_) => {
                    let other = refused(directory, "holds what the forge did not write");
                    Failure::from(other.help("name a new or empty directory"))
                }
                unable @ Failure::Unable(_) => unable,
            })?
            .entries
    };
    let index = |artifacts: Vec<Entry>| Index {
        schema: SCHEMA.to_owned(),
        forge: env!("CARGO_PKG_VERSION").to_owned(),
        synthesis_sha256,
        artifacts,
    };
    // Until all is there it promises nothing, and is known as ours all the same.
    write_index(directory, &index(Vec::new()))?;
    let above = directory.join(ARTIFACTS);
    if file::kind(&above)?.is_some_and(|kind| kind != file::Kind::Directory) {
        return Err(refused(directory, &format!("has an `{ARTIFACTS}` that is no directory")).into());
    }
    let mut entries = BTreeMap::new();
    for (artifact, from) in brought {
        let path = path_of(artifact);
        let to = directory.join(&path);
        let known = before.get(&path).map(|entry| entry.sha256);
        let sha256 = match known.filter(|known| file::sha256(&to).is_ok_and(|found| found == *known)) {
            Some(there) => there,
            None => file::copy(from, &to, LARGEST).map_err(|error| file::unable("copy", from, &error))?,
        };
        let size = file::size(&to).map_err(|error| file::unable("read", &to, &error))?;
        let requested_by = artifact.requested_by.iter().cloned().collect();
        let label = artifact.label.clone();
        entries.insert(path.clone(), Entry { path, sha256, size, label, requested_by });
    }
    for path in before.keys().filter(|path| !entries.contains_key(*path)) {
        let stale = directory.join(path);
        let stale = stale.parent().unwrap_or(&stale);
        file::remove(stale).map_err(|error| file::unable("remove", stale, &error))?;
    }
    let written = Folder { artifacts: entries.len(), size: entries.values().map(|entry| entry.size).sum() };
    write_index(directory, &index(entries.into_values().collect()))?;
    Ok(written)
}

fn write_index(directory: &Path, index: &Index) -> Result<(), Failure> {
    let path = directory.join(INDEX);
    file::write(&path, canonical_json(index).as_bytes()).map_err(|error| file::unable("write", &path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{Integrity, store_path::StorePath};

    fn artifact(name: &str, content: &str) -> Artifact {
        Artifact {
            label: format!("{name} 1.0"),
            url: format!("https://files.pythonhosted.org/{name}"),
            integrity: Integrity::Sha256(Sha256::of(content)),
            size: None,
            store_path: StorePath::of_flat_file(
                &Integrity::Sha256(Sha256::of(content)),
                &StoreName::mapped(&format!("{name}.whl")),
            ),
            requested_by: ["scribe".parse().unwrap()].into(),
            system: false,
        }
    }

    /// A folder of `a` and `b`, beside what they were copied from.
    fn folder() -> (tempfile::TempDir, PathBuf, Vec<(Artifact, PathBuf)>) {
        let home = tempfile::tempdir().unwrap();
        let brought: Vec<(Artifact, PathBuf)> = ["a", "b"]
            .into_iter()
            .map(|name| {
                let path = home.path().join(name);
                file::write(&path, name.as_bytes()).unwrap();
                (artifact(name, name), path)
            })
            .collect();
        let directory = home.path().join("folder");
        let written = write(&directory, Sha256::of("synthesis"), &brought).unwrap();
        assert_eq!(written, Folder { artifacts: 2, size: 2 });
        (home, directory, brought)
    }

    fn text(failure: &Failure, code: u8) -> String {
        assert_eq!(failure.exit_code(), code, "{failure}");
        failure.to_string()
    }

    #[test]
    fn what_was_written_is_taken_and_written_again_to_the_same_bytes() {
        let (home, directory, brought) = folder();
        let index = file::read(&directory.join(INDEX), 1 << 20).unwrap();
        let place = home.path().join("cache/a.whl");
        AirGap::open(&directory).unwrap().take(&brought[0].0, &place).unwrap();
        assert_eq!(file::read(&place, 9).unwrap(), b"a");
        write(&directory, Sha256::of("synthesis"), &brought).unwrap();
        assert_eq!(file::read(&directory.join(INDEX), 1 << 20).unwrap(), index);
        write(&directory, Sha256::of("synthesis"), &brought[..1]).unwrap();
        assert_eq!(file::list(&directory.join(ARTIFACTS)).unwrap().len(), 1);
        let missing = AirGap::open(&directory).unwrap().take(&brought[1].0, &place).unwrap_err();
        let missing = text(&missing, 1);
        assert!(
            missing.contains("has no `b 1.0` (artifacts/") && missing.contains("fetch --to"),
            "{missing}"
        );
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes a hostile folder")]
    fn what_is_in_the_folder_is_believed_by_its_hash_alone() {
        let (home, directory, brought) = folder();
        let place = home.path().join("cache/a.whl");
        let (pinned, _) = &brought[0];
        let inside = directory.join(path_of(pinned));
        let refused = |want: &str| {
            let failure = AirGap::open(&directory).unwrap().take(pinned, &place).unwrap_err();
            let text = text(&failure, 1);
            assert!(text.contains(want), "{want}\n--- not in ---\n{text}");
            assert!(
                !file::exists(&place).unwrap()
                    && file::names(place.parent().unwrap()).is_ok_and(|all| all.is_empty())
            );
        };
        file::create_directory(place.parent().unwrap()).unwrap();
        file::write(&inside, b"x").unwrap();
        refused("is damaged: `artifacts/");
        file::write(&inside, b"longer").unwrap();
        refused("more than 1 bytes");
        file::remove(&inside).unwrap();
        refused("is missing");
        let link = |from: &Path| std::os::unix::fs::symlink(from, &inside).unwrap();
        link(&brought[0].1);
        refused("a symbolic link");
        file::remove(inside.parent().unwrap()).unwrap();
        let elsewhere = home.path().join("elsewhere");
        file::write(&elsewhere.join("a.whl"), b"a").unwrap();
        std::os::unix::fs::symlink(&elsewhere, inside.parent().unwrap()).unwrap();
        refused("is missing");
        // An index that lies as its file does.
        file::remove(inside.parent().unwrap()).unwrap();
        file::write(&inside, b"x").unwrap();
        let index = String::from_utf8(file::read(&directory.join(INDEX), 1 << 20).unwrap()).unwrap();
        let sha256 = format!("\"sha256\": \"{}\"", Sha256::of("a"));
        let lie = index.replace(&sha256, &format!("\"sha256\": \"{}\"", Sha256::of("x")));
        file::write(&directory.join(INDEX), lie.as_bytes()).unwrap();
        refused("and the lock pins");
    }

    #[test]
    fn hostile_indexes_and_foreign_folders_are_refused() {
        let (home, directory, brought) = folder();
        let path = directory.join(INDEX);
        let good = String::from_utf8(file::read(&path, 1 << 20).unwrap()).unwrap();
        let hash = Sha256::of("a").to_string();
        let place = format!("\"artifacts/{hash}/a.whl\"");
        let cases = [
            (good.replace(&place, "\"../../etc/passwd\""), "no place of an artifact"),
            (good.replace(&place, "\"/etc/passwd\""), "no place of an artifact"),
            (good.replace(&place, "\"artifacts/../a.whl\""), "no place of an artifact"),
            (good.replace(&place, &format!("\"artifacts/{hash}/..\"")), "no place of an artifact"),
            (good.replace(&place, &format!("\"artifacts/{hash}/a b\"")), "no place of an artifact"),
            (good.replace(&place, &format!("\"artifacts/{hash}/a/b\"")), "no place of an artifact"),
            (good.replace(&place, &format!("\"artifacts/{}/b.whl\"", Sha256::of("b"))), "stands twice"),
            (good.replace("air-gap/1", "air-gap/2"), "unknown schema"),
            (good.replace("\"size\": 1", "\"size\": -1"), "invalid value"),
            (good.replace("\"size\": 1", "\"size\": 99999999999999"), "a size or label"),
            (good.replace("\"size\": 1", "\"size\": 1, \"size\": 1"), "duplicate field"),
            (good.replace("\"size\": 1", "\"size\": 1, \"url\": \"\""), "unknown field"),
            (good.replace("a 1.0", "\\u001b[2J"), "a size or label"),
            (good.replace("\"scribe\"", "\"../x\""), "is not a member id"),
            ("{".to_owned(), "EOF"),
        ];
        for (index, want) in cases {
            assert_ne!(index, good);
            file::write(&path, index.as_bytes()).unwrap();
            let text = text(&AirGap::open(&directory).unwrap_err(), 1);
            assert!(text.contains(want), "{want}\n--- not in ---\n{text}");
        }
        let text = text(&write(&directory, Sha256::of("x"), &brought).unwrap_err(), 1);
        assert!(text.contains("holds what the forge did not write"), "{text}");
        assert!(AirGap::open(home.path()).unwrap_err().to_string().contains("has no `index.json`"));
    }
}
