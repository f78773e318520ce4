//! Hostile archives: the same members in every format, and what one format alone can do.

use std::io::{Cursor, Write as _};

use super::{judge::Judge, *};
use crate::tree::Entry;

/// A member that is made as hostile writers make it: no library would put these names in.
#[derive(Clone, Copy, Debug)]
struct Packed<'a> {
    kind: EntryType,
    path: &'a str,
    /// Content or target.
    text: &'a str,
    mode: u32,
}

use ::tar::EntryType;

const FILE: EntryType = EntryType::Regular;
const LINK: EntryType = EntryType::Symlink;
const HARD: EntryType = EntryType::Link;
const DIRECTORY: EntryType = EntryType::Directory;

/// Takes what any rules take, so that a test changes what it is about.
const RULES: Rules = Rules {
    links: Links::Rooted,
    hard_links: HardLinks::Copied,
    set_id: SetId::Refused,
    strip_top: false,
    limits: Limits { packed: 1 << 20, unpacked: 1 << 20, entries: 8 },
};

fn of<'a>(kind: EntryType, path: &'a str, text: &'a str) -> Packed<'a> {
    Packed { kind, path, text, mode: 0o755 }
}

fn tar(members: &[Packed<'_>]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for member in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_entry_type(member.kind);
        header.set_mode(member.mode);
        header.as_old_mut().name[..member.path.len()].copy_from_slice(member.path.as_bytes());
        let is_link = matches!(member.kind, LINK | HARD);
        if is_link {
            header.as_old_mut().linkname[..member.text.len()].copy_from_slice(member.text.as_bytes());
        }
        let content = if is_link { "" } else { member.text };
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn tar_gz(members: &[Packed<'_>]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&tar(members)).unwrap();
    packed.finish().unwrap()
}

fn deb(tar: &[u8]) -> Vec<u8> {
    let mut deb = b"!<arch>\n".to_vec();
    for (name, content) in [("debian-binary", b"2.0\n".as_slice()), ("data.tar", tar)] {
        deb.extend(format!("{name:<16}{:<32}{:<10}`\n", "0", content.len()).into_bytes());
        deb.extend(content);
    }
    deb
}

/// Stored members with their kinds in the mode, as Info-ZIP writes them. The crate's writer refuses a name that is
/// there twice, and hard links are not known to zip: both give `None`.
fn zip(members: &[Packed<'_>]) -> Option<Vec<u8>> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut kinds = Vec::new();
    for member in members {
        let kind = match member.kind {
            FILE => 0o100_000_u32,
            LINK => 0o120_000,
            DIRECTORY => 0o040_000,
            EntryType::Fifo => 0o010_000,
            EntryType::Char => 0o020_000,
            _ => return None,
        };
        let options = ::zip::write::SimpleFileOptions::default()
            .compression_method(::zip::CompressionMethod::Stored)
            .unix_permissions(0o644);
        writer.start_file(member.path, options).ok()?;
        writer.write_all(member.text.as_bytes()).unwrap();
        kinds.push(kind | member.mode);
    }
    let mut bytes = writer.finish().unwrap().into_inner();
    let mut kinds = kinds.into_iter();
    // The upper half of the external attributes of each entry of the central directory.
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(b"PK\x01\x02") {
            let kind = u16::try_from(kinds.next().unwrap()).unwrap();
            bytes[at + 5] = 3;
            bytes[at + 40..at + 42].copy_from_slice(&kind.to_le_bytes());
        }
    }
    Some(bytes)
}

/// What a package becomes under given rules.
fn unpacked(rules: &Rules, packages: &[Vec<u8>]) -> Result<FileTree, ArchiveError> {
    let mut judge = Judge::new(rules, &|_| true);
    for package in packages {
        deb::read(&mut judge, package)?;
    }
    judge.finish()
}

/// The answers of every format that can hold these members.
fn all(rules: &Rules, members: &[Packed<'_>]) -> Vec<(&'static str, Result<FileTree, ArchiveError>)> {
    let mut all = vec![
        ("tar", read(Format::TarGz, &tar_gz(members), rules, &|_| true)),
        ("deb", unpacked(rules, &[deb(&tar(members))])),
    ];
    all.extend(zip(members).map(|zip| ("zip", read(Format::Zip, &zip, rules, &|_| true))));
    all
}

fn refused(rules: &Rules, members: &[Packed<'_>], want: &str) {
    for (format, answer) in all(rules, members) {
        let error = answer.expect_err(format).to_string();
        assert!(error.contains(want), "{format} {members:?}: {error}");
    }
}

#[test]
fn hostile_members_are_refused_in_every_format() {
    let plain = "no plain relative path";
    let kinds = "neither a file, a directory nor a link";
    let cases: &[(&[Packed<'_>], &str)] = &[
        (&[of(FILE, "../evil", "")], plain),
        (&[of(FILE, "/etc/passwd", "")], plain),
        (&[of(FILE, "./a/../../b", "")], plain),
        (&[of(FILE, "C:\\x", "")], plain),
        (&[of(FILE, "C:../x\\y", "")], plain),
        (&[of(DIRECTORY, "../d/", "")], plain),
        (&[of(LINK, "./a", "../outside")], "leaves the root"),
        (&[of(LINK, "./d/a", ".."), of(LINK, "./b", "d/a/../../x")], "leaves the root"),
        (&[of(LINK, "./a", "a")], "goes round"),
        (&[of(LINK, "./a", "b"), of(FILE, "./a/x", "")], "below a file or a link"),
        (&[of(FILE, "./a", ""), of(FILE, "./a/x", "")], "below a file or a link"),
        (&[of(LINK, "./a", "")], "no sound target"),
        (&[of(FILE, "./a", "1"), of(FILE, "a", "2")], "twice"),
        (&[of(FILE, "./a", "1"), of(DIRECTORY, "./a/", "")], "twice"),
        (&[of(HARD, "./hard", "../../etc/passwd")], "no file before it"),
        (&[of(HARD, "./hard", "/etc/passwd")], "no file before it"),
        (&[of(EntryType::Fifo, "./fifo", "")], kinds),
        (&[of(EntryType::Char, "./dev/null", "")], kinds),
        (&[of(EntryType::Block, "./dev/sda", "")], kinds),
        (&[Packed { mode: 0o4755, ..of(FILE, "./su", "") }], "set-user-id"),
        (&[Packed { mode: 0o2755, ..of(FILE, "./sg", "") }], "set-user-id"),
    ];
    for (members, want) in cases {
        refused(&RULES, members, want);
    }
}

#[test]
fn a_name_there_twice_is_refused_in_a_zip() {
    let mut zip = zip(&[of(FILE, "aa", "1"), of(FILE, "ab", "2")]).unwrap();
    for at in 0..zip.len() {
        if zip[at..].starts_with(b"ab") {
            zip[at + 1] = b'a';
        }
    }
    let error = read(Format::Zip, &zip, &RULES, &|_| true).unwrap_err().to_string();
    assert!(error.contains("twice"), "{error}");
}

#[test]
fn each_rule_is_kept_in_every_format() {
    let link = [of(FILE, "t/d/x", ""), of(LINK, "t/d/y", "x")];
    let out = [of(LINK, "t/y", "../t/x")];
    let absolute = [of(LINK, "t/y", "/etc/passwd")];
    let inside = Rules { links: Links::Inside, strip_top: true, ..RULES };
    for (format, answer) in all(&inside, &link) {
        assert_eq!(answer.unwrap().len(), 2, "{format}");
    }
    refused(&inside, &out, "leaves the archive");
    refused(&inside, &absolute, "leaves the archive");
    refused(&Rules { links: Links::Refused, ..RULES }, &link, "is a symbolic link");
    let hard = [of(FILE, "x", ""), of(HARD, "y", "x")];
    refused(&Rules { hard_links: HardLinks::Refused, ..RULES }, &hard, "is a hard link");
    let set_id = [Packed { mode: 0o4755, ..of(FILE, "su", "x") }];
    for (format, answer) in all(&Rules { set_id: SetId::Dropped, ..RULES }, &set_id) {
        let file = Entry::File { bytes: b"x".as_slice().into(), executable: true };
        assert_eq!(answer.unwrap().get(&"su".parse().unwrap()), Some(&file), "{format}");
    }
    let top = "one directory at its top";
    refused(&inside, &[], top);
    refused(&inside, &[of(FILE, "t/x", ""), of(FILE, "b/y", "")], top);
    refused(&inside, &[of(FILE, "t/x", ""), of(FILE, "y", "")], top);
    let limits = |limits| Rules { limits, ..RULES };
    let big = "x".repeat(2 << 20);
    refused(&limits(Limits { packed: 4 << 20, ..RULES.limits }), &[of(FILE, "x", &big)], "more than 1 MiB");
    refused(&limits(Limits { packed: 0, ..RULES.limits }), &[of(FILE, "x", "")], "larger than 0 MiB");
    let names: Vec<String> = (0..9).map(|number| number.to_string()).collect();
    let many: Vec<Packed<'_>> = names.iter().map(|name| of(FILE, name, "")).collect();
    refused(&RULES, &many, "more than 8 entries");
}

#[test]
fn files_and_links_inside_are_taken() {
    let tree = unpacked(
        &RULES,
        &[deb(&tar(&[
            of(DIRECTORY, "./", ""),
            of(DIRECTORY, "./usr/lib/", ""),
            of(DIRECTORY, "./usr/lib/", ""),
            of(FILE, "./usr/lib/x", "data"),
            of(LINK, "./usr/lib/y", "/etc/y"),
            of(LINK, "./usr/lib/z", "x"),
            of(HARD, "./usr/lib/hard", "./usr/lib/x"),
        ]))],
    )
    .unwrap();
    assert_eq!(tree.file(&"usr/lib/hard".parse().unwrap()), Some(b"data".as_slice()));
    let link = Entry::Link { target: "../../etc/y".to_owned() };
    assert_eq!(tree.get(&"usr/lib/y".parse().unwrap()), Some(&link));
    assert_eq!(tree.len(), 4);
}

#[test]
fn an_archive_is_a_tree_without_its_top() {
    let rules = Rules { links: Links::Inside, strip_top: true, ..RULES };
    let members = [
        of(EntryType::XGlobalHeader, "pax_global_header", ""),
        of(DIRECTORY, "a-1.0/", ""),
        of(FILE, "a-1.0/setup.py", "x"),
        of(LINK, "./a-1.0/doc/link", "../setup.py"),
    ];
    for (format, tree) in all(&rules, &members).into_iter().chain(all(&rules, &members[1..])) {
        let tree = tree.unwrap();
        let paths: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["doc/link", "setup.py"], "{format}");
    }
}

#[test]
fn what_is_not_wanted_is_judged_and_left_out() {
    let wanted = |path: &RelativePath| path.as_str() == "bin/x";
    let some = |members: &[Packed<'_>]| {
        read(Format::TarGz, &tar_gz(members), &Rules { strip_top: true, ..RULES }, &wanted)
    };
    let two = [of(FILE, "t/bin/x", "data"), of(FILE, "t/bin/y", "data"), of(LINK, "t/z", "../../out")];
    assert_eq!(some(&two).unwrap().len(), 1);
    let error = some(&[Packed { mode: 0o4755, ..of(FILE, "t/bin/y", "") }]).unwrap_err().to_string();
    assert!(error.contains("set-user-id"), "{error}");
}

#[test]
fn packages_lie_over_each_other() {
    let package = |members: &[Packed<'_>]| deb(&tar(members));
    let first = package(&[of(DIRECTORY, "a/", ""), of(FILE, "a/x", "1")]);
    let both = unpacked(&RULES, &[first.clone(), package(&[of(FILE, "a/x", "2")])]).unwrap();
    assert_eq!(both.file(&"a/x".parse().unwrap()), Some(b"2".as_slice()));
    for (second, want) in [
        (of(DIRECTORY, "a/x/", ""), "a directory here and something else"),
        (of(FILE, "a", ""), "below a file or a link"),
        (of(LINK, "a", "b"), "below a file or a link"),
    ] {
        let error = unpacked(&RULES, &[first.clone(), package(&[second])]).unwrap_err().to_string();
        assert!(error.contains(want), "{second:?}: {error}");
    }
}

/// What a whole package is looked at for, and what makes it one that cannot be.
#[test]
fn a_package_is_looked_into_with_its_control_files() {
    let whole = |data: &[Packed<'_>], control: &[Packed<'_>]| {
        let mut package = deb(&tar(data));
        let control = tar(control);
        package.extend(format!("{:<16}{:<32}{:<10}`\n", "control.tar/", "0", control.len()).into_bytes());
        package.extend(control);
        package
    };
    // Programs with the rights of another user are looked at like others.
    let su = Packed { mode: 0o4755, ..of(FILE, "./usr/bin/su", "su") };
    let data = [su, of(LINK, "./usr/bin/sg", "newgrp"), of(FILE, "./usr/share/doc/su", "")];
    let control = [of(DIRECTORY, "./", ""), of(FILE, "./postinst", "#!/bin/sh")];
    let wanted = |path: &RelativePath| path.as_str().starts_with("usr/bin/");
    let look = |package: &[u8]| deb::look(package, &wanted).map_err(|error| error.to_string());
    let looked = look(&whole(&data, &control)).unwrap();
    let paths: Vec<&str> = looked.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["DEBIAN/postinst", "usr/bin/sg", "usr/bin/su"]);
    assert_eq!(looked.file(&"DEBIAN/postinst".parse().unwrap()), Some(b"#!/bin/sh".as_slice()));
    for (package, want) in [
        (deb(&tar(&data)), "no `control.tar`"),
        (whole(&[of(FILE, "../x", "")], &control), "no plain relative path"),
        (whole(&data, &[of(LINK, "postinst", "/etc/shadow")]), "is a symbolic link"),
    ] {
        let error = look(&package).unwrap_err();
        assert!(error.contains(want), "{want}: {error}");
    }
}

#[test]
fn hostile_sizes_and_extended_names_are_refused() {
    let header = |size: &[u8; 12]| {
        let mut header = ::tar::Header::new_gnu();
        header.set_path("usr/big").unwrap();
        header.set_mode(0o644);
        header.as_old_mut().size = *size;
        header.set_cksum();
        header.as_bytes().to_vec()
    };
    let mut pax = ::tar::Builder::new(Vec::new());
    pax.append_pax_extensions([("path", b"usr/a\0b".as_slice())]).unwrap();
    pax.append(&::tar::Header::from_byte_slice(&header(b"00000000000\0")).clone(), b"".as_slice()).unwrap();
    let mut latin = tar(&[of(FILE, "e", "")]);
    latin[0] = 0xe9;
    let checksum: u32 = latin[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    latin[148..156].copy_from_slice(format!("{checksum:06o}\0 ").as_bytes());
    let cases = [
        (pax.into_inner().unwrap(), "no plain relative path"),
        (header(b"77777777777\0"), "more than 1 MiB"),
        (header(&[0xff; 12]), "size overflow"),
        (header(b"-0000000001\0"), "numeric field"),
        (latin, "not UTF-8"),
    ];
    for (tar, want) in cases {
        let error = unpacked(&RULES, &[deb(&tar)]).unwrap_err().to_string();
        assert!(error.contains(want), "{want}: {error}");
    }
}

#[test]
fn a_bomb_of_names_is_no_end() {
    // A GNU long name of more bytes than everything may hold: the judge never sees it.
    let long = "x".repeat(2 << 20);
    let bomb =
        tar_gz(&[Packed { kind: EntryType::GNULongName, path: "././@LongLink", text: &long, mode: 0 }]);
    let error = read(Format::TarGz, &bomb, &RULES, &|_| true).unwrap_err().to_string();
    assert!(bomb.len() < 1 << 20, "packed small");
    assert!(error.contains("more than 1 MiB") || error.contains("cannot be unpacked"), "{error}");
}
