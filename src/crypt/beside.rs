//! What lies beside a member's manifests, judged by the tables of [`inputs`](super::inputs).

use super::{
    Assets, Manifest, PackageJson,
    inputs::{
        Told, Written, backends, files,
        npm::{self, NPMRC, PNPM_WORKSPACE, REGISTRY, YARNRC},
        uv,
    },
    package_json,
};
use crate::{
    diagnostic::{Diagnostic, Failure, Source},
    document::{self, yaml},
    name::MemberId,
    tree::{Entry, FileTree, RelativePath, relative_path},
};

/// Keys of `.npmrc` that are on unless it says otherwise.
const ON: [&str; 5] = ["auto-install-peers", "bin-links", "hoist", "optional", "strict-ssl"];

/// The same of the YAML files of pnpm and yarn.
const YAML_ON: [&str; 5] =
    ["autoInstallPeers", "enableStrictSsl", "hoist", "linkWorkspacePackages", "strictSsl"];

/// Judges the inputs beside a member's manifest, and lets the settings of its `uv.toml` count.
///
/// # Errors
/// Refused when one of them cannot be read.
pub(super) fn of_member(
    member: &MemberId,
    shown: &str,
    tree: &FileTree,
    manifest: &mut Manifest,
) -> Result<Told, Failure> {
    let mut told = uv::TOOL_UV.judge_table(&manifest.uv, member);
    told.notes.extend(files::beside(&files::PYTHON, shown, tree, None));
    told.notes.extend(files::secrets(shown, tree));
    let whole = document::parse(&manifest.source)?;
    if let Some(poetry) = whole.table("tool").and_then(|tool| tool.table("poetry")) {
        told.extend(backends::POETRY.judge_table(poetry, member));
    }
    told.notes.extend(scripts_of_none(manifest));
    told.notes.extend(no_group(manifest));
    if let Some(bytes) = regular(tree, &relative_path!("uv.toml"), shown)? {
        let settings = document::parse(&document::source(&format!("{shown}/uv.toml"), bytes)?)?;
        let (merged, more) = uv::beside(&manifest.uv, &settings, member);
        manifest.uv = merged;
        told.extend(more);
    }
    told.refused.extend(uv::misshapen(&manifest.uv, member));
    if let Some(bytes) = regular(tree, &relative_path!("setup.cfg"), shown)? {
        // Line ends are the tools': this is no file that several must read the same.
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        let source = Source::new(format!("{shown}/setup.cfg"), text);
        told.extend(backends::SETUP_CFG.judge(backends::written(&source, manifest), member));
    }
    Ok(told)
}

/// Judges what lies beside the `package.json` files that a member's npm packages begin at, each of which is a root for
/// npm, and what the one that is built does besides. `packages` are those that could be read.
///
/// # Errors
/// Refused when one of the files cannot be read.
pub(super) fn of_packages(
    member: &MemberId,
    shown: &str,
    tree: &FileTree,
    packages: &[PackageJson],
    assets: Option<&Assets>,
) -> Result<Told, Failure> {
    let mut told = Told::default();
    let built = assets.map(|assets| assets.source.directory());
    let mut roots = vec![None];
    roots.extend(built.filter(Option::is_some));
    for root in roots {
        told.extend(of_directory(member, shown, tree, root)?);
    }
    told.notes.extend(packages.iter().filter(|_| assets.is_none()).find_map(not_built));
    for package in packages {
        told.notes.extend(package.notes.iter().cloned());
        if built.is_some() {
            told.extend(npm::LIFECYCLE.judge(scripts(package), member));
        }
    }
    Ok(told)
}

/// The bytes of a file that several programs read: no link, behind which each would find what it likes.
fn regular<'a>(tree: &'a FileTree, path: &RelativePath, shown: &str) -> Result<Option<&'a [u8]>, Failure> {
    match tree.get(path) {
        Some(Entry::Link { .. }) => {
            let link = Diagnostic::new(format!("`{shown}/{path}` is a symbolic link"));
            Err(link.help("put the file itself there").into())
        }
        _ => Ok(tree.file(path)),
    }
}

/// A note on console scripts of a member that is no package: nothing installs them, with uv as well.
fn scripts_of_none(manifest: &Manifest) -> Option<String> {
    let (name, target) = manifest.project.programs().next().filter(|_| manifest.build_system.is_none())?;
    Some(format!(
        "{}: `{name}` and what else is in [project.scripts] is not installed: the member is no package; [build-system] makes it one",
        target.place
    ))
}

/// A note on groups of a manifest that has all it needs in them, of which none belongs to the body.
fn no_group(manifest: &Manifest) -> Option<String> {
    let first = manifest.left_groups.iter().find(|name| name.as_ref() != "dev")?;
    let is_empty = manifest.project.dependencies.is_empty();
    is_empty.then(|| {
        format!(
            "{}: [project] has no dependencies, and no group such as `{first}` belongs to the body; `groups` in [tool.lychd] names those that do",
            manifest.project.name.place
        )
    })
}

