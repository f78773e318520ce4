//! From a `conf.json` to an [`Image`]: every layer is hashed, or its digest is already known.

use std::{
    num::NonZero,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    cache::{Cache, Slot},
    conf::Conf,
    config,
    content::Content,
    layer,
    plan::Plan,
    prepared::{Image, Layer},
    store_root::StoreRoot,
    writer::{Attributes, Broken},
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::{HashWriter, Sha256},
    host::{
        file,
        progress::{Progress, Unit},
    },
};

/// Computes everything about the image but the archive's bytes. Layers are hashed on all cores;
/// digests are kept below `cache`, which need not exist.
///
/// # Errors
/// [`Failure::Unable`] when a store path cannot be read; [`Failure::Refused`] when one is not what an image can
/// be made of.
pub fn prepare(
    conf: &Conf,
    store: &StoreRoot,
    cache: &Path,
    progress: &dyn Progress,
) -> Result<Image, Failure> {
    let plan = conf.root_plan.as_ref().map_or_else(|| Ok(Plan::none()), |path| Plan::read(path, store))?;
    let attributes = Attributes { mtime: conf.mtime, owner: conf.owner.clone(), plan };
    progress.stage("digest", &format!("{} layers", conf.layers.len()));
    let layers = hash_all(&conf.layers, &attributes, store, &Cache::new(cache.to_owned()), progress)?;
    let config = config::config_bytes(conf, &layers);
    Ok(Image {
        manifest: config::oci_manifest(&config, &layers),
        reference: conf.reference.clone(),
        attributes,
        config,
        layers,
    })
}

type Hashed = Result<Layer, Failure>;

fn hash_all(
    contents: &[Content],
    attributes: &Attributes,
    store: &StoreRoot,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<Layer>, Failure> {
    let cells: Vec<OnceLock<Hashed>> = contents.iter().map(|_| OnceLock::new()).collect();
    let (next, done, stop) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(content), Some(cell)) = (contents.get(index), cells.get(index)) else { break };
            let hashed = hash(content, attributes, store, cache);
            match &hashed {
                Ok(_) => {
                    let count = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress.advance(count, contents.len() as u64, Unit::Items);
                }
                Err(_) => stop.store(true, Ordering::Relaxed),
            }
            // The index is this thread's alone, so the cell is empty.
            let _ = cell.set(hashed);
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        for _ in 1..cores.min(contents.len()) {
            scope.spawn(work);
        }
        work();
    });
    // An error of one thread leaves later cells empty; the error itself then stands before them or among them.
    let failed = |cell: &OnceLock<Hashed>| cell.get().and_then(|hashed| hashed.as_ref().err().cloned());
    if let Some(failure) = cells.iter().find_map(failed) {
        return Err(failure);
    }
    Ok(cells.into_iter().filter_map(|cell| cell.into_inner()?.ok()).collect())
}

fn hash(content: &Content, attributes: &Attributes, store: &StoreRoot, cache: &Cache) -> Hashed {
    let content = content.clone();
    let cached = cache.slot(&content, attributes, store);
    if let Some((diff_id, size)) = cached.as_ref().and_then(Slot::get) {
        return Ok(Layer { content, diff_id, size, is_fresh: false, cached });
    }
    let mut hash = HashWriter::default();
    layer::write(&content, attributes, store, &mut hash).map_err(Broken::into_failure)?;
    let (diff_id, size) = hash.finish();
    check(&content, store, diff_id)?;
    if let Some(slot) = &cached {
        slot.put(diff_id, size);
    }
    Ok(Layer { content, diff_id, size, is_fresh: true, cached })
}

/// What others say the digest is must be true: upstream believes them, podman does not.
fn check(content: &Content, store: &StoreRoot, found: Sha256) -> Result<(), Failure> {
    let (said, place) = match content {
        Content::Placed { .. } | Content::Store(_) => return Ok(()),
        Content::Customisation(path) => {
            let file = layer::customisation_checksum(store, path);
            let text = file::read(&file, 1024).map_err(|error| file::unable("read", &file, &error))?;
            (String::from_utf8_lossy(&text).trim().to_owned(), format!("{path}/layer.tar"))
        }
    };
    if said.parse() == Ok(found) {
        return Ok(());
    }
    let message = format!("`{place}` has sha256 {found}, but `{}` is written beside it", said.escape_debug());
    Err(Diagnostic::new(message).help("the layer must be an uncompressed tar with its own digest").into())
}
