//! The soul of an organism: the databases of its server, asked by the server's own tools, in its container.

use std::{collections::BTreeMap, fs::File};

use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    engine::podman::Podman,
    host::process::Output,
    runes::DATABASE,
};

/// Gives a tool what it needs to log in, as the units give it to the server, and starts it: the words after it.
const TOOL: &str = "PGPASSWORD=\"$(cat \"$POSTGRES_PASSWORD_FILE\")\" PGUSER=\"$POSTGRES_USER\" PGHOST=127.0.0.1 \
                    exec \"$@\"";
/// The database that is connected to where another is handled.
const BESIDE: &str = "template1";
/// How the names begin of databases that are not in their places: of a past that is given.
const ASIDE: &str = "lychd-aside-";
/// Of a present that was overwritten, until it is kept.
const LEFT: &str = "lychd-left-";
/// Settings that are lists of names.
const LISTS: [&str; 2] = ["search_path", "temp_tablespaces"];
/// How often a database's place is tried to be taken: a client may connect meanwhile.
const TRIES: usize = 5;

/// A database server whose container runs.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    podman: &'a Podman,
}

/// A database of a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: String,
    /// Bytes that it takes.
    pub size: u64,
}

/// How many rows each table has, by schema and name.
pub type Rows = BTreeMap<String, u64>;

impl<'a> Server<'a> {
    /// The one of an organism.
    #[must_use]
    pub fn new(podman: &'a Podman) -> Self {
        Self { podman }
    }

    /// Its version, such as `17.6`: whoever gets it could log in.
    ///
    /// # Errors
    /// Refused when nobody can log in.
    pub fn version(self) -> Result<String, Failure> {
        let told = self.ask(BESIDE, "show server_version")?;
        Ok(told.split(' ').next().unwrap_or_default().to_owned())
    }

    /// What podman calls the image that it runs.
    ///
    /// # Errors
    /// As [`Podman::exec`].
    pub fn image(self) -> Result<String, Failure> {
        self.podman.image_of_container(DATABASE)
    }

    /// Its databases that can be connected to, but for templates and those that are not in their places.
    ///
    /// # Errors
    /// Refused when it does not answer.
    pub fn databases(self) -> Result<Vec<Database>, Failure> {
        self.ask_json(
            BESIDE,
            &format!(
                "select coalesce(json_agg(json_build_object('name', datname, 'owner', pg_get_userbyid(datdba), \
                 'size', pg_database_size(oid)) order by datname), '[]') from pg_database \
                 where datallowconn and not datistemplate and not starts_with(datname, {}) and not starts_with(datname, {})",
                literal(ASIDE),
                literal(LEFT),
            ),
        )
    }

    /// How many rows each table of a database has.
    ///
    /// # Errors
    /// As [`Server::databases`].
    pub fn rows(self, database: &str) -> Result<Rows, Failure> {
        let tables: Vec<(String, String)> = self.ask_json(
            database,
            "select coalesce(json_agg(json_build_array(nspname, relname)), '[]') from pg_class c \
             join pg_namespace n on n.oid = c.relnamespace where relkind = 'r' and relpersistence <> 't' \
             and nspname not in ('pg_catalog', 'information_schema') and not starts_with(nspname, 'pg_toast')",
        )?;
        if tables.is_empty() {
            return Ok(Rows::new());
        }
        let counts: Vec<String> = tables
            .iter()
            .map(|(schema, table)| {
                let shown = literal(&format!("{schema}.{table}"));
                format!("select {shown} t, count(*) n from {}.{}", identifier(schema), identifier(table))
            })
            .collect();
        self.ask_json(
            database,
            &format!("select json_object_agg(t, n) from ({}) x", counts.join(" union all ")),
        )
    }

    /// Writes a database into a file, in the custom format.
    ///
    /// # Errors
    /// Refused when the tool fails.
    pub fn dump(self, database: &str, file: File) -> Result<(), Failure> {
        let dump = ["pg_dump", "--no-password", "--format=custom"];
        done("pg_dump", &self.podman.exec_into(DATABASE, &words(&on(database), &dump), file)?)
    }

