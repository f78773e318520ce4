//! `register(context)` in the real sandbox: what a hook gives, and what is said when it cannot.

use std::{path::PathBuf, process::Command};

use lychd_forge::{
    diagnostic::Failure,
    hook::{self, Limits, Registration, Sandbox},
    host::file,
    tree::Entry,
};
use serde_json::Value;

use crate::workspace;

const MANIFEST: &str = "[project]\nname = 'ocr'\nversion = '1'\n";

fn stage() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hook-stage")
}

/// Runs the hook of a member called `vision/ocr` that has these files besides.
pub(crate) fn run_with(files: &[(&str, &str)], limits: Limits) -> Result<Registration, Failure> {
    let member = workspace::member("vision/ocr", MANIFEST, files);
    let stage = stage();
    let sandbox = Sandbox::prepare(&stage, &workspace::tools().python, limits)?;
    hook::run(&member, hook::of(&member).unwrap(), &sandbox)
}

pub(crate) fn run(hook: &str) -> Result<Registration, Failure> {
    run_with(&[("register.py", hook)], Limits::default())
}

/// Runs a hook that must be refused, and gives what is said.
pub(crate) fn refused_with(files: &[(&str, &str)], limits: Limits) -> String {
    let failure = run_with(files, limits).unwrap_err();
    assert_eq!(failure.exit_code(), 1, "{failure}");
    let text = failure.to_string();
    assert!(text.contains("requested by vision/ocr"), "{text}");
    assert!(text.contains("extensions/vision/ocr/register.py:"), "{text}");
    text
}

#[track_caller]
pub(crate) fn refused(hook: &str, wants: &[&str]) {
    let text = refused_with(&[("register.py", hook)], Limits::default());
    for want in wants {
        assert!(text.contains(want), "{want}\n--- not in ---\n{text}");
    }
}

/// Names of the system packages a hook registered.
pub(crate) fn names(registration: &Registration) -> Vec<&str> {
    registration.system_dependencies.iter().map(|one| one.name.as_str()).collect()
}

#[test]
fn what_a_hook_registers_is_what_a_manifest_would_say() {
    let hook = "\
from __future__ import annotations
from lychd_forge import RuneDefinition
from .needs.tools import NAMES

def register(context):
    for name in NAMES:
        context.add_system_dependency(name)
    context.add_system_dependency('libpq', debian='libpq5', nixpkgs='postgresql.lib')
    context.add_rune(RuneDefinition(name='vision', image='docker.io/vllm/vllm-openai:v1', port=8000,
                                    expose_port=True, capabilities={'ocr', 'vision'}, volumes=['/srv/m:/m:ro']))
    context.add_container({'name': 'ears', 'image': 'localhost/ears:1', 'expose-port': False})
    context.soulstones.add(object())
    context.runes.registry['x'].add_schema(1) if False else context.runes.add_schema(1)
    context.vessel = 3
";
    let files = [("register.py", hook), ("needs/tools.py", "NAMES = ('ffmpeg', 'tesseract-ocr')\n")];
    let registration = run_with(&files, Limits::default()).unwrap();
    assert_eq!(names(&registration), ["ffmpeg", "tesseract-ocr", "libpq"]);
    let libpq = &registration.system_dependencies[2];
    assert_eq!(
        (libpq.debian.as_str(), libpq.nixpkgs.as_ref().map(ToString::to_string)),
        ("libpq5", Some("postgresql.lib".to_owned()))
    );
    assert_eq!(libpq.place.to_string(), "extensions/vision/ocr/register.py:8:5");
    let [vision, ears] = registration.runes.as_slice() else { panic!("{:?}", registration.runes) };
    assert_eq!(
        (vision.name.value.as_str(), vision.expose_port, vision.capabilities.len()),
        ("vision", true, 2)
    );
    assert_eq!(vision.port.as_ref().map(|port| port.value), Some(8000));
    assert_eq!(vision.place.to_string(), "extensions/vision/ocr/register.py:9:5");
    assert_eq!((ears.name.value.as_str(), ears.expose_port), ("ears", false));
    assert_eq!(
        registration.notes,
        ["`extensions/vision/ocr/register.py` uses `runes.add_schema`, `soulstones.add`, `vessel`: \
          LychD's at run time, without effect on the body"]
    );
    let again = run_with(&files, Limits::default()).unwrap();
    assert_eq!(again, registration);
    assert_eq!(registration.record.engine.name, "bubblewrap");
    assert_eq!(registration.record.limits, Limits::default());
    let other = [("register.py", hook), ("needs/tools.py", "NAMES = ['ffmpeg']\n")];
    let other = run_with(&other, Limits::default()).unwrap().record;
    assert_eq!(other.sha256, registration.record.sha256);
    assert_ne!(other.registered_sha256, registration.record.registered_sha256);
}

