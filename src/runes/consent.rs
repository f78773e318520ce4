//! What runes may mount without a word of the operator, what needs a grant, and what is a member's own.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use super::{PREFIX, record::MemberRune, unit::Value};
use crate::{
    codex::{Codex, OperatorGrants},
    diagnostic::{Diagnostic, Failure, Place},
    document::Located,
    name::{
        MemberId, RuneName,
        mount::{HostPath, MountSource, is_writable},
    },
};

/// Where a member's directory lies, below the home and LychD's usual name of the Crypt.
const USUAL: &str = ".local/share/lychd";
/// The directory of the Crypt in which each member has one of its own.
const DATA: &str = "data";

/// Resolves links, as [`super::mounts::Resolve`].
type Resolve<'a> = &'a dyn Fn(&Path) -> Result<PathBuf, Failure>;

/// Who mounts.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    /// The rune.
    pub(super) name: &'a RuneName,
    /// The member that brings it; `None` for a Soulstone.
    pub(super) member: Option<&'a MemberId>,
    /// What the operator grants it.
    pub(super) grants: Option<&'a Located<OperatorGrants>>,
}

impl<'a> Asker<'a> {
    /// A rune of this Codex, or of one of its members.
    pub(super) fn new(name: &'a RuneName, member: Option<&'a MemberId>, codex: &'a Codex) -> Self {
        Self { name, member, grants: codex.grants.get(name) }
    }

    fn granted(&self) -> &'a [Located<HostPath>] {
        self.grants.map_or(&[], |grants| &grants.value.mounts)
    }

    /// Whether a path of the host is the user's own, so that this rune needs a grant for it: for a member all of the
    /// home directory; for everybody its hidden entries, which are settings and keys, but for what lies in `~/.cache`.
    fn needs_grant(&self, path: &Path, home: &Path) -> bool {
        let Ok(below) = path.strip_prefix(home) else { return false };
        let mut parts = below.components().map(Component::as_os_str);
        let Some(first) = parts.next() else { return true };
        let is_cache = first == ".cache" && parts.next().is_some();
        let is_hidden = first.to_str().is_none_or(|name| name.starts_with('.'));
        self.member.is_some() || is_hidden && !is_cache
    }

    /// The first grant that a resolved path lies below.
    fn grant_of(
        &self,
        path: &Path,
        home: &Path,
        resolve: Resolve<'_>,
    ) -> Result<Option<&'a Located<HostPath>>, Failure> {
        for grant in self.granted() {
            let root = resolve(&grant.value.on(home)).map_err(|failure| match failure {
                Failure::Unable(told) => Failure::unable(told.at(grant.place.clone(), "")),
                refused @ Failure::Refused(_) => refused,
            })?;
            if path.starts_with(&root) {
                return Ok(Some(grant));
            }
        }
        Ok(None)
    }
}

/// A mount of the host by a rune.
pub(super) struct Wish<'a> {
    /// As it is written.
    pub(super) path: HostPath,
    /// Without links.
    pub(super) found: HostPath,
    /// Where it is written.
    pub(super) place: &'a Place,
    /// Whether the mount changes what is there.
    pub(super) writable: bool,
}

impl Wish<'_> {
    /// Whether it may be: nobody has to be asked, or the operator was.
    ///
    /// # Errors
    /// What `resolve` says.
    pub(super) fn may_be(
        &self,
        asker: Asker<'_>,
        home: &Path,
        resolve: Resolve<'_>,
    ) -> Result<bool, Failure> {
        let found = self.found.on(home);
        // An entry of the user's own stays that wherever its link leads.
        let personal = [&self.path.on(home), &found].into_iter().any(|path| asker.needs_grant(path, home));
        Ok(!personal || asker.grant_of(&found, home, resolve)?.is_some())
    }
}

/// As people write it.
fn shown(path: &HostPath) -> String {
    match path {
        HostPath::Home(below) => format!("~/{below}"),
        HostPath::Absolute(path) => path.clone(),
    }
}

