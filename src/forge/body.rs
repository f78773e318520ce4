//! Body records: what was forged, from what, kept read-only below `<state>/bodies/<image id>/`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    digest::Sha256,
    host::file,
    tree::{FileTree, RelativePathError},
};

/// `body.json`: an image that was built and read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// sha256 of the image configuration: podman's image ID, the one to pin.
    pub image_id: Sha256,
    /// sha256 of the OCI manifest the forge writes.
    pub manifest_digest: Sha256,
    /// `<name>:b-<12 hex>`, this body's own tag.
    pub reference: String,
    /// `nix`.
    pub backend: String,
    /// `debian`.
    pub substrate: String,
    /// The synthesis id.
    pub synthesis_sha256: Sha256,
    /// sha256 of the emitted flake as a Nix archive: equal flakes need no second build.
    pub flake_nar_sha256: Sha256,
    /// Number of layers.
    pub layers: usize,
    /// Bytes of all layers, uncompressed.
    pub size: u64,
    /// The executable that streams the image.
    pub store_path: String,
    /// The configuration it streams.
    pub conf: String,
    /// Versions of Nix and podman that took part.
    pub tools: std::collections::BTreeMap<String, String>,
}

/// The directory of all body records.
#[derive(Clone, Debug)]
pub struct Bodies {
    directory: PathBuf,
}

impl Bodies {
    /// The records below `<state>/bodies`.
    #[must_use]
    pub fn of_state(state: &Path) -> Self {
        Self { directory: state.join("bodies") }
    }

    /// Where a body's record lies.
    #[must_use]
    pub fn directory(&self, image_id: &Sha256) -> PathBuf {
        self.directory.join(image_id.to_string())
    }

    /// Where the garbage-collector root of a body lies.
    #[must_use]
    pub fn root(&self, image_id: &Sha256) -> PathBuf {
        self.directory.join(format!("{image_id}.root"))
    }

    /// Writes a record (`evidence` plus `body.json`), read-only; replaces one of the same image.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be written.
    pub fn record(&self, body: &Body, evidence: &FileTree) -> Result<(), Failure> {
        let directory = self.directory(&body.image_id);
        let unable = |error: &std::io::Error| file::unable("write", &directory, error);
        let mut tree = evidence.clone();
        let mut json =
            serde_json::to_string_pretty(&serde_json::to_value(body).map_err(|error| bad_json(&error))?)
                .map_err(|error| bad_json(&error))?;
        json.push('\n');
        tree.insert_text(body_json().map_err(|error| unable(&std::io::Error::other(error)))?, json);
        file::write_sealed_tree(&directory, &tree).map_err(|error| unable(&error))
    }

    /// All bodies, newest first. A record that cannot be read is an error, not skipped.
    ///
    /// # Errors
    /// [`Failure::Unable`] when the directory or a record cannot be read.
    pub fn list(&self) -> Result<Vec<Body>, Failure> {
        if !file::exists(&self.directory)? {
            return Ok(Vec::new());
        }
        let names =
            file::list(&self.directory).map_err(|error| file::unable("read", &self.directory, &error))?;
        let mut found = Vec::new();
        for (name, is_directory) in names {
            if !is_directory || name.parse::<Sha256>().is_err() {
                continue;
            }
            let path = self.directory.join(name).join("body.json");
            let unable = |error: &std::io::Error| file::unable("read", &path, error);
            let text = file::read_text(&path).map_err(|error| unable(&error))?;
            let body: Body = serde_json::from_str(&text).map_err(|error| unable(&error.into()))?;
            found.push((file::modified(&path).map_err(|error| unable(&error))?, body));
        }
        found.sort_by(|(a, x), (b, y)| b.cmp(a).then(x.image_id.cmp(&y.image_id)));
        Ok(found.into_iter().map(|(_, body)| body).collect())
    }

    /// The body that `wanted` names: `newest`, an image ID, or its first digits (six at least).
    ///
    /// # Errors
    /// [`Failure::Refused`] when none or several fit.
    pub fn find(&self, wanted: &str) -> Result<Body, Failure> {
        let bodies = self.list()?;
        let digits = wanted.strip_prefix("sha256:").unwrap_or(wanted);
        let mut fitting = bodies.into_iter().filter(|body| {
            wanted == "newest" || (digits.len() >= 6 && body.image_id.to_string().starts_with(digits))
        });
        let refuse = |text: String| {
            Err(Diagnostic::new(text).of_kind(Fault::NoBody).help("`lychd-forge bodies` lists them").into())
        };
        match (fitting.next(), fitting.next()) {
            (Some(body), None) => Ok(body),
            (Some(body), Some(_)) if wanted == "newest" => Ok(body),
            (Some(_), Some(_)) => refuse(format!("`{}` fits several bodies", wanted.escape_debug())),
            (None, _) if wanted == "newest" => refuse("no body was forged yet".to_owned()),
            (None, _) => refuse(format!("no body `{}`", wanted.escape_debug())),
        }
    }
}

fn body_json() -> Result<crate::tree::RelativePath, RelativePathError> {
    "body.json".parse()
}

fn bad_json(error: &serde_json::Error) -> Failure {
    Failure::unable(Diagnostic::new(format!("cannot write the body record: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(seed: &str) -> Body {
        Body {
            image_id: Sha256::of(seed),
            manifest_digest: Sha256::of("manifest"),
            reference: "localhost/lychd:b-0".to_owned(),
            backend: "nix".to_owned(),
            substrate: "debian".to_owned(),
            synthesis_sha256: Sha256::of("synthesis"),
            flake_nar_sha256: Sha256::of("flake"),
            layers: 3,
            size: 7,
            store_path: "/nix/store/x".to_owned(),
            conf: "/nix/store/y".to_owned(),
            tools: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn bodies_are_recorded_listed_and_found_by_prefix() {
        let state = tempfile::tempdir().unwrap();
        let bodies = Bodies::of_state(state.path());
        assert_eq!(bodies.list(), Ok(vec![]));
        assert!(bodies.find("newest").unwrap_err().to_string().contains("no body was forged yet"));
        let (one, two) = (body("one"), body("two"));
        bodies.record(&one, &FileTree::new()).unwrap();
        bodies.record(&two, &FileTree::new()).unwrap();
        bodies.record(&one, &FileTree::new()).unwrap();
        assert_eq!(bodies.list().unwrap().len(), 2);
        assert_eq!(bodies.find(&two.image_id.short(8)), Ok(two.clone()));
        assert_eq!(bodies.find(&format!("sha256:{}", two.image_id)), Ok(two));
        assert_eq!(bodies.find(&one.image_id.short(3)).unwrap_err().exit_code(), 1);
    }
}
