//! Hooks that attack: each is stopped, and told with its reason; none is believed.

use std::os::fd::AsFd as _;

use lychd_forge::{
    hook::Limits,
    tree::{Entry, FileTree},
};

use crate::hooks::{names, refused, refused_with, run, run_with};

/// A hook whose `register` is this.
fn register(body: &str) -> String {
    let body = body.lines().collect::<Vec<_>>().join("\n    ");
    format!("import os, sys\n\ndef register(context):\n    {body}\n")
}

/// Each line is tried by itself and must fail with one of the errors; nothing else may happen.
#[track_caller]
fn all_fail(prelude: &str, tries: &[&str], errors: &str) {
    let each = tries.iter().map(|one| {
        format!("try:\n    {one}\nexcept ({errors}):\n    pass\nelse:\n    raise SystemExit({one:?})")
    });
    let end = "context.add_system_dependency('survived')".to_owned();
    let body: Vec<String> = std::iter::once(prelude.to_owned()).chain(each).chain([end]).collect();
    let body = body.join("\n");
    let registration = run(&register(&body)).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(names(&registration), ["survived"]);
}

fn brief() -> Limits {
    Limits { cpu_seconds: 1, wall_seconds: 300, ..Limits::default() }
}

/// Refused by a limit; what can be done is named.
#[track_caller]
fn stopped(body: &str, limits: Limits, want: &str) {
    let text = refused_with(&[("register.py", &register(body))], limits);
    assert!(text.contains(want), "{want}\n--- not in ---\n{text}");
    assert!(text.contains("`hook = false`") && text.contains("`allow-hooks = false`"), "{text}");
}

#[track_caller]
fn refused_soon(body: &str, want: &str) {
    stopped(body, brief(), want);
}

fn patience() -> Limits {
    Limits { wall_seconds: 2, ..Limits::default() }
}

#[test]
fn no_network() {
    all_fail(
        "import socket",
        &[
            "socket.create_connection(('127.0.0.1', 22), 1)",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
            "socket.socket(socket.AF_UNIX)",
            "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
            "socket.socketpair()",
        ],
        "PermissionError",
    );
    refused(
        &register("import socket\nsocket.create_connection(('127.0.0.1', 22))"),
        &[
            "failed: PermissionError: [Errno 1] Operation not permitted\n  at extensions/vision/ocr/register.py:5:5",
        ],
    );
}

#[test]
fn no_file_of_the_host() {
    let crypt = env!("CARGO_MANIFEST_DIR");
    all_fail(
        "import pwd, pathlib",
        &[
            "open('/etc/passwd')",
            "os.listdir('/root')",
            "os.listdir('/home')",
            "os.listdir('/etc')",
            "os.listdir('/proc')",
            "open('/proc/1/environ')",
            "open('/proc/self/fd/0')",
            "os.listdir('/sys')",
            "os.listdir('/run')",
            "os.listdir('/usr')",
            "os.listdir('/tmp')",
            "os.listdir(os.path.expanduser('~/.ssh'))",
            "pathlib.Path.home().joinpath('.ssh').stat()",
            &format!("os.stat({crypt:?})"),
            "pwd.getpwuid(0)",
        ],
        "OSError, KeyError, RuntimeError",
    );
    let seen = run(&register(
        "assert sorted(os.listdir('/'))[:3] in (['dev', 'first', 'forge'], ['dev', 'forge', 'python']), os.listdir('/')\n\
         assert os.listdir('/dev') == ['null']\n\
         assert not os.path.exists('/dev/tty')",
    ));
    seen.unwrap();
}

#[test]
fn no_place_to_write() {
    all_fail(
        "import tempfile, ctypes\n\
         here = os.path.dirname(__file__)\n\
         def mount(flags):\n    \
             libc = ctypes.CDLL(None, use_errno=True)\n    \
             if libc.mount(b'none', b'/', None, flags, None) != 0:\n        \
                 raise OSError(ctypes.get_errno(), 'mount')",
        &[
            "open('/x', 'w')",
            "open('/dev/shm', 'w')",
            "open('/dev/x', 'w')",
            "open(here + '/x', 'w')",
            "open(__file__, 'a')",
            "os.chmod(__file__, 0o777)",
            "os.unlink(__file__)",
            "os.utime(__file__)",
            "os.symlink('/etc', here + '/x')",
            "os.mknod(here + '/x')",
            "open('/forge/run.py', 'a')",
            "open('/python/x', 'w')",
            "os.makedirs('/tmp/x')",
            "tempfile.mkdtemp()",
            "os.memfd_create('x')",
            "mount(32)",
            "mount(4096)",
        ],
        "OSError",
    );
}

