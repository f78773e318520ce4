//! What sets a family of Soulstones apart, and the reader of the fields that all of them have.

use super::{
    address::loopback,
    model::{self, DESCRIPTION, Format, Label, Line, Sample},
    quadlet,
    soulstone::{Concurrency, Launch, Soulstone, StoneHealth},
};
use crate::{
    codex::grants,
    diagnostic::{Diagnostic, Place, Source},
    document::{
        Located, Table,
        reader::{Reader, like},
    },
    name::{
        RuneName,
        image::{ImageReference, UnitImage},
        mount::Volume,
        unit_text::UnitText,
    },
};

/// What sets a family of Soulstones apart.
pub(super) struct StoneFamily {
    /// Where its image is from.
    pub(super) image: StoneImage,
    /// The port where the rune says none; without one, the pod's first free one.
    pub(super) port: Option<u16>,
    /// Its devices where the rune names none.
    pub(super) devices: &'static [&'static str],
    /// Shared memory that its runtime wants of the pod, in bytes.
    pub(super) shared_memory: u64,
    /// How its server is asked whether it is well, in the family's own image.
    pub(super) health: Option<StoneHealth>,
    /// Whether LychD takes what a stone offers from `models`, and not from the one model that it serves.
    pub(super) catalogued: bool,
    /// What `runtime` may be, where it is not the family's own name alone: one such word.
    pub(super) runtime: Option<&'static str>,
    /// Right values of keys.
    pub(super) samples: Samples,
    /// Reads the keys that only this family has, judges the fields that all families have, and lowers both. The fields are missing when one of
    /// them is wrong: then the family's keys are judged alone.
    pub(super) launch: fn(&mut Reader<'_, '_>, Option<&Fields>) -> Option<Launch>,
}

