//! Podman: which images and layers it holds, loading an image, tags.
//!
//! There are two ways for an image into podman's storage. When most of it is there already (by bytes), an OCI
//! layout with only the missing layers is written and pulled; else, or when that fails, the whole
//! docker-archive is streamed into `podman load`. What podman then holds is read back and held against
//! the configuration; what it calls it is its own affair, and answered.

mod answer;
mod containers;
mod read_back;

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
};

pub use self::containers::{Container, Secret};
use self::{
    answer::{ANSWER, LOAD, answer, failed, fed},
    read_back::Held,
};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    digest::Sha256,
    host::{
        environment, file,
        process::{Command, Output},
        progress::Progress,
    },
    image::{self, EngineId, Image, Reference, StoreRoot},
    runes::podman::PodmanVersion,
};

/// Directory of a layout. Podman 4.3 names the pulled image after it (`localhost/<path>:latest`), newer ones
/// after what follows the colon, so it is relative, and fit to be a name whatever the place is called.
const LAYOUT: &str = "lychd-forge-layout";
/// How many images are inspected by one run of podman.
const INSPECTED_AT_ONCE: usize = 64;

/// A podman and the storage it works on.
#[derive(Clone, Debug)]
pub struct Podman {
    program: PathBuf,
    global: Vec<OsString>,
    version: PodmanVersion,
}

/// How an image came into the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadMethod {
    /// It was there.
    Present,
    /// By an OCI layout with only the missing layers.
    Thin {
        /// Layers written.
        layers: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// By the whole archive through a pipe.
    Full,
}

/// An image that podman holds and that was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// How it came.
    pub method: LoadMethod,
    /// Why the shorter way was not taken to its end, when it was tried.
    pub fallback: Option<String>,
    /// What podman calls it.
    pub engine_id: EngineId,
}

impl Podman {
    /// Podman at `program` (a path, or a name on `PATH`), with the user's own storage.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not run or does not say its version.
    pub fn find(program: impl Into<PathBuf>) -> Result<Self, Failure> {
        let program = program.into();
        let output = answer(&Command::new(&program).arg("--version"), ANSWER)?;
        let version = output.text().parse().map_err(|_| {
            let shown = program.display();
            Failure::unable(Diagnostic::new(format!("`{shown} --version` says no version of podman")))
        })?;
        Ok(Self { program, global: Vec::new(), version })
    }

    /// The podman on `PATH`, with the user's own storage.
    ///
    /// # Errors
    /// As [`Podman::find`], or when there is none.
    pub fn on_path() -> Result<Self, Failure> {
        let program = environment::program("podman").ok_or_else(|| {
            Failure::unable(
                Diagnostic::new("no `podman` on PATH")
                    .of_kind(Fault::Program)
                    .help("install podman, or build without loading: `lychd-forge forge --no-load`"),
            )
        })?;
        Self::find(program)
    }

    /// The same podman on a storage of its own.
    #[must_use]
    pub fn with_storage(mut self, root: &Path, run_root: &Path) -> Self {
        self.global = vec!["--root".into(), root.into(), "--runroot".into(), run_root.into()];
        self
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> PodmanVersion {
        self.version
    }

    fn command<A: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        Command::new(&self.program).args(&self.global).args(arguments)
    }

    fn run<A: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Output, Failure> {
        let command = self.command(arguments);
        let output = answer(&command, ANSWER)?;
        if output.success() { Ok(output) } else { Err(failed(&command, &output)) }
    }

    /// Whether an image of this ID is in the storage.
    ///
    /// # Errors
    /// [`Failure::Unable`] when podman does not run, or not to its end; [`Failure::Refused`] when it fails.
    pub fn exists(&self, id: &EngineId) -> Result<bool, Failure> {
        self.known(id.as_str())
    }

