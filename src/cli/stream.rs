//! `stream`: the archive of a body.

use super::{Outcome, StreamArgs, settings::Settings, stages, ui, ui::Ui};
use crate::{
    diagnostic::{Diagnostic, Failure, Source},
    forge::{body::Bodies, nix::Nix},
    image,
};

pub(super) fn run(args: &StreamArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if ui::stdout_is_terminal() {
        return Err(Failure::unable(
            Diagnostic::new("the archive would go to the terminal")
                .help("redirect it: `lychd-forge stream newest | podman load`"),
        ));
    }
    let body = Bodies::of_state(&settings.state).find(&args.body)?;
    let nix = Nix::find(stages::store(&args.store)?, None)?;
    let conf = nix.read_text(&body.conf)?;
    let conf = image::Conf::parse(&Source::new(body.conf.as_str(), conf))?;
    let store = nix.store_root();
    let image = image::prepare(&conf, &store, &settings.layer_cache(), ui)?;
    if image.id() != body.image_id {
        return Err(Diagnostic::new(format!(
            "the store now gives image {}, not {}",
            image.id(),
            body.image_id
        ))
        .help("`lychd-forge forge` builds the body again")
        .into());
    }
    ui.finish();
    image::stream(&image, &store, &mut std::io::stdout().lock())?;
    Ok(Outcome::Done)
}
