//! Every row of the arbitration with its message, and all rows in one report.

use super::*;
use crate::{
    codex,
    crypt::{Manifest, Member, SourceTree},
    diagnostic::Source,
    digest::Sha256,
    name::MemberId,
    tree::FileTree,
};

const ONE: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// A member of hatchling's whose tree holds `files`.
fn member(id: &str, rest: &str, files: &[&str]) -> Member {
    let build = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n";
    member_of(build, id, rest, files)
}

/// One that is no package.
fn plain(id: &str, files: &[&str]) -> Member {
    member_of("", id, "", files)
}

fn member_of(build: &str, id: &str, rest: &str, files: &[&str]) -> Member {
    let id: MemberId = id.parse().unwrap();
    let name = format!("lych-{}", id.as_str().replace('/', "-"));
    let text = format!("{build}[project]\nname = '{name}'\nversion = '1.0'\n{rest}");
    let shown = if id.is_core() { "core".to_owned() } else { format!("extensions/{id}") };
    let manifest = Manifest::parse(&id, &format!("{shown}/pyproject.toml"), text.as_bytes()).unwrap();
    let mut tree = FileTree::new();
    tree.insert_text("pyproject.toml".parse().unwrap(), &text);
    for file in files {
        tree.insert_text(file.parse().unwrap(), "");
    }
    let source = SourceTree { tree, nar_sha256: Sha256::of("") };
    Member {
        id,
        directory: std::path::PathBuf::new(),
        manifest,
        source,
        packages: Vec::new(),
        checkout: crate::crypt::Checkout::default(),
    }
}

/// What says that names such as `lych-a` mean the members.
fn workspace(names: &[&str]) -> String {
    let sources = names.iter().map(|name| format!("{name} = {{ workspace = true }}\n"));
    format!("[tool.uv.sources]\n{}", sources.collect::<String>())
}

fn rune(name: &str, image: &str, rest: &str) -> String {
    format!("[[tool.lychd.rune]]\nname = '{name}'\nimage = '{image}'\n{rest}")
}

fn told(lychd: &str, members: Vec<Member>) -> Vec<String> {
    let codex = codex::parse(&[
        Source::new("lychd.toml", lychd),
        Source::new("runes/observability/phoenix/eye.toml", "ui_port = 16006\n"),
    ])
    .unwrap();
    let federation = Federation::for_test(members);
    arbitrate(&codex, &federation).iter().map(ToString::to_string).collect()
}

#[test]
fn members_that_keep_to_themselves_are_left_alone() {
    let scripts = "[project.scripts]\nloom = 'lych_loom:main'\n[tool.lychd.assets]\nsource = 'web'\n\
                   script = 'build'\noutput = 'src/lych_loom/public'\n";
    let loom = format!(
        "dependencies = ['lych-core', 'lych-loom[x]']\n{scripts}{}",
        rune("eye", "a/b:1", "port = 9000\nexpose-port = true\n")
    );
    let scribe = format!(
        "dependencies = ['lych-loom']\n{}{}",
        workspace(&["lych-loom"]),
        rune("hand", "a/b:2", "port = 9001\n")
    );
    let members = vec![
        member("core", "", &["src/lych_core/__init__.py"]),
        member("loom", &loom, &["src/lych_loom/__init__.py"]),
        member("scribe", &scribe, &["src/lych_scribe/__init__.py"]),
    ];
    assert_eq!(told("", members), Vec::<String>::new());
}

#[test]
fn ports_of_the_pod_and_of_the_host() {
    let port = |id: &str, port: u16, expose: bool| {
        let exposed = if expose { "expose-port = true\n" } else { "" };
        member(id, &rune(&format!("rune-{id}"), "a/b", &format!("port = {port}\n{exposed}")), &[])
    };
    let core = member("core", "[tool.lychd.image]\nhealth = { http = '/up', port = 8080 }\n", &[]);
    let members = vec![
        core,
        port("a", 9000, false),
        port("b", 9000, true),
        port("c", 8080, false),
        port("d", 5432, false),
        port("e", 4317, false),
        port("f", 7000, true),
        port("g", 7001, false),
        port("h", 5433, true),
    ];
    let lychd = "[server]\nport = 7000\n[server.database]\nport = 5433\n\
                 [extensions]\nbuiltins = ['observability/phoenix']\n";
    let told = told(lychd, members);
    let first: Vec<&str> = told.iter().map(|text| text.lines().next().unwrap()).collect();
    assert_eq!(
        first,
        [
            "port 4317 of the pod is wanted by LychD's Phoenix and rune `rune-e` of `e`",
            "port 5432 of the pod is wanted by LychD's database and rune `rune-d` of `d`",
            "port 8080 of the pod is wanted by the image's own port and rune `rune-c` of `c`",
            "port 9000 of the pod is wanted by rune `rune-a` of `a` and rune `rune-b` of `b`",
            "port 5433 of the host is wanted by LychD's database and rune `rune-h` of `h`",
            "port 7000 of the host is wanted by LychD's web server and rune `rune-f` of `f`",
        ]
    );
    assert_eq!(
        told[3].lines().skip(1).collect::<Vec<_>>().join("\n"),
        "  at extensions/a/pyproject.toml:10:8: rune `rune-a` of `a`\n  \
           at extensions/b/pyproject.toml:10:8: rune `rune-b` of `b`\n  \
           requested by a, b\n  help: all containers share one pod: give one of them another port"
    );
    assert!(told[2].contains("at core/pyproject.toml:8:33: the image's own port"), "{}", told[2]);
    assert!(told[5].contains("at lychd.toml:2:8: LychD's web server"), "{}", told[5]);
}

