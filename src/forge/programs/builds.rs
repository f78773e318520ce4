//! Whether building a member may give it programs that its `[project]` does not name.

use crate::{
    crypt::Manifest,
    document::{Node, Table},
    tree::{FileTree, RelativePath},
};

/// Backends that bring no program which is not written in the manifest. Others compile some, or run code that decides.
const PLAIN: [&str; 6] = [
    "flit_core.buildapi",
    "hatchling.build",
    "pdm.backend",
    "poetry.core.masonry.api",
    "setuptools.build_meta",
    "uv_build",
];
/// What in a manifest tells them of more: settings for files beside the package, code that runs, other names for files.
const WORDS: [&str; 9] = [
    "data-files",
    "external-data",
    "force-include",
    "hooks",
    "script-files",
    "shared-data",
    "shared-scripts",
    "tool.poetry",
    "wheel-data",
];
/// Files that tell them of more.
const FILES: [&str; 5] = ["hatch.toml", "hatch_build.py", "pdm_build.py", "setup.cfg", "setup.py"];
/// What `[project]` may leave to a build.
const TABLES: [&str; 3] = ["scripts", "gui-scripts", "entry-points"];

/// Whether a distribution that lies at `directory` of a member's tree may have programs beyond those in its manifest.
pub(super) fn may_bring_more(manifest: &Manifest, tree: &FileTree, directory: Option<&RelativePath>) -> bool {
    let Some(build_system) = &manifest.build_system else { return false };
    let has = |name: &str| {
        let path = name.parse::<RelativePath>().ok();
        let path = path.map(|path| directory.map_or_else(|| path.clone(), |directory| path.below(directory)));
        path.is_some_and(|path| tree.get(&path).is_some())
    };
    !PLAIN.contains(&build_system.backend.as_str())
        || !build_system.backend_path.is_empty()
        || TABLES.iter().any(|table| manifest.project.dynamic.contains(*table))
        || WORDS.iter().any(|word| manifest.source.text().contains(word))
        || FILES.into_iter().any(has)
        || has_data(&manifest.uv)
}

/// Whether `[tool.uv.build-backend]` names directories of data, programs among it.
fn has_data(uv: &Table) -> bool {
    let settings = uv.get("build-backend").and_then(Node::as_table);
    settings.is_some_and(|settings| settings.get("data").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::programs::sample::core;

    fn may(backend: &str, rest: &str, file: &str) -> bool {
        let manifest = format!("{rest}\n[build-system]\nrequires = ['x']\nbuild-backend = '{backend}'\n");
        let core = core(&manifest, &[(file, "")]);
        may_bring_more(&core.manifest, &core.source.tree, None)
    }

    #[test]
    fn a_build_that_is_written_out_brings_no_more() {
        assert!(!may("hatchling.build", "scripts = { x = 'x:main' }", "x.py"));
        assert!(!may("uv_build", "[tool.uv.build-backend]\nmodule-name = 'x'", "x.py"));
        for (backend, rest, file) in [
            ("maturin", "", "x.py"),
            ("uv_build", "[tool.uv.build-backend]\ndata = { scripts = 'bin' }", "x.py"),
            ("hatchling.build", "dynamic = ['scripts']", "x.py"),
            ("hatchling.build", "[tool.hatch.build.targets.wheel.shared-scripts]\n'a' = 'b'", "x.py"),
            ("hatchling.build", "[tool.hatch.build.hooks.custom]", "x.py"),
            ("setuptools.build_meta", "", "setup.py"),
        ] {
            assert!(may(backend, rest, file), "{backend} {rest} {file}");
        }
    }

    #[test]
    fn what_is_no_package_brings_nothing() {
        let core = core("[tool.uv]\npackage = false\n", &[("setup.py", "")]);
        assert!(!may_bring_more(&core.manifest, &core.source.tree, None));
    }

    #[test]
    fn files_count_where_the_distribution_lies() {
        let manifest = "[build-system]\nrequires = ['x']\nbuild-backend = 'setuptools.build_meta'\n";
        let core = core(manifest, &[("inner/setup.py", "")]);
        let inner = "inner".parse().unwrap();
        assert!(!may_bring_more(&core.manifest, &core.source.tree, None));
        assert!(may_bring_more(&core.manifest, &core.source.tree, Some(&inner)));
    }
}
