//! `lychd.lock` at the root of the Crypt: where each repository of the federation stood, and its hash.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, str::FromStr};

use super::{Federation, WorkingCopy};
use crate::{
    diagnostic::{Diagnostic, Failure, Place, Source, refuse_any},
    digest::{Sha256, object_id::ObjectId},
    document::{
        self, Located, Table,
        reader::{Reader, like, sort_by_place},
    },
    host::{file, vcs::System},
    name::MemberId,
};

/// Its name, below the Crypt.
pub const NAME: &str = "lychd.lock";
/// The version of the format.
const VERSION: u64 = 1;
const KEYS: [&str; 6] = ["id", "path", "vcs", "revision", "dirty", "nar-sha256"];
const TITLE: &str = "[[repository]]";

/// The lock: one entry for each member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FederationLock {
    repositories: BTreeMap<MemberId, Repository>,
}

/// One locked repository.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Where it stood.
    pub working_copy: WorkingCopy,
    /// Hash of its source tree as a Nix archive.
    pub nar_sha256: Sha256,
    /// Where the lock says so; `None` for an entry that was not read.
    pub place: Option<Place>,
}

/// Places do not count: a lock is what it says, not where.
impl PartialEq for Repository {
    fn eq(&self, other: &Self) -> bool {
        (self.working_copy, self.nar_sha256) == (other.working_copy, other.nar_sha256)
    }
}

impl FederationLock {
    /// Where the members of a federation stand now.
    #[must_use]
    pub fn of(federation: &Federation) -> Self {
        let entry = |member: &super::Member| {
            let repository = Repository {
                working_copy: member.checkout.working_copy,
                nar_sha256: member.source.nar_sha256,
                place: None,
            };
            (member.id.clone(), repository)
        };
        Self { repositories: federation.members().iter().map(entry).collect() }
    }

    /// Reads the lock of the Crypt at `root`; `None` when there is none.
    ///
    /// # Errors
    /// Refused with everything that is wrong in it; unable when it cannot be read.
    pub fn read(root: &Path) -> Result<Option<Self>, Failure> {
        document::read(&root.join(NAME), NAME)?.as_ref().map(Self::parse).transpose()
    }

    /// Parses a lock.
    ///
    /// # Errors
    /// Refused with everything that is wrong in it, and where.
    pub fn parse(source: &Source) -> Result<Self, Failure> {
        let table = document::parse(source)?;
        let mut errors = Vec::new();
        let mut reader = Reader::open(&table, NAME, &mut errors);
        match reader.number("version", u64::from(u32::MAX)) {
            Some(VERSION) => {}
            // Other versions may have other keys: nothing else can be judged.
            Some(_) => {
                let place = table.get("version").map_or_else(|| source.at(0..0), |node| node.place.clone());
                return Err(Diagnostic::new(format!("`{NAME}` is of a version that is not known"))
                    .at(place, "")
                    .help(format!("this version of the forge reads version {VERSION}"))
                    .into());
            }
            None if table.get("version").is_none() => {
                let missing = Diagnostic::new(format!("`{NAME}` has no `version`")).at(source.at(0..0), "");
                reader.errors().push(missing.help(format!("write `version = {VERSION}`")));
            }
            None => {}
        }
        reader.finish();
        let mut reader = Reader::new(&table, NAME, &mut errors);
        reader.knows(&["version"]);
        let mut lock = Self::default();
        for node in reader.array("repository").unwrap_or_default() {
            let Some(table) = node.as_table() else {
                let message = format!("an entry of {TITLE} must be a table, not {}", node.kind());
                reader.errors().push(Diagnostic::new(message).at(node.place.clone(), ""));
                continue;
            };
            let Some((id, repository)) = repository(table, &node.place, reader.errors()) else { continue };
            if let Some(first) = lock.repositories.get(&id.value) {
                let twice =
                    Diagnostic::new(format!("`{}` stands twice in `{NAME}`", id.value)).at(id.place, "");
                let first = first.place.clone().into_iter().map(|place| (place, "first here".to_owned()));
                let mut twice = twice;
                twice.places.extend(first);
                reader.errors().push(twice);
                continue;
            }
            lock.repositories.insert(id.value, repository);
        }
        reader.finish();
        sort_by_place(&mut errors);
        refuse_any(errors)?;
        Ok(lock)
    }

