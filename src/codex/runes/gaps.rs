//! What LychD's `init` left to be filled in: such a rune is passed over, but not before the rest of it is judged.

use super::{
    families::{Family, Kind},
    stone_family::StoneImage,
};
use crate::document::{Field, Node, Table, Value};

/// The table with something in its gaps; `None` for a rune that has none.
pub(super) fn with_placeholders(family: &Family, table: &Table) -> Option<Table> {
    let gap = |node: Option<&Node>| {
        let text = node.and_then(Node::as_str);
        text.is_some_and(|text| text.starts_with("<required:") || text.starts_with("<optional:"))
    };
    let stone = match family.kind {
        Kind::Soulstone(stone) => Some(stone),
        Kind::Portal(_) => None,
        Kind::Phoenix | Kind::Judged(_) => return None,
    };
    let image = stone.and_then(|stone| {
        let quadlet = table.table("quadlet")?;
        gap(quadlet.get("image")).then_some((stone, quadlet))
    });
    let name = gap(table.get("name"));
    if !name && image.is_none() {
        return None;
    }
    let mut filled = table.clone();
    if let Some((stone, quadlet)) = image {
        let image = match stone.image {
            StoneImage::Only(image) => image,
            StoneImage::Default(_) | StoneImage::Written => "localhost/placeholder",
        };
        filled =
            with(&filled, "quadlet", Value::Table(with(quadlet, "image", Value::String(image.to_owned()))));
    }
    if name {
        filled = with(&filled, "name", Value::String("placeholder".to_owned()));
    }
    // What a runtime offers is judged of runes alone that are not passed over.
    if let Some(runtime) = stone.and_then(|stone| stone.runtime)
        && table.get("runtime").is_none_or(|node| node.as_str().is_some())
    {
        filled = with(&filled, "runtime", Value::String(runtime.to_owned()));
    }
    Some(filled)
}

/// The table with another value of `key`, which keeps its place.
fn with(table: &Table, key: &str, value: Value) -> Table {
    let own = |(name, field): (&str, &Field)| (name.to_owned(), field.clone());
    let field = table.field(key).or_else(|| Some(table.iter().next()?.1)).cloned();
    let field = field.map(|field| Field { node: Node { value, ..field.node }, ..field });
    table.iter().map(own).chain(field.map(|field| (key.to_owned(), field))).collect()
}
