"""What is around dpkg when it configures packages: its database, the root that it changes,
accounts, and what is kept. Run: python3 -m unittest discover -s nix/tests"""

import hashlib
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from types import SimpleNamespace

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "root"))
sys.dont_write_bytecode = True

import configure
import dpkg_database
import locales
import numbers_of_accounts
import table
from accounts import accounts
from canonical import canonical
from live_root import LiveRoot
from tree import Stored
from union import Union

MASTERS = {"passwd": "root:*:0:0:root:/root:/bin/bash\nnobody:*:65534:65534::/:/x\n", "group": "root:*:0:\nnogroup:*:65534:\n"}


def control(name, **members):
    fields = {"package": name, "architecture": members.pop("architecture", "amd64"), "multi-arch": members.pop("multi_arch", "")}
    return SimpleNamespace(fields=fields, members={"control": f"Package: {name}\nVersion: 1\n".encode(), **{key: text.encode() for key, text in members.items()}})


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = scratch.name

    def read(self, path):
        with open(f"{self.root}/{path}", encoding="utf-8") as file:
            return file.read()

    def write(self, path, text):
        os.makedirs(os.path.dirname(f"{self.root}/{path}"), exist_ok=True)
        with open(f"{self.root}/{path}", "w", encoding="utf-8") as file:
            file.write(text)


class Database(Case):
    def test_packages_are_unpacked_and_not_configured(self):
        lib = control("liba", multi_arch="same", postinst="#!/bin/sh\n", shlibs="liba 1\n")
        tool = control("tool", triggers="interest-noawait /usr/share/x\ninterest named # why\nactivate-noawait ldconfig\n")
        triggers = dpkg_database.write(self.root, [(lib, ["/usr", "/usr/lib"]), (tool, [])])
        base = dpkg_database.PLACE
        self.assertEqual(triggers, ["/usr/share/x", "named"])
        self.assertEqual(self.read(f"{base}/status"), "Package: liba\nStatus: install ok unpacked\nVersion: 1\n\nPackage: tool\nStatus: install ok unpacked\nVersion: 1\n")
        self.assertEqual(self.read(f"{base}/info/liba:amd64.list"), "/.\n/usr\n/usr/lib\n")
        self.assertEqual(os.stat(f"{self.root}/{base}/info/liba:amd64.postinst").st_mode & 0o777, 0o755)
        self.assertEqual(os.stat(f"{self.root}/{base}/info/liba:amd64.shlibs").st_mode & 0o777, 0o644)
        self.assertEqual(self.read(f"{base}/triggers/File"), "/usr/share/x tool/noawait\n")
        self.assertEqual(self.read(f"{base}/triggers/named"), "tool\n")
        self.assertFalse(os.path.exists(f"{self.root}/{base}/info/tool.control"))

    def test_what_is_essential_is_first(self):
        def one(name, needs=(), provides=(), **fields):
            return SimpleNamespace(fields={"package": name, **fields}, names=lambda: {name, *provides}, needs=lambda: needs)

        controls = [one("sh", [{"libc", "musl"}], essential="yes"), one("libc", [{"base"}]), one("other"), one("gcc-base", provides=["base"]), one("libpam-runtime", [{"sh"}])]
        self.assertEqual(dpkg_database.essential(controls), ["gcc-base", "libc", "libpam-runtime", "sh"])

    def test_what_is_not_installed_in_the_end(self):
        dpkg_database.write(self.root, [(control("a"), []), (control("b"), [])])
        self.assertEqual(dpkg_database.unfinished(self.root), ["a", "b"])
        path = f"{dpkg_database.PLACE}/status"
        self.write(path, self.read(path).replace("unpacked", "installed", 1))
        self.assertEqual(dpkg_database.unfinished(self.root), ["b"])


class Locales(unittest.TestCase):
    SUPPORTED = b"# those of glibc\nde_AT.UTF-8 UTF-8\nde_DE.UTF-8 UTF-8\nde_DE ISO-8859-1\nhi_IN UTF-8\nsr_RS@latin UTF-8\n"

    def test_debconf_is_told_what_debian_calls_them(self):
        told = locales.answers(["hi_IN.UTF-8", "sr_RS.UTF-8@latin", "de_DE.UTF-8"], self.SUPPORTED)
        self.assertEqual(
            told,
            "locales locales/locales_to_be_generated multiselect hi_IN UTF-8, sr_RS@latin UTF-8, de_DE.UTF-8 UTF-8\n"
            "locales locales/default_environment_locale select hi_IN\n",
        )
        self.assertEqual(locales.answers([], None), "")

    def test_one_that_is_not_there_ends_the_build_with_those_that_are_near(self):
        for content, wants in ((self.SUPPORTED, ["error: Debian has no locale de_XX.UTF-8", "near ones: de_DE.UTF-8, de_AT.UTF-8\n", "near ones: sr_RS.UTF-8@latin\n", "no locale qq_QQ.UTF-8, which `locales` in"]), (None, ["no locale de_XX.UTF-8"])):
            with self.assertRaises(SystemExit) as failed:
                locales.answers(["de_XX.UTF-8", "sq_RS.UTF-8@latin", "qq_QQ.UTF-8"], content)
            for want in wants:
                self.assertIn(want, str(failed.exception))


