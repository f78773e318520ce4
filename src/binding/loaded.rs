//! Whether systemd has loaded what lies in the site: each unit from its real place, with the text that was judged.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{changes::fingerprint, generation::Generation, manifest::Manifest, site::Sites};
use crate::{
    diagnostic::Failure,
    digest::Sha256,
    engine::systemd::{Systemd, UnitState},
    host::file,
    runes::unit::service_of,
};

/// A unit as systemd has it, with what its files say now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What systemd says.
    pub state: UnitState,
    /// The real path of the file that a generated unit was made of, or of the plain unit.
    pub real: Option<PathBuf>,
    /// The text that systemd loaded it from.
    pub text: Option<String>,
}

/// Which texts of generated units are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Those that were judged.
    Judged,
    /// Whatever the user's own files make of them today.
    Any,
}

/// Looks at all units of a generation.
///
/// # Errors
/// Unable when systemd does not answer, or a file cannot be read.
pub fn look(generation: &Generation, systemd: &Systemd) -> Result<BTreeMap<String, Seen>, Failure> {
    let manifest = &generation.candidate;
    let mut all = BTreeMap::new();
    for (name, state) in systemd.units(manifest.unit_names())? {
        if !state.is_loaded() {
            // What somebody has masked is a link to nothing.
            all.insert(name, Seen { state, ..Seen::default() });
            continue;
        }
        let generated = manifest.services.contains_key(&name);
        let file = if generated { &state.source } else { &state.fragment };
        let mut seen = Seen::default();
        if !file.as_os_str().is_empty() {
            seen.real = file::if_there(file, file::canonical(file))?;
        }
        if generated && !state.fragment.as_os_str().is_empty() {
            seen.text = file::if_there(&state.fragment, file::read_text(&state.fragment))?;
        } else if let Some(real) = &seen.real {
            seen.text = file::if_there(real, file::read_text(real))?;
        }
        all.insert(name, Seen { state, ..seen });
    }
    Ok(all)
}

/// What of a unit is not as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The unit.
    pub unit: String,
    /// What is wrong with it.
    pub fault: LoadFault,
}

