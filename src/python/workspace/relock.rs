//! One staged project is locked.

use super::{
    moves, pins,
    uv::{Complaint, Run, Stage},
};
use crate::{
    diagnostic::{Failure, Source},
    lock::{Change, Kind, Mode, Why, lock_missing, lock_unfit, with_repair_hint},
    python::lock::{UvLock, outline::Outline},
    tree::FileTree,
};

/// A text that uv starts from.
pub(super) struct Start<'a> {
    /// How it is called in messages.
    pub(super) shown: &'a str,
    pub(super) text: &'a str,
    pub(super) outline: Outline,
}

/// A project to lock.
pub(super) struct Staged<'a> {
    pub(super) kind: Kind,
    /// What its directory in the stage is called.
    pub(super) name: &'a str,
    /// What its lock is called in messages.
    pub(super) shown: &'a str,
    pub(super) tree: &'a FileTree,
    /// The lock there is.
    pub(super) old: Option<&'a str>,
    /// Where versions come from while there is none.
    pub(super) seed: Option<&'a Start<'a>>,
}

/// A lock that was made.
pub(super) struct Relocked {
    pub(super) lock: UvLock,
    pub(super) outline: Outline,
    pub(super) moved: Vec<Change>,
}

impl Staged<'_> {
    /// Locks it; `explain` tells what uv complains of.
    pub(super) fn lock(
        &self,
        stage: &Stage,
        run: &Run<'_>,
        mode: Mode,
        explain: impl Fn(&Complaint) -> Failure,
    ) -> Result<Relocked, Failure> {
        let shown = self.shown;
        // Else uv would start from nothing and move every version, or exhaust its stack, or not say where.
        let old = self
            .old
            .map(|text| UvLock::read(&Source::new(shown, text)).map_err(with_repair_hint))
            .transpose()?;
        if mode == Mode::Locked && old.is_none() {
            return Err(lock_missing(shown).into());
        }
        let before = self.old.and_then(Outline::read);
        let from = self.old.or(self.seed.map(|seed| seed.text));
        let text = stage.lock(self.name, self.tree, from, run)?.map_err(|Complaint(words)| {
            // uv calls every lock by the name it has in the stage.
            explain(&Complaint(words.replace("`uv.lock`", &format!("`{shown}`"))))
        })?;
        let outline = Outline::read(&text).unwrap_or_default();
        if let Some(before) = &before {
            pins::hold(shown, before, &outline)?;
        } else if let Some(seed) = self.seed {
            pins::hold(seed.shown, &seed.outline, &outline)?;
        }
        let moved = moves::between(self.kind, &before, [&outline], Why::moved(mode == Mode::Update));
        let lock = match old {
            Some(old) if old.text().text() == text => old,
            _ if mode == Mode::Locked => return Err(lock_unfit(shown, &moved).into()),
            _ => UvLock::read(&Source::new(shown, text))?,
        };
        Ok(Relocked { lock, outline, moved })
    }
}
