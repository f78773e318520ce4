//! `bind`: the units of a body. For now the plan alone.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{BindArgs, Outcome, settings::Settings, stages, ui::Ui};
use crate::{
    binding::{
        alterations::{Places, alterations},
        clashes::clashes,
        plan::plan,
        site::Sites,
        validator::{Origin, Validator},
    },
    body::{Bodies, Record},
    codex::{self, ownership},
    diagnostic::{Diagnostic, Failure, Fault, refuse_any},
    host::{environment, file, progress::Progress as _},
    name::{RuneName, mount::HostPath},
    report::{self, Validated},
    runes::{Inscribed, Layout, Rendered, RuneRecord, podman, ports, record, render},
};

pub(super) fn run(args: &BindArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if !args.dry_run {
        return Err(Failure::unable(
            Diagnostic::new("inscription is not built yet: `bind` can only show its plan")
                .of_kind(Fault::Usage)
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
    notes.extend(listing.unreadable.iter().map(ToString::to_string));
    let known_notes = notes.len();
    notes.extend(rendered.notes.iter().cloned());
    notes.extend(verdict);
    if origin == Origin::Debian && args.podman.is_none() {
        notes.push(format!("the units are for podman {podman}: this host has none that is new enough (5.3)"));
    }
    for note in notes.iter().skip(known_notes) {
        ui.note(note);
    }
    let podman = podman.to_string();
    ui.report(&report::Bind::dry_run(
        (record.body.id(), &image),
        &rendered,
        &plan,
        args.diff,
        podman,
        validated(&validator),
        notes,
    ))?;
    Ok(Outcome::Done)
}

/// LychD's law on who may write its settings.
fn owned(directory: &Path) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for name in ["lychd.toml", "forge.toml"] {
        let path = directory.join(name);
        if file::exists(&path)? {
            judge(&path, &mut wrong)?;
        }
    }
    let runes = directory.join("runes");
    let mut pending: Vec<PathBuf> = file::exists(&runes)?.then_some(runes).into_iter().collect();
    while let Some(directory) = pending.pop() {
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
fn federated(record: &Record) -> Result<RuneRecord, Failure> {
    let federation = record.kept.read_federation(&record.body.federation)?;
    let mut wrong = Vec::new();
    for path in [record.kept.record(), record.kept.federation()] {
        judge(&path, &mut wrong)?;
    }
    refuse_any(wrong)?;
    let shown = format!("bodies/{}/{}", record.body.id().short(12), record::FILE);
    RuneRecord::parse(&shown, federation)
}

fn layout(settings: &Settings, configuration: &Path) -> Result<Layout, Failure> {
    let home = environment::variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let home = file::resolved(&home.ok_or_else(homeless)?)?;
    // systemd puts it in for `%h`, and podman reads it with the rest of the mount.
    if HostPath::found(&home, Path::new("/nowhere")).is_none() {
        let message = format!("the home directory `{}` cannot stand in a mount", home.display());
        return Err(Diagnostic::new(message)
            .help("it must have none of `: ' \" $ % \\`, nor a blank")
            .into());
    }
    Ok(Layout {
        home,
        codex: file::resolved(&settings.codex)?,
        crypt: file::resolved(&settings.crypt)?,
        support: file::resolved(&settings.state)?.join("inscription"),
        sites: vec![
            file::resolved(&configuration.join("containers/systemd"))?,
            file::resolved(&configuration.join("systemd/user"))?,
        ],
        own: vec![file::resolved(&settings.state)?, file::resolved(&settings.cache)?],
    })
}

/// The ports of the last inscription.
fn sites_ports(support: &Path) -> Result<BTreeMap<RuneName, u16>, Failure> {
    let path = support.join("capabilities.json");
    if !file::exists(&path)? {
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

fn validated(validator: &Validator) -> Validated {
    let ((podman, podman_is), (systemd, systemd_is)) = (validator.podman(), validator.systemd());
    Validated { podman: podman.to_string(), podman_is, systemd: systemd.to_string(), systemd_is }
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
