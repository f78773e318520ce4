//! Which store paths share a layer of the image.
//!
//! Two things move layers: a changed package changes its own, and in podman's storage every layer above a
//! changed one is written again. So the order is most stable first (system packages, wheels, members), big
//! packages are alone, and small ones share a layer chosen by the hash of their name. Versions take no part,
//! so a new version changes one layer, and neither does rank, so a new package moves no other.

use std::collections::BTreeMap;

use crate::{
    digest::Sha256,
    name::{DebianName, MemberId, PackageName},
};

/// The most layers a plan has. The library adds a few of its own below podman's limit of 127.
pub const BUDGET: usize = 110;
/// A Debian package above this size, in bytes when unpacked, has a layer of its own.
const LARGE_SYSTEM: u64 = 4 << 20;
/// A wheel above this size, in bytes as downloaded, has a layer of its own.
const LARGE_WHEEL: u64 = 1 << 20;

const SYSTEM_ALONE: usize = 32;
const SYSTEM_SHARED: usize = 16;
const WHEELS_ALONE: usize = 30;
const WHEELS_SHARED: usize = 16;
const MEMBERS: usize = 16;
const _: () = assert!(SYSTEM_ALONE + SYSTEM_SHARED + WHEELS_ALONE + WHEELS_SHARED + MEMBERS == BUDGET);

/// One planned layer; the names are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Debian packages.
    System(Vec<DebianName>),
    /// Wheels.
    Wheels(Vec<PackageName>),
    /// The core and the extensions.
    Members(Vec<MemberId>),
}

/// Plans the layers, bottom first. Every name is in exactly one of them; the order of the arguments does not
/// matter, but for `members`, which keep theirs.
#[must_use]
pub fn plan(
    system: &[(&DebianName, u64)],
    wheels: &[(&PackageName, u64)],
    members: &[&MemberId],
) -> Vec<Layer> {
    let system = share(system, |name| name.as_str(), LARGE_SYSTEM, SYSTEM_ALONE, SYSTEM_SHARED);
    let wheels = share(wheels, |name| name.as_ref(), LARGE_WHEEL, WHEELS_ALONE, WHEELS_SHARED);
    let members = if members.len() <= MEMBERS {
        members.iter().map(|&id| vec![id.clone()]).collect()
    } else {
        let sized: Vec<_> = members.iter().map(|&id| (id, 0)).collect();
        share(&sized, |id| id.as_str(), 0, 0, MEMBERS)
    };
    let system = system.into_iter().map(Layer::System);
    system
        .chain(wheels.into_iter().map(Layer::Wheels))
        .chain(members.into_iter().map(Layer::Members))
        .collect()
}

/// Names above `large` bytes alone, by name; then the others in `shared` groups. When more than `alone` names
/// are large, the threshold doubles until they are not: a cut by rank would move a name in whenever another
/// moves out.
fn share<N: Clone + Ord>(
    names: &[(&N, u64)],
    text: impl Fn(&N) -> &str,
    large: u64,
    alone: usize,
    shared: usize,
) -> Vec<Vec<N>> {
    let mut threshold = large;
    while names.iter().filter(|(_, size)| *size > threshold).count() > alone {
        threshold = threshold.saturating_mul(2).max(1);
    }
    let mut own = Vec::new();
    let mut groups: BTreeMap<u64, Vec<N>> = BTreeMap::new();
    for (name, size) in names {
        if *size > threshold {
            own.push(vec![(*name).clone()]);
        } else {
            groups.entry(group(text(name), shared)).or_default().push((*name).clone());
        }
    }
    own.sort();
    own.into_iter()
        .chain(groups.into_values().map(|mut group| {
            group.sort();
            group
        }))
        .collect()
}

