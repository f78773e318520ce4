//! The base image: a docker-archive whose layers come first, copied as they are.
//!
//! Only what a copy needs is understood: plain tar, regular files, pax and GNU long names.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    json::Json,
    tar::{self, Entry, Owner},
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    host::file,
};

const MOST_JSON: u64 = 16 << 20;
const MOST_EXTENDED: u64 = 1 << 20;

/// A layer inside a base image's archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) archive: PathBuf,
    /// Member name, printable ASCII.
    pub(super) name: String,
    /// Header blocks as they go into the new archive.
    pub(super) header: Vec<u8>,
    /// Where its content begins.
    pub(super) offset: u64,
    pub(super) size: u64,
    /// What the base image says the content's sha256 is.
    pub(super) diff_id: Sha256,
}

/// What a base image gives to the new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) layers: Vec<Blob>,
    /// `Env` of its configuration.
    pub(super) environment: Vec<String>,
}

/// A regular file of the archive.
struct Member {
    name: Vec<u8>,
    mode: u32,
    mtime: u64,
    owner: Owner,
    records: Vec<(String, Vec<u8>)>,
    offset: u64,
    size: u64,
}

/// Reads the archive's directory, manifest and configuration.
pub(super) fn read(path: &Path) -> Result<Base, Failure> {
    let unable = |error: io::Error| file::unable("read", path, &error);
    let refuse = |what: &str| {
        Failure::from(
            Diagnostic::new(format!("the base image `{}` {what}", path.display()))
                .help("it must be an uncompressed docker-archive, as `podman save` writes it"),
        )
    };
    let mut archive = file::open(path).map_err(unable)?;
    let members = members(&mut archive).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => refuse(&error.to_string()),
        _ => unable(error),
    })?;
    let mut json = |name: &str| -> Result<Json, Failure> {
        let member = members
            .get(name.as_bytes())
            .ok_or_else(|| refuse(&format!("has no `{}`", name.escape_debug())))?;
        if member.size > MOST_JSON {
            return Err(refuse("has a manifest or configuration of unlikely size"));
        }
        archive.seek(SeekFrom::Start(member.offset)).map_err(unable)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut archive).take(member.size).read_to_end(&mut bytes).map_err(unable)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| refuse(&format!("has a bad `{}`: {error}", name.escape_debug())))
    };
    let manifest = json("manifest.json")?;
    let Json::List(images) = manifest else { return Err(refuse("has no list in `manifest.json`")) };
    let image = images.first().ok_or_else(|| refuse("holds no image"))?;
    let Some(Json::Text(config_name)) = image.get("Config") else {
        return Err(refuse("names no configuration"));
    };
    let config = json(config_name)?;
    let layers = image.get("Layers").and_then(Json::texts).ok_or_else(|| refuse("names no layers"))?;
    let diff_ids = config.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids")).and_then(Json::texts);
    let diff_ids = diff_ids.ok_or_else(|| refuse("has no `rootfs.diff_ids`"))?;
    if diff_ids.len() != layers.len() {
        return Err(refuse("has not one `diff_ids` entry for each layer"));
    }
    let mut blobs = Vec::new();
    for (name, diff_id) in layers.into_iter().zip(diff_ids) {
        let member = members
            .get(name.as_bytes())
            .filter(|_| name.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
            .ok_or_else(|| refuse(&format!("lacks the layer `{}` as a regular file", name.escape_debug())))?;
        let hex = diff_id.strip_prefix("sha256:").unwrap_or(diff_id);
        blobs.push(Blob {
            archive: path.to_owned(),
            name: name.to_owned(),
            header: member.header(),
            offset: member.offset,
            size: member.size,
            diff_id: hex.parse().map_err(|error| refuse(&format!("has a bad diff ID: {error}")))?,
        });
    }
    let environment = config.get("config").and_then(|config| config.get("Env")).and_then(Json::texts);
    let environment = environment.unwrap_or_default().into_iter().map(str::to_owned).collect();
    Ok(Base { layers: blobs, environment })
}

