//! Bodies of the tests: the example's images, each with a migration and a command of its own.
#![expect(clippy::disallowed_methods, reason = "files are laid out as a user's are")]

use lychd_forge::{
    body::{Bodies, Body},
    digest::Sha256,
    host::file,
};
use serde_json::{Value, json};

use super::Realm;

/// Gives the database a schema that the example's own body cannot read, then does what comes after it.
const MIGRATE: &str = "import asyncio, asyncpg, os, sys; r = asyncio.Runner(); \
    c = r.run(asyncpg.connect(os.environ['LYCH_DATABASE_URL'])); r.run(c.execute(sys.argv[1])); r.run(c.close()); \
    sys.argv[2:] and os.execvp(sys.argv[2], sys.argv[2:])";
/// What it does to the notes.
const SQL: &str = "alter table if exists note rename to remark";
/// Is well for whoever asks it that, and says nothing to anybody else.
const DEAF: &str = "exec(\"import http.server\\nclass H(http.server.BaseHTTPRequestHandler):\\n def do_GET(self):\\n  \
    self.path == '/health' and (self.send_response(200), self.end_headers())\\n\
    http.server.ThreadingHTTPServer(('', 8000), H).serve_forever()\")";

/// What a body of the tests does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// It migrates and lives.
    Good,
    /// Its migration changes the database and then fails.
    Migrates,
    /// It migrates and ends.
    Ends,
    /// It migrates, is well by its own account, and answers nobody.
    Deaf,
    /// It migrates, is never well, and takes no signal.
    Stubborn,
    /// Its migration changes the database and does not end.
    Hangs,
}

impl Nature {
    fn words(self) -> (Vec<&'static str>, Option<Vec<&'static str>>) {
        let migrate = vec!["python", "-c", MIGRATE, SQL];
        match self {
            Self::Good => (migrate, None),
            Self::Migrates => ([migrate, vec!["false"]].concat(), None),
            Self::Hangs => ([migrate, vec!["sleep", "1000"]].concat(), None),
            Self::Ends => (migrate, Some(vec!["python", "-c", "import sys; sys.exit('no life today')"])),
            Self::Deaf => (migrate, Some(vec!["python", "-c", DEAF])),
            Self::Stubborn => {
                let stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(1000)";
                (migrate, Some(vec!["python", "-c", stubborn]))
            }
        }
    }
}

impl Realm {
    /// Records a body of this nature, made of what is active, unless it is there; its ID.
    pub(super) fn body(&self, nature: Nature) -> String {
        let state = self.machine.home().join(".local/state/lychd-forge");
        let listing = Bodies::of_state(&state).list().unwrap();
        let own = listing.find(&self.organism.body).unwrap();
        let text = own.kept.read_federation(&own.body.federation).unwrap();
        let mut federation: Value = serde_json::from_slice(&text).unwrap();
        let (migrate, command) = nature.words();
        federation["migrate"] = json!(migrate);
        if let Some(command) = command {
            federation["command"] = json!(command);
        }
        let federation = federation.to_string();
        let body = Body { federation: Sha256::of(&federation), ..own.body.clone() };
        let id = body.id().to_string();
        let place = state.join("bodies").join(&id);
        if !place.exists() {
            let mut files = file::read_tree(own.kept.directory()).unwrap();
            files.insert_text("federation.json".parse().unwrap(), federation.as_str());
            let mut written: Value =
                serde_json::from_slice(files.file(&"body.json".parse().unwrap()).unwrap()).unwrap();
            written["id"] = json!(body.id());
            written["federation_sha256"] = json!(body.federation);
            files.insert_text("body.json".parse().unwrap(), written.to_string());
            file::write_tree(&place, &files).unwrap();
            self.machine.give(&[".local/state"]);
        }
        id
    }
}
