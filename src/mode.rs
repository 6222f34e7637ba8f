//! Who else may write a file or a folder, by its mode.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Anybody.
#[must_use]
pub fn others_can_write(metadata: &Metadata) -> bool {
    metadata.mode() & 0o002 != 0
}

/// Everybody in its group.
#[must_use]
pub fn group_can_write(metadata: &Metadata) -> bool {
    metadata.mode() & 0o020 != 0
}

/// In a folder with this bit, nobody but the owner can remove or replace a file.
#[must_use]
pub fn is_sticky(metadata: &Metadata) -> bool {
    metadata.mode() & 0o1000 != 0
}