/// The package would be missing in the image, and a note that few read would be all.
#[test]
fn a_slip_of_a_name_is_no_name_of_lychds() {
    refused(
        include_str!("../cases/inputs/hook-slip/crypt/core/register.py"),
        &["a hook's context has no `add_system_dependancy`\n  at extensions/vision/ocr/register.py:3:5\n  \
             requested by vision/ocr\n  help: did you mean `add_system_dependency`?"],
    );
}

#[test]
fn a_hook_that_needs_what_the_sandbox_lacks_names_the_static_alternative() {
    refused(
        "from lychd.extensions.context import ExtensionRegistrationContext\n\ndef register(context): ...\n",
        &[
            "the hook `extensions/vision/ocr/register.py` cannot be imported in the sandbox: there is no module `lychd`\n  \
             at extensions/vision/ocr/register.py:1:1\n  requested by vision/ocr",
            "note: the sandbox holds Python's standard library, the member's own files",
            "help: import `lychd` where it is used, behind `if not hasattr(context, \"add_system_dependency\")`",
            "help: set `hook = false` under [tool.lychd] in `extensions/vision/ocr/pyproject.toml`: then `register.py` \
             is LychD's alone, and what the body needs stands in `system-dependencies` and `[[tool.lychd.rune]]`",
            "help: or set `allow-hooks = false` under [policy] in forge.toml",
        ],
    );
    // The way the help names does work.
    let guarded = "\
def register(context):
    if hasattr(context, 'add_system_dependency'):
        context.add_system_dependency('ffmpeg')
    if not hasattr(context, 'add_system_dependency'):
        from lychd.extensions import anything
";
    assert_eq!(names(&run(guarded).unwrap()), ["ffmpeg"]);
    let inner = [("register.py", "from .inner import x\n"), ("inner.py", "\nimport numpy.linalg\n")];
    let text = refused_with(&inner, Limits::default());
    assert!(
        text.contains("there is no module `numpy`") && text.contains("ocr/inner.py:2 in <module>"),
        "{text}"
    );
}

#[test]
fn a_hook_that_fails_says_where() {
    refused(
        "def register(context)\n    pass\n",
        &["cannot be imported", "SyntaxError: expected ':'\n  at extensions/vision/ocr/register.py:1:1"],
    );
    refused("x = 1\n", &["has no `register(context)`"]);
    refused("register = 3\n", &["has no `register(context)`"]);
    refused("async def register(context): pass\n", &["must return None and must not be asynchronous"]);
    refused("def register(context):\n    return 1\n", &["must return None"]);
    refused("def register(): pass\n", &["failed: TypeError"]);
    refused(
        "def register(context):\n    import requests\n",
        &["failed: there is no module `requests`\n  at extensions/vision/ocr/register.py:2:5"],
    );
    refused(
        "def inner():\n    raise ValueError('no\\x1b[2J\\u202e such thing')\n\ndef register(context):\n    inner()\n",
        &[
            r"failed: ValueError: no\u{1b}[2J\u{202e} such thing",
            "extensions/vision/ocr/register.py:5 in register\n",
            "register.py:2 in inner",
        ],
    );
}

