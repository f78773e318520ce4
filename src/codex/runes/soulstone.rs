//! A Soulstone: a local container that serves models. Its value is what units are made of, whatever its family.

use std::collections::{BTreeMap, BTreeSet};

use super::model::Model;
use crate::{
    diagnostic::Place,
    document::Located,
    name::{
        RuneName, SecretName,
        image::UnitImage,
        mount::Volume,
        unit_text::UnitText,
        variable::{VariableName, VariableText},
    },
};

/// A local model container.
#[derive(Clone, Debug, PartialEq)]
pub struct Soulstone {
    /// Its family's name.
    pub family: &'static str,
    /// Shared memory that its runtime wants of the pod, in bytes.
    pub shared_memory: u64,
    /// How it is asked whether it is well.
    pub health: Option<StoneHealth>,
    /// Whether LychD takes what it offers from `models`, and not from the one model that it serves.
    pub catalogued: bool,
    /// Its name, to be unique among stones and portals.
    pub name: Located<RuneName>,
    /// What a person reads.
    pub description: Option<UnitText>,
    /// Its image; a family's default stands at the rune's start.
    pub image: Located<UnitImage>,
    /// The port it is to listen on, from `port` or `base_url`.
    pub port: Option<Located<u16>>,
    /// Whether `port` itself is written.
    pub says_port: bool,
    /// Where LychD asks it, when written.
    pub base_url: Option<String>,
    /// Its Covens.
    pub groups: BTreeSet<RuneName>,
    /// Devices, in order.
    pub devices: Vec<UnitText>,
    /// Whether `SELinux` leaves it alone.
    pub security_label_disable: bool,
    /// Mounts, in order.
    pub volumes: Vec<Located<Volume>>,
    /// Its environment.
    pub env_vars: BTreeMap<VariableName, Located<VariableText>>,
    /// Variables that name the file of a secret.
    pub secret_env_files: BTreeMap<VariableName, Located<SecretName>>,
    /// Who manages it, and what it excludes.
    pub concurrency: Concurrency,
    /// What requests call its model, when it has one.
    pub served_model_id: Option<String>,
    /// The model's place in the container.
    pub model_path: Option<String>,
    /// Declared models.
    pub models: Vec<Model>,
    /// What its container runs.
    pub launch: Launch,
    /// Where the rune begins.
    pub place: Place,
}

/// What a container runs, and what it needs for that beyond the rune's own fields: a family's fields, lowered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// Its command; none for the image's own.
    pub command: Vec<Word>,
    /// Whether the command is the rune's `exec`, in a family whose fields make one otherwise.
    pub by_hand: bool,
    /// What requests call the one model, when the command says it.
    pub alias: Option<String>,
    /// Variables that the family fixes.
    pub environment: BTreeMap<VariableName, Word>,
    /// Directories in the container that it writes and loses.
    pub memory: Vec<&'static str>,
    /// The keys of an interface by which the Vessel loads its models.
    pub control: Option<Control>,
}

impl Launch {
    /// The rune's own words.
    #[must_use]
    pub fn of(exec: &[String]) -> Self {
        Self { command: exec.iter().cloned().map(Word::Text).collect(), ..Self::default() }
    }
}

/// A word of a command, or the value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// This text.
    Text(String),
    /// The port that the container listens on, which is known when all of the pod's are.
    Port,
}

impl Word {
    /// The word in a container that listens on `port`.
    #[must_use]
    pub fn on(&self, port: u16) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Port => port.to_string(),
        }
    }
}

/// How a family's server says over HTTP whether it is well, and which program of its image can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoneHealth {
    /// curl asks for this path.
    Curl(&'static str),
    /// Python asks for it.
    Python(&'static str),
}

/// The secret of a control interface. The Vessel has it too, and what has one does not outlive the Vessel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// What podman calls it.
    pub secret: Located<SecretName>,
    /// The file in the container that it is.
    pub file: &'static str,
}

/// `concurrency`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concurrency {
    /// Whether LychD may start and stop it.
    pub dedicated: bool,
    /// Whether it starts at boot and stays.
    pub persistent_resident: bool,
    /// What it needs alone; `None` when nothing is declared.
    pub conflict_domains: Option<BTreeSet<RuneName>>,
    /// Where that stands.
    pub place: Option<Place>,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { dedicated: true, persistent_resident: false, conflict_domains: None, place: None }
    }
}
