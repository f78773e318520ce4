//! Where a distribution's files will be in `site-packages`, as far as its manifest and its tree tell; and which modules
//! are at the top of a tree that lies in the image as it is.
//!
//! Only what the well-known backends do without running code is told; of a distribution that is laid out otherwise
//! nothing is, and the build's own check remains.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    crypt::{Federation, Manifest},
    document::{self, Node, Table},
    python::workspace::Part,
    tree::FileTree,
};

/// A distribution with its files.
pub(super) struct Installed<'a> {
    pub(super) part: &'a Part,
    /// From the path below `site-packages`, or whatever else is on Python's path, to the one in its member's tree.
    pub(super) files: BTreeMap<String, String>,
}

/// What each distribution that is a package installs.
pub(super) fn of<'a>(federation: &Federation, parts: &'a [Part]) -> Vec<Installed<'a>> {
    let packages = parts.iter().filter(|part| part.manifest.build_system.is_some());
    packages
        .filter_map(|part| {
            let whole = &federation.member(&part.member)?.source.tree;
            let below = part.directory.as_ref();
            let tree = below.map_or_else(|| whole.clone(), |directory| whole.subtree(directory));
            let mut files = files(&part.manifest, &tree);
            if let Some(directory) = below {
                for path in files.values_mut() {
                    *path = format!("{directory}/{path}");
                }
            }
            Some(Installed { part, files })
        })
        .collect()
}

/// What each member that is no package has on Python's path: the modules and packages at the top of its tree.
pub(super) fn plain<'a>(federation: &Federation, parts: &'a [Part]) -> Vec<Installed<'a>> {
    let plain = parts.iter().filter(|part| part.manifest.build_system.is_none() && part.directory.is_none());
    plain
        .filter_map(|part| {
            let tree = &federation.member(&part.member)?.source.tree;
            let files = at_top(tree).into_iter().map(|path| (path.to_owned(), path.to_owned())).collect();
            Some(Installed { part, files })
        })
        .collect()
}

/// What tools run that find it by its name, and nobody imports.
const NOT_IMPORTED: [&str; 8] = [
    "register.py",
    "setup.py",
    "conftest.py",
    "noxfile.py",
    "docs/__init__.py",
    "examples/__init__.py",
    "test/__init__.py",
    "tests/__init__.py",
];

/// Paths of the modules and packages at the top of a tree, of a package its `__init__.py`.
fn at_top(tree: &FileTree) -> Vec<&str> {
    let paths = tree.iter().map(|(path, _)| path.as_str());
    let is_module = |path: &&str| match path.split_once('/') {
        None => is_python(path),
        Some((_, rest)) => rest == "__init__.py",
    };
    let is_imported = |path: &&str| {
        let name = path.split(['/', '.']).next().unwrap_or_default();
        !NOT_IMPORTED.contains(path) && !matches!(name, "__init__" | "__main__") && is_identifier(name)
    };
    let modules = paths.filter(is_module).filter(|path| path.matches('.').count() == 1);
    modules.filter(is_imported).collect()
}

/// Whether `import` can name it; letters that are not ASCII may be.
fn is_identifier(name: &str) -> bool {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    name.chars().all(is_part) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Where Python modules lie in a tree.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    /// The directory that stands for `site-packages`; empty for the top.
    root: String,
    /// Packages and modules below it, as paths without suffix; `None` for all that there are.
    names: Option<BTreeSet<String>>,
}

impl Layout {
    fn named(root: &str, names: impl IntoIterator<Item = String>) -> Self {
        Self { root: root.trim_matches('/').to_owned(), names: Some(names.into_iter().collect()) }
    }

    fn all(root: &str) -> Self {
        Self { root: root.trim_matches('/').to_owned(), names: None }
    }

    /// The path below `site-packages` of a file of the tree, when it is installed.
    fn installed<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = match self.root.as_str() {
            "" | "." => path,
            root => path.strip_prefix(root)?.strip_prefix('/')?,
        };
        let is_module = |path: &str, name: &str| {
            path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/') || rest == ".py")
        };
        let taken = if let Some(names) = &self.names {
            names.iter().any(|name| is_module(rest, name))
        } else {
            let top = rest.split('/').next().unwrap_or_default();
            !top.ends_with(".egg-info") && (rest.contains('/') || is_python(rest))
        };
        taken.then_some(rest)
    }
}