    fn known(&self, name: &str) -> Result<bool, Failure> {
        let command = self.command(["image", "exists", name]);
        let output = answer(&command, ANSWER)?;
        match output.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed(&command, &output)),
        }
    }

    /// The image of this name or ID.
    fn held(&self, name: &str) -> Result<Option<Held>, Failure> {
        if !self.known(name)? {
            return Ok(None);
        }
        Held::parse(&self.run(["image", "inspect", name])?.stdout).map(Some)
    }

    /// Whether it can use its storage at all, which is asked before anything is made for it.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot, with what it says.
    pub fn can_load(&self) -> Result<(), Failure> {
        let command = self.command(["info", "--format", "{{.Store.GraphRoot}}"]);
        let output = answer(&command, ANSWER)?;
        if output.success() {
            return Ok(());
        }
        let said =
            output.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        let told = Diagnostic::new(format!("podman cannot use its storage: {}", said.trim()));
        Err(Failure::unable(
            told.of_kind(Fault::Program)
                .note(format!("that is what `{}` ends with", command.display()))
                .help("`lychd-forge doctor` tells what is lacking")
                .help("or build without loading: `lychd-forge forge --no-load`"),
        ))
    }

    /// What podman calls the image of this name or ID, where it has one.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn image_called(&self, name: &str) -> Result<Option<EngineId>, Failure> {
        Ok(self.held(name)?.map(|held| held.id().clone()))
    }

    /// The image that a reference names.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn image_of(&self, reference: &Reference) -> Result<Option<EngineId>, Failure> {
        Ok(self.held(&reference.to_string())?.map(|held| held.id().clone()))
    }

    /// Every reference that an image of this ID has; none when it is not there.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn references(&self, id: &EngineId) -> Result<Vec<String>, Failure> {
        Ok(self.held(id.as_str())?.map(|held| held.references().to_vec()).unwrap_or_default())
    }

    /// Diff IDs of the layers of all images in the storage, also of untagged and intermediate ones.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn held_layers(&self) -> Result<BTreeSet<Sha256>, Failure> {
        let ids = self.run(["image", "ls", "--all", "--quiet", "--no-trunc"])?.text();
        let ids: Vec<&str> = ids.lines().collect::<BTreeSet<_>>().into_iter().collect();
        let mut held = BTreeSet::new();
        for some in ids.chunks(INSPECTED_AT_ONCE) {
            let format = "{{range .RootFS.Layers}}{{println .}}{{end}}";
            let words = ["image", "inspect", "--format", format];
            let output = self.run(words.iter().chain(some))?;
            held.extend(
                output.text().lines().filter_map(|line| line.strip_prefix("sha256:")?.parse::<Sha256>().ok()),
            );
        }
        Ok(held)
    }

    /// Brings the image into the storage, reads it back, and tags it: the reference of `conf.json`, and one of its
    /// own. `known` is what podman called it when it was loaded before. `scratch` is where a layout may lie meanwhile.
    ///
    /// # Errors
    /// [`Failure::Unable`] when podman does not run or a store path cannot be read; [`Failure::Refused`]
    /// when podman fails or holds another image than this. Nothing is removed then.
    pub fn load(
        &self,
        image: &Image,
        known: Option<&EngineId>,
        store: &StoreRoot,
        scratch: &Path,
        progress: &dyn Progress,
    ) -> Result<Loaded, Failure> {
        let mut fallback = None;
        let (method, engine_id) = if let Some(id) = self.present(image, known)? {
            (LoadMethod::Present, id)
        } else {
            match self.load_thin(image, store, scratch, progress) {
                Ok(Some(loaded)) => loaded,
                Ok(None) => self.load_full(image, store, progress)?,
                Err(failure) => {
                    progress.note("loading only the missing layers failed; loading the whole image");
                    fallback = Some(failure.to_string());
                    self.load_full(image, store, progress)?
                }
            }
        };
        self.tag(&engine_id, &image.own_reference())?;
        self.tag(&engine_id, image.reference())?;
        Ok(Loaded { method, fallback, engine_id })
    }

    /// The image, where it is there already: by its own tag, by what podman called it, or by what today's podman
    /// calls an image of this configuration. A name alone proves nothing.
    fn present(&self, image: &Image, known: Option<&EngineId>) -> Result<Option<EngineId>, Failure> {
        let computed = EngineId::from(image.config_digest());
        let ids = known.into_iter().filter(|known| **known != computed).chain([&computed]);
        for name in [image.own_reference().to_string()].into_iter().chain(ids.map(ToString::to_string)) {
            if let Some(held) = self.held(&name)?.filter(|held| held.differences(image.config()).is_empty()) {
                return Ok(Some(held.id().clone()));
            }
        }
        Ok(None)
    }

    /// `None`: not worth it.
    fn load_thin(
        &self,
        image: &Image,
        store: &StoreRoot,
        scratch: &Path,
        progress: &dyn Progress,
    ) -> Result<Option<(LoadMethod, EngineId)>, Failure> {
        let present = self.held_layers()?;
        let Missing { layers, bytes } =
            Missing::of(image.layers().iter().map(|layer| (layer.diff_id(), layer.size())), &present);
        if bytes > image.size() / 2 {
            return Ok(None);
        }
        progress.stage("load", &format!("{} of {} layers", layers.len(), image.layers().len()));
        let directory = file::temporary_directory(scratch)
            .map_err(|error| file::unable("create a directory in", scratch, &error))?;
        let own = image.own_reference();
        image::oci_layout(image, store, &layers, &own, &directory.path().join(LAYOUT))?;
        let pull = self.command(["pull", "--quiet", &format!("oci:{LAYOUT}:{own}")]);
        let pull = pull.current_dir(directory.path());
        let output = answer(&pull, LOAD)?;
        if !output.success() {
            return Err(failed(&pull, &output));
        }
        let text = output.text();
        let answer = text.lines().last().unwrap_or_default();
        let id: EngineId = answer
            .parse()
            .map_err(|error| Diagnostic::new(format!("podman answered what it pulled: {error}")))?;
        let held = self.read_back(image, id.as_str())?;
        let stray = format!("localhost/{LAYOUT}:latest");
        if held.references().contains(&stray) {
            self.run(["untag", held.id().as_str(), &stray])?;
        }
        Ok(Some((LoadMethod::Thin { layers: layers.len(), bytes }, held.id().clone())))
    }

    fn load_full(
        &self,
        image: &Image,
        store: &StoreRoot,
        progress: &dyn Progress,
    ) -> Result<(LoadMethod, EngineId), Failure> {
        progress.stage("load", &format!("all {} layers", image.layers().len()));
        let command = self.command(["load", "--quiet"]);
        let own = image.own_reference();
        let (output, streamed) =
            fed(&command, LOAD, |input| image::stream(image, std::slice::from_ref(&own), store, input))?;
        streamed?;
        if !output.success() {
            return Err(failed(&command, &output));
        }
        let held = self.read_back(image, &own.to_string())?;
        Ok((LoadMethod::Full, held.id().clone()))
    }

    /// What podman holds under a name that it was given, or an ID that it answered, if that is the image.
    fn read_back(&self, image: &Image, name: &str) -> Result<Held, Failure> {
        let Some(held) = self.held(name)? else {
            return Err(
                Diagnostic::new(format!("podman loaded the image, but does not know `{name}`")).into()
            );
        };
        let differences = held.differences(image.config());
        if differences.is_empty() {
            return Ok(held);
        }
        let message = format!(
            "podman holds another image ({}) than the one built ({})",
            held.id(),
            image.config_digest()
        );
        let told = differences.into_iter().fold(Diagnostic::new(message), Diagnostic::note);
        Err(told.help("nothing was removed; do not activate the image that podman has").into())
    }

    /// Takes an image away with all its names, unless a container was made of it: `false` then. None of that name is success.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn remove_image(&self, name: &str) -> Result<bool, Failure> {
        let Some(held) = self.held(name)? else { return Ok(true) };
        let id = held.id().as_str();
        if !self.run(["ps", "--all", "--quiet", "--filter", &format!("ancestor={id}")])?.text().is_empty() {
            return Ok(false);
        }
        self.run(["untag", id])?;
        self.run(["rmi", "--ignore", id]).map(|_| true)
    }

    /// The names of all containers, whether they run or not.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn containers(&self) -> Result<BTreeSet<String>, Failure> {
        let listed = self.run(["ps", "--all", "--format", "{{.Names}}"])?.text();
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Creates a container that never starts: as long as it is there, no pruning takes its image. One of that name goes.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn keep(&self, name: &str, image: &EngineId) -> Result<(), Failure> {
        let reference = image.reference();
        let words = ["create", "--replace", "--quiet", "--pull=never", "--network=none", "--name", name];
        self.run(words.into_iter().chain([reference.as_str(), "true"])).map(drop)
    }

    /// Takes away what [`Podman::keep`] made; none of that name is success.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn release(&self, name: &str) -> Result<(), Failure> {
        self.run(["rm", "--force", "--ignore", name]).map(drop)
    }

    /// What it calls the image that a container was made of.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn image_of_container(&self, name: &str) -> Result<String, Failure> {
        Ok(self.run(["container", "inspect", "--format", "{{.Image}}", name])?.text())
    }

    /// Has a container end at once; one that does not run is success.
    ///
    /// # Errors
    /// Unable when podman does not run.
    pub fn kill(&self, name: &str) -> Result<(), Failure> {
        // What does not run cannot be killed, and podman calls that a failure.
        answer(&self.command(["kill", "--signal=KILL", name]), ANSWER).map(drop)
    }

    /// Runs words in a container that runs, with nothing to read, for an hour at most. How they end is in the [`Output`].
    ///
    /// # Errors
    /// Unable when podman does not run, or they do not end.
    pub fn exec(&self, container: &str, words: &[&str]) -> Result<Output, Failure> {
        answer(&self.command(["exec", container].iter().chain(words)), LOAD)
    }

    /// The same, with what they write in a file, and for as long as that takes.
    ///
    /// # Errors
    /// As [`Podman::exec`].
    pub fn exec_into(&self, container: &str, words: &[&str], file: File) -> Result<Output, Failure> {
        self.command(["exec", container].iter().chain(words)).output_into(file)
    }

    /// The same, with what they read from a file.
    ///
    /// # Errors
    /// As [`Podman::exec`].
    pub fn exec_from(&self, container: &str, words: &[&str], file: File) -> Result<Output, Failure> {
        self.command(["exec", "--interactive", container].iter().chain(words)).output_from(file)
    }

    /// Gives an image one more reference; one that names another image moves.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn tag(&self, id: &EngineId, reference: &Reference) -> Result<(), Failure> {
        self.run(["tag", id.as_str(), &reference.to_string()]).map(drop)
    }
}

/// The layers that podman lacks.
#[derive(Debug, PartialEq, Eq)]
struct Missing {
    layers: BTreeSet<Sha256>,
    bytes: u64,
}

impl Missing {
    fn of(layers: impl Iterator<Item = (Sha256, u64)>, held: &BTreeSet<Sha256>) -> Self {
        let mut missing = Self { layers: BTreeSet::new(), bytes: 0 };
        for (diff_id, size) in layers.filter(|(diff_id, _)| !held.contains(diff_id)) {
            if missing.layers.insert(diff_id) {
                missing.bytes += size;
            }
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_occurs_twice_is_written_once() {
        let [a, b, c] = ["a", "b", "c"].map(Sha256::of);
        let missing = Missing::of([(a, 1), (b, 10), (b, 10), (c, 100)].into_iter(), &BTreeSet::from([a]));
        assert_eq!(missing, Missing { layers: BTreeSet::from([b, c]), bytes: 110 });
    }
}
