//! The roots of a request by purpose: the members' and the substrate's own.

use super::{Request, Root, roots};
use crate::{
    diagnostic::{Diagnostic, Failure},
    name::DebianName,
};

/// What is wanted, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Of the image, the Python of the build among it.
    pub(super) image: Vec<Root>,
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
        let own = names(roots::of_image(request.base).into_iter().chain(locales))?;
        let own = own.into_iter().chain(tools.iter().cloned());
        let image = request.roots.iter().cloned().chain(own.map(own_root)).collect();
        Ok(Self { image, tools, compiler, configure })
    }

    /// All of them as roots, in the steps in which they are resolved: what maintainer scripts run in has no say in what
    /// an image is made of.
    pub(super) fn steps(&self) -> [Vec<Root>; 2] {
        let own = |names: &[DebianName]| -> Vec<Root> { names.iter().cloned().map(own_root).collect() };
        [[self.image.clone(), own(&self.compiler)].concat(), own(&self.configure)]
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
