//! What moved in the locks, for people.

use super::{Change, Kind, Why};

/// How many things that came or went are named one by one.
const NAMED: usize = 20;

/// A line for each thing that moved; what merely came or went is counted when there is much of it.
#[must_use]
pub fn summary(changes: &[Change]) -> Vec<String> {
    let stays = |change: &&Change| !matches!(change.why, Why::Added | Why::Removed);
    let mut lines: Vec<String> = changes.iter().filter(stays).map(ToString::to_string).collect();
    for (why, what) in [(Why::Added, "newly locked"), (Why::Removed, "no longer needed")] {
        let (members, packages): (Vec<&Change>, Vec<&Change>) =
            changes.iter().filter(|change| change.why == why).partition(|change| change.kind == Kind::Member);
        for (some, noun) in [(members, "members"), (packages, "packages")] {
            if some.len() > NAMED {
                lines.push(format!("{} {noun} {what}", some.len()));
            } else {
                lines.extend(some.into_iter().map(ToString::to_string));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(kind: Kind, count: usize, from: &[&str], to: &[&str], why: Why) -> Vec<Change> {
        let versions = |all: &[&str]| all.iter().map(|version| (*version).to_owned()).collect();
        let change =
            |n| Change { kind, name: format!("p{n:02}"), from: versions(from), to: versions(to), why };
        (0..count).map(change).collect()
    }

    #[test]
    fn what_goes_is_not_told_as_new() {
        let gone = changes(Kind::Python, 31, &["1"], &[], Why::Removed);
        assert_eq!(summary(&gone), ["31 packages no longer needed"]);
        let new = changes(Kind::Npm, 31, &[], &["1"], Why::Added);
        assert_eq!(summary(&new), ["31 packages newly locked"]);
        assert_eq!(
            summary(&[new, gone].concat()),
            ["31 packages newly locked", "31 packages no longer needed"]
        );
    }

    #[test]
    fn moves_are_told_one_by_one_and_before_the_rest() {
        let all = [
            changes(Kind::System, 2, &[], &["1"], Why::Added),
            changes(Kind::Python, 21, &["1"], &["2"], Why::Updated),
            changes(Kind::Npm, 1, &["1", "2"], &[], Why::Removed),
            changes(Kind::Member, 21, &[], &["1a2b3c4"], Why::Added),
        ]
        .concat();
        let lines = summary(&all);
        assert_eq!(lines.len(), 25);
        assert_eq!((lines[0].as_str(), lines[20].as_str()), ("p00 1 -> 2", "p20 1 -> 2"));
        assert_eq!(
            lines[21..],
            ["21 members newly locked", "p00 1 added", "p01 1 added", "p00 1, 2 removed (npm)"]
        );
    }
}
