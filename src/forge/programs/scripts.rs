//! The programs that a wheel brings: console scripts by its `entry_points.txt`, files by their place.
//!
//! `nix/install_wheel.py` installs them, and refuses what is no entry point. What it would refuse is no matter here.

use std::{
    collections::BTreeSet,
    io::{Read, Seek},
};

use crate::archive::{
    ArchiveError, Limits,
    zip::{self, Listed},
};

/// How much of a wheel is looked at: its list, and `entry_points.txt`.
const LIMITS: Limits = Limits { packed: u64::MAX, unpacked: 4 << 20, entries: 500_000 };
const ENTRY_POINTS: &str = ".dist-info/entry_points.txt";

/// The names of a wheel's programs.
///
/// # Errors
/// [`ArchiveError`] when it is no zip, or has more than any wheel would have.
pub(super) fn of_wheel(wheel: impl Read + Seek) -> Result<BTreeSet<String>, ArchiveError> {
    let is_entry_points =
        |path: &str| path.strip_suffix(ENTRY_POINTS).is_some_and(|distribution| !distribution.contains('/'));
    let mut programs = BTreeSet::new();
    for Listed { path, bytes } in zip::list(wheel, LIMITS, &is_entry_points)? {
        programs.extend(file(&path).map(str::to_owned));
        if let Some(bytes) = bytes {
            programs.extend(entry_points(&String::from_utf8_lossy(&bytes)).map(str::to_owned));
        }
    }
    Ok(programs)
}

/// What a file is called in `bin/`, where it goes there.
fn file(path: &str) -> Option<&str> {
    let (top, below) = path.split_once('/')?;
    top.strip_suffix(".data")?;
    let name = below.strip_prefix("scripts/").or_else(|| below.strip_prefix("data/bin/"))?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// The names in `[console_scripts]` and `[gui_scripts]`.
fn entry_points(text: &str) -> impl Iterator<Item = &str> {
    let mut is_scripts = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            let section = section.split(']').next().unwrap_or_default().trim();
            is_scripts = matches!(section, "console_scripts" | "gui_scripts");
            return None;
        }
        let (name, _) = line.split_once('=').filter(|_| is_scripts && !line.starts_with(['#', ';']))?;
        Some(name.trim())
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    fn wheel(files: &[(&str, &str)]) -> Cursor<Vec<u8>> {
        let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, text) in files {
            writer.start_file(*path, ::zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn a_wheel_brings_entry_points_and_files() {
        let text = "[other]\nno = x:y\n[console_scripts]\r\n# a = b\n; c = d\nuvicorn = uvicorn.main:main\n\n\
                    [ gui_scripts ]\nwindow=x:y\n[more]\nnone = x:y\n";
        let programs = of_wheel(wheel(&[
            ("x/__init__.py", "import this = that"),
            ("x-1.dist-info/entry_points.txt", text),
            // One inside of a package is data.
            ("x/y-1.dist-info/entry_points.txt", "[console_scripts]\ninside = x:y\n"),
            ("x-1.data/scripts/tool", ""),
            ("x-1.data/data/bin/uv", ""),
            ("x-1.data/data/share/doc", ""),
            ("x-1.data/purelib/scripts/module", ""),
            ("x.data/scripts/", ""),
        ]));
        assert_eq!(Vec::from_iter(programs.unwrap()), ["tool", "uv", "uvicorn", "window"]);
    }

    #[test]
    fn what_is_no_wheel_is_none_and_a_large_list_is_not_read() {
        assert!(of_wheel(Cursor::new(b"PK".as_slice())).is_err());
        let large = format!("[console_scripts]\n{}", "a = b:c\n".repeat(1 << 20));
        let told = of_wheel(wheel(&[("x-1.dist-info/entry_points.txt", &large)])).unwrap_err().to_string();
        assert_eq!(told, "it unpacks to more than 4 MiB");
    }
}
