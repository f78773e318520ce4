//! What differs between two bodies, for the verbs that put one in the place of another.

use std::fmt::Display;

use indicatif::HumanBytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, Page};
use crate::{
    body::{BuiltImage, Changed, ChangedImage, Comparison},
    name::Role,
};

/// The most lines of one kind.
const MOST: usize = 40;

/// What differs between two bodies, each list sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Compared {
    /// Whether nothing differs at all.
    pub equal: bool,
    /// Whether they have one synthesis id.
    pub equal_synthesis: bool,
    /// Whether the same of the members shapes their units.
    pub equal_federation: bool,
    /// Members.
    pub members: Vec<Changed>,
    /// Python packages in the image.
    pub python: Vec<Changed>,
    /// npm packages that front ends are built with.
    pub npm: Vec<Changed>,
    /// System packages in any of the images, on either substrate.
    pub system: Vec<Changed>,
    /// Images.
    pub images: Vec<ComparedImage>,
    /// Bytes of all images before.
    pub size_before: u64,
    /// Bytes of all images after.
    pub size_after: u64,
}

/// An image that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ComparedImage {
    /// What it is for.
    pub role: Role,
    /// What it was; `null` when it was not there.
    pub before: Option<ImageSide>,
    /// What it is; `null` when it is gone.
    pub after: Option<ImageSide>,
}

/// What an image is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ImageSide {
    /// sha256 of its configuration: ours.
    pub config_digest: Digest,
    /// Bytes of all its layers, uncompressed.
    pub size: u64,
}

impl ImageSide {
    fn of(image: BuiltImage) -> Self {
        Self { config_digest: Digest(image.config_digest.sha256()), size: image.size }
    }

    fn told(&self) -> String {
        format!("{} ({})", self.config_digest.0.short(12), HumanBytes(self.size))
    }
}

impl Compared {
    /// What is told of a comparison.
    #[must_use]
    pub fn of(comparison: &Comparison) -> Self {
        let image = |image: &ChangedImage| ComparedImage {
            role: image.role.clone(),
            before: image.before.map(ImageSide::of),
            after: image.after.map(ImageSide::of),
        };
        Self {
            equal: comparison.is_empty(),
            equal_synthesis: comparison.equal_synthesis,
            equal_federation: comparison.equal_federation,
            members: comparison.members.clone(),
            python: comparison.python.clone(),
            npm: comparison.node.clone(),
            system: comparison.system.clone(),
            images: comparison.images.iter().map(image).collect(),
            size_before: comparison.size_before,
            size_after: comparison.size_after,
        }
    }

    /// A line for each difference, and one when there is none.
    pub fn write(&self, page: &mut Page) {
        if self.equal {
            page.field("equal", "nothing differs");
            return;
        }
        let groups = [
            ("member", &self.members),
            ("python", &self.python),
            ("npm", &self.npm),
            ("system", &self.system),
        ];
        for (label, group) in groups {
            for changed in group.iter().take(MOST) {
                page.field(label, part(changed));
            }
            if let Some(more) = group.len().checked_sub(MOST).filter(|more| *more > 0) {
                page.field(label, format!("… and {more} more"));
            }
        }
        for ComparedImage { role, before, after } in &self.images {
            let told = |side: &Option<ImageSide>| side.as_ref().map(ImageSide::told);
            page.field("image", line(role, told(before).as_ref(), told(after).as_ref()));
        }
        if self.images.len() > 1 {
            let (before, after) = (HumanBytes(self.size_before), HumanBytes(self.size_after));
            page.field("size", format!("{before} -> {after} in all"));
        }
        if !self.equal_federation {
            page.field("units", "what of the members shapes them differs");
        }
        if !self.equal_synthesis && self.images.is_empty() && groups.iter().all(|(_, group)| group.is_empty())
        {
            page.field("synthesis", "another one, of the same parts and images");
        }
    }
}

/// A part that differs, with who asked for it.
fn part(Changed { name, before, after, requested_by }: &Changed) -> String {
    let line = line(name, before.as_ref(), after.as_ref());
    if requested_by.is_empty() { line } else { format!("{line} (for {})", requested_by.join(", ")) }
}

