//! Keys of uv, as its settings reference has them: `[tool.uv]` of a manifest, and `uv.toml` beside it.

use super::input::{Fate, Input, Row, Told, written};
use crate::{
    diagnostic::Diagnostic,
    document::{Field, Node, Table, Value},
    name::MemberId,
};

/// What belongs to a project: uv reads it in `[tool.uv]` alone.
const PROJECT: &[Row] = &[
    Row::taken(&["sources", "workspace", "package"], "see `pyproject.toml` in formats.md"),
    Row::taken(&["default-groups"], "these groups, without `dev`, as `uv sync --no-dev` has them"),
    Row::taken(&["conflicts"], "sets of extras that exclude one another; of groups they say nothing"),
    Row::taken(&["build-backend"], "`uv_build` reads it in the member's tree"),
    Row::noted(
        &["dependency-groups"],
        "the whole federation has one Python, whatever a group of it requires; `requires-python` in [project] is taken",
    ),
    Row::taken(
        &["dev-dependencies"],
        "part of the group `dev`, which belongs to the body where `groups` in [tool.lychd] names it",
    ),
    Row::harmless(&["environments", "required-environments"], "the forge locks for the image's own platform"),
    Row::harmless(&["managed"], "it keeps uv's own commands away"),
];

/// Requirements that hold for the whole resolution. uv reads them in `[tool.uv]`; those of `uv.toml` are for `uv pip`.
const FOR_ALL: &[&str] = &[
    "build-constraint-dependencies",
    "constraint-dependencies",
    "exclude-dependencies",
    "override-dependencies",
];

/// What uv reads in `uv.toml`, and where there is none in `[tool.uv]`.
const SETTINGS: &[Row] = &[
    Row::taken(
        &[
            "exclude-newer",
            "exclude-newer-package",
            "fork-strategy",
            "index-strategy",
            "prerelease",
            "prerelease-package",
            "resolution",
        ],
        "one value for the federation: two members that disagree are a conflict",
    ),
    Row::taken(&["index", "index-url", "extra-index-url"], "on hosts that the policy allows"),
    Row::taken(&["dependency-metadata"], "for all members"),
    Row::taken(
        &["no-binary", "no-binary-package", "no-build", "no-build-package"],
        "for all packages, not for members",
    ),
    Row::taken(&["required-version"], "held against the forge's own uv; a note says when that is another"),
    Row::refused(
        &["allow-insecure-host"],
        "every artifact comes over verified TLS",
        "take it out; a host with a certificate of its own belongs to the system's certificates",
    ),
    Row::refused(
        &["find-links"],
        "files found by links carry no hash; name an index, or each file as a `path` source",
        "see `[[tool.uv.index]]` and `[tool.uv.sources]`",
    ),
    Row::refused(&["no-index"], "the forge has no other source than indexes", "take it out"),
    Row::refused(
        &["config-settings", "config-settings-package"],
        "packages are built with their backend's defaults",
        "what the backend reads of the tree itself (`[tool.<backend>]`, `setup.cfg`) is taken",
    ),
    Row::refused(
        &["no-sources", "no-sources-package"],
        "`[tool.uv.sources]` is taken as it is written",
        "take out the sources that are not to count",
    ),
    Row::noted(
        &[
            "no-build-isolation",
            "no-build-isolation-package",
            "extra-build-dependencies",
            "extra-build-variables",
        ],
        "packages are built in isolation, with what their own [build-system] requires",
    ),
    Row::noted(
        &["torch-backend"],
        "packages come from the indexes that are written; name PyTorch's as one of them",
    ),
    Row::harmless(
        &["add-bounds", "audit", "check-url", "pip", "publish-url", "trusted-publishing"],
        "other commands of uv",
    ),
    Row::harmless(
        &[
            "python-downloads",
            "python-downloads-json-url",
            "python-install-mirror",
            "python-preference",
            "graalpy-install-mirror",
            "pyodide-install-mirror",
            "pypy-install-mirror",
        ],
        "Python is the substrate's",
    ),
    Row::harmless(
        &[
            "cache-dir",
            "cache-keys",
            "concurrent-builds",
            "concurrent-downloads",
            "concurrent-installs",
            "link-mode",
            "no-cache",
            "reinstall",
            "reinstall-package",
            "upgrade",
            "upgrade-package",
        ],
        "how uv works on a machine, not what it gives; `--update uv` moves versions",
    ),
    Row::harmless(&["compile-bytecode"], "bytecode is compiled always"),
    Row::harmless(
        &[
            "http-proxy",
            "https-proxy",
            "keyring-provider",
            "native-tls",
            "no-proxy",
            "offline",
            "system-certs",
        ],
        "how the network is reached is the operator's: `--offline`, mirrors, `~/.netrc`",
    ),
    Row::harmless(&["preview", "preview-features"], "nothing that uv calls preview is used"),
    Row::harmless(
        &["minimum-libc-version", "require-build-hashes"],
        "wheels fit the image's own C library, and everything has a hash",
    ),
];

