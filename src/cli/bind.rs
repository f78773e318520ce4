//! `bind`: the units of a body, shown, staged or inscribed.

pub(super) use super::bind_args::Args;
use super::{consent, outcome::Outcome, settings::Settings, ui::Ui};
use crate::{
    binding::{
        self, Wanted,
        bind::{self, Intent, Outlook},
    },
    diagnostic::Failure,
    report,
};

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let directories = &settings.directories;
    if args.recover {
        ui.report(&report::Recovered::of(bind::recover(directories, ui)?))?;
        return Ok(Outcome::Done);
    }
    if args.release {
        ui.report(&report::Released { generation: bind::release(directories, ui)? })?;
        return Ok(Outcome::Done);
    }
    let first = args.first || args.adopt;
    let wanted = Wanted {
        body: args.body.as_deref().unwrap_or("newest"),
        adopt: args.adopt,
        podman: args.podman,
        systemd: args.systemd,
    };
    if args.dry_run {
        let _held = directories.hold_cache(ui)?;
        let proposal = binding::propose(directories, settings.network, wanted, ui)?;
        let outlook = Outlook::of(&proposal, first)?;
        ui.report(&report::Bind::dry_run(&proposal, &outlook, args.diff))?;
        return Ok(Outcome::Done);
    }
    let prepared = bind::prepare(directories, settings.network, wanted, first, ui)?;
    match &args.confirm {
        Some(_) if prepared.outlook.intent == Intent::Stage => return Err(prepared.no_word_needed()),
        Some(digits) => prepared.confirm(digits)?,
        None if prepared.asks() => consent::ask(&prepared, ui)?,
        None => {}
    }
    let done = prepared.carry_out(args.restart, ui)?;
    done.complain()?;
    ui.report(&report::Bind::done(&prepared, &done, |words| settings.whole_command(words)))?;
    Ok(Outcome::Done)
}