/// All mounts of a rune that nobody granted in one error, with the lines that would grant them.
pub(super) fn refusal(who: &str, asker: Asker<'_>, ungranted: &[Wish<'_>]) -> Option<Diagnostic> {
    if ungranted.is_empty() {
        return None;
    }
    let what = match asker.member {
        Some(_) => "what is the user's own",
        None => "hidden entries of the home directory, which hold settings and keys",
    };
    let mut told = Diagnostic::new(format!("{who} mounts {what}, and no grant says that it may"));
    let mut paths: Vec<String> = asker.granted().iter().map(|grant| shown(&grant.value)).collect();
    for wish in ungranted {
        let (written, found) = (shown(&wish.path), shown(&wish.found));
        let leads = if written == found { String::new() } else { format!(" leads to `{found}`, which") };
        let how = if wish.writable { "read and written" } else { "read" };
        told = told.at(wish.place.clone(), format!("`{written}`{leads} would be {how}"));
        if !paths.contains(&found) {
            paths.push(found);
        }
    }
    if let Some(member) = asker.member {
        told = told.requested_by(member.to_string());
    }
    let list: Vec<String> = paths.iter().map(|path| format!("\"{path}\"")).collect();
    let (verb, name) = (if asker.grants.is_some() { "change" } else { "add" }, asker.name);
    told = told.help(format!(
        "if that is meant, {verb} in forge.toml:\n[grants.{name}]\nmounts = [{}]",
        list.join(", ")
    ));
    Some(match asker.member {
        Some(member) => told.help(format!(
            "without a grant a member has volumes (`cache:/var/cache`) and its directory of the Crypt, `{}`",
            usual(member)
        )),
        None => told,
    })
}

/// What of a rune's mounts is granted: a line each, and the grant.
///
/// # Errors
/// What `resolve` says.
pub(super) fn granted<'a>(
    asker: Asker<'a>,
    volumes: &[Value],
    home: &Path,
    resolve: Resolve<'_>,
) -> Result<Vec<(String, &'a Located<HostPath>)>, Failure> {
    let mut all = Vec::new();
    for volume in volumes.iter().map(ToString::to_string) {
        let mut parts = volume.split(':');
        let Some(Ok(host)) = parts.next().map(str::parse::<HostPath>) else { continue };
        let how = if is_writable(parts.nth(1).unwrap_or_default().split(',')) { ", rw" } else { "" };
        if let Some(grant) = asker.grant_of(&host.on(home), home, resolve)? {
            all.push((format!("mounts {}{how}", shown(&host)), grant));
        }
    }
    Ok(all)
}

/// What podman calls a volume of a member's own.
pub(super) fn volume_name(member: &MemberId, name: &RuneName) -> String {
    format!("{PREFIX}{}-{name}", member.flat())
}

/// How a member writes its own directory of the Crypt.
fn usual(member: &MemberId) -> String {
    format!("~/{USUAL}/{DATA}/{}", member.flat())
}

/// A member's own directory of the Crypt, if a path begins with it, by LychD's usual name of the Crypt or by its own.
///
/// # Errors
/// What `resolve` says; refused is a part of it, and one that is a link.
pub(super) fn own_directory(
    member: &MemberId,
    (path, place): (&HostPath, &Place),
    (home, crypt): (&Path, &Path),
    resolve: Resolve<'_>,
) -> Result<Option<Result<PathBuf, Diagnostic>>, Failure> {
    let below = Path::new(DATA).join(member.flat());
    let own = resolve(crypt)?.join(&below);
    let written = path.on(home);
    let roots = [home.join(USUAL).join(&below), crypt.join(&below), own.clone()];
    let Some(rest) = roots.iter().find_map(|root| written.strip_prefix(root).ok()) else { return Ok(None) };
    let resolved = resolve(&own)?;
    let wrong = if !rest.as_os_str().is_empty() {
        format!("`{}` is a part of the directory of `{member}`, which is mounted whole", shown(path))
    } else if resolved != own {
        format!("the directory of `{member}` is a link to `{}`", resolved.display())
    } else {
        return Ok(Some(Ok(own)));
    };
    let told = Diagnostic::new(wrong).at(place.clone(), "").requested_by(member.to_string());
    Ok(Some(Err(told.help(format!(
        "mount `{}`, a directory: what is written in it could turn a part of it into a link",
        usual(member)
    )))))
}

/// What two members would have as their own under one name.
pub(super) fn shared(members: &[MemberRune]) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<String, BTreeMap<&MemberId, &Place>> = BTreeMap::new();
    for MemberRune { member, definition, .. } in members {
        for volume in &definition.volumes {
            let own = Path::new(DATA).join(member.flat());
            let name = match volume.value.source() {
                MountSource::Own(name) => volume_name(member, name),
                MountSource::Host(path) if Path::new(&path.to_string()).ends_with(own) => usual(member),
                MountSource::Host(_) => continue,
            };
            owners.entry(name).or_default().entry(member).or_insert(&volume.place);
        }
    }
    owners.retain(|_, owners| owners.len() > 1);
    let told = |(name, owners): (String, BTreeMap<&MemberId, &Place>)| {
        let told = Diagnostic::new(format!("two members would have `{name}` as their own"));
        let each = owners.into_iter().fold(told, |told, (member, place)| {
            told.at(place.clone(), format!("`{member}`")).requested_by(member.to_string())
        });
        each.help("call one of the volumes otherwise, or one of the members")
    };
    owners.into_iter().map(told).collect()
}
