//! Makes a new database file, whole or not at all, however many try at once and wherever power fails.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::failure::{failed, io_kind};
use super::log::log_of;
use super::{APPLICATION_ID, schema};
use crate::db::{Error, Kind};

/// Makes the database at `path` with the full schema and these permission bits (0o600, or 0o660 for
/// a group; SQLite gives the files beside it the same).
///
/// The file gets its name only once it is complete and on disk, and never takes the name of another:
/// what is there already is [`Kind::Exists`].
pub fn create(path: &Path, mode: u32) -> Result<(), Error> {
    // Before the look at the file: whoever makes it at this moment has it before its log.
    let log = forsaken_log(path);
    // A look first, so that the usual refusal writes nothing. A dangling link is something, too.
    if path.symlink_metadata().is_ok() {
        return Err(Error::at(path, Kind::Exists, "is there already"));
    }
    if let Some(log) = log {
        let log = log.display();
        let what = format!(
            "is gone, but {log} is there, with what was written last: put the file back; or, to start anew, remove \
             {log}, too"
        );
        return Err(Error::at(path, Kind::Other, what));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let io = |error: io::Error| io_error(path, &error);
    let draft = draft(folder, mode).map_err(io)?;
    fill(&draft)?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(io)?;
    // Renames only where the name is free (or links and unlinks, where the system cannot).
    draft.persist_noclobber(path).map_err(|error| io(error.error))?;
    File::open(folder).and_then(|file| file.sync_all()).map_err(io)
}

/// A log that is not empty. SQLite would take what it holds into any new file of that name.
fn forsaken_log(path: &Path) -> Option<PathBuf> {
    let log = log_of(path);
    log.metadata().is_ok_and(|metadata| metadata.len() > 0).then_some(log)
}

/// An empty file beside the final place: only within one folder is giving it its name atomic. Its
/// descriptor is closed before SQLite opens it (see `header` for why that matters).
fn draft(folder: &Path, mode: u32) -> io::Result<TempPath> {
    let file = tempfile::Builder::new().prefix(".otab-").suffix(".new").tempfile_in(folder)?;
    // Set here and not on opening, since the umask of the first mail is chance.
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    Ok(file.into_temp_path())
}

/// The whole schema without a single sync, then the log mode, then closed: the log is folded in and
/// gone, and the one sync of `create` covers everything.
fn fill(draft: &Path) -> Result<(), Error> {
    let place = draft.display().to_string();
    let sql = |error: rusqlite::Error| failed(&place, &error);
    let mut connection = rusqlite::Connection::open(draft).map_err(sql)?;
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = MEMORY;
             PRAGMA synchronous = OFF;
             PRAGMA application_id = {APPLICATION_ID};"
        ))
        .map_err(sql)?;
    schema::run(&place, &mut connection)?;
    connection.execute_batch("PRAGMA journal_mode = WAL").map_err(sql)?;
    connection.close().map_err(|(_, error)| sql(error))
}

fn io_error(path: &Path, error: &io::Error) -> Error {
    Error::at(path, io_kind(error), format!("cannot be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_file_is_complete_private_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o660] {
            let path = folder.path().join(format!("{mode:o}.db"));
            create(&path, mode).unwrap();
            let metadata = std::fs::metadata(&path).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o7777, mode);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        std::fs::write(&path, "mine").unwrap();
        assert_eq!(create(&path, 0o600).unwrap_err().kind(), Kind::Exists);
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert_eq!(create(&link, 0o600).unwrap_err().kind(), Kind::Exists);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn no_new_file_takes_up_the_log_of_one_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        let log = folder.path().join("otab.db-wal");
        std::fs::write(&log, "pages").unwrap();
        let error = create(&path, 0o600).unwrap_err();
        assert!(error.to_string().contains("put the file back"), "{error}");
        assert!(!path.exists());
        assert_eq!(std::fs::read(&log).unwrap(), b"pages");
        std::fs::write(&log, "").unwrap();
        create(&path, 0o600).unwrap();
    }

    #[test]
    fn of_twenty_makers_one_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        let made = std::thread::scope(|scope| {
            let all: Vec<_> = (0..20).map(|_| scope.spawn(|| create(&path, 0o600))).collect();
            let results = all.into_iter().map(|thread| thread.join().unwrap());
            results
                .filter(|result| match result {
                    Ok(()) => true,
                    Err(error) => {
                        assert_eq!(error.kind(), Kind::Exists);
                        false
                    }
                })
                .count()
        });
        assert_eq!(made, 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