/// A note on a front end that nobody asked to be built.
fn not_built(package: &PackageJson) -> Option<String> {
    let build = package.scripts.get("build")?;
    Some(format!("{}: the script `build` is not run: no [tool.lychd.assets] names it", build.place))
}

/// The scripts of a package. Git's hooks, which husky sets up, are a developer's.
fn scripts(package: &PackageJson) -> impl Iterator<Item = Written> {
    package.scripts.iter().map(|(key, script)| Written {
        key: key.clone(),
        place: script.place.clone(),
        is_off: matches!(script.value.trim(), "" | "husky" | "husky install"),
    })
}

/// Judges what lies beside the `package.json` of a directory, if it has one; `shown` is what messages call the member.
///
/// # Errors
/// Refused when one of the files cannot be read.
fn of_directory(
    member: &MemberId,
    shown: &str,
    tree: &FileTree,
    directory: Option<&RelativePath>,
) -> Result<Told, Failure> {
    let place = |name: &str| {
        let path = directory.map_or_else(|| name.to_owned(), |directory| format!("{directory}/{name}"));
        path.parse::<RelativePath>().ok()
    };
    let manifest = place(package_json::NAME).map(|path| regular(tree, &path, shown)).transpose()?;
    if manifest.flatten().is_none() {
        return Ok(Told::default());
    }
    let mut told = Told { notes: files::beside(&files::NODE, shown, tree, directory), ..Told::default() };
    let read = |name: &str| -> Result<Option<Source>, Failure> {
        let Some(path) = place(name) else { return Ok(None) };
        let bytes = regular(tree, &path, shown)?;
        bytes.map(|bytes| document::source(&format!("{shown}/{path}"), bytes)).transpose()
    };
    if let Some(source) = read(".npmrc")? {
        told.extend(NPMRC.judge(npmrc(&source), member));
    }
    for (name, kind) in [("pnpm-workspace.yaml", &PNPM_WORKSPACE), (".yarnrc.yml", &YARNRC)] {
        if let Some(source) = read(name)? {
            let keys =
                yaml::keys(&source).map_err(|wrong: Diagnostic| wrong.requested_by(member.to_string()))?;
            let written = |yaml::Entry { key, place, value }: yaml::Entry| {
                let is_off = match value {
                    Some(value) if YAML_ON.contains(&key.as_str()) => value == "true",
                    Some(value) => matches!(&*value, "" | "~" | "null" | "false"),
                    None => false,
                };
                Written { key, place, is_off }
            };
            told.extend(kind.judge(keys.into_iter().map(written), member));
        }
    }
    Ok(told)
}

/// The keys of an `.npmrc` (`npm help npmrc`, read as npm's `ini` does): `key = value` a line, lists as `key[] = value`,
/// up to the first section, which npm does not look into. A value that leaves things as they are says nothing, and so
/// does a login that is of the environment.
fn npmrc(source: &Source) -> Vec<Written> {
    let mut written = Vec::new();
    let mut offset = 0;
    for line in source.text().split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let content = line.trim();
        if content.starts_with('[') {
            break;
        }
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let (key, value) = content.split_once('=').unwrap_or((content, "true"));
        let key = plain(key).trim_end_matches("[]");
        let value = plain(value);
        let at = start + line.find(key).unwrap_or(0);
        let is_login = key.starts_with("//") || key.starts_with('_');
        let is_off = match key {
            _ if key == "registry" || key.ends_with(":registry") => value.trim_end_matches('/') == REGISTRY,
            _ if is_login => value.contains("${"),
            _ if ON.contains(&key) => value == "true",
            _ => matches!(value, "" | "0" | "false" | "null" | "undefined"),
        };
        written.push(Written { key: key.to_owned(), place: source.at(at..at + key.len()), is_off });
    }
    written
}