/// `[tool.uv]`.
pub const TOOL_UV: Input = Input {
    name: "[tool.uv]",
    about: "of a member's `pyproject.toml`. uv reads most of it at the root of a workspace alone, and so does the forge: a member is one.",
    rows: &[
        PROJECT,
        &[
            Row::taken(&["build-constraint-dependencies", "constraint-dependencies"], "for all members"),
            Row::taken(
                &["exclude-dependencies", "override-dependencies"],
                "for all members, with a note; against what another member itself requires it is a conflict",
            ),
        ],
        SETTINGS,
    ],
    others: Fate::Noted,
};

/// `uv.toml` beside a manifest.
pub const UV_TOML: Input = Input {
    name: "uv.toml",
    about: "beside a member's `pyproject.toml`. As in uv, `[tool.uv]` says nothing about these keys where there is one.",
    rows: &[
        SETTINGS,
        &[
            Row::harmless(FOR_ALL, "uv reads them for `uv pip` alone"),
            Row::refused(
                &[
                    "build-backend",
                    "conflicts",
                    "default-groups",
                    "dependency-groups",
                    "dev-dependencies",
                    "environments",
                    "managed",
                    "package",
                    "required-environments",
                    "sources",
                    "workspace",
                ],
                "uv allows it in `pyproject.toml` alone",
                "move it to [tool.uv]",
            ),
        ],
    ],
    others: Fate::Refused,
};

/// What the value of a key that is taken has to be, as uv has it.
const SHAPES: [(&str, &[&str]); 4] = [
    (
        "a string",
        &[
            "exclude-newer",
            "fork-strategy",
            "index-strategy",
            "index-url",
            "prerelease",
            "required-version",
            "resolution",
        ],
    ),
    (
        "an array",
        &[
            "build-constraint-dependencies",
            "conflicts",
            "constraint-dependencies",
            "dependency-metadata",
            "dev-dependencies",
            "exclude-dependencies",
            "extra-index-url",
            "index",
            "no-binary-package",
            "no-build-package",
            "override-dependencies",
        ],
    ),
    ("`true` or `false`", &["no-binary", "no-build"]),
    ("a table", &["exclude-newer-package", "prerelease-package", "sources", "workspace"]),
];

/// Values that cannot be what they are taken for.
#[must_use]
pub fn misshapen(table: &Table, member: &MemberId) -> Vec<Diagnostic> {
    let judge = |(want, key): (&str, &str)| {
        let node = table.get(key)?;
        let fits = match &node.value {
            Value::String(_) => want == "a string",
            Value::Array(_) => want == "an array",
            Value::Boolean(_) => want == "`true` or `false`",
            Value::Table(_) => want == "a table",
            _ => false,
        };
        let message = format!("`{key}` of uv's settings must be {want}, not {}", node.kind());
        (!fits).then(|| Diagnostic::new(message).at(node.place.clone(), "").requested_by(member.to_string()))
    };
    SHAPES
        .iter()
        .flat_map(|&(want, keys)| keys.iter().map(move |&key| (want, key)))
        .filter_map(judge)
        .collect()
}

/// What of `[tool.uv]` counts beside a `uv.toml`: the settings are that file's. Notes name those that lose.
#[must_use]
pub fn beside(tool_uv: &Table, uv_toml: &Table, member: &MemberId) -> (Table, Told) {
    let is_setting = |key: &str| FOR_ALL.contains(&key) || SETTINGS.iter().any(|row| row.has(key));
    let mut told = UV_TOML.judge_table(uv_toml, member);
    let masked = written(tool_uv).filter(|written| SETTINGS.iter().any(|row| row.has(&written.key)));
    told.notes.extend(masked.map(|written| {
        format!(
            "{}: `{}` in [tool.uv] is not taken: settings are those of `uv.toml` beside it, as in uv",
            written.place, written.key
        )
    }));
    let kept = tool_uv.iter().filter(|(key, _)| FOR_ALL.contains(key) || !is_setting(key));
    let settings = uv_toml.iter().filter(|(key, _)| !FOR_ALL.contains(key));
    let own = |(key, field): (&str, &Field)| (key.to_owned(), field.clone());
    let named = named_indexes(tool_uv, uv_toml).map(|field| ("index".to_owned(), field));
    (kept.chain(settings).map(own).chain(named).collect(), told)
}