    /// Writes the lock into the Crypt at `root` when it says anything else than `before`, and says whether it
    /// could: a Crypt that is read-only is left as it is.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be written for another reason.
    pub fn write(&self, before: Option<&Self>, root: &Path) -> Result<bool, Failure> {
        if before == Some(self) {
            return Ok(true);
        }
        file::write_if_allowed(&root.join(NAME), self.to_text().as_bytes())
    }

    /// The locked repositories, by member.
    #[must_use]
    pub fn repositories(&self) -> &BTreeMap<MemberId, Repository> {
        &self.repositories
    }

    /// The canonical text: the core first, then the extensions by id.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "# Written by lychd-forge: the repositories of the federation, as they were last synthesized.\n\
             version = {VERSION}\n"
        );
        let mut all: Vec<_> = self.repositories.iter().collect();
        all.sort_by_key(|(id, _)| (!id.is_core(), *id));
        for (id, Repository { working_copy, nar_sha256, place: _ }) in all {
            // None of the values can hold a quote. Writing into a string cannot fail.
            let _ = write!(text, "\n{TITLE}\nid = \"{id}\"\npath = \"{}\"\n", id.directory());
            let _ = writeln!(text, "vcs = \"{}\"", working_copy.vcs());
            if let WorkingCopy::Repository { revision, dirty, .. } = working_copy {
                let _ = write!(text, "revision = \"{revision}\"\ndirty = {dirty}\n");
            }
            let _ = writeln!(text, "nar-sha256 = \"{nar_sha256}\"");
        }
        text
    }
}

/// What `vcs` can say.
enum Vcs {
    None,
    System(System),
}

impl FromStr for Vcs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "git" => Ok(Self::System(System::Git)),
            "jj" => Ok(Self::System(System::Jj)),
            _ => Err(format!("`{}` is not `git`, `jj` or `none`", text.escape_debug())),
        }
    }
}

