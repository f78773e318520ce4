//! Names of derivations and store paths that the Nix library gives, as far as we have to know them: to predict a
//! store path, and to tell who asked for what a build failed on. The spelling is the library's; a test holds this
//! file against its text.

use super::{DebianName, MemberId, PackageName};
use crate::digest::store_path::StoreName;

/// The source tree of a distribution, a member's or a repository's (`nix/member.nix`, `nix/plain-tree.nix`,
/// `nix/source.nix`).
#[must_use]
pub fn source(distribution: &PackageName) -> StoreName {
    StoreName::mapped(&format!("{distribution}-source"))
}

/// The wheel that a member is built into (`nix/member.nix`).
#[must_use]
pub fn member_wheel(distribution: &PackageName) -> String {
    format!("{distribution}-wheel")
}

/// The tree of a member that is no package, laid out (`nix/plain-tree.nix`).
#[must_use]
pub fn member_tree(distribution: &PackageName) -> String {
    format!("{distribution}-tree")
}

/// The wheel that a package without one is built into (`nix/source.nix`).
#[must_use]
pub fn built_wheel(distribution: &PackageName, version: &str) -> String {
    format!("{distribution}-{version}-wheel")
}

/// An unpacked wheel (`nix/install-wheel.nix`).
#[must_use]
pub fn installed_wheel(distribution: &PackageName, version: &str) -> String {
    format!("{distribution}-{version}")
}

/// An unpacked Debian package (`nix/debian/deb.nix`).
#[must_use]
pub fn deb(package: &DebianName) -> String {
    format!("deb-{package}")
}

/// What a member's front end is built into (`nix/node/asset.nix`).
#[must_use]
pub fn asset(member: &MemberId) -> String {
    format!("{}-asset", member.flat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nix_library_spells_them_alike() {
        let (name, version) = ("lych-core".parse::<PackageName>().unwrap(), "1.2");
        let id: MemberId = "vision/ocr".parse().unwrap();
        let member = include_str!("../../nix/member.nix");
        let plain = include_str!("../../nix/plain-tree.nix");
        let built = include_str!("../../nix/source.nix");
        let installed = include_str!("../../nix/install-wheel.nix");
        let unpacked = include_str!("../../nix/debian/deb.nix");
        let front_end = include_str!("../../nix/node/asset.nix");
        assert!(front_end.contains(r#"safe = builtins.replaceStrings [ "/" ] [ "__" ];"#));
        for (text, line, ours) in [
            (member, "name = \"NAME\";", source(&name).to_string()),
            (built, "builtins.path { name = \"NAME\";", source(&name).to_string()),
            (plain, "builtins.path { name = \"NAME\";", source(&name).to_string()),
            (plain, "  name = \"NAME\";", member_tree(&name)),
            (front_end, "builtins.path { name = \"NAME\";", source(&name).to_string()),
            (member, "derivationName = \"NAME\";", member_wheel(&name)),
            (built, "derivationName = \"NAME\";", built_wheel(&name, version)),
            (installed, "else \"NAME\";", installed_wheel(&name, version)),
            (unpacked, "runCommand \"NAME\"", deb(&"lych-core".parse().unwrap())),
            (front_end, "name = \"NAME\";", asset(&id)),
        ] {
            let nix = text
                .replace("${name}", name.as_ref())
                .replace("${member.name}", name.as_ref())
                .replace("${version}", version)
                .replace("${safe id}", &id.flat());
            let line = line.replace("NAME", &ours);
            assert!(nix.contains(&line), "`{line}` is not in\n{nix}");
        }
    }
}
