//! `stream`: the archive of a body.

use super::{
    Outcome, StreamArgs,
    settings::{Settings, absolute},
    stages,
    ui::{self, Ui},
};
use crate::{
    body::{Bodies, Record, Role, Store},
    diagnostic::{Diagnostic, Failure, Source},
    host::file,
    image,
};

pub(super) fn run(args: &StreamArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if ui::stdout_is_terminal() {
        return Err(Failure::unable(
            Diagnostic::new("the archive would go to the terminal")
                .help("redirect it: `lychd-forge stream newest | podman load`"),
        ));
    }
    let listing = stages::recorded(&Bodies::of_state(&settings.state), ui)?;
    let record = listing.find_image(&args.body)?;
    let built = &record.body.images.vessel;
    let given = args.nix_store.as_deref().map(absolute).transpose()?.map(Store::Below);
    let store = given.as_ref().or(record.body.store.as_ref()).unwrap_or(&Store::System);
    let root = store.root();
    let elsewhere = |failure| built_elsewhere(failure, record, store);
    let conf = if let Some(text) = record.kept.conf(Role::Vessel)? {
        text
    } else {
        // An older forge left it in the store alone.
        let path = root.locate(&built.conf);
        file::read_text(&path).map_err(|error| elsewhere(file::unable("read", &path, &error)))?
    };
    let conf = image::Conf::parse(&Source::new(built.conf.to_string(), conf))?;
    let image = image::prepare(&conf, &root, &settings.layer_cache(), ui).map_err(elsewhere)?;
    if image.config_digest() != built.config_digest {
        return Err(Diagnostic::new(format!(
            "the store now gives image {}, not {}",
            image.config_digest(),
            built.config_digest
        ))
        .help("`lychd-forge forge` builds the body again")
        .into());
    }
    if image.own_reference() != built.reference && record.order.sequence().is_some() {
        let (now, recorded) = (image.own_reference(), &built.reference);
        return Err(Diagnostic::new(format!(
            "the record calls the image `{recorded}`, and its `conf.json` `{now}`"
        ))
        .help("`lychd-forge forge` records the body again")
        .into());
    }
    ui.finish();
    let references = [image.own_reference(), image.reference().clone()];
    image::stream(&image, &references, &root, &mut std::io::stdout().lock())?;
    Ok(Outcome::Done)
}

/// What to do where the store lacks the layers.
fn built_elsewhere(failure: Failure, record: &Record, store: &Store) -> Failure {
    let help = match (&record.body.store, store) {
        (None, Store::System) => {
            "an older forge recorded the body and not its store: was it forged with `--nix-store`? Give it here too"
        }
        _ => "`lychd-forge forge` builds the body again; `--nix-store` names another store that has it",
    };
    match failure {
        Failure::Unable(mut diagnostic) => {
            diagnostic.help.push(help.to_owned());
            Failure::Unable(diagnostic)
        }
        refused @ Failure::Refused(_) => refused,
    }
}
