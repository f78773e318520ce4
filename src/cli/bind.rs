//! `bind`: the units of a body. For now the plan alone.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{BindArgs, Outcome, settings::Settings, stages, ui::Ui};
use crate::{
    binding::{
        alterations::{Places, alterations},
        clashes::clashes,
        plan::{Action, Plan, plan},
        site::Sites,
        validator::{Origin, Validator},
    },
    body::{Bodies, BodyId, Record},
    codex::{self, ownership},
    diagnostic::{Diagnostic, Failure, refuse_any},
    host::{environment, file, progress::Progress as _},
    image::EngineId,
    name::{RuneName, mount::HostPath},
    runes::{
        Federated, Inscribed, Layout, PREFIX, Rendered, federation,
        podman::{self, PodmanVersion},
        ports, render,
    },
};

pub(super) fn run(args: &BindArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if !args.dry_run {
        return Err(Failure::unable(
            Diagnostic::new("inscription is not built yet: `bind` can only show its plan")
                .help("lychd-forge bind --dry-run"),
        ));
    }
    if let Some(too_old) = args.podman.and_then(podman::too_old) {
        return Err(too_old.into());
    }
    let codex = codex::load(&settings.codex)?;
    owned(&settings.codex)?;
    for note in &codex.runes.notes {
        ui.note(&note.to_string());
    }
    let listing = stages::recorded(&Bodies::of_state(&settings.state), ui)?;
    let record = listing.find(args.body.as_deref().unwrap_or("newest"))?;
    let federated = federated(record)?;
    let image = record.body.images.vessel.found_by();
    let configuration = environment::xdg("XDG_CONFIG_HOME", ".config").ok_or_else(homeless)?;
    let sites = Sites::below(&configuration, &settings.state);
    let layout = layout(settings, &configuration)?;

    ui.stage("validate", "podman's generator and systemd");
    let (validator, _held) = stages::validator(&codex, settings, ui)?;
    let (judge, origin) = validator.podman();
    let podman = args.podman.unwrap_or(judge);
    let known = sites_ports(&sites.support)?;
    let inscribed = Inscribed {
        codex: &codex,
        federated: &federated,
        body: &image,
        layout: &layout,
        resolve: &file::resolved,
        podman,
        ports: &known,
    };
    let rendered = render(&inscribed)?;
    let mut verdict = if podman > judge {
        // It does not know the directives of a newer one.
        judged(&validator, &render(&Inscribed { podman: judge, ..inscribed })?)?
    } else {
        judged(&validator, &rendered)?
    };
    if podman > judge {
        verdict.push(format!(
            "podman {judge} judged the units as it would get them; there is no podman {podman} here"
        ));
    }
    let found = sites.read(&rendered.units)?;
    let places = places(&configuration);
    refuse_any(clashes(&rendered.quadlets, &sites.quadlets, &places.podman)?)?;
    verdict.extend(alterations(&rendered.quadlets, &rendered.units, &rendered.generated(), &places)?);
    if environment::variable("QUADLET_UNIT_DIRS").is_some() {
        verdict.push(
            "QUADLET_UNIT_DIRS is set: a podman that sees it reads other directories than these".to_owned(),
        );
    }
    ui.finish();

    let plan = plan(&rendered, &found, &sites);
    let mut notes: Vec<String> = codex.runes.notes.iter().map(ToString::to_string).collect();
    notes.extend(rendered.notes.iter().cloned());
    notes.extend(verdict);
    if origin == Origin::Debian && args.podman.is_none() {
        notes.push(format!("the units are for podman {podman}: this host has none that is new enough (5.3)"));
    }
    for note in notes.iter().skip(codex.runes.notes.len()) {
        ui.note(note);
    }
    let view = View {
        body: record.body.id(),
        image: &image,
        rendered: &rendered,
        plan: &plan,
        podman,
        validator: &validator,
    };
    if ui.wants_json() {
        ui.json(&view.json(args.diff, &notes))?;
    } else {
        view.print(args.diff, ui)?;
    }
    Ok(Outcome::Done)
}

/// LychD's law on who may write its settings.
fn owned(directory: &Path) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for name in ["lychd.toml", "forge.toml"] {
        let path = directory.join(name);
        if file::exists(&path) {
            judge(&path, &mut wrong)?;
        }
    }
    let mut pending = vec![directory.join("runes")];
    while let Some(directory) = pending.pop().filter(|directory| file::is_directory(directory)) {
        for (name, is_directory) in
            file::list(&directory).map_err(|error| file::unable("read", &directory, &error))?
        {
            let path = directory.join(name);
            if is_directory {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                judge(&path, &mut wrong)?;
            }
        }
    }
    refuse_any(wrong)
}

