//! The soul of an organism: the databases of its server, asked by the server's own tools, in its container.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
};

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    properties::{CLOSED, Properties, READ_ONLY},
    sql::{identifier, literal},
};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    engine::podman::Podman,
    host::process::Output,
    runes::DATABASE,
};

/// Gives a tool what it needs to log in, as the units give it to the server, and starts it: the words after it.
const TOOL: &str = "PGPASSWORD=\"$(cat \"$POSTGRES_PASSWORD_FILE\")\" PGUSER=\"$POSTGRES_USER\" PGHOST=127.0.0.1 \
                    exec \"$@\"";
/// The same for who logs in by the server's socket, which asks for no password.
const LOCAL: &str = "unset PGHOST PGPASSWORD; PGUSER=\"$POSTGRES_USER\" PGDATABASE=template1 exec \"$@\"";
/// The database that is connected to where another is handled.
const BESIDE: &str = "template1";
/// How the names begin of databases that are not in their places: of a past that is given.
const ASIDE: &str = "lychd-aside-";
/// Of a present that was overwritten, until it is kept.
const LEFT: &str = "lychd-left-";
/// The setting of one that is left over which says what it was called.
const WAS: &str = "lychd.was";
/// The limit of connections of one whose removal was cut short: nobody can connect to it any more.
const INVALID: &str = "-2";
/// How many tables are counted at once: the words of a process have an end.
const COUNTED: usize = 200;
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
    /// What the server calls it.
    pub now: String,
    /// Its name: another where it is left over.
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
        let (aside, left) = (literal(ASIDE), literal(LEFT));
        let which = format!("not starts_with(datname, {aside}) and not starts_with(datname, {left})");
        self.those(&which, "datname")
    }

    /// Those of its databases, by what they are called.
    fn those(self, which: &str, name: &str) -> Result<Vec<Database>, Failure> {
        let was = literal(&format!("{WAS}="));
        self.ask_json(
            BESIDE,
            &format!(
                "select coalesce(json_agg(json_build_object('now', datname, 'name', {name}, \
                 'owner', pg_get_userbyid(datdba), 'size', coalesce(pg_database_size(d.oid), 0)) order by datname), '[]') \
                 from pg_database d left join (select setdatabase, substr(c, length({was}) + 1) was \
                 from pg_db_role_setting, unnest(setconfig) c where setrole = 0 and starts_with(c, {was})) s \
                 on setdatabase = d.oid where datallowconn and not datistemplate and datconnlimit <> {INVALID} and {which}"
            ),
        )
    }

    /// What one of them is besides its content.
    ///
    /// # Errors
    /// As [`Server::databases`].
    pub fn properties(self, database: &str) -> Result<Properties, Failure> {
        self.ask_json(BESIDE, &Properties::question(database))
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
        let count = |(schema, table): &(String, String)| {
            let shown = literal(&format!("{schema}.{table}"));
            format!("select {shown} t, count(*) n from {}.{}", identifier(schema), identifier(table))
        };
        let mut rows = Rows::new();
        for some in tables.chunks(COUNTED) {
            let counts = some.iter().map(count).collect::<Vec<_>>().join(" union all ");
            rows.extend(
                self.ask_json::<Rows>(database, &format!("select json_object_agg(t, n) from ({counts}) x"))?,
            );
        }
        Ok(rows)
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
    pub fn put_aside(
        self,
        number: usize,
        (owner, properties): (&str, Option<&Properties>),
        file: File,
    ) -> Result<(), Failure> {
        let aside = format!("{ASIDE}{number}");
        let name = identifier(&aside);
        let create = match properties {
            Some(properties) => properties.create(&aside, owner),
            None => format!("create database {name} owner {} template template0", identifier(owner)),
        };
        self.tell(&[format!("drop database if exists {name} with (force)"), create])?;
        let restore = ["pg_restore", "--no-password", "--exit-on-error", &format!("--dbname={aside}")];
        done("pg_restore", &self.podman.exec_from(DATABASE, &words(&on(BESIDE), &restore), file)?)?;
        let roles: BTreeSet<String> =
            self.ask_json(BESIDE, "select coalesce(json_agg(rolname), '[]') from pg_roles")?;
        let mut set = properties.map_or_else(Vec::new, |properties| properties.give(&aside, owner, &roles));
        if properties.is_none_or(|properties| !properties.is_read_only()) {
            set.extend(
                [READ_ONLY, CLOSED].map(|key| format!("alter database {name} set {} to on", identifier(key))),
            );
        }
        self.tell(&set)
    }

    /// Puts the databases that were made aside into their places, all at once; all that were there are left over, those
    /// too that have no place then.
    ///
    /// # Errors
    /// Refused when a client does not let go of one, or the server says no: then each is where it was.
    pub fn take_places(self, databases: &[&str]) -> Result<(), Failure> {
        let there = self.databases()?;
        let rename = |from: &str, to: &str| {
            format!("alter database {} rename to {};", identifier(from), identifier(to))
        };
        let away = there.iter().enumerate().map(|(number, one)| {
            let left = format!("{LEFT}{number}");
            let was = format!("set {} to {};", identifier(WAS), literal(&one.name));
            rename(&one.name, &left) + &format!("alter database {} {was}", identifier(&left))
        });
        let into = databases.iter().enumerate();
        let into = into.map(|(number, database)| rename(&format!("{ASIDE}{number}"), database));
        let swap = format!("begin; {} commit", away.chain(into).collect::<String>());
        let named: Vec<String> = there.iter().map(|one| literal(&one.name)).collect();
        let named = if named.is_empty() { vec!["null".to_owned()] } else { named };
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

    /// The databases that are left over.
    ///
    /// # Errors
    /// As [`Server::databases`].
    pub fn left(self) -> Result<Vec<Database>, Failure> {
        self.those(&format!("starts_with(datname, {})", literal(LEFT)), "coalesce(was, datname)")
    }

    /// Removes those that were made aside.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub fn drop_aside(self) -> Result<(), Failure> {
        self.drop(&self.those(&format!("starts_with(datname, {})", literal(ASIDE)), "datname")?)
    }

    /// Removes those that are left over.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub fn drop_left(self) -> Result<(), Failure> {
        self.drop(&self.left()?)
    }

    fn drop(self, all: &[Database]) -> Result<(), Failure> {
        let drop = |one: &Database| format!("drop database if exists {} with (force)", identifier(&one.now));
        self.tell(&all.iter().map(drop).collect::<Vec<_>>())
    }

    /// Lets all databases be written to that were given.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub fn open(self) -> Result<(), Failure> {
        let closed: Vec<String> = self.ask_json(
            BESIDE,
            &format!(
                "select coalesce(json_agg(datname), '[]') from pg_db_role_setting s join pg_database d \
                 on d.oid = s.setdatabase where setrole = 0 and {} = any(setconfig)",
                literal(&format!("{CLOSED}=on"))
            ),
        )?;
        let open = |name: &String| {
            [READ_ONLY, CLOSED]
                .map(|key| format!("alter database {} reset {}", identifier(name), identifier(key)))
        };
        self.tell(&closed.iter().flat_map(open).collect::<Vec<_>>())
    }

    /// The same for a server whose whole directory was given.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub fn open_whole(self) -> Result<(), Failure> {
        self.tell(&[format!("alter system reset {READ_ONLY}"), "select pg_reload_conf()".to_owned()])
    }

    /// Has it write down all that it holds in its memory.
    ///
    /// # Errors
    /// As [`Server::databases`].
    pub fn checkpoint(self) -> Result<(), Failure> {
        self.ask(BESIDE, "checkpoint").map(drop)
    }

    /// Gives the role that the server's own tools log in by another password, as those make what the server keeps of it. They
    /// log in by the server's socket: what it knows may be another than what its container was given.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub fn set_password(self, password: &[u8]) -> Result<(), Failure> {
        let mut twice = Vec::new();
        for _ in 0..2 {
            twice.extend(password);
            twice.push(b'\n');
        }
        let psql =
            ["psql", "--no-psqlrc", "--no-password", "-q", "--set=ON_ERROR_STOP=1", "--command=\\password"];
        let mut words = vec!["sh", "-c", LOCAL, "lychd-soul"];
        words.extend(psql);
        done("psql", &self.podman.exec_fed(DATABASE, &words, &twice)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_option() {
        let on = on("host=elsewhere");
        assert_eq!(words(&on, &["pg_dump"])[4..], ["env", "PGDATABASE=host=elsewhere", "pg_dump"]);
    }
}
