//! `bind`: the units of a body, shown, staged or inscribed.

pub(super) use super::bind_args::Args;
use super::{consent, outcome::Outcome, settings::Settings, ui::Ui};
use crate::{
    binding::{
        self, Wanted,
        bind::{self, Intent, Outlook},
        consents::Word,
        ground::Ground,
    },
    diagnostic::Failure,
    rebirth::recovery,
    report,
};

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let directories = &settings.directories;
    if args.recover {
        let recovered = recovery::recover(&Ground::take(directories, ui)?, ui)?;
        ui.report(&report::Recovered::of(&recovered))?;
        return Ok(Outcome::Done);
    }
    if args.release {
        let ground = Ground::take(directories, ui)?;
        recovery::settle(&ground, ui)?;
        ui.report(&report::Released { generation: bind::release(&ground, ui)? })?;
        return Ok(Outcome::Done);
    }
    let first = args.first || args.adopt;
    let wanted = Wanted {
        body: args.body.as_deref().unwrap_or(if first { "last" } else { "newest" }),
        codex: None,
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
    let ground = Ground::take(directories, ui)?;
    let recovered = recovery::settle(&ground, ui)?;
    let prepared = bind::prepare((ground, recovered), settings.network, wanted, first, ui)?;
    let word = match &args.confirm {
        Some(_) if prepared.outlook.intent == Intent::Stage => return Err(prepared.no_word_needed()),
        Some(digits) => prepared.confirm(digits).map(|()| Word::Given)?,
        None if prepared.asks() => consent::ask(&prepared, ui).map(|()| Word::Typed)?,
        None => Word::Given,
    };
    let done = prepared.carry_out(word, args.restart, ui)?;
    done.complain()?;
    ui.report(&report::Bind::done(&prepared, &done, |words| settings.whole_command(words)))?;
    Ok(Outcome::Done)
}
