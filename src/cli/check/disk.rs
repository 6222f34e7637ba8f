//! Whether there is room, and a place that this user may write, for what otab writes: the store, the log, and mails that
//! `otab deliver` and `otab outgoing` keep while their command runs.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfs, statvfs};

use super::finding::Finding;
use crate::cli::{init, whom};
use crate::db::Url;
use crate::engine::Engine;
use crate::exit::Exit;

/// With less room than this, in bytes, the next mails may not fit: one is held up to this size (`otab outgoing`).
const FLOOR: u64 = 64 << 20;

/// Looks at all of them; one line, where nothing is wrong.
pub fn check(engine: &Engine) -> Vec<Finding> {
    let spool = std::env::temp_dir();
    let mut places = vec![("temporary files (TMPDIR)", spool.clone())];
    if let Url::Sqlite(path) = &engine.store {
        places.push(("the store", folder(path)));
    }
    let log = engine.config.log.file.as_deref();
    places.extend(log.map(|path| ("log.file", folder(path))));

    let mut findings: Vec<Finding> = log.and_then(log_place).into_iter().collect();
    findings.extend(spool_place(&spool));
    let (mut seen, mut least) = (Vec::new(), u64::MAX);
    for (what, place) in &places {
        let Ok(device) = place.metadata().map(|it| it.dev()) else { continue };
        let Ok(found) = statvfs(place.as_path()) else { continue };
        if seen.contains(&device) {
            continue;
        }
        seen.push(device);
        match lack(&found) {
            Some(lack) => findings.push(full(what, place, &lack)),
            None => least = least.min(room(&found).unwrap_or(u64::MAX)),
        }
    }
    if findings.is_empty() && least < u64::MAX {
        findings.push(Finding::good(
            "disk",
            format!("there is room for store, log and temporary files: {} MiB", least >> 20),
        ));
    }
    findings
}

fn folder(path: &Path) -> PathBuf {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real.parent().unwrap_or(Path::new("/")).to_owned()
}

fn full(what: &str, place: &Path, lack: &str) -> Finding {
    let says = format!("the disk of {} ({what}) {lack}", place.display());
    Finding::bad("disk", Exit::Unavailable, says, "free some space: mails wait, or go unlogged, once it is full")
}

/// How many bytes a user may still write; `None` for a file system that does not count.
fn room(found: &StatVfs) -> Option<u64> {
    (found.f_blocks > 0).then(|| found.f_bavail.saturating_mul(found.f_frsize))
}

/// What there is too little of.
fn lack(found: &StatVfs) -> Option<String> {
    match room(found) {
        Some(room) if room < FLOOR => {
            return Some(format!("has {} KiB left, and {} MiB are little enough", room >> 10, FLOOR >> 20));
        }
        _ => {}
    }
    (found.f_files > 0 && found.f_favail == 0).then(|| "takes no more files (no inodes are left)".to_owned())
}

/// A log that cannot be written is silent about that.
fn log_place(path: &Path) -> Option<Finding> {
    let (user, folder) = (whom::user(), folder(path));
    let says = if path.is_dir() {
        format!("log.file is {}, which is a folder", path.display())
    } else if path.symlink_metadata().is_ok() {
        if whom::may(path, Access::WRITE_OK) {
            return None;
        }
        format!("{user} may not write {} (log.file)", path.display())
    } else if !folder.is_dir() {
        format!("there is no folder {} for log.file, or {user} may not pass to it", init::quoted(&folder))
    } else if !whom::may_make_files(&folder) {
        format!("{user} may not make files in {} (log.file)", init::quoted(&folder))
    } else {
        return None;
    };
    Some(Finding::bad(
        "log",
        Exit::Config,
        says,
        format!("make the folder, let {user} write there, or name another place"),
    ))
}

fn spool_place(spool: &Path) -> Option<Finding> {
    if whom::may_make_files(spool) {
        return None;
    }
    let (user, shown) = (whom::user(), init::quoted(spool));
    let says = format!("{user} may not make files in {shown}, where `otab deliver` keeps a mail (TMPDIR)");
    Some(Finding::bad(
        "disk",
        Exit::Unavailable,
        says,
        format!("make the folder, let {user} write there, or set TMPDIR"),
    ))
}
