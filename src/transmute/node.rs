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
    name::MemberId,
    npm::record::{Asset, NodeEnvironment, NodePackage},
    synthesis::value::{Member, Synthesis},
    tools::NodeTool,
};

/// The npm workspace, when something is to be built in it.
pub(super) fn environment(synthesis: &Synthesis) -> Option<&NodeEnvironment> {
    synthesis.node.as_ref().filter(|node| !node.assets.is_empty())
}

/// What goes before the members in the `let` of `body.nix`.
pub(super) fn bindings(synthesis: &Synthesis) -> Result<Vec<Binding>, Failure> {
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
        assets.push((entry.member.as_str(), asset(entry, synthesis)?));
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
        ("kind", Expr::text(NodeTool::KIND)),
        ("root", Expr::text(NodeTool::ROOT)),
        ("file", Expr::text(tool.filename.as_str())),
        ("url", Expr::text(tool.url.as_str())),
        ("hash", Expr::text(tool.integrity.to_sri_string())),
    ])
}

fn package(package: &NodePackage) -> Expr {
    Expr::fields([
        ("name", Expr::text(package.name.as_str())),
        ("version", Expr::text(&package.version)),
        ("file", Expr::text(package.filename.as_str())),
        ("url", Expr::text(package.source.to_string())),
        ("hash", Expr::text(package.integrity.to_sri_string())),
        ("places", Expr::texts(&package.places)),
        ("bin", commands(&package.bin)),
        ("scripts", Expr::Bool(package.scripts)),
    ])
}

fn asset(asset: &Asset, synthesis: &Synthesis) -> Result<Expr, Failure> {
    let member = |id: &MemberId| {
        synthesis.members.iter().find(|member| member.id == *id).ok_or_else(|| unknown(asset, id))
    };
    let own = member(&asset.member)?;
    let mut others = Vec::new();
    for id in &asset.reads {
        let mut fields = tree(member(id)?)?;
        fields.push(Binding::field("root", Expr::text(id.directory())));
        others.push(Expr::Set(fields));
    }
    let mut fields = vec![Binding::field("id", Expr::text(asset.member.as_str()))];
    fields.extend(tree(own)?);
    fields.extend([
        Binding::field("root", Expr::text(asset.member.directory())),
        Binding::field("directory", Expr::text(asset.directory())),
        Binding::field("script", Expr::text(asset.script.as_str())),
        Binding::field("output", Expr::text(asset.output.as_str())),
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

fn unknown(asset: &Asset, id: &MemberId) -> Failure {
    Diagnostic::new(format!("the front end of `{}` needs `{id}`, which is no member", asset.member)).into()
}

/// Everything in the npm side that must not reach Nix.
pub(super) fn problems(synthesis: &Synthesis) -> Vec<Diagnostic> {
    let Some(node) = environment(synthesis) else { return Vec::new() };
    let mut found = Vec::new();
    let tools = node.runtimes.iter().chain([&node.npm]);
    let packages = node.packages.iter().map(|package| (package.name.as_str(), package.source.to_string()));
    for (name, url) in packages.chain(tools.map(|tool| (tool.name, tool.url.to_string()))) {
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
pub(super) fn read_by_assets(synthesis: &Synthesis) -> BTreeSet<&MemberId> {
    environment(synthesis).into_iter().flat_map(|node| &node.assets).flat_map(|asset| &asset.reads).collect()
}

/// Puts the npm side into its canonical order.
pub(super) fn sort(node: &mut NodeEnvironment) {
    node.packages.sort_by_cached_key(|package| {
        (package.name.clone(), package.version.clone(), package.source.to_string())
    });
    node.bundled.sort_by(|a, b| a.place.cmp(&b.place));
    node.links.sort_by(|a, b| a.place.cmp(&b.place));
    node.assets.sort_by(|a, b| a.member.cmp(&b.member));
    node.runtimes.sort_by(|a, b| a.version.cmp(&b.version));
}