    /// Makes a database of a file, beside the one in its place: `number` tells several apart. It cannot be written to
    /// before [`Server::open`].
    ///
    /// # Errors
    /// Refused when a tool fails.
    pub fn put_aside(self, number: usize, database: &str, owner: &str, file: File) -> Result<(), Failure> {
        let aside = format!("{ASIDE}{number}");
        let (name, owner) = (identifier(&aside), identifier(owner));
        self.tell(&[
            format!("drop database if exists {name} with (force)"),
            format!("create database {name} owner {owner} template template0"),
        ])?;
        let restore = ["pg_restore", "--no-password", "--exit-on-error", &format!("--dbname={aside}")];
        done("pg_restore", &self.podman.exec_from(DATABASE, &words(&on(BESIDE), &restore), file)?)?;
        // What is set for the one in its place; a dump has nothing of that.
        let settings = format!(
            "select coalesce(json_agg(json_build_array(split_part(c, '=', 1), substr(c, strpos(c, '=') + 1))), '[]') \
             from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase, unnest(setconfig) c \
             where setrole = 0 and datname = {} and split_part(c, '=', 1) <> 'default_transaction_read_only'",
            literal(database)
        );
        let settings: Vec<(String, String)> = self.ask_json(BESIDE, &settings)?;
        let mut set: Vec<String> =
            settings.iter().flat_map(|(key, value)| setting(&name, key, value)).collect();
        set.push(format!("alter database {name} set default_transaction_read_only to on"));
        self.tell(&set)
    }

    /// Puts the databases that were made aside into their places, all at once; those that were there are left over.
    ///
    /// # Errors
    /// Refused when a client does not let go of one, or the server says no: then each is where it was.
    pub fn take_places(self, databases: &[&str]) -> Result<(), Failure> {
        let there: Vec<Database> = self.databases()?;
        let is_there = |name: &str| there.iter().any(|one| one.name == name);
        let renames = databases.iter().enumerate().flat_map(|(number, database)| {
            let place = identifier(database);
            let (aside, left) = (format!("{ASIDE}{number}"), Self::left_name(number));
            let rename = |from: &str, to: &str| format!("alter database {from} rename to {to};");
            let away = is_there(database).then(|| rename(&place, &identifier(&left)));
            away.into_iter().chain([rename(&identifier(&aside), &place)]).collect::<Vec<_>>()
        });
        let swap = format!("begin; {} commit", renames.collect::<String>());
        let named: Vec<String> = databases.iter().map(|name| literal(name)).collect();
        let clients = format!(
            "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where datname in ({})",
            named.join(", ")
        );
        let both = [clients, swap];
        let mut tried = 0;
        loop {
            match self.tell(&both) {
                Err(_) if tried < TRIES => tried += 1,
                done => return done,
            }
        }
    }

    /// The numbers of databases that are left over.
    ///
    /// # Errors
    /// As [`Server::databases`].
    pub fn left(self) -> Result<Vec<usize>, Failure> {
        self.numbers(LEFT)
    }

    /// Those of databases that were made aside.
    ///
    /// # Errors
    /// As [`Server::databases`].
    pub fn aside(self) -> Result<Vec<usize>, Failure> {
        self.numbers(ASIDE)
    }

    fn numbers(self, prefix: &str) -> Result<Vec<usize>, Failure> {
        let question = format!(
            "select coalesce(json_agg(datname), '[]') from pg_database where starts_with(datname, {})",
            literal(prefix)
        );
        let names: Vec<String> = self.ask_json(BESIDE, &question)?;
        let mut numbers: Vec<usize> =
            names.iter().filter_map(|name| name.strip_prefix(prefix)?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The name of one that is left over.
    #[must_use]
    pub fn left_name(number: usize) -> String {
        format!("{LEFT}{number}")
    }

    /// Removes those of these that were made aside, where they are there.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub fn drop_aside(self, numbers: impl IntoIterator<Item = usize>) -> Result<(), Failure> {
        self.drop(numbers.into_iter().map(|number| format!("{ASIDE}{number}")))
    }

    /// Removes those of these that are left over, where they are there.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub fn drop_left(self, numbers: impl IntoIterator<Item = usize>) -> Result<(), Failure> {
        self.drop(numbers.into_iter().map(Self::left_name))
    }

    fn drop(self, names: impl Iterator<Item = String>) -> Result<(), Failure> {
        let drop = |name: String| format!("drop database if exists {} with (force)", identifier(&name));
        self.tell(&names.map(drop).collect::<Vec<_>>())
    }

