//! `conf.json`: what an image is made of, before any byte of it is read.
//!
//! Format: the file that nixpkgs' `dockerTools.streamLayeredImage` gives to its
//! `stream_layered_image.py`. There `uid` and `gid` may be numbers or strings of digits, and `mtime` is
//! a time with a zone; whole seconds since 1970 are taken as well.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    content::{Content, Placed},
    identity::ConfigDigest,
    json::Json,
    tar::{MOST_OCTAL_11, Owner},
};
use crate::{
    diagnostic::{Diagnostic, Failure, Source},
    digest::store_path::StorePath,
    document::json,
    name::image::ImageReference,
};

/// The only store directory whose paths are accepted.
pub const STORE_DIR: &str = "/nix/store";

/// Hex digits of the configuration's digest in an image's own tag.
const OWN_DIGITS: usize = 12;

/// A name and tag, e.g. `localhost/lychd:custom`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    name: String,
    tag: String,
}

/// Why a text is no [`Reference`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an image reference (want e.g. `localhost/lychd:custom`)", .0.escape_debug())]
pub struct ReferenceError(String);

impl Reference {
    /// The repository, with its registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The tag in the same repository that one image has for itself: `b-<12 hex digits>`.
    #[must_use]
    pub fn own(&self, image: ConfigDigest) -> Self {
        Self { name: self.name.clone(), tag: format!("b-{}", image.short(OWN_DIGITS)) }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.name, self.tag)
    }
}

impl std::str::FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = || ReferenceError(text.to_owned());
        let image: ImageReference = text.parse().map_err(|_| wrong())?;
        match (image.tag(), image.digest()) {
            (Some(tag), None) => Ok(Self { name: image.repository().to_owned(), tag: tag.to_owned() }),
            _ => Err(wrong()),
        }
    }
}

/// A valid `conf.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conf {
    pub(super) architecture: String,
    /// The `config` of the image configuration, an object.
    pub(super) config: Json,
    /// As Python's `isoformat` writes it, e.g. `1970-01-01T00:00:01+00:00`.
    pub(super) created: String,
    /// Seconds since 1970, at most 11 octal digits.
    pub(super) mtime: u64,
    pub(super) owner: Owner,
    /// Bottom first.
    pub(super) layers: Vec<Content>,
    /// The root's say in layers of packages at their places.
    pub(super) root_plan: Option<StorePath>,
    pub(super) reference: Reference,
}

impl Conf {
    /// Reads the file's text.
    ///
    /// # Errors
    /// [`Failure::Refused`] with everything that is wrong in it.
    pub fn parse(source: &Source) -> Result<Self, Failure> {
        let json: Json = serde_json::from_str(source.text()).map_err(|error| syntax(source, &error))?;
        let Json::Object(members) = json else {
            return Err(
                Diagnostic::new(format!("`{}` is {}, not an object", source.name(), json.kind())).into()
            );
        };
        let mut reader = Reader { source, members, wrong: Vec::new() };
        let conf = reader.conf();
        match conf {
            Some(conf) if reader.wrong.is_empty() => Ok(conf),
            _ => Err(Failure::Refused(reader.wrong)),
        }
    }

    /// Name and tag that the image asks for.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Every store path that a layer is read from, the bottom layer's first.
    pub fn store_paths(&self) -> impl Iterator<Item = &StorePath> {
        self.layers.iter().flat_map(Content::store_paths)
    }
}

fn syntax(source: &Source, error: &serde_json::Error) -> Failure {
    let before: usize =
        source.text().split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = before + error.column().saturating_sub(1);
    Diagnostic::new(format!("`{}` is not the JSON of an image: {error}", source.name()))
        .at(source.at(at..at + 1), "")
        .into()
}

