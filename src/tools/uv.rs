//! uv, from the musllinux wheel that PyPI serves: one static binary.

use std::path::{Path, PathBuf};

use super::{Fetch, Tool};
use crate::{
    archive::{self, Format, HardLinks, Limits, Links, Rules, SetId},
    artifact::Artifact,
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    host::file,
    name::{Platform, url::HostPolicy},
    tree::{Entry, FileTree, relative_path},
};

/// The pinned version.
pub const VERSION: &str = "0.13.8";

/// A wheel holds plain files alone.
const RULES: Rules = Rules {
    links: Links::Refused,
    hard_links: HardLinks::Refused,
    set_id: SetId::Refused,
    strip_top: false,
    limits: Limits { packed: 64 << 20, unpacked: 256 << 20, entries: 1000 },
};

/// A pinned wheel.
struct Wheel {
    url: &'static str,
    sha256: &'static str,
    size: u64,
    /// Bytes of the binary in it.
    binary_size: u64,
}

const X86_64: Wheel = Wheel {
    url: "https://files.pythonhosted.org/packages/4d/a3/1ac9cd75985371da0d29c9c12132e6d5b5627b9d0de87c5ad97ab9ad69b0/uv-0.13.8-py3-none-musllinux_1_1_x86_64.whl",
    sha256: "29451c60f5e8b07403e0a175d5229efc36b0289b34143ff4aaa499a5dd52553a",
    size: 19_139_972,
    binary_size: 43_891_752,
};

const AARCH64: Wheel = Wheel {
    url: "https://files.pythonhosted.org/packages/9e/f0/d989ac5fcebf83f1c8c5d78974f27788e8364945969eb646f5d0db35d924/uv-0.13.8-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
    sha256: "0b3e8b1a4f5e405e31e2ff33de8af4744831e9f7338539671efbd8c3c94e791d",
    size: 17_953_056,
    binary_size: 35_453_000,
};

const fn wheel(platform: Platform) -> Wheel {
    match platform {
        Platform::X86_64Linux => X86_64,
        Platform::Aarch64Linux => AARCH64,
    }
}

/// Version and hash for the Synthesis. The hash is that of the x86-64 wheel whatever the host, so that
/// the Synthesis does not depend on where it was made.
///
/// # Errors
/// Never: the pin is a constant that a test parses.
pub fn tool() -> Result<Tool, Failure> {
    Ok(Tool { version: VERSION.to_owned(), sha256: pinned_hash(&X86_64)? })
}

/// The wheel as something to bring.
///
/// # Errors
/// Never: the pin is a constant that a test parses.
pub fn artifact(host: Platform) -> Result<Artifact, Failure> {
    let wheel = wheel(host);
    let url = HostPolicy::new([]).check(wheel.url).map_err(|error| broken(&error.to_string()))?;
    Ok(Artifact::of_tool(&url, pinned_hash(&wheel)?, Some(wheel.size)))
}

fn pinned_hash(wheel: &Wheel) -> Result<Sha256, Failure> {
    wheel.sha256.parse().map_err(|error| broken(&format!("its pin: {error}")))
}

fn broken(what: &str) -> Failure {
    Diagnostic::new(format!("uv's wheel is not what was pinned: {what}")).into()
}

/// Brings the wheel, checks it and puts its binary at `<cache>/tools/uv-<version>/uv`.
///
/// # Errors
/// As `fetch`; refused when the wheel's content is not the pinned one.
pub fn install(cache: &Path, host: Platform, fetch: Fetch<'_>) -> Result<PathBuf, Failure> {
    let wheel = wheel(host);
    let directory = cache.join("tools").join(format!("uv-{VERSION}"));
    let binary = directory.join("uv");
    if file::if_there(&binary, file::size(&binary))? == Some(wheel.binary_size) {
        return Ok(binary);
    }
    let url = HostPolicy::new([]).check(wheel.url).map_err(|error| broken(&error.to_string()))?;
    let hash = pinned_hash(&wheel)?;
    let path = fetch(&url, &hash, Some(wheel.size))?;
    let bytes = file::read(&path, wheel.size).map_err(|error| file::unable("read", &path, &error))?;
    if Sha256::of(&bytes) != hash {
        return Err(broken("another sha256"));
    }
    let program = program(&bytes, wheel.binary_size)?;
    let mut tree = FileTree::new();
    tree.insert(relative_path!("uv"), program);
    file::write_tree(&directory, &tree).map_err(|error| file::unable("write", &directory, &error))?;
    Ok(binary)
}

/// The binary in the wheel.
fn program(wheel: &[u8], size: u64) -> Result<Entry, Failure> {
    let place = format!("uv-{VERSION}.data/scripts/uv");
    let tree = archive::read(Format::Zip, wheel, &RULES, &|path| path.as_str() == place)
        .map_err(|error| broken(&error.to_string()))?;
    match tree.iter().next() {
        Some((_, Entry::File { bytes, .. })) if bytes.len() as u64 == size => {
            Ok(Entry::File { bytes: bytes.clone(), executable: true })
        }
        Some(_) => Err(broken(&format!("{place}: another size"))),
        None => Err(broken(&format!("{place} is not there"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_hashes_and_allowed_urls_of_this_version() {
        for wheel in [X86_64, AARCH64] {
            assert!(pinned_hash(&wheel).is_ok());
            let url = HostPolicy::new([]).check(wheel.url).unwrap();
            assert!(url.file_name().starts_with(&format!("uv-{VERSION}-")));
        }
    }

    #[test]
    fn a_wheel_that_is_another_is_refused() {
        let cache = tempfile::tempdir().unwrap();
        let fake = cache.path().join("fake.whl");
        file::write(&fake, b"PK").unwrap();
        let fetch = |_: &_, _: &_, _| Ok(fake.clone());
        let refused = install(cache.path(), Platform::X86_64Linux, &fetch).unwrap_err();
        assert!(refused.to_string().contains("another sha256"), "{refused}");
        assert!(!file::exists(&cache.path().join("tools")).unwrap());
    }
}
