//! A Soulstone: a local container that serves models. The fields that all families share are read here.

use std::collections::{BTreeMap, BTreeSet};

use url::{Host, Url};

use super::{
    anchor::Family,
    exllamav3,
    llamacpp::{self, LlamaCpp},
    model::{self, DESCRIPTION, Format, Label, Line, Model, Sample},
    passthrough,
};
use crate::{
    codex::grants,
    diagnostic::{Diagnostic, Place, Source},
    document::{
        Located, Table,
        reader::{Reader, like},
    },
    name::{
        RuneName, SecretName,
        image::UnitImage,
        mount::Volume,
        unit_text::UnitText,
        variable::{VariableName, VariableText},
    },
};

/// The keys of every family.
const KEYS: [&str; 19] = [
    "name",
    "description",
    "base_url",
    "quadlet",
    "runtime",
    "model_path",
    "served_model_id",
    "model_format",
    "port",
    "groups",
    "devices",
    "security_label_disable",
    "volumes",
    "env_vars",
    "secret_env_files",
    "exec",
    "concurrency",
    "models",
    "generation",
];

/// A local model container.
#[derive(Clone, Debug, PartialEq)]
pub struct Soulstone {
    /// Its family.
    pub family: Family,
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

/// What a container runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launch {
    /// These words; none for the image's own command.
    Exec(Vec<String>),
    /// llama.cpp's server, from typed fields.
    LlamaCpp(Box<LlamaCpp>),
    /// The pinned `TabbyAPI`, with the secret that holds its keys.
    Tabby(Located<SecretName>),
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
    pub(super) model: Sample,
    pub(super) model_format: &'static str,
    pub(super) model_path: &'static str,
    pub(super) secret_env_files: &'static str,
    pub(super) volumes: &'static str,
}

const SAMPLES: Samples = Samples {
    base_url: r#""http://localhost:8100/v1""#,
    env_vars: r#"{ LOG_LEVEL = "info" }"#,
    exec: r#"["serve", "--port", "8100"]"#,
    model: Sample { id: "coder-7b", path: Some("/models/coder-7b") },
    model_format: r#""GGUF""#,
    model_path: r#""/models/coder-7b.gguf""#,
    secret_env_files: r#"{ HF_TOKEN_FILE = "hf_token" }"#,
    volumes: r#"["~/weights:/models:ro"]"#,
};

/// Reads a Soulstone of `family`.
pub(super) fn read(
    family: Family,
    source: &Source,
    table: &Table,
    errors: &mut Vec<Diagnostic>,
) -> Option<Soulstone> {
    let own: &[&str] = match family {
        Family::LlamaCpp => llamacpp::KEYS,
        Family::Vllm | Family::Sglang => passthrough::KEYS,
        Family::ExLlamaV3 => exllamav3::KEYS,
        _ => &[],
    };
    let known: Vec<&str> = KEYS.iter().chain(own).copied().collect();
    let before = errors.len();
    let mut reader = Reader::new(table, format!("this {} Soulstone", family.as_str()), &known, errors);
    let fields = common(family, source, &mut reader);
    let launch = match family {
        Family::LlamaCpp => llamacpp::read(&mut reader, fields.as_ref()),
        Family::ExLlamaV3 => exllamav3::read(&mut reader, fields.as_ref()),
        _ => passthrough::read(family, &mut reader, fields.as_ref()),
    };
    if errors.len() > before {
        return None;
    }
    let Fields { mut stone, .. } = fields?;
    if family == Family::ExLlamaV3 {
        exllamav3::complete(&mut stone);
    }
    Some(Soulstone { launch: launch?, ..stone })
}

