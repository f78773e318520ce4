//! Requirements that mean an extension which lies in the Crypt and is not selected. An index may have another
//! distribution of that name, which nobody meant.

use crate::{crypt::Federation, diagnostic::Diagnostic, name::PackageName, python::workspace::Part};

pub(super) fn wanted(federation: &Federation, parts: &[Part]) -> Vec<Diagnostic> {
    let of_part = |part: &Part| -> Vec<Diagnostic> {
        let sources = part.manifest.uv.table("sources");
        let is = |key: &str, name: &PackageName| key.parse::<PackageName>().is_ok_and(|key| key == *name);
        let says_where = |name| sources.is_some_and(|sources| sources.iter().any(|(key, _)| is(key, name)));
        part.manifest
            .project
            .dependencies
            .iter()
            .filter(|dependency| !says_where(&dependency.requirement.name))
            .filter_map(|dependency| {
                let name = &dependency.requirement.name;
                let id = federation.unselected(name)?;
                let message = format!("`{name}` is `extensions/{id}`, which `[extensions] crypt` does not select");
                Some(
                    Diagnostic::new(message)
                        .at(dependency.place.clone(), "")
                        .requested_by(part.member.to_string())
                        .help(format!(
                            "add \"{id}\" to `crypt` in lychd.toml; if a released package is meant, `[tool.uv.sources]` says which index it is from"
                        )),
                )
            })
            .collect()
    };
    parts.iter().flat_map(of_part).collect()
}
