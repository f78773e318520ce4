//! What of a core's image contract cannot start.

use std::collections::BTreeSet;

use super::{builds, command};
use crate::{
    crypt::{
        Member,
        image_contract::{CoreImage, Health},
    },
    diagnostic::Diagnostic,
    document::nearest::nearest,
    tree::FileTree,
};

/// Where console scripts and the interpreter lie in the image.
const ENVIRONMENT: &str = "/app/.venv/bin/";
/// How many names a message lists.
const NAMED: usize = 12;

/// The programs of the image's Python environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// Those that are known, the interpreter's names among them.
    pub(super) programs: BTreeSet<String>,
    /// Whether there may be others: something is built that decides it then.
    pub(super) is_open: bool,
}

impl Environment {
    /// Whether it certainly has no such program.
    fn lacks(&self, name: &str) -> bool {
        !self.is_open && !self.programs.contains(name)
    }
}

/// Everything that certainly cannot start: a program written in a way near to one that is there, or LychD's own command
/// in a core that is not made for it. `elsewhere` says whether the rest of the image may have a program; it is asked
/// only then, and takes its time.
pub(super) fn judge(
    core: &Member,
    image: &CoreImage,
    environment: &Environment,
    elsewhere: &dyn Fn(&str) -> bool,
) -> Vec<Diagnostic> {
    let health = match &image.contract.health {
        Some(Health::Command(words)) => words.first(),
        _ => None,
    };
    // A `PATH` of one's own may lead anywhere.
    let leads_anywhere = image.contract.env.contains_key("PATH");
    let elsewhere = |name: &str| leads_anywhere || elsewhere(name);
    let started =
        [("command", image.contract.command.first()), ("health", health), ("migrate", image.migrate.first())];
    let written = started.into_iter().filter_map(|(key, program)| {
        let place = image.programs.get(key)?;
        Some(slip(key, program?, environment, &elsewhere)?.at(place.clone(), ""))
    });
    let mut wrong: Vec<Diagnostic> =
        written.map(|one: Diagnostic| one.requested_by(core.id.to_string())).collect();
    if !image.programs.contains_key("command") {
        wrong.extend(lychds_own(core, image, environment, &elsewhere));
    }
    wrong
}

/// A program that is written and certainly not there.
fn slip(
    key: &str,
    program: &str,
    environment: &Environment,
    elsewhere: &dyn Fn(&str) -> bool,
) -> Option<Diagnostic> {
    let below = program.strip_prefix(ENVIRONMENT);
    let name = below.unwrap_or(program);
    if name.contains('/') || !environment.lacks(name) {
        return None;
    }
    let near = nearest(name, environment.programs.iter().map(String::as_str));
    if below.is_none() && (near.is_none() || elsewhere(name)) {
        return None;
    }
    let message = format!("the image has no program `{}`, which `{key}` starts", program.escape_debug());
    let help = match near {
        Some(near) => {
            let directory = if below.is_some() { ENVIRONMENT } else { "" };
            format!("did you mean `{directory}{}`?", near.escape_debug())
        }
        None => format!("the environment has {}", listed(&environment.programs)),
    };
    Some(Diagnostic::new(message).help(help))
}

fn listed(programs: &BTreeSet<String>) -> String {
    let mut named: Vec<String> =
        programs.iter().take(NAMED).map(|name| format!("`{}`", name.escape_debug())).collect();
    if programs.len() > NAMED {
        named.push(format!("and {} more", programs.len() - NAMED));
    }
    named.join(", ")
}

/// LychD's own command, in a core that names none, where nothing has its server.
fn lychds_own(
    core: &Member,
    image: &CoreImage,
    environment: &Environment,
    elsewhere: &dyn Fn(&str) -> bool,
) -> Option<Diagnostic> {
    let server = image.contract.command.first()?;
    if !environment.lacks(server) || elsewhere(server) {
        return None;
    }
    let message = format!(
        "the core names no `command`, and LychD's own starts `{server}`, which no package of the body has"
    );
    Some(with_remedies(Diagnostic::new(message), core, image, &environment.programs))
}

