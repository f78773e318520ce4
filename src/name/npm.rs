//! Names of npm packages and of their scripts.

use std::str::FromStr;

use super::NameError;
use crate::tree::RelativePath;

/// An npm package name, `name` or `@scope/name`: what npm itself takes for packages that exist (capitals are in
/// old names), without the characters `!'()*` that no name in use has. Safe as a path of one or two parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NpmName(String);
text_name!(NpmName);

/// The most characters of a name (npm's rule).
const LONGEST: usize = 214;

impl NpmName {
    /// The part behind the scope: the name of the tarball and of a package's own command.
    #[must_use]
    pub fn base(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The scope with its `@`, when there is one.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.0.split_once('/').map(|(scope, _)| scope)
    }

    /// The package URL of a version, `pkg:npm/%40scope/name@1.2.3`. Of the characters that a version may have,
    /// `+` is the one that a package URL spells otherwise.
    #[must_use]
    pub fn purl(&self, version: &str) -> String {
        format!("pkg:npm/{}@{}", self.0.replace('@', "%40"), version.replace('+', "%2B"))
    }
}

impl FromStr for NpmName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |part: &str| {
            part.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric())
                && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._~".contains(&c))
        };
        let reserved = ["node_modules", "favicon.ico"];
        let sound = match text.strip_prefix('@').map(|rest| rest.split_once('/')) {
            Some(Some((scope, name))) => part(scope) && part(name) && !reserved.contains(&name),
            Some(None) => false,
            None => part(text) && !reserved.contains(&text.to_ascii_lowercase().as_str()),
        };
        if sound && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                what: "an npm package name",
                rule: "`name` or `@scope/name` of letters, digits, `-`, `.`, `_` and `~`, each part starting \
                       with a letter or digit, at most 214 characters",
            })
        }
    }
}

/// The name of a script in a `package.json`, such as `build:web`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NpmScript(String);
text_name!(NpmScript);

impl FromStr for NpmScript {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = text.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric())
            && text.len() <= 100
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._:/".contains(&c));
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                what: "the name of an npm script",
                rule: "letters, digits, `-`, `.`, `_`, `:` and `/`, starting with a letter or digit",
            })
        }
    }
}

/// A command and the file it starts, as npm normalises them: the base name of what was written, and a path
/// inside the package. `None` when either is no plain name.
#[must_use]
pub fn command_of(command: &str, path: &str) -> Option<(String, String)> {
    let command = command.rsplit('/').next().unwrap_or_default();
    let sound = command.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._~+@".contains(&c))
        && (1..=200).contains(&command.len())
        && !command.starts_with(['.', '-']);
    let path = path.trim_start_matches('/');
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path = parts.join("/").parse::<RelativePath>().ok()?;
    sound.then(|| (command.to_owned(), path.to_string()))
}

/// Whether a text can be a version: the characters of semver's grammar.
#[must_use]
pub fn is_version(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().next().is_some_and(|c| c.is_ascii_digit())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b".+-".contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_npm_takes_are_taken_and_hostile_ones_refused() {
        for good in ["vite", "@types/node", "JSONStream", "lodash.merge", "7zip-bin", "@0x/a_b~c"] {
            assert_eq!(good.parse::<NpmName>().unwrap().as_str(), good);
        }
        let long = "x".repeat(215);
        for bad in [
            "",
            ".",
            "..",
            ".bin",
            "_x",
            "-rf",
            "a/b",
            "@a",
            "@a/",
            "@/a",
            "@a/b/c",
            "@../a",
            "@a/..",
            "node_modules",
            "Node_Modules",
            "@a/node_modules",
            "favicon.ico",
            "a b",
            "a\nb",
            "a%2fb",
            "a${b}",
            "''",
            "раypal",
            &long,
        ] {
            assert!(bad.parse::<NpmName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_told_as_a_package_url() {
        let name: NpmName = "@types/node".parse().unwrap();
        assert_eq!(name.purl("1.2.3+b"), "pkg:npm/%40types/node@1.2.3%2Bb");
        assert_eq!((name.base(), name.scope()), ("node", Some("@types")));
    }

    #[test]
    fn scripts_have_plain_names() {
        for bad in ["", "-x", "a b", "a;b", "a\n", "$(x)", "a\"b"] {
            assert!(bad.parse::<NpmScript>().is_err(), "{bad:?}");
        }
        assert!("build:web".parse::<NpmScript>().is_ok());
    }
}