/// Why what systemd has of a unit is not what was inscribed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadFault {
    /// systemd has not loaded it, and calls it this.
    #[error("systemd calls it {0}")]
    Unloaded(String),
    /// It was loaded from elsewhere.
    #[error("systemd has it from {}, not from `{}`", shown(from.as_deref()), want.display())]
    Elsewhere {
        /// From where; `None` from what is there no longer.
        from: Option<PathBuf>,
        /// Where it was inscribed.
        want: PathBuf,
    },
    /// What was made of it is another text than was judged.
    #[error("systemd has another text of it than was judged")]
    Text,
    /// Its file is not what was inscribed.
    #[error("`{}` is not what was inscribed", .0.display())]
    Edited(PathBuf),
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`: {}", self.unit, self.fault)
    }
}

fn shown(from: Option<&Path>) -> String {
    from.map_or_else(|| "nothing that is there".to_owned(), |from| format!("`{}`", from.display()))
}

/// What is not as it is to be. `site` is the site's real path.
#[must_use]
pub fn wrong(
    generation: &Generation,
    texts: Texts,
    site: &Path,
    seen: &BTreeMap<String, Seen>,
) -> Vec<Wrong> {
    let manifest = &generation.candidate;
    let files: BTreeMap<String, &str> = manifest
        .units
        .keys()
        .map(|file| (service_of(file).unwrap_or_else(|| file.clone()), file.as_str()))
        .collect();
    let nothing = Seen::default();
    let fault = |name: &str| {
        let seen = seen.get(name).unwrap_or(&nothing);
        fault(manifest, texts, (name, seen), files.get(name).map(|file| (*file, site.join(file))))
    };
    let all = manifest.unit_names();
    all.filter_map(|unit| Some(Wrong { unit: unit.to_owned(), fault: fault(unit)? })).collect()
}

/// `file` is the name of its file, with its place.
fn fault(
    manifest: &Manifest,
    texts: Texts,
    (name, Seen { state, real, text }): (&str, &Seen),
    file: Option<(&str, PathBuf)>,
) -> Option<LoadFault> {
    if !state.is_loaded() {
        let load = if state.load.is_empty() { "unknown" } else { &state.load };
        return Some(LoadFault::Unloaded(load.to_owned()));
    }
    let (file, want) = file?;
    if real.as_ref() != Some(&want) {
        return Some(LoadFault::Elsewhere { from: real.clone(), want });
    }
    if texts == Texts::Any {
        return None;
    }
    let judged = manifest.loads.get(name);
    if judged.is_some() && text.as_deref().map(fingerprint).as_ref() != judged {
        return Some(LoadFault::Text);
    }
    let is_plain = !manifest.services.contains_key(name);
    let is_edited = is_plain && text.as_deref().map(Sha256::of).as_ref() != manifest.units.get(file);
    is_edited.then_some(LoadFault::Edited(want))
}

/// Looks, and tells what is not as it is to be.
///
/// # Errors
/// As [`look`].
pub fn check(
    generation: &Generation,
    texts: Texts,
    sites: &Sites,
    systemd: &Systemd,
) -> Result<Vec<String>, Failure> {
    let site =
        file::canonical(&sites.quadlets).map_err(|error| file::unable("find", &sites.quadlets, &error))?;
    let wrong = wrong(generation, texts, &site, &look(generation, systemd)?);
    Ok(wrong.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binding::{generation::Generations, manifest::Manifest},
        runes::{Layout, Rendered, Service},
    };

    fn generation() -> Generation {
        let mut rendered = Rendered::default();
        rendered.quadlets.insert_text("lychd-a.container".parse().unwrap(), "[Container]\n");
        rendered.units.insert_text("lychd-a.timer".parse().unwrap(), "[Timer]\n");
        rendered.services.insert("lychd-a.service".to_owned(), Service { at_boot: true });
        let layout = Layout { support: "/s/support".into(), ..Layout::of_magus() };
        let body = Sha256::of("body").to_string().parse().unwrap();
        let loads =
            [("lychd-a.service".to_owned(), fingerprint("[Service]\nExecStart=podman run --a --b\n"))];
        let manifest = Manifest::of(Path::new("/site"), (body, BTreeMap::new()), &rendered, &layout);
        let manifest = manifest.among(loads.into(), &["a drop-in".to_owned()]);
        assert!(manifest.may.contains("of your own: a drop-in"), "{:?}", manifest.may);
        Generations::of_state(Path::new("/nowhere")).next(None, manifest).unwrap()
    }

    fn seen(real: &str, text: Option<&str>) -> Seen {
        let state = UnitState { load: "loaded".to_owned(), ..UnitState::default() };
        Seen { state, real: Some(real.into()), text: text.map(str::to_owned) }
    }

    #[test]
    fn each_unit_is_from_its_place_and_says_what_was_judged() {
        let generation = generation();
        let text = "# of podman\n[Service]\nExecStart=podman run --b --a\n";
        let good = || {
            BTreeMap::from([
                ("lychd-a.service".to_owned(), seen("/site/lychd-a.container", Some(text))),
                ("lychd-a.timer".to_owned(), seen("/site/lychd-a.timer", Some("[Timer]\n"))),
            ])
        };
        let told = |texts, seen: &BTreeMap<String, Seen>| -> Vec<String> {
            let wrong = wrong(&generation, texts, Path::new("/site"), seen);
            wrong.iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(Texts::Judged, &good()), Vec::<String>::new());

        let mut other = good();
        other.insert("lychd-a.service".to_owned(), seen("/site/lychd-a.container", Some("[Service]\n")));
        let want = ["`lychd-a.service`: systemd has another text of it than was judged"];
        assert_eq!(told(Texts::Judged, &other), want);
        assert_eq!(told(Texts::Any, &other), Vec::<String>::new());

        let mut edited = good();
        edited.insert("lychd-a.timer".to_owned(), seen("/site/lychd-a.timer", Some("[Timer]\nA=b\n")));
        assert_eq!(
            told(Texts::Judged, &edited),
            ["`lychd-a.timer`: `/site/lychd-a.timer` is not what was inscribed"]
        );

        let mut elsewhere = good();
        elsewhere.insert("lychd-a.timer".to_owned(), seen("/home/lychd-a.timer", None));
        let want =
            ["`lychd-a.timer`: systemd has it from `/home/lychd-a.timer`, not from `/site/lychd-a.timer`"];
        assert_eq!(told(Texts::Any, &elsewhere), want);

        let mut missing = good();
        missing.remove("lychd-a.service");
        missing.entry("lychd-a.timer".to_owned()).or_default().state.load = "not-found".to_owned();
        let want =
            ["`lychd-a.service`: systemd calls it unknown", "`lychd-a.timer`: systemd calls it not-found"];
        assert_eq!(told(Texts::Judged, &missing), want);
    }
}