fn files(manifest: &Manifest, tree: &FileTree) -> BTreeMap<String, String> {
    let Ok(table) = document::parse(&manifest.source) else { return BTreeMap::new() };
    let layouts = layouts(manifest, &table, tree);
    let paths = tree.iter().map(|(path, _)| path.as_str());
    paths
        .filter_map(|path| {
            let site = layouts.iter().find_map(|layout| layout.installed(path))?;
            Some((site.to_owned(), path.to_owned()))
        })
        .collect()
}

fn layouts(manifest: &Manifest, table: &Table, tree: &FileTree) -> Vec<Layout> {
    let backend = manifest.build_system.as_ref().map_or("", |system| system.backend.as_str());
    let family = backend.split(['.', ':']).next().unwrap_or_default();
    let at = |path: &[&str]| path.iter().try_fold(table, |table: &Table, &key| table.table(key));
    let name = manifest.project.name.value.as_dist_info_name().into_owned();
    match family {
        "hatchling" => {
            let build = at(&["tool", "hatch", "build"]);
            let wheel = at(&["tool", "hatch", "build", "targets", "wheel"]);
            let has = |key: &str| [build, wheel].into_iter().flatten().any(|table| table.get(key).is_some());
            if ["include", "only-include", "sources", "force-include"].into_iter().any(has) {
                return Vec::new();
            }
            let listed = [wheel, build].into_iter().flatten().find_map(|table| table.get("packages"));
            listed.map_or_else(|| by_convention(&name, tree), hatch_packages)
        }
        "uv_build" => {
            let own = at(&["tool", "uv", "build-backend"]);
            let text = |key: &str| own.and_then(|table| table.get(key)?.as_str());
            let names = own.and_then(|table| table.get("module-name")).map_or_else(|| vec![name], texts);
            let names = names.into_iter().map(|name| name.replace('.', "/"));
            vec![Layout::named(text("module-root").unwrap_or("src"), names)]
        }
        "flit_core" => {
            let module = at(&["tool", "flit", "module"]).and_then(|table| table.get("name")?.as_str());
            by_convention(module.unwrap_or(&name), tree)
        }
        "setuptools" => setuptools(at(&["tool", "setuptools"]), &name, tree),
        _ => by_convention(&name, tree),
    }
}

/// `packages = ["src/foo"]`: each is installed under its last name.
fn hatch_packages(packages: &Node) -> Vec<Layout> {
    let layout = |path: String| match path.trim_matches('/').rsplit_once('/') {
        Some((root, name)) => Layout::named(root, [name.to_owned()]),
        None => Layout::named("", [path.trim_matches('/').to_owned()]),
    };
    texts(packages).into_iter().map(layout).collect()
}

fn setuptools(own: Option<&Table>, name: &str, tree: &FileTree) -> Vec<Layout> {
    let has_src = tree.iter().any(|(path, _)| path.as_str().starts_with("src/") && is_python(path.as_str()));
    let Some(own) = own else {
        return if has_src { vec![Layout::all("src")] } else { by_convention(name, tree) };
    };
    let root = own.table("package-dir").and_then(|table| table.get("")?.as_str()).unwrap_or_default();
    let dotted = |node: &Node| texts(node).into_iter().map(|name| name.replace('.', "/"));
    let modules = own.get("py-modules").map(|node| Layout::named(root, dotted(node)));
    let packages = match own.get("packages") {
        Some(node) => match node.as_table() {
            // `include` and `exclude` are patterns: what they leave is the build's to say.
            Some(table) => {
                let find = table.table("find");
                let where_ = find.and_then(|find| find.get("where"));
                let plain = find.is_some_and(|find| find.get("include").or(find.get("exclude")).is_none());
                let roots = where_.map(texts).filter(|_| plain).unwrap_or_default();
                roots.iter().map(|root| Layout::all(root)).collect()
            }
            None => vec![Layout::named(root, dotted(node))],
        },
        None if modules.is_some() => Vec::new(),
        None if has_src => vec![Layout::all("src")],
        None => by_convention(name, tree),
    };
    packages.into_iter().chain(modules).collect()
}

/// The package or module of the distribution's own name, in `src` or at the top, whatever its case.
fn by_convention(name: &str, tree: &FileTree) -> Vec<Layout> {
    let is_it = |part: &str| part.trim_end_matches(".py").eq_ignore_ascii_case(name);
    for root in ["src", ""] {
        let prefix = if root.is_empty() { String::new() } else { format!("{root}/") };
        let names: BTreeSet<String> = tree
            .iter()
            .filter_map(|(path, _)| path.as_str().strip_prefix(&prefix)?.split('/').next())
            .filter(|part| is_it(part))
            .map(|part| part.trim_end_matches(".py").to_owned())
            .collect();
        if !names.is_empty() {
            return vec![Layout::named(root, names)];
        }
    }
    Vec::new()
}

