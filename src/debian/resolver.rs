//! Which packages a set of roots needs, chosen as apt chooses them on an empty system without
//! recommendations.
//!
//! The rules are those of apt's `MarkInstall`: depth first in the order the fields are written; what
//! is already chosen satisfies; of an or-group the first alternative that can be installed, of its
//! providers the preferred one; a package whose needs cannot be met is given up and the next
//! alternative tried. What the roots need without any choice is protected: nothing may displace it.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    relation::{Group, Relation},
    universe::{Candidate, Universe},
};

/// Deeper chains of needs than this are given up; Debian's own stay below 100.
const DEPTH: usize = 1_000;

#[derive(Clone, Copy, Debug, Default)]
struct State {
    chosen: bool,
    /// Nothing may change it any more.
    protected: bool,
    /// It cannot be installed in this resolution.
    discarded: bool,
}

/// The choice so far.
#[derive(Debug)]
pub struct Resolver<'u, 'a> {
    universe: &'u Universe<'a>,
    states: BTreeMap<&'a str, State>,
}

impl<'u, 'a> Resolver<'u, 'a> {
    /// Nothing is chosen yet.
    #[must_use]
    pub fn new(universe: &'u Universe<'a>) -> Self {
        Self { universe, states: BTreeMap::new() }
    }