impl Member {
    fn header(&self) -> Vec<u8> {
        let entry = Entry {
            mode: self.mode,
            records: &self.records,
            ..Entry::plain(&self.name, self.size, self.mtime, &self.owner)
        };
        let mut out = Vec::new();
        entry.append_to(&mut out);
        out
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// All regular files by name; of equal names the last counts.
fn members(archive: &mut (impl Read + io::Seek)) -> io::Result<BTreeMap<Vec<u8>, Member>> {
    let mut members = BTreeMap::new();
    let (mut offset, mut long_name) = (0, None);
    let mut records: Vec<(String, Vec<u8>)> = Vec::new();
    loop {
        let mut block = [0; 512];
        match archive.read_exact(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            other => other?,
        }
        if block == [0; 512] {
            break;
        }
        offset += tar::BLOCK;
        let header = Header(&block);
        header.check()?;
        let mut size = header.number(124..136)?;
        let kind = header.field(156..157).first().copied().unwrap_or_default();
        if matches!(kind, b'x' | b'L') {
            if size > MOST_EXTENDED {
                return Err(invalid("has an extended header of unlikely size"));
            }
            let mut body = Vec::new();
            Read::by_ref(archive).take(size).read_to_end(&mut body)?;
            if kind == b'x' {
                records = parse_records(&body)?;
            } else {
                body.truncate(body.iter().position(|byte| *byte == 0).unwrap_or(body.len()));
                long_name = Some(body);
            }
        } else {
            let record = |key: &str| records.iter().find(|(name, _)| name == key).map(|(_, value)| value);
            if let Some(text) = record("size") {
                size = number_record(text)?;
            }
            if matches!(kind, b'0' | 0) {
                let name = record("path").cloned().or(long_name.take()).unwrap_or_else(|| header.name());
                let member = header.member(name, std::mem::take(&mut records), offset, size)?;
                members.insert(member.name.clone(), member);
            } else if matches!(kind, b'g' | b'S') {
                return Err(invalid("uses global headers or sparse files"));
            }
            records.clear();
            long_name = None;
        }
        offset = offset
            .checked_add(size.checked_next_multiple_of(tar::BLOCK).ok_or_else(|| invalid("has a bad size"))?)
            .ok_or_else(|| invalid("has a bad size"))?;
        archive.seek(SeekFrom::Start(offset))?;
    }
    Ok(members)
}

struct Header<'a>(&'a [u8; 512]);

impl Header<'_> {
    fn field(&self, range: std::ops::Range<usize>) -> &[u8] {
        self.0.get(range).unwrap_or_default()
    }

