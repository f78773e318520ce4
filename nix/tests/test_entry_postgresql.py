"""The entry point of an image with PostgreSQL, nix/entry/postgresql. What it answers without a
database is tried everywhere; the rest with the programs of the directory that POSTGRESQL_BIN
names (/usr/lib/postgresql/17/bin), and not at all without it.
Run: POSTGRESQL_BIN=… python3 -m unittest discover -s nix/tests -p test_entry_postgresql.py"""

import ctypes
import gzip
import lzma
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ENTRY = os.path.join(os.path.dirname(HERE), "entry", "postgresql")
PROGRAMS = os.environ.get("POSTGRESQL_BIN")
# PostgreSQL does not run as root, so neither do these: as a user that every Debian has.
USER = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
# What the entry point calls; all else is the shell's own.
NEEDED = ["bash", "chmod", "id", "mkdir", "mv", "rm", "sleep", "stat", "sync"]
PATH = "/usr/local/bin:/usr/bin:/bin"


def setUpModule():
    # What a killed shell leaves behind becomes our child, so that it can be found and killed too.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def tearDownModule():
    ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)


def load_tests(loader, tests, pattern):
    cases = [Answers] + ([Databases, CutShort] if PROGRAMS else [])
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


def children():
    """The processes below this one, parents first."""
    below = {}
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/stat", encoding="utf-8") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        below.setdefault(parent, []).append(int(number))
    found = list(below.get(os.getpid(), []))
    for number in found:
        found += below.get(number, [])
    return found


# A shell's job in the background ignores these, and what is started so cannot trap them; in a container nothing is
# ignored.
for number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

