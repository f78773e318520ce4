//! The npm side of `body.nix`: tarballs, `node_modules`, the members' front ends.
//!
//! Emitted only when a member has a front end: no `node_modules` is part of an image by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    nix::{Binding, Expr},
    place::source_directory,
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::store_path::StoreName,
    name::MemberId,
    npm::record::{Asset, NodeEnvironment, NodePackage},
    synthesis::value::{Member, Synthesis},
    tools::NodeTool,
    tree::{Entry, FileTree, RelativePath},
};

type Sources = BTreeMap<MemberId, FileTree>;

/// What a front end writes in its sources to have the trees of all members beside it: the start of the names of
/// the files that `nix/node/tailwind.py` writes.
const FEDERATION: &str = "tailwind.federation.";
/// Files that may say so.
const STYLED: [&str; 12] =
    ["css", "scss", "pcss", "js", "cjs", "mjs", "ts", "cts", "mts", "html", "vue", "svelte"];
/// Tables of a `package.json` that name what a package needs.
const NEEDS: [&str; 4] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// The npm workspace, when something is to be built in it.
pub(super) fn environment(synthesis: &Synthesis) -> Option<&NodeEnvironment> {
    synthesis.node.as_ref().filter(|node| !node.assets.is_empty())
}

/// What goes before the members in the `let` of `body.nix`.
pub(super) fn bindings(synthesis: &Synthesis, sources: &Sources) -> Result<Vec<Binding>, Failure> {
    let Some(node) = environment(synthesis) else { return Ok(Vec::new()) };
    let used: BTreeSet<&str> = node.assets.iter().map(|asset| asset.node.as_str()).collect();
    let runtimes: Vec<&NodeTool> =
        node.runtimes.iter().filter(|runtime| used.contains(runtime.version.as_str())).collect();
    let toolchains = runtimes.iter().map(|runtime| (runtime.version.as_str(), toolchain(runtime, &node.npm)));
    let links = node.links.iter().map(|link| {
        Expr::fields([
            ("place", Expr::text(&link.place)),
            ("target", Expr::text(&link.target)),
            ("bin", commands(&link.bin)),
        ])
    });
    let bundled = node.bundled.iter().map(|bundled| {
        Expr::fields([("place", Expr::text(&bundled.place)), ("bin", commands(&bundled.bin))])
    });
    let modules = |version: &str| {
        let fields = Expr::Set(vec![
            Binding::field("toolchain", Expr::Variable("nodes").member(version)),
            Binding::field("packages", Expr::Variable("nodePackages")),
            Binding::field("bundled", Expr::Variable("nodeBundled")),
            Binding::field("links", Expr::Variable("nodeLinks")),
        ]);
        Expr::library("nodeModules", fields)
    };
    let modules = runtimes.iter().map(|runtime| (runtime.version.as_str(), modules(&runtime.version)));
    let mut assets = Vec::new();
    for entry in &node.assets {
        assets.push((entry.member.as_str(), asset(entry, synthesis, node, sources)?));
    }
    Ok(vec![
        Binding::field("nodes", Expr::named(toolchains)).commented("Node with npm, to build front ends"),
        Binding::field("nodePackages", Expr::list(node.packages.iter().map(package)))
            .commented("npm packages of all members, and where they lie"),
        Binding::field("nodeBundled", Expr::list(bundled)),
        Binding::field("nodeLinks", Expr::list(links)),
        Binding::field("nodeModules", Expr::named(modules))
            .commented("node_modules, by the Node that runs it"),
        Binding::field("assets", Expr::named(assets))
            .commented("front ends, each part of its member's wheel"),
    ])
}

/// The front ends that go into a member's wheel.
pub(super) fn of_member(synthesis: &Synthesis, member: &MemberId) -> Option<Expr> {
    let assets = &environment(synthesis)?.assets;
    let own = assets.iter().any(|asset| asset.member == *member);
    own.then(|| Expr::list([Expr::Variable("assets").member(member.as_str())]))
}

fn commands(bin: &BTreeMap<String, String>) -> Expr {
    Expr::named(bin.iter().map(|(name, path)| (name, Expr::text(path))))
}

fn toolchain(node: &NodeTool, npm: &NodeTool) -> Expr {
    Expr::library("node", Expr::fields([("node", tool(node)), ("npm", tool(npm))]))
}