    /// Lets all databases be written to that were given.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub fn open(self) -> Result<(), Failure> {
        let closed: Vec<String> = self.ask_json(
            BESIDE,
            "select coalesce(json_agg(datname), '[]') from pg_db_role_setting s join pg_database d \
             on d.oid = s.setdatabase where setrole = 0 and 'default_transaction_read_only=on' = any(setconfig)",
        )?;
        // Where a whole directory was given, that is closed as a whole.
        let question = "select count(*) from pg_file_settings where name = 'default_transaction_read_only'";
        if self.ask(BESIDE, question)? != "0" {
            let reset = ["alter system reset default_transaction_read_only", "select pg_reload_conf()"];
            self.tell(&reset.map(str::to_owned))?;
        }
        let open = |name: &String| {
            format!("alter database {} reset default_transaction_read_only", identifier(name))
        };
        self.tell(&closed.iter().map(open).collect::<Vec<_>>())
    }

    /// Has it write down all that it holds in its memory.
    ///
    /// # Errors
    /// As [`Server::databases`].
    pub fn checkpoint(self) -> Result<(), Failure> {
        self.ask(BESIDE, "checkpoint").map(drop)
    }

    fn ask(self, database: &str, question: &str) -> Result<String, Failure> {
        self.psql(database, &[question.to_owned()])
    }

    /// Has it do these, one after the other, each by itself.
    fn tell(self, all: &[String]) -> Result<(), Failure> {
        if all.is_empty() { Ok(()) } else { self.psql(BESIDE, all).map(drop) }
    }

    fn psql(self, database: &str, all: &[String]) -> Result<String, Failure> {
        let commands: Vec<String> = all.iter().map(|one| format!("--command={one}")).collect();
        let mut psql = vec!["psql", "--no-psqlrc", "--no-password", "-Atq", "--set=ON_ERROR_STOP=1"];
        psql.extend(commands.iter().map(String::as_str));
        let output = self.podman.exec(DATABASE, &words(&on(database), &psql))?;
        done("psql", &output)?;
        Ok(output.text())
    }

    fn ask_json<T: DeserializeOwned>(self, database: &str, question: &str) -> Result<T, Failure> {
        let told = self.ask(database, question)?;
        serde_json::from_str(&told).map_err(|error| {
            Diagnostic::new(format!("the database answers what nobody asked: {error}")).into()
        })
    }
}

/// What a tool says that failed.
fn done(tool: &str, output: &Output) -> Result<(), Failure> {
    if output.success() {
        return Ok(());
    }
    let told = Diagnostic::new(format!("the database's own {tool} fails")).of_kind(Fault::Program);
    Err(output.stderr.trim().lines().fold(told, Diagnostic::note).into())
}

/// A variable and not an option: there a name may be read as an address.
fn on(database: &str) -> String {
    format!("PGDATABASE={database}")
}

fn words<'a>(database: &'a str, tool: &[&'a str]) -> Vec<&'a str> {
    let login = ["sh", "-c", TOOL, "lychd-soul", "env", database];
    login.iter().chain(tool).copied().collect()
}

/// What gives a database a setting, as the server has written it down. A list is quoted in its parts, and is no text.
fn setting(database: &str, key: &str, value: &str) -> Vec<String> {
    let quoted = identifier(key);
    if LISTS.contains(&key) {
        return vec![
            format!("select set_config({}, {}, false)", literal(key), literal(value)),
            format!("alter database {database} set {quoted} from current"),
        ];
    }
    vec![format!("alter database {database} set {quoted} to {}", literal(value))]
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// However the server reads backslashes.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_no_option() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("a'b\\"), "E'a''b\\\\'");
        let on = on("host=elsewhere");
        assert_eq!(setting("d", "work_mem", "7MB"), ["alter database d set \"work_mem\" to E'7MB'"]);
        assert_eq!(
            setting("d", "search_path", "\"$user\", public"),
            [
                "select set_config(E'search_path', E'\"$user\", public', false)",
                "alter database d set \"search_path\" from current",
            ]
        );
        assert_eq!(words(&on, &["pg_dump"])[4..], ["env", "PGDATABASE=host=elsewhere", "pg_dump"]);
    }
}