/// The same where the core has not the module that it serves; `programs` are those that may be at hand to serve another.
pub(super) fn module(core: &Member, image: &CoreImage, programs: &BTreeSet<String>) -> Option<Diagnostic> {
    if image.programs.contains_key("command") {
        return None;
    }
    let server = image.contract.command.first()?;
    let package = core.manifest.project.name.value.as_dist_info_name();
    let lacks = if core.manifest.build_system.is_some() {
        !builds::may_bring_more(&core.manifest, &core.source.tree, None)
            && lacks_app(&core.source.tree, &package)
    } else {
        // Its tree is what Python looks into.
        !has_app(&core.source.tree, &package)
    };
    let message = format!(
        "the core names no `command`, and LychD's own starts `{server}` with `{package}.app:create_app`, and `{package}` \
         has no module `app`"
    );
    lacks.then(|| with_remedies(Diagnostic::new(message), core, image, programs))
}

fn with_remedies(
    wrong: Diagnostic,
    core: &Member,
    image: &CoreImage,
    programs: &BTreeSet<String>,
) -> Diagnostic {
    let mut wrong = wrong.at(core.manifest.project.name.place.clone(), "").requested_by(core.id.to_string());
    wrong.help.extend(command::remedies(core, image, programs));
    wrong
}

/// Whether a tree has a package and certainly no module `app` in it.
fn lacks_app(tree: &FileTree, package: &str) -> bool {
    let directories = [format!("src/{package}/"), format!("{package}/")];
    let mut below = tree.iter().filter_map(|(path, _)| {
        directories.iter().find_map(|directory| path.as_str().strip_prefix(directory.as_str()))
    });
    let mut is_package = false;
    let has_app = below.any(|path| {
        is_package |= path == "__init__.py";
        // A link of that name leads to a directory, or is the module.
        path == "app" || path.starts_with("app.") || path.starts_with("app/")
    });
    is_package && !has_app
}

