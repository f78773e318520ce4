//! The tar format as Python's `tarfile` writes it by default since 3.9: POSIX.1-2001 ("pax") with an
//! extended header only where a ustar field cannot hold a value, NUL device fields, and archives
//! filled up to 10,240 bytes.

use std::io::{self, Write};

/// Size of a header, and what contents are filled up to.
pub(super) const BLOCK: u64 = 512;
/// What an archive is filled up to.
const RECORD: u64 = 10_240;
/// The most that eleven octal digits hold.
pub(super) const MOST_OCTAL_11: u64 = (1 << 33) - 1;
const MOST_OCTAL_7: u64 = (1 << 21) - 1;
const NAME_FIELD: usize = 100;
const OWNER_FIELD: usize = 32;
static ZEROS: [u8; 10_240] = [0; 10_240];

/// Who the entries belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) user: String,
    pub(super) group: String,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    File,
    /// Another name of a file that came before.
    HardLink,
    Link,
    Directory,
}

/// One entry, before its content.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    /// The name as it stands in the archive; a directory's ends in a slash.
    pub(super) name: &'a [u8],
    pub(super) kind: Type,
    /// Twelve permission bits.
    pub(super) mode: u32,
    /// Bytes of content, 0 for all but files.
    pub(super) size: u64,
    /// Seconds since 1970, at most [`MOST_OCTAL_11`].
    pub(super) mtime: u64,
    /// Target of a link of either kind.
    pub(super) target: &'a [u8],
    pub(super) owner: &'a Owner,
}

impl<'a> Entry<'a> {
    /// A regular file as `TarInfo(name)` makes it: mode 0644, owned by nobody in particular.
    pub(super) fn plain(name: &'a [u8], size: u64, mtime: u64, owner: &'a Owner) -> Self {
        Self { name, kind: Type::File, mode: 0o644, size, mtime, target: b"", owner }
    }

    /// Appends the header blocks to `out`.
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        let records = self.extended_records();
        if !records.is_empty() {
            append_extended(out, &records);
        }
        append_block(
            out,
            &Block {
                name: self.name,
                mode: self.mode & 0o7777,
                uid: within(self.owner.uid.into(), MOST_OCTAL_7),
                gid: within(self.owner.gid.into(), MOST_OCTAL_7),
                size: within(self.size, MOST_OCTAL_11),
                mtime: within(self.mtime, MOST_OCTAL_11),
                kind: match self.kind {
                    Type::File => b'0',
                    Type::HardLink => b'1',
                    Type::Link => b'2',
                    Type::Directory => b'5',
                },
                target: self.target,
                user: self.owner.user.as_bytes(),
                group: self.owner.group.as_bytes(),
            },
        );
    }

    /// The records for what the ustar block cannot hold, in `tarfile`'s order.
    fn extended_records(&self) -> Vec<(String, Vec<u8>)> {
        let texts = [
            ("path", self.name, NAME_FIELD),
            ("linkpath", self.target, NAME_FIELD),
            ("uname", self.owner.user.as_bytes(), OWNER_FIELD),
            ("gname", self.owner.group.as_bytes(), OWNER_FIELD),
        ];
        let numbers = [
            ("uid", self.owner.uid.into(), MOST_OCTAL_7),
            ("gid", self.owner.gid.into(), MOST_OCTAL_7),
            ("size", self.size, MOST_OCTAL_11),
            ("mtime", self.mtime, MOST_OCTAL_11),
        ];
        let texts = texts
            .into_iter()
            .filter(|(_, text, room)| text.len() > *room || !text.is_ascii())
            .map(|(key, text, _)| (key.to_owned(), text.to_owned()));
        let numbers = numbers
            .into_iter()
            .filter(|(_, number, most)| number > most)
            .map(|(key, number, _)| (key.to_owned(), number.to_string().into_bytes()));
        texts.chain(numbers).collect()
    }
}

fn within(value: u64, most: u64) -> u64 {
    if value > most { 0 } else { value }
}

fn append_extended(out: &mut Vec<u8>, records: &[(String, Vec<u8>)]) {
    let mut body = Vec::new();
    if records.iter().any(|(_, value)| std::str::from_utf8(value).is_err()) {
        body.extend_from_slice(b"21 hdrcharset=BINARY\n");
    }
    for (key, value) in records {
        let bare = key.len() + value.len() + 3;
        let mut length = bare;
        while length != bare + length.to_string().len() {
            length = bare + length.to_string().len();
        }
        body.extend_from_slice(format!("{length} {key}=").as_bytes());
        body.extend_from_slice(value);
        body.push(b'\n');
    }
    append_block(
        out,
        &Block {
            name: b"././@PaxHeader",
            mode: 0,
            uid: 0,
            gid: 0,
            size: body.len() as u64,
            mtime: 0,
            kind: b'x',
            target: b"",
            user: b"",
            group: b"",
        },
    );
    out.extend_from_slice(&body);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// The fields of a ustar block, each small enough for its room or cut to it.
struct Block<'a> {
    name: &'a [u8],
    mode: u32,
    uid: u64,
    gid: u64,
    size: u64,
    mtime: u64,
    kind: u8,
    target: &'a [u8],
    user: &'a [u8],
    group: &'a [u8],
}