fn group(name: &str, groups: usize) -> u64 {
    let hash = Sha256::of(name);
    let first = hash.as_bytes().iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte));
    first % (groups as u64).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn debs(count: usize) -> Vec<DebianName> {
        (0..count).map(|index| format!("lib{index}").parse().unwrap()).collect()
    }

    fn wheels(count: usize) -> Vec<PackageName> {
        (0..count).map(|index| format!("wheel-{index}").parse().unwrap()).collect()
    }

    fn members(count: usize) -> Vec<MemberId> {
        (0..count).map(|index| format!("extension-{index}").parse().unwrap()).collect()
    }

    /// Every ninth is large, up to some 600 MB, so that hundreds make the threshold double.
    fn sized<N>(names: &[N]) -> Vec<(&N, u64)> {
        let size = |index: usize| if index.is_multiple_of(9) { (index as u64 + 5) << 20 } else { 1000 };
        names.iter().enumerate().map(|(index, name)| (name, size(index))).collect()
    }

    fn names(layer: &Layer) -> Vec<String> {
        match layer {
            Layer::System(names) => names.iter().map(|name| format!("deb {name}")).collect(),
            Layer::Wheels(names) => names.iter().map(|name| format!("wheel {name}")).collect(),
            Layer::Members(ids) => ids.iter().map(|id| format!("member {id}")).collect(),
        }
    }

    #[test]
    fn every_name_is_in_one_layer_within_the_budget() {
        for count in [0, 1, 3, 40, 200, 600, 3000] {
            let (debs, wheels, members) = (debs(count), wheels(count), members(count.min(100)));
            let plan = plan(&sized(&debs), &sized(&wheels), &members.iter().collect::<Vec<_>>());
            assert!(plan.len() <= BUDGET, "{count}: {} layers", plan.len());
            let all: Vec<_> = plan.iter().flat_map(names).collect();
            assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len());
            assert_eq!(all.len(), debs.len() + wheels.len() + members.len());
            assert!(plan.iter().all(|layer| !names(layer).is_empty()));
        }
    }

    #[test]
    fn the_most_stable_are_at_the_bottom() {
        let (debs, wheels, members) = (debs(60), wheels(60), members(5));
        let plan = plan(&sized(&debs), &sized(&wheels), &members.iter().collect::<Vec<_>>());
        let rank = |layer: &Layer| match layer {
            Layer::System(_) => 0,
            Layer::Wheels(_) => 1,
            Layer::Members(_) => 2,
        };
        assert!(plan.iter().is_sorted_by_key(rank));
        let top: Vec<_> = plan.iter().rev().take(5).map(names).collect();
        assert!(top.iter().all(|names| names.len() == 1), "few members have a layer each: {top:?}");
    }

    #[test]
    fn the_order_of_the_arguments_does_not_matter() {
        let (debs, wheels) = (debs(90), wheels(90));
        let (mut system, mut python) = (sized(&debs), sized(&wheels));
        let before = plan(&system, &python, &[]);
        system.reverse();
        python.rotate_left(31);
        assert_eq!(plan(&system, &python, &[]), before);
    }

    /// The layers as an image would see them: names with versions.
    fn versioned(plan: &[Layer], versions: &BTreeMap<String, u32>) -> BTreeSet<Vec<String>> {
        let version = |name: &String| versions.get(name).copied().unwrap_or_default();
        plan.iter()
            .map(|layer| names(layer).iter().map(|name| format!("{name} {}", version(name))).collect())
            .collect()
    }

    #[test]
    fn a_new_version_changes_one_layer() {
        let (debs, wheels, members) = (debs(230), wheels(90), members(3));
        let members: Vec<_> = members.iter().collect();
        let plan = plan(&sized(&debs), &sized(&wheels), &members);
        let before = versioned(&plan, &BTreeMap::new());
        for name in plan.iter().flat_map(names) {
            let after = versioned(&plan, &BTreeMap::from([(name.clone(), 1)]));
            assert_eq!(before.difference(&after).count(), 1, "{name}");
            assert_eq!(after.difference(&before).count(), 1, "{name}");
        }
        // A new version is a new size as well; below the threshold it moves nothing.
        let mut grown = sized(&wheels);
        grown[1].1 = 900_000;
        assert_eq!(super::plan(&sized(&debs), &grown, &members), plan);
    }

    #[test]
    fn a_new_package_touches_one_layer() {
        let (debs, wheels) = (debs(230), wheels(90));
        let before: BTreeSet<_> = plan(&sized(&debs), &sized(&wheels), &[]).iter().map(names).collect();
        let added: PackageName = "added".parse().unwrap();
        for size in [0, 1000, 40 << 20] {
            let mut more = sized(&wheels);
            more.push((&added, size));
            let after: BTreeSet<_> = plan(&sized(&debs), &more, &[]).iter().map(names).collect();
            let (gone, new) = (before.difference(&after).count(), after.difference(&before).count());
            assert!(gone <= 1 && new == 1, "size {size}: {gone} layers gone, {new} new");
        }
    }
}
