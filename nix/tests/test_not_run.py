"""What of maintainer scripts is lost where none runs. Run: python3 -m unittest discover -s nix/tests"""

import os
import sys
import unittest
from types import SimpleNamespace

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(os.path.dirname(HERE), "root")
sys.path.insert(0, ROOT)
sys.dont_write_bytecode = True

import not_run
from shell_commands import Commands

TABLE = os.path.join(ROOT, "known-commands")
KNOWN = not_run.known_commands(TABLE)


def told(text, head="#!/bin/sh\nset -e\n"):
    return not_run.missing(head + text, KNOWN)


class ShellCommands(unittest.TestCase):
    def names(self, text):
        commands = Commands("#!/bin/sh\n" + text)
        return [words[0] for words in commands.found], commands.unread

    def test_commands_are_told_wherever_they_stand(self):
        for text, names in (
            ("a; b && c || d | e & f", list("abcdef")),
            ("if ! a; then b; elif c; then d; else e; fi", list("abcde")),
            ("while read x; do a $x; done < /etc/passwd", ["read", "a"]),
            ("for x in one two; do a; b; done", ["a", "b"]),
            ("for x\ndo a; done", ["a"]),
            ("case \"$1\" in\n  (configure|reconfigure) a;;\n  triggered)\n    b x\n  ;;\n  *) c\nesac\nd", list("abcd")),
            ("case $x in a) case $y in b) c;; esac;; d) e;; esac; f", list("cef")),
            ("X=1 Y=\"a b\" a; Z=2", ["a"]),
            ("X=$(a -b | c)", ["a", "c"]),
            ("(a; b) > /dev/null 2>&1", ["a", "b"]),
            ("a one \\\n  two; b", ["a", "b"]),
            ("a # b; c\n# d\ne \"${x#y}\" $#", ["a", "e"]),
            ("cat <<EOF\nthis; is not\nEOF\na", ["cat", "a"]),
            ("a 2>/dev/null >&2; { b; } < x", ["a", "b"]),
        ):
            self.assertEqual(self.names(text), (names, []), text)

    def test_functions_are_those_of_the_script(self):
        commands = Commands("#!/bin/sh\nsetup() {\n  a\n}\nother () { b; }\nsetup\n")
        self.assertEqual((commands.functions, [words[0] for words in commands.found]), ({"setup", "other"}, ["a", "b", "setup"]))

    def test_no_command_hides(self):
        for text in (
            "echo \"a # b\"\nadduser x\necho \"c # d\"",
            "grep ' #' x\nadduser x\ngrep ' #' y",
            "# was: foo \\\nadduser y",
            "for x in $(adduser y; echo z); do echo; done",
            "case $(adduser y) in a) ;; esac",
            "cat <<E-X\nfoo\nE-X\nadduser y\nE",
            "cat <<E.X\nfoo\nE.X\nadduser y\nE",
            "# see cat <<EOF\nadduser y\nEOF",
            "cat <<EOF\n$(adduser x)\nEOF",
            "echo ${x# #} ; adduser y",
            "command adduser -v x",
            "sort -o /etc/passwd x",
        ):
            self.assertNotEqual(told(text), [], text)

    def test_what_is_not_plain_is_told(self):
        for text, unread in (
            ("a > /etc/x", ["what it writes to /etc/x"]),
            ("a >> $y", ["what it writes to $y"]),
            ("a &> x", ["what it writes to x"]),
            ("cat > /etc/x <<'E'\nit's text\nE\n", ["what it writes to /etc/x"]),
            ("a \"$(b)\"", ["a command whose output it uses"]),
            ("X=`b`", ["a command whose output it uses"]),
            ("a 'b", ["text that cannot be read"]),
        ):
            self.assertEqual(self.names(text)[1], unread, text)
        for head in ("#!/usr/bin/perl\n", "\x7fELF", "#!/usr/bin/python3 -E\n"):
            self.assertEqual(Commands(head + "a").unread, ["a program that is no shell script"])


class NotRun(unittest.TestCase):
    def test_a_script_is_made_up_for_when_all_of_it_is_known(self):
        self.assertEqual(told("""
case "$1" in
  configure)
    update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/bin/nawk nawk /usr/bin/mawk
    ucf --three-way /usr/share/x/x.conf /etc/x.conf
    if [ -x /sbin/ldconfig ]; then /sbin/ldconfig; fi
    if dpkg --compare-versions "$2" lt-nl 1.0; then echo old >&2; fi
    if command -v systemctl >/dev/null; then systemctl daemon-reload || true; fi
  ;;
esac
exit 0
"""), [])

    def test_each_that_is_not_known_is_named_once(self):
        self.assertEqual(told("adduser --system x\nchown x /var/lib/x\nchown x /srv\n. /usr/share/debconf/confmodule\ndb_get x/y || true\n"), ["adduser", "chown", ". /usr/share/debconf/confmodule", "db_get"])
        self.assertEqual(told("dpkg --configure x; command mkdir x; update-alternatives --set awk /usr/bin/gawk"), ["dpkg --configure", "command mkdir", "update-alternatives"])
        self.assertEqual(told("for x in $all; do update-alternatives --install $x y /z 1; done"), ["an alternative that cannot be read"])
        self.assertEqual(told("'a\n\x1bb'; 'x" + "y" * 200 + "'"), ["a b", "x" + "y" * 79 + "…"])
        self.assertEqual(told("ucf $new /etc/x"), ["a file of ucf that cannot be read"])

    def test_a_package_is_told_with_who_asked_and_its_triggers(self):
        def control(script, triggers=b""):
            members = {"postinst": script, "triggers": triggers}
            return SimpleNamespace(fields={"package": "x", "architecture": "all"}, members=members, script=lambda name: members.get(name, b"").decode())

        controls = {
            "b": control(b"#!/bin/sh\nadduser x\n", b"interest-noawait /usr/share/x\ninterest y\n"),
            "a": control(b"#!/bin/sh\nmkdir /x\n"),
            "c": control(b"#!/bin/sh\ntrue\n"),
            "d": control(b""),
        }
        debs = [{"name": name, "requested_by": ["core", "scribe"] if name == "b" else []} for name in controls]
        self.assertEqual(
            not_run.notes(debs, controls, TABLE),
            [
                "the maintainer script of a did not run, and this of it is not made otherwise: mkdir",
                "the maintainer script of b (requested by core, scribe) did not run, also for the triggers /usr/share/x, y, and this of it is not made otherwise: adduser",
            ],
        )


if __name__ == "__main__":
    unittest.main()
