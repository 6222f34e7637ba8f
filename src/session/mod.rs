//! Sessions of the door: who has come in by a link, in which browser, until when.
//!
//! A browser has the secret; stored is its SHA-256. Whether the customer is still good is for others to ask,
//! at least once a minute; this room only knows times.

use jiff::{SignedDuration, Timestamp};

use crate::db::{Error, Row, Statements, Tx};
use crate::token::{self, Secret};

/// How often a session's last request is written, at most.
const NOTED: SignedDuration = SignedDuration::from_mins(1);

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Without a request.
    pub idle: SignedDuration,
    /// In any case.
    pub length: SignedDuration,
}

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name of the customer's source.
    pub backend: String,
    /// The customer's login.
    pub customer: String,
    /// His stored address when it began.
    pub email: String,
    /// The ticket of the link that he came by; `None`: the overview.
    pub ticket_number: Option<String>,
}

/// A stored session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub holder: Holder,
    /// When it began.
    pub created_at: Timestamp,
    /// Its last request, to the minute.
    pub seen_at: Timestamp,
}

impl Session {
    /// Whether it has ended at `now` by time alone.
    #[must_use]
    pub fn is_over(&self, ends: &Ends, now: Timestamp) -> bool {
        is_over(self.created_at, self.seen_at, ends, now)
    }

    /// Whether its last request has to be written anew.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        is_past(self.seen_at, NOTED, now)
    }
}

/// Whether `length` has passed since `then`.
#[must_use]
pub fn is_past(then: Timestamp, length: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(then) >= length
}

/// Whether a session that began and was last seen then has ended by time alone. One that did so ahead of now is over,
/// too: a clock was wrong, and the session would live on for as long as that clock said.
#[must_use]
pub fn is_over(created_at: Timestamp, seen_at: Timestamp, ends: &Ends, now: Timestamp) -> bool {
    let is_ahead = token::is_ahead(created_at, now) || token::is_ahead(seen_at, now);
    is_ahead || is_past(created_at, ends.length, now) || is_past(seen_at, ends.idle, now)
}

/// When the newest session began, of those until then, and how many sessions there are.
pub fn newest(db: &mut impl Statements, until: Timestamp) -> Result<(Option<Timestamp>, i64), Error> {
    let newest = db.row("SELECT MAX(created_at) FROM session WHERE created_at <= ?", &[until.into()])?;
    let count = db.row("SELECT COUNT(*) FROM session", &[])?;
    Ok((newest.map_or(Ok(None), |row| row.opt_time(0))?, count.map_or(Ok(0), |row| row.int(0))?))
}

/// Begins a session. One that the same browser had before is the caller's to end.
pub fn start(tx: &mut Tx<'_>, secret: &Secret, holder: &Holder, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO session (hash, backend, customer, email, ticket_number, created_at, seen_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?)";
    let values = [
        secret.hash().into(),
        (&holder.backend).into(),
        (&holder.customer).into(),
        (&holder.email).into(),
        holder.ticket_number.as_ref().into(),
        now.into(),
        now.into(),
    ];
    tx.execute(sql, &values).map(drop)
}

/// The session with this secret, over or not.
pub fn find(db: &mut impl Statements, secret: &Secret) -> Result<Option<Session>, Error> {
    let sql = "SELECT backend, customer, email, ticket_number, created_at, seen_at FROM session WHERE hash = ?";
    let row = db.row(sql, &[secret.hash().into()])?;
    row.as_ref().map(session).transpose()
}

fn session(row: &Row) -> Result<Session, Error> {
    Ok(Session {
        holder: Holder {
            backend: row.text(0)?.into_owned(),
            customer: row.text(1)?.into_owned(),
            email: row.text(2)?.into_owned(),
            ticket_number: row.opt_text(3)?.map(Into::into),
        },
        created_at: row.time(4)?,
        seen_at: row.time(5)?,
    })
}

/// Notes a request.
pub fn seen(db: &mut impl Statements, secret: &Secret, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE session SET seen_at = ? WHERE hash = ? AND seen_at < ?";
    db.execute(sql, &[now.into(), secret.hash().into(), now.into()]).map(drop)
}

/// Ends a session; `false` where there was none.
pub fn end(db: &mut impl Statements, secret: &Secret) -> Result<bool, Error> {
    Ok(db.execute("DELETE FROM session WHERE hash = ?", &[secret.hash().into()])? > 0)
}

/// Ends all sessions of a customer, or those for one ticket of his (`Some(None)`: those for none); how many.
pub fn end_all_of(db: &mut impl Statements, customer: &str, ticket: Option<Option<&str>>) -> Result<u64, Error> {
    match ticket {
        None => db.execute("DELETE FROM session WHERE customer = ?", &[customer.into()]),
        Some(None) => {
            db.execute("DELETE FROM session WHERE customer = ? AND ticket_number IS NULL", &[customer.into()])
        }
        Some(Some(number)) => {
            let sql = "DELETE FROM session WHERE customer = ? AND ticket_number = ?";
            db.execute(sql, &[customer.into(), number.into()])
        }
    }
}

