//! The emitted flake: its text, and what Nix itself makes of it.
#![expect(clippy::disallowed_methods, reason = "tests read golden files and write scratch ones")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail so")]

pub(crate) mod node;
pub(crate) mod sample;

use std::{collections::BTreeMap, fs, path::Path};

use crate::golden;
use lychd_forge::{
    debian::Part,
    diagnostic::Failure,
    digest::store_path::StoreName,
    host::{environment::program, process::Command},
    name::{Role, url::HostPolicy},
    python::record::{File, PackageSource, Place, PythonPackage},
    synthesis::value::{Substrate, Synthesis},
    transmute::{
        self,
        nix::{Binding, Expr, FlakePath, render},
    },
    tree::{FileTree, RelativePath},
};
use serde_json::{Value, json};

const GENERATED: [&str; 4] = ["flake.nix", "body.nix", "images/database.nix", "debian.nix"];

/// A library that gives back what it is given, so that Nix shows the data it read.
fn echo_library() -> FileTree {
    let mut library = FileTree::new();
    let text =
        "{ pkgs }: { wheel = x: x; environment = x: x; image = x: x // { conf = \"conf\"; inherit pkgs; };
        member = x: x // { source = builtins.readDir x.source; };
        tree = x: x // { source = builtins.readDir x.source; }; }\n";
    library.insert_text("default.nix".parse().unwrap(), text);
    library.insert_text("debian/default.nix".parse().unwrap(), "x: x\n");
    library
}

fn wheel_file(package: &mut PythonPackage) -> &mut File {
    let PackageSource::Wheel(file) = &mut package.source else { panic!("{} is no wheel", package.name) };
    file
}

fn emit((synthesis, sources): &(Synthesis, sample::Sources)) -> FileTree {
    transmute::transmute(synthesis, sources, &echo_library()).unwrap()
}

fn text(tree: &FileTree, path: &str) -> String {
    String::from_utf8(tree.file(&path.parse().unwrap()).unwrap().to_vec()).unwrap()
}

