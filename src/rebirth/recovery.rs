//! What becomes of a rebirth that was cut short.

use super::{
    codex::PutBack,
    rite::{Phase, Rite},
    steps::{Lives, Outcome, Steps},
};
use crate::{
    binding::{facts::Engines, generation::Generation, ground::Ground, settle::Settled},
    diagnostic::{Diagnostic, Failure, Fault},
    host::progress::Progress,
};

/// What was cut short and is settled now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was.
    Nothing,
    /// An inscription.
    Inscription(Settled),
    /// A rebirth.
    Rebirth(Outcome),
}

/// Finishes or takes back whatever was cut short.
///
/// # Errors
/// As [`Ground::recover`] and [`Steps::pass`]; how a rebirth ended is no error here.
pub fn recover(ground: &Ground, progress: &dyn Progress) -> Result<Recovered, Failure> {
    let Some(mut rite) = Rite::unfinished(&ground.workshop)? else {
        return Ok(ground.recover(progress)?.map_or(Recovered::Nothing, Recovered::Inscription));
    };
    if rite.state != ground.state {
        let state = rite.state.display();
        let message =
            format!("a rebirth was cut short that a forge with the state directory `{state}` began");
        let help = format!("lychd-forge --state {state} rebirth --recover");
        return Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File).help(help)));
    }
    let receipt = || Generation::read(&ground.sites.receipt());
    if !rite.was_there && rite.new != rite.old && receipt()?.is_some_and(|there| there.number == rite.new) {
        rite.was_there = true;
        rite.write(&ground.workshop)?;
    }
    match ground.recover(progress) {
        // What was to be inscribed could not be, and is undone: the old set lies there.
        Err(Failure::Refused(all)) => {
            for one in all {
                progress.note(&one.message);
            }
        }
        other => drop(other?),
    }
    let engines = Engines::of_user()?;
    let steps = Steps { ground, engines: &engines, progress };
    progress.stage("recover", &format!("the rebirth from generation {} to {}", rite.old, rite.new));
    let there = receipt()?;
    let number = there.as_ref().map(|there| there.number);
    if rite.old == rite.new && number == Some(rite.old) && rite.phase == Phase::Arriving {
        let old = steps.generation(rite.old)?;
        steps.services().start_database()?;
        steps.keeper()?.open()?;
        steps.services().start_again(&old.candidate, &rite.up)?;
        Rite::end(&ground.workshop)?;
        let lives = Lives { generation: rite.old, kept: rite.kept, codex: PutBack::default() };
        return Ok(Recovered::Rebirth(Outcome::Lives(lives)));
    }
    let outcome = match there {
        Some(there) if there.number == rite.old => steps.go_back(rite)?,
        Some(there) if there.number == rite.new && rite.phase == Phase::Arriving => {
            let old = steps.generation(rite.old)?;
            steps.arrive(rite, &old, &there)?
        }
        Some(there) if there.number == rite.new => steps.go_back(rite)?,
        _ => {
            let message = format!(
                "a rebirth from generation {} to {} was cut short, and `{}` holds neither",
                rite.old,
                rite.new,
                ground.sites.quadlets.display()
            );
            return Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File).help(format!(
                "somebody else has written there; `{}` has what was to be done",
                ground.workshop.rite().display()
            ))));
        }
    };
    Ok(Recovered::Rebirth(outcome))
}

/// The same before another verb begins, which goes on from what is there: the operator is told.
///
/// # Errors
/// As [`recover`]; unable when no body lives after it.
pub fn settle(ground: &Ground, progress: &dyn Progress) -> Result<Option<String>, Failure> {
    let told = match recover(ground, progress)? {
        Recovered::Nothing => return Ok(None),
        Recovered::Inscription(settled) => settled.to_string(),
        Recovered::Rebirth(Outcome::Lives(lives)) => {
            format!("the rebirth that was cut short is finished: generation {} lives", lives.generation)
        }
        Recovered::Rebirth(Outcome::Stayed(old)) => {
            format!("the rebirth that was cut short is taken back: generation {old} goes on")
        }
        Recovered::Rebirth(Outcome::Returned(fallen)) => {
            format!(
                "the rebirth that was cut short returned to generation {} because {}",
                fallen.old, fallen.why
            )
        }
        Recovered::Rebirth(down @ Outcome::Down(_)) => {
            return Err(down.complain().err().unwrap_or_else(|| Diagnostic::default().into()));
        }
    };
    progress.note(&told);
    Ok(Some(told))
}