# Seconds after which something hangs, however slow the machine.
PATIENCE = 600


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pg")
        self.addCleanup(scratch.cleanup)
        self.addCleanup(self.kill)
        self.root = scratch.name
        self.own(self.root)
        for directory in "bin", "scripts", "run":
            os.mkdir(self.path(directory))
            self.own(self.path(directory))
        self.data = self.path("data")
        self.starts = 0
        self.started = []
        with open(ENTRY, encoding="utf-8") as file:
            text = file.read()
        place = "\nscripts=/docker-entrypoint-initdb.d\n"
        self.assertEqual(text.count(place), 1)
        self.entry = self.write("entry", text.replace(place, f"\nscripts={self.path('scripts')}\n"), 0o755)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def own(self, path):
        if USER:
            os.chown(path, USER["user"], USER["group"])

    def write(self, path, data, mode=0o644):
        with open(self.path(path), "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        os.chmod(self.path(path), mode)
        self.own(self.path(path))
        return self.path(path)

    def start(self, *arguments, entry=None, user=USER, **variables):
        environment = {"PATH": self.search(), "PGDATA": self.data, "LANG": "C.UTF-8", **variables}
        environment = {name: value for name, value in environment.items() if value is not None}
        self.starts += 1
        log = self.path(f"log{self.starts}")
        with open(log, "wb") as file:
            process = subprocess.Popen(
                [shutil.which("bash"), entry or self.entry, *arguments], env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, **user
            )
        process.log = log
        self.started.append(process)
        return process

    def search(self):
        return f"{self.path('bin')}:{PATH}"

    def log(self, process):
        with open(process.log, encoding="utf-8") as file:
            return file.read()

    def reap(self):
        """What the first process of a container does: waits for those that lost their parent."""
        for number in children():
            if number not in [process.pid for process in self.started]:
                try:
                    os.waitpid(number, os.WNOHANG)
                except ChildProcessError:
                    pass

    def until(self, is_so, process=None):
        end = time.monotonic() + PATIENCE
        while not is_so():
            self.reap()
            ended = process is not None and process.poll() is not None and not is_so()
            if ended or time.monotonic() > end:
                self.fail("".join(map(self.log, self.started)))
            time.sleep(0.03)

    def end(self, process):
        self.until(lambda: process.poll() is not None)
        return process.returncode

    def kill(self):
        """Everything at once, as a container is killed: parents first, which could still act."""
        while found := children():
            for number in found:
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for process in self.started:
                process.poll()
            self.reap()

    def refused(self, *words, arguments=(), **variables):
        process = self.start(*arguments, **variables)
        self.assertEqual(self.end(process), 1, self.log(process))
        last = self.log(process).splitlines()[-1]
        self.assertTrue(last.startswith("postgresql: "), last)
        for word in words:
            self.assertIn(word, last)
        return process


class Answers(Case):
    """What is said before there is a database, by stand-ins for its programs."""

    def setUp(self):
        super().setUp()
        self.write("bin/postgres", "#!/bin/sh\necho postgres \"$@\"\n", 0o755)
        self.write("bin/initdb", "#!/bin/bash\nprintf '<%s>' \"$@\"\nread -r line <\"${2#*=}\"\necho \" password $line\"\nexit 7\n", 0o755)
        self.write("bin/id", "#!/bin/sh\n[ \"$*\" != -un ] || echo somebody\n", 0o755)
        self.new = {"POSTGRES_PASSWORD": "one secret"}

    def says(self, *arguments, code=0, **variables):
        process = self.start(*arguments, **variables)
        self.assertEqual(self.end(process), code, self.log(process))
        return self.log(process)

    def test_another_program_is_run_as_it_is(self):
        self.assertEqual(self.says("echo", "-c", "x y"), "-c x y\n")
        self.assertFalse(os.path.exists(self.data))

    def test_what_is_only_asked_needs_no_database(self):
        for asked in ["--help"], ["--version"], ["-V"], ["-?"], ["-C", "port"], ["-Cport"], ["--describe-config"], ["-c", "x=y", "--version"]:
            self.assertEqual(self.says("postgres", *asked), f"postgres {' '.join(asked)}\n")
            self.assertEqual(self.says(*asked), f"postgres {' '.join(asked)}\n")
        self.assertFalse(os.path.exists(self.data))

    def test_a_whole_database_needs_nothing_but_its_server(self):
        os.mkdir(self.data)
        self.own(self.data)
        self.write("data/PG_VERSION", "17\n")
        os.makedirs(self.path("data/.first-start/data"))
        self.own(self.path("data/.first-start"))
        self.own(self.path("data/.first-start/data"))
        self.assertEqual(self.says(POSTGRES_PASSWORD_FILE="/nowhere"), "postgres\n")
        self.assertEqual(self.says("-c", "a=b c"), "postgres -c a=b c\n")
        self.assertEqual(self.says("postgres", "-c", "a=b"), "postgres -c a=b\n")
        self.assertEqual(os.listdir(self.data), ["PG_VERSION"])
        self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o700)
        os.chmod(self.data, 0o750)
        self.says()
        self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o750)

    def test_words_of_initdb(self):
        first = "<--username=postgres>"
        rest = "<--auth-local=trust><--auth-host=scram-sha-256><--no-instructions>"
        said = self.says(code=7, **self.new)
        self.assertIn(first, said)
        self.assertIn(rest + " password one secret\n", said)
        said = self.says(code=7, POSTGRES_INITDB_ARGS="--a 'b  c' --d=\"e f\"", **self.new)
        self.assertIn("<--no-instructions><--a><b  c><--d=e f>", said)
        self.assertIn("<--no-instructions><--encoding=UTF8> ", self.says(code=7, LANG=None, **self.new))
        self.assertIn("<--no-instructions><-E><LATIN1> ", self.says(code=7, LANG="C", POSTGRES_INITDB_ARGS="-E LATIN1", **self.new))
        self.assertIn("<--auth-host=trust>", self.says(code=7, POSTGRES_HOST_AUTH_METHOD="trust"))

    def test_files_instead_of_variables(self):
        files = {f"POSTGRES_{name}_FILE": self.write(name, f"{text}\n") for name, text in [("PASSWORD", "from a file"), ("USER", "me"), ("INITDB_ARGS", "-x y")]}
        said = self.says(code=7, **files)
        self.assertIn("<--username=me>", said)
        self.assertIn("<-x><y> password from a file\n", said)
        for name in "PASSWORD", "USER", "DB", "INITDB_ARGS":
            file = self.write(name, "x\n")
            self.refused(f"POSTGRES_{name} and POSTGRES_{name}_FILE are both set", **{**self.new, f"POSTGRES_{name}": "a", f"POSTGRES_{name}_FILE": file})
        self.refused("POSTGRES_PASSWORD_FILE is /nowhere", "cannot be read", POSTGRES_PASSWORD_FILE="/nowhere")
        self.refused("cannot be read", POSTGRES_PASSWORD_FILE=self.write("secret", "x", 0o200))
        self.refused("cannot be read", POSTGRES_PASSWORD_FILE=self.root)

    def test_what_is_refused(self):
        self.refused("needs a password", "POSTGRES_PASSWORD_FILE", "POSTGRES_HOST_AUTH_METHOD=trust")
        self.refused("needs a password", POSTGRES_HOST_AUTH_METHOD="md5")
        self.refused("more than one line", POSTGRES_PASSWORD="a\nb")
        self.refused("POSTGRES_INITDB_WALDIR is not supported", POSTGRES_INITDB_WALDIR="/wal", **self.new)
        self.refused("--waldir=/wal, which is not supported", POSTGRES_INITDB_ARGS="-k --waldir=/wal", **self.new)
        self.refused("POSTGRES_INITDB_ARGS is no words", POSTGRES_INITDB_ARGS="'", **self.new)
        self.refused("does not begin with /", PGDATA="data", **self.new)
        self.refused("cannot be made", PGDATA="/proc/data", **self.new)
        os.chmod(self.path("run"), 0o500)
        self.refused("belongs to user", ":U", PGDATA=self.path("run"), **self.new)
        os.chmod(self.path("scripts"), 0)
        self.refused("scripts cannot be read", **self.new)
        os.chmod(self.path("scripts"), 0o755)
        self.assertEqual(os.listdir(self.data), [])
        self.write("bin/id", "#!/bin/sh\nexit 1\n", 0o755)
        self.refused("has no account", "--passwd", **self.new)

    def test_a_foreign_directory_is_refused(self):
        os.mkdir(self.data)
        self.own(self.data)
        for name in "lost+found", ".hidden", "a file":
            path = self.write(f"data/{name}", "")
            self.refused("not empty", name, **self.new)
            os.mkdir(self.path("data/.first-start"))
            self.refused("not empty", name, **self.new)
            os.rmdir(self.path("data/.first-start"))
            os.unlink(path)
        self.write("data/PG_VERSION", "")
        self.refused("not empty", "PG_VERSION", **self.new)

    def test_root_is_refused(self):
        if USER:
            process = self.start(user={}, **self.new)
            self.assertEqual(self.end(process), 1)
            self.assertIn("does not run as root", self.log(process))
            self.assertFalse(os.path.exists(self.data))