    /// A text field up to its first NUL.
    fn text(&self, range: std::ops::Range<usize>) -> &[u8] {
        self.field(range).split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// Octal digits, or big-endian bytes after 0x80.
    fn number(&self, range: std::ops::Range<usize>) -> io::Result<u64> {
        let wrong = || invalid("has a bad number in a header");
        if let [0x80, bytes @ ..] = self.field(range.clone()) {
            return bytes.iter().try_fold(0_u64, |sum, byte| {
                sum.checked_mul(256).map(|sum| sum | u64::from(*byte)).ok_or_else(wrong)
            });
        }
        let digits = std::str::from_utf8(self.text(range)).map_err(|_| wrong())?.trim();
        if digits.is_empty() { Ok(0) } else { u64::from_str_radix(digits, 8).map_err(|_| wrong()) }
    }

    fn check(&self) -> io::Result<()> {
        let sum: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        let field: u64 = self.field(148..156).iter().map(|byte| u64::from(*byte)).sum();
        if self.number(148..156)? == sum - field + 8 * 32 {
            Ok(())
        } else {
            Err(invalid("is not an uncompressed tar"))
        }
    }

    fn name(&self) -> Vec<u8> {
        let (prefix, name) = (self.text(345..500), self.text(0..100));
        let is_gnu = self.field(257..265) == b"ustar  \0";
        if prefix.is_empty() || is_gnu { name.to_owned() } else { [prefix, b"/", name].concat() }
    }

    fn member(
        &self,
        name: Vec<u8>,
        records: Vec<(String, Vec<u8>)>,
        offset: u64,
        size: u64,
    ) -> io::Result<Member> {
        let record = |key: &str| records.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        let text = |key: &str, range| -> io::Result<String> {
            let bytes = record(key).map_or(self.text(range), Vec::as_slice);
            String::from_utf8(bytes.to_owned()).map_err(|_| invalid("has a bad owner name in a header"))
        };
        let number =
            |key: &str, range| record(key).map_or_else(|| self.number(range), |text| number_record(text));
        let id = |key: &str, range| -> io::Result<u32> {
            u32::try_from(number(key, range)?).map_err(|_| invalid("has a bad owner in a header"))
        };
        Ok(Member {
            name,
            mode: u32::try_from(self.number(100..108)? & 0o7777).unwrap_or_default(),
            mtime: number("mtime", 136..148)?,
            owner: Owner {
                uid: id("uid", 108..116)?,
                gid: id("gid", 116..124)?,
                user: text("uname", 265..297)?,
                group: text("gname", 297..329)?,
            },
            records,
            offset,
            size,
        })
    }
}

/// A record's number; a time may have a fraction, which is rounded as the plain header needs it.
fn number_record(text: &[u8]) -> io::Result<u64> {
    let wrong = || invalid("has a bad number in an extended header");
    let text = std::str::from_utf8(text).map_err(|_| wrong())?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let number: u64 = whole.parse().map_err(|_| wrong())?;
    let rest = fraction.trim_end_matches('0');
    let up = match rest.as_bytes() {
        [] | [b'0'..=b'4', ..] => false,
        [b'5'] => number % 2 == 1,
        [b'5'..=b'9', ..] => true,
        _ => return Err(wrong()),
    };
    Ok(number + u64::from(up))
}

/// `<length> <key>=<value>\n`, again and again.
fn parse_records(mut body: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
    let wrong = || invalid("has a bad extended header");
    let mut records = Vec::new();
    while !body.is_empty() {
        let space = body.iter().position(|byte| *byte == b' ').ok_or_else(wrong)?;
        let digits =
            body.get(..space).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
        let length: usize = digits.parse().map_err(|_| wrong())?;
        let record =
            body.get(space + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(wrong)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(wrong)?;
        let (key, value) = record.split_at_checked(equals).ok_or_else(wrong)?;
        let key = String::from_utf8(key.to_owned()).map_err(|_| wrong())?;
        // The order of first appearance, the value of the last: a Python dictionary.
        let value = value.get(1..).unwrap_or_default().to_owned();
        match records.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => records.push((key, value)),
        }
        body = body.get(length..).ok_or_else(wrong)?;
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_hostile_ones_refused() {
        let records = parse_records(b"12 path=a=b\n13 mtime=1.5\n").unwrap();
        assert_eq!(records, [("path".to_owned(), b"a=b".to_vec()), ("mtime".to_owned(), b"1.5".to_vec())]);
        for bad in [b"99 path=a\n".as_slice(), b"path=a\n", b"3 a", b"-1 a=b\n", b"5 a=b", b"0 a=b\n"] {
            assert!(parse_records(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn times_round_half_to_even() {
        for (text, number) in [("1.5", 2), ("2.5", 2), ("2.50001", 3), ("2.49", 2), ("7", 7)] {
            assert_eq!(number_record(text.as_bytes()).unwrap(), number, "{text}");
        }
        assert!(number_record(b"-1").is_err());
    }

    #[test]
    fn garbage_is_no_archive() {
        let mut bytes = vec![0x1f; 2048];
        assert!(members(&mut io::Cursor::new(&bytes)).is_err());
        bytes.fill(0);
        assert!(members(&mut io::Cursor::new(&bytes)).unwrap().is_empty());
    }
}
