//! A member's `pyproject.toml` as typed values that know where they were written.

use std::{collections::BTreeMap, str::FromStr};

use super::{build_system, project, tool_lychd};
pub use super::{
    build_system::BuildSystem,
    image_contract::{Health, ImageContract, User},
    project::Project,
    requirement::Dependency,
    tool_lychd::{Lychd, SystemDependency},
};
use crate::{
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    digest::Sha256,
    document::{
        self, Node, Table,
        reader::{Reader, sort_by_place},
    },
    name::{GroupName, MemberId},
};

/// A parsed `pyproject.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The text, named `core/pyproject.toml` or `extensions/<id>/pyproject.toml`.
    pub source: Source,
    /// Hash of the text.
    pub sha256: Sha256,
    /// `[project]`.
    pub project: Project,
    /// `[build-system]` with PEP 517's defaults; `None` for a member that is not a package.
    pub build_system: Option<BuildSystem>,
    /// `[dependency-groups]`, as written (PEP 735: strings and `{ include-group = "…" }`).
    pub dependency_groups: BTreeMap<GroupName, Node>,
    /// `[tool.uv]`, as written; empty when missing.
    pub uv: Table,
    /// `[tool.lychd]`.
    pub lychd: Lychd,
}

impl Manifest {
    /// Parses a manifest from the bytes of the file.
    ///
    /// # Errors
    /// Refused with everything that is wrong in it.
    pub fn parse(member: &MemberId, name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let source = document::source(name, bytes)?;
        let table = document::parse(&source)?;
        let mut errors = Vec::new();
        let manifest = read(member, &source, &table, &mut errors);
        sort_by_place(&mut errors);
        for error in &mut errors {
            error.requested_by.push(member.to_string());
        }
        refuse_any(errors)?;
        manifest.ok_or_else(|| Diagnostic::new(format!("`{name}` has no [project] name")).into())
    }
}

fn read(member: &MemberId, source: &Source, table: &Table, errors: &mut Vec<Diagnostic>) -> Option<Manifest> {
    let sections = sections(table, errors);
    let project = project::read(source, table, errors);
    let name = project.as_ref().map(|project| &project.name.value);
    let lychd = tool_lychd::read(member, name, sections.lychd, errors);
    let uv = sections.uv.cloned().unwrap_or_default();
    let build_system = build_system::read(table, &uv, errors);
    if let (Some(assets), None) = (&lychd.assets, &build_system) {
        errors.push(
            Diagnostic::new("a front end needs a package that carries it, and this member is none")
                .at(assets.place.clone(), "")
                .help("add [build-system], and the directory of `output` to the package"),
        );
    }
    let dependency_groups = groups(table, errors);
    Some(Manifest {
        sha256: Sha256::of(source.text()),
        source: source.clone(),
        project: project?,
        build_system,
        dependency_groups,
        uv,
        lychd,
    })
}

/// The tables below `[tool]` that are ours to look into.
struct Sections<'a> {
    uv: Option<&'a Table>,
    lychd: Option<&'a Table>,
}

fn sections<'a>(table: &'a Table, errors: &mut Vec<Diagnostic>) -> Sections<'a> {
    let Some(tool) = Reader::open(table, "the manifest", errors).table("tool") else {
        return Sections { uv: None, lychd: None };
    };
    let mut tool = Reader::open(tool, "[tool]", errors);
    Sections { uv: tool.table("uv"), lychd: tool.table("lychd") }
}

