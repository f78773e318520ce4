//! What a database is besides its content: a dump brings none of that to a database of another name, and databases are
//! given under one before they take their places.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sql::{identifier, literal, setting};

/// How settings begin that are the forge's own.
pub(super) const OWN: &str = "lychd.";
/// A database that cannot be written to, because a past was given to it.
pub(super) const CLOSED: &str = "lychd.closed";
/// Has the sessions of a database write nothing.
pub(super) const READ_ONLY: &str = "default_transaction_read_only";

/// What a database is besides its content, as the server's catalogues have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Properties {
    /// How its texts are encoded.
    pub encoding: String,
    /// By which locale of the C library they are sorted.
    pub collate: String,
    /// By which they are classified.
    pub ctype: String,
    /// Who sorts, in the letter of `pg_database`; `None` on servers that know one way only.
    pub provider: Option<String>,
    /// By which locale of that one, where it is not the C library.
    pub locale: Option<String>,
    /// Rules of its own.
    pub rules: Option<String>,
    /// How many may be connected; below zero: any number.
    pub limit: i64,
    /// What is said of it.
    pub comment: Option<String>,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// Who may do what; `None`: what everybody may of a new one.
    pub rights: Option<Vec<Right>>,
}

/// A setting of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// For whom; `None`: for everybody.
    pub role: Option<String>,
    /// Its name.
    pub key: String,
    /// As the server has written it down.
    pub value: String,
}

/// A right on a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// Whose; `None`: everybody's.
    pub role: Option<String>,
    /// To do what.
    pub privilege: Privilege,
    /// Whether it can be passed on.
    pub grantable: bool,
}

/// What a right on a database is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Privilege {
    /// Make schemas.
    Create,
    /// Connect.
    Connect,
    /// Make temporary tables.
    Temporary,
}

impl Privilege {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Connect => "connect",
            Self::Temporary => "temporary",
        }
    }
}

impl Properties {
    /// What a server is asked for those of a database, of any version: columns that it lacks are null.
    pub(super) fn question(database: &str) -> String {
        let (own, closed, read_only) =
            (literal(OWN), literal(&format!("{CLOSED}=on")), literal(&format!("{READ_ONLY}=on")));
        format!(
            "select json_build_object('encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype, \
             'provider', to_jsonb(d)->>'datlocprovider', \
             'locale', coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'), \
             'rules', to_jsonb(d)->>'daticurules', 'limit', datconnlimit, \
             'comment', shobj_description(d.oid, 'pg_database'), \
             'settings', (select coalesce(json_agg(json_build_object('role', rolname, 'key', split_part(c, '=', 1), \
             'value', substr(c, strpos(c, '=') + 1))), '[]') from pg_db_role_setting s \
             left join pg_roles r on r.oid = setrole, unnest(setconfig) c where setdatabase = d.oid \
             and not starts_with(c, {own}) and not (c = {read_only} and {closed} = any(setconfig))), \
             'rights', case when datacl is null then null else (select coalesce(json_agg(json_build_object( \
             'role', rolname, 'privilege', privilege_type, 'grantable', is_grantable)), '[]') \
             from aclexplode(datacl) left join pg_roles r on r.oid = grantee \
             where privilege_type in ('CREATE', 'CONNECT', 'TEMPORARY')) end) \
             from pg_database d where datname = {}",
            literal(database)
        )
    }

    /// What makes an empty database that is like this one.
    pub(super) fn create(&self, name: &str, owner: &str) -> String {
        let Self { encoding, collate, ctype, provider, locale, rules, limit, .. } = self;
        let words = format!(
            "create database {} owner {} template template0 encoding {} lc_collate {} lc_ctype {} connection limit {}",
            identifier(name),
            identifier(owner),
            literal(encoding),
            literal(collate),
            literal(ctype),
            (*limit).max(-1)
        );
        let (named, key) = match provider.as_deref() {
            Some("i") => ("icu", "icu_locale"),
            Some("b") => ("builtin", "builtin_locale"),
            Some("c") => return words + " locale_provider libc",
            _ => return words,
        };
        let own = [(key, locale), ("icu_rules", rules)];
        let own =
            own.into_iter().filter_map(|(key, value)| Some(format!(" {key} {}", literal(value.as_ref()?))));
        words + " locale_provider " + named + &own.collect::<String>()
    }

