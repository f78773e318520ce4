//! What an inscription writes: a generation with its files.

use super::{
    candidate::Candidate,
    generation::{Generation, Generations, RECEIPT},
    manifest::unreadable,
};
use crate::{
    diagnostic::Failure,
    digest::Sha256,
    host::file,
    tree::{FileTree, RelativePath, relative_path},
};

/// A generation with all its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The record.
    pub generation: Generation,
    /// The files of the site.
    pub units: FileTree,
    /// The files that containers read.
    pub support: FileTree,
    /// The Codex that it was made of.
    pub codex: FileTree,
    /// Whether it lay in the site before: then it has its record, and what the user's own files make of its units may be
    /// another text than on the day when they were judged.
    pub is_kept: bool,
}

impl Set {
    /// A candidate as the generation that it becomes.
    #[must_use]
    pub fn new(generation: Generation, candidate: &Candidate, sources: &FileTree) -> Self {
        let rendered = &candidate.rendered;
        let mut units = rendered.quadlets.clone();
        for (path, entry) in rendered.units.iter() {
            units.insert(path.clone(), entry.clone());
        }
        Self { generation, units, support: rendered.support.clone(), codex: sources.clone(), is_kept: false }
    }

    /// One that is kept, whole and as its record says; `None` where there is none of this number.
    ///
    /// # Errors
    /// Unable when it cannot be read, or a file is not what the record says.
    pub fn kept(generations: &Generations, number: u64) -> Result<Option<Self>, Failure> {
        let Some(generation) = generations.read(number)? else { return Ok(None) };
        let place = generations.place(number);
        let tree = |name: &str| -> Result<FileTree, Failure> {
            let below = place.join(name);
            let read = file::if_there(&below, file::read_tree(&below))?;
            Ok(read.unwrap_or_default())
        };
        let (units, support) = (tree("units")?, tree("support")?);
        let manifest = &generation.candidate;
        for (name, all, wanted) in
            [("units", &units, &manifest.units), ("support", &support, &manifest.support)]
        {
            for (path, sha256) in wanted {
                let is_whole = path
                    .parse::<RelativePath>()
                    .is_ok_and(|path| all.file(&path).map(Sha256::of).as_ref() == Some(sha256));
                if !is_whole {
                    let shown = place.join(name).join(path).display().to_string();
                    return Err(unreadable(&shown, "it is not what the generation's record says"));
                }
            }
        }
        let codex = tree("codex")?;
        Ok(Some(Self { generation, units, support, codex, is_kept: true }))
    }

    /// The files that are kept of it, beside its record.
    #[must_use]
    pub fn files(&self) -> FileTree {
        files(&self.units, &self.support, &self.codex)
    }

    /// What lies in the site: its units and the receipt.
    #[must_use]
    pub fn site(&self) -> FileTree {
        let mut site = self.units.clone();
        if let Ok(receipt) = RECEIPT.parse::<RelativePath>() {
            site.insert_text(receipt, self.generation.to_text());
        }
        site
    }
}

/// The files of a candidate or generation beside its record.
pub(super) fn files(units: &FileTree, support: &FileTree, codex: &FileTree) -> FileTree {
    let mut all = FileTree::new();
    all.insert_tree(&relative_path!("units"), units);
    all.insert_tree(&relative_path!("support"), support);
    all.insert_tree(&relative_path!("codex"), codex);
    all
}
