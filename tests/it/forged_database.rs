//! The database that the example forges with its application: what is in its image, its first start, and what cuts
//! that short.
#![expect(clippy::disallowed_methods, reason = "the tools are run as a user would")]

use std::{fs, os::unix::fs::chown, path::Path, process::Command};

use serde_json::json;

use crate::{
    apt_root::compared,
    inscription::support,
    sovereign_path::{DATABASE, database_config, database_root, mounted, synthesis},
};

/// The number of the image's own user.
const POSTGRES: u32 = 1001;

/// What a command says in the root of the image, as a user who has written these files into the data directory and the
/// directory of scripts.
fn answer(scripts: &Path, data: &Path, script: &str) -> String {
    for directory in [scripts, data] {
        chown(directory, Some(POSTGRES), Some(POSTGRES)).unwrap();
    }
    let mut command = database_root(&["--unshare-net", "--unshare-pid"]);
    let user = POSTGRES.to_string();
    let output = command
        .args(["--tmpfs", "/run/postgresql", "--chmod", "1777", "/run/postgresql"])
        .args(["--ro-bind".as_ref(), scripts.as_os_str(), "/docker-entrypoint-initdb.d".as_ref()])
        // The place of the volume itself is made by an engine, and bwrap cannot in a root that nobody may change.
        .args(["--bind".as_ref(), data.as_os_str(), "/var/lib/postgresql".as_ref()])
        .args(["--setenv", "POSTGRES_PASSWORD", "right", "--setenv", "POSTGRES_USER", "lich"])
        .args(["--setenv", "POSTGRES_DB", "lychd"])
        .args(["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups", "bash", "-ec", script])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn its_image_is_a_server_and_nothing_else() {
    let config = database_config();
    let expected = json!({
        "User": "1001:1001", "WorkingDir": "/", "StopSignal": "SIGINT", "Cmd": ["postgres"],
        "Entrypoint": ["/usr/local/bin/lychd-entry"], "ExposedPorts": { "5432/tcp": {} },
        "Volumes": { "/var/lib/postgresql/data": {} },
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(config[key], *value, "{key}");
    }
    let root = &DATABASE.0;
    // An engine gives a new volume to the container's user where there is no directory.
    for absent in
        ["var/lib/postgresql/data", "app", "usr/bin/python3", "usr/bin/python3.13", "usr/lib/python3.13"]
    {
        assert!(!root.join(absent).exists(), "{absent}");
    }
    let passwd = fs::read_to_string(root.join("etc/passwd")).unwrap();
    assert!(passwd.lines().nth(1).unwrap().starts_with("postgres:x:1001:1001:"), "{passwd}");
    // A package of both images has one layer's worth of bytes for both: the very same file.
    let both = |path: &str| (fs::read(root.join(path)).unwrap(), fs::read(mounted().join(path)).unwrap());
    let (own, vessels) = both("usr/lib/x86_64-linux-gnu/libc.so.6");
    assert_eq!(own, vessels);
}

#[test]
fn its_root_is_the_one_that_apt_makes() {
    let (paths, different) = compared(&synthesis(), "database", &DATABASE.0);
    assert_eq!(different, [""; 0]);
    assert!(paths > 4_000, "{paths}");
}

/// With what `bind` gives it: the first SQL, a password, and a stop by the image's own signal.
#[test]
fn it_answers_a_vector_query_and_stops_at_once() {
    let scratch = tempfile::tempdir().unwrap();
    let (scripts, data) = (scratch.path().join("scripts"), scratch.path().join("data"));
    fs::create_dir(&scripts).unwrap();
    fs::create_dir(&data).unwrap();
    let sql = support("forged", "phylactery.sql");
    fs::copy(sql, scripts.join("10-lychd.sql")).unwrap();
    let begin = r#"
export PGPASSWORD=right
ask() { psql --no-psqlrc -At --host=127.0.0.1 --username=lich --dbname="${2:-lychd}" --command="$1"; }
lychd-entry postgres -c fsync=off >/tmp/log 2>&1 & server=$!
until pg_isready --quiet --host=127.0.0.1; do
  kill -0 $server && [ $SECONDS -lt 120 ] || { cat /tmp/log >&2; exit 9; }
  sleep 0.1
done
"#;
    let end = "
kill -INT $server
wait $server && echo ended with 0
pg_controldata | grep state
";
    let vector =
        "ask \"select '[1,2,3]'::vector <-> '[4,6,3]'::vector\"; ask \"select '[1]'::vector\" phoenix;";
    let client = r#"
ask 'select pg_sleep(600)' 2>/dev/null & client=$!
until [ "$(ask "select count(*) from pg_stat_activity where query like '%pg_sleep(600)'and pid <> pg_backend_pid()")" = 1 ]; do
  [ $SECONDS -lt 180 ] || exit 8
  sleep 0.1
done
"#;
    let table = "ask 'create table kept (at vector(3))';";
    let first = answer(&scripts, &data, &[begin, vector, table, client, end].concat());
    let ended = "ended with 0\nDatabase cluster state:               shut down\n";
    assert_eq!(first, format!("5\n[1]\nCREATE TABLE\n{ended}"));
    // And once more from what it left.
    let again = answer(&scripts, &data, &[begin, vector, "ask 'select count(*) from kept';", end].concat());
    assert_eq!(again, format!("5\n[1]\n0\n{ended}"));
}

/// The tests of the entry point with the programs of the image. The image has no Python; the application's does.
fn entry_point(kills: u32, tests: &[&str]) -> usize {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    // As in a container, whose first process may do all this to the files and processes of others in it.
    let able = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SYS_PTRACE"];
    let able = able.map(|able| ["--cap-add", able]);
    let options = [&["--unshare-net", "--unshare-pid"], able.as_flattened()].concat();
    let mut command: Command = database_root(&options);
    let output = command
        .arg("--ro-bind")
        .args([mounted().as_os_str(), "/mnt".as_ref()])
        .args(["--ro-bind".as_ref(), repository.join("nix").as_os_str(), "/media".as_ref()])
        .args([
            "--setenv",
            "POSTGRESQL_BIN",
            "/usr/lib/postgresql/17/bin",
            "--setenv",
            "KILLS",
            &kills.to_string(),
        ])
        .args(["--setenv", "PYTHONHOME", "/mnt/usr"])
        .args(["--setenv", "LD_LIBRARY_PATH", "/mnt/usr/lib/x86_64-linux-gnu"])
        .args(["--chdir", "/media/tests", "/mnt/usr/bin/python3.13", "-B", "-m", "unittest"])
        .args(tests.iter().map(|test| format!("test_entry_postgresql{test}")))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("\nOK"), "{told}");
    told.split("Ran ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap()
}

/// From nothing, from what another start left, stopped and killed in its midst.
#[test]
fn its_first_start_survives_what_cuts_it_short() {
    let cut_short = ["test_killed_at_any_time", "test_stopped_in_the_first_start"];
    let cut_short = cut_short.map(|name| format!(".CutShort.{name}"));
    let [killed, stopped] = cut_short.each_ref().map(String::as_str);
    assert!(entry_point(3, &[".Answers", ".Databases", killed, stopped]) >= 19);
}

/// Killed before and after each program that it calls, and dozens of times anywhere.
#[test]
#[ignore = "minutes of kills: make test-database"]
fn database_survives_every_kill() {
    assert!(entry_point(25, &[""]) >= 22);
}