class Database(Case):
    """What has PostgreSQL."""

    def setUp(self):
        super().setUp()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.options = ["-c", f"port={self.port}", "-c", f"unix_socket_directories={self.path('run')}"]
        self.new = {"POSTGRES_PASSWORD": "right", "POSTGRES_USER": "me", "POSTGRES_DB": "it"}

    def search(self):
        return f"{self.path('bin')}:{PROGRAMS}:{PATH}"

    def begin(self, **variables):
        return self.start(*self.options, **{**self.new, **variables})

    def is_up(self, process):
        place = self.path("run", f".s.PGSQL.{self.port}")
        return os.path.exists(place) and self.program("pg_isready", "-q", "-h", self.path("run"), "-p", str(self.port)).returncode == 0

    def up(self, **variables):
        process = self.begin(**variables)
        self.until(lambda: self.is_up(process), process)
        return process

    def down(self, process):
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process), 0, self.log(process))
        self.assertRegex(self.program("pg_controldata", self.data).stdout, "cluster state: +shut down\n")

    def program(self, name, *arguments, **variables):
        return subprocess.run([f"{PROGRAMS}/{name}", *arguments], env={"PATH": PATH, "LC_ALL": "C", **variables}, capture_output=True, text=True, check=False, **USER)

    def ask(self, sql, host=None, user="me", database="it", **variables):
        return self.program("psql", "-XAtw", "-h", host or self.path("run"), "-p", str(self.port), "-U", user, "-d", database, "-c", sql, **variables)

    def answer(self, sql, **more):
        done = self.ask(sql, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def script(self, name, data, mode=0o644):
        return self.write(f"scripts/{name}", data, mode)

    def effects(self):
        self.script("10-table.sql", "CREATE TABLE effects (n int); INSERT INTO effects VALUES (1);\n")
        self.script("20-more.sh", "docker_process_sql -c 'INSERT INTO effects VALUES (2)'\n")
        self.script("30-role.sql", "CREATE ROLE other; INSERT INTO effects VALUES (3);\n")

    def is_whole(self):
        self.assertEqual(self.answer("SELECT string_agg(n::text, ',' ORDER BY n) FROM effects"), "1,2,3")
        self.assertEqual(self.answer("SELECT count(*) FROM pg_roles WHERE rolname = 'other'"), "1")
        self.assertFalse(os.path.exists(self.path("data/.first-start")))
        self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o700)


