#!/usr/bin/env python3
"""Asks uv what it installs from each lock here, and writes the answers to <case>/expected/<selection>.txt.

    regenerate.py UV [CASE...]        UV: path of the uv binary

The locks are committed and stay as they are. For each selection of <case>/selections.toml a copy of the case is
made in which every wheel URL points to a server in this process; it serves, under the same file name, a tiny
wheel made on the spot, and the lock's hash of it is replaced by that wheel's. Then `uv sync --frozen --no-build`
really installs into a new virtual environment, so uv alone follows the markers and chooses the files; what it
chose is read back from the installed distributions. Nothing is fetched from outside.

The target (Python, glibc, machine) is what uv is told by the interpreter: a program that answers uv's question
with the real interpreter's answer and the target's values in it.

An answer is `refused` and uv's reason, or one line per wheel `name version file`, and one line
`member name` per source tree that would be installed.
"""

import gzip, hashlib, http.server, io, json, os, pathlib, re, shutil, stat, subprocess, sys, tarfile, tempfile, threading, tomllib, zipfile

HERE = pathlib.Path(__file__).resolve().parent
# name: (Python, machine, glibc minor); tests/it/uv_corpus.rs has the same table.
TARGETS = {
    "trixie": ("3.13.5", "x86_64", 41),
    "bookworm": ("3.13.5", "x86_64", 36),
    "aarch64": ("3.13.5", "aarch64", 41),
    "glibc-2.17": ("3.13.5", "x86_64", 17),
    "python-3.12": ("3.12.1", "x86_64", 41),
    "python-3.10": ("3.10.13", "x86_64", 41),
    "python-3.8": ("3.8.18", "x86_64", 41),
    "python-3.13rc": ("3.13.0rc2", "x86_64", 41),
    "python-3.12rc": ("3.12.0rc1", "x86_64", 41),
}

INTERPRETER = '''#!{real}
import json, os, subprocess, sys
if "interpreter_info" not in " ".join(sys.argv):
    # A build, not uv's question.
    os.execv({real!r}, [{real!r}, *sys.argv[1:]])
answer = subprocess.run([{real!r}, *sys.argv[1:]], capture_output=True, text=True, check=True).stdout
answer = json.loads(answer.replace("python" + {real_series!r}, "python" + {series!r}))
answer["markers"].update(
    implementation_version={python!r}, python_full_version={python!r}, python_version={series!r},
    platform_machine={machine!r}, platform_release="", platform_version="")
answer["os"] = dict(name="manylinux", major=2, minor={glibc})
answer["arch"] = {machine!r}
answer["sys_executable"] = answer["sys_base_executable"] = {path!r}
print(json.dumps(answer))
'''


def interpreter(directory, target):
    python, machine, glibc = TARGETS[target]
    path = directory / target / "python"
    path.parent.mkdir(parents=True)
    path.write_text(INTERPRETER.format(
        real=sys.executable, real_series="%d.%d" % sys.version_info[:2], series=".".join(re.findall(r"\d+", python)[:2]),
        python=python, machine=machine, glibc=glibc, path=str(path)))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def wheel(filename, says=None):
    """A wheel of that name with nothing in it but its own name, or another."""
    name, version, tags = filename.removesuffix(".whl").split("-", 2)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: regenerate\nRoot-Is-Purelib: false\nTag: py3-none-any\n",
        f"{info}/FILE": says or filename,
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


BACKEND = '''
import pathlib
def build_wheel(directory, config_settings=None, metadata_directory=None):
    here = pathlib.Path(__file__).parent
    (pathlib.Path(directory) / {name!r}).write_bytes((here / "made.whl").read_bytes())
    return {name!r}
'''


def sdist(filename):
    """A source archive of that name, whose own backend leaves a wheel that says the archive's name."""
    name, version = filename.removesuffix(".tar.gz").rsplit("-", 1)
    made = f"{name}-{version}-py3-none-any.whl"
    files = {
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND.format(name=made),
        "made.whl": wheel(made, filename),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in files.items():
            data = data.encode() if isinstance(data, str) else data
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def made(filename):
    return sdist(filename) if filename.endswith(".tar.gz") else wheel(filename)


def unquoted(url):
    return url.rsplit("/", 1)[1].replace("%2B", "+").replace("%21", "!")


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, body):
        data = made(unquoted(self.path))
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def do_GET(self):
        self.reply(True)

    def do_HEAD(self):
        self.reply(False)

    def log_message(self, *_):
        pass