#[test]
fn names_of_runes_and_lychds_own() {
    let members = vec![
        member("core", &rune("vessel", "a/b", ""), &[]),
        member("a", &rune("eye", "a/b", ""), &[]),
        member("b", &rune("eye", "a/c", ""), &[]),
    ];
    assert_eq!(
        told("", members),
        [
            "more than one rune is called `eye`\n  at extensions/a/pyproject.toml:8:8: a rune of `a`\n  \
             at extensions/b/pyproject.toml:8:8: a rune of `b`\n  requested by a, b\n  \
             help: give each rune a name of its own",
            "a rune is called `vessel`, as a unit of LychD's own is\n  at core/pyproject.toml:8:8: a rune of `core`\n  \
             requested by core\n  help: give each rune a name of its own",
        ]
    );
}

#[test]
fn one_image_by_two_digests() {
    let image = |id: &str, image: String| member(id, &rune(&format!("rune-{id}"), &image, ""), &[]);
    let wrong = told(
        "",
        vec![
            image("core", format!("docker.io/vllm/vllm-openai:v1@sha256:{ONE}")),
            image("a", format!("vllm/vllm-openai:v1@sha256:{TWO}")),
            image("b", format!("vllm/vllm-openai:v2@sha256:{TWO}")),
            image("c", format!("ghcr.io/x/y@sha256:{ONE}")),
            image("d", format!("ghcr.io/x/y:v3@sha256:{TWO}")),
            image("e", format!("ghcr.io/x/z:v1@sha256:{ONE}")),
            image("f", "ghcr.io/x/z:v1".to_owned()),
        ],
    );
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert_eq!(
        wrong[0],
        "the container image `docker.io/vllm/vllm-openai:v1` is pinned to more than one digest\n  \
         at core/pyproject.toml:9:9: rune `rune-core` of `core`\n  \
         at extensions/a/pyproject.toml:9:9: rune `rune-a` of `a`\n  requested by core, a\n  \
         help: pin all to one digest, or tell them apart by their tags"
    );
    assert!(wrong[1].starts_with("the container image `ghcr.io/x/y` is pinned"), "{}", wrong[1]);
}

#[test]
fn the_port_of_a_registry_is_no_tag() {
    let image = |id: &str, image: String| member(id, &rune(&format!("rune-{id}"), &image, ""), &[]);
    let wrong = told(
        "",
        vec![
            image("core", format!("registry:5000/x/y@sha256:{ONE}")),
            image("a", format!("registry:5000/x/y@sha256:{TWO}")),
            // Other tags, another port, and a host where the last is a path: other images.
            image("b", format!("registry:5000/z:v1@sha256:{ONE}")),
            image("c", format!("registry:5000/z:v2@sha256:{TWO}")),
            image("d", format!("registry:5001/x/y@sha256:{TWO}")),
            image("e", format!("registry/x/y@sha256:{TWO}")),
        ],
    );
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].starts_with("the container image `registry:5000/x/y` is pinned"), "{}", wrong[0]);
}

#[test]
fn a_database_that_is_wanted_of_the_body_is_made_by_its_core() {
    let wanted = "[server.database]\nimage = 'forged'\n";
    let made = "[tool.lychd.images.database]\npreset = 'postgresql-17-pgvector'\n";
    assert_eq!(told(wanted, vec![member("core", made, &[])]), [""; 0]);
    assert_eq!(told("", vec![member("core", made, &[])]), [""; 0]);
    let told = told(wanted, vec![member("core", "", &[])]);
    let [one] = &told[..] else { panic!("{told:?}") };
    assert!(
        one.starts_with(
            "the Codex wants the database of the body, and the core makes none\n  at lychd.toml:2:9\n"
        ),
        "{one}"
    );
}

