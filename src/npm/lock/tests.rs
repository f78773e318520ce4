use super::*;

const SHA512: &str =
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

fn read(text: &str) -> Result<NpmLock, String> {
    NpmLock::read(&Source::new("synthesis/package-lock.json", text)).map_err(|failure| failure.to_string())
}

fn lock(packages: &str) -> String {
    format!("{{\n\"lockfileVersion\": 3,\n\"packages\": {{\n{packages}\n}}}}")
}

fn entry<'a>(lock: &'a NpmLock, path: &str) -> &'a Entry {
    &lock.entries[&path.parse::<InstallPath>().unwrap()]
}

#[test]
fn every_kind_of_entry_is_read() {
    let text = lock(&format!(
        r#""": {{"name": "root", "workspaces": ["web"], "devDependencies": {{"a": "^1"}}}},
"web": {{"name": "@x/web", "version": "1.0.0", "dependencies": {{"alias": "npm:b@2"}}}},
"node_modules/@x/web": {{"resolved": "web", "link": true}},
"node_modules/a": {{"version": "1.2.3", "resolved": "https://registry.npmjs.org/a/-/a-1.2.3.tgz", "integrity": "{SHA512}",
  "dev": true, "hasInstallScript": true, "bin": {{"a": "./bin/a.js", "@x/z": "z"}}, "devDependencies": {{"ignored": "1"}},
  "peerDependencies": {{"p": "*", "q": "*"}}, "peerDependenciesMeta": {{"p": {{"optional": true}}}},
  "dependencies": {{"o": "1"}}, "optionalDependencies": {{"o": "1"}}, "engines": {{"node": ">=18"}}}},
"node_modules/alias": {{"name": "b", "version": "2.0.0", "bin": "cli.js"}},
"node_modules/a/node_modules/o": {{"version": "1.0.0", "optional": true, "os": ["!win32"], "cpu": ["x64"], "libc": ["glibc"]}},
"node_modules/a/node_modules/in": {{"version": "1.0.0", "inBundle": true}},
"node_modules/t": {{"version": "1.0.0", "resolved": "file:web/t.tgz", "integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "odd": 1}}"#
    ));
    let lock = read(&text).unwrap();
    assert_eq!(entry(&lock, "").package, Package::Directory { name: Some("root".parse().unwrap()) });
    assert_eq!(entry(&lock, "node_modules/@x/web").package, Package::Link { target: "web".parse().unwrap() });
    let a = entry(&lock, "node_modules/a");
    assert_eq!(
        a.bin,
        BTreeMap::from([("a".to_owned(), "bin/a.js".to_owned()), ("z".to_owned(), "z".to_owned())])
    );
    let kinds: Vec<String> = a.edges.iter().map(|(name, edge)| format!("{name} {:?}", edge.kind)).collect();
    assert_eq!(kinds, ["o Optional", "p OptionalPeer", "q Peer"]);
    assert!(matches!(&a.package, Package::Tarball { scripts: true, pins: Pins::Pinned(_), .. }));
    let alias = entry(&lock, "node_modules/alias");
    assert!(
        matches!(&alias.package, Package::Tarball { name, from: From::Unsaid, pins: Pins::Missing, .. } if name.as_str() == "b")
    );
    assert_eq!(alias.bin.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(entry(&lock, "node_modules/a/node_modules/in").package, Package::Bundled);
    assert!(
        matches!(&entry(&lock, "node_modules/t").package, Package::Tarball { from: From::File(path), pins: Pins::Weak { .. }, .. } if path.as_str() == "web/t.tgz")
    );
    assert_eq!(
        lock.notes,
        ["`synthesis/package-lock.json` has the key `odd`, which this forge does not know"]
    );
    let found = |from: &str, name: &str| {
        lock.resolve(&from.parse().unwrap(), &name.parse().unwrap()).map(|entry| entry.path.to_string())
    };
    assert_eq!(found("node_modules/a", "o").as_deref(), Some("node_modules/a/node_modules/o"));
    assert_eq!(
        found("node_modules/a/node_modules/o", "in").as_deref(),
        Some("node_modules/a/node_modules/in")
    );
    assert_eq!(found("web", "a").as_deref(), Some("node_modules/a"));
    assert_eq!(found("web", "o"), None);
}

#[test]
fn what_nobody_could_build_from_is_refused_with_its_place() {
    let package = |rest: &str| lock(&format!("\"node_modules/a\": {{{rest}}}"));
    for (text, want) in [
        (
            "{\n\"lockfileVersion\": 1}".to_owned(),
            "is a lock of version 1, which has no paths\n  at synthesis/package-lock.json:2:20\n  help: `npm install --package-lock-only --lockfile-version 3` upgrades it",
        ),
        (
            "{\"lockfileVersion\": 4}".to_owned(),
            "that this forge does not know\n  at synthesis/package-lock.json:1:21\n  help: it knows 2 and 3",
        ),
        ("{\"lockfileVersion\": 2, \"dependencies\": {}}".to_owned(), "has no `packages`"),
        ("{\"packages\": {}}".to_owned(), "has no `lockfileVersion`"),
        (lock("\"../x\": {}"), "`../x` is no place for a package\n  at synthesis/package-lock.json:4:1"),
        (lock("\"node_modules/a\": 1"), "`node_modules/a` must be a table, not an integer"),
        (package(""), "`node_modules/a`: it has no `version`\n  at synthesis/package-lock.json:4:1"),
        (package("\"version\": \"1 2\""), "`1 2` is not a version"),
        (package("\"version\": \"1.0.0\", \"name\": \"../b\""), "`../b` is not an npm package name"),
        (
            package("\"version\": \"1.0.0\", \"resolved\": \"git+ssh://git@github.com/x/a.git#0123\""),
            "`node_modules/a`: it comes from git: `git+ssh://git@github.com/x/a.git#0123`\n  at synthesis/package-lock.json:4:52",
        ),
        (
            package("\"version\": \"1.0.0\", \"resolved\": \"ext::sh -c id\""),
            "has an address nobody can fetch",
        ),
        (
            package("\"version\": \"1.0.0\", \"resolved\": \"file:../../etc/x.tgz\""),
            "is not a plain relative path",
        ),
        (
            package("\"link\": true, \"resolved\": \"../x\""),
            "a link to `../x`, which is no directory below the root",
        ),
        (package("\"link\": true, \"resolved\": \"node_modules/b\""), "which is no directory below the root"),
        (package("\"link\": true"), "a link to ``"),
        (
            package("\"version\": \"1.0.0\", \"bin\": {\"../../x\": \"/etc/../y\"}"),
            "the command `../../x` is no plain file `/etc/../y`",
        ),
        (
            package("\"version\": \"1.0.0\", \"dependencies\": {\"a b\": \"1\"}"),
            "`a b` is not an npm package name",
        ),
        (package("\"version\": \"1\", \"version\": \"2\""), "duplicate key `version`"),
    ] {
        let error = read(&text).expect_err(&text);
        assert!(error.contains(want), "{text}\n{want}\n--- not in ---\n{error}");
    }
    let two = lock("\"../x\": {},\n\"/y\": {}");
    let error = read(&two).unwrap_err();
    assert!(error.contains("json:4:1") && error.contains("json:5:1"), "{error}");
    assert!(
        NpmLock::parse("l", "\u{feff}{}".as_bytes()).unwrap_err().to_string().contains("byte order mark")
    );
}
