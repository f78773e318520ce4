//! What a person is told to do about libraries that the image lacks.

use std::collections::BTreeSet;

use lychd_forge::{
    forge::missing_libraries::{MissingLibrary, remedies},
    name::DebianName,
};

use crate::transmute::sample;

fn missing(all: &[(&str, &str)]) -> BTreeSet<MissingLibrary> {
    let one = |(package, soname): &(&str, &str)| MissingLibrary {
        package: package.parse().unwrap(),
        soname: soname.parse().unwrap(),
    };
    all.iter().map(one).collect()
}

fn exists(name: &DebianName) -> bool {
    ["libgomp1", "libtbb12", "libgl1", "libglib2.0-0t64"].contains(&name.as_str())
}

#[test]
fn the_package_that_has_it_is_named_as_a_line_to_paste() {
    let (mut synthesis, _) = sample::small();
    let told = |all: &[(&str, &str)]| remedies(&missing(all), &synthesis, Some(&exists));
    assert_eq!(told(&[]), [""; 0]);
    // Several libraries of one member's wheels are one line, which the core gets where it asks as well.
    assert_eq!(
        told(&[("numpy", "libtbb.so.12"), ("numpy", "libgomp.so.1.0.0"), ("torch", "libgomp.so.1")]),
        [
            "`system-dependencies = [\"libgomp1\", \"libtbb12\"]` under [tool.lychd] in extensions/vision/ocr_2/pyproject.toml brings them",
            "`missing-libraries = { numpy = [\"libgomp.so.1.0.0\", \"libtbb.so.12\"], torch = [\"libgomp.so.1\"] }` under \
             [policy] in forge.toml lets them be missing, where the package does without",
        ]
    );
    let both = told(&[
        ("idna", "libGL.so.1"),
        ("lychd-scribe", "libgthread-2.0.so.0"),
        ("libmagic1t64", "libx.so.3"),
    ]);
    assert_eq!(
        both,
        [
            "`system-dependencies = [\"libgl1\"]` under [tool.lychd] in core/pyproject.toml brings them",
            "`system-dependencies = [\"libglib2.0-0t64\"]` under [tool.lychd] in extensions/scribe/pyproject.toml brings them",
            "no Debian package is called as that of libx.so.3 should be: `apt-file search` finds packages by their files",
            "`missing-libraries = { idna = [\"libGL.so.1\"], libmagic1t64 = [\"libx.so.3\"], lychd-scribe = \
             [\"libgthread-2.0.so.0\"] }` under [policy] in forge.toml lets them be missing, where the package does without",
        ]
    );
    // What a further image alone has is asked for there.
    assert_eq!(
        told(&[("postgresql-17", "libgomp.so.1"), ("libc6", "libGL.so.1")])[..2],
        [
            "`system-dependencies = [\"libgl1\"]` under [tool.lychd] in a member/pyproject.toml brings them",
            "`system-dependencies = [\"libgomp1\"]` under [tool.lychd.images.database] in core/pyproject.toml brings them",
        ]
    );
    let stranger = told(&[("libx1.2", "libGL.so.1")]);
    assert!(stranger[0].ends_with("in a member/pyproject.toml brings them"), "{stranger:?}");
    assert!(stranger[1].contains("{ \"libx1.2\" = ["), "{stranger:?}");

    synthesis.members[1].system_dependencies.push("libmagic1".to_owned());
    let more = remedies(&missing(&[("lychd-scribe", "libGL.so.1")]), &synthesis, Some(&exists));
    assert!(more[0].ends_with("brings them; it has such a list: add to that"), "{more:?}");
}

#[test]
fn a_name_that_was_not_looked_up_is_said_to_be_one() {
    let (synthesis, _) = sample::small();
    let told = remedies(&missing(&[("numpy", "libwhoknows.so.4")]), &synthesis, None);
    assert_eq!(
        told[0],
        "`system-dependencies = [\"libwhoknows4\"]` under [tool.lychd] in extensions/vision/ocr_2/pyproject.toml may bring \
         them: so Debian calls such packages, and its index was not looked at"
    );
    assert_eq!(told.len(), 2);
}

#[test]
fn on_nixpkgs_no_package_of_debian_is_named() {
    let (synthesis, _) = sample::on_nixpkgs();
    let told = remedies(&missing(&[("numpy", "libgomp.so.1")]), &synthesis, Some(&exists));
    assert!(told.len() == 1 && told[0].starts_with("`missing-libraries = { numpy = "), "{told:?}");
}