#[test]
fn dependencies_that_go_round() {
    let all = workspace(&["lych-a", "lych-b", "lych-c", "lych-core", "lych-d"]);
    let needs = |id: &str, needs: &str| member(id, &format!("dependencies = [{needs}]\n{all}"), &[]);
    let wrong = told(
        "",
        vec![
            needs("core", "'lych-a'"),
            needs("a", "'lych-b>=1'"),
            needs("b", "'idna', 'lych-core'"),
            // Not here, so not round.
            needs("c", "\"lych-d ; sys_platform == 'win32'\""),
            needs("d", "'lych-c'"),
        ],
    );
    assert_eq!(
        wrong,
        ["the members' dependencies go round: core -> a -> b -> core\n  \
          at core/pyproject.toml:7:17: `core` needs `a`\n  \
          at extensions/a/pyproject.toml:7:17: `a` needs `b`\n  \
          at extensions/b/pyproject.toml:7:25: `b` needs `core`\n  requested by core, a, b\n  \
          help: take one of these dependencies out, or put what both need into a member of its own"]
    );
}

#[test]
fn assets_in_one_place() {
    let assets = |id: &str, output: &str, files: &[&str]| {
        let table = format!("[tool.lychd.assets]\nsource = 'web'\nscript = 'build'\noutput = '{output}'\n");
        member(id, &table, files)
    };
    let wrong = told(
        "",
        vec![
            member("core", "", &["src/lych_core/__init__.py", "src/lych_core/static/x.css"]),
            assets("a", "src/shared/public", &[]),
            assets("b", "shared/public/b", &[]),
            assets("c", "src/lych_core/static", &[]),
            assets("d", "src/lych_core/static2", &[]),
        ],
    );
    assert_eq!(
        wrong,
        [
            "the assets of `a` and `b` are both written to `shared/public/b`\n  \
             at extensions/a/pyproject.toml:7:13: `output` is `src/shared/public`\n  \
             at extensions/b/pyproject.toml:7:13: `output` is `shared/public/b`\n  requested by a, b\n  \
             help: write each into a package of its own",
            "the assets of `c` are written to `lych_core/static`, where `core` has files\n  \
             at extensions/c/pyproject.toml:7:13: `output` is `src/lych_core/static`\n  \
             at core/pyproject.toml:5:8: `core` installs `src/lych_core/static/x.css`\n  requested by c, core\n  \
             help: write each into a package of its own",
        ]
    );
}

#[test]
fn commands_and_modules_of_two_distributions() {
    let script = "[project.scripts]\nweave = 'x:main'\n";
    let build = "[tool.hatch.build.targets.wheel]\npackages = ['src/shared']\n";
    let wrong = told(
        "",
        vec![
            member("core", script, &["src/lych_core/__init__.py"]),
            member("a", &format!("{script}{build}"), &["src/shared/__init__.py", "src/shared/x.py"]),
            member("b", build, &["src/shared/__init__.py", "src/shared/x.py"]),
            // A namespace of two distributions is none of two modules.
            member("c", "[tool.hatch.build.targets.wheel]\npackages = ['ns']\n", &["ns/one.py"]),
            member("d", "[tool.hatch.build.targets.wheel]\npackages = ['src/ns']\n", &["src/ns/two.py"]),
        ],
    );
    assert_eq!(
        wrong,
        [
            "the command `weave` comes from `core` and `a`\n  at core/pyproject.toml:8:9: that of `core`\n  \
             at extensions/a/pyproject.toml:8:9: that of `a`\n  requested by core, a\n  \
             help: rename it in [project.scripts] of all but one",
            "the module `shared` comes from `a` and `b`\n  \
             at extensions/a/pyproject.toml:5:8: `a` installs `src/shared/__init__.py`\n  \
             at extensions/b/pyproject.toml:5:8: `b` installs `src/shared/__init__.py`\n  requested by a, b\n  \
             help: rename the module in all but one",
        ]
    );
}