/// Takes the known members one by one and collects what is wrong.
struct Reader<'a> {
    source: &'a Source,
    members: Vec<(String, Json)>,
    wrong: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn conf(&mut self) -> Option<Conf> {
        let architecture = self.text("architecture");
        let config = self.object("config");
        let created = self.moment("created").map(isoformat);
        let mtime = self.mtime();
        let uid = self.id("uid");
        let gid = self.id("gid");
        let user = self.text("uname");
        let group = self.text("gname");
        self.no_base_image();
        let layers = self.layers();
        let root_plan = self.root_plan(layers.as_deref().unwrap_or_default());
        let reference = self.text("repo_tag").and_then(|text| self.checked("repo_tag", text.parse()));
        self.constant("store_dir", STORE_DIR, true);
        self.constant("os", "linux", false);
        Some(Conf {
            architecture: architecture?,
            config: config?,
            created: created?,
            mtime: mtime?,
            owner: Owner { uid: uid?, gid: gid?, user: user?, group: group? },
            layers: layers?,
            root_plan,
            reference: reference?,
        })
    }

    fn refuse(&mut self, key: &str, message: String) {
        let diagnostic = Diagnostic::new(message);
        // Looked for only where something is wrong. What JSON of an image allows beyond a document has no places.
        let place = json::keys(self.source).ok().and_then(|mut keys| keys.remove(key));
        self.wrong.push(match place {
            Some(place) => diagnostic.at(place, ""),
            None => diagnostic,
        });
    }

    fn checked<T, E: std::fmt::Display>(&mut self, key: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.refuse(key, format!("`{key}`: {error}"))).ok()
    }

    fn optional(&mut self, key: &str) -> Option<Json> {
        let index = self.members.iter().position(|(name, _)| name == key)?;
        Some(self.members.remove(index).1)
    }

    fn take(&mut self, key: &str) -> Option<Json> {
        let value = self.optional(key);
        if value.is_none() {
            let message = format!("`{}` has no key `{key}`", self.source.name());
            self.wrong.push(Diagnostic::new(message).help("the file is made by `streamLayeredImage`"));
        }
        value
    }

    fn wants(&mut self, key: &str, want: &str, found: &Json) {
        self.refuse(key, format!("`{key}` is {}, want {want}", found.kind()));
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Json::Text(text) => Some(text),
            other => {
                self.wants(key, "a string", &other);
                None
            }
        }
    }

    fn object(&mut self, key: &str) -> Option<Json> {
        let value = self.take(key)?;
        if !matches!(value, Json::Object(_)) {
            self.wants(key, "an object", &value);
        }
        Some(value)
    }

    fn constant(&mut self, key: &str, want: &str, needed: bool) {
        let found = if needed { self.take(key) } else { self.optional(key) };
        if let Some(found) = found.filter(|found| *found != Json::text(want)) {
            let found = if let Json::Text(text) = &found { text.as_str() } else { found.kind() };
            self.refuse(key, format!("`{key}` is {}, only `{want}` can be read", found.escape_debug()));
        }
    }

    fn id(&mut self, key: &str) -> Option<u32> {
        let number = match self.take(key)? {
            Json::Integer(number) => u32::try_from(number).ok(),
            Json::Text(text) => text.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.refuse(key, format!("`{key}` is no user or group number"));
        }
        number
    }

    fn moment(&mut self, key: &str) -> Option<OffsetDateTime> {
        let text = self.text(key)?;
        let parsed = OffsetDateTime::parse(&text, &Rfc3339).ok();
        if parsed.is_none() {
            let shown = text.escape_debug();
            self.refuse(
                key,
                format!("`{key}` is `{shown}`, want a fixed time such as `1970-01-01T00:00:01+00:00`"),
            );
        }
        parsed
    }

    fn mtime(&mut self) -> Option<u64> {
        let seconds = match self.members.iter().find(|(name, _)| name == "mtime") {
            Some((_, Json::Integer(seconds))) => {
                let seconds = *seconds;
                self.optional("mtime");
                u64::try_from(seconds).ok()
            }
            _ => u64::try_from(self.moment("mtime")?.unix_timestamp()).ok(),
        };
        let fits = seconds.filter(|seconds| *seconds <= MOST_OCTAL_11);
        if fits.is_none() {
            self.refuse("mtime", "`mtime` is before 1970 or after 2242".to_owned());
        }
        fits
    }

    fn no_base_image(&mut self) {
        if self.take("from_image").is_some_and(|found| found != Json::Null) {
            let message = "`from_image` names a base image; the forge makes images without one".to_owned();
            self.refuse("from_image", message);
        }
    }

    fn store_path(&mut self, key: &str, text: &str) -> Option<StorePath> {
        self.checked(key, text.parse())
    }

    /// `store_layers`, and on top of them `customisation_layer`, which an image of placed packages has not.
    fn layers(&mut self) -> Option<Vec<Content>> {
        const KEY: &str = "store_layers";
        const TOP: &str = "customisation_layer";
        let found = self.take(KEY);
        let top = match self.take(TOP) {
            Some(Json::Text(text)) => self.store_path(TOP, &text).map(Content::Customisation),
            Some(Json::Null) | None => None,
            Some(other) => {
                self.wants(TOP, "a store path or null", &other);
                None
            }
        };
        let found = found?;
        let Json::List(layers) = &found else {
            self.wants(KEY, "a list of layers", &found);
            return None;
        };
        let mut read: Vec<Content> = layers.iter().filter_map(|layer| self.layer(KEY, layer)).collect();
        read.extend(top);
        Some(read)
    }

    /// A list of store paths; or `{"comment", "contents": [{"at", "path"}]}`, packages at their places.
    fn layer(&mut self, key: &str, layer: &Json) -> Option<Content> {
        if let Some(texts) = layer.texts() {
            let paths: Vec<_> = texts.iter().filter_map(|text| self.store_path(key, text)).collect();
            return Some(Content::Store(paths));
        }
        let Some((Json::Text(comment), Json::List(contents))) =
            layer.member("comment").zip(layer.member("contents"))
        else {
            let message = format!(
                "`{key}` holds {} that is neither a list of store paths nor packages at their places",
                layer.kind()
            );
            self.refuse(key, message);
            return None;
        };
        let contents = contents.iter().filter_map(|content| self.placed(key, content)).collect();
        Some(Content::Placed { comment: comment.clone(), contents })
    }

    fn placed(&mut self, key: &str, content: &Json) -> Option<Placed> {
        let (Some(Json::Text(path)), Some(Json::Text(at))) = (content.member("path"), content.member("at"))
        else {
            self.refuse(key, format!("`{key}`: a content is {} without `path` and `at`", content.kind()));
            return None;
        };
        let names: Vec<String> =
            at.split('/').skip(1).filter(|name| at != "/" || !name.is_empty()).map(str::to_owned).collect();
        if !at.starts_with('/') || names.iter().any(|name| matches!(name.as_str(), "" | "." | "..")) {
            self.refuse(key, format!("`{key}`: `{}` is no absolute path", at.escape_debug()));
            return None;
        }
        Some(Placed { path: self.store_path(key, path)?, at: names })
    }

    fn root_plan(&mut self, layers: &[Content]) -> Option<StorePath> {
        const KEY: &str = "root_plan";
        if !layers.iter().any(|layer| matches!(layer, Content::Placed { .. })) {
            return None;
        }
        let text = self.text(KEY)?;
        self.store_path(KEY, &text)
    }
}

