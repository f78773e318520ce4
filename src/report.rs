//! What each verb answers: one serialisable type a verb. `--json` prints it as it is, people read its lines, and its
//! JSON Schema in `docs/schema/output/` is made of the type. Notes, and what moved in the locks, reach people while the verb runs
//! (`host::progress::Progress`): the lines do not repeat them, the JSON has them.
//!
//! Names mean one thing in all of them: `members` are ids, `packages` are counts of what is in the image, `size` is in
//! bytes, `moved` is what changed in the locks. What is called `…sha256` is a hash in hex; a digest, an image's or a
//! body's ID has `sha256:` before it.

mod bind;
mod bodies;
mod compared;
mod contents;
mod digest;
mod doctor;
mod failure;
mod fetch;
mod forge;
mod gc;
mod init;
mod man;
mod outdated;
mod page;
mod rebirth;
mod recovered;
mod released;
mod secrets;
mod snapshots;
mod status;
mod synthesize;
mod transmute;
mod unbound;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::{
    bind::{Bind, BindOutcome, Grant, Image, Mount, Port, UnitFile, Validated},
    bodies::{Bodies, Body, Image as BodyImage, Listed},
    compared::{Compared, ComparedImage, ImageSide},
    contents::{Contents, Distribution, Packages},
    digest::Digest,
    doctor::{Checked, Doctor},
    failure::{Failed, Problem, Site},
    fetch::Fetch,
    forge::{Forge, Load, Seconds},
    gc::Gc,
    init::Init,
    man::Man,
    outdated::Outdated,
    page::{Line, Page, Tone},
    rebirth::{Databases, Rebirth, RebirthOutcome},
    recovered::{Recovered, Way},
    released::Released,
    secrets::{SecretAsked, SecretSet, Secrets},
    snapshots::{Ascension, Snapshots, Told as ToldSnapshot},
    status::{FindingTold, ServiceStatus, Staged, Status},
    synthesize::Synthesize,
    transmute::{ChangedFile, Transmute},
    unbound::Unbound,
};

/// What a verb answers.
pub trait Report: Serialize + JsonSchema {
    /// Its lines for people.
    fn write(&self, page: &mut Page);
}
