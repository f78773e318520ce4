//! Quadlet files of the user's own that have a rendered file's name, or make a unit of the same name.

use super::{
    entries::{Entry as Line, entries},
    search::{Content, SearchTree, shown},
};
use crate::{
    diagnostic::{Diagnostic, Failure, Source},
    runes::unit::service_of,
    tree::{Entry, FileTree},
};

/// Compares a rendered set with the user's own files.
///
/// # Errors
/// Unable when one of them that may make the same service cannot be read.
pub fn shadowing(rendered: &FileTree, found: &SearchTree) -> Result<Vec<Diagnostic>, Failure> {
    let mut theirs = Vec::new();
    for (at, directory) in found.directories.iter().enumerate() {
        for (name, content) in &directory.quadlets {
            let first = found.site_at.is_some_and(|site| site <= at);
            theirs.push((directory.path.join(name), name, service(name, content, found), first));
        }
    }
    let mut wrong = Vec::new();
    for (path, entry) in rendered.iter() {
        let Entry::File { bytes, .. } = entry else { continue };
        let Some(name) = path.components().next_back() else { continue };
        let text = Source::new(path.as_str(), String::from_utf8_lossy(bytes));
        let Some(service) = service_in(name, &text) else { continue };
        let ours = found.site.join(path.as_str());
        for (path, other, its, first) in &theirs {
            let shown = shown(path);
            let told = if *other == name {
                Diagnostic::new(if *first {
                    format!("podman would read the rendered `{name}` instead of `{shown}`")
                } else {
                    format!("podman would read `{shown}` instead of the rendered `{name}`")
                })
            } else if its.clone()?.as_ref() == Some(&service) {
                Diagnostic::new(format!("`{shown}` makes `{service}`, as the rendered `{name}` does"))
            } else {
                continue;
            };
            wrong.push(
                told.note(format!("the rendered file is to be `{}`", ours.display()))
                    .help(format!("rename `{shown}`, or move it out of podman's directories")),
            );
        }
    }
    Ok(wrong)
}

/// The service that is made of a file of the user's own with its drop-ins; `None` of something that is no file.
fn service(name: &str, content: &Content, found: &SearchTree) -> Result<Option<String>, Failure> {
    match content {
        Content::Text(source) => {
            let mut said = entries(source);
            // What cannot be read podman cannot read either.
            let drop_ins = found.drop_ins_of(name);
            said.extend(drop_ins.iter().filter_map(|(_, content)| content.text()).flat_map(entries));
            Ok(service_said(name, &said))
        }
        Content::None | Content::Odd => Ok(None),
        Content::Closed(failure) => Err(failure.clone()),
    }
}

/// The service that is made of a Quadlet file alone.
pub(super) fn service_in(name: &str, source: &Source) -> Option<String> {
    service_said(name, &entries(source))
}

/// The service that is made of a Quadlet file: as `ServiceName=` says, or after the file.
pub(super) fn service_said(name: &str, said: &[Line]) -> Option<String> {
    let usual = service_of(name)?;
    let said = said.iter().rfind(|entry| entry.key == "ServiceName").map(Line::single);
    Some(said.filter(|said| !said.is_empty()).map_or(usual, |said| format!("{said}.service")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::file;

    #[test]
    fn services_are_named_after_their_files_unless_they_say_otherwise() {
        for (name, text, want) in [
            ("a.pod", "", "a-pod.service"),
            ("a.pod", "[Pod]\nServiceName = b\n", "b.service"),
            ("a.container", "ServiceName=b\nServiceName=\n", "a.service"),
            ("a.container", "ServiceName=\"b\"\n", "b.service"),
            ("a.container", "ServiceName=b\\\n c\n", "bc.service"),
        ] {
            assert_eq!(service_in(name, &Source::new("x", text)).as_deref(), Some(want), "{name}");
        }
    }

    #[test]
    fn they_are_found_in_podmans_order() {
        let home = tempfile::tempdir().unwrap();
        let base = file::canonical(home.path()).unwrap().join("base");
        let mut tree = FileTree::new();
        for path in [
            "run/a.container",
            "etc/lychd/a.container",
            "etc/.hidden/b.container",
            "etc/sub.d/b.container",
            "etc/z/c.container",
            "etc/z/d.kube",
            "etc/z/other.container",
            "else/e.container",
        ] {
            tree.insert_text(path.parse().unwrap(), "[Container]\n");
        }
        for (path, target) in
            [("etc/link.d", "../else"), ("else/round", "../etc"), ("etc/gone.container", "nowhere")]
        {
            tree.insert(path.parse().unwrap(), Entry::Link { target: target.to_owned() });
        }
        file::write_tree(&base, &tree).unwrap();
        let mut rendered = FileTree::new();
        for name in ["a", "b", "c", "d", "e"] {
            rendered.insert_text(format!("{name}.container").parse().unwrap(), "[Container]\n");
        }
        let directories = [base.join("run"), base.join("etc"), base.join("missing")];
        let told = |site: &str| -> Vec<String> {
            let found = SearchTree::read(&base.join(site), &directories).unwrap();
            let all = shadowing(&rendered, &found).unwrap();
            let shown = base.display().to_string();
            all.iter().map(|one| one.message.replace(&shown, "")).collect()
        };
        let want = [
            "podman would read `/run/a.container` instead of the rendered `a.container`",
            "podman would read `/etc/.hidden/b.container` instead of the rendered `b.container`",
            "podman would read the rendered `c.container` instead of `/etc/z/c.container`",
            "`/etc/z/d.kube` makes `d.service`, as the rendered `d.container` does",
            "podman would read `/etc/link.d/e.container` instead of the rendered `e.container`",
        ];
        assert_eq!(told("etc/lychd"), want);
        // A site that is not there yet; then what was another site counts.
        assert_eq!(told("etc/new").len(), want.len() + 1);
        assert!(told("etc/new").contains(&want[2].to_owned()));
        // What podman would find at the end of it cannot be told.
        tree.insert("etc/loop".parse().unwrap(), Entry::Link { target: "loop".to_owned() });
        file::write_tree(&base, &tree).unwrap();
        let unable = SearchTree::read(&base.join("etc/lychd"), &directories).unwrap_err();
        assert_eq!(unable.exit_code(), 2, "{unable}");
    }

    #[test]
    fn a_drop_in_gives_a_service_its_name() {
        let home = tempfile::tempdir().unwrap();
        let base = file::canonical(home.path()).unwrap();
        file::write(&base.join("u/mine.container"), b"[Container]\n").unwrap();
        file::write(&base.join("v/mine.container.d/x.conf"), b"[Container]\nServiceName=lychd-a\n").unwrap();
        let found = SearchTree::read(&base.join("u/lychd"), &[base.join("u"), base.join("v")]).unwrap();
        let mut rendered = FileTree::new();
        rendered.insert_text("lychd-a.container".parse().unwrap(), "[Container]\n");
        let told = shadowing(&rendered, &found).unwrap();
        assert!(
            told.len() == 1
                && told[0].message.ends_with(
                    "/u/mine.container` makes `lychd-a.service`, as the rendered `lychd-a.container` does"
                ),
            "{told:?}"
        );
    }
}
