//! The sections of `lychd.toml`: which keys there are, and their defaults.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use super::value::Setting;
use crate::{
    diagnostic::Diagnostic,
    document::{
        Located, Table,
        nearest::nearest,
        reader::{Reader, unknown_key},
    },
};

/// A section as LychD knows it.
pub(super) struct Section {
    /// What it is called in messages.
    pub(super) title: &'static str,
    /// Each key with LychD's default in TOML; empty for a table, and where TOML cannot write it.
    pub(super) keys: &'static [(&'static str, &'static str)],
}

pub(super) const ROOT: Section =
    Section { title: "lychd.toml", keys: &[("server", ""), ("orchestration", ""), ("extensions", "")] };

pub(super) const SERVER: Section = Section {
    title: "[server]",
    keys: &[
        ("host", r#""127.0.0.1""#),
        ("port", "7134"),
        ("reload", "false"),
        ("keep_alive", "65"),
        ("database", ""),
        ("web", ""),
        ("logging", ""),
        ("jobs", ""),
    ],
};

pub(super) const DATABASE: Section = Section {
    title: "[server.database]",
    keys: &[
        ("host", r#""localhost""#),
        ("port", "5432"),
        ("user", r#""lich""#),
        ("database", r#""lychd""#),
        ("image", r#""docker.io/pgvector/pgvector:pg18-trixie""#),
        ("password_secret", r#""lychd_db_password""#),
        ("profile", r#""postgres""#),
        ("echo", "false"),
        ("echo_pool", "false"),
        ("pool_size", "5"),
        ("max_overflow", "10"),
        ("pool_timeout", "30"),
        ("pool_recycle", "300"),
        ("pool_pre_ping", "true"),
        ("pool_use_lifo", "true"),
    ],
};

pub(super) const WEB: Section = Section {
    title: "[server.web]",
    keys: &[
        ("image", r#""ghcr.io/hexanomicon/lychd:latest""#),
        ("secret_key_secret", r#""lychd_app_secret_key""#),
        ("debug", "false"),
        ("name", r#""lychd""#),
        ("url", r#""http://localhost:8000""#),
        ("allowed_cors_origins", "[]"),
        ("csrf_cookie_name", r#""csrftoken""#),
        ("csrf_cookie_secure", "false"),
    ],
};

pub(super) const LOGGING: Section = Section {
    title: "[server.logging]",
    keys: &[
        ("level", r#""INFO""#),
        ("json_format", ""),
        ("request_fields", r#"["path", "method", "query", "path_params"]"#),
        ("response_fields", r#"["status_code"]"#),
        ("sqlalchemy_level", "30"),
        ("saq_level", "30"),
        ("granian_level", "30"),
        ("pydantic_ai_level", "10"),
    ],
};

pub(super) const JOBS: Section = Section {
    title: "[server.jobs]",
    keys: &[
        ("admin_ui_enabled", "false"),
        ("admin_ui_path", r#""/saq""#),
        ("interactive_concurrency", "2"),
        ("background_concurrency", "4"),
    ],
};

pub(super) const ORCHESTRATION: Section =
    Section { title: "[orchestration]", keys: &[("routing", ""), ("switching", ""), ("whim", "")] };

/// One of the tables in `routing`, which have names of the user's choice.
pub(super) const ROUTE: Section =
    Section { title: "[orchestration.routing.NAME]", keys: &[("queue", r#""runs""#), ("priority", "50")] };

pub(super) const SWITCHING: Section = Section {
    title: "[orchestration.switching]",
    keys: &[
        ("actuator", r#""host-reactor""#),
        ("host_reactor_dir", r#""~/.local/share/lychd/triggers/inbox""#),
        ("policy", r#""declared-conflicts""#),
        ("min_priority_for_hard_swap", "40"),
        ("drain_timeout_s", "120.0"),
        ("warmup_timeout_s", "180.0"),
        ("systemctl_timeout_s", "120.0"),
        ("reactor_ack_timeout_s", "120.0"),
    ],
};

pub(super) const WHIM: Section =
    Section { title: "[orchestration.whim]", keys: &[("idle_evict_after_s", "0"), ("preload", "[]")] };

pub(super) const EXTENSIONS: Section =
    Section { title: "[extensions]", keys: &[("builtins", "[]"), ("crypt", "")] };

/// All of them.
pub(super) const SECTIONS: [&Section; 11] = [
    &ROOT,
    &SERVER,
    &DATABASE,
    &WEB,
    &LOGGING,
    &JOBS,
    &ORCHESTRATION,
    &ROUTE,
    &SWITCHING,
    &WHIM,
    &EXTENSIONS,
];

/// A section that is being read; every error about one of its keys has a hint.
pub(super) struct Keys<'a, 'e> {
    section: &'static Section,
    reader: Reader<'a, 'e>,
}

impl<'a, 'e> Keys<'a, 'e> {
    pub(super) fn of(section: &'static Section, table: &'a Table, errors: &'e mut Vec<Diagnostic>) -> Self {
        Self::titled(section, section.title, table, errors)
    }

    /// As [`Keys::of`], for a table that has its own name.
    pub(super) fn titled(
        section: &'static Section,
        title: &str,
        table: &'a Table,
        errors: &'e mut Vec<Diagnostic>,
    ) -> Self {
        let known: Vec<&str> = section.keys.iter().map(|(key, _)| *key).collect();
        for (key, field) in table.iter().filter(|(key, _)| !known.contains(key)) {
            let mut unknown = unknown_key(key, title, &known, &field.key);
            let homes: Vec<&str> = SECTIONS
                .iter()
                .filter(|section| section.keys.iter().any(|(other, _)| *other == key))
                .map(|section| section.title)
                .collect();
            if !homes.is_empty() && nearest(key, known.iter().copied()).is_none() {
                unknown.help = vec![format!("`{key}` is a key of {}", homes.join(", "))];
            }
            errors.push(unknown);
        }
        Self { section, reader: Reader::open(table, title, errors) }
    }

    /// Reads a key and gives what went wrong with it a hint, when it has none.
    pub(super) fn read<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'a, 'e>) -> T) -> T {
        let before = self.reader.errors().len();
        let value = read(&mut self.reader);
        let default =
            self.section.keys.iter().find(|(own, _)| *own == key).map_or("", |(_, default)| default);
        let hint = match default {
            "" => format!("without `{key}` LychD decides"),
            default => format!("LychD's default: `{key} = {default}`"),
        };
        for error in self.reader.errors().iter_mut().skip(before).filter(|error| error.help.is_empty()) {
            error.help.push(hint.clone());
        }
        value
    }

    /// Puts a value over its default. False when it is wrong.
    pub(super) fn set<T>(
        &mut self,
        key: &str,
        own: &mut Setting<T>,
        read: impl FnOnce(&mut Reader<'a, 'e>) -> Option<Located<T>>,
    ) -> bool {
        let value = self.read(key, read);
        let sound = value.is_some() || self.reader.node(key).is_none();
        if let Some(value) = value {
            *own = value.into();
        }
        sound
    }

    /// As [`Keys::set`], of a text.
    pub(super) fn set_parsed<T: FromStr<Err: Display>>(&mut self, key: &str, own: &mut Setting<T>) -> bool {
        self.set(key, own, |reader| reader.parsed(key))
    }

    /// Refuses the value of a key.
    pub(super) fn refuse(&mut self, key: &str, rule: &str) {
        self.read(key, |reader| {
            if let Some(node) = reader.node(key) {
                let message = format!("`{key}` in {} {rule}", reader.title());
                let diagnostic = Diagnostic::new(message).at(node.place.clone(), "");
                reader.errors().push(diagnostic);
            }
        });
    }

    /// A table below.
    pub(super) fn table(&mut self, key: &str) -> Option<&'a Table> {
        let table = self.reader.table(key);
        if table.is_none() && self.reader.node(key).is_some() {
            let above = self.reader.title().strip_prefix('[').and_then(|title| title.strip_suffix(']'));
            let title = above.map_or_else(|| key.to_owned(), |above| format!("{above}.{key}"));
            if let Some(error) = self.reader.errors().last_mut() {
                error.help.push(format!("its keys stand below a line `[{title}]`"));
            }
        }
        table
    }

    /// Ends the reading, for those who look at the errors themselves.
    pub(super) fn finish(self) {
        self.reader.finish();
    }

    pub(super) fn errors(&mut self) -> &mut Vec<Diagnostic> {
        self.reader.errors()
    }

    // Keys without effect on a unit are judged and dropped.

    pub(super) fn strings(&mut self, keys: &[&str]) {
        for &key in keys {
            self.read(key, |reader| reader.string(key));
        }
    }

    pub(super) fn booleans(&mut self, keys: &[&str]) {
        for &key in keys {
            self.read(key, |reader| reader.boolean(key));
        }
    }

    pub(super) fn integers(&mut self, keys: &[&str]) {
        for &key in keys {
            self.read(key, |reader| reader.integer(key, i64::MIN..=i64::MAX));
        }
    }

    pub(super) fn integers_within(&mut self, keys: &[&str], range: &RangeInclusive<i64>) {
        for &key in keys {
            self.read(key, |reader| reader.integer(key, range.clone()));
        }
    }
}