/// What Nix makes of a file, as JSON. `dummy://` is a store that cannot be written.
fn evaluate(file: &Path, expression: &str) -> Value {
    let expression = format!("({expression}) (import {})", file.display());
    let output = nix_instantiate()
        .args(["--eval", "--strict", "--json", "--store", "dummy://", "--expr", &expression])
        .output()
        .unwrap();
    assert!(output.success(), "{}", output.stderr);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn nix_instantiate() -> Command {
    Command::new(program("nix-instantiate").expect("nix-instantiate is on PATH"))
}

fn evaluate_expr(expr: &Expr) -> Value {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("value.nix");
    fs::write(&file, render(&["value"], expr).unwrap()).unwrap();
    evaluate(&file, "x: x")
}

/// Every position a text can have in an expression, and the JSON that must come out.
fn everywhere(text: &str) -> (Expr, Value) {
    let data = || Expr::text(text);
    let wide = |text: &str| format!("{}{text}", "x".repeat(120));
    let identity = Expr::Lambda(vec!["x"], Box::new(Expr::Variable("x")));
    let expr = Expr::list([
        data(),
        Expr::named([(text, data())]),
        Expr::named([(text, data())]).member(text),
        identity.call(Expr::fields([("x", data())])),
        Expr::Let(vec![Binding::field("v", data())], Box::new(Expr::list([Expr::Variable("v")]))),
        Expr::named([(wide(text), Expr::list([Expr::text(wide(text)), data()]))]),
        Expr::texts([
            format!("${text}"),
            format!("{text}{{x}}"),
            format!("\\{text}\\"),
            format!("${{{text}}}"),
        ]),
    ]);
    let expected = json!([
        text,
        { text: text },
        text,
        text,
        [text],
        { wide(text): [wide(text), text] },
        [format!("${text}"), format!("{text}{{x}}"), format!("\\{text}\\"), format!("${{{text}}}")],
    ]);
    (expr, expected)
}

fn assert_plain_data(texts: &[&str]) {
    let (exprs, expected): (Vec<_>, Vec<_>) = texts.iter().map(|text| everywhere(text)).unzip();
    assert_eq!(evaluate_expr(&Expr::List(exprs)), Value::Array(expected));
}

#[test]
fn n1_interpolation_is_data() {
    assert_plain_data(&[
        "${builtins.readFile \"/etc/passwd\"}",
        "$${x}",
        "$$${x}",
        "\\${x}",
        "\\\\${x}",
        "\"; builtins.abort \"",
        "$",
        "$$",
        "\\",
    ]);
}

#[test]
fn n2_the_end_of_an_indented_string_is_data() {
    assert_plain_data(&["''", "'''", "''\\${", "''$", "'' + x + ''", "\n  two\r\n\tlines\r"]);
}

#[test]
fn n3_attribute_names_are_quoted() {
    assert_plain_data(&["a.b", "a\"b", "${x}", "inherit", "with", "or", "", "rec", "true", " ", "a = 1; b"]);
}

#[test]
fn n4_json_escapes_are_plain_characters_and_nul_is_refused() {
    assert_plain_data(&["\\u0041", "\\/", "\u{2028}", "\u{2029}", "\\ud800", "\\x41", "ß 👩\u{200d}🚀"]);
    for text in ["\0", "a\0b"] {
        assert!(render(&[], &Expr::text(text)).is_err());
        assert!(render(&[], &Expr::named([(text, Expr::Null)])).is_err());
    }
}

#[test]
fn n5_no_path_comes_from_input() {
    let texts = ["../../x", "/nix/store/00000000000000000000000000000000-x", "~", "~/x", "<nixpkgs>", "./a"];
    assert_plain_data(&texts);
    assert_plain_data(&["./a${\"/../..\"}"]);
    for text in
        ["../../x", "/nix/store/x", "~", "~/x", "<nixpkgs>", "a${\"/../..\"}", "a b", "a//b", "a;b", "a\nb"]
    {
        let path = text.parse::<RelativePath>().ok().and_then(|path| FlakePath::try_from(path).ok());
        assert_eq!(path, None, "{text}");
    }
}

#[test]
fn n6_only_web_addresses_are_fetched() {
    for url in [
        "file:///etc/passwd",
        "git+ssh://x/y",
        "ext::sh -c id",
        "--upload-pack=id",
        "/etc/passwd",
        "",
        "http://x/y",
    ] {
        let (mut synthesis, sources) = sample::small();
        // What is no web address is no address of a wheel; over plain http there are Debian's archives alone.
        let policy = HostPolicy::new([]);
        assert!(policy.check(url).is_err(), "{url}");
        let plain = policy.check("http://deb.debian.org/x.whl").unwrap();
        wheel_file(&mut synthesis.python_packages[0]).place = Place::Download(plain.clone());
        wheel_file(&mut synthesis.build_environments[0].packages[1]).place = Place::Download(plain);
        synthesis.system_packages[3].url = url.replace("http:", "ftp:");
        let failure = transmute::transmute(&synthesis, &sources, &echo_library()).unwrap_err();
        let said = failure.to_string();
        assert_eq!((failure.exit_code(), failure.diagnostics().len()), (1, 3), "{said}");
        for named in ["`idna`", "`packaging`", "`libmagic1t64`", "requested by core, scribe"] {
            assert!(said.contains(named), "{said}");
        }
    }
}

#[test]
fn n7_sizes_are_capped_before_nix_sees_them() {
    let refused = |change: &dyn Fn(&mut Synthesis), named: &str| {
        let (mut synthesis, sources) = sample::small();
        change(&mut synthesis);
        let failure = transmute::transmute(&synthesis, &sources, &echo_library()).unwrap_err();
        assert!(matches!(failure, Failure::Refused(_)) && failure.to_string().contains(named), "{failure}");
    };
    let long = "x".repeat((1 << 20) + 1);
    let value = long.clone();
    refused(
        &move |synthesis| drop(synthesis.image.labels.insert("a".to_owned(), value.clone())),
        "config.Labels.a",
    );
    refused(
        &move |synthesis| drop(synthesis.image.labels.insert(long.clone(), String::new())),
        "1048577 bytes",
    );
    refused(&|synthesis| synthesis.image.command = vec![String::new(); 1_000_000], "1000000 entries");
    refused(&|synthesis| synthesis.source_date_epoch = u64::MAX, "18446744073709551615");
    let many = vec![sample::wheel("a", "1", 0, &[]); 20_001];
    refused(&move |synthesis| synthesis.python_packages = many.clone(), "20004 wheels");
}

#[test]
fn every_short_mix_of_special_characters_survives_nix() {
    const PARTS: [&str; 12] = ["$", "{", "}", "\\", "\"", "'", "''", "\n", "\r", "\t", "a", "${a}"];
    let texts: Vec<String> = PARTS
        .iter()
        .flat_map(|a| PARTS.iter().flat_map(move |b| PARTS.iter().map(move |c| format!("{a}{b}{c}"))))
        .collect();
    assert_eq!(evaluate_expr(&Expr::texts(&texts)), json!(texts));
}

#[test]
fn the_flake_is_the_golden_one() {
    let tree = emit(&sample::small());
    for name in GENERATED {
        let golden = format!("tests/golden/flake/{name}");
        golden::holds(&golden, &text(&tree, name));
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(golden);
        let parsed = nix_instantiate().args(["--parse", "--store", "dummy://"]).arg(&file).output();
        let parsed = parsed.unwrap();
        assert!(parsed.success(), "{name}: {}", parsed.stderr);
    }
    let paths: Vec<_> = tree.iter().map(|(path, _)| path.as_str()).collect();
    let expected = [
        "body.nix",
        "debian.nix",
        "flake.nix",
        "images/database.nix",
        "nix/debian/default.nix",
        "nix/default.nix",
        "sources/core/pyproject.toml",
        "sources/core/src/odd name ${x}.py",
        "sources/scribe/pyproject.toml",
        "sources/scribe/src/odd name ${x}.py",
        "sources/vision__ocr_2/pyproject.toml",
        "sources/vision__ocr_2/src/odd name ${x}.py",
    ];
    assert_eq!(paths, expected);
}

/// Of a locale the order counts. What a policy says of scripts that do not run is said where they do not run.
#[test]
fn what_becomes_of_debians_packages_is_data() {
    let (mut synthesis, sources) = sample::small();
    let debian = |synthesis: &Synthesis| text(&emit(&(synthesis.clone(), sources.clone())), "debian.nix");
    let plain = debian(&synthesis);
    assert!(!plain.contains("locales") && !plain.contains("strict"), "{plain}");
    if let Substrate::Debian { locales, .. } = &mut synthesis.substrate {
        *locales = ["sr_RS.UTF-8@latin", "de_DE.UTF-8"].map(|name| name.parse().unwrap()).to_vec();
    }
    synthesis.policy.strict = true;
    let run = debian(&synthesis);
    assert!(run.contains("locales = [ \"sr_RS.UTF-8@latin\" \"de_DE.UTF-8\" ];"), "{run}");
    assert!(!run.contains("strict"), "{run}");
    for package in &mut synthesis.system_packages {
        package.images.retain(|_, part| *part != Part::Configure);
    }
    let read = debian(&synthesis);
    assert!(read.contains("strict = true;"), "{read}");
}

#[test]
fn the_order_of_vectors_does_not_matter() {
    let (mut synthesis, sources) = sample::small();
    let before = emit(&(synthesis.clone(), sources.clone()));
    assert_eq!(emit(&(synthesis.clone(), sources.clone())), before);
    synthesis.members.rotate_left(1);
    synthesis.python_packages.reverse();
    synthesis.system_packages.rotate_left(2);
    synthesis.build_environments[0].packages.reverse();
    assert_eq!(emit(&(synthesis, sources)), before);
}

/// Nix reads exactly the Synthesis out of the flake, hostile text in every free field included.
#[test]
fn nix_reads_the_synthesis_back() {
    let hostile = "a\"b''${builtins.abort \"x\"} $${y} \\${z}\\\n'' + \u{2028}";
    let (mut synthesis, sources) = sample::small();
    synthesis.python = hostile.to_owned();
    synthesis.python_packages[1].version = hostile.to_owned();
    let file = wheel_file(&mut synthesis.python_packages[1]);
    // The most that an address may hold of it.
    file.place = Place::Download(sample::address("a''$%7Bbuiltins.abort%20%22x%22%7D$$y'';in''$"));
    file.name = hostile.to_owned();
    synthesis.system_packages[3].version = hostile.to_owned();
    synthesis.system_packages[3].url = format!("http://{hostile}");
    synthesis.system_packages[3].filename = StoreName::mapped(hostile);
    synthesis.build_environments[0].id = hostile.to_owned();
    for member in &mut synthesis.members {
        member.build_environment = Some(hostile.to_owned());
        let backend = member.build_backend.as_mut().unwrap();
        (backend.object, backend.path) = (hostile.to_owned(), vec![hostile.to_owned()]);
    }
    let image = &mut synthesis.image;
    (image.name, image.user.name) = (hostile.to_owned(), hostile.to_owned());
    (image.command, image.directories) = (vec![hostile.to_owned()], vec![hostile.to_owned()]);
    image.labels.insert(hostile.to_owned(), hostile.to_owned());
    image.environment.insert(hostile.to_owned(), hostile.to_owned());
    image.starts.insert("command", hostile.to_owned());
    let database = synthesis.images.get_mut(&Role::database()).unwrap();
    (database.name, database.command) = (hostile.to_owned(), vec![hostile.to_owned()]);
    database.environment.insert("PGDATA".to_owned(), hostile.to_owned());
    database.directories.push(hostile.to_owned());
    database.volumes = [hostile.to_owned()].into();
    database.starts.insert("health", hostile.to_owned());

    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("flake");
    let tree = emit(&(synthesis.clone(), sources));
    assert_eq!(transmute::write(&directory, &tree), Ok(true));
    let read = evaluate(
        &directory.join("flake.nix"),
        "flake: flake // { outputs = flake.outputs { self = { }; }; }",
    );

    assert_eq!(read["description"], format!("The body of {hostile}"));
    let packages = &read["outputs"]["packages"]["x86_64-linux"];
    let image = &packages["lychd-image"];
    assert_eq!(packages["default"], *image);
    assert_eq!(packages["lychd-image-conf"], "conf");
    assert_eq!(image["pkgs"], expected_pkgs(&synthesis));
    assert_eq!(without(image, &["pkgs", "conf", "layers"]), expected_image(&synthesis));
    let layers = json!([
        { "system": ["libc6"] },
        { "system": ["libmagic1t64"] },
        { "wheels": ["numpy"] },
        { "wheels": ["torch"] },
        { "wheels": ["litestar"] },
        { "wheels": ["idna"] },
        { "members": ["core"] },
        { "members": ["scribe"] },
        { "members": ["vision/ocr_2"] },
    ]);
    assert_eq!(image["layers"], layers);

    let database = &packages["lychd-image-database"];
    let own = &synthesis.images[&Role::database()];
    assert_eq!(packages["lychd-image-database-conf"], "conf");
    assert_eq!(database["pkgs"], image["pkgs"]);
    assert_eq!(
        without(database, &["pkgs", "conf"]),
        json!({
            "name": own.name, "tag": "custom", "python": false, "system": ["libc6", "postgresql-17"],
            "layers": [{ "system": ["libc6"] }, { "system": ["postgresql-17"] }],
            "configure": ["dpkg"], "entry": "postgresql", "starts": own.starts,
            "user": { "name": "postgres", "uid": 1001 }, "directories": ["/run/postgresql", hostile],
            "config": {
                "Cmd": [hostile], "Env": [format!("PGDATA={hostile}")], "User": "1001:1001", "WorkingDir": "/",
                "Labels": {}, "ExposedPorts": { "5432/tcp": {} }, "StopSignal": "SIGINT",
                "Volumes": { hostile: {} },
            },
        })
    );
}

fn without(value: &Value, keys: &[&str]) -> Value {
    let mut value = value.clone();
    for key in keys {
        value.as_object_mut().unwrap().remove(*key);
    }
    value
}

fn expected_pkgs(synthesis: &Synthesis) -> Value {
    let packages: BTreeMap<_, _> = synthesis
        .system_packages
        .iter()
        .map(|package| {
            let value = json!({
                "version": package.version, "file": package.filename.as_str(), "url": package.url,
                "sha256": package.sha256, "requestedBy": package.requested_by,
            });
            (package.name.as_str(), value)
        })
        .collect();
    json!({
        "system": "x86_64-linux", "sourceDateEpoch": 1,
        "debian": {
            "python": { "version": synthesis.python, "packages": ["libc6", "python3.13-minimal"] },
            "packages": packages,
        },
    })
}

fn expected_image(synthesis: &Synthesis) -> Value {
    let wheels = |packages: &[PythonPackage]| -> Vec<Value> {
        packages
            .iter()
            .map(|package| {
                json!({
                    "name": package.name, "version": package.version,
                    "file": package.source.file().unwrap().store_name().as_str(),
                    "url": package.source.address().unwrap().as_str(), "sha256": package.sha256, "requestedBy": package.requested_by,
                })
            })
            .collect()
    };
    let environment = json!({ "wheels": wheels(&synthesis.build_environments[0].packages) });
    let members: Vec<_> = synthesis
        .members
        .iter()
        .map(|member| {
            json!({
                "id": member.id, "name": member.name, "source": { "pyproject.toml": "regular", "src": "directory" },
                "hash": member.nar_sha256.to_sri_string(),
                "environment": member.build_environment.as_ref().map(|_| environment.clone()),
                "backend": member.build_backend, "requestedBy": [member.id],
            })
        })
        .collect();
    let image = &synthesis.image;
    let environment: Vec<_> =
        image.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    json!({
        "name": image.name, "tag": "custom", "system": ["libc6", "libmagic1t64"],
        "wheels": wheels(&synthesis.python_packages), "members": members,
        "config": {
            "Cmd": image.command, "Env": environment, "User": "1001:1001", "WorkingDir": "/app",
            "Labels": image.labels, "ExposedPorts": { "443/tcp": {}, "8000/tcp": {} },
        },
        "user": { "name": image.user.name, "uid": 1001 }, "directories": image.directories,
        "collisions": image.collisions, "missingLibraries": image.missing_libraries,
        "configure": ["dpkg", "libmagic-mgc"], "starts": image.starts,
    })
}

#[test]
fn a_flake_is_written_over_its_predecessor_and_the_diff_says_how() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("flake");
    let (mut synthesis, sources) = sample::small();
    transmute::write(&directory, &emit(&(synthesis.clone(), sources.clone()))).unwrap();
    synthesis.python_packages[0].version = "3.11".to_owned();
    let newer = emit(&(synthesis, sources));
    let changes = transmute::diff(&directory, &newer).unwrap();
    let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(
        paths,
        ["body.nix", "debian.nix", "flake.nix", "images/database.nix"],
        "all four name the synthesis"
    );
    let (old, new) = ("-      version = \"3.10\";\n", "+      version = \"3.11\";\n");
    assert!(changes[0].text.contains(&format!("{old}{new}")), "{}", changes[0].text);
    for path in GENERATED {
        assert!(text(&newer, path).starts_with(transmute::MARKER), "{path}");
    }
    assert_eq!(transmute::write(&directory, &newer), Ok(true));
    assert_eq!(transmute::diff(&directory, &newer), Ok(vec![]));
}