fn append_block(out: &mut Vec<u8>, block: &Block<'_>) {
    let start = out.len();
    text_field(out, block.name, NAME_FIELD);
    number_field(out, block.mode.into(), 7);
    number_field(out, block.uid, 7);
    number_field(out, block.gid, 7);
    number_field(out, block.size, 11);
    number_field(out, block.mtime, 11);
    let checksum = out.len();
    out.extend_from_slice(b"        ");
    out.push(block.kind);
    text_field(out, block.target, NAME_FIELD);
    out.extend_from_slice(b"ustar\x0000");
    text_field(out, block.user, OWNER_FIELD);
    text_field(out, block.group, OWNER_FIELD);
    // Device numbers and the name's prefix stay NUL.
    out.resize(start + 512, 0);
    let sum: u64 = out.iter().skip(start).map(|byte| u64::from(*byte)).sum();
    let mut digits = Vec::with_capacity(7);
    number_field(&mut digits, sum, 6);
    if let Some(field) = out.get_mut(checksum..checksum + digits.len()) {
        field.copy_from_slice(&digits);
    }
}

/// `digits` octal digits and a NUL.
fn number_field(out: &mut Vec<u8>, value: u64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = (value >> (3 * place)) & 7;
        out.extend([b'0', b'1', b'2', b'3', b'4', b'5', b'6', b'7'].get(usize::try_from(digit).unwrap_or(0)));
    }
    out.push(0);
}

/// ASCII with one `?` for every other character, cut to `room`.
fn text_field(out: &mut Vec<u8>, text: &[u8], room: usize) {
    let end = out.len() + room;
    if text.is_ascii() {
        out.extend(text.iter().take(room));
    } else {
        let replaced =
            characters(text).map(|point| u8::try_from(point).ok().filter(u8::is_ascii).unwrap_or(b'?'));
        out.extend(replaced.take(room));
    }
    out.resize(end, 0);
}

/// Code points as Python decodes file names: UTF-8, with U+DC00 + byte for each byte that is none.
pub(super) fn characters(name: &[u8]) -> impl Iterator<Item = u32> + '_ {
    name.utf8_chunks().flat_map(|chunk| {
        let escaped = chunk.invalid().iter().map(|byte| 0xdc00 + u32::from(*byte));
        chunk.valid().chars().map(u32::from).chain(escaped)
    })
}

/// Bytes that fill content of this size up to a whole block.
pub(super) const fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK) - size
}

/// Writes `count` zero bytes, at most one record.
pub(super) fn write_zeros(out: &mut dyn Write, count: u64) -> io::Result<()> {
    let count = usize::try_from(count).unwrap_or(ZEROS.len());
    out.write_all(ZEROS.get(..count).unwrap_or(&ZEROS))
}

/// Ends an archive that holds `offset` bytes so far; the whole length.
pub(super) fn write_end(out: &mut dyn Write, offset: u64) -> io::Result<u64> {
    let length = (offset + 2 * BLOCK).next_multiple_of(RECORD);
    let (most, rest) = ((length - offset) / RECORD, (length - offset) % RECORD);
    for _ in 0..most {
        write_zeros(out, RECORD)?;
    }
    write_zeros(out, rest)?;
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;

    fn header(name: &[u8], target: &[u8], size: u64, owner: &Owner) -> Vec<u8> {
        let kind = if target.is_empty() { Type::File } else { Type::Link };
        let entry = Entry { kind, target, ..Entry::plain(name, size, 1, owner) };
        let mut out = Vec::new();
        entry.append_to(&mut out);
        out
    }

    /// Name, target, size, owner, start of the digest.
    type Case<'a> = (&'a [u8], &'a [u8], u64, &'a Owner, &'a str);

    // Each digest is that of `TarInfo.tobuf(PAX_FORMAT, "utf-8", "surrogateescape")` in Python 3.11 for the
    // same fields.
    #[test]
    fn headers_are_those_of_python() {
        let root = Owner { uid: 0, gid: 0, user: "root".into(), group: "root".into() };
        let far = Owner { uid: 3_000_000, gid: 2_097_151, user: "ü".into(), group: "g".repeat(33) };
        let long = [b"/nix/store/".as_slice(), &[b'x'; 100]].concat();
        let cases: [Case<'_>; 7] = [
            (b"/nix/store/a", b"", 5, &root, "584e65260bbacc1e"),
            (&long, b"", 5, &root, "37cf8ef61f0d5564"),
            ("/n/ä😀".as_bytes(), "ö".as_bytes(), 0, &root, "ff7665e7708a0b6d"),
            (b"/n/\xff\xc3(\xe2\x82", b"", 0, &root, "d3f787b80e8f5da4"),
            (b"/n/big", b"", 1 << 33, &root, "39634a2e8ea69cd4"),
            (b"/n/far", b"", 0, &far, "57ee3a58382a7b81"),
            (&long[..100], &long[..101], 0, &root, "3531766b87b6b935"),
        ];
        for (name, target, size, owner, python) in cases {
            let found = Sha256::of(header(name, target, size, owner)).short(16);
            assert_eq!(found, python, "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn an_archive_ends_on_a_record() {
        for (offset, length) in [(0, 10_240), (9216, 10_240), (9728, 20_480), (10_240, 20_480)] {
            let mut out = Vec::new();
            assert_eq!(write_end(&mut out, offset).unwrap(), length);
            assert_eq!(out.len() as u64, length - offset);
        }
    }
}