    /// Chooses what the roots (names of candidates) need, in their order. What was chosen for roots before stays.
    pub fn choose(&mut self, roots: &[&'a str]) {
        for state in self.states.values_mut() {
            state.protected |= state.chosen;
        }
        for &root in roots {
            let state = self.states.entry(root).or_default();
            state.chosen = true;
            state.protected = true;
        }
        for &root in roots {
            self.install(root, true, 0);
        }
    }

    /// Whether a package is chosen.
    #[must_use]
    pub fn is_chosen(&self, name: &str) -> bool {
        self.states.get(name).is_some_and(|state| state.chosen)
    }

    /// The chosen packages that answer a group, the preferred first.
    #[must_use]
    pub fn answering(&self, group: &Group<'a>) -> Vec<&'a str> {
        let mut answering: Vec<&'a str> = Vec::new();
        for relation in group {
            for &name in self.universe.answers(relation).iter() {
                if self.is_chosen(name) && !answering.contains(&name) {
                    answering.push(name);
                }
            }
        }
        answering
    }

    /// The chosen packages that a package may not be together with.
    #[must_use]
    pub fn clashing(&self, candidate: &Candidate<'a>) -> Vec<(&'a str, Relation<'a>)> {
        let mut clashing = Vec::new();
        for relation in &candidate.excludes {
            for &name in self.universe.answers(relation).iter() {
                if name != candidate.name && self.is_chosen(name) {
                    clashing.push((name, *relation));
                }
            }
        }
        clashing
    }

    fn state(&self, name: &str) -> State {
        self.states.get(name).copied().unwrap_or_default()
    }

    fn change(&mut self, name: &'a str, change: impl FnOnce(&mut State)) {
        change(self.states.entry(name).or_default());
    }

    fn satisfied(&self, group: &Group<'a>) -> bool {
        group.iter().any(|relation| self.universe.answers(relation).iter().any(|name| self.is_chosen(name)))
    }

    fn possible(&self, group: &Group<'a>) -> bool {
        let open = |name: &&str| !self.state(name).discarded;
        group.iter().any(|relation| self.universe.answers(relation).iter().any(open))
    }

    fn broken(&self, candidate: &Candidate<'a>) -> bool {
        candidate.needs.iter().any(|group| !self.satisfied(group)) || !self.clashing(candidate).is_empty()
    }

    /// The candidates that may yet answer a group: alternatives in order, protected ones first in each.
    fn solutions(&self, group: &Group<'a>) -> Vec<&'a str> {
        let mut solutions: Vec<&'a str> = Vec::new();
        for relation in group {
            let answers = self.universe.answers(relation);
            let (protected, others): (Vec<&'a str>, Vec<&'a str>) =
                answers.iter().partition(|name| self.state(name).protected);
            for name in protected.into_iter().chain(others) {
                let state = self.state(name);
                let barred = state.discarded || (state.protected && !state.chosen);
                if !barred && solutions.last() != Some(&name) {
                    solutions.push(name);
                }
            }
        }
        solutions
    }

    /// Chooses a package and what it needs; false when that cannot be.
    fn install(&mut self, name: &'a str, root: bool, depth: usize) -> bool {
        let state = self.state(name);
        if state.discarded || (!root && state.protected && !state.chosen) || depth > DEPTH {
            return false;
        }
        let Some(candidate) = self.universe.candidate(name) else { return false };
        if !state.protected && state.chosen && !self.broken(&candidate) {
            return true;
        }
        if candidate.needs.iter().any(|group| !self.satisfied(group) && !self.possible(group)) {
            if !state.protected {
                self.change(name, |state| *state = State { discarded: true, ..State::default() });
            }
            return false;
        }
        let fail_early = !state.protected;
        let mut failed = false;
        let open: Vec<Group<'a>> = candidate
            .needs
            .iter()
            .filter(|group| state.protected || !self.satisfied(group))
            .cloned()
            .collect();
        if !self.displace(&candidate, state.protected) {
            if fail_early {
                return false;
            }
            failed = true;
        }
        // While its needs are met nothing may displace it.
        self.change(name, |state| {
            state.chosen = true;
            state.protected = true;
        });
        let met = self.install_needs(&open, state.protected, root, depth);
        if !state.protected {
            self.change(name, |state| state.protected = false);
        }
        if !met {
            if fail_early {
                self.change(name, |state| *state = State { discarded: true, ..State::default() });
                return false;
            }
            failed = true;
        }
        !failed
    }

    /// Makes room for a package: gives up what it may not be together with.
    fn displace(&mut self, candidate: &Rc<Candidate<'a>>, protected: bool) -> bool {
        let mut done = true;
        for relation in &candidate.excludes {
            let hit: Vec<&'a str> = self
                .universe
                .answers(relation)
                .iter()
                .copied()
                .filter(|&name| name != candidate.name && !self.state(name).discarded)
                .collect();
            if !protected && !hit.iter().any(|name| self.is_chosen(name)) {
                continue;
            }
            for name in hit {
                let state = self.state(name);
                if state.chosen && state.protected {
                    done = false;
                    if !protected {
                        return false;
                    }
                } else if protected {
                    self.change(name, |state| {
                        *state = State { chosen: false, protected: true, discarded: true };
                    });
                } else {
                    self.change(name, |state| state.chosen = false);
                }
            }
        }
        done
    }

    fn install_needs(&mut self, open: &[Group<'a>], protected: bool, root: bool, depth: usize) -> bool {
        let mut met = true;
        for group in open {
            if self.satisfied(group) {
                if !protected {
                    continue;
                }
                // What a protected package needs without a choice is protected as well.
                let mut solutions = self.solutions(group);
                solutions.sort_unstable();
                solutions.dedup();
                if let [only] = solutions[..]
                    && !self.state(only).protected
                {
                    self.change(only, |state| state.protected = true);
                    met &= self.install(only, false, depth + 1);
                }
                continue;
            }
            let solutions = self.solutions(group);
            let without_choice = solutions.len() == 1;
            let mut found = false;
            for name in solutions {
                if self.state(name).discarded {
                    continue;
                }
                if protected && without_choice {
                    if self.state(name).protected && !self.is_chosen(name) {
                        continue;
                    }
                    self.change(name, |state| {
                        state.chosen = true;
                        state.protected = true;
                    });
                }
                if self.install(name, false, depth + 1) {
                    found = true;
                    break;
                }
            }
            if !found {
                met = false;
                if !protected && !root {
                    return false;
                }
            }
        }
        met
    }
}