/// Both tables of a manifest become files in `bin/`, where the interpreter is.
#[test]
fn commands_of_both_tables_are_held_against_each_other_and_the_interpreter() {
    let gui = |name: &str| format!("[project.gui-scripts]\n'{name}' = 'x:main'\n");
    let script = |name: &str| format!("[project.scripts]\n'{name}' = 'x:main'\n");
    let wrong = told(
        "",
        vec![
            member("core", &script("weave"), &[]),
            member("a", &gui("weave"), &[]),
            member("b", &format!("{}{}", script("both"), gui("both")), &[]),
            member("c", &gui("python3.13"), &[]),
            member("d", &script("python-config"), &[]),
        ],
    );
    assert_eq!(
        wrong,
        [
            "the command `both` comes from `b` twice\n  at extensions/b/pyproject.toml:8:10: that of `b`\n  \
             at extensions/b/pyproject.toml:10:10: that of `b`\n  requested by b\n  \
             help: rename it in [project.scripts] of all but one",
            "the command `python3.13` of `c` is called as the interpreter\n  \
             at extensions/c/pyproject.toml:8:16: that of `c`\n  requested by c\n  \
             help: rename it in [project.scripts]",
            "the command `weave` comes from `core` and `a`\n  at core/pyproject.toml:8:11: that of `core`\n  \
             at extensions/a/pyproject.toml:8:11: that of `a`\n  requested by core, a\n  \
             help: rename it in [project.scripts] of all but one",
        ]
    );
}

#[test]
fn modules_of_members_that_are_no_packages() {
    let wrong = told(
        "",
        vec![
            plain("core", &["main.py", "lych_a/__init__.py", "tests/__init__.py", "register.py"]),
            member("a", "", &["src/lych_a/__init__.py", "src/lych_a/x.py"]),
            plain("b", &["main.py", "main/x.py", "tests/__init__.py", "register.py", "deep/other.py"]),
            plain("c", &["other.py"]),
        ],
    );
    assert_eq!(
        wrong,
        [
            "the module `lych_a` comes from `a` and `core`\n  \
             at extensions/a/pyproject.toml:5:8: `a` installs `src/lych_a/__init__.py`\n  \
             at core/pyproject.toml:2:8: `core` has `lych_a/__init__.py`\n  requested by a, core\n  \
             help: rename the module in all but one",
            "the module `main` comes from `core` and `b`\n  \
             at core/pyproject.toml:2:8: `core` has `main.py`\n  \
             at extensions/b/pyproject.toml:2:8: `b` has `main.py`\n  requested by core, b\n  \
             help: rename the module in all but one",
        ]
    );
}

#[test]
fn all_rows_are_in_one_report() {
    let all = |id: &str, digest: &str, output: &str, needs: &str| {
        let rest = format!(
            "dependencies = ['{needs}']\n{}[project.scripts]\nweave = 'x:main'\n\
             [tool.hatch.build.targets.wheel]\npackages = ['src/shared']\n\
             [tool.lychd.assets]\nsource = 'web'\nscript = 'build'\noutput = '{output}'\n{}",
            workspace(&[needs]),
            rune("eye", &format!("a/b@sha256:{digest}"), "port = 9000\n")
        );
        member(id, &rest, &["src/shared/__init__.py"])
    };
    let federation = Federation::for_test(vec![
        member("core", "", &["src/lych_core/__init__.py"]),
        all("a", ONE, "src/a/public", "lych-b"),
        all("b", TWO, "src/a/public", "lych-a"),
        member("c", &rune("hand", "x/y", "port = 9000\n"), &[]),
    ]);
    let report = arbitrate(&Codex::default(), &federation);
    let first: Vec<&str> = report.iter().map(|one| &*one.message).collect();
    assert_eq!(
        first,
        [
            "port 9000 of the pod is wanted by rune `eye` of `a` and rune `eye` of `b` and rune `hand` of `c`",
            "more than one rune is called `eye`",
            "the container image `docker.io/a/b` is pinned to more than one digest",
            "the members' dependencies go round: a -> b -> a",
            "the assets of `a` and `b` are both written to `a/public`",
            "the command `weave` comes from `a` and `b`",
            "the module `shared` comes from `a` and `b`",
        ]
    );
    for one in &report {
        assert!(one.places.len() >= 2 && one.requested_by.len() >= 2, "{one}");
    }
}

#[test]
fn a_requirement_never_means_a_stranger_instead_of_an_unselected_extension() {
    let members = vec![
        member("core", "dependencies = ['lych-scribe', 'idna']\n", &[]),
        member(
            "a",
            "dependencies = ['lych-scribe']\n[tool.uv.sources]\nlych_scribe = { index = 'ours' }\n",
            &[],
        ),
    ];
    let federation = Federation::for_test(members).without("lych-scribe", "scribe");
    let report = arbitrate(&Codex::default(), &federation);
    let told: Vec<String> = report.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    for want in [
        "`lych-scribe` is `extensions/scribe`, which `[extensions] crypt` does not select",
        "requested by core",
        "add \"scribe\"",
    ] {
        assert!(told[0].contains(want), "{}", told[0]);
    }
}
