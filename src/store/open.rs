//! Opening a store: what is there has to be of this otab's version, and a file that is not there is made where it may.

use std::path::Path;
use std::time::Duration;

use super::versions;
use crate::db::{Access, Database, Databases, Error, Kind, Statements, Url, sqlite};
use crate::draft::{Folder, Identity, Owner};

/// The databases of one run, each opened by [`open`].
#[must_use]
pub fn databases(access: Access, busy: Duration) -> Databases {
    Databases::new(open, access, busy)
}

/// Opens a database: a store, or one of somebody else's on a server, which is taken as it is.
pub fn open(url: &Url, access: Access, busy: Duration) -> Result<Database, Error> {
    match (checked(Database::open(url, access, busy), url), url) {
        (Err(error), Url::Sqlite(path)) if error.kind() == Kind::Missing => match access {
            Access::ReadWrite { create: true } => {
                match create(path, 0o600) {
                    // Somebody else was first: theirs is as good.
                    Err(error) if error.kind() != Kind::Exists => Err(error),
                    _ => checked(Database::open(url, access, busy), url),
                }
            }
            Access::Trial => Database::stand_in(path, &versions::whole()),
            Access::ReadWrite { create: false } | Access::ReadOnly => Err(error),
        },
        (opened, _) => opened,
    }
}

/// Opens a database in order to read or write whole tables ([`Database::open_for_hours`]).
pub fn open_for_hours(url: &Url, access: Access, busy: Duration) -> Result<Database, Error> {
    checked(Database::open_for_hours(url, access, busy), url)
}

/// Whether a connection that was left alone for a while still answers, and a store is still what it was.
pub fn is_good(database: &mut Database, url: &Url) -> bool {
    if url.is_store() { versions::check(database, url).is_ok() } else { database.row("SELECT 1", &[]).is_ok() }
}

fn checked(opened: Result<Database, Error>, url: &Url) -> Result<Database, Error> {
    let mut database = opened?;
    if url.is_store() {
        versions::check(&mut database, url)?;
    }
    Ok(database)
}

/// Makes a store in a file, with all its tables ([`sqlite::create`]).
pub fn create(path: &Path, mode: u32) -> Result<(), Error> {
    sqlite::create(path, mode, &versions::whole())
}

/// The same in its folder, for an owner.
pub fn create_in(folder: &Folder, path: &Path, mode: u32, owner: Owner) -> Result<Identity, Error> {
    sqlite::create_in(folder, path, mode, owner, &versions::whole())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Statements, Value};

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn a_missing_file_is_made_only_when_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::Sqlite(folder.path().join("otab.db"));
        let mut strict = databases(Access::ReadWrite { create: false }, LONG);
        assert_eq!(strict.get(&url).unwrap_err().kind(), Kind::Missing);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut maker = databases(Access::ReadWrite { create: true }, LONG);
        maker.get(&url).unwrap();
        strict.get(&url).unwrap();
    }

    #[test]
    fn a_connection_for_reading_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::Sqlite(folder.path().join("otab.db"));
        let mut dbs = databases(Access::ReadWrite { create: true }, LONG);
        assert_eq!(dbs.reading(&url).unwrap_err().kind(), Kind::Missing);
        let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at) VALUES ('1', 'open', 0, 0)";
        assert_eq!(dbs.get(&url).unwrap().execute(sql, &[]).unwrap(), 1);
        assert_eq!(dbs.reading(&url).unwrap().execute(sql, &[]).unwrap_err().kind(), Kind::ReadOnly);
        dbs.close().unwrap();
    }

    #[test]
    fn twenty_first_runs_at_once_make_one_database() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::Sqlite(folder.path().join("otab.db"));
        std::thread::scope(|scope| {
            for number in 0..20 {
                let url = &url;
                scope.spawn(move || {
                    let mut dbs = databases(Access::ReadWrite { create: true }, LONG);
                    let values = [number.to_string().into(), Value::Int(0)];
                    dbs.get(url)
                        .unwrap()
                        .execute(
                            "INSERT INTO ticket (tn, state_type, changed_at, created_at)
                             VALUES (?, 'open', ?, 0)",
                            &values,
                        )
                        .unwrap();
                    dbs.close().unwrap();
                });
            }
        });
        let mut dbs = databases(Access::ReadOnly, LONG);
        let row = dbs.get(&url).unwrap().row("SELECT COUNT(*) FROM ticket", &[]);
        assert_eq!(row.unwrap().unwrap().int(0).unwrap(), 20);
        dbs.close().unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_log_that_mails_leave_stays_small_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        let url = Url::Sqlite(path.clone());
        let log = folder.path().join("otab.db-wal");
        let mut left = 0;
        for number in 0..300 {
            let mut dbs = databases(Access::ReadWrite { create: true }, LONG).leaving_logs();
            let values = [number.to_string().into(), Value::Int(0)];
            let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at)
                       VALUES (?, 'open', ?, 0)";
            dbs.get(&url).unwrap().execute(sql, &values).unwrap();
            dbs.close().unwrap();
            let size = std::fs::metadata(&log).map_or(0, |log| log.len());
            assert!(size <= 256 << 10, "{size} bytes after {number}");
            left += usize::from(size > 0);
        }
        assert!(left > 200, "{left}");
        let mut readers = databases(Access::ReadOnly, LONG);
        let row = readers.get(&url).unwrap().row("SELECT COUNT(*) FROM ticket", &[]);
        assert_eq!(row.unwrap().unwrap().int(0).unwrap(), 300);
        let before = std::fs::read(&path).unwrap();
        readers.close().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before, "a reader changes nothing");
        let mut people = databases(Access::ReadWrite { create: false }, LONG);
        people.get(&url).unwrap();
        people.close().unwrap();
        assert!(!log.exists());
    }

    #[test]
    fn the_log_stays_small_over_300_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        let url = Url::Sqlite(path.clone());
        for number in 0..300 {
            let mut dbs = databases(Access::ReadWrite { create: true }, LONG);
            let values = [number.to_string().into(), Value::Int(0)];
            let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at)
                       VALUES (?, 'open', ?, 0)";
            dbs.get(&url).unwrap().execute(sql, &values).unwrap();
            if number % 2 == 0 {
                dbs.close().unwrap();
            }
        }
        assert!(!folder.path().join("otab.db-wal").exists());
        assert!(!folder.path().join("otab.db-shm").exists());
        assert!(std::fs::metadata(path).unwrap().len() < 1 << 20);
    }
}
