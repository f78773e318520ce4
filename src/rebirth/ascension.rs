//! The Ascension: how a Crypt comes to lie on btrfs, where its databases are kept in an instant. Some of it takes root, so the
//! operator does it: these are the words.

use std::path::Path;

use crate::runes::DATA;

/// The least that it is worth it for, in GiB.
const LEAST: u64 = 1;

/// What is typed, in order, each a line of a shell: the Crypt moves into a file beside it that is mounted in its place. It gets half
/// of the `free` bytes there.
#[must_use]
pub fn commands(crypt: &Path, free: u64) -> Vec<String> {
    let gib = (free / 2 / (1 << 30)).max(LEAST);
    let place = crypt.display().to_string();
    let (at, file, before) =
        (word(&place), word(&format!("{place}.btrfs")), word(&format!("{place}.before")));
    let data = word(&format!("{place}/{DATA}"));
    let above = word(&crypt.join(DATA).parent().unwrap_or(crypt).display().to_string());
    // fstab's own way to write a blank.
    let (tab_file, tab_at) = (format!("{place}.btrfs").replace(' ', "\\040"), place.replace(' ', "\\040"));
    let line = word(&format!("{tab_file} {tab_at} btrfs loop,noatime,nofail 0 0"));
    [
        "systemctl --user stop lychd-pod.service".to_owned(),
        format!("truncate --size={gib}G {file}"),
        format!("mkfs.btrfs --quiet {file}"),
        format!("mv {at} {before} && mkdir --mode=700 {at}"),
        format!("sudo mount -o loop,noatime {file} {at}"),
        format!("sudo chown \"$(id -u):$(id -g)\" {at}"),
        format!("mkdir --mode=700 {above} && btrfs subvolume create {data}"),
        format!("cp --archive {before}/. {at}/"),
        format!("echo {line} | sudo tee --append /etc/fstab"),
        "systemctl --user start lychd-vessel.service".to_owned(),
    ]
    .into()
}

/// What is left to do once it lives.
#[must_use]
pub fn afterwards(crypt: &Path) -> String {
    format!("rm -rf {}", word(&format!("{}.before", crypt.display())))
}

/// A word of a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_one_to_the_shell() {
        let told = commands(Path::new("/home/a b/it's"), 41 << 30);
        assert_eq!(told[1], r"truncate --size=20G '/home/a b/it'\''s.btrfs'");
        assert!(
            told[8].starts_with(r"echo '/home/a\040b/it'\''s.btrfs /home/a\040b/it'\''s btrfs"),
            "{}",
            told[8]
        );
        assert_eq!(commands(Path::new("/c"), 0)[1], "truncate --size=1G /c.btrfs");
        assert_eq!(afterwards(Path::new("/c")), "rm -rf /c.before");
    }
}