/// Whether a tree that lies on Python's path has the module `app` of a package.
fn has_app(tree: &FileTree, package: &str) -> bool {
    let mut below =
        tree.iter().filter_map(|(path, _)| path.as_str().strip_prefix(package)?.strip_prefix('/'));
    below.any(|path| path == "app" || path.starts_with("app.") || path.starts_with("app/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::programs::sample::{core, image};

    const PACKAGE: &str = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n";

    fn environment(programs: &[&str]) -> Environment {
        let interpreter = ["python", "python3", "python3.13"];
        let programs = programs.iter().chain(&interpreter).map(|&name| name.to_owned()).collect();
        Environment { programs, is_open: false }
    }

    /// What is told before anything is brought.
    fn module_of(manifest: &str, files: &[(&str, &str)], packages: &[&str]) -> String {
        let core = core(manifest, files);
        let packages = packages.iter().map(|&name| name.to_owned()).collect();
        module(&core, image(&core), &packages).map(|one| one.to_string()).unwrap_or_default()
    }

    /// With nothing elsewhere but `ls`.
    fn told_of(manifest: &str, files: &[(&str, &str)], environment: &Environment) -> Vec<String> {
        let core = core(manifest, files);
        let wrong = judge(&core, image(&core), environment, &|name| name == "ls");
        wrong.iter().map(ToString::to_string).collect()
    }

    fn told(contract: &str, programs: &[&str]) -> Vec<String> {
        told_of(&format!("[tool.lychd.image]\n{contract}\n"), &[], &environment(programs))
    }

    #[test]
    fn a_slip_is_told_at_its_word() {
        assert_eq!(
            told("command = ['uvicornn', 'main:app']", &["uvicorn"]),
            [
                "the image has no program `uvicornn`, which `command` starts\n  at core/pyproject.toml:5:12\n  \
              requested by core\n  help: did you mean `uvicorn`?"
            ]
        );
        let all = "command = ['python', 'x']\nmigrate = ['alembik', 'up']\nhealth = { command = ['prob'] }";
        let all = told(all, &["alembic", "probe"]);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].contains("`prob`, which `health` starts\n  at core/pyproject.toml:7:23\n"), "{all:?}");
        assert!(
            all[1].contains("`alembik`, which `migrate` starts\n  at core/pyproject.toml:6:12\n"),
            "{all:?}"
        );
    }

    #[test]
    fn what_may_be_there_is_left_to_the_finished_root() {
        let none = [""; 0];
        assert_eq!(told("command = ['uvicorn']", &["uvicorn"]), none);
        assert_eq!(told("command = ['python3.13', '-m', 'x']", &[]), none);
        assert_eq!(told("command = ['nginx']", &["uvicorn"]), none, "near to nothing");
        assert_eq!(told("command = ['ls']", &["la"]), none, "a package of Debian has it");
        assert_eq!(told("command = ['lz']", &["la"]).len(), 1);
        for path in ["/usr/bin/uvicornn", "bin/uvicornn", "/app/.venv/bin/x/uvicornn"] {
            assert_eq!(told(&format!("command = ['{path}']"), &["uvicorn"]), none);
        }
        let path = "command = ['uvicornn']\nenv = { PATH = '/opt/bin' }";
        assert_eq!(told(path, &["uvicorn"]), none);
        let open = Environment { is_open: true, ..environment(&["uvicorn"]) };
        assert_eq!(told_of("[tool.lychd.image]\ncommand = ['uvicornn']\n", &[], &open), none);
    }

    #[test]
    fn a_path_into_the_environment_is_known_there_alone() {
        let of = |name: &str| told(&format!("command = ['/app/.venv/bin/{name}']"), &["la", "uvicorn"]);
        assert_eq!(of("uvicorn"), [""; 0]);
        assert!(of("ls")[0].ends_with("help: did you mean `/app/.venv/bin/la`?"), "{:?}", of("ls"));
        let strange = of("something");
        assert!(
            strange[0]
                .ends_with("help: the environment has `la`, `python`, `python3`, `python3.13`, `uvicorn`")
        );
    }

    #[test]
    fn many_programs_are_named_by_their_first() {
        let odd = ["\u{1b}[2J".to_owned()].into();
        assert_eq!(listed(&odd), "`\\u{1b}[2J`");
        let many = (10..40).map(|number| format!("x{number}")).collect();
        assert!(listed(&many).ends_with("`x20`, `x21`, and 18 more"), "{}", listed(&many));
    }

    #[test]
    fn lychds_own_command_wants_its_server() {
        let files = [("main.py", "app = 1\n")];
        assert_eq!(
            told_of("", &files, &environment(&["uvicorn"])),
            [
                "the core names no `command`, and LychD's own starts `granian`, which no package of the body has\n  \
                 at core/pyproject.toml:2:8\n  requested by core\n  help: `command = [\"uvicorn\", \"main:app\", \
                 \"--host\", \"0.0.0.0\", \"--port\", \"8000\"]` under [tool.lychd.image] in core/pyproject.toml"
            ]
        );
        assert_eq!(told_of("", &files, &environment(&["granian"])), [""; 0]);
        let open = Environment { is_open: true, ..environment(&[]) };
        assert_eq!(told_of("", &files, &open), [""; 0]);
    }

    #[test]
    fn lychds_own_command_wants_its_module() {
        let app = |files: &[&str]| {
            let files: Vec<(&str, &str)> = files.iter().map(|&path| (path, "app = 1\n")).collect();
            module_of(PACKAGE, &files, &["granian"])
        };
        let missing = app(&["src/organism/__init__.py", "src/organism/inner/app.py", "app.py"]);
        assert!(
            missing.starts_with(
                "the core names no `command`, and LychD's own starts `granian` with `organism.app:create_app`, and \
                 `organism` has no module `app`\n  at core/pyproject.toml:2:8\n  requested by core\n"
            ),
            "{missing:?}"
        );
        assert!(missing.contains("help: `command = [\"granian\", "), "{missing:?}");
        for there in [
            "src/organism/app.py",
            "src/organism/app/__init__.py",
            "src/organism/app.pyx",
            "src/organism/app",
        ] {
            assert_eq!(app(&["src/organism/__init__.py", there]), "", "{there}");
        }
        assert_eq!(app(&["organism/__init__.py", "hatch_build.py"]), "", "a build that may make one");
        assert_eq!(app(&["lib/organism/__init__.py"]), "", "a layout that nobody knows");
        // A tree that lies in the image as it is has what it has.
        let plain = |path| module_of("", &[(path, "app = 1\n")], &["uvicorn"]);
        assert!(
            plain("main.py").contains("help: `command = [\"uvicorn\", \"main:app\""),
            "{}",
            plain("main.py")
        );
        assert_eq!(plain("organism/app.py"), "");
        let own = "[tool.lychd.image]\ncommand = ['python']\n";
        assert_eq!(module_of(own, &[("main.py", "")], &[]), "");
    }
}