fn line(name: &dyn Display, before: Option<&String>, after: Option<&String>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => format!("{name} {before} -> {after}"),
        (None, Some(after)) => format!("+ {name} {after}"),
        (Some(before), None) => format!("- {name} {before}"),
        (None, None) => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{image::ConfigDigest, report::Line};

    fn changed(name: &str, before: Option<&str>, after: Option<&str>, by: &[&str]) -> Changed {
        Changed {
            name: name.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            requested_by: by.iter().map(|&member| member.to_owned()).collect(),
        }
    }

    fn nothing() -> Comparison {
        Comparison {
            equal_synthesis: true,
            equal_federation: true,
            members: Vec::new(),
            python: Vec::new(),
            node: Vec::new(),
            system: Vec::new(),
            images: Vec::new(),
            size_before: 1 << 30,
            size_after: 1 << 30,
        }
    }

    fn lines(comparison: &Comparison) -> Vec<String> {
        let mut page = Page::default();
        Compared::of(comparison).write(&mut page);
        let line = |line: &Line| match line {
            Line::Field { label, text } => format!("{label}  {text}"),
            other => panic!("{other:?}"),
        };
        page.lines().iter().map(line).collect()
    }

    #[test]
    fn nothing_is_one_line() {
        assert_eq!(lines(&nothing()), ["equal  nothing differs"]);
        let synthesis = Comparison { equal_synthesis: false, ..nothing() };
        assert_eq!(lines(&synthesis), ["synthesis  another one, of the same parts and images"]);
        let units = Comparison { equal_federation: false, ..nothing() };
        assert_eq!(lines(&units), ["units  what of the members shapes them differs"]);
    }

    #[test]
    fn each_difference_is_a_line() {
        let image = |text: &str, size| Some(BuiltImage { config_digest: ConfigDigest::of(text), size });
        let (vessel, database) = (Role::vessel(), Role::database());
        let comparison = Comparison {
            equal_synthesis: false,
            members: vec![changed("scribe", Some("0.1.0"), Some("0.2.0"), &[])],
            python: vec![
                changed("fastapi", Some("0.115.0"), Some("0.115.6"), &["core"]),
                changed("uvloop", None, Some("0.21.0"), &["core", "scribe"]),
            ],
            node: vec![changed("ms", Some("2.0.0, 2.1.3"), Some("2.1.3"), &["altar"])],
            system: vec![changed("libmagic1t64", Some("1:5.46-5"), None, &["scribe"])],
            images: vec![
                ChangedImage { role: database, before: None, after: image("database", 1 << 20) },
                ChangedImage { role: vessel, before: image("a", 1 << 30), after: image("b", 1 << 30) },
            ],
            size_after: (1 << 30) + (1 << 20),
            ..nothing()
        };
        let digest = |text: &str| ConfigDigest::of(text).sha256().short(12);
        assert_eq!(
            lines(&comparison),
            [
                "member  scribe 0.1.0 -> 0.2.0".to_owned(),
                "python  fastapi 0.115.0 -> 0.115.6 (for core)".to_owned(),
                "python  + uvloop 0.21.0 (for core, scribe)".to_owned(),
                "npm  ms 2.0.0, 2.1.3 -> 2.1.3 (for altar)".to_owned(),
                "system  - libmagic1t64 1:5.46-5 (for scribe)".to_owned(),
                format!("image  + database {} (1.00 MiB)", digest("database")),
                format!("image  vessel {} (1.00 GiB) -> {} (1.00 GiB)", digest("a"), digest("b")),
                "size  1.00 GiB -> 1.00 GiB in all".to_owned(),
            ]
        );
    }

    #[test]
    fn a_long_group_says_how_many_more() {
        let all = |count: usize| {
            let one = |index| changed(&format!("p{index:02}"), None, Some("1"), &[]);
            lines(&Comparison { python: (0..count).map(one).collect(), ..nothing() })
        };
        assert_eq!(all(40).len(), 40);
        assert_eq!(all(42).len(), 41);
        assert_eq!(all(42).last().unwrap(), "python  … and 2 more");
    }
}