fn tool(tool: &NodeTool) -> Expr {
    Expr::fields([
        ("version", Expr::text(&tool.version)),
        ("kind", Expr::text(tool.kind)),
        ("root", Expr::text(&tool.root)),
        ("file", Expr::text(StoreName::mapped(&tool.filename).as_str())),
        ("url", Expr::text(&tool.url)),
        ("hash", Expr::text(tool.integrity.to_sri_string())),
    ])
}

fn package(package: &NodePackage) -> Expr {
    Expr::fields([
        ("name", Expr::text(package.name.as_str())),
        ("version", Expr::text(&package.version)),
        ("file", Expr::text(StoreName::mapped(&package.filename).as_str())),
        ("url", Expr::text(&package.url)),
        ("hash", Expr::text(package.integrity.to_sri_string())),
        ("places", Expr::texts(&package.places)),
        ("bin", commands(&package.bin)),
        ("scripts", Expr::Bool(package.scripts)),
    ])
}

fn asset(
    asset: &Asset,
    synthesis: &Synthesis,
    node: &NodeEnvironment,
    sources: &Sources,
) -> Result<Expr, Failure> {
    let member = |id: &MemberId| {
        synthesis.members.iter().find(|member| member.id == *id).ok_or_else(|| unknown(asset, id))
    };
    let own = member(&asset.member)?;
    let mut others = Vec::new();
    for id in others_of(asset, synthesis, node, sources) {
        let mut fields = tree(member(&id)?)?;
        fields.push(Binding::field("root", Expr::text(root(&id, node))));
        others.push(Expr::Set(fields));
    }
    let mut fields = vec![Binding::field("id", Expr::text(asset.member.as_str()))];
    fields.extend(tree(own)?);
    fields.extend([
        Binding::field("root", Expr::text(&asset.member_directory)),
        Binding::field("directory", Expr::text(&asset.directory)),
        Binding::field("script", Expr::text(asset.script.as_str())),
        Binding::field("output", Expr::text(&asset.output)),
        Binding::field("toolchain", Expr::Variable("nodes").member(&asset.node)),
        Binding::field("modules", Expr::Variable("nodeModules").member(&asset.node)),
        Binding::field("others", Expr::list(others)),
    ]);
    Ok(Expr::library("asset", Expr::Set(fields)))
}

/// A member's tree, named as its wheel's build names it, so that it is in the store once.
fn tree(member: &Member) -> Result<Vec<Binding>, Failure> {
    let source =
        source_directory(&member.id)?.try_into().map_err(|error| Diagnostic::new(format!("{error}")))?;
    Ok(vec![
        Binding::field("name", Expr::text(member.name.as_ref())),
        Binding::field("source", Expr::Path(source)),
        Binding::field("hash", Expr::text(member.nar_sha256.to_sri_string())),
    ])
}

/// Where a member lies in the workspace.
fn root(id: &MemberId, node: &NodeEnvironment) -> String {
    match node.assets.iter().find(|asset| asset.member == *id) {
        Some(asset) => asset.member_directory.clone(),
        None if id.is_core() => id.to_string(),
        None => format!("extensions/{id}"),
    }
}