fn judge(path: &Path, wrong: &mut Vec<Diagnostic>) -> Result<(), Failure> {
    let status = file::status(path).map_err(|error| file::unable("read", path, &error))?;
    wrong.extend(ownership::judge(&path.display().to_string(), &status, environment::uid()));
    Ok(())
}

fn homeless() -> Failure {
    Failure::unable(Diagnostic::new("neither XDG_CONFIG_HOME nor HOME is an absolute path").help("set HOME"))
}

/// What the body's record says of its Federation. The record is the user's own, as the Codex is.
fn federated(record: &Record) -> Result<Federated, Failure> {
    let federation = record.kept.read_federation(&record.body.federation)?;
    let mut wrong = Vec::new();
    for path in [record.kept.record(), record.kept.federation()] {
        judge(&path, &mut wrong)?;
    }
    refuse_any(wrong)?;
    let shown = format!("bodies/{}/{}", record.body.id().short(12), federation::FILE);
    Federated::parse(&shown, federation)
}

fn layout(settings: &Settings, configuration: &Path) -> Result<Layout, Failure> {
    let home = environment::variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let home = file::resolved(&home.ok_or_else(homeless)?);
    // systemd puts it in for `%h`, and podman reads it with the rest of the mount.
    if HostPath::found(&home, Path::new("/nowhere")).is_none() {
        let message = format!("the home directory `{}` cannot stand in a mount", home.display());
        return Err(Diagnostic::new(message)
            .help("it must have none of `: ' \" $ % \\`, nor a blank")
            .into());
    }
    Ok(Layout {
        home,
        codex: file::resolved(&settings.codex),
        crypt: file::resolved(&settings.crypt),
        support: file::resolved(&settings.state).join("inscription"),
        sites: vec![
            file::resolved(&configuration.join("containers/systemd")),
            file::resolved(&configuration.join("systemd/user")),
        ],
        own: [&settings.state, &settings.cache].map(|path| file::resolved(path)).into(),
    })
}

/// The ports of the last inscription.
fn sites_ports(support: &Path) -> Result<BTreeMap<RuneName, u16>, Failure> {
    let path = support.join("capabilities.json");
    if !file::exists(&path) {
        return Ok(BTreeMap::new());
    }
    let bytes = file::read(&path, file::LIMIT).map_err(|error| file::unable("read", &path, &error))?;
    ports::inscribed(&path.display().to_string(), bytes)
}

/// The directories that podman and systemd read for this user, in their order.
fn places(configuration: &Path) -> Places {
    let runtime = environment::variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    let below = |path: &str| runtime.iter().map(|runtime| runtime.join(path)).collect::<Vec<_>>();
    let mut podman = below("containers/systemd");
    podman.push(configuration.join("containers/systemd"));
    for base in ["/etc", "/usr/share"] {
        let users = Path::new(base).join("containers/systemd/users");
        podman.push(users.join(environment::uid().to_string()));
        podman.push(users);
    }
    let mut systemd = vec![configuration.join("systemd/user"), PathBuf::from("/etc/systemd/user")];
    systemd.extend(below("systemd/user"));
    Places { podman, systemd }
}

/// Nothing wrong, or refused; the notes of the check.
fn judged(validator: &Validator, rendered: &Rendered) -> Result<Vec<String>, Failure> {
    let verdict = validator.check(&rendered.quadlets, &rendered.units, &rendered.generated())?;
    let told = |finding: Diagnostic| {
        finding.help("this is a fault of the forge or of a value it let pass: please report it")
    };
    refuse_any(verdict.findings.into_iter().map(told).collect())?;
    Ok(verdict.notes)
}

/// What is shown.
struct View<'a> {
    body: BodyId,
    image: &'a EngineId,
    rendered: &'a Rendered,
    plan: &'a Plan,
    podman: PodmanVersion,
    validator: &'a Validator,
}

