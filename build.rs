//! Lists the Nix library for embedding, so that no file is forgotten: all of `nix/` but its tests, its README and
//! `forge/`, which builds the forge itself.
#![expect(clippy::disallowed_methods, reason = "a build script reads its package and writes its output")]

use std::{env, error::Error, fmt::Write as _, fs, os::unix::fs::PermissionsExt as _, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=nix");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("nix");
    let mut names = Vec::new();
    if root.is_dir() {
        walk(&root, "", &mut names)?;
    }
    names.sort();
    let mut list = String::from("&[\n");
    for name in names {
        let path = root.join(&name);
        let text = path.to_str().ok_or("the package's path is not UTF-8")?;
        let executable = fs::metadata(&path)?.permissions().mode() & 0o100 != 0;
        writeln!(list, "    ({name:?}, {executable}, include_bytes!({text:?})),")?;
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("library.rs"), list)?;
    Ok(())
}

fn walk(directory: &Path, prefix: &str, names: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a file name in nix/ is not UTF-8")?;
        let relative = format!("{prefix}{name}");
        if matches!(relative.as_str(), "tests" | "forge" | "README.md") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{relative}/"), names)?;
        } else {
            names.push(relative);
        }
    }
    Ok(())
}
