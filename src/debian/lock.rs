//! `debian.lock.json`: the closed, pinned set of Debian packages (schema `lychd-forge/debian-lock/2`), all that apt
//! would install: what of it an image takes is decided where it is read.
//!
//! A pin says where the file is in the archive, what it hashes to, and which other pins it needs, so
//! that the lock alone answers for its roots: no index is read while nothing new is asked for. In a lock of the first
//! schema an image's needs alone are pinned; it is read for its versions, and what it lacks is taken from the index.

mod inconsistency;
mod pin;

pub use self::{
    inconsistency::Inconsistency,
    pin::{Pin, Provided},
};

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize, de};

use crate::{
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    document::{Table, canonical_json, json},
    name::{DebianName, Platform, debian::Suite},
};

/// The schema's id and version.
pub const SCHEMA: &str = "lychd-forge/debian-lock/2";
/// The one before: its pins lack the needs of maintainer scripts ([`PlatformLock::is_whole`]).
const PARTIAL: &str = "lychd-forge/debian-lock/1";
/// The most bytes of one `.deb`, packed or unpacked; far above any in the archive.
const SIZE: u64 = 16 << 30;

/// What is pinned for one platform; every edge and alias leads to a pin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlatformLock {
    suites: Vec<Suite>,
    aliases: BTreeMap<DebianName, DebianName>,
    packages: BTreeMap<DebianName, Pin>,
    partial: bool,
}

/// The whole lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DebianLock {
    platforms: BTreeMap<Platform, PlatformLock>,
}

impl PlatformLock {
    /// Takes pins that answer for each other.
    ///
    /// # Errors
    /// Every inconsistency.
    pub fn new(
        platform: Platform,
        suites: Vec<Suite>,
        aliases: BTreeMap<DebianName, DebianName>,
        pins: Vec<Pin>,
    ) -> Result<Self, Vec<Inconsistency>> {
        let mut wrong = Vec::new();
        if pins.len() > pin::MOST {
            wrong.push(Inconsistency::TooMany { platform, count: pins.len() });
        }
        let mut packages = BTreeMap::new();
        for pin in pins {
            let name = pin.name.clone();
            if pin.architecture != "all" && pin.architecture != platform.debian_architecture() {
                wrong.push(Inconsistency::Architecture { pin: Box::new(pin.clone()), platform });
            }
            let file = pin.path.file_name();
            let says = file.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('_'))
                && file.ends_with(&format!("_{}.deb", pin.architecture));
            if !says {
                wrong.push(Inconsistency::Path { pin: Box::new(pin.clone()) });
            }
            if pin.size == 0 || pin.size > SIZE || pin.installed_size > SIZE {
                wrong.push(Inconsistency::Size { pin: Box::new(pin.clone()) });
            }
            if packages.insert(name.clone(), pin).is_some() {
                wrong.push(Inconsistency::Twice { name });
            }
        }
        for pin in packages.values() {
            for needed in pin.depends.iter().filter(|name| !packages.contains_key(*name)) {
                wrong.push(Inconsistency::Missing { name: pin.name.clone(), needed: needed.clone() });
            }
        }
        for (alias, target) in &aliases {
            if !packages.contains_key(target) || packages.contains_key(alias) {
                wrong.push(Inconsistency::Alias { alias: alias.clone(), target: target.clone() });
            }
        }
        if wrong.is_empty() { Ok(Self { suites, aliases, packages, partial: false }) } else { Err(wrong) }
    }

    /// The suites it was resolved over, in the configured order.
    #[must_use]
    pub fn suites(&self) -> &[Suite] {
        &self.suites
    }

    /// Virtual roots and the real package that answers each.
    #[must_use]
    pub fn aliases(&self) -> &BTreeMap<DebianName, DebianName> {
        &self.aliases
    }

    /// The pins, by name.
    #[must_use]
    pub fn packages(&self) -> &BTreeMap<DebianName, Pin> {
        &self.packages
    }

    /// The pin that answers a root: its own, or the provider that was chosen.
    #[must_use]
    pub fn answer(&self, root: &DebianName) -> Option<&Pin> {
        self.packages.get(root).or_else(|| self.packages.get(self.aliases.get(root)?))
    }

    /// Whether every pin has all its needs: not in a lock of an older forge, which left out those that only
    /// maintainer scripts have.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.partial
    }

    /// The names of all pins that some roots need, over those of the lock's own edges that are to be followed: from
    /// the one package to the other.
    pub(super) fn reach<'a>(
        &'a self,
        roots: impl Iterator<Item = &'a DebianName>,
        follows: impl Fn(&DebianName, &DebianName) -> bool,
    ) -> BTreeSet<&'a DebianName> {
        let mut reached = BTreeSet::new();
        let mut pending: Vec<&Pin> = roots.filter_map(|root| self.answer(root)).collect();
        while let Some(pin) = pending.pop() {
            if reached.insert(&pin.name) {
                let onward = pin.depends.iter().filter(|name| follows(&pin.name, name));
                pending.extend(onward.filter_map(|name| self.packages.get(name)));
            }
        }
        reached
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: String,
    #[serde(deserialize_with = "unique_map")]
    platforms: BTreeMap<Platform, WirePlatform>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePlatform {
    suites: Vec<Suite>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique_map")]
    aliases: BTreeMap<DebianName, DebianName>,
    packages: Vec<Pin>,
}