def rewritten(lock, base):
    def entry(match):
        digest = hashlib.sha256(made(unquoted(match["url"]))).hexdigest()
        return f'{{ url = "{match["url"]}", hash = "sha256:{digest}"'

    lock = re.sub(r'\{ url = "(?P<url>[^"]+\.(?:whl|tar\.gz))", hash = "sha256:[0-9a-f]{64}"', entry, lock)
    return lock.replace("https://files.pythonhosted.org/", base)


def arguments(selection):
    found = ["--all-packages"] if selection.get("all-packages") else []
    for key in ("all-extras", "all-groups", "no-dev", "no-default-groups"):
        found += [f"--{key}"] if selection.get(key) else []
    for key, option in (("packages", "--package"), ("extras", "--extra"), ("groups", "--group"), ("no-groups", "--no-group"),
                        ("only-groups", "--only-group"), ("no-binary", "--no-binary-package")):
        for value in selection.get(key, []):
            found += [option, value]
    return found


def answer(uv, case, selection, scratch, pythons, base):
    project = scratch / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(case, project, ignore=shutil.ignore_patterns("expected", "selections.toml"))
    (project / "uv.lock").write_text(rewritten((case / "uv.lock").read_text(), base))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_", "VIRTUAL_ENV", "PYENV"))}
    environment |= {"UV_CACHE_DIR": str(scratch / "cache"), "UV_PYTHON_DOWNLOADS": "never",
                    "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "NO_COLOR": "1", "UV_LINK_MODE": "copy"}
    target = selection.get("target", "trixie")
    build = [] if selection.get("trees") else ["--no-build"]
    command = [uv, "sync", "--frozen", *build, "--python", str(pythons[target]), *arguments(selection)]
    # Source trees are not built: they are read from the plan, then left out of the installation.
    plan = subprocess.run([*command, "--dry-run"], cwd=project, env=environment, capture_output=True, text=True)
    done = plan
    if plan.returncode == 0:
        shutil.rmtree(project / ".venv", ignore_errors=True)
        done = subprocess.run([*command, "--no-install-local"], cwd=project, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        reason = [line for line in done.stderr.splitlines() if line.startswith("error") or line.startswith("  ")]
        reason = " ".join(line.strip() for line in reason).replace(str(project.resolve()), "").replace(base, "https://files.pythonhosted.org/")
        return "refused\n# " + reason + "\n"
    lines = []
    for file in (project / ".venv").glob("lib/python*/site-packages/*.dist-info/FILE"):
        name = re.sub(r"[-_.]+", "-", file.parent.name.removesuffix(".dist-info").split("-")[0]).lower()
        filename = file.read_text()
        lines.append(f"{name} {filename.removesuffix('.tar.gz').split('-')[1]} {filename}")
    for name, path in re.findall(r"^ \+ ([\w.-]+) @ file://(\S+)$", plan.stderr, re.M):
        filename = path.rsplit("/", 1)[1]
        lines.append(f"{name} {filename.split('-')[1]} {filename}" if filename.endswith(".whl") else f"member {name}")
    return "".join(f"{line}\n" for line in sorted(lines))


def main():
    uv, *chosen = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        scratch = pathlib.Path(scratch)
        pythons = {target: interpreter(scratch, target) for target in TARGETS}
        for case in sorted(path.parent for path in HERE.glob("*/selections.toml")):
            if chosen and case.name not in chosen:
                continue
            expected = case / "expected"
            shutil.rmtree(expected, ignore_errors=True)
            expected.mkdir()
            for selection in tomllib.loads((case / "selections.toml").read_text())["selection"]:
                text = answer(uv, case, selection, scratch, pythons, base)
                (expected / f"{selection['name']}.txt").write_text(text)
                print(f"{case.name}/{selection['name']}: {text.count(chr(10))} lines" + (f" {text[:300]!r}" if text.startswith("refused") else ""), flush=True)


main()