class Databases(Database):
    def test_from_nothing_to_a_second_start(self):
        self.effects()
        process = self.up()
        self.is_whole()
        with open(f"/proc/{process.pid}/comm", encoding="utf-8") as file:
            self.assertEqual(file.read(), "postgres\n")
        self.assertEqual(self.answer("SHOW server_encoding"), "UTF8")
        self.assertEqual(self.answer("SELECT rolsuper FROM pg_roles WHERE rolname = 'me'"), "t")
        self.assertEqual(self.answer("SELECT 1", host="127.0.0.1", PGPASSWORD="right"), "1")
        self.assertIn("password authentication failed", self.ask("SELECT 1", host="127.0.0.1", PGPASSWORD="wrong").stderr)
        self.assertIn("no password", self.ask("SELECT 1", host="127.0.0.1").stderr)
        self.assertEqual(self.answer("SELECT substr(rolpassword, 1, 13) FROM pg_authid WHERE rolname = 'me'"), "SCRAM-SHA-256")
        if self.answer("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
            self.answer("CREATE EXTENSION vector; CREATE TABLE v (at vector(2)); INSERT INTO v VALUES ('[1,1]'), ('[9,9]')")
            self.assertEqual(self.answer("SELECT at FROM v ORDER BY at <-> '[8,8]' LIMIT 1"), "[9,9]")
        self.answer("INSERT INTO effects VALUES (4)")
        self.down(process)
        # No variable is needed any more, and no script runs again.
        process = self.up(**dict.fromkeys(self.new))
        self.assertNotIn("running:", self.log(process))
        self.assertEqual(self.answer("DELETE FROM effects WHERE n = 4; SELECT 1"), "DELETE 1\n1")
        self.is_whole()
        client = subprocess.Popen(
            [f"{PROGRAMS}/psql", "-XAtw", "-h", self.path("run"), "-p", str(self.port), "-U", "me", "-d", "it", "-c", "SELECT pg_sleep(600)"], stderr=subprocess.DEVNULL, **USER
        )
        self.started.append(client)
        self.until(lambda: self.answer("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(600)'") == "1")
        self.down(process)
        self.assertNotEqual(client.wait(), 0)

    def test_secrets_are_nowhere(self):
        secret = self.write("secret", "very secret\n", 0o600)
        self.script("1.sh", "echo \"script: $POSTGRES_PASSWORD\"\n")
        process = self.up(POSTGRES_PASSWORD=None, POSTGRES_PASSWORD_FILE=secret)
        self.assertIn("script: very secret\n", self.log(process))
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            self.assertNotIn(b"very secret", file.read())
        self.assertEqual(self.answer("SELECT 1", host="127.0.0.1", PGPASSWORD="very secret"), "1")
        for directory, _, names in os.walk(self.data):
            for name in names:
                with open(os.path.join(directory, name), "rb") as file:
                    # The log has no statement of initdb, the server none with it.
                    self.assertNotIn(b"very secret", file.read(), name)

    def test_everybody_is_let_in_only_when_told(self):
        process = self.up(POSTGRES_PASSWORD=None, POSTGRES_HOST_AUTH_METHOD="trust", POSTGRES_USER=None, POSTGRES_DB=None)
        self.assertIn("postgresql: warning: POSTGRES_HOST_AUTH_METHOD=trust", self.log(process))
        self.assertEqual(self.answer("SELECT current_user", host="127.0.0.1", user="postgres", database="postgres"), "postgres")

    def test_each_kind_of_script_in_order(self):
        record = "INSERT INTO seen (what) VALUES ('{}');\n".format
        self.script("00.sql", "CREATE TABLE seen (n serial, what text);\n")
        self.script("B.sql.gz", gzip.compress(record("B").encode()))
        self.script("a.sql", record("a"))
        self.script("b plain.sh", "false || docker_process_sql <<<\"INSERT INTO seen (what) VALUES ('${BASH_VERSION:+b}')\"\nset +e\nexit 0\n")
        self.script("c.sh", "#!/bin/sh\nset -e\n[ -z \"$BASH_VERSION\" ]\npsql -q -U \"$POSTGRES_USER\" -d \"$POSTGRES_DB\" -c \"INSERT INTO seen (what) VALUES ('c')\"\n", 0o755)
        self.script("d.txt", "no script\n")
        wanted = "B a b c"
        if shutil.which("xz"):
            self.script("e.sql.xz", lzma.compress(record("e").encode()))
            wanted += " e"
        if shutil.which("zstd"):
            self.script("f.sql.zst", subprocess.run(["zstd", "-c"], input=record("f").encode(), capture_output=True, check=True).stdout)
            wanted += " f"
        process = self.up(LC_ALL="C.UTF-8")
        self.assertEqual(self.answer("SELECT string_agg(what, ' ' ORDER BY n) FROM seen"), wanted)
        self.assertIn(f"postgresql: ignored: {self.path('scripts/d.txt')}\n", self.log(process))

    def test_a_script_may_change_the_server(self):
        self.script("1.sh", "printf \"ident_file = '%s/other.conf'\\nwork_mem = '7MB'\\n\" \"$PGDATA\" >>\"$PGDATA/postgresql.conf\"\n: >\"$PGDATA/other.conf\"\n")
        self.script("2.sh", "pg_ctl -D \"$PGDATA\" -m fast -w restart >/dev/null\n", 0o755)
        self.script("3.sql", "CREATE TABLE t AS SELECT current_setting('work_mem') AS it;\n")
        self.up()
        self.assertEqual(self.answer("SELECT it FROM t"), "7MB")
        self.assertEqual(self.answer("SHOW ident_file"), f"{self.data}/other.conf")

    def test_a_failing_script_leaves_nothing_that_counts(self):
        self.effects()
        for name, text, mode, code in [
            ("25.sql", "INSERT INTO effects VALUES (9);\nSELECT no_such;\nINSERT INTO effects VALUES (9);\n", 0o644, 3),
            ("25.sql.gz", gzip.compress(b"SELECT no_such;\n"), 0o644, 3),
            ("25.sql.xz", b"not packed", 0o644, 1),
            ("25.sh", "true\nno_such_program\ntrue\n", 0o644, 127),
            ("25.sh", "#!/bin/sh\nexit 5\n", 0o755, 5),
            ("25.sh", "exit 6\n", 0o644, 6),
            ("25.sh", "#!/bin/sh\npg_ctl -D \"$PGDATA\" -m fast -w restart >/dev/null\nexit 8\n", 0o755, 8),
        ]:
            path = self.script(name, text, mode)
            process = self.begin()
            self.assertEqual(self.end(process), code, self.log(process))
            self.assertIn(f"\npostgresql: {path} failed with code {code}: correct it", self.log(process))
            self.assertEqual(os.listdir(self.data), [".first-start"])
            self.reap()
            self.assertEqual(children(), [])
            os.unlink(path)
        process = self.up()
        self.assertIn("postgresql: the first start was cut short: beginning again\n", self.log(process))
        self.is_whole()

    def test_little_is_needed(self):
        """Bash, coreutils and PostgreSQL; what a file is packed with is named when it lacks."""
        for name in NEEDED:
            os.symlink(shutil.which(name), self.path("bin", name))
        self.effects()
        path = self.script("40.sql.zst", b"")
        alone = {"PATH": f"{self.path('bin')}:{PROGRAMS}"}
        process = self.begin(**alone)
        self.assertEqual(self.end(process), 1)
        self.assertIn(f"postgresql: {path} needs zstd, which is not in this image: add", self.log(process))
        os.unlink(path)
        process = self.up(**alone)
        self.assertIn("postgresql: this image has no flock", self.log(process))
        self.is_whole()

    def test_one_of_two_makes_it(self):
        if not shutil.which("flock"):
            return
        self.effects()
        both = [self.begin(), self.begin()]
        self.until(lambda: any(process.poll() is not None for process in both))
        last, first = sorted(both, key=lambda process: process.poll() is None)
        self.assertEqual(last.returncode, 1)
        self.assertIn("in use by another container", self.log(last))
        self.until(lambda: self.is_up(first), first)
        self.is_whole()
        # The server has the lock as long as it runs, and nobody after it.
        self.refused("in use by another container", arguments=self.options)
        self.down(first)
        self.up()
        self.is_whole()

    def test_a_server_that_does_not_start_is_no_database(self):
        process = self.start("-c", "no_such=1", **self.new)
        self.assertEqual(self.end(process), 1, self.log(process))
        self.assertIn("did not start", self.log(process))
        self.assertEqual(os.listdir(self.data), [".first-start"])


class CutShort(Database):
    def setUp(self):
        super().setUp()
        # Programs are killed here, and the machine goes on: nothing waits for its disks.
        self.options += ["-c", "fsync=off"]
        self.new["POSTGRES_INITDB_ARGS"] = "--no-sync"

    def again(self):
        """What comes of a start on what is there."""
        process = self.up()
        self.is_whole()
        self.down(process)

    def wrapped(self, names):
        """Each program notes its call; the one that is waited for stops there for good."""
        os.makedirs(self.path("calls"))
        self.own(self.path("calls"))
        for name in names:
            real = shutil.which(name, path=f"{PROGRAMS}:{PATH}")
            text = f"""#!/bin/bash
echo {name} >>{self.path("calls/log")}
call="{name} $(grep -c '^{name}$' {self.path("calls/log")})"
stop() {{ : >{self.path("calls/there")}; exec sleep 1000; }}
[[ $call != "$STOP" || $AT != before ]] || stop
if [[ $call == "$STOP" && $AT == half ]]; then {real} "${{@:1:8}}"; stop; fi
[[ $call == "$STOP" ]] || exec {real} "$@"
{real} "$@"
stop
"""
            self.write(f"bin/{name}", text, 0o755)

    def anew(self):
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)
        for name in "calls/log", "calls/there":
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))

    def test_killed_around_each_program(self):
        self.effects()
        self.wrapped([*NEEDED[1:], "initdb", "createdb", "psql", "pg_ctl"])
        self.down(self.up())
        with open(self.path("calls/log"), encoding="utf-8") as file:
            names = [name for name in file.read().split() if name not in ("sleep", "stat", "id")]
        calls = [(name, f"{name} {names[:at + 1].count(name)}") for at, name in enumerate(names)]
        # Behind most, the next that changes something is the next program.
        calls = [(call, "before") for _, call in calls] + [(call, "after") for name, call in calls if name in ("initdb", "mv", "pg_ctl", "sync")]
        calls += [("mv 1", "half")]
        self.assertGreater(len(calls), 20)
        for call, when in calls:
            with self.subTest(call=call, when=when):
                self.anew()
                process = self.begin(STOP=call, AT=when)
                self.until(lambda: os.path.exists(self.path("calls/there")), process)
                self.kill()
                self.again()

    def test_killed_at_any_time(self):
        self.effects()
        begun = time.monotonic()
        self.down(self.up())
        whole = time.monotonic() - begun
        chance = random.Random(5)
        for _ in range(int(os.environ.get("KILLS", "6"))):
            self.anew()
            # Not once only: a start that goes on with another's rest is cut short too.
            for _ in range(chance.randrange(1, 3)):
                self.begin()
                time.sleep(chance.uniform(0, whole))
                self.kill()
            self.again()

    def test_killed_in_what_is_slow(self):
        for name, text in ("40.sql", "SELECT pg_sleep(600);"), ("40.sh", "sleep 600"):
            self.effects()
            path = self.script(name, text)
            process = self.begin()
            self.until(lambda: f"running: {path}" in self.log(process), process)
            time.sleep(0.1)
            self.kill()
            os.unlink(path)
            self.again()
            self.anew()

    def test_stopped_in_the_first_start(self):
        self.effects()
        restart = "pg_ctl -D \"$PGDATA\" -m fast -w restart >/dev/null\n"
        for number, name, text in [
            (signal.SIGTERM, "40.sql", "SELECT pg_sleep(600);"),
            (signal.SIGINT, "40.sql", "SELECT pg_sleep(600);"),
            (signal.SIGQUIT, "40.sh", "sleep 600"),
            (signal.SIGTERM, "40.sh", restart + "psql -U me -d it -c 'SELECT pg_sleep(600)'"),
        ]:
            path = self.script(name, text)
            process = self.begin()
            self.until(lambda: f"running: {path}" in self.log(process), process)
            time.sleep(0.3)
            process.send_signal(number)
            self.assertEqual(self.end(process), 128 + number, self.log(process))
            self.assertIn("postgresql: stopped during the first start; the next start", self.log(process))
            self.reap()
            self.assertEqual(children(), [], self.log(process))
            self.assertEqual(os.listdir(self.data), [".first-start"])
            os.unlink(path)
        self.again()

    def test_stopped_at_any_time(self):
        self.effects()
        begun = time.monotonic()
        self.down(self.up())
        whole = time.monotonic() - begun
        for step in range(8):
            self.anew()
            process = self.begin()
            time.sleep(whole * (step + 0.5) / 8)
            process.send_signal(signal.SIGTERM)
            # Before bash has a trap it dies of the signal; the whole server ends well by it.
            self.assertIn(self.end(process), (143, 0, -15), self.log(process))
            self.reap()
            self.assertEqual(children(), [], self.log(process))
            self.again()


if __name__ == "__main__":
    unittest.main()
