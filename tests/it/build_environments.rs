//! Build environments with the real backends: what PEP 517 promises them, and members with native code. One Crypt, one
//! body; everything is real: PyPI, Debian, uv, Nix.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const FORGE: &str = env!("CARGO_BIN_EXE_lychd-forge");

/// The files of the Crypt; each member has a kind of backend of its own.
const CRYPT: [(&str, &str); 14] = [
    (
        // As `uv init --package` writes it.
        "core/pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.13\"\ndependencies = [\"requests[socks]\"]\n\
         [build-system]\nrequires = [\"uv_build>=0.9.0,<0.14\"]\nbuild-backend = \"uv_build\"\n\
         [tool.lychd.image]\ncommand = [\"python\", \"-c\", \"import app\"]\n",
    ),
    ("core/src/app/__init__.py", "WHENCE = 'uv_build'\n"),
    (
        "extensions/by_cmake/pyproject.toml",
        "[project]\nname = \"by-cmake\"\nversion = \"1.0\"\n\
         [build-system]\nrequires = [\"scikit-build-core>=0.10\", \"cmake\", \"ninja\"]\nbuild-backend = \"scikit_build_core.build\"\n",
    ),
    (
        "extensions/by_cmake/CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.15...4.0)\nproject(by_cmake LANGUAGES C)\n\
         find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)\n\
         Python_add_library(by_cmake MODULE module.c WITH_SOABI)\ninstall(TARGETS by_cmake DESTINATION .)\n",
    ),
    ("extensions/by_cmake/module.c", MODULE),
    (
        "extensions/by_meson/pyproject.toml",
        "[project]\nname = \"by-meson\"\nversion = \"1.0\"\n\
         [build-system]\nrequires = [\"meson-python\"]\nbuild-backend = \"mesonpy\"\n",
    ),
    (
        // A program is made, started to write a header, and taken along.
        "extensions/by_meson/meson.build",
        "project('by-meson', 'c', version: '1.0')\npy = import('python').find_installation(pure: false)\n\
         tool = executable('by-meson-tool', 'tool.c', install: true)\n\
         header = custom_target(output: 'said.h', command: [tool], capture: true)\n\
         py.extension_module('by_meson', 'module.c', header, c_args: ['-DSAID'], install: true)\n",
    ),
    ("extensions/by_meson/module.c", MODULE),
    (
        "extensions/by_meson/tool.c",
        "#include <stdio.h>\nint main(void) { puts(\"#define WHENCE \\\"meson\\\"\"); return 0; }\n",
    ),
    (
        "extensions/by_cython/pyproject.toml",
        "[project]\nname = \"by-cython\"\nversion = \"1.0\"\n\
         [build-system]\nrequires = [\"setuptools>=77\", \"cython>=3\"]\nbuild-backend = \"setuptools.build_meta\"\n\
         [tool.setuptools]\npackages = [\"by_cython\"]\n\
         [[tool.setuptools.ext-modules]]\nname = \"by_cython.fast\"\nsources = [\"by_cython/fast.pyx\"]\n",
    ),
    ("extensions/by_cython/by_cython/__init__.py", "from .fast import WHENCE\n"),
    ("extensions/by_cython/by_cython/fast.pyx", "cdef int two = 2\nWHENCE = f'cython {two}'\n"),
    (
        "extensions/plain/pyproject.toml",
        "[project]\nname = \"plain\"\nversion = \"1.0\"\ndescription = \"x\"\n\
         [build-system]\nrequires = [\"flit-core>=3.9\"]\nbuild-backend = \"flit_core.buildapi\"\n",
    ),
    (
        "extensions/plain/plain.py",
        "\"\"\"Nothing to compile.\"\"\"\n__version__ = \"1.0\"\nWHENCE = 'flit'\n",
    ),
];

/// An extension module that says its backend, by its own name or by what a header says.
const MODULE: &str = "#include <Python.h>\n#ifdef SAID\n#include \"said.h\"\n#define INIT PyInit_by_meson\n#else\n\
                      #define WHENCE \"cmake\"\n#define INIT PyInit_by_cmake\n#endif\n\
                      static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, \"module\", NULL, -1 };\n\
                      PyMODINIT_FUNC INIT(void) {\n  PyObject *made = PyModule_Create(&module);\n\
                      \x20 if (made) PyModule_AddStringConstant(made, \"WHENCE\", WHENCE);\n  return made;\n}\n";

fn json(directory: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(FORGE);
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    for name in ["codex", "crypt", "state"] {
        command.arg(format!("--{name}")).arg(directory.join(name));
    }
    let output = command.args(arguments).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Store paths by the name that follows their hash.
fn named(store: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.join("nix/store")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.into_string().unwrap());
    let fitting = names.filter(|name| name.split_once('-').is_some_and(|(_, name)| wanted(name)));
    fitting.map(|name| Path::new("/nix/store").join(name)).collect()
}

#[test]
fn backends_with_programs_and_members_with_native_code_are_built() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-environments");
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir_all(directory.join("codex")).unwrap();
    fs::write(directory.join("codex/forge.toml"), "").unwrap();
    for (path, text) in CRYPT {
        let path = directory.join("crypt").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let store = directory.join("store");
    json(&directory, &["forge", "--no-load", "--nix-store", store.to_str().unwrap()]);

    let synthesis = fs::read_to_string(directory.join("state/synthesis/synthesis.json")).unwrap();
    let synthesis: Value = serde_json::from_str(&synthesis).unwrap();
    let members = synthesis["members"].as_array().unwrap();
    let native: Vec<(&str, Option<&Value>)> =
        members.iter().map(|one| (one["id"].as_str().unwrap(), one.get("native"))).collect();
    let yes = Some(&Value::Bool(true));
    assert_eq!(
        native,
        [("core", None), ("by_cmake", yes), ("by_cython", yes), ("by_meson", yes), ("plain", None)]
    );

    // What the environment has, and nothing of what it was built with. A member has no version in the store.
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let packages = synthesis["python_packages"].as_array().unwrap().iter();
    let packages = packages.map(|one| format!("{}-{}", text(one, "name"), text(one, "version")));
    let installed: BTreeSet<String> = members.iter().map(|one| text(one, "name")).chain(packages).collect();
    let packages = named(&store, |name| installed.contains(name));
    assert_eq!(packages.len(), installed.len(), "{packages:?}");
    let search: Vec<String> =
        packages.iter().map(|path| format!("{}/lib/python3.13/site-packages", path.display())).collect();
    let python = named(&store, |name| name == "python3.13").remove(0);
    let output = Command::new("bwrap")
        .arg("--ro-bind")
        .arg(store.join("nix"))
        .args(["/nix", "--proc", "/proc", "--clearenv", "--setenv", "PYTHONPATH", &search.join(":")])
        .arg(python.join("bin/python3"))
        .args(["-B", "-c"])
        .arg(
            "import app, by_cmake, by_cython, by_meson, plain, requests, socks\n\
             print(*(m.WHENCE for m in (app, by_cmake, by_cython, by_meson, plain)), socks.__version__, sep='|')",
        )
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), "uv_build|cmake|cython 2|meson|flit|1.7.1");

    // A program that was started in the sandbox is one of the image now.
    let by_meson = packages.iter().find(|path| path.to_string_lossy().ends_with("-by-meson")).unwrap();
    let tool = fs::read(store.join(by_meson.strip_prefix("/").unwrap()).join("bin/by-meson-tool")).unwrap();
    let has = |text: &str| tool.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("/lib64/ld-linux-x86-64.so.2\0") && !has("/nix/store"), "the loader of the sandbox");
}
