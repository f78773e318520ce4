#!/usr/bin/env python3
"""Makes the npm locks of this directory anew, and records what `npm ci` installs from each.

    regenerate.py NODE NPM_CLI_JS [CASE…]

NODE is a node binary and NPM_CLI_JS npm's bin/npm-cli.js, both of the versions the forge pins. For each case it
writes `<case>/package-lock.json` and `<case>/expected.json`: for every place that npm filled, the tarball's
integrity, `link:<directory>` for a workspace, or `bundled` for what came inside another tarball. No install script
runs. Needs the registry; the locks are of the day they were made.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# Each case: manifests by directory ("" is the root).
CASES = {
    "plain": {"": {"dependencies": {"left-pad": "1.3.0", "lodash": "^4.17.0"}}},
    "scoped": {"": {"dependencies": {"@types/node": "^20", "@babel/core": "^7.24.0"}}},
    "aliased": {
        "": {
            "dependencies": {
                "react-old": "npm:react@17",
                "react": "18.3.1",
                "@mine/ms": "npm:ms@2.1.3",
                "string-width-cjs": "npm:string-width@^4.2.0",
            }
        }
    },
    "peers": {
        "": {
            "dependencies": {"react": "18.3.1", "react-dom": "18.3.1", "@testing-library/react": "^16"},
            "devDependencies": {"eslint-plugin-react-hooks": "^5", "eslint": "^9"},
        }
    },
    "nested": {"": {"dependencies": {"chalk": "5.3.0", "jest-diff": "^29", "ansi-styles": "6.2.1", "wrap-ansi": "7.0.0"}}},
    "bundled": {"": {"dependencies": {"cdk8s": "^2.69.0", "constructs": "^10"}}},
    "esbuild": {"": {"devDependencies": {"esbuild": "0.25.0"}}},
    "rollup": {"": {"devDependencies": {"rollup": "4.40.0"}}},
    "lightningcss": {"": {"dependencies": {"lightningcss": "1.29.2"}}},
    "vite-react": {
        "": {
            "dependencies": {"react": "^19", "react-dom": "^19"},
            "devDependencies": {"vite": "6.3.0", "rollup": "4.40.0", "@vitejs/plugin-react": "^4", "typescript": "^5"},
        }
    },
    "tailwind3": {"": {"devDependencies": {"tailwindcss": "^3.4.0", "postcss": "^8", "autoprefixer": "^10"}}},
    "tailwind4": {"": {"devDependencies": {"@tailwindcss/cli": "4.1.4", "tailwindcss": "4.1.4"}}},
    "workspaces": {
        "": {"workspaces": ["core/web", "extensions/altar/web", "extensions/scribe"]},
        "core/web": {"name": "@lych/core", "version": "1.0.0", "dependencies": {"ms": "^2.1.0", "debug": "^4"}},
        "extensions/altar/web": {
            "name": "altar",
            "version": "0.1.0",
            "bin": {"altar": "bin/altar.js"},
            "dependencies": {"@lych/core": "*", "ms": "2.0.0", "semver": "^6"},
            "devDependencies": {"semver": "^7"},
        },
        "extensions/scribe": {
            "name": "scribe",
            "version": "0.1.0",
            "dependencies": {"semver": "^5", "ms": "^2.1.0", "chokidar": "^3"},
        },
    },
    "overrides": {
        "": {"dependencies": {"express": "^4.19.0"}, "overrides": {"debug": "4.3.4", "send": {"ms": "2.1.2"}}}
    },
    "optional": {
        "": {
            "dependencies": {"chokidar": "^3.6.0"},
            "optionalDependencies": {"fsevents": "^2.3.0", "bufferutil": "^4", "@parcel/watcher": "2.5.1"},
        }
    },
    "sharp": {"": {"dependencies": {"sharp": "0.34.0"}}},
    "dev-optional": {
        "": {
            "devDependencies": {"svelte": "^5", "@sveltejs/vite-plugin-svelte": "^5", "vite": "6.3.0"},
            "optionalDependencies": {"rollup": "4.40.0"},
        }
    },
    "peer-conflict-nested": {
        "": {"workspaces": ["a", "b"]},
        "a": {"name": "a", "version": "1.0.0", "dependencies": {"react": "17.0.2", "react-dom": "17.0.2"}},
        "b": {"name": "b", "version": "1.0.0", "dependencies": {"react": "18.3.1", "react-dom": "18.3.1", "zustand": "^4"}},
    },
    "napi": {"": {"devDependencies": {"@biomejs/biome": "1.9.4"}}},
    "lock-v2": {"": {"dependencies": {"yargs": "^17", "glob": "^7"}}},
}
FLAGS = {"lock-v2": ["--lockfile-version", "2"]}


def npm(node, cli, where, *arguments):
    empty = where.parent / "empty-npmrc"
    empty.write_text("")
    home = where.parent / "home"
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "PATH": os.path.dirname(node) + ":/usr/bin:/bin"}
    for name in ("HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
        if name in os.environ:
            environment[name] = os.environ[name]
    subprocess.run(
        [node, cli, *arguments, "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
         "--userconfig", str(empty), "--globalconfig", str(where.parent / "none"),
         "--cache", os.environ.get("NPM_CACHE", str(where.parent / "cache")), "--loglevel", "error"],
        cwd=where, env=environment, check=True,
    )


def expected(hidden):
    places = {}
    for place, entry in json.loads(hidden.read_text())["packages"].items():
        if entry.get("link"):
            places[place] = "link:" + entry["resolved"]
        elif "node_modules" not in place:
            continue
        elif entry.get("inBundle"):
            places[place] = "bundled"
        else:
            places[place] = entry["integrity"]
    return places


def write(path, value):
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def main():
    node, cli, *wanted = sys.argv[1:]
    for name, manifests in CASES.items():
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as above:
            where = pathlib.Path(above) / "case"
            for directory, manifest in manifests.items():
                (where / directory).mkdir(parents=True, exist_ok=True)
                write(where / directory / "package.json", {"name": "root", "private": True} | manifest)
                for path in manifest.get("bin", {}).values():
                    (where / directory / path).parent.mkdir(parents=True, exist_ok=True)
                    (where / directory / path).write_text("#!/usr/bin/env node\n")
            npm(node, cli, where, "install", "--package-lock-only", *FLAGS.get(name, ["--lockfile-version", "3"]))
            npm(node, cli, where, "ci")
            (HERE / name).mkdir(exist_ok=True)
            shutil.copyfile(where / "package-lock.json", HERE / name / "package-lock.json")
            write(HERE / name / "expected.json", expected(where / "node_modules/.package-lock.json"))
            print(name, len(json.loads((HERE / name / "expected.json").read_text())))


main()
