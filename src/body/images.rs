//! Something of each image of a body.

use std::collections::BTreeMap;

use crate::name::Role;

/// A value for each image of a body: the application's always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images<T> {
    /// The application's.
    pub vessel: T,
    /// The others', by what they are for; the vessel is not among them.
    pub further: BTreeMap<Role, T>,
}

impl<T> Images<T> {
    /// All of them, the vessel's first.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &T)> {
        let further = self.further.iter().map(|(role, one)| (role.clone(), one));
        std::iter::once((Role::vessel(), &self.vessel)).chain(further)
    }

    /// All of them, the vessel's first, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Role, &mut T)> {
        let further = self.further.iter_mut().map(|(role, one)| (role.clone(), one));
        std::iter::once((Role::vessel(), &mut self.vessel)).chain(further)
    }

    /// That of a role.
    #[must_use]
    pub fn of(&self, role: &Role) -> Option<&T> {
        if *role == Role::vessel() { Some(&self.vessel) } else { self.further.get(role) }
    }

    /// What comes of each, the vessel's first.
    ///
    /// # Errors
    /// The first of `with`.
    pub fn try_map<U, E>(&self, mut with: impl FnMut(&Role, &T) -> Result<U, E>) -> Result<Images<U>, E> {
        let vessel = with(&Role::vessel(), &self.vessel)?;
        let mut further = BTreeMap::new();
        for (role, one) in &self.further {
            further.insert(role.clone(), with(role, one)?);
        }
        Ok(Images { vessel, further })
    }

    /// What is of each.
    #[must_use]
    pub fn map<U>(&self, mut with: impl FnMut(&T) -> U) -> Images<U> {
        let further = self.further.iter().map(|(role, one)| (role.clone(), with(one))).collect();
        Images { vessel: with(&self.vessel), further }
    }
}