class Changes(Case):
    def test_what_programs_changed(self):
        source = f"{self.root}/source"
        with open(source, "w", encoding="utf-8") as file:
            file.write("1")
        stored = Stored(source)
        tree = {"etc": {"same": stored, "written": stored, "gone": stored, "mode": stored, "touched": b"x", "link": "same"}, "tmp": {}}
        root = LiveRoot(f"{self.root}/root", tree, {"tmp": ["1777", 0, 0]}, 7, ".own")
        self.assertEqual(os.stat(f"{root.path}/tmp").st_mode & 0o7777, 0o1777)
        self.assertEqual(os.stat(f"{root.path}/etc/same").st_mtime, 7)
        self.assertEqual(root.changed(), ({}, [], []))
        self.write("root/etc/written", "2")
        self.write("root/etc/new", "")
        self.write("root/.own/log", "")
        self.write("root/proc/1", "")
        os.unlink(f"{root.path}/etc/gone")
        os.unlink(f"{root.path}/etc/link")
        os.symlink("written", f"{root.path}/etc/link")
        os.chmod(f"{root.path}/etc/mode", 0o600)
        os.mkdir(f"{root.path}/etc/dir")
        os.mkfifo(f"{root.path}/etc/pipe")
        at = lambda path: Stored(f"{root.path}/etc/{path}")
        self.assertEqual(root.changed(), ({"etc/dir": {}, "etc/link": "written", "etc/mode": at("mode"), "etc/new": at("new"), "etc/written": at("written")}, ["etc/gone"], ["etc/pipe"]))


class Accounts(Case):
    def made(self, passwd="", group=""):
        self.write("etc/passwd", MASTERS["passwd"] + passwd)
        self.write("etc/group", MASTERS["group"] + group)
        return numbers_of_accounts.made(self.root, MASTERS)

    def test_the_number_goes_with_the_name(self):
        self.assertEqual(self.made(), {})
        one = self.made("postgres:x:100:102:P:/var/lib/postgresql:/bin/bash\n", "ssl-cert:x:101:postgres\npostgres:x:102:\n")
        number = numbers_of_accounts.numbered(one)["postgres"]
        seeded = numbers_of_accounts.seeded(MASTERS, one, numbers_of_accounts.numbered(one))
        self.assertEqual(seeded["/etc/passwd"].decode(), MASTERS["passwd"] + f"postgres:!:{number}:{number}:P:/var/lib/postgresql:/bin/bash\n")
        self.assertIn(f"postgres:!:{number}:\n", seeded["/etc/group"].decode())
        other = self.made("a:x:100:65534::/:/x\npostgres:x:101:103:P:/:/bin/bash\n", "postgres:x:103:\n")
        self.assertEqual(numbers_of_accounts.numbered(other)["postgres"], number, "another package moves nobody")
        self.assertIn(":65534::/:/x\n", numbers_of_accounts.seeded(MASTERS, other, numbers_of_accounts.numbered(other))["/etc/passwd"].decode())

    def test_accounts_are_made_with_the_number_of_their_name(self):
        script = "set -e\nNAME=_lych\nadduser --system --quiet --home /var/lib/postgresql \\\n  --group postgres\naddgroup \"$NAME\"\n"
        pool = dict(line.split(":") for line in numbers_of_accounts.pool([script, "useless=word\n"]).splitlines())
        number = str(numbers_of_accounts.number_of("postgres", ()))
        self.assertEqual(pool["postgres"], number)
        self.assertIn("_lych", pool)
        for absent in ("system", "home", "var", "lib", "word", "set"):
            self.assertNotIn(absent, pool)
        numbered = self.made(f"postgres:x:{number}:{number}:P:/:/x\n", f"postgres:x:{number}:\n")
        have = lambda accounts: numbers_of_accounts.have(accounts, numbers_of_accounts.numbered(accounts))
        self.assertTrue(have(numbered))
        self.assertTrue(have(self.made()))
        self.assertFalse(have(self.made("postgres:x:100:100:P:/:/x\n", "postgres:x:100:\n")))
        self.assertFalse(numbers_of_accounts.have(self.made(), {"postgres": int(number)}), "one is missing")

    def test_a_number_that_another_has_is_not_taken(self):
        self.write("pool", "lych:0\nroot:0\nfree:61234\n")
        script = configure.ADD.replace("/.forge", self.root).replace("/usr/sbin/%s --conf", "cat")
        subprocess.run(["sh", "-c", script, "adduser", "--system", "lych"], check=False, capture_output=True)
        self.assertEqual(self.read("free"), "root:0\nfree:61234\n")
        self.assertEqual(self.read("added"), "--system lych\n")
        self.assertIn(f"UID_POOL={self.root}/free\nGID_POOL={self.root}/free\n", self.read("adduser.conf"))

    def test_two_names_with_one_number_get_two(self):
        names = [f"user{n}" for n in range(900)]
        numbers = numbers_of_accounts.numbered({"passwd": {name: [] for name in names}})
        self.assertEqual(sorted(numbers.values()), list(range(100, 1000)))

    def test_the_images_user_stands_after_root(self):
        found = accounts("lich", 1000, ["/home/lich"], MASTERS["passwd"], MASTERS["group"])
        self.assertEqual(found["/etc/passwd"].decode().splitlines()[:2], ["root:*:0:0:root:/root:/bin/bash", "lich:x:1000:1000:lich:/home/lich:/bin/sh"])
        self.assertEqual(accounts("nobody", 65534, [], MASTERS["passwd"], MASTERS["group"])["/etc/passwd"].decode(), MASTERS["passwd"])
        again = accounts("nobody", 1000, [], MASTERS["passwd"], MASTERS["group"])["/etc/passwd"].decode()
        self.assertEqual([line for line in again.splitlines() if line.startswith("nobody:")], ["nobody:x:1000:1000:nobody:/:/bin/sh"])
        self.assertEqual(accounts("lich", 1000, [])["/etc/group"], b"root:x:0:\nlich:x:1000:\nnogroup:x:65534:\n")