impl View<'_> {
    fn json(&self, diff: bool, notes: &[String]) -> serde_json::Value {
        let Self { body, image, rendered, plan, podman, validator } = self;
        let unit = |step: &crate::binding::plan::Step| {
            let mut unit = json!({
                "path": step.path,
                "action": step.action.as_str(),
                "sha256": step.sha256.map(|sha256| sha256.to_string()),
            });
            if let (true, Some(unit)) = (diff, unit.as_object_mut()) {
                unit.insert("diff".to_owned(), json!(step.diff));
            }
            unit
        };
        let image_use = |image: &crate::runes::ImageUse| json!({ "service": image.service, "image": image.image, "floating": image.floating });
        let (judge, judges) = validator.podman();
        let (systemd, systemds) = validator.systemd();
        json!({
            "generation": null,
            "body": body,
            "image_id": image.to_string(),
            "dry_run": true,
            "reloaded": false,
            "podman": podman.to_string(),
            "units": plan.steps.iter().map(unit).collect::<Vec<_>>(),
            "start": plan.start, "on_demand": plan.on_demand, "restart": plan.restart, "stop": plan.stop,
            "images": rendered.images.iter().map(image_use).collect::<Vec<_>>(),
            "mounts": rendered.mounts.iter().map(|(service, mount)| json!({ "service": service, "mount": mount })).collect::<Vec<_>>(),
            "grants": rendered.grants.iter().map(|one| json!({ "service": one.service, "what": one.what })).collect::<Vec<_>>(),
            "secrets": rendered.secrets,
            "ports": rendered.ports.iter().map(|(host, pod)| json!({ "host": host, "pod": pod })).collect::<Vec<_>>(),
            "validated": {
                "podman": judge.to_string(), "podman_is": judges.to_string(),
                "systemd": systemd, "systemd_is": systemds.to_string(),
            },
            "notes": notes,
        })
    }

    fn print(&self, diff: bool, ui: &Ui) -> Result<(), Failure> {
        let Self { body, image, rendered, plan, podman, validator } = self;
        if diff {
            for step in plan.steps.iter().filter(|step| step.action != Action::Unchanged) {
                ui.bytes(step.diff.as_bytes())?;
            }
        } else {
            for step in &plan.steps {
                ui.field(step.action.as_str(), &step.path.display().to_string())?;
            }
        }
        ui.field("body", &body.to_string())?;
        ui.field("image", &image.reference())?;
        let counts = [Action::Create, Action::Replace, Action::Remove, Action::Unchanged];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|action| plan.count(*action) > 0)
            .map(|action| format!("{} {}", plan.count(action), action.as_str()))
            .collect();
        ui.field("files", &counts.join(", "))?;
        for (label, services) in [
            ("start", &plan.start),
            ("restart", &plan.restart),
            ("stop", &plan.stop),
            ("on demand", &plan.on_demand),
        ] {
            if !services.is_empty() {
                let names: Vec<&str> =
                    services.iter().map(|name| name.trim_end_matches(".service")).collect();
                ui.field(label, &names.join(", "))?;
            }
        }
        for (host, pod) in &rendered.ports {
            ui.field("port", &format!("127.0.0.1:{host} -> {pod}"))?;
        }
        for image in rendered.images.iter().filter(|image| image.floating) {
            ui.field(
                "floating",
                &format!("{} of {}: allowed by [policy] allow-tags", image.image, image.service),
            )?;
        }
        // LychD's own mounts are the same in every plan; the diff has them.
        let own = ["vessel", "migrate", "phylactery"].map(|name| format!("{PREFIX}{name}"));
        let spheres = |mount: &str| mount.contains(":%h/work/");
        for (service, mount) in
            rendered.mounts.iter().filter(|(service, mount)| !own.contains(service) || spheres(mount))
        {
            ui.field("mount", &format!("{mount} in {service}"))?;
        }
        for granted in &rendered.grants {
            ui.field("granted", &format!("{} {}", granted.service, granted.what))?;
        }
        for (secret, services) in &rendered.secrets {
            let services: Vec<&str> = services.iter().map(String::as_str).collect();
            ui.field("secret", &format!("{secret} (for {})", services.join(", ")))?;
        }
        let ((judge, origin), (systemd, systemds)) = (validator.podman(), validator.systemd());
        ui.field(
            "podman",
            &format!(
                "written for {podman}; judged by {origin} podman {judge} and {systemds} systemd {systemd}"
            ),
        )?;
        let next =
            if plan.changes() { "nothing was written: this was a dry run" } else { "nothing would change" };
        ui.field("next", next)
    }
}