fn groups(table: &Table, errors: &mut Vec<Diagnostic>) -> BTreeMap<GroupName, Node> {
    let groups = Reader::open(table, "the manifest", errors).table("dependency-groups");
    let mut read = BTreeMap::new();
    for (key, field) in groups.iter().flat_map(|groups| groups.iter()) {
        match GroupName::from_str(key) {
            Ok(name) => {
                read.insert(name, field.node.clone());
            }
            Err(error) => errors.push(Diagnostic::new(error.to_string()).at(field.key.clone(), "")),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(member: &str, text: &str) -> Result<Manifest, String> {
        let id: MemberId = member.parse().unwrap();
        Manifest::parse(&id, "m/pyproject.toml", text.as_bytes()).map_err(|failure| failure.to_string())
    }

    const WHOLE: &str = r#"
[build-system]
requires = ["setuptools>=77", "./not ; a requirement"]
[project]
name = "Some.Thing"
dynamic = ["version"]
requires-python = ">=3.11"
dependencies = ["httpx[http2]>=0.27 ; python_version < '4'"]
optional-dependencies = { fast_path = ["orjson"] }
scripts = { thing = "some.thing:main" }
[dependency-groups]
dev = ["pytest", { include-group = "lint" }]
[tool.uv]
constraint-dependencies = ["idna<4"]
[tool.lychd]
system-dependencies = ["ffmpeg", { name = "libpq", debian = "libpq5", nixpkgs = "python313Packages.libpq" }]
[tool.lychd.assets]
source = "web"
script = "build"
output = "src/public"
[[tool.lychd.rune]]
name = "vision"
image = "docker.io/vllm/vllm-openai:v1"
"#;

    #[test]
    fn every_part_is_read_with_its_place() {
        let manifest = parse("vision/ocr", &WHOLE.replace(", \"./not ; a requirement\"", "")).unwrap();
        assert_eq!(manifest.project.name.value.as_str(), "some-thing");
        assert_eq!(manifest.project.version, None);
        let httpx = &manifest.project.dependencies[0];
        assert_eq!(
            (httpx.requirement.name.as_str(), httpx.place.to_string().as_str()),
            ("httpx", "m/pyproject.toml:8:17")
        );
        assert_eq!(httpx.text, "httpx[http2]>=0.27 ; python_version < '4'");
        assert_eq!(manifest.project.optional_dependencies.keys().next().unwrap().as_str(), "fast-path");
        let build = manifest.build_system.unwrap();
        assert_eq!(build.backend, "setuptools.build_meta:__legacy__");
        assert_eq!(build.requires[0].text, "setuptools>=77");
        let constraints = manifest.uv.get("constraint-dependencies").unwrap();
        assert_eq!(constraints.as_array().unwrap()[0].place.to_string(), "m/pyproject.toml:14:28");
        let libpq = &manifest.lychd.system_dependencies[1];
        assert_eq!((libpq.name.as_str(), libpq.debian.as_str()), ("libpq", "libpq5"));
        assert_eq!(manifest.lychd.system_dependencies[0].debian.as_str(), "ffmpeg");
        assert_eq!(manifest.lychd.image, None);
        let rune = &manifest.lychd.runes[0];
        assert_eq!(
            (rune.name.value.as_str(), rune.name.place.to_string()),
            ("vision", "m/pyproject.toml:22:8".into())
        );
    }

    #[test]
    fn a_member_is_a_package_when_uv_says_so() {
        let project = "[project]\nname = 'a'\nversion = '1'\n";
        assert_eq!(parse("a", project).unwrap().build_system, None);
        let forced =
            parse("a", &format!("{project}[tool.uv]\npackage = true\n")).unwrap().build_system.unwrap();
        assert_eq!(forced.requires[0].text, "setuptools>=40.8.0");
        let never = format!("{project}[build-system]\nrequires = []\n[tool.uv]\npackage = false\n");
        assert_eq!(parse("a", &never).unwrap().build_system, None);
    }

    #[test]
    fn the_cores_image_contract_has_lychds_defaults() {
        let plain = parse("core", "[project]\nname = 'lychd'\nversion = '1'\n").unwrap().lychd.image.unwrap();
        assert_eq!(
            plain.command.join(" "),
            "granian --interface asgi --factory --workers 1 --host 0.0.0.0 --port 8000 lychd.app:create_app"
        );
        assert_eq!((plain.user.name.as_str(), plain.user.uid, plain.port()), ("lich", 1001, 8000));
        assert_eq!(plain.env["HOME"], "/home/lich");
        assert_eq!(plain.env["LITESTAR_APP"], "lychd.app:create_app");
        let own = parse(
            "core",
            "[project]\nname = 'x'\nversion = '1'\n[tool.lychd.image]\ncommand = ['serve', '${x}']\n\
             user = { name = 'ghost' }\nenv = { A = '$1' }\nhealth = { http = '/up', port = 80 }\n",
        );
        let own = own.unwrap().lychd.image.unwrap();
        assert_eq!(own.command, ["serve", "${x}"]);
        assert_eq!(
            (own.env["HOME"].as_str(), own.env["A"].as_str(), own.env.get("LITESTAR_APP")),
            ("/home/ghost", "$1", None)
        );
        assert_eq!(own.directories[0], "/home/ghost");
        assert_eq!((own.user.uid, own.port()), (1001, 80));
        assert_eq!(own.health.unwrap().place.to_string(), "m/pyproject.toml:8:33");
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let error = parse("vision/ocr", &WHOLE.replace("\"ffmpeg\"", "\"-r/etc/passwd\"")).unwrap_err();
        for want in [
            "`./not ; a requirement` in `requires` of [build-system] is not a requirement",
            "  at m/pyproject.toml:3:31\n  requested by vision/ocr",
            "`-r/etc/passwd` is not a Debian package name",
        ] {
            assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
        }
    }

    #[test]
    fn hostile_and_mistaken_manifests_are_refused() {
        let with = |rest: &str| format!("[project]\nname = 'a'\nversion = '1'\n{rest}");
        let cases: &[(&str, String, &str)] = &[
            ("a", "[tool.uv]\n".into(), "has no [project] table"),
            ("a", "[project]\nversion = '1'\n".into(), "[project] has no `name`"),
            ("a", "[project]\nname = 'a'\n".into(), "[project] has no `version`"),
            ("a", "[project]\nname = '../../etc'\nversion = '1'\n".into(), "`name` in [project]"),
            ("a", "[project]\nname = 'a'\nversion = '1; x'\n".into(), "`version` in [project]"),
            ("a", with("requires-python = '3.13'\n"), "Did you mean `==3.13`?\n  at m/pyproject.toml:4:19"),
            ("a", with("dynamic = ['dependencies']\n"), "`dependencies` in [project] is dynamic"),
            ("a", with("dependencies = ['a @ https://${HOME}/a.whl']\n"), "`$` is not allowed"),
            ("a", with("dependancies = ['a']\n"), "did you mean `dependencies`?"),
            ("a", with("dependencies = 'a'\n"), "must be an array of strings, not a string"),
            ("a", with("scripts = { '../x' = 'a:b' }\n"), "is not a command name"),
            ("a", with("scripts = { x = \"os:system('id')\" }\n"), "must be `module:function`"),
            ("a", with("[build-system]\nrequires = []\nbuild-backend = 'a;b'\n"), "not an import path"),
            (
                "a",
                with("[build-system]\nrequires = []\nbackend-path = ['../x']\n"),
                "not a directory of the source tree",
            ),
            ("a", with("[build-system]\nrequire = []\n"), "did you mean `requires`?"),
            ("a", with("[tool.lychd]\nsystem_dependencies = []\n"), "did you mean `system-dependencies`?"),
            ("a", with("[tool.lychd]\nsystem-dependencies = [{ debian = 'x1' }]\n"), "has no `name`"),
            (
                "a",
                with("[tool.lychd]\nsystem-dependencies = [{ name = 'xy', nixpkgs = 'a${b}' }]\n"),
                "not an attribute path",
            ),
            ("a", with("[tool.lychd.image]\n"), "an extension cannot have [tool.lychd.image]"),
            ("a", with("[tool.lychd.assets]\nsources = 'x'\n"), "did you mean `source`?"),
            ("a", with("[[tool.lychd.rune]]\nports = 1\n"), "did you mean `port`?"),
            ("core", with("[tool.lychd.image]\ncommand = []\n"), "`command` in [tool.lychd.image] is empty"),
            ("core", with("[tool.lychd.image]\ncommand = [\"a\\nRUN x\"]\n"), "control characters"),
            ("core", with("[tool.lychd.image]\nuser = { name = 'root' }\n"), "not an account name"),
            ("core", with("[tool.lychd.image]\nuser = { uid = 0 }\n"), "between 1000 and 65533"),
            ("core", with("[tool.lychd.image]\nenv = { 'A=B' = 'x' }\n"), "cannot be a key"),
            ("core", with("[tool.lychd.image]\nenv = { A = \"x\\ny\" }\n"), "without control characters"),
            ("core", with("[tool.lychd.image]\nlabels = { 'a b' = 'x' }\n"), "cannot be a key"),
            ("core", with("[tool.lychd.image]\ndirectories = ['/a/../b']\n"), "not a plain absolute path"),
            ("core", with("[tool.lychd.image]\ndirectories = ['/app/data']\n"), "`/app` is the body's own"),
            ("core", with("[tool.lychd.image]\nhealth = { http = 'x\"y' }\n"), "not a plain path"),
            ("core", with("[tool.lychd.image]\nhealth = { port = 1 }\n"), "has no `http`"),
            (
                "core",
                with("[tool.lychd.image]\nhealth = { http = '/', port = 0 }\n"),
                "must be between 1 and 65535\n  at m/pyproject.toml:5:",
            ),
            (
                "a",
                with("[tool.lychd.assets]\nsource = 'w'\nscript = 'b'\noutput = 'o'\n"),
                "a front end needs a package that carries it, and this member is none\n  at m/pyproject.toml:4:",
            ),
        ];
        for (member, text, want) in cases {
            let error = parse(member, text).expect_err(text);
            assert!(error.contains(want), "{text}\n{want}\n--- not in ---\n{error}");
        }
    }
}