    /// Whether its sessions write nothing, by somebody's wish.
    pub(super) fn is_read_only(&self) -> bool {
        let is_on =
            |value: &str| matches!(value.to_lowercase().as_str(), "on" | "true" | "yes" | "1" | "t" | "y");
        self.settings.iter().any(|one| one.role.is_none() && one.key == READ_ONLY && is_on(&one.value))
    }

    /// What gives a database the rest. What belongs to roles that are not there goes with them.
    pub(super) fn give(&self, name: &str, owner: &str, roles: &BTreeSet<String>) -> Vec<String> {
        let database = identifier(name);
        let is_there = |role: &Option<String>| role.as_ref().is_none_or(|role| roles.contains(role));
        let mut all = Vec::new();
        if let Some(comment) = &self.comment {
            all.push(format!("comment on database {database} is {}", literal(comment)));
        }
        for Setting { role, key, value } in self.settings.iter().filter(|one| is_there(&one.role)) {
            let whose = match role {
                Some(role) => format!("role {} in database {database}", identifier(role)),
                None => format!("database {database}"),
            };
            all.extend(setting(&whose, key, value));
        }
        let Some(rights) = &self.rights else { return all };
        all.push(format!("revoke all on database {database} from public, {}", identifier(owner)));
        for Right { role, privilege, grantable } in rights.iter().filter(|one| is_there(&one.role)) {
            let to = role.as_deref().map_or_else(|| "public".to_owned(), identifier);
            let further = if *grantable { " with grant option" } else { "" };
            all.push(format!("grant {} on database {database} to {to}{further}", privilege.word()));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_made_like_another() {
        let setting = |role: Option<&str>, key: &str| Setting {
            role: role.map(str::to_owned),
            key: key.to_owned(),
            value: "7MB".to_owned(),
        };
        let right = |role: Option<&str>, grantable| Right {
            role: role.map(str::to_owned),
            privilege: Privilege::Connect,
            grantable,
        };
        let mut like = Properties {
            encoding: "UTF8".to_owned(),
            collate: "C".to_owned(),
            ctype: "C.UTF-8".to_owned(),
            provider: Some("c".to_owned()),
            locale: None,
            rules: None,
            limit: -1,
            comment: Some("it's".to_owned()),
            settings: vec![
                setting(None, "work_mem"),
                setting(Some("a"), "work_mem"),
                setting(Some("b"), "x"),
            ],
            rights: None,
        };
        let plain = "create database \"n\" owner \"o\" template template0 encoding E'UTF8' lc_collate E'C' \
                     lc_ctype E'C.UTF-8' connection limit -1";
        assert_eq!(like.create("n", "o"), format!("{plain} locale_provider libc"));
        let roles = BTreeSet::from(["a".to_owned()]);
        let rest = [
            "comment on database \"n\" is E'it''s'",
            "alter database \"n\" set \"work_mem\" to E'7MB'",
            "alter role \"a\" in database \"n\" set \"work_mem\" to E'7MB'",
        ];
        assert_eq!(like.give("n", "o", &roles), rest);

        (like.provider, like.locale) = (Some("i".to_owned()), Some("de-DE".to_owned()));
        assert_eq!(like.create("n", "o"), format!("{plain} locale_provider icu icu_locale E'de-DE'"));
        like.rights = Some(vec![right(Some("a"), true), right(Some("b"), true)]);
        let rights = [
            "revoke all on database \"n\" from public, \"o\"",
            "grant connect on database \"n\" to \"a\" with grant option",
        ];
        assert_eq!(like.give("n", "o", &roles)[3..], rights);
        assert!(!like.is_read_only());
        like.settings.push(Setting { role: None, key: READ_ONLY.to_owned(), value: "true".to_owned() });
        assert!(like.is_read_only());
    }
}
