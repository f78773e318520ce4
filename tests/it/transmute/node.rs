//! The npm side of an emitted flake.

use std::collections::{BTreeMap, BTreeSet};

use lychd_forge::{
    digest::{Integrity, nar::nar_sha256, store_path::StoreName},
    name::url::{ArtifactUrl, HostPolicy},
    npm::record::{Asset, NodeBundled, NodeEnvironment, NodeLink, NodePackage, TarballSource},
    tools::NodeTool,
};
use serde_json::{Value, json};

use super::{emit, sample, text};

fn url(path: &str) -> ArtifactUrl {
    HostPolicy::new([]).check(&format!("https://registry.npmjs.org/{path}")).unwrap()
}

fn tool(name: &'static str, version: &str) -> NodeTool {
    NodeTool {
        name,
        version: version.to_owned(),
        url: url(&format!("{name}/-/{name}-{version}.tgz")),
        filename: StoreName::mapped(&format!("{name}-{version}.tgz")),
        integrity: Integrity::Sha512([7; 64]),
        size: 1,
    }
}

fn package(name: &str, places: &[&str]) -> NodePackage {
    NodePackage {
        name: name.parse().unwrap(),
        version: "1.0.0".to_owned(),
        source: TarballSource::Registry(url(&format!("{name}/-/x-1.0.0.tgz"))),
        filename: StoreName::mapped("x-1.0.0.tgz"),
        integrity: Integrity::Sha512([1; 64]),
        requested_by: BTreeSet::from(["scribe".parse().unwrap()]),
        dependencies: BTreeSet::new(),
        completed: false,
        places: places.iter().map(|&place| place.to_owned()).collect(),
        bin: BTreeMap::from([("x".to_owned(), "bin/x.js".to_owned())]),
        scripts: false,
    }
}

/// The sample with a front end of `scribe`, which reads the trees of some members.
pub(crate) fn with_front_end(reads: &[&str]) -> (lychd_forge::synthesis::Synthesis, sample::Sources) {
    let (mut synthesis, mut sources) = sample::small();
    let bin = BTreeMap::new();
    let link = |name: &str, target: &str, member: &str| NodeLink {
        place: format!("node_modules/{name}"),
        target: target.to_owned(),
        member: member.parse().unwrap(),
        bin: bin.clone(),
    };
    synthesis.node = Some(NodeEnvironment {
        packages: vec![
            package("vite", &["node_modules/vite"]),
            package("@s/a", &["node_modules/b/node_modules/@s/a"]),
        ],
        bundled: vec![NodeBundled { place: "node_modules/b/node_modules/c".to_owned(), bin: bin.clone() }],
        links: vec![link("web", "extensions/scribe/web", "scribe"), link("@body/ui", "core/ui", "core")],
        assets: vec![Asset {
            member: "scribe".parse().unwrap(),
            source: Some("web".parse().unwrap()).into(),
            script: "build".parse().unwrap(),
            output: "src/static".parse().unwrap(),
            node: "24.21.0".to_owned(),
            reads: reads.iter().map(|id| id.parse().unwrap()).collect(),
        }],
        runtimes: vec![tool("node", "24.21.0"), tool("node", "22.23.3")],
        npm: tool("npm", "11.19.1"),
    });
    let files = [
        ("scribe", "web/package.json", r#"{"name": "web", "dependencies": {"@body/ui": "*"}}"#),
        ("core", "ui/package.json", r#"{"name": "@body/ui"}"#),
    ];
    for (id, path, content) in files {
        let id = id.parse().unwrap();
        let tree = sources.get_mut(&id).unwrap();
        tree.insert_text(path.parse().unwrap(), content);
        let member = synthesis.members.iter_mut().find(|member| member.id == id).unwrap();
        member.nar_sha256 = nar_sha256(tree).unwrap();
    }
    (synthesis, sources)
}

/// `body.nix`, with a library that gives back what it is given; `expression` is a function of the image.
fn body(reads: &[&str], expression: &str) -> Value {
    let tree = emit(&with_front_end(reads));
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("body.nix"), text(&tree, "body.nix")).unwrap();
    let forge = r#"{
      wheel = x: x; environment = x: x; node = x: x; nodeModules = x: x; image = x: x;
      asset = x: removeAttrs x [ "source" ] // { others = map (tree: removeAttrs tree [ "source" ]) x.others; };
      member = x: removeAttrs x [ "source" ];
    }"#;
    super::evaluate(
        &scratch.path().join("body.nix"),
        &format!("body: ({expression}) (body {{ pkgs = {{ }}; forge = {forge}; }})"),
    )
}

const ASSET: &str = "image: builtins.head (builtins.elemAt image.members 1).assets";

#[test]
fn a_front_end_is_part_of_its_member_alone() {
    let image = body(&[], "image: map (member: member ? assets) image.members");
    assert_eq!(image, json!([false, true, false]));
    let asset = body(&[], ASSET);
    assert_eq!(asset["output"], "src/static");
    assert_eq!(asset["toolchain"]["npm"]["version"], "11.19.1");
    let modules = &asset["modules"];
    assert_eq!(modules["toolchain"]["node"]["version"], "24.21.0");
    let names: Vec<&str> = modules["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["@s/a", "vite"]);
    assert_eq!(modules["packages"][0]["places"], json!(["node_modules/b/node_modules/@s/a"]));
    assert_eq!(modules["packages"][0]["hash"], Integrity::Sha512([1; 64]).to_sri_string());
    assert_eq!(modules["bundled"][0]["place"], "node_modules/b/node_modules/c");
    let links = modules["links"].as_array().unwrap();
    assert_eq!(links[0]["target"], "core/ui");
    // A Node that no front end asks for is not built.
    assert!(!text(&emit(&with_front_end(&[])), "body.nix").contains("22.23.3"));
}

#[test]
fn a_front_end_has_the_trees_that_it_reads_where_the_workspace_has_them() {
    let others = |reads: &[&str]| {
        let asset = body(reads, ASSET);
        let others = asset["others"].as_array().unwrap();
        others.iter().map(|other| other["root"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(others(&["core"]), ["core"]);
    assert_eq!(others(&["core", "vision/ocr_2"]), ["core", "extensions/vision/ocr_2"]);
}

#[test]
fn what_must_not_reach_nix_is_told() {
    let (mut synthesis, sources) = with_front_end(&[]);
    let node = synthesis.node.as_mut().unwrap();
    node.packages[0].source = TarballSource::Member("extensions/scribe/vite.tgz".parse().unwrap());
    node.assets[0].node = "20.0.0".to_owned();
    let failure = lychd_forge::transmute::transmute(&synthesis, &sources, &super::echo_library())
        .unwrap_err()
        .to_string();
    assert!(
        failure.contains("npm package `vite` has the URL `file:extensions/scribe/vite.tgz`"),
        "{failure}"
    );
    assert!(failure.contains("`scribe` wants Node 20.0.0, which is not pinned"), "{failure}");
    let (synthesis, sources) = with_front_end(&["nobody"]);
    let failure =
        lychd_forge::transmute::transmute(&synthesis, &sources, &super::echo_library()).unwrap_err();
    assert!(failure.to_string().contains("the front end of `scribe` needs `nobody`, which is no member"));
}