/// Python's `datetime.isoformat`: microseconds only when there are some, the zone as `+HH:MM`.
fn isoformat(moment: OffsetDateTime) -> String {
    let (date, time, offset) = (moment.date(), moment.time(), moment.offset());
    let fraction = match time.microsecond() {
        0 => String::new(),
        microsecond => format!(".{microsecond:06}"),
    };
    let (hours, minutes, _) = offset.as_hms();
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}{sign}{:02}:{:02}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        hours.unsigned_abs(),
        minutes.unsigned_abs(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "architecture": "amd64", "config": {"Cmd": ["sh"]}, "created": "1970-01-01T00:00:01Z", "os": "linux",
        "store_dir": "/nix/store", "from_image": null,
        "store_layers": [["/nix/store/00000000000000000000000000000000-a"]],
        "customisation_layer": "/nix/store/11111111111111111111111111111111-c",
        "repo_tag": "localhost/lychd:custom", "mtime": "1970-01-01T00:00:01+00:00",
        "uid": "0", "gid": 0, "uname": "root", "gname": "root", "preferLocalBuild": true
    }"#;

    fn parse(text: &str) -> Result<Conf, Failure> {
        Conf::parse(&Source::new("conf.json", text))
    }

    #[test]
    fn upstreams_file_is_read() {
        let conf = parse(GOOD).unwrap();
        assert_eq!(conf.created, "1970-01-01T00:00:01+00:00");
        assert_eq!(conf.mtime, 1);
        assert_eq!(conf.store_paths().count(), 2);
        let seconds = GOOD.replace(r#""1970-01-01T00:00:01+00:00""#, "7");
        assert_eq!(parse(&seconds).unwrap().mtime, 7);
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_its_place() {
        let bad = GOOD
            .replace(r#""created": "1970-01-01T00:00:01Z""#, r#""created": "now""#)
            .replace("/nix/store/0", "/nix/store/../0")
            .replace("lychd:custom", "Lychd")
            .replace(r#""store_dir": "/nix/store""#, r#""store_dir": "/gnu/store""#)
            .replace(r#""gid": 0"#, r#""gid": -1"#)
            .replace(r#""architecture": "amd64","#, "");
        let Err(Failure::Refused(all)) = parse(&bad) else { panic!("was accepted") };
        let said: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(all.len(), 6, "{said:#?}");
        assert!(
            said.iter().any(|one| one.contains("`created` is `now`") && one.contains("conf.json:2:")),
            "{said:#?}"
        );
        assert!(said.iter().any(|one| one.contains("no key `architecture`")), "{said:#?}");
        // A key of the same name deeper down, and a value of that text, are not what is wrong.
        let decoy = GOOD
            .replace(r#"{"Cmd": ["sh"]}"#, r#"{"uid": 1, "Cmd": ["mtime"]}"#)
            .replace(r#""uid": "0""#, r#""uid": -1"#)
            .replace(r#""mtime": "1970-01-01T00:00:01+00:00""#, r#""mtime": "now""#);
        let error = parse(&decoy).unwrap_err().to_string();
        assert!(error.contains("number\n  at conf.json:7:9"), "{error}");
        assert!(
            error.contains(
                "`mtime` is `now`, want a fixed time such as `1970-01-01T00:00:01+00:00`\n  at conf.json:6:"
            ),
            "{error}"
        );
        let cut = parse("{\n  \"uid\": 1.5}").unwrap_err().to_string();
        assert!(cut.contains("conf.json:2:"), "{cut}");
    }

    #[test]
    fn a_base_image_is_refused_at_its_place() {
        for base in [r#""/nix/store/00000000000000000000000000000000-base.tar""#, "1", "[]"] {
            let text = GOOD.replace(r#""from_image": null"#, &format!(r#""from_image": {base}"#));
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains("names a base image") && error.contains("conf.json:3:"), "{error}");
        }
    }

    #[test]
    fn times_are_written_as_python_writes_them() {
        for (given, python) in [
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00+00:00"),
            ("2024-02-29T12:00:00.5-03:30", "2024-02-29T12:00:00.500000-03:30"),
        ] {
            assert_eq!(isoformat(OffsetDateTime::parse(given, &Rfc3339).unwrap()), python);
        }
    }

    #[test]
    fn references_are_checked() {
        for good in ["localhost/lychd:custom", "lychd:a", "host:5000/a/b-c:1.0"] {
            assert_eq!(good.parse::<Reference>().map(|reference| reference.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "lychd",
            "-x:a",
            "a:b c",
            "localhost/:a",
            "a:",
            "A:b",
            "host:x/a:b",
            "a//b:c",
            "a:-b",
            "dir:a",
            "a.b/c",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }
}