/// The members whose trees a front end reads besides its own: all, when it styles what they show; else those
/// whose packages it depends on. Each one makes it anew when it changes.
fn others_of(
    asset: &Asset,
    synthesis: &Synthesis,
    node: &NodeEnvironment,
    sources: &Sources,
) -> BTreeSet<MemberId> {
    let mut others = BTreeSet::new();
    if sources.get(&asset.member).is_some_and(|tree| styles_all(tree, &asset.source)) {
        let ids = || synthesis.members.iter().map(|member| &member.id);
        // A project of a member's own workspace lies in that member's tree.
        let inner = |id: &MemberId| {
            ids().any(|other| {
                id.as_str().strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        others.extend(ids().filter(|id| !inner(id)).cloned());
    }
    let mut seen = BTreeSet::new();
    let mut open = vec![(asset.member.clone(), asset.directory.clone())];
    while let Some((member, directory)) = open.pop() {
        for name in needs(&member, &directory, node, sources) {
            let link = node.links.iter().find(|link| link.place.strip_prefix("node_modules/") == Some(&name));
            if let Some(link) = link
                && seen.insert(&link.place)
            {
                others.insert(link.member.clone());
                open.push((link.member.clone(), link.target.clone()));
            }
        }
    }
    others.remove(&asset.member);
    others.retain(|id| sources.contains_key(id));
    others
}

fn styles_all(tree: &FileTree, source: &str) -> bool {
    let below = |path: &RelativePath| {
        source == "." || path.as_str().strip_prefix(source).is_some_and(|rest| rest.starts_with('/'))
    };
    let styled =
        |path: &RelativePath| path.as_str().rsplit_once('.').is_some_and(|(_, end)| STYLED.contains(&end));
    tree.iter().filter(|(path, _)| below(path) && styled(path)).any(|(_, entry)| match entry {
        Entry::File { bytes, .. } => {
            bytes.windows(FEDERATION.len()).any(|window| window == FEDERATION.as_bytes())
        }
        Entry::Link { .. } => false,
    })
}

/// The names that the `package.json` in a directory of the workspace depends on; none when it cannot be read,
/// which the lock's reader has refused before.
fn needs(member: &MemberId, directory: &str, node: &NodeEnvironment, sources: &Sources) -> BTreeSet<String> {
    let root = root(member, node);
    let below = match directory.strip_prefix(root.as_str()).map(|rest| rest.trim_start_matches('/')) {
        Some("") => "package.json".to_owned(),
        Some(inner) => format!("{inner}/package.json"),
        None => return BTreeSet::new(),
    };
    let manifest = below.parse::<RelativePath>().ok().and_then(|path| sources.get(member)?.file(&path));
    let manifest: Option<serde_json::Value> = manifest.and_then(|bytes| serde_json::from_slice(bytes).ok());
    let tables = NEEDS.iter().filter_map(|table| manifest.as_ref()?.get(table)?.as_object());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

fn unknown(asset: &Asset, id: &MemberId) -> Failure {
    Diagnostic::new(format!("the front end of `{}` needs `{id}`, which is no member", asset.member)).into()
}

/// Everything in the npm side that must not reach Nix.
pub(super) fn problems(synthesis: &Synthesis) -> Vec<Diagnostic> {
    let Some(node) = environment(synthesis) else { return Vec::new() };
    let mut found = Vec::new();
    let tools = node.runtimes.iter().chain([&node.npm]);
    let packages = node.packages.iter().map(|package| (package.name.as_str(), &package.url));
    for (name, url) in packages.chain(tools.map(|tool| (tool.name, &tool.url))) {
        if !url.starts_with("https://") {
            let url = url.escape_debug();
            found.push(Diagnostic::new(format!(
                "npm package `{name}` has the URL `{url}`, which is not https"
            )));
        }
    }
    let mut seen = BTreeSet::new();
    for asset in &node.assets {
        let about = |message: String| Diagnostic::new(message).requested_by(asset.member.as_str());
        let member = synthesis.members.iter().find(|member| member.id == asset.member);
        if !seen.insert(&asset.member) {
            found.push(about(format!("`{}` has two front ends", asset.member)));
        }
        if member.is_none_or(|member| member.build_environment.is_none()) {
            let message = format!("`{}` has a front end, but no package to carry it", asset.member);
            found.push(about(message).help("give its pyproject.toml a [build-system]"));
        }
        if !node.runtimes.iter().any(|runtime| runtime.version == asset.node) {
            let version = asset.node.escape_debug();
            found.push(about(format!("`{}` wants Node {version}, which is not pinned", asset.member)));
        }
    }
    found
}

/// Members whose trees front ends read, although they may be no packages.
pub(super) fn read_by_assets(synthesis: &Synthesis, sources: &Sources) -> BTreeSet<MemberId> {
    let node = environment(synthesis);
    let assets = node.into_iter().flat_map(|node| node.assets.iter().map(move |asset| (node, asset)));
    assets.flat_map(|(node, asset)| others_of(asset, synthesis, node, sources)).collect()
}

/// Puts the npm side into its canonical order.
pub(super) fn sort(node: &mut NodeEnvironment) {
    node.packages.sort_by(|a, b| (&a.name, &a.version, &a.url).cmp(&(&b.name, &b.version, &b.url)));
    node.bundled.sort_by(|a, b| a.place.cmp(&b.place));
    node.links.sort_by(|a, b| a.place.cmp(&b.place));
    node.assets.sort_by(|a, b| a.member.cmp(&b.member));
    node.runtimes.sort_by(|a, b| a.version.cmp(&b.version));
}