/// A key or value of an ini file: in quotes, or up to a comment.
fn plain(text: &str) -> &str {
    let text = text.trim();
    let quoted = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    quoted.unwrap_or_else(|| text.split([';', '#']).next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Told {
        let mut tree = FileTree::new();
        tree.insert_text("package.json".parse().unwrap(), "{}");
        tree.insert_text("web/package.json".parse().unwrap(), "{}");
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), text);
        }
        let web = "web".parse().unwrap();
        of_directory(&"altar".parse().unwrap(), "extensions/altar", &tree, Some(&web)).unwrap()
    }

    fn refused(told: &Told) -> Vec<String> {
        told.refused.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_registry_and_what_changes_the_tree_are_refused_by_their_line() {
        let npmrc = "; why\n@isaacs:registry=https://npm.example.org/\n\n\"legacy-peer-deps\" = true # why\nstrict-ssl=false\n";
        let told = told(&[("web/.npmrc", npmrc)]);
        let refused = refused(&told);
        assert_eq!((refused.len(), told.notes.len()), (3, 0), "{told:?}");
        assert!(refused[0].starts_with("`@isaacs:registry` in .npmrc is not taken"), "{}", refused[0]);
        for (text, place) in refused.iter().zip(["2:1", "4:2", "5:1"]) {
            assert!(text.contains(&format!("extensions/altar/web/.npmrc:{place}\n")), "{text}");
            assert!(text.contains("requested by altar"), "{text}");
        }
        assert!(refused[1].contains("overrides"), "{}", refused[1]);
    }

    #[test]
    fn what_is_npms_default_or_of_the_environment_says_nothing() {
        let npmrc = "registry=https://registry.npmjs.org/\n@a:registry = \"https://registry.npmjs.org\"\n\
                     //registry.npmjs.org/:_authToken=${NPM_TOKEN}\nlegacy-peer-deps=false\nstrict-ssl=true\n\
                     fund=false\nsave-exact=true\nengine-strict\nforce = false ; not here\nbefore=null\nmin-release-age=0\n\
                     [other]\nforce=true\n";
        assert_eq!(
            told(&[("web/.npmrc", npmrc), (".npmrc", "registry=x"), ("web/in/.npmrc", "registry=x")]),
            Told::default()
        );
    }

    #[test]
    fn logins_other_managers_and_unknown_keys_are_noted() {
        let told = told(&[
            (
                "web/.npmrc",
                "//host.example/:_authToken=abc\nomit[]=optional\nlegacy-per-deps=true\nshamefully-hoist=true\n",
            ),
            ("web/yarn.lock", ""),
            ("web/.pnpmfile.cjs", ""),
            ("web/inner/yarn.lock", ""),
            ("yarn.lock", ""),
        ]);
        let at = |line: &str| format!("extensions/altar/web/.npmrc:{line}: ");
        assert_eq!(refused(&told), [""; 0]);
        assert_eq!(told.notes.len(), 6, "{:#?}", told.notes);
        for (note, wants) in told.notes.iter().zip([
            ["`extensions/altar/web/.pnpmfile.cjs` is not taken", "npm locks"],
            ["`extensions/altar/web/yarn.lock` is not taken", "package-lock.json"],
            [&at("1:1"), "logins come from ~/.netrc"],
            [&at("2:1"), "`omit`"],
            [&at("4:1"), "`shamefully-hoist`"],
            [&at("3:1"), "`legacy-per-deps` (did you mean `legacy-peer-deps`?)"],
        ]) {
            assert!(wants.iter().all(|want| note.contains(want)), "{note}");
        }
    }

    #[test]
    fn a_link_is_not_followed_and_not_overlooked() {
        let mut tree = FileTree::new();
        tree.insert_text("package.json".parse().unwrap(), "{}");
        tree.insert(".npmrc".parse().unwrap(), Entry::Link { target: "real".to_owned() });
        let told = of_directory(&"altar".parse().unwrap(), "extensions/altar", &tree, None).unwrap_err();
        assert_eq!(
            told.to_string(),
            "`extensions/altar/.npmrc` is a symbolic link\n  help: put the file itself there"
        );
    }

    #[test]
    fn what_a_default_of_pnpm_turns_off_is_noted() {
        let told = told(&[(
            "web/pnpm-workspace.yaml",
            "autoInstallPeers: false\nhoist: true\nshamefullyHoist: false\n",
        )]);
        assert_eq!(told.notes.len(), 1, "{:?}", told.notes);
        assert!(told.notes[0].contains("`autoInstallPeers`"), "{:?}", told.notes);
    }

    #[test]
    fn keys_of_yaml_files_are_judged() {
        let told = told(&[
            (
                "web/pnpm-workspace.yaml",
                "packages:\n  - a\noverrides:\n  left-pad: 1.0.0\npatchedDependencies: {}\nodd: 1\n",
            ),
            (
                "web/.yarnrc.yml",
                "nodeLinker: node-modules\nnpmScopes:\n  own:\n    npmRegistryServer: https://npm.example.org\n",
            ),
        ]);
        let refused = refused(&told);
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused[0].contains("web/pnpm-workspace.yaml:3:1"), "{}", refused[0]);
        assert!(
            refused[1].contains("`npmScopes`") && refused[1].contains(".yarnrc.yml:2:1"),
            "{}",
            refused[1]
        );
        assert_eq!(told.notes.len(), 2, "{:?}", told.notes);
        assert!(told.notes[0].contains("`packages`") && told.notes[1].contains("`odd`"), "{:?}", told.notes);
    }
}