fn common(family: Family, source: &Source, reader: &mut Reader<'_, '_>) -> Option<Fields> {
    let samples = if family == Family::ExLlamaV3 { &exllamav3::SAMPLES } else { &SAMPLES };
    let place = source.at(0..0);
    let name = reader.parsed::<RuneName>("name");
    reader.require("name", &place, "it names the unit: `name = \"coder\"`");
    let description = reader.parsed::<UnitText>(like("description", DESCRIPTION)).map(|text| text.value);
    let image = image(family, reader, &place);
    let port = reader.port(like("port", "8100"));
    let says_port = port.is_some();
    let (base_url, port) = base_url(reader, samples, port);
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
    let runtime = runtime(family, reader);
    let format = reader.choice(like("model_format", samples.model_format), &Format::ALL);
    let line = |line: Option<Located<Line>>| line.map(|line| line.value.0);
    let model_path =
        reader.parsed::<UnitText>(like("model_path", samples.model_path)).map(|path| path.value.meant());
    let served_model_id = line(reader.parsed(like("served_model_id", r#""coder-7b""#)));
    Some(Fields {
        exec: exec.iter().map(|word| word.value.meant()).collect(),
        format,
        runtime,
        stone: Soulstone {
            family,
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
            launch: Launch::Exec(Vec::new()),
            place,
        },
    })
}

/// `runtime`. LychD runs a stone by what it says, and only a generic one may say another word than its family's.
fn runtime(family: Family, reader: &mut Reader<'_, '_>) -> Option<Located<String>> {
    let own = format!("\"{}\"", family.as_str());
    let example = if family == Family::Generic { r#""openai-compatible""# } else { own.as_str() };
    let runtime = reader.string(like("runtime", example))?;
    if family != Family::Generic && runtime.value != family.as_str() {
        let shown = runtime.value.escape_debug();
        let message = format!("`runtime` in {} is `{}`, not `{shown}`", reader.title(), family.as_str());
        let other = Diagnostic::new(message).at(runtime.place.clone(), "");
        reader.errors().push(other.help("leave it out, or move the rune to `generic`"));
    }
    Some(Located { value: runtime.value.to_owned(), place: runtime.place })
}

fn image(family: Family, reader: &mut Reader<'_, '_>, place: &Place) -> Option<Located<UnitImage>> {
    let default = match family {
        Family::LlamaCpp => Some("ghcr.io/ggml-org/llama.cpp:server-cuda"),
        // The registry is what podman's short names mean for these two; without it the generator warns.
        Family::Vllm => Some("docker.io/vllm/vllm-openai:latest"),
        Family::Sglang => Some("docker.io/lmsysorg/sglang:latest"),
        Family::ExLlamaV3 => Some(exllamav3::TABBY_IMAGE),
        _ => None,
    };
    let title = format!("[quadlet] of {}", reader.title());
    let tabby = format!("{{ image = \"{}\" }}", exllamav3::TABBY_IMAGE);
    let example = if family == Family::ExLlamaV3 { tabby.as_str() } else { QUADLET };
    match reader.table(like("quadlet", example)) {
        Some(quadlet) => {
            let mut quadlet = Reader::new(quadlet, title, &["image"], reader.errors());
            quadlet.require("image", place, IMAGE);
            quadlet.parsed::<UnitImage>("image")
        }
        None if reader.node("quadlet").is_some() => None,
        None => {
            let image = default.and_then(|text| text.parse().ok());
            if image.is_none() {
                reader.require("quadlet", place, IMAGE);
            }
            image.map(|value| Located { value, place: place.clone() })
        }
    }
}

/// A right `quadlet`, as TOML has it, once the digits are filled in.
pub(super) const QUADLET: &str = r#"{ image = "ghcr.io/me/server@sha256:<64 hex digits>" }"#;

/// How an image is written.
pub(super) const IMAGE: &str = "quadlet = { image = \"host/path@sha256:…\" }";

/// `base_url` with the port that it or `port` says.
fn base_url(
    reader: &mut Reader<'_, '_>,
    samples: &Samples,
    port: Option<Located<u16>>,
) -> (Option<String>, Option<Located<u16>>) {
    let Some(text) = reader.string(like("base_url", samples.base_url)) else { return (None, port) };
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

/// The port of an address on this host, in LychD's form.
///
/// # Errors
/// What is wrong with it, to stand behind its name.
pub fn loopback(text: &str) -> Result<u16, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with `http://` or `https://`");
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err("cannot have a user, a query or a fragment");
    }
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !local {
        return Err("must be on this host: `localhost` or a loopback address (another host is a portal's)");
    }
    // A scheme's own port is dropped by LychD's parser as by this one: to LychD it is not said either.
    url.port().ok_or("must say its port, another than 80 for `http:` and 443 for `https:`")
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
    let known = ["dedicated", "persistent_resident", "conflict_domains"];
    let place = reader.node("concurrency").map(|node| node.place.clone());
    let Some(table) = reader.table(like("concurrency", r#"{ conflict_domains = ["gpu0"] }"#)) else {
        return default;
    };
    let mut reader = Reader::new(table, title, &known, reader.errors());
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