#[test]
fn what_may_pass_in_the_image_is_named_only_where_something_may() {
    let (mut synthesis, sources) = sample::small();
    let with = text(&emit(&(synthesis.clone(), sources.clone())), "body.nix");
    synthesis.image.collisions.clear();
    synthesis.image.missing_libraries.clear();
    let without = text(&emit(&(synthesis, sources)), "body.nix");
    for key in ["collisions = {", "missingLibraries = {"] {
        assert!(with.contains(key) && !without.contains(key), "{key}");
    }
}

/// The sample with members that are no packages.
fn plain(places: &[(usize, Option<&str>)]) -> (Synthesis, sample::Sources) {
    let (mut synthesis, sources) = sample::small();
    for (index, place) in places {
        let member = &mut synthesis.members[*index];
        (member.build_environment, member.build_backend) = (None, None);
        member.place = place.map(str::to_owned);
    }
    (synthesis, sources)
}

#[test]
fn a_member_that_is_no_package_is_a_tree_at_its_place() {
    let (synthesis, sources) = plain(&[(0, Some("/app")), (2, Some("/app/extensions/vision/ocr_2"))]);
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("flake");
    let tree = emit(&(synthesis.clone(), sources));
    golden::holds("tests/golden/plain/body.nix", &text(&tree, "body.nix"));
    assert_eq!(transmute::write(&directory, &tree), Ok(true));
    let read = evaluate(
        &directory.join("flake.nix"),
        "flake: (flake.outputs { self = { }; }).packages.x86_64-linux.lychd-image",
    );
    let given = |index: usize| {
        let member = &synthesis.members[index];
        json!({
            "id": member.id, "name": member.name, "source": { "pyproject.toml": "regular", "src": "directory" },
            "hash": member.nar_sha256.to_sri_string(), "place": member.place, "requestedBy": [member.id],
        })
    };
    let members = &read["members"];
    assert_eq!([&members[0], &members[2]], [&given(0), &given(2)]);
    assert_eq!(members[1]["backend"]["object"], "hatchling.build", "the other is a package");
    let (mut synthesis, sources) = plain(&[(0, Some("/app"))]);
    synthesis.members[1].place = Some("/app/extensions/scribe".to_owned());
    let failure = transmute::transmute(&synthesis, &sources, &echo_library()).unwrap_err();
    assert!(failure.to_string().contains("`scribe` is a package and has a place of its own"), "{failure}");
}