#[test]
fn no_environment() {
    let secret = register(
        "assert set(os.environ) <= {'PYTHONHASHSEED', 'PWD', 'LC_CTYPE'}, os.environ\n\
         assert os.uname().nodename == 'hook'\n\
         assert sys.flags.no_site and sys.flags.safe_path and sys.flags.no_user_site",
    );
    run(&secret).unwrap();
}

#[test]
fn no_processes_and_no_threads() {
    all_fail(
        "import subprocess, threading, ctypes\n\
         def raw(number, *rest):\n    \
             libc = ctypes.CDLL(None, use_errno=True)\n    \
             if libc.syscall(number, *rest) < 0:\n        \
                 raise OSError(ctypes.get_errno(), 'syscall')",
        &[
            "os.fork()",
            "os.forkpty()",
            "os.posix_spawn(sys.executable, ['x'], {})",
            "subprocess.run(['/python/usr/bin/python3.13'])",
            "os.system('true') == 0 or (_ for _ in ()).throw(OSError())",
            "threading.Thread(target=print).start()",
            // vfork, and clone by the numbers of x32.
            "raw(58)",
            "raw(0x40000000 + 56, 17, 0)",
        ],
        "OSError, RuntimeError",
    );
    refused_soon("while True: os.fork()", "failed: PermissionError: [Errno 1] Operation not permitted");
    refused_soon(
        "while True:\n    try: os.fork()\n    except OSError: pass",
        "used more than 1 s of processor time",
    );
}

#[test]
fn no_way_out_through_the_kernel() {
    all_fail(
        "import ctypes, fcntl, termios, resource\n\
         def call(name, *rest):\n    \
             libc = ctypes.CDLL(None, use_errno=True)\n    \
             if getattr(libc, name)(*rest) < 0:\n        \
                 raise OSError(ctypes.get_errno(), name)",
        &[
            "call('ptrace', 16, 1, 0, 0)",
            "call('unshare', 0x10000000)",
            "call('setns', 0, 0)",
            "call('chroot', b'/')",
            "call('syscall', 321, 0, 0, 0)",
            "call('syscall', 425, 1, 0)",
            "call('shmget', 0, 1 << 30, 0o1600)",
            "call('setuid', 1)",
            "call('sethostname', b'x', 1)",
            "fcntl.ioctl(0, termios.TIOCSTI, b'x')",
            "fcntl.ioctl(1, termios.TIOCSTI, b'x')",
            "resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))",
            "resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))",
            "os.kill(os.getppid(), 0) and None; os.kill(2 ** 22, 9)",
        ],
        "OSError, ValueError",
    );
}

#[test]
fn no_more_memory_than_allowed() {
    refused(&register("x = bytearray(1 << 30)"), &["failed: MemoryError"]);
    let body = "x = []\nwhile True: x.append(bytearray(1 << 20))";
    stopped(body, Limits::default(), "failed: MemoryError");
}

#[test]
fn no_endless_loop() {
    refused_soon("while True: pass", "used more than 1 s of processor time");
    refused_soon(
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        "was killed: it used more than 1 s",
    );
    refused_soon("import re\nre.match('(a+)+b', 'a' * 60)", "used more than 1 s of processor time");
}

#[test]
fn no_endless_sleep_and_nothing_stays() {
    // The id of the member is in the arguments of what runs.
    stopped("import time\ntime.sleep(1000)", patience(), "did not end within 2 s");
    stopped("os.closerange(0, 100)\nimport time\ntime.sleep(1000)", patience(), "did not end within 2 s");
    let name = data_encoding::HEXLOWER.encode(b"vision/stays");
    let member = crate::workspace::member(
        "vision/stays",
        "[project]\nname = 'stays'\nversion = '1'\n",
        &[("register.py", &register("import time\ntime.sleep(1000)"))],
    );
    let stage = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hook-stage");
    let python = &crate::workspace::tools().python;
    let sandbox = lychd_forge::hook::Sandbox::prepare(&stage, python, patience()).unwrap();
    let entry = lychd_forge::hook::of(&member).unwrap();
    lychd_forge::hook::run(&member, entry, &sandbox).unwrap_err();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(line) = std::fs::read(process.path().join("cmdline")) else { continue };
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(!line.contains(&name), "{line}");
    }
}

