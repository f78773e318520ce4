//! What podman has lost of the generation that is inscribed: somebody pruned or removed it, and nothing else changed.

use std::collections::{BTreeMap, BTreeSet};

use super::{generation::Generation, settle::keeper};
use crate::{diagnostic::Failure, engine::podman::Podman, image::EngineId, name::Role};

/// What is to be brought back, that the units find their images and no pruning takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Images of the body that are gone.
    pub images: BTreeMap<Role, EngineId>,
    /// Containers that keep these images for any generation and are gone, or go with their image; each with that image.
    pub keepers: BTreeMap<String, EngineId>,
}

impl Lost {
    /// Of a generation, where podman lacks these images and has these containers; `kept` are all generations.
    #[must_use]
    pub fn of(
        active: &Generation,
        kept: &[Generation],
        gone: &BTreeSet<EngineId>,
        containers: &BTreeSet<String>,
    ) -> Self {
        let own = &active.candidate.body_images;
        let images = own.iter().filter(|(_, image)| gone.contains(*image));
        let mut lost = Self {
            images: images.map(|(role, image)| (role.clone(), image.clone())).collect(),
            keepers: BTreeMap::new(),
        };
        for one in kept {
            for (role, image) in &one.candidate.body_images {
                let keeper = keeper(one.number, role);
                let is_here = own.values().any(|own| own == image);
                if is_here && (gone.contains(image) || !containers.contains(&keeper)) {
                    lost.keepers.insert(keeper, image.clone());
                }
            }
        }
        lost
    }

    /// The same, as podman answers.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn read(active: &Generation, kept: &[Generation], podman: &Podman) -> Result<Self, Failure> {
        let mut gone = BTreeSet::new();
        for image in active.candidate.body_images.values() {
            if !podman.exists(image)? {
                gone.insert(image.clone());
            }
        }
        Ok(Self::of(active, kept, &gone, &podman.containers()?))
    }

    /// What a person should know of it, a line each.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        self.images
            .keys()
            .map(|role| format!("podman has lost the image `{role}` of the body: it is loaded again"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binding::{generation::Generations, manifest::Manifest},
        digest::Sha256,
        runes::{Layout, Rendered},
    };

    fn generation(vessel: &str) -> Generation {
        let layout = Layout::of_magus();
        let own = [(Role::vessel(), Sha256::of(vessel)), (Role::database(), Sha256::of("database"))];
        let own = own.map(|(role, image)| (role, image.into()));
        let id = Sha256::of("body").to_string().parse().unwrap();
        let manifest = Manifest::of("/site".as_ref(), (id, own.into()), &Rendered::default(), &layout);
        Generations::of_state("/nowhere".as_ref()).next(None, manifest).unwrap()
    }

    #[test]
    fn what_is_gone_comes_back_with_what_keeps_it() {
        let active = generation("vessel");
        let mut older = generation("another");
        older.number = 7;
        let kept = [active.clone(), older];
        let lost = |gone: &[&EngineId], containers: &[&str]| {
            let gone = gone.iter().copied().cloned().collect();
            let containers = containers.iter().map(|role| format!("lychd-generation-{role}")).collect();
            Lost::of(&active, &kept, &gone, &containers)
        };
        let [database, vessel] = ["database", "vessel"].map(|image| EngineId::from(Sha256::of(image)));
        let keeper = |role: &str, image: &EngineId| (format!("lychd-generation-{role}"), image.clone());
        assert_eq!(lost(&[], &["1-database", "1-vessel", "7-database"]), Lost::default());

        // A container of the name may be there all the same: it keeps nothing any more.
        let found = lost(&[&database], &["1-database", "1-vessel"]);
        assert_eq!(found.images, [(Role::database(), database.clone())].into());
        assert_eq!(found.keepers, [keeper("1-database", &database), keeper("7-database", &database)].into());
        assert_eq!(found.notes().count(), 1);

        // `podman container prune` takes what never started; the images are there.
        let pruned = lost(&[], &["1-database", "7-database"]);
        assert_eq!((pruned.images.len(), pruned.keepers), (0, [keeper("1-vessel", &vessel)].into()));
    }
}
