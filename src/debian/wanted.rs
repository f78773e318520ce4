//! The roots of a request by purpose: the members' and the substrate's own.

use std::collections::BTreeMap;

use super::{Request, Root, roots};
use crate::{
    diagnostic::{Diagnostic, Failure},
    name::{DebianName, Role},
};

/// What is wanted, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Of each image; the Python of the build is in the vessel.
    pub(super) images: BTreeMap<Role, Vec<Root>>,
    /// Of the build's Python.
    pub(super) tools: Vec<DebianName>,
    /// Of native builds alone; none when nothing is compiled.
    pub(super) compiler: Vec<DebianName>,
    /// Of what maintainer scripts run in; none when they do not run.
    pub(super) configure: Vec<DebianName>,
}

impl Wanted {
    /// What a request comes to.
    ///
    /// # Errors
    /// Refused when its Python is no series.
    pub(super) fn of(request: &Request<'_>) -> Result<Self, Failure> {
        let tools: Vec<DebianName> = match request.python {
            Some(series) => roots::python(series)?.into(),
            None => Vec::new(),
        };
        let mut compiler = Vec::new();
        if request.compiler {
            compiler = names(roots::COMPILER)?;
            compiler.extend(request.python.map(roots::python_headers).transpose()?);
        }
        let configure = if request.configure { names(roots::of_configuring())? } else { Vec::new() };
        let locales = request.locales.then_some(roots::LOCALES);
        let base = names(roots::of_image(request.base).into_iter().chain(locales))?;
        let base: Vec<Root> = base.into_iter().map(own_root).collect();
        let vessel = [request.roots, &base].concat().into_iter().chain(tools.iter().cloned().map(own_root));
        let further =
            request.further.iter().map(|(role, roots)| (role.clone(), [roots.as_slice(), &base].concat()));
        let images = further.chain([(Role::vessel(), vessel.collect())]).collect();
        Ok(Self { images, tools, compiler, configure })
    }

    /// What is asked for the application's image.
    pub(super) fn vessel(&self) -> &[Root] {
        self.images.get(&Role::vessel()).map_or(&[], Vec::as_slice)
    }

    /// All of them as roots, in the steps in which they are resolved: a further image has no say in what the
    /// application's is made of, and what maintainer scripts run in has none in any.
    pub(super) fn steps(&self) -> Vec<Vec<Root>> {
        let own = |names: &[DebianName]| -> Vec<Root> { names.iter().cloned().map(own_root).collect() };
        let vessel = [self.vessel(), &own(&self.compiler)].concat();
        let further = self.images.iter().filter(|(role, _)| **role != Role::vessel());
        let further = further.map(|(_, roots)| roots.clone());
        std::iter::once(vessel).chain(further).chain([own(&self.configure)]).collect()
    }
}

fn own_root(name: DebianName) -> Root {
    Root { name, requested_by: None, place: None }
}

/// Names out of our own tables.
fn names(table: impl IntoIterator<Item = &'static str>) -> Result<Vec<DebianName>, Failure> {
    let parsed = table.into_iter().map(str::parse).collect::<Result<_, _>>();
    parsed.map_err(|_| Failure::unable(Diagnostic::new("a table of packages has a bad name")))
}