fn repository(
    table: &Table,
    place: &Place,
    errors: &mut Vec<Diagnostic>,
) -> Option<(Located<MemberId>, Repository)> {
    let already = errors.len();
    let mut reader = Reader::new(table, TITLE, errors);
    let id: Option<Located<MemberId>> = reader.parsed(like("id", r#""core""#));
    let own = id.as_ref().map_or_else(MemberId::core, |id| id.value.clone()).directory();
    let lies = reader.string(like("path", &format!("\"{own}\"")));
    let vcs: Option<Located<Vcs>> = reader.parsed("vcs");
    let revision: Option<Located<ObjectId>> = reader.parsed("revision");
    let dirty = reader.boolean("dirty");
    let nar_sha256: Option<Located<Sha256>> = reader.parsed("nar-sha256");
    if let (Some(id), Some(lies)) = (&id, &lies)
        && lies.value != id.value.directory()
    {
        let message =
            format!("`path` in {TITLE} must be `{}`, where `{}` lies", id.value.directory(), id.value);
        reader.errors().push(Diagnostic::new(message).at(lies.place.clone(), ""));
    }
    let versioned = matches!(vcs, Some(Located { value: Vcs::System(_), .. }));
    for key in KEYS {
        let of_commit = key == "revision" || key == "dirty";
        let there = table.field(key);
        if there.is_none() && (!of_commit || versioned) {
            let missing = Diagnostic::new(format!("{TITLE} has no `{key}`"));
            reader.errors().push(missing.at(place.clone(), ""));
        } else if let (Some(field), true, Some(Located { value: Vcs::None, .. })) = (there, of_commit, &vcs) {
            let message = format!("`{key}` in {TITLE} means nothing with `vcs = \"none\"`");
            reader.errors().push(Diagnostic::new(message).at(field.key.clone(), ""));
        }
    }
    reader.finish();
    if errors.len() > already {
        return None;
    }
    let working_copy = match vcs?.value {
        Vcs::None => WorkingCopy::Unversioned,
        Vcs::System(system) => WorkingCopy::Repository { system, revision: revision?.value, dirty: dirty? },
    };
    let nar_sha256 = nar_sha256?.value;
    let id = id?;
    let place = Some(id.place.clone());
    Some((id, Repository { working_copy, nar_sha256, place }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";
    const HEAD: &str = "1a2b3c41a2b3c41a2b3c41a2b3c41a2b3c41a2b3";

    fn parse(text: &str) -> Result<FederationLock, String> {
        document::source(NAME, text).and_then(|source| FederationLock::parse(&source)).map_err(|failure| {
            assert_eq!(failure.exit_code(), 1, "{failure}");
            failure.to_string()
        })
    }

    fn whole() -> String {
        format!(
            "# Written by lychd-forge: the repositories of the federation, as they were last synthesized.\n\
             version = 1\n\n\
             [[repository]]\nid = \"core\"\npath = \"core\"\nvcs = \"git\"\nrevision = \"{HEAD}\"\n\
             dirty = true\nnar-sha256 = \"{ZERO}\"\n\n\
             [[repository]]\nid = \"a/b\"\npath = \"extensions/a/b\"\nvcs = \"none\"\nnar-sha256 = \"{ZERO}\"\n\n\
             [[repository]]\nid = \"c\"\npath = \"extensions/c\"\nvcs = \"jj\"\nrevision = \"{ZERO}\"\n\
             dirty = false\nnar-sha256 = \"{ZERO}\"\n"
        )
    }

    #[test]
    fn what_is_read_is_written_the_same() {
        let lock = parse(&whole()).unwrap();
        assert_eq!(lock.to_text(), whole());
        let core = &lock.repositories()[&MemberId::core()];
        assert_eq!((core.working_copy.vcs(), core.working_copy.dirty()), ("git", Some(true)));
        assert_eq!(core.place.as_ref().unwrap().to_string(), "lychd.lock:5:6");
        assert_eq!(parse("version = 1\n").unwrap(), FederationLock::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let with = |from: &str, to: &str| whole().replacen(from, to, 1);
        for (text, want) in [
            (with("version = 1", "version = 2"), "of a version that is not known\n  at lychd.lock:2:11"),
            (with("version = 1\n", ""), "has no `version`"),
            (with("version = 1", "version = '1'"), "`version` in lychd.lock must be an integer"),
            (with("[[repository]]", "[repositories]"), "did you mean `repository`?"),
            (with("\nid = \"core\"", ""), "[[repository]] has no `id`\n  at lychd.lock:4:1"),
            (with("id = \"core\"", "id = \"../core\""), "is not a member id"),
            (
                with("path = \"core\"", "path = \"/etc\""),
                "must be `core`, where `core` lies\n  at lychd.lock:6:8",
            ),
            (with("\"git\"", "\"hg\""), "`hg` is not `git`, `jj` or `none`"),
            (with(HEAD, "main"), "is not 40 lower-case hex digits"),
            (with(HEAD, &HEAD[..7]), "is not 40 lower-case hex digits"),
            (with("dirty = true\n", ""), "[[repository]] has no `dirty`"),
            (with("dirty = true", "dirty = 1"), "must be `true` or `false`"),
            (with("vcs = \"none\"", "vcs = \"none\"\ndirty = false"), "means nothing with `vcs = \"none\"`"),
            (with(ZERO, "sha256-x"), "is not 64 lower-case hex digits"),
            (with("nar-sha256", "nar_sha256"), "did you mean `nar-sha256`?"),
            (
                with("id = \"c\"\npath = \"extensions/c\"", "id = \"a/b\"\npath = \"extensions/a/b\""),
                "`a/b` stands twice in `lychd.lock`\n  at lychd.lock:19:6\n  at lychd.lock:13:6: first here",
            ),
            (format!("\u{feff}{}", whole()), "byte order mark"),
        ] {
            let error = parse(&text).expect_err(&text);
            assert!(error.contains(want), "{text}\n{want}\n--- not in ---\n{error}");
            assert!(error.contains("at lychd.lock:"), "{error}");
        }
    }
}
