//! `[tool.lychd]`: what a member asks of the image beyond Python.

use super::{
    assets::{self, Assets},
    groups,
    image_contract::{CoreImage, FurtherImage, core_image, further},
    project::Project,
    rune::{self, RuneDefinition},
    system_dependency::{self, SystemDependency},
};
use crate::{
    diagnostic::Diagnostic,
    document::{Located, Table, reader::Reader},
    name::{GroupName, MemberId},
};

/// `[tool.lychd]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lychd {
    /// `system-dependencies`, in order.
    pub system_dependencies: Vec<SystemDependency>,
    /// `image` with its defaults: always there for the core, never for an extension.
    pub image: Option<CoreImage>,
    /// `images`: further ones, by name; never of an extension.
    pub images: Vec<FurtherImage>,
    /// `assets`: a front end that npm builds.
    pub assets: Option<Assets>,
    /// `rune`, in order.
    pub runes: Vec<RuneDefinition>,
    /// `groups`: the dependency groups that belong to the body.
    pub(super) groups: Option<Vec<Located<GroupName>>>,
    /// `hook = false`: `register.py` beside the manifest is LychD's alone, and not run.
    pub leaves_hook: bool,
}

pub(super) fn read(
    member: &MemberId,
    project: Option<&Project>,
    table: Option<&Table>,
    errors: &mut Vec<Diagnostic>,
) -> Lychd {
    let mut lychd = Lychd::default();
    let core = project.filter(|_| member.is_core());
    lychd.image = core
        .map(|project| CoreImage::of_core(&project.name.value, project.scripts.keys().map(String::as_str)));
    let Some(table) = table else { return lychd };
    let mut reader = Reader::new(table, "[tool.lychd]", errors);
    for node in reader.array("system-dependencies").unwrap_or_default() {
        let title = "`system-dependencies` of [tool.lychd]";
        lychd.system_dependencies.extend(system_dependency::read(node, title, reader.errors()));
    }
    reader.knows(&["image", "images"]);
    for key in ["image", "images"] {
        if !member.is_core()
            && let Some(field) = table.field(key)
        {
            reader.errors().push(
                Diagnostic::new(format!("an extension cannot have [tool.lychd.{key}]"))
                    .at(field.key.clone(), "")
                    .help("the images of a body are the core's: move it to `core/pyproject.toml`"),
            );
        }
    }
    if let (Some(project), Some(image)) = (core, lychd.image.take()) {
        lychd.image = Some(match reader.table("image") {
            Some(table) => core_image::read(&project.name.value, image, table, reader.errors()),
            None => image,
        });
        lychd.images =
            reader.table("images").map(|all| further::read(all, reader.errors())).unwrap_or_default();
    }
    if let (Some(assets), Some(field)) = (reader.table("assets"), table.field("assets")) {
        lychd.assets = assets::read(assets, &field.key, reader.errors());
    }
    for node in reader.array("rune").unwrap_or_default() {
        lychd.runes.extend(rune::read(node, "[[tool.lychd.rune]]", reader.errors()));
    }
    if reader.node("groups").is_some() {
        lychd.groups = Some(groups::names(&mut reader, "groups"));
    }
    lychd.leaves_hook = reader.boolean("hook") == Some(false);
    lychd
}
