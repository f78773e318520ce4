//! A `command` to paste for a core that names none, guessed of what its environment and its tree have.

use std::collections::BTreeSet;

use crate::{
    crypt::{Member, image_contract::CoreImage},
    tree::{FileTree, RelativePath},
};

/// Servers of Python applications by their console scripts, the first that is there is taken.
const SERVERS: [&str; 5] = ["granian", "uvicorn", "hypercorn", "daphne", "gunicorn"];
/// Which is added where there is none.
const USUAL: &str = "uvicorn";

/// What to do about LychD's own command, where the core cannot have it.
pub(super) fn remedies(core: &Member, image: &CoreImage, scripts: &BTreeSet<String>) -> Vec<String> {
    let server = SERVERS.into_iter().find(|server| scripts.contains(*server));
    let application = application(core);
    let module = application.as_deref().unwrap_or("<module>:app");
    let words = words(server.unwrap_or(USUAL), module, image.port.number);
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let mut line =
        format!("`command = [{}]` under [tool.lychd.image] in core/pyproject.toml", quoted.join(", "));
    if application.is_none() {
        line.push_str(", with the module that has your application");
    }
    let factory = factory(core).map(|application| {
        format!(
            "`granian` among `dependencies` in core/pyproject.toml, such as by `uv add granian`, serves \
             `{application}`, which the core has"
        )
    });
    if server.is_some() {
        return factory.into_iter().chain([line]).collect();
    }
    let servers = SERVERS.map(|server| format!("`{server}`")).join(", ");
    let add = format!(
        "no server is in the environment ({servers}): add one to `dependencies` in core/pyproject.toml, such as by \
         `uv add {USUAL}`"
    );
    factory.map_or_else(|| vec![add, format!("then {line}")], |factory| vec![factory])
}

/// How a server is told to serve an application on a port of every address.
fn words(server: &str, application: &str, port: u16) -> Vec<String> {
    let (port, everywhere) = (port.to_string(), format!("0.0.0.0:{port}"));
    let words: Vec<&str> = match server {
        "granian" => vec!["--interface", "asgi", "--host", "0.0.0.0", "--port", &port, application],
        "uvicorn" => vec![application, "--host", "0.0.0.0", "--port", &port],
        "daphne" => vec!["-b", "0.0.0.0", "-p", &port, application],
        _ => vec![application, "--bind", &everywhere],
    };
    [server].into_iter().chain(words).map(str::to_owned).collect()
}

/// The application of a core as servers call it: the first module that says `app = …`. In a package that is one of its
/// own, for what lies beside it is not installed.
fn application(core: &Member) -> Option<String> {
    let package = core.manifest.project.name.value.as_dist_info_name().into_owned();
    let inside = ["__init__", "main", "app", "asgi"].into_iter().flat_map(|module| {
        let name = if module == "__init__" { package.clone() } else { format!("{package}.{module}") };
        let path = format!("{package}/{module}.py");
        [(format!("src/{path}"), name.clone()), (path, name)]
    });
    let beside = ["main", "app", "asgi"].map(|module| (format!("{module}.py"), module.to_owned()));
    let mut modules: Vec<(String, String)> = inside.collect();
    if core.manifest.build_system.is_some() {
        modules.extend(beside);
    } else {
        modules.splice(0..0, beside);
    }
    let has =
        |(path, _): &(String, String)| text(&core.source.tree, path).is_some_and(|text| assigns_app(&text));
    modules.into_iter().find(has).map(|(_, module)| format!("{module}:app"))
}

/// What LychD's own command serves, where a core has that.
fn factory(core: &Member) -> Option<String> {
    let package = core.manifest.project.name.value.as_dist_info_name();
    let mut files = ["src/", ""]
        .into_iter()
        .flat_map(|above| ["app.py", "app/__init__.py"].map(|file| format!("{above}{package}/{file}")));
    let has = |path: String| {
        let text = text(&core.source.tree, &path)?;
        text.lines().any(|line| line.starts_with("def create_app(")).then_some(())
    };
    files.find_map(has).map(|()| format!("{package}.app:create_app"))
}

fn text(tree: &FileTree, path: &str) -> Option<String> {
    let path: RelativePath = path.parse().ok()?;
    Some(String::from_utf8_lossy(tree.file(&path)?).into_owned())
}

/// Whether a line at the top of a module gives `app` a value.
fn assigns_app(text: &str) -> bool {
    text.lines().filter_map(|line| line.strip_prefix("app")).any(|rest| {
        let rest = rest.trim_start();
        rest.starts_with(':') || rest.strip_prefix('=').is_some_and(|value| !value.starts_with('='))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::programs::sample::{core, image};

    fn told(manifest: &str, files: &[(&str, &str)], scripts: &[&str]) -> Vec<String> {
        let core = core(manifest, files);
        remedies(&core, image(&core), &scripts.iter().map(|&script| script.to_owned()).collect())
    }

    const PLAIN: &str = "";
    const PACKAGE: &str = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n";

    #[test]
    fn the_first_server_that_is_there_gets_the_module_that_has_an_application() {
        let app = "import x\n\napp = x.X()\n";
        let line = |words: &str| {
            vec![format!("`command = [{words}]` under [tool.lychd.image] in core/pyproject.toml")]
        };
        let main = [("main.py", app), ("src/organism/main.py", app)];
        assert_eq!(
            told(PLAIN, &main, &["x", "uvicorn", "gunicorn"]),
            line("\"uvicorn\", \"main:app\", \"--host\", \"0.0.0.0\", \"--port\", \"8000\"")
        );
        // Of a package that is installed its own modules are.
        let ports = format!("{PACKAGE}[tool.lychd.image]\nports = [81]\n");
        assert_eq!(
            told(&ports, &main, &["hypercorn"]),
            line("\"hypercorn\", \"organism.main:app\", \"--bind\", \"0.0.0.0:81\"")
        );
        let typed =
            [("organism/__init__.py", "app: X = X()\n"), ("app.py", "app == 1\n app = 1\napple = 1\n")];
        assert_eq!(
            told(PLAIN, &typed, &["daphne"]),
            line("\"daphne\", \"-b\", \"0.0.0.0\", \"-p\", \"8000\", \"organism:app\"")
        );
        assert_eq!(
            told(PLAIN, &typed, &["granian"]),
            line(
                "\"granian\", \"--interface\", \"asgi\", \"--host\", \"0.0.0.0\", \"--port\", \"8000\", \"organism:app\""
            )
        );
    }

    #[test]
    fn without_server_or_module_it_says_what_to_add() {
        let told = told(PLAIN, &[("main.py", "def app(): ...\n")], &["pip"]);
        assert!(told[0].ends_with("such as by `uv add uvicorn`"), "{told:?}");
        assert!(told[1].starts_with("then `command = [\"uvicorn\", \"<module>:app\", "), "{told:?}");
        assert!(told[1].ends_with(", with the module that has your application"), "{told:?}");
    }

    #[test]
    fn a_core_that_is_made_for_lychds_own_command_wants_its_server() {
        let files = [("src/organism/app.py", "\ndef create_app() -> X:\n    app = 1\n")];
        let want = "`granian` among `dependencies` in core/pyproject.toml, such as by `uv add granian`, serves \
                    `organism.app:create_app`, which the core has";
        assert_eq!(told(PACKAGE, &files, &["pip"]), [want]);
        let other = told(PACKAGE, &files, &["uvicorn"]);
        assert!(other[0] == want && other[1].starts_with("`command = [\"uvicorn\", "), "{other:?}");
    }
}
