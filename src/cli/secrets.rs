//! `secrets`: which are asked for, and what they are given.

pub(super) use super::secrets_args::Args;
use super::{outcome::Outcome, secrets_args::Verb, settings::Settings, ui::Ui};
use crate::{
    diagnostic::Failure,
    report,
    upkeep::secrets::{self, Changing},
};

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let directories = &settings.directories;
    match &args.verb {
        None | Some(Verb::List) => {
            let secrets = report::Secrets::of(&secrets::read(directories)?);
            ui.report(&secrets)?;
            return Ok(if secrets.complete() { Outcome::Done } else { Outcome::Differs });
        }
        Some(Verb::Set { name, random }) => {
            let changing = Changing::of(directories, name.clone(), ui)?;
            // Nobody types what is not taken.
            changing.check()?;
            let value = if *random { secrets::random_value()? } else { ui.secret(name.as_str())? };
            ui.report(&report::SecretSet::of(changing.set(&value, directories)?))?;
        }
        Some(Verb::Rotate { name }) => {
            let changing = Changing::of(directories, name.clone(), ui)?;
            ui.report(&report::SecretSet::of(changing.rotate(directories, ui)?))?;
        }
    }
    Ok(Outcome::Done)
}