#[test]
fn what_it_registers_is_judged_like_a_manifest() {
    let body = "\
from lychd_forge import RuneDefinition
def register(context):
    context.add_system_dependency('-r/etc/passwd')
    context.add_system_dependency('libpq', nixpkgs='a${builtins.abort}')
    context.add_system_dependency(3)
    context.add_rune({'name': 'x', 'image': 'b', 'ports': 1})
    context.add_rune(RuneDefinition(name='../x', image='B', port=70000, volumes=['/:/host']))
    context.add_rune({'name': None, 'image': 'b'})
    context.add_rune({'name': 'x', 'image': 'b', 'port': 2**63})
    context.add_rune({'name': 'x', 'image': 'b', 'port': True, 'groups': 'x'})
";
    refused(
        body,
        &[
            "`-r/etc/passwd` is not a Debian package name",
            "  at extensions/vision/ocr/register.py:3:5",
            "`a${builtins.abort}` is not an attribute path (identifiers joined by `.`)\n  at extensions/vision/ocr/register.py:4:5",
            "must be a string, not an integer\n  at extensions/vision/ocr/register.py:5:5",
            "unknown key `ports` in `RuneDefinition`",
            "did you mean `port`?",
            "`../x` is not a name of the rune grammar",
            "`B` is not an image reference",
            "must be between 0 and 65535",
            "`/` is not a path of the host",
            "a hook cannot register `None` as a value\n  at extensions/vision/ocr/register.py:8:5",
            "a hook cannot register so large a number\n  at extensions/vision/ocr/register.py:9:5",
            "`port` in `RuneDefinition` must be an integer, not a boolean",
            "`groups` in `RuneDefinition` must be an array of strings, not a string",
        ],
    );
    for (wrong, want) in [
        ("add_rune(7)", "add_rune takes a RuneDefinition or a dict, not int"),
        ("add_rune({'name': b'x'})", "bytes cannot be part of a registration"),
        ("add_system_dependency()", "missing 1 required positional argument"),
        ("add_system_dependency('xy', 'z')", "takes 2 positional arguments"),
        ("add_system_dependency('\\ud800')", "an answer of its own, which is not valid"),
        ("add_rune({'name': float('nan')})", "an answer of its own, which is not valid"),
    ] {
        refused(&format!("def register(context):\n    context.{wrong}\n"), &[want]);
    }
}

#[test]
fn a_hook_can_be_left_to_lychd() {
    let with = |rest: &str| {
        let manifest = format!("{MANIFEST}{rest}");
        workspace::member("a", &manifest, &[("register.py", "import lychd\n")])
    };
    assert!(matches!(hook::of(&with("")), Some(Entry::File { .. })));
    assert!(hook::of(&with("[tool.lychd]\nhook = true\n")).is_some());
    assert_eq!(hook::of(&with("[tool.lychd]\nhook = false\n")), None);
}

/// The example in a directory of its own; its hook is `register`.
struct Example {
    home: tempfile::TempDir,
}

impl Example {
    fn new(register: Option<&str>) -> Self {
        let home = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
        for name in ["codex", "crypt"] {
            let mut tree = file::read_tree(&examples.join(name)).unwrap();
            if let (Some(register), "crypt") = (register, name) {
                tree.insert_text("extensions/scribe/register.py".parse().unwrap(), register);
            }
            file::write_tree(&home.path().join(name), &tree).unwrap();
        }
        Self { home }
    }