/// Deletes sessions that are over; how many. A dry run counts them.
pub fn purge(db: &mut impl Statements, ends: &Ends, now: Timestamp, dry_run: bool) -> Result<u64, Error> {
    let until = |length: SignedDuration| (now.as_second().saturating_sub(length.as_secs())).into();
    let ahead = (now.as_second().saturating_add(token::AHEAD.as_secs())).into();
    let values = [until(ends.length), until(ends.idle), ahead];
    let over = "created_at <= ? OR seen_at <= ? OR created_at > ?";
    if dry_run {
        let row = db.row(&format!("SELECT COUNT(*) FROM session WHERE {over}"), &values)?;
        let count = row.map_or(Ok(0), |row| row.int(0))?;
        return Ok(u64::try_from(count).unwrap_or_default());
    }
    db.execute(&format!("DELETE FROM session WHERE {over}"), &values)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::db::{Access, Database, Url, sqlite};

    const ENDS: Ends = Ends { idle: SignedDuration::from_mins(30), length: SignedDuration::from_hours(8) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn store(folder: &tempfile::TempDir) -> Database {
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600).unwrap();
        Database::open(&Url::Sqlite(path), Access::ReadWrite { create: false }, Duration::from_mins(1)).unwrap()
    }

    fn carol() -> Holder {
        Holder {
            backend: "A".to_owned(),
            customer: "carol".to_owned(),
            email: "carol@corp.test".to_owned(),
            ticket_number: Some("1".to_owned()),
        }
    }

    #[test]
    fn a_session_ends_by_idleness_or_by_age_to_the_second() {
        let session = |created, seen| Session { holder: carol(), created_at: at(created), seen_at: at(seen) };
        for (created, seen, now, over) in [
            (0, 0, 1799, false),
            (0, 0, 1800, true),
            (0, 28_000, 28_799, false),
            (0, 28_000, 28_800, true),
            (300, 300, 0, false),
            (301, 0, 0, true),
            (0, 301, 0, true),
            (86_400 * 400, 86_400 * 400, 0, true),
        ] {
            assert_eq!(session(created, seen).is_over(&ENDS, at(now)), over, "{created} {seen} {now}");
        }
        assert!(!session(0, 0).is_stale(at(59)) && session(0, 0).is_stale(at(60)));
    }

    #[test]
    fn a_session_is_found_by_its_secret_until_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut db = store(&folder);
        let (secret, other) = (Secret::generate(), Secret::generate());
        db.write(|tx| start(tx, &secret, &carol(), at(0))).unwrap();
        let found = find(&mut db, &secret).unwrap().unwrap();
        assert_eq!((found.holder, found.seen_at), (carol(), at(0)));
        assert_eq!(find(&mut db, &other).unwrap(), None);
        seen(&mut db, &secret, at(90)).unwrap();
        seen(&mut db, &secret, at(60)).unwrap();
        assert_eq!(find(&mut db, &secret).unwrap().unwrap().seen_at, at(90));
        let stored = db.row("SELECT hash FROM session", &[]).unwrap().unwrap();
        assert_eq!(stored.text(0).unwrap(), secret.hash());
        assert!(!end(&mut db, &other).unwrap() && end(&mut db, &secret).unwrap());
        assert_eq!(find(&mut db, &secret).unwrap(), None);
    }

    #[test]
    fn purge_deletes_what_is_over_and_ending_is_by_person() {
        let folder = tempfile::tempdir().unwrap();
        let mut db = store(&folder);
        let dave = Holder { customer: "dave".to_owned(), ..carol() };
        for (holder, second) in [(carol(), 0), (carol(), 1000), (dave.clone(), 1000)] {
            db.write(|tx| start(tx, &Secret::generate(), &holder, at(second))).unwrap();
        }
        // And one that a clock began that was ahead.
        db.write(|tx| start(tx, &Secret::generate(), &dave, at(2101))).unwrap();
        assert_eq!(purge(&mut db, &ENDS, at(1800), true).unwrap(), 2);
        assert_eq!(purge(&mut db, &ENDS, at(1800), false).unwrap(), 2);
        assert_eq!(purge(&mut db, &ENDS, at(1800), false).unwrap(), 0);
        assert_eq!(end_all_of(&mut db, "carol", Some(Some("2"))).unwrap(), 0);
        assert_eq!(end_all_of(&mut db, "carol", Some(None)).unwrap(), 0);
        assert_eq!(end_all_of(&mut db, "carol", Some(Some("1"))).unwrap(), 1);
        assert_eq!(end_all_of(&mut db, "carol", None).unwrap(), 0);
        assert_eq!(db.row("SELECT customer FROM session", &[]).unwrap().unwrap().text(0).unwrap(), "dave");
    }
}