/// A map whose second entry of one key is an error (serde alone keeps the last).
fn unique_map<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: serde::Deserializer<'de>,
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
{
    struct Visitor<K, V>(std::marker::PhantomData<(K, V)>);
    impl<'de, K: Deserialize<'de> + Ord + fmt::Display, V: Deserialize<'de>> de::Visitor<'de> for Visitor<K, V> {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = entries.next_entry::<K, V>()? {
                if map.contains_key(&key) {
                    return Err(de::Error::custom(format!("duplicate key `{key}`")));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }
    deserializer.deserialize_map(Visitor(std::marker::PhantomData))
}

impl DebianLock {
    /// Reads a lock.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the place of everything that is wrong: an unknown schema, a duplicate
    /// key, a malformed hash, an edge that leads nowhere.
    pub fn parse(source: &Source) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let text = source.text();
        let malformed = |error: &serde_json::Error| {
            let place = source.at(offset(text, error.line(), error.column()));
            Failure::from(Diagnostic::new(format!("the Debian lock is malformed: {error}")).at(place, ""))
        };
        let head: Head = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let partial = head.schema == PARTIAL;
        if head.schema != SCHEMA && !partial {
            let unknown = Diagnostic::new(format!("unknown schema `{}`", head.schema.escape_debug()))
                .help(format!("this version reads `{SCHEMA}`"));
            let table = json::parse(source)?;
            return Err(match table.field("schema") {
                Some(field) => unknown.at(field.key.clone(), ""),
                None => unknown,
            }
            .into());
        }
        let wire: Wire = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let mut platforms = BTreeMap::new();
        let mut wrong = Vec::new();
        for (platform, lock) in wire.platforms {
            match PlatformLock::new(platform, lock.suites, lock.aliases, lock.packages) {
                Ok(lock) => {
                    platforms.insert(platform, PlatformLock { partial, ..lock });
                }
                Err(all) => wrong.extend(all.into_iter().map(|error| (platform, error))),
            }
        }
        if !wrong.is_empty() {
            refuse_any(located(source, wrong)?)?;
        }
        Ok(Self { platforms })
    }

    /// The canonical text: sorted keys, two-space indent, LF at the end. While one platform is not whole, the schema
    /// says so.
    #[must_use]
    pub fn to_canonical_json(&self) -> String {
        let platforms = self
            .platforms
            .iter()
            .map(|(&platform, lock)| {
                let wire = WirePlatform {
                    suites: lock.suites.clone(),
                    aliases: lock.aliases.clone(),
                    packages: lock.packages.values().cloned().collect(),
                };
                (platform, wire)
            })
            .collect();
        let whole = self.platforms.values().all(PlatformLock::is_whole);
        let wire = Wire { schema: if whole { SCHEMA } else { PARTIAL }.to_owned(), platforms };
        canonical_json(&wire)
    }

    /// What is pinned for a platform.
    #[must_use]
    pub fn platform(&self, platform: Platform) -> Option<&PlatformLock> {
        self.platforms.get(&platform)
    }

    /// This lock with another platform's pins in it.
    #[must_use]
    pub fn with(mut self, platform: Platform, lock: PlatformLock) -> Self {
        self.platforms.insert(platform, lock);
        self
    }
}

/// The byte span of a line and column, both from one, as `serde_json` counts them (bytes).
fn offset(text: &str, line: usize, column: usize) -> std::ops::Range<usize> {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = start + column.saturating_sub(1);
    let at = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    at..at
}

/// Each inconsistency of a lock with its place. The lock is read once more for them, so that a sound one is not.
fn located(source: &Source, wrong: Vec<(Platform, Inconsistency)>) -> Result<Vec<Diagnostic>, Failure> {
    let table = json::parse(source)?;
    let platforms = table.table("platforms");
    let entry = |platform: Platform| platforms?.table(platform.as_str());
    let one = |(platform, error): (Platform, Inconsistency)| {
        let place = entry(platform).and_then(|entry: &Table| error.place(entry));
        Diagnostic::from(error).at(place.unwrap_or_else(|| source.at(0..0)), "")
    };
    Ok(wrong.into_iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn pin(name: &str, depends: &str) -> String {
        format!(
            r#"{{"architecture":"amd64","archive":"debian","depends":[{depends}],"installed_size":2048,
"name":"{name}","path":"pool/main/x/{name}_1.0-1_amd64.deb","sha256":"{ZERO}","size":10,"version":"1:1.0-1"}}"#
        )
    }

    fn lock(aliases: &str, packages: &[String]) -> String {
        format!(
            r#"{{"schema":"{SCHEMA}","platforms":{{"x86_64-linux":{{"suites":["trixie"],"aliases":{{{aliases}}},"packages":[{}]}}}}}}"#,
            packages.join(",\n")
        )
    }

    fn parse(text: &str) -> Result<DebianLock, Failure> {
        DebianLock::parse(&Source::new("debian.lock.json", text))
    }

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let text = lock(r#""libv":"liba""#, &[pin("liba", r#""libb""#), pin("libb", "")]);
        let first = parse(&text).unwrap();
        let written = first.to_canonical_json();
        assert!(written.ends_with("}\n") && written.contains("\n  \"platforms\""), "{written}");
        assert_eq!(parse(&written).unwrap(), first);
        let platform = first.platform(Platform::X86_64Linux).unwrap();
        assert_eq!(platform.answer(&"libv".parse().unwrap()).unwrap().name.as_str(), "liba");
    }

    #[test]
    fn a_lock_is_whole_when_all_its_platforms_are() {
        let old = parse(&lock("", &[pin("liba", "")]).replace("debian-lock/2", "debian-lock/1")).unwrap();
        assert!(!old.platform(Platform::X86_64Linux).unwrap().is_whole());
        let whole = PlatformLock::default();
        let both = old.clone().with(Platform::Aarch64Linux, whole.clone());
        assert!(both.to_canonical_json().contains(PARTIAL));
        assert!(old.with(Platform::X86_64Linux, whole).to_canonical_json().contains(SCHEMA));
    }

    #[test]
    fn what_is_hostile_or_inconsistent_is_refused_with_its_place() {
        let good = pin("liba", "");
        let with = |from: &str, to: &str| lock("", &[good.replace(from, to)]);
        let cases = [
            (with(ZERO, ""), "lower-case hex"),
            (with(ZERO, &ZERO[1..]), "lower-case hex"),
            (with(ZERO, &"A".repeat(64)), "lower-case hex"),
            (with(ZERO, &format!("sha256:{ZERO}")), "lower-case hex"),
            (with("pool/main/x/", "pool/../../etc/"), "not a path"),
            (with("pool/main/x/", "/pool/main/x/"), "not a path"),
            (with("pool/main/x/", "pool//x/"), "not a path"),
            (with("pool/main/x/", "pool/%2e%2e/"), "not a path"),
            (with("pool/main/x/", "http://evil/pool/"), "not a path"),
            (with("liba_1.0", "libz_1.0"), "path"),
            (with("_amd64.deb", "_arm64.deb"), "path"),
            (with(r#""name":"liba""#, r#""name":"../a""#), "Debian package name"),
            (with("1:1.0-1", "${x}"), "Debian version"),
            (with("1:1.0-1", "x:1"), "Debian version"),
            (with(r#""architecture":"amd64""#, r#""architecture":"i386""#), "architecture"),
            (with(r#""archive":"debian""#, r#""archive":"http://evil""#), "unknown variant"),
            (with(r#""size":10"#, r#""size":-1"#), "invalid value"),
            (with(r#""size":10"#, r#""size":99999999999"#), "has 99999999999 bytes"),
            (with(r#""size":10"#, r#""size":10,"size":11"#), "duplicate field"),
            (with(r#""size":10"#, r#""size":10,"url":"x""#), "unknown field"),
            (lock(r#""a1":"liba","a1":"liba""#, std::slice::from_ref(&good)), "duplicate key"),
            (lock("", &[good.clone(), good.clone()]), "pinned twice"),
            (lock("", &[pin("liba", r#""libz""#)]), "not pinned"),
            (lock(r#""libv":"libz""#, std::slice::from_ref(&good)), "alias"),
            (lock("", &[]).replace("debian-lock/2", "debian-lock/3"), "unknown schema"),
            (lock("", &[]).replace("x86_64-linux", "riscv64-linux"), "platform"),
            (format!("\u{feff}{}", lock("", &[])), "malformed"),
            (lock("", &[]).replace("[\"trixie\"]", "[\"../x\"]"), "suite"),
        ];
        for (text, expected) in cases {
            let failure = parse(&text).expect_err(&text);
            assert!(failure.to_string().contains(expected), "{failure}\n{text}");
            assert!(failure.to_string().contains("debian.lock.json:"), "{failure}");
            assert_eq!(failure.exit_code(), 1);
        }
        // The place is that of the very pin and key, whatever else has its name.
        for (text, place) in [
            (with("liba_1.0", "libz_1.0"), "2:22"),
            (with(r#""architecture":"amd64""#, r#""architecture":"i386""#), "1:129"),
            (with(r#""size":10"#, r#""size":0"#), "2:140"),
            (lock("", &[good.clone(), good.clone()]), "4:8"),
            (lock("", &[pin("libb", ""), pin("liba", r#""libb","liba-x""#)]), "3:62"),
            (lock(r#""liba":"libz""#, std::slice::from_ref(&good)), "1:99"),
            (lock("", &[]).replace("debian-lock/2", "debian-lock/3"), "1:2"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(&format!("\n  at debian.lock.json:{place}")), "{place}: {error}");
        }
        let twice = lock("", std::slice::from_ref(&good));
        let entry = &twice[twice.find("\"x86_64-linux\"").unwrap()..twice.len() - 2];
        let text = format!(r#"{{"schema":"{SCHEMA}","platforms":{{{entry},{entry}}}}}"#);
        assert!(parse(&text).unwrap_err().to_string().contains("duplicate key"), "{text}");
    }
}