    fn forge(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lychd-forge"));
        command.env("XDG_CACHE_HOME", PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        for name in ["codex", "crypt", "state"] {
            command.arg(format!("--{name}")).arg(self.home.path().join(name));
        }
        command.args(arguments);
        command
    }

    fn synthesis(&self) -> Value {
        let path = self.home.path().join("state/synthesis/synthesis.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }
}

#[test]
fn the_examples_hook_is_part_of_its_synthesis() {
    let example = Example::new(None);
    let output = example.forge(&["synthesize", "--locked", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let synthesis = example.synthesis();
    let members = synthesis["members"].as_array().unwrap();
    let scribe = members.iter().find(|member| member["id"] == "scribe").unwrap();
    assert_eq!(scribe["system_dependencies"], serde_json::json!(["libmagic1", "tesseract-ocr", "ffmpeg"]));
    assert_eq!(scribe["hook"]["engine"]["name"], "bubblewrap");
    assert_eq!(scribe["hook"]["sha256"], synthesis["inputs"]["extensions/scribe/register.py"]);
    assert!(members.iter().filter(|member| member["id"] != "scribe").all(|member| member["hook"].is_null()));
    let packages = synthesis["system_packages"].as_array().unwrap();
    let ffmpeg = packages.iter().find(|package| package["name"] == "ffmpeg").unwrap();
    assert_eq!(ffmpeg["requested_by"], serde_json::json!(["scribe"]));
}

#[test]
fn policy_can_forbid_hooks_and_says_what_that_means() {
    let example = Example::new(None);
    let path = example.home.path().join("codex/forge.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("[policy]\n"));
    std::fs::write(&path, text + "\n[policy]\nallow-hooks = false\n").unwrap();
    let output = example.forge(&["synthesize", "--locked"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("does not fit the manifests any more"), "{said}");
    // Without bubblewrap, too: nothing is run.
    let output = example.forge(&["synthesize"]).env("PATH", "/nowhere").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("`extensions/scribe/register.py` was not run ([policy] allow-hooks = false)"),
        "{said}"
    );
    assert!(example.synthesis()["members"].as_array().unwrap().iter().all(|member| member["hook"].is_null()));
}

#[test]
fn without_a_sandbox_there_is_no_hook() {
    let example = Example::new(None);
    let output = example.forge(&["synthesize", "--locked"]).env("PATH", "/nowhere").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for want in
        ["there is no `bwrap` to run hooks in", "install bubblewrap", "`hook = false`", "allow-hooks = false"]
    {
        assert!(said.contains(want), "{want}\n--- not in ---\n{said}");
    }
    // One that cannot do what it should.
    let broken = example.home.path().join("bin");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(
        broken.join("bwrap"),
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n",
    )
    .unwrap();
    assert!(Command::new("chmod").arg("+x").arg(broken.join("bwrap")).status().unwrap().success());
    let output = example.forge(&["synthesize", "--locked"]).env("PATH", &broken).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the sandbox for hooks cannot be set up on this host"), "{said}");
    assert!(said.contains("No permissions to create new namespace"), "{said}");
}

#[test]
fn all_hooks_that_fail_are_told_at_once() {
    let example = Example::new(Some("import lychd\n"));
    std::fs::write(
        example.home.path().join("crypt/core/register.py"),
        "def register(context): raise ValueError\n",
    )
    .unwrap();
    let output = example.forge(&["synthesize", "--update", "federation"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("core/register.py` failed: ValueError"), "{said}");
    assert!(said.contains("extensions/scribe/register.py` cannot be imported"), "{said}");
}

#[test]
fn what_hooks_register_is_arbitrated_like_what_manifests_say() {
    let rune =
        "def register(context):\n    context.add_rune({'name': 'vision', 'image': 'localhost/vision:1'})\n";
    let example = Example::new(Some(&format!("{rune}    context.add_system_dependency('ffmpeg')\n")));
    std::fs::write(example.home.path().join("crypt/core/register.py"), rune).unwrap();
    let output = example.forge(&["synthesize", "--update", "federation"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for want in ["`vision`", "core/register.py:2:5", "extensions/scribe/register.py:2:5"] {
        assert!(said.contains(want), "{want}\n--- not in ---\n{said}");
    }
}
