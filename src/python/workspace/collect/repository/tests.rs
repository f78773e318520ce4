//! What a git source may be, from repositories as values.

use crate::{
    crypt::Member,
    diagnostic::Failure,
    name::url::HostPolicy,
    python::{
        sources::git::{GitRequest, GitTree},
        workspace::{collect::collect, tests::member},
    },
    tree::FileTree,
};

const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// A member that wants `loom` by `source` out of the repository.
fn wanting(id: &str, source: &str) -> Member {
    member(id, &format!("dependencies = ['loom']\n[tool.uv.sources]\nloom = {source}\n"))
}

/// What is said when the repository's `pyproject.toml` is `manifest`.
fn refused(members: &[Member], manifest: Option<&str>) -> String {
    let bring = |request: &GitRequest| -> Result<GitTree, Failure> {
        let mut tree = FileTree::new();
        tree.insert_text("README".parse().unwrap(), "loom");
        if let Some(manifest) = manifest {
            tree.insert_text("pyproject.toml".parse().unwrap(), manifest);
        }
        Ok(GitTree { url: request.url.clone(), revision: REVISION.parse().unwrap(), tree })
    };
    let hosts = HostPolicy::new(["git.example.org".to_owned()]);
    collect(members, &hosts, &bring).unwrap_err().to_string()
}

const GOOD: &str = "[project]\nname = 'loom'\nversion = '1'\n[build-system]\nrequires = ['flit-core']\n";

#[test]
fn two_members_that_want_different_trees_are_both_named() {
    let source = |branch: &str| format!("{{ git = 'https://git.example.org/loom', branch = '{branch}' }}");
    let said = refused(&[wanting("core", &source("main")), wanting("scribe", &source("next"))], Some(GOOD));
    assert!(said.contains("disagree on the git source of `loom`"), "{said}");
    assert!(said.contains("core wants branch main") && said.contains("scribe wants branch next"), "{said}");
    assert!(
        said.contains("at core/pyproject.toml:6:16") && said.contains("at scribe/pyproject.toml:6:16"),
        "{said}"
    );
}

#[test]
fn a_repository_that_cannot_be_used_is_refused_with_the_place_of_the_source() {
    let plain = "{ git = 'https://git.example.org/loom' }";
    let dynamic = GOOD.replace("version = '1'", "dynamic = ['version', 'dependencies']");
    let cases = [
        (plain, None, "at 0123456789abcdef0123456789abcdef01234567 has no `pyproject.toml` there"),
        (plain, Some("[project]\nname = 'other'\nversion = '1'\n"), "is `other`, not `loom`"),
        (plain, Some("[project]\nname = 'loom'\nversion = '1'\n"), "is no package: it has no [build-system]"),
        (plain, Some(dynamic.as_str()), "`dependencies` in [project] is dynamic"),
        (
            "{ git = 'https://evil.example.org/loom' }",
            Some(GOOD),
            "add \"evil.example.org\" to `[policy] hosts`",
        ),
        ("{ git = 'http://git.example.org/loom' }", Some(GOOD), "fetched over https"),
        ("{ git = 'https://git.example.org/loom', rev = 'abc' }", Some(GOOD), "`abc` is not a full revision"),
        (
            "{ git = 'https://git.example.org/loom', branch = '-u' }",
            Some(GOOD),
            "`-u` is not the name of a branch",
        ),
        (
            "{ git = 'https://git.example.org/loom', tag = 'a', branch = 'b' }",
            Some(GOOD),
            "one of `branch`, `rev` and `tag`",
        ),
        (
            "{ git = 'https://git.example.org/loom', subdirectory = '../x' }",
            Some(GOOD),
            "no plain relative path",
        ),
        (
            "{ git = 'https://git.example.org/loom', lfs = true }",
            Some(GOOD),
            "`lfs` of a git source is not taken",
        ),
    ];
    for (source, manifest, want) in cases {
        let said = refused(&[wanting("core", source)], manifest);
        assert!(said.contains(want), "{want}\n--- not in ---\n{said}");
        assert!(said.contains("requested by core"), "{said}");
    }
}
