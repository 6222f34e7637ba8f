//! Is this file otab's? Read from its first hundred bytes, before SQLite gets to see it.
//!
//! SQLite would write to a foreign file on the way: roll back its journal, fold in its log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::APPLICATION_ID;
use crate::db::{Error, Kind};

/// Bytes of the header (SQLite's file format, section 1.3).
const LENGTH: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where the application id stands, four bytes, big-endian.
const APPLICATION_ID_AT: usize = 68;

/// Where the versions of reading and writing stand: with 2, the file has a write-ahead log.
const VERSIONS_AT: usize = 18;
const WITH_LOG: &[u8] = &[2, 2];

/// Says in the bytes of a file that it has a write-ahead log, as SQLite does when it is switched on.
pub(super) fn with_log(file: &mut [u8]) {
    if let Some(versions) = file.get_mut(VERSIONS_AT..VERSIONS_AT + WITH_LOG.len()) {
        versions.copy_from_slice(WITH_LOG);
    }
}

/// Files (device, inode) that have passed in this process, open.
///
/// Closing any descriptor of a file drops all locks that this process has on it (POSIX, fcntl), those of SQLite's own
/// connections too. So a descriptor of a file that has passed is never closed; and as long as it is open, no other file
/// gets the file's numbers.
static PASSED: Mutex<BTreeMap<(u64, u64), File>> = Mutex::new(BTreeMap::new());

/// Passes a file whose header is that of an otab database; whether the header, if this is the first time that it is read,
/// says that there is a write-ahead log. Later, SQLite has to be asked: that may have changed.
pub(super) fn check(path: &Path) -> Result<bool, Error> {
    let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        return Err(Error::at(path, Kind::Foreign, "is not a regular file"));
    }
    let file = (metadata.dev(), metadata.ino());
    if passed.contains_key(&file) {
        return Ok(false);
    }
    let (header, open) = read(path).map_err(|error| unreadable(path, &error))?;
    if let Some(what) = fault(&header) {
        return Err(Error::at(path, Kind::Foreign, what));
    }
    let has_log = header.get(VERSIONS_AT..VERSIONS_AT + WITH_LOG.len()) == Some(WITH_LOG);
    passed.insert(file, open);
    Ok(has_log)
}

fn read(path: &Path) -> std::io::Result<(Vec<u8>, File)> {
    let mut header = Vec::with_capacity(LENGTH);
    let file = File::open(path)?;
    (&file).take(LENGTH as u64).read_to_end(&mut header)?;
    Ok((header, file))
}

fn fault(header: &[u8]) -> Option<&'static str> {
    if header.is_empty() {
        return Some("is empty");
    }
    if header.len() < LENGTH || !header.starts_with(MAGIC) {
        return Some("is not an SQLite database");
    }
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4);
    (id != Some(APPLICATION_ID.to_be_bytes().as_slice())).then_some("is an SQLite database, but not one of otab's")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let kind = match error.kind() {
        ErrorKind::NotFound => Kind::Missing,
        _ => Kind::Unavailable,
    };
    Error::at(path, kind, error.to_string())
}
