"""What the maintainer scripts and triggers of packages make, by dpkg itself: their root is
laid out, dpkg configures every package in it, and what is different then is kept.

Reads from $specPath

    {"debs": [{"name", "path", "deb", "special", "listing", "requested_by", "image"}],
     "winners": {path: name}, "locales": [names],
     "enter", "not_kept", "varying", "excludes": files}

where packages that are not of the image are there for the scripts alone. Writes

    $out      what was made, at its places
    $account  JSON: "modes" (place -> octal, uid, gid), "removed" (places), "notes"

Two roots are made at once, whose files lie in another order on the disk and whose clocks are
a second apart. What comes out differently in them is made at random, of the time or of that
order, and ends the build with the names: an image that has it could not be built twice.
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import caches
import dpkg_database
import locales
import numbers_of_accounts
import special
import table
from canonical import canonical
from live_root import LiveRoot
from packages import dump, fail, read_spec
from system_packages import SystemPackages
from tree import Root, Stored, directory, put, walk

# The build's own directory in the root.
OWN = ".forge"
# The program fakeroot waits until nobody has the number of its faked, which in a sandbox is
# for ever: no first process takes note that it ended. So faked is a child of this script.
SCRIPT = b"""set -eu
cd /
faked-tcp --foreground --save-file /.forge/owners > /.forge/faked &
faked=$!
until [ -s /.forge/faked ]; do sleep 0.02; done
key=$(cut -d: -f1 /.forge/faked)
status=0
FAKEROOTKEY=$key LD_PRELOAD=$(echo /usr/lib/*/libfakeroot/libfakeroot-tcp.so) sh -eu -c '
  xargs dpkg --configure < /.forge/first
  [ ! -s /.forge/answers ] || debconf-set-selections /.forge/answers
  dpkg --configure -a
  while read -r trigger; do dpkg-trigger --no-await --by-package=dpkg "$trigger"; done < /.forge/triggers
  dpkg --triggers-only -a
' || status=$?
kill $faked
wait $faked
exit $status
"""
ENVIRONMENT = {
    "DEBCONF_NONINTERACTIVE_SEEN": "true",
    "DEBIAN_FRONTEND": "noninteractive",
    # the one number that is mapped is root's: another gives EINVAL, which fakeroot does not forgive
    "FAKEROOTDONTTRYCHOWN": "1",
    "FORCE_SOURCE_DATE": "1",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TZ": "UTC",
}
# Accounts get the numbers of the pool that no other has; what is asked for otherwise has its way. What was made so
# is known then.
ADD = """#!/bin/sh
echo "$@" >> /.forge/added
while IFS=: read -r name number; do
  free=yes
  for file in passwd group; do
    case $(getent $file "$number") in "" | "$name":*) ;; *) free= ;; esac
  done
  [ -z "$free" ] || echo "$name:$number"
done < /.forge/pool > /.forge/free
{ [ ! -e /etc/adduser.conf ] || cat /etc/adduser.conf; echo UID_POOL=/.forge/free; echo GID_POOL=/.forge/free; } > /.forge/adduser.conf
exec /usr/sbin/%s --conf /.forge/adduser.conf "$@"
"""
NUMBERING = {f"/usr/local/sbin/{name}": (ADD % name).encode() for name in ("adduser", "addgroup")}
# What keeps scripts from starting services and from making a database cluster.
PREPARED = {
    "/usr/sbin/policy-rc.d": b"#!/bin/sh\nexit 101\n",
    "/etc/postgresql-common/createcluster.d/forge.conf": b"create_main_cluster = false\n",
}
# They are there before the scripts run.
ACCOUNTS = ("etc/passwd", "etc/group")
KEY = b"PRIVATE KEY-----"
MOST_LINES = 30
FAILED = re.compile(r"dpkg: error processing package ([^\s:]+)")
SCRIPT_FAILED = re.compile(r" .* subprocess (?:returned error|failed|was killed)")


def listed(packages):
    """name -> every path that its archive has; directories end in a slash."""
    found = {}
    for deb in packages.debs:
        with open(deb["listing"], encoding="utf-8", errors="surrogateescape") as file:
            found[deb["name"]] = ["/" + line.removeprefix("./").rstrip("\n") for line in file]
    return found


def with_directories(union, listing):
    """The union with the directories of what is not unpacked: scripts put links there, and fail without."""
    for paths in listing.values():
        for path in paths:
            if path.endswith("/"):
                place = union.place(path.strip("/"))
                if union.file_on(place) is None:
                    directory(union.tree, place)


def configured(packages, listing, tree, modes, answers, pool, enter, epoch, path, second):
    """A root in which dpkg has configured every package. `answers` are for debconf's questions, `pool` is adduser's."""
    root = LiveRoot(path, tree, modes, epoch, OWN, second)
    if second:
        time.sleep(1.1)
    paths = {name: [path.rstrip("/") for path in paths if path != "/"] for name, paths in listing.items()}
    triggers = dpkg_database.write(path, [(control, paths[name]) for name, control in packages.controls.items()])
    own = f"{path}/{OWN}"
    dpkg_database.put(f"{own}/triggers", "".join(f"{trigger}\n" for trigger in triggers).encode())
    dpkg_database.put(f"{own}/first", "\n".join(dpkg_database.essential(packages.controls.values())).encode())
    dpkg_database.put(f"{own}/answers", answers.encode())
    dpkg_database.put(f"{own}/pool", pool.encode())
    dpkg_database.put(f"{own}/run", SCRIPT)
    numbering = NUMBERING if Root(tree).real("/usr/sbin/adduser") else {}
    for place, content in {**PREPARED, **numbering}.items():
        os.makedirs(os.path.dirname(path + place), exist_ok=True)
        dpkg_database.put(path + place, content, 0o755)
    # TMPDIR and the like name places outside the root
    environment = {**ENVIRONMENT, "SOURCE_DATE_EPOCH": str(epoch)}
    words = [f"{name}={value}" for name, value in environment.items()]
    done = subprocess.run(["sh", enter, path, "--", "/usr/bin/env", "-i", *words, "/bin/sh", f"/{OWN}/run"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode or (open_ := dpkg_database.unfinished(path)):
        raise SystemExit(trouble(packages, text, [] if done.returncode else open_))
    return root


def trouble(packages, text, unfinished):
    """What to say when dpkg did not come to its end: of each package whose script failed what was
    said since its turn came. The others failed for one of these."""
    asked = {deb["name"]: ", ".join(deb["requested_by"]) for deb in packages.debs}
    said, turn, name = [], [], ""
    for line in text.splitlines():
        if line.startswith(("Setting up ", "Processing triggers for ")):
            turn = []
        if match := FAILED.match(line):
            name = match[1]
        elif SCRIPT_FAILED.match(line) and name:
            by = f" (requested by {asked[name]})" if asked.get(name) else ""
            said.append("\n".join([*turn[-MOST_LINES:], line, f"error: a maintainer script of {name} failed{by}"]))
        turn.append(line)
    if unfinished and not said:
        said = [f"error: dpkg leaves {name} unconfigured" for name in unfinished]
    return "\n".join(said or [*text.splitlines()[-MOST_LINES:], "error: dpkg cannot configure the packages"])


class Results:
    """What the programs of a root changed.

    found   place -> node of all of it
    kept    the same of what no row names; files in their canonical form
    gone    places of what is no longer there
    notes   what is not kept though somebody might miss it
    """

    def __init__(self, root, not_kept, varying, epoch):
        self.found, gone, others = root.changed()
        self.found.update({place: Stored(f"{root.path}/{place}") for place in ACCOUNTS})
        is_kept = lambda place: f"/{place}" not in {**PREPARED, **NUMBERING} and not any(row.has(place) for row in not_kept)
        self.kept = {}
        self.notes = [f"/{place} is not in the image: it is neither a file, a directory nor a link" for place in others if is_kept(place)]
        for place, node in self.found.items():
            row = next((row for row in varying if row.has(place)), None)
            if row:
                self.notes.append(f"/{place} is not in the image: {row.reason}")
            elif is_kept(place):
                self._keep(root, place, node, epoch)
        self.gone = list(filter(is_kept, gone))

    def _keep(self, root, place, node, epoch):
        if isinstance(node, Stored):
            was = content(node)
            if KEY in was:
                self.notes.append(f"/{place} is not in the image: a maintainer script made a private key")
                return
            now = canonical(place, was, epoch)
            if now != was:
                root.rewrite(place, now)
        self.kept[place] = node


def content(node):
    with open(node.path, "rb") as file:
        return file.read()


def same(one, other):
    if isinstance(one, Stored) and isinstance(other, Stored):
        return content(one) == content(other)
    return type(one) is type(other) and one == other


def of_image(image, everything, found, kept):
    """What of the results is the image's: no file of a package that it does not have, and no link to
    one or to what is not kept."""
    kept = {place: node for place, node in kept.items() if place not in everything.owners or place in image.owners}
    for tree, nodes in ((everything.tree, found), (image.tree, kept)):
        for place, node in nodes.items():
            if not (isinstance(node, dict) and isinstance(Root(tree).node(place), dict)):
                put(tree, place, node)
    whole, less = Root(everything.tree), Root(image.tree)
    return {place: node for place, node in kept.items() if not isinstance(node, str) or whole.real("/" + place) is None or less.real("/" + place) is not None}


def owners(root, image, kept):
    """place -> [mode in octal, uid, gid] of what is kept, where it is not 0644, 0755 and root's, and of
    whatever else of the image fakeroot was told of. Setuid and setgid have no effect in a container."""
    told = {}
    with open(f"{root.path}/{OWN}/owners", encoding="utf-8") as file:
        for line in file:
            fields = dict(field.split("=") for field in line.strip().split(","))
            told[int(fields["ino"])] = (int(fields["mode"], 8), int(fields["uid"]), int(fields["gid"]))
    found = {}
    for path, node in walk(image.tree):
        place = path.lstrip("/")
        # a script may have taken it away
        known = os.lstat(root.path + path) if not isinstance(node, str) and os.path.lexists(root.path + path) else None
        if known is None or place not in kept and known.st_ino not in told:
            continue
        mode, uid, gid = told.get(known.st_ino, (known.st_mode, 0, 0))
        mode &= 0o1777
        if known.st_ino in told or (mode, uid, gid) != ((0o755 if isinstance(node, dict) or mode & 0o100 else 0o644), 0, 0):
            found[place] = [f"{mode:o}", uid, gid]
    return found


def main():
    spec = read_spec()
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    packages = SystemPackages(spec["debs"], spec["winners"])
    names = {deb["name"] for deb in spec["debs"] if deb["image"]}
    everything, _ = packages.rooted()
    listing = listed(packages)
    with_directories(everything, listing)
    modes = special.account(packages.debs, everything)["modes"]
    not_kept = table.read(spec["not_kept"], names) + table.excludes(spec["excludes"])
    varying = table.read(spec["varying"], ())
    answers = locales.answers(spec["locales"], Root(everything.tree).read(locales.PLACE))
    masters = numbers_of_accounts.masters(Root(everything.tree))
    pool = numbers_of_accounts.pool(control.script("postinst") for control in packages.controls.values())

    def both(pool, accounts, name):
        for path, content in numbers_of_accounts.seeded(masters, *accounts).items():
            put(everything.tree, path, content)
        with ThreadPoolExecutor() as threads:
            make = lambda number: configured(packages, listing, everything.tree, modes, answers, pool, spec["enter"], epoch, os.path.abspath(f"{name}{number}"), number == 2)
            return list(threads.map(make, (1, 2)))

    roots = both(pool, ({}, {}), "root")
    accounts = numbers_of_accounts.made(roots[0].path, masters)
    numbers = numbers_of_accounts.numbered(accounts)
    if not numbers_of_accounts.have(accounts, numbers):
        # again, with what is known now; what adduser did not make is there before
        added = set(roots[0].read(f"{OWN}/added").split())
        others = {file: {name: fields for name, fields in names.items() if name not in added} for file, names in accounts.items()}
        roots = both(numbers_of_accounts.spelled(numbers), (others, numbers), "numbered")
        if not numbers_of_accounts.have(numbers_of_accounts.made(roots[0].path, masters), numbers):
            # and where that is not enough, all of them are
            roots = both("", (accounts, numbers), "seeded")
    one, other = (Results(root, not_kept, varying, epoch) for root in roots)
    differing = {place for place in {*one.kept, *other.kept} if not same(one.kept.get(place), other.kept.get(place))}
    differing |= set(one.gone) ^ set(other.gone)
    fail([f"/{place} is not the same in two builds: a maintainer script makes it of the time or at random" for place in sorted(differing)])

    image, base = packages.rooted(names)
    kept = of_image(image, everything, one.found, one.kept)
    out = os.environ["out"]
    os.mkdir(out)
    for path, node in [*base, *(("/" + place, node) for place, node in kept.items())]:
        caches.place(out + path, node)
    dump(
        {
            "modes": owners(roots[0], image, kept),
            "removed": [place for place in one.gone if place in image.owners],
            "notes": one.notes,
        },
        os.environ["account"],
    )


if __name__ == "__main__":
    main()
