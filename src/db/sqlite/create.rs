//! Makes a new database file, whole or not at all, however many try at once and wherever power fails.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::failure::{failed, io_kind};
use super::log::log_of;
use super::{APPLICATION_ID, header, schema};
use crate::db::{Error, Kind};
use crate::draft::{Folder, Identity, Owner};

/// Makes the database at `path` with the full schema and these permission bits (0o600, or 0o660 for
/// a group; SQLite gives the files beside it the same).
///
/// The file gets its name only once it is complete and on disk, and never takes the name of another:
/// what is there already is [`Kind::Exists`].
pub fn create(path: &Path, mode: u32) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = Folder::open(folder).map_err(|error| io_error(path, &error))?;
    create_in(&folder, path, mode, Owner::default()).map(drop)
}

/// The same in its folder, which has been opened (and judged, perhaps), for an owner.
pub fn create_in(folder: &Folder, path: &Path, mode: u32, owner: Owner) -> Result<Identity, Error> {
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
    let io = |error: io::Error| io_error(path, &error);
    let name = path.file_name().ok_or_else(|| io(io::ErrorKind::InvalidInput.into()))?;
    let bytes = bytes(path)?;
    let mut draft = folder.draft(mode, owner).map_err(io)?;
    draft.file().write_all(&bytes).map_err(io)?;
    draft.publish(Path::new(name)).map_err(io)
}

/// A log that is not empty. SQLite would take what it holds into any new file of that name.
fn forsaken_log(path: &Path) -> Option<PathBuf> {
    let log = log_of(path);
    log.metadata().is_ok_and(|metadata| metadata.len() > 0).then_some(log)
}

/// The whole schema in an empty database, as its file's bytes. It is made in memory: SQLite opens files by their names,
/// and others may write in the folder.
fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let place = path.display().to_string();
    let sql = |error: rusqlite::Error| failed(&place, &error);
    let mut connection = rusqlite::Connection::open_in_memory().map_err(sql)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
    schema::make(&place, &mut connection)?;
    let mut bytes = connection.serialize("main").map_err(sql)?.to_vec();
    header::with_log(&mut bytes);
    Ok(bytes)
}

fn io_error(path: &Path, error: &io::Error) -> Error {
    Error::at(path, io_kind(error), format!("cannot be made: {error}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_new_file_is_complete_private_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o660] {
            let path = folder.path().join(format!("{mode:o}.db"));
            create(&path, mode).unwrap();
            let metadata = std::fs::metadata(&path).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o7777, mode);
            let made = rusqlite::Connection::open(&path).unwrap();
            for (pragma, value) in [("journal_mode", "wal"), ("integrity_check", "ok")] {
                let found: String = made.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap();
                assert_eq!(found, value);
            }
        }
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