#[test]
fn a_further_project_that_is_no_package_is_left_out() {
    let (synthesis, sources) = plain(&[(1, None)]);
    let tree = emit(&(synthesis, sources));
    let body = text(&tree, "body.nix");
    assert!(body.contains("members = [ members.\"core\" members.\"vision/ocr_2\" ];"), "{body}");
    assert!(!body.contains("{ members = [ \"scribe\" ]; }"), "{body}");
    assert!(tree.iter().all(|(path, _)| !path.as_str().starts_with("sources/scribe")));
}

#[test]
fn a_member_with_native_code_says_so_and_any_other_nothing() {
    let (mut synthesis, sources) = sample::small();
    let says = |synthesis: &Synthesis| {
        let tree = emit(&(synthesis.clone(), sources.clone()));
        let body = text(&tree, "body.nix");
        (synthesis.to_canonical_json().matches("\"native\"").count(), body.matches("native = true;").count())
    };
    assert_eq!(says(&synthesis), (0, 0));
    synthesis.members[2].native = true;
    assert_eq!(says(&synthesis), (1, 1));
}

#[test]
fn parts_that_do_not_fit_together_are_all_named() {
    let (mut synthesis, mut sources) = sample::small();
    let twin = synthesis.python_packages[0].clone();
    synthesis.python_packages.push(twin);
    synthesis.members[2].id = "vision__ocr_2".parse().unwrap();
    synthesis.members[1].build_environment = Some("missing".to_owned());
    synthesis.members[0].build_backend = None;
    let mut other = synthesis.members[2].clone();
    other.id = "vision/ocr_2".parse().unwrap();
    synthesis.members.push(other);
    sources.remove(&"scribe".parse().unwrap());
    sources.insert("stray".parse().unwrap(), FileTree::new());
    let failure = transmute::transmute(&synthesis, &sources, &FileTree::new()).unwrap_err();
    let said: Vec<_> = failure.diagnostics().iter().map(|diagnostic| &*diagnostic.message).collect();
    let expected = [
        "the Nix library has no `default.nix`",
        "the Nix library has no `debian/default.nix`",
        "wheel `idna` occurs 2 times",
        "member `core` has only one of build environment and build backend",
        "member `scribe` has no source tree",
        "member `scribe` wants the unknown build environment `missing`",
        "members `vision/ocr_2` and `vision__ocr_2` would share a directory in the flake",
        "member `vision__ocr_2` has no source tree",
        "there is a source tree for `stray`, which is no member",
    ];
    assert_eq!(said.iter().collect::<std::collections::BTreeSet<_>>(), expected.iter().collect());
}