#[test]
fn no_flood() {
    refused_soon(
        "for i in range(40_000): context.add_system_dependency('a' * 100)",
        "registered more than 1048576 bytes",
    );
    refused_soon("while True: print('x' * 1000)", "printed more than 65536 bytes");
    refused_soon("while True: os.write(2, b'x' * 1000)", "printed more than 65536 bytes");
    refused_soon("while True: os.write(3, b'x' * 1000)", "registered more than 1048576 bytes");
}

#[test]
fn no_descriptor_of_the_forge() {
    let secret = std::fs::File::open("/etc/passwd").unwrap();
    // One that a careless parent left open for all its children.
    rustix::io::fcntl_setfd(secret.as_fd(), rustix::io::FdFlags::empty()).unwrap();
    let body = "open_ones = []\n\
                for number in range(4096):\n    \
                    try: os.fstat(number)\n    \
                    except OSError: continue\n    \
                    open_ones.append(number)\n\
                assert open_ones == [0, 1, 2, 3], open_ones\n\
                assert os.read(0, 10) == b''";
    run(&register(body)).unwrap();
    drop(secret);
}

#[test]
fn no_two_answers() {
    let differing = "registered two things in two runs\n  at extensions/vision/ocr/register.py:";
    for body in [
        "import time\ncontext.add_system_dependency('a' + str(time.time_ns()))",
        "context.add_system_dependency('a' + os.urandom(8).hex())",
        "for name in {'aa', 'bb', 'cc', 'dd', 'ee', 'ff'}: context.add_system_dependency(name)",
        "context.add_system_dependency('a' + str(hash('x') & 0xffff))",
        "context.add_system_dependency('a' + __file__.replace('/', '-'))",
        "import random\ncontext.add_rune({'name': str(random.getrandbits(64)), 'image': 'b'})",
        "context.add_system_dependency('a' + os.environ['PYTHONHASHSEED'])",
        "if 'first' in __file__: context.add_system_dependency('xx')",
        "if 'first' in __file__: context.soulstones.add()",
    ] {
        refused(
            &register(body),
            &[differing, "note: first: ", "\n    then: ", "help: what it registers may not depend on"],
        );
    }
    refused(&register("if 'second' in __file__: raise ValueError('odd')"), &["failed: ValueError: odd"]);
}

#[test]
fn no_believing_a_hook_that_takes_over_its_own_process() {
    let not_valid = "wrote an answer of its own, which is not valid";
    for body in [
        "write = os.write\nos.write = lambda to, data: write(to, b'[]') and len(data)",
        "write = os.write\nos.write = lambda to, data: write(to, b'{\"registered\": {}}') and len(data)",
        "context._record.registered = 3",
        "context._record.registered['evil'] = []",
        "context._record.registered['runes'] = [{'line': 1, 'value': {}, 'x': 1}]",
        "os.write(3, b'{}')",
        "os.write(3, b'x')\nos._exit(0)",
        "os.write(3, b'null')\nos._exit(0)",
        "os.dup2(3, 1)\nprint('hello', flush=True)",
    ] {
        let text = refused_with(&[("register.py", &register(body))], Limits::default());
        assert!(text.contains(not_valid) || text.contains("and without an answer"), "{body}\n{text}");
    }
    // A whole answer written by itself is data like any other.
    let forged = |name: &str| {
        let answer = format!(
            r#"{{"registered": {{"system_dependencies": [{{"line": 99999, "value": {{"name": "{name}"}}}}], "runes": [], "ignored": []}}}}"#
        );
        register(&format!("os.write(3, {answer:?}.encode())\nos._exit(0)"))
    };
    refused(&forged("${x}"), &["`${x}` is not a Debian package name", "register.py:1:1"]);
    assert_eq!(names(&run(&forged("ffmpeg")).unwrap()), ["ffmpeg"]);
    refused(
        &register(
            "import lychd_forge\nlychd_forge.plain = lambda *all: {'name': 'x\\nRUN id'}\ncontext.add_system_dependency('aa')",
        ),
        &[r"`x\nRUN id` is not a Debian package name"],
    );
}

#[test]
fn no_answer_on_standard_output() {
    let body = "print('{\"registered\": {\"system_dependencies\": [], \"runes\": [], \"ignored\": []}}')\n\
                os.write(1, b'{}')\n\
                context.add_system_dependency('ffmpeg')";
    assert_eq!(names(&run(&register(body)).unwrap()), ["ffmpeg"]);
}