/// The indexes of `uv.toml`, and those of `[tool.uv]` that its sources can name, which uv searches for nothing else then.
fn named_indexes(tool_uv: &Table, uv_toml: &Table) -> Option<Field> {
    let masked = tool_uv.field("index")?;
    let explicit = |node: &Node| {
        let table = node.as_table()?;
        table.get("name")?;
        let yes = Field {
            key: node.place.clone(),
            node: Node { place: node.place.clone(), value: Value::Boolean(true) },
        };
        let own = table.iter().filter(|(key, _)| !matches!(*key, "default" | "explicit"));
        let own = own.map(|(key, field)| (key.to_owned(), field.clone()));
        let value = Value::Table(own.chain([("explicit".to_owned(), yes)]).collect());
        Some(Node { place: node.place.clone(), value })
    };
    let first = uv_toml.get("index").and_then(Node::as_array).unwrap_or_default().iter().cloned();
    let named = masked.node.as_array().unwrap_or_default().iter().filter_map(explicit);
    let all = Value::Array(first.chain(named).collect());
    Some(Field { key: masked.key.clone(), node: Node { place: masked.node.place.clone(), value: all } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnostic::Source, document};

    #[test]
    fn what_is_taken_has_its_shape() {
        let text = "override-dependencies = 'idna==3.9'\nno-build = 'yes'\nexclude-newer-package = 'idna'\nindex = [{url = 'x'}]\nresolution = 1\n";
        let told = misshapen(&table("core/pyproject.toml", text), &core());
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!(
            told[0],
            "`resolution` of uv's settings must be a string, not an integer\n  at core/pyproject.toml:5:14\n  requested by core"
        );
        assert!(
            told[1].contains("`override-dependencies` of uv's settings must be an array, not a string"),
            "{told:?}"
        );
    }

    #[test]
    fn sources_find_the_indexes_that_a_uv_toml_masks() {
        let own = table(
            "core/pyproject.toml",
            "[[index]]\nname = 'mirror'\nurl = 'https://x'\ndefault = true\n[[index]]\nurl = 'https://y'\n",
        );
        let (merged, _) = beside(&own, &table("core/uv.toml", "index = [{ url = 'https://z' }]\n"), &core());
        assert_eq!(
            merged.to_toml().to_string(),
            "[[index]]\nurl = \"https://z\"\n\n[[index]]\nexplicit = true\nname = \"mirror\"\nurl = \"https://x\"\n"
        );
    }

    #[test]
    fn a_key_that_uv_does_not_know_ends_its_own_file() {
        let told = UV_TOML.judge_table(&table("core/uv.toml", "exclude-never = 1\n"), &core());
        assert_eq!(told.refused.len(), 1);
        let told = told.refused[0].to_string();
        assert!(
            told.starts_with("`exclude-never` in uv.toml is not known\n  at core/uv.toml:1:1")
                && told.contains("did you mean `exclude-newer`?"),
            "{told}"
        );
    }

    fn table(name: &str, text: &str) -> Table {
        document::parse(&Source::new(name, text)).unwrap()
    }

    fn core() -> MemberId {
        MemberId::core()
    }

    #[test]
    fn each_key_has_its_fate() {
        let text = "find-links = ['a']\nno-index = false\nlink-mode = 'copy'\ntorch-backend = 'cpu'\nresolution = 'lowest'\n\
                    exclude-never = 1\nown = 2\nno-sources-package = []\n";
        let told = TOOL_UV.judge_table(&table("core/pyproject.toml", text), &core());
        assert_eq!(told.refused.len(), 1, "{:?}", told.refused);
        let refused = told.refused[0].to_string();
        assert!(
            refused.starts_with("`find-links` in [tool.uv] is not taken: files found by links carry no hash"),
            "{refused}"
        );
        assert!(
            refused.contains("at core/pyproject.toml:1:1") && refused.contains("requested by core"),
            "{refused}"
        );
        assert_eq!(
            told.notes,
            [
                "core/pyproject.toml:4:1: `torch-backend` in [tool.uv] is not taken: packages come from the indexes that are written; name PyTorch's as one of them",
                "core/pyproject.toml:6:1: `exclude-never` (did you mean `exclude-newer`?), `own` in [tool.uv]: the forge does not know these keys, and nothing of the body is made by them",
            ]
        );
    }

    #[test]
    fn settings_are_those_of_uv_toml_where_there_is_one() {
        let own = table(
            "core/pyproject.toml",
            "package = false\nresolution = 'lowest'\noverride-dependencies = ['a']\nexclude-newer = '1'\n",
        );
        let settings = table(
            "core/uv.toml",
            "exclude-newer = '2'\nindex-url = 'https://x'\noverride-dependencies = ['b']\n",
        );
        let (merged, told) = super::beside(&own, &settings, &core());
        let keys: Vec<String> = merged.iter().map(|(key, field)| format!("{key} {}", field.key)).collect();
        assert_eq!(
            keys,
            [
                "exclude-newer core/uv.toml:1:1",
                "index-url core/uv.toml:2:1",
                "override-dependencies core/pyproject.toml:3:1",
                "package core/pyproject.toml:1:1",
            ]
        );
        assert_eq!(told.refused, []);
        assert_eq!(told.notes.len(), 2, "{:?}", told.notes);
        assert!(told.notes[1].starts_with("core/pyproject.toml:2:1: `resolution` in [tool.uv] is not taken: settings are those of `uv.toml`"), "{:?}", told.notes);
    }
}
