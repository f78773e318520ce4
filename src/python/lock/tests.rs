use super::*;
use crate::diagnostic::Failure;

const HEAD: &str = "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n";
const SIX: &str = r#"
[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://pypi.org/simple" }
wheels = [
    { url = "https://files.pythonhosted.org/packages/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#;

fn read(text: &str) -> Result<UvLock, Failure> {
    UvLock::read(&Text::new("uv.lock", text))
}

/// A package whose lines are `lines`.
fn package(name: &str, lines: &str) -> String {
    format!("\n[[package]]\nname = \"{name}\"\n{lines}\n")
}

const REGISTRY: &str = "version = \"1.0\"\nsource = { registry = \"https://pypi.org/simple\" }";

#[track_caller]
fn refused(text: &str, words: &str) -> Failure {
    let failure = read(text).expect_err(words);
    assert_eq!(failure.exit_code(), 1);
    assert!(failure.to_string().contains(words), "`{words}` is not in: {failure}");
    failure
}

#[test]
fn a_lock_is_read_with_its_places() {
    let lock = read(&format!("{HEAD}{SIX}")).unwrap();
    assert_eq!(lock.revision, 3);
    let six = &lock.packages[0];
    assert_eq!(six.id.to_string(), "six 1.17.0");
    assert_eq!(six.wheels[0].size, Some(11050));
    assert!(matches!(six.wheels[0].hash, Some(Ok(Integrity::Sha256(_)))));
    assert_eq!(lock.at(&six.span).to_string(), "uv.lock:6:8");
    assert_eq!(lock.at(&six.wheels[0].span).to_string(), "uv.lock:10:5");
    assert!(lock.notes.is_empty());
}

#[test]
fn what_is_not_known_is_noted_with_its_place() {
    let text = format!(
        "version = 1\nrevision = 6\nnovelty = true\nrequires-python = \">=3.12\"\n{SIX}mood = \"good\"\n"
    );
    let lock = read(&text).unwrap();
    let notes: Vec<String> = lock.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "uv.lock revision 6 is newer than 5; read as far as known\n  at uv.lock:2:12",
            "unknown key `mood` in a package is ignored\n  at uv.lock:13:1",
            "unknown key `novelty` in the lock is ignored\n  at uv.lock:3:1",
        ]
    );
}

#[test]
fn another_format_is_refused() {
    refused("", "no `version`");
    refused("version = 2\n", "version 2 is not known");
    refused("version = \"1\"\nrequires-python = \">=3.12\"\n", "`version` is string, not a whole number");
    refused("version = 1\n", "no `requires-python`");
    refused("[[package]\n", "not TOML");
    refused("version = 1\nversion = 1\n", "not TOML");
    refused(&format!("{HEAD}package = 3\n"), "`package` is integer, not an array");
    refused(&format!("{HEAD}x = {}\n", "[".repeat(100_000)), "not TOML");
}

#[test]
fn marks_of_other_systems_are_refused_with_a_hint() {
    refused(&format!("\u{feff}{HEAD}"), "byte order mark");
    let failure = refused(&HEAD.replace('\n', "\r\n"), "carriage return");
    assert!(failure.to_string().contains("autocrlf"), "{failure}");
}

#[test]
fn an_oversized_lock_is_refused() {
    refused(&format!("{HEAD}#{}", "x".repeat(SIZE_LIMIT)), "more than 67108864");
    refused(&format!("{HEAD}package = [{}]\n", "{},".repeat(PACKAGE_LIMIT + 1)), "more than 50000");
}

#[test]
fn markers_that_exhaust_the_stack_are_refused() {
    let lock = |marker: &str| format!("{HEAD}resolution-markers = [\"{marker}\"]\n");
    let nested = |depth| format!("{}os_name == 'x'{}", "(".repeat(depth), ")".repeat(depth));
    refused(&lock(&nested(20_000)), "nests more than 64");
    refused(&lock(&nested(40_000)), "more than 65536");
    assert!(read(&lock(&nested(64))).is_ok());
    let chain = |length: usize| {
        let clauses: Vec<String> = (0..length).map(|index| format!("extra == 'x{index}'")).collect();
        clauses.join(" or ")
    };
    refused(&lock(&chain(2_900)), "more than 500 different values");
    let whole = read(&lock(&chain(450))).unwrap();
    assert!(!whole.forks[0].negate().is_true());
}

#[test]
fn sources_of_an_unknown_kind_are_refused() {
    let failure = refused(
        &format!("{HEAD}{}", package("a", "version = \"1\"\nsource = { torrent = \"x\" }")),
        "kind of source is not known",
    );
    assert!(failure.to_string().contains("uv.lock:8:10"), "{failure}");
    refused(&format!("{HEAD}{}", package("a", "version = \"1\"")), "no `source`");
    refused(
        &format!("{HEAD}{}", package("a", "version = \"1\"\nsource = { url = \"x\", git = \"y\" }")),
        "kind of source is not known",
    );
}

#[test]
fn two_packages_with_one_id_are_refused_with_both_places() {
    let failure = refused(&format!("{HEAD}{SIX}{SIX}"), "`six 1.17.0` twice");
    assert!(
        failure.to_string().contains("uv.lock:14:8: again here\n  at uv.lock:6:8: first here"),
        "{failure}"
    );
    // The raw spelling does not make another package.
    let twice = package("Foo_Bar", REGISTRY) + &package("foo-bar", REGISTRY);
    refused(&format!("{HEAD}{twice}"), "`foo-bar 1.0` twice");
}

#[test]
fn edges_must_lead_to_one_entry() {
    let asks = |edge: &str| package("b", &format!("{REGISTRY}\ndependencies = [\n    {edge},\n]"));
    refused(&format!("{HEAD}{}", asks("{ name = \"a\" }")), "no package `a`");
    let other =
        "version = \"1.0\"\nsource = { url = \"https://files.pythonhosted.org/a-1.0-py3-none-any.whl\" }";
    let two = package("a", REGISTRY) + &package("a", other);
    refused(&format!("{HEAD}{two}{}", asks("{ name = \"a\", version = \"1.0\" }")), "which `a`");
    let edge = "{ name = \"a\", version = \"1.0\", source = { registry = \"https://pypi.org/simple\" } }";
    let lock = read(&format!("{HEAD}{two}{}", asks(edge))).unwrap();
    assert_eq!(lock.packages[2].dependencies[0].package, PackageIndex(0));
}

#[test]
fn a_file_of_another_package_or_version_is_refused() {
    for (url, words) in [
        ("https://files.pythonhosted.org/evil-1.17.0-py3-none-any.whl", "is not of six 1.17.0"),
        ("https://files.pythonhosted.org/six-1.18.0-py3-none-any.whl", "is not of six 1.17.0"),
        ("https://files.pythonhosted.org/..%2f..%2fsix-1.17.0-py3-none-any.whl", "not the name of a wheel"),
        ("https://files.pythonhosted.org/six-1.17.0-py3-none-any.whl%00", "not the name of a wheel"),
        ("https://files.pythonhosted.org/six-1.17.0%zz-py3-none-any.whl", "not the name of a wheel"),
        ("https://files.pythonhosted.org/six.tar.gz", "not the name of a wheel"),
        ("", "not the name of a wheel"),
    ] {
        let text =
            SIX.replace("https://files.pythonhosted.org/packages/six-1.17.0-py2.py3-none-any.whl", url);
        refused(&format!("{HEAD}{text}"), words);
    }
    let local = SIX.replace("six-1.17.0-py2", "six-1.17.0%2Bcpu-py2");
    assert_eq!(
        read(&format!("{HEAD}{local}")).unwrap().packages[0].wheels[0].file_name,
        "six-1.17.0+cpu-py2.py3-none-any.whl"
    );
}

#[test]
fn hostile_names_are_refused() {
    for name in ["../x", "a b", "-r/etc/passwd", "${x}", "a\\nb", "", "a/b", "''", "ä"] {
        let text = format!("{HEAD}{}", package(name, REGISTRY));
        assert!(read(&text).is_err(), "{name:?}");
    }
    for version in ["", "1.0; x", "${x}", "../1", "1\\n2"] {
        let lines = REGISTRY.replace("1.0", version);
        assert!(read(&format!("{HEAD}{}", package("a", &lines))).is_err(), "{version:?}");
    }
}

#[test]
fn a_conflict_that_is_not_understood_is_an_error() {
    refused(&format!("{HEAD}conflicts = [[{{ package = \"a\", mood = \"x\" }}]]\n"), "unknown key `mood`");
    refused(
        &format!("{HEAD}conflicts = [[{{ extra = \"x\" }}]]\n"),
        "not a package with an extra or a group",
    );
}

#[test]
fn all_errors_are_told_at_once() {
    let bad = package("a", "version = 1\nsource = { registry = \"https://pypi.org/simple\" }\nwheels = 3");
    let failure = refused(&format!("{HEAD}{bad}{}", package("b", "")), "`version` is integer, not a string");
    assert!(failure.diagnostics().len() >= 3, "{failure}");
}