class Kept(Case):
    def test_a_row_says_what_is_not_kept(self):
        self.write("table", "# why\netc/pam.d/common-* unless libpam because nobody logs in\nvar/log/* because of the build\n")
        path = f"{self.root}/table"
        self.assertEqual([row.pattern for row in table.read(path, {"libpam"})], ["var/log/*"])
        rows = table.read(path, set())
        held = lambda place: [row.reason for row in rows if row.has(place)]
        self.assertEqual((held("etc/pam.d/common-auth"), held("var/log/a/b"), held("var/log"), held("var/logs")), (["nobody logs in"], ["of the build"], [], []))
        self.write("table", "etc/x since\n")
        with self.assertRaises(SystemExit):
            table.read(path, set())

    def test_the_forges_own_table_can_be_read(self):
        rows = table.read(os.path.join(os.path.dirname(HERE), "root/not-kept"), set())
        self.assertTrue(all(row.reason and not row.pattern.startswith("/") for row in rows))
        self.assertEqual(len({row.pattern for row in rows}), len(rows))

    def changed_root(self, files):
        self.write("root/etc/passwd", "")
        self.write("root/etc/group", "")
        for path, text in files.items():
            self.write(f"root/{path}", text)
        found = {path: Stored(f"{self.root}/root/{path}") for path in files}
        return SimpleNamespace(path=f"{self.root}/root", changed=lambda: (found, ["usr/gone", "var/log/x"], ["run/pipe", "var/log/pipe"]))

    def test_private_keys_and_what_the_table_names_are_left_out(self):
        root = self.changed_root({"etc/a": "1", "etc/key": "-----BEGIN RSA PRIVATE KEY-----\n", "var/log/x": "", "usr/sbin/policy-rc.d": "", "var/tex.fmt": ""})
        told = configure.Results(root, [table.Row("var/log/*", None, "")], [table.Row("*.fmt", None, "of the time")], 1)
        self.assertEqual((sorted(told.kept), told.gone, len(told.found)), (["etc/a", "etc/group", "etc/passwd"], ["usr/gone"], 7))
        self.assertEqual(told.notes, ["/run/pipe is not in the image: it is neither a file, a directory nor a link", "/etc/key is not in the image: a maintainer script made a private key", "/var/tex.fmt is not in the image: of the time"])

    def test_what_belongs_to_a_package_that_the_image_has_not(self):
        everything, image = Union({}, None), Union({}, None)
        everything.tree = {"usr": {"bin": {"fakeroot": b"", "tool": b""}}}
        everything.owners = {"usr/bin/fakeroot": (None, ""), "usr/bin/tool": (None, "")}
        image.tree, image.owners = {"usr": {"bin": {"tool": b""}}}, {"usr/bin/tool": (None, "")}
        kept = {"etc/alternatives/f": "/usr/bin/fakeroot", "etc/alternatives/t": "/usr/bin/tool", "usr/bin/f": "/etc/alternatives/f", "usr/bin/fakeroot": b"2", "etc/mtab": "/proc/mounts", "etc/hash": "random.pem"}
        found = {**kept, "etc/random.pem": b""}
        self.assertEqual(sorted(configure.of_image(image, everything, found, kept)), ["etc/alternatives/t", "etc/mtab"])

    def test_owners_are_those_that_fakeroot_was_told(self):
        root = self.changed_root({"etc/shadow": "", "etc/usual": "", "usr/bin/su": "", "etc/link": ""})
        node = os.lstat(f"{root.path}/etc/shadow").st_ino
        setuid = os.lstat(f"{root.path}/usr/bin/su").st_ino
        self.write("root/usr/share/x", "")
        other = os.lstat(f"{root.path}/usr/share").st_ino
        self.write("root/.forge/owners", f"dev=1,ino={other},mode=40755,uid=100,gid=102,nlink=1,rdev=0\ndev=1,ino={node},mode=100640,uid=0,gid=42,nlink=1,rdev=0\ndev=1,ino={setuid},mode=104755,uid=0,gid=0,nlink=1,rdev=0\n")
        kept = configure.Results(root, [], [], 1).kept
        image = SimpleNamespace(tree={"etc": {"shadow": b"", "usual": b"", "link": "x"}, "usr": {"bin": {"gone": b"", "su": b""}, "share": {"x": b""}}})
        self.assertEqual(configure.owners(root, image, kept), {"etc/shadow": ["640", 0, 42], "usr/bin/su": ["755", 0, 0], "usr/share": ["755", 100, 102]})