/// Where the image of a family is from.
pub(super) enum StoneImage {
    /// The rune must name one.
    Written,
    /// This one, where the rune names none.
    Default(&'static str),
    /// No other than this.
    Only(&'static str),
}

impl StoneFamily {
    /// Nothing but what all families have; the command is the rune's own.
    pub(super) const PLAIN: Self = Self {
        image: StoneImage::Written,
        port: None,
        devices: &[],
        shared_memory: 0,
        health: None,
        catalogued: false,
        runtime: None,
        samples: Samples::PLAIN,
        launch: |_, fields| Some(Launch::of(&fields?.exec)),
    };

    /// Reads a Soulstone of this family, whose name is `name`.
    pub(super) fn read(
        &self,
        name: &'static str,
        source: &Source,
        table: &Table,
        errors: &mut Vec<Diagnostic>,
    ) -> Option<Soulstone> {
        let before = errors.len();
        let mut reader = Reader::new(table, format!("this {name} Soulstone"), errors);
        let fields = self.fields(name, source, &mut reader);
        let launch = (self.launch)(&mut reader, fields.as_ref());
        reader.finish();
        if errors.len() > before {
            return None;
        }
        let (mut stone, launch) = (fields?.stone, launch?);
        if stone.port.is_none() {
            stone.port = self.port.map(|value| Located { value, place: stone.place.clone() });
        }
        if launch.by_hand || !self.is_own(&stone.image.value) {
            stone.health = None;
        }
        if stone.devices.is_empty() {
            stone.devices.extend(self.devices.iter().flat_map(|device| device.parse()));
        }
        Some(Soulstone { launch, ..stone })
    }

    /// Whether an image is of the family's own repository, whose programs are known.
    fn is_own(&self, image: &UnitImage) -> bool {
        let (StoneImage::Default(own) | StoneImage::Only(own)) = self.image else { return false };
        let own = own.parse::<ImageReference>();
        matches!((image, own), (UnitImage::Named(image), Ok(own)) if image.repository() == own.repository())
    }

    /// Reads the fields that all families have.
    fn fields(&self, family: &'static str, source: &Source, reader: &mut Reader<'_, '_>) -> Option<Fields> {
        let samples = &self.samples;
        let place = source.at(0..0);
        let name = reader.parsed::<RuneName>("name");
        reader.require("name", &place, "it names the unit: `name = \"coder\"`");
        let description = reader.parsed::<UnitText>(like("description", DESCRIPTION)).map(|text| text.value);
        let address = reader.string(like("base_url", samples.base_url));
        let image = self.image(reader, &place);
        let runtime = self.runtime(family, reader);
        let model_path =
            reader.parsed::<UnitText>(like("model_path", samples.model_path)).map(|path| path.value.meant());
        let served_model_id =
            reader.parsed::<Line>(like("served_model_id", r#""coder-7b""#)).map(|id| id.value.0);
        let format = reader.choice(like("model_format", samples.model_format), &Format::ALL);
        let port = reader.port(like("port", "8100"));
        let says_port = port.is_some();
        let (base_url, port) = base_url(reader, samples, address, port);
        let groups = reader.parsed_list::<Label>(like("groups", r#"["night"]"#)).unwrap_or_default();
        let devices = grants::devices(reader);
        let security_label_disable = reader.boolean(like("security_label_disable", "true")).unwrap_or(false);
        let volumes = volumes(reader, samples);
        let env_vars = reader.parsed_map(like("env_vars", samples.env_vars)).unwrap_or_default();
        let secret_env_files =
            reader.parsed_map(like("secret_env_files", samples.secret_env_files)).unwrap_or_default();
        let exec = reader.parsed_words::<UnitText>(like("exec", samples.exec)).unwrap_or_default();
        let concurrency = concurrency(reader);
        let models = model::read(reader, samples.model);
        model::generation(reader);
        Some(Fields {
            exec: exec.iter().map(|word| word.value.meant()).collect(),
            format,
            runtime,
            stone: Soulstone {
                family,
                shared_memory: self.shared_memory,
                health: self.health,
                catalogued: self.catalogued,
                name: name?,
                description: description.filter(|text| !text.as_str().is_empty()),
                image: image?,
                port,
                says_port,
                base_url,
                groups: groups.into_iter().map(|group| group.value).collect(),
                devices,
                security_label_disable,
                volumes,
                env_vars,
                secret_env_files,
                concurrency,
                served_model_id,
                model_path: model_path.filter(|path| !path.is_empty()),
                models,
                launch: Launch::default(),
                place,
            },
        })
    }

    /// `runtime`. LychD runs a stone by what it says, and only a generic one may say another word than its family's.
    fn runtime(&self, family: &str, reader: &mut Reader<'_, '_>) -> Option<Located<String>> {
        let example = format!("\"{}\"", self.runtime.unwrap_or(family));
        let runtime = reader.string(like("runtime", &example))?;
        if self.runtime.is_none() && runtime.value != family {
            let shown = runtime.value.escape_debug();
            let message = format!("`runtime` in {} is `{family}`, not `{shown}`", reader.title());
            let other = Diagnostic::new(message).at(runtime.place.clone(), "");
            reader.errors().push(other.help("leave it out, or move the rune to `generic`"));
        }
        Some(Located { value: runtime.value.to_owned(), place: runtime.place })
    }

    fn image(&self, reader: &mut Reader<'_, '_>, place: &Place) -> Option<Located<UnitImage>> {
        match reader.table(like("quadlet", &quadlet::like(self.samples.image))) {
            Some(table) => quadlet::image(table, reader, place),
            None if reader.node("quadlet").is_some() => None,
            None => match self.image {
                StoneImage::Default(image) | StoneImage::Only(image) => {
                    image.parse().ok().map(|value| Located { value, place: place.clone() })
                }
                StoneImage::Written => {
                    reader.require("quadlet", place, quadlet::IMAGE);
                    None
                }
            },
        }
    }
}

/// The fields of one Soulstone on their way to a family's own rules.
pub(super) struct Fields {
    pub(super) stone: Soulstone,
    pub(super) exec: Vec<String>,
    pub(super) format: Option<Located<Format>>,
    pub(super) runtime: Option<Located<String>>,
}

/// Right values, as TOML has them, of keys that not every family leaves open.
pub(super) struct Samples {
    pub(super) base_url: &'static str,
    pub(super) env_vars: &'static str,
    pub(super) exec: &'static str,
    pub(super) image: &'static str,
    pub(super) model: Sample,
    pub(super) model_format: &'static str,
    pub(super) model_path: &'static str,
    pub(super) secret_env_files: &'static str,
    pub(super) volumes: &'static str,
}

impl Samples {
    const PLAIN: Self = Self {
        base_url: r#""http://localhost:8100/v1""#,
        env_vars: r#"{ LOG_LEVEL = "info" }"#,
        exec: r#"["serve", "--port", "8100"]"#,
        image: quadlet::SAMPLE,
        model: Sample { id: "coder-7b", path: Some("/models/coder-7b") },
        model_format: r#""GGUF""#,
        model_path: r#""/models/coder-7b.gguf""#,
        secret_env_files: r#"{ HF_TOKEN_FILE = "hf_token" }"#,
        volumes: r#"["~/weights:/models:ro"]"#,
    };
}

/// `base_url` with the port that it or `port` says.
fn base_url(
    reader: &mut Reader<'_, '_>,
    samples: &Samples,
    address: Option<Located<&str>>,
    port: Option<Located<u16>>,
) -> (Option<String>, Option<Located<u16>>) {
    let Some(text) = address else { return (None, port) };
    let own = match loopback(text.value) {
        Ok(own) => own,
        Err(what) => {
            let message = format!("`base_url` in {} {what}", reader.title());
            reader.refuse("base_url", message, format!("for example: `base_url = {}`", samples.base_url));
            return (None, port);
        }
    };
    match port {
        Some(port) if port.value != own => {
            let message =
                format!("`base_url` in {} says port {own}, `port` says {}", reader.title(), port.value);
            let two = Diagnostic::new(message).at(text.place, "").at(port.place.clone(), "the other");
            reader.errors().push(two.help("remove one of the two"));
            (None, Some(port))
        }
        _ => (Some(text.value.to_owned()), Some(Located { value: own, place: text.place })),
    }
}

fn volumes(reader: &mut Reader<'_, '_>, samples: &Samples) -> Vec<Located<Volume>> {
    let mut volumes: Vec<Located<Volume>> = Vec::new();
    for volume in reader.parsed_words::<Volume>(like("volumes", samples.volumes)).unwrap_or_default() {
        match volumes.iter().find(|other| other.value.container() == volume.value.container()) {
            Some(other) => {
                let message =
                    format!("`volumes` in {} mount two at `{}`", reader.title(), volume.value.container());
                let two = Diagnostic::new(message).at(volume.place, "").at(other.place.clone(), "the first");
                reader.errors().push(two.help("give one of them another path in the container"));
            }
            None => volumes.push(volume),
        }
    }
    volumes
}

fn concurrency(reader: &mut Reader<'_, '_>) -> Concurrency {
    let default = Concurrency::default();
    let title = format!("`concurrency` of {}", reader.title());
    let place = reader.node("concurrency").map(|node| node.place.clone());
    let Some(table) = reader.table(like("concurrency", r#"{ conflict_domains = ["gpu0"] }"#)) else {
        return default;
    };
    let mut reader = Reader::new(table, title, reader.errors());
    let dedicated = reader.boolean(like("dedicated", "false")).unwrap_or(default.dedicated);
    let persistent_resident =
        reader.boolean(like("persistent_resident", "true")).unwrap_or(default.persistent_resident);
    let domains = reader.parsed_list::<Label>(like("conflict_domains", r#"["gpu0"]"#));
    for domain in domains.iter().flatten().filter(|domain| domain.value.as_str() == "default-exclusive") {
        let message = "`default-exclusive` is LychD's own name for what declares no `conflict_domains`";
        let reserved = Diagnostic::new(message).at(domain.place.clone(), "");
        reader.errors().push(reserved.help("leave `conflict_domains` out to exclude everything"));
    }
    if domains.as_ref().is_some_and(|domains| !domains.is_empty()) {
        let what = if persistent_resident {
            "a persistent resident cannot declare `conflict_domains`: it is never stopped for another"
        } else {
            "a runtime that is not dedicated cannot declare `conflict_domains`: LychD does not stop it"
        };
        if !dedicated || persistent_resident {
            reader.refuse("conflict_domains", what, "leave `conflict_domains` out, or empty");
        }
    }
    let conflict_domains = domains.map(|domains| domains.into_iter().map(|domain| domain.value).collect());
    Concurrency { dedicated, persistent_resident, conflict_domains, place }
}
