//! Files: opened without following links, read once, written whole or not at all.

mod directory;
mod failure;
mod lock;
mod look;
mod read;
mod temporary;
mod trees;
mod write;

pub use directory::{
    clock, create_directory, create_private_directory, exchange, link, list, make_private, names, remove,
    remove_empty, remove_file, rename, rename_new, sync_directory,
};
pub use failure::{is_wrong, unable, unreadable};
pub use lock::{LockGuard, lock, lock_within};
pub use look::{
    Kind, Status, canonical, exists, free_space, if_there, is_on_btrfs, is_subvolume, is_writable, kind,
    kind_behind, link_target, modified, resolved, size, status,
};
pub use read::{LIMIT, integrity, open, read, read_text, sha256};
pub use temporary::{TemporaryDirectory, sweep, temporary_directory};
pub use trees::{create_tree, read_entry, read_tree, write_sealed_tree, write_tree};
pub use write::{
    copy, create, create_new, remove_unfinished, write, write_again, write_cached, write_if_allowed,
};