class Canonical(Case):
    def test_a_store_of_certificates_has_no_time(self):
        store = lambda millis: struct.pack(">IIII", 0xFEEDFEED, 2, 1, 2) + b"\0\1a" + struct.pack(">q", millis) + b"\0\5X.509" + struct.pack(">I", 3) + b"DER"
        sealed = lambda body: body + hashlib.sha1("changeit".encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()
        made = [canonical("etc/ssl/certs/java/cacerts", sealed(store(millis)), 1) for millis in (5, 6)]
        self.assertEqual(made, [sealed(store(1000))] * 2)
        for other in (b"", b"PK\x30", sealed(store(5))[:-1], sealed(store(5).replace(b"\0\0\0\2\0\1a", b"\0\0\0\1\0\1a"))):
            self.assertEqual(canonical("etc/ssl/certs/java/cacerts", other, 1), other)

    def test_a_database_of_names_is_sorted(self):
        self.assertEqual(canonical("var/lib/texmf/ls-R", b"% ls-R\n./:\n.:\nweb2c\nfonts\n\n./web2c:\nb\na\n\n./fonts:\n", 1), b"% ls-R\n./:\n.:\nfonts\nweb2c\n\n./fonts:\n\n./web2c:\na\nb\n")
        self.assertEqual(canonical("var/lib/ls-R", b"b\na\n", 1), b"b\na\n")


class Trouble(unittest.TestCase):
    packages = SimpleNamespace(debs=[{"name": "bad", "requested_by": ["core"]}, {"name": "other", "requested_by": []}])

    def test_the_package_that_failed_is_named_with_what_it_said(self):
        text = "\n".join(
            [
                "Setting up good (1) ...",
                "well",
                "Setting up bad:amd64 (1) ...",
                "cannot do it",
                "dpkg: error processing package bad:amd64 (--configure):",
                " installed bad:amd64 package post-installation script subprocess returned error exit status 1",
                "dpkg: dependency problems prevent configuration of other:",
                "dpkg: error processing package other (--configure):",
                " dependency problems - leaving unconfigured",
            ]
        )
        said = configure.trouble(self.packages, text, [])
        self.assertTrue(said.endswith("error: a maintainer script of bad failed (requested by core)"), said)
        self.assertIn("cannot do it", said)
        self.assertNotIn("well", said)
        self.assertNotIn("other", said)

    def test_what_stays_unconfigured(self):
        self.assertEqual(configure.trouble(self.packages, "", ["other"]), "error: dpkg leaves other unconfigured")
        self.assertEqual(configure.trouble(self.packages, "no such program", []), "no such program\nerror: dpkg cannot configure the packages")


if __name__ == "__main__":
    unittest.main()
