//! `nixpkgs.nix`: the packages that the image takes from nixpkgs, pure data; and the lock that pins nixpkgs.

use std::collections::BTreeMap;

use serde_json::json;

use super::nix::Expr;
use crate::{
    digest::Sha256,
    document::canonical_json,
    name::{MemberId, tree_ref::TreeRef},
    synthesis::value::NixpkgsPackage,
};

pub(super) const ABOUT: &str =
    "The packages of nixpkgs that the image has: where they are and who asked for them.";

pub(super) fn expression(packages: &[NixpkgsPackage]) -> Expr {
    Expr::named(packages.iter().map(|entry| (entry.name.as_str(), package(entry))))
}

fn package(package: &NixpkgsPackage) -> Expr {
    Expr::fields([
        ("attribute", Expr::text(package.attribute.as_str())),
        ("requestedBy", Expr::texts(package.requested_by.iter().map(MemberId::as_str))),
        ("at", Expr::texts(&package.places)),
    ])
}

/// `flake.lock`, version 7 (Nix manual, "nix flake", "Lock files"), of a flake whose one input is `nixpkgs`. It is
/// complete, so Nix fetches that tree, checks its hash, and asks nobody what is new.
pub(super) fn lock(reference: &TreeRef, nar_hash: &Sha256) -> String {
    let original: BTreeMap<&str, String> =
        reference.attributes().into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let mut locked = original.clone();
    locked.insert("narHash", nar_hash.to_sri_string());
    canonical_json(&json!({
        "nodes": {
            "nixpkgs": { "flake": false, "locked": locked, "original": original },
            "root": { "inputs": { "nixpkgs": "nixpkgs" } },
        },
        "root": "root",
        "version": 7,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_whole_and_in_nix_s_own_form() {
        let reference = "github:NixOS/nixpkgs/531670d871c0e29724a02f3cbcac170adc65b58c".parse().unwrap();
        let expected = r#"{
  "nodes": {
    "nixpkgs": {
      "flake": false,
      "locked": {
        "narHash": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "owner": "NixOS",
        "repo": "nixpkgs",
        "rev": "531670d871c0e29724a02f3cbcac170adc65b58c",
        "type": "github"
      },
      "original": {
        "owner": "NixOS",
        "repo": "nixpkgs",
        "rev": "531670d871c0e29724a02f3cbcac170adc65b58c",
        "type": "github"
      }
    },
    "root": {
      "inputs": {
        "nixpkgs": "nixpkgs"
      }
    }
  },
  "root": "root",
  "version": 7
}
"#;
        assert_eq!(lock(&reference, &Sha256::of("")), expected);
    }
}