#[test]
fn no_early_end() {
    refused(&register("os._exit(0)"), &["ended before `register(context)` returned"]);
    refused("import os\nos._exit(0)\n", &["ended before `register(context)` returned"]);
    refused(
        &register("print('so long')\nsys.stdout.flush()\nos._exit(7)"),
        &["ended with exit code 7, and without an answer", "it printed:\n    so long"],
    );
    refused(&register("sys.exit(0)"), &["failed: SystemExit: 0"]);
    refused("raise KeyboardInterrupt\n", &["cannot be imported in the sandbox: KeyboardInterrupt"]);
    refused(&register("os.close(3)"), &["ended with exit code 1, and without an answer"]);
    refused(&register("os.execv('/python/usr/lib/nothing', ['x'])"), &["failed: FileNotFoundError"]);
    refused(
        &register(
            "import glob\nloader = glob.glob('/python/usr/lib/*/ld-linux*')[0]\nos.execv(loader, [loader, '--version'])",
        ),
        &["ended before `register(context)` returned"],
    );
}

#[test]
fn no_signal_reaches_the_forge() {
    refused(&register("os.kill(os.getpid(), 9)"), &["was killed"]);
    refused(&register("os.kill(os.getpid(), 15)"), &["was ended by signal 15"]);
    refused(&register("import ctypes\nctypes.string_at(0)"), &["was ended by signal 11"]);
    let body = "import signal\n\
                signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
                for number in (15, 9, 2, 1):\n    \
                    for target in (1, os.getppid(), -1, 0):\n        \
                        if number == 9 and target == 0: continue\n        \
                        if target == 0 and number != 15: continue\n        \
                        try: os.kill(target, number)\n        \
                        except OSError: pass\n\
                context.add_system_dependency('survived')";
    assert_eq!(names(&run(&register(body)).unwrap()), ["survived"]);
}

#[test]
fn no_link_leads_out() {
    // Discovery refuses such links; the sandbox does not depend on it.
    let mut member = crate::workspace::member(
        "vision/ocr",
        "[project]\nname = 'ocr'\nversion = '1'\n",
        &[(
            "register.py",
            &register(
                "for name in ('passwd', 'up'):\n    try: os.stat(os.path.dirname(__file__) + '/' + name)\n    except OSError: continue\n    raise SystemExit(name)",
            ),
        )],
    );
    let mut tree: FileTree = member.source.tree.clone();
    for (name, target) in [("passwd", "/etc/passwd"), ("up", "../../../../../../etc/passwd")] {
        tree.insert(name.parse().unwrap(), Entry::Link { target: target.to_owned() });
    }
    member.source.tree = tree;
    let stage = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hook-stage");
    let python = &crate::workspace::tools().python;
    let sandbox = lychd_forge::hook::Sandbox::prepare(&stage, python, Limits::default()).unwrap();
    let entry = lychd_forge::hook::of(&member).unwrap().clone();
    lychd_forge::hook::run(&member, &entry, &sandbox).unwrap();
    let link = Entry::Link { target: "other.py".to_owned() };
    let refused = lychd_forge::hook::run(&member, &link, &sandbox).unwrap_err();
    assert!(
        refused.to_string().contains("`extensions/vision/ocr/register.py` is a symbolic link"),
        "{refused}"
    );
}

#[test]
fn no_shadowing_of_the_standard_library() {
    let evil = "raise SystemExit('shadowed')\n";
    let hook = register("import json, socket, lychd_forge, string\ncontext.add_system_dependency('ffmpeg')");
    let names_of =
        ["json", "os", "resource", "socket", "lychd_forge", "string", "sitecustomize", "encodings"];
    let files: Vec<String> = names_of.iter().map(|name| format!("{name}.py")).collect();
    let mut all: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), evil)).collect();
    all.push(("register.py", &hook));
    all.push(("pyvenv.cfg", "home = /first\n"));
    all.push(("x.pth", "import os; os._exit(1)\n"));
    assert_eq!(names(&run_with(&all, Limits::default()).unwrap()), ["ffmpeg"]);
}

#[test]
fn no_text_that_another_parser_reads_differently() {
    for (text, want) in [
        ("\u{feff}def register(context): pass\n", "byte order mark"),
        ("def register(context): pass\r\n", "carriage return"),
        ("def register(context): pass\0\n", "NUL"),
    ] {
        let text = refused_with(&[("register.py", text)], Limits::default());
        assert!(text.contains(want), "{text}");
    }
}