/// Whether a file is a module by its name, as Python sees it.
fn is_python(path: &str) -> bool {
    path.strip_suffix(".py").is_some()
}

/// A string, or the strings of an array.
fn texts(node: &Node) -> Vec<String> {
    let all = node.as_array().map_or_else(|| vec![node], |items| items.iter().collect());
    all.into_iter().filter_map(|node| node.as_str()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The installed paths of a tree of these files.
    fn installed(rest: &str, paths: &[&str]) -> Vec<String> {
        let text = format!("[project]\nname = 'The.Part'\nversion = '1'\n{rest}");
        let id = "x".parse().unwrap();
        let manifest = Manifest::parse(&id, "extensions/x/pyproject.toml", text.as_bytes()).unwrap();
        let mut tree = FileTree::new();
        for path in paths {
            tree.insert_text(path.parse().unwrap(), "");
        }
        files(&manifest, &tree).into_keys().collect()
    }

    fn backend(name: &str) -> String {
        format!("[build-system]\nrequires = []\nbuild-backend = '{name}'\n")
    }

    #[test]
    fn what_is_at_the_top_of_a_plain_tree_is_imported() {
        let mut tree = FileTree::new();
        let tools = ["register.py", "setup.py", "conftest.py", "noxfile.py"];
        let folders = ["tests/__init__.py", "test/__init__.py", "docs/__init__.py", "examples/__init__.py"];
        let nothing = ["README.md", "static/app.js", "scripts/run.py", "src/deep/__init__.py"];
        let never =
            ["__init__.py", "__main__.py", "gunicorn.conf.py", "my-script.py", "2.py", "a-b/__init__.py"];
        let modules = ["main.py", "web/__init__.py", "web/views.py", "web/parts/__init__.py"];
        for path in [&tools[..], &folders, &nothing, &never, &modules].concat() {
            tree.insert_text(path.parse().unwrap(), "");
        }
        assert_eq!(at_top(&tree), ["main.py", "web/__init__.py"]);
    }

    #[test]
    fn the_backends_rules_are_followed() {
        let hatch = backend("hatchling.build");
        let src = ["src/the_part/__init__.py", "src/the_part/x.css", "src/other/__init__.py", "tests/a.py"];
        assert_eq!(installed(&hatch, &src), ["the_part/__init__.py", "the_part/x.css"]);
        let packages = format!("{hatch}[tool.hatch.build.targets.wheel]\npackages = ['src/other']\n");
        assert_eq!(installed(&packages, &src), ["other/__init__.py"]);
        let forced = format!("{hatch}[tool.hatch.build.targets.wheel.force-include]\n'a' = 'b'\n");
        assert_eq!(installed(&forced, &src), Vec::<String>::new());

        let setuptools = backend("setuptools.build_meta");
        assert_eq!(
            installed(&setuptools, &src),
            ["other/__init__.py", "the_part/__init__.py", "the_part/x.css"]
        );
        let listed = format!("{setuptools}[tool.setuptools]\npackages = ['a.b']\npy-modules = ['c']\n");
        assert_eq!(installed(&listed, &["a/b/x.py", "a/x.py", "c.py", "d.py"]), ["a/b/x.py", "c.py"]);
        let find = format!("{setuptools}[tool.setuptools.packages.find]\nwhere = ['lib']\n");
        assert_eq!(installed(&find, &["lib/a/x.py", "src/b/x.py"]), ["a/x.py"]);

        let uv = backend("uv_build");
        assert_eq!(installed(&uv, &src), ["the_part/__init__.py", "the_part/x.css"]);
        let named = format!("{uv}[tool.uv.build-backend]\nmodule-name = 'ns.x'\nmodule-root = ''\n");
        assert_eq!(installed(&named, &["ns/x/__init__.py", "ns/y.py"]), ["ns/x/__init__.py"]);

        let flit = backend("flit_core.buildapi");
        assert_eq!(installed(&flit, &["The_Part.py", "other.py"]), ["The_Part.py"]);
        assert_eq!(installed(&backend("own_backend"), &["the_part/a.py"]), ["the_part/a.py"]);
    }
}
