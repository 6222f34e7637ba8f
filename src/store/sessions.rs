//! The table of the portal's sessions.

use jiff::{SignedDuration, Timestamp};

use super::table::Table;
use crate::db::{Error, Row, Statements, Tx};
use crate::session::{Ends, Holder, Session};
use crate::token::{self, Secret};

/// The table.
pub(super) const TABLE: Table = Table {
    name: "session",
    columns: &["hash", "backend", "customer", "email", "ticket_number", "created_at", "seen_at"],
};

/// When the newest session began, of those until then, and how many sessions there are.
pub fn newest(db: &mut impl Statements, until: Timestamp) -> Result<(Option<Timestamp>, i64), Error> {
    TABLE.newest(db, until)
}

/// Begins a session. One that the same browser had before is the caller's to end.
pub fn start(tx: &mut Tx<'_>, secret: &Secret, holder: &Holder, now: Timestamp) -> Result<(), Error> {
    let values = [
        secret.hash().into(),
        (&holder.backend).into(),
        (&holder.customer).into(),
        (&holder.email).into(),
        holder.ticket_number.as_ref().into(),
        now.into(),
        now.into(),
    ];
    tx.execute(&TABLE.insert(), &values).map(drop)
}

/// The session with this secret, over or not.
pub fn find(db: &mut impl Statements, secret: &Secret) -> Result<Option<Session>, Error> {
    let row = db.row(&format!("{} WHERE hash = ?", TABLE.select()), &[secret.hash().into()])?;
    row.as_ref().map(session).transpose()
}

fn session(row: &Row) -> Result<Session, Error> {
    Ok(Session {
        holder: Holder {
            backend: row.text(1)?.into_owned(),
            customer: row.text(2)?.into_owned(),
            email: row.text(3)?.into_owned(),
            ticket_number: row.opt_text(4)?.map(Into::into),
        },
        created_at: row.time(5)?,
        seen_at: row.time(6)?,
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
    let (condition, values) = match ticket {
        None => ("customer = ?", vec![customer.into()]),
        Some(None) => ("customer = ? AND ticket_number IS NULL", vec![customer.into()]),
        Some(Some(number)) => ("customer = ? AND ticket_number = ?", vec![customer.into(), number.into()]),
    };
    TABLE.delete(db, condition, &values, false)
}

/// Deletes sessions that are over; how many. A dry run counts them.
pub fn purge(db: &mut impl Statements, ends: &Ends, now: Timestamp, dry_run: bool) -> Result<u64, Error> {
    let until = |length: SignedDuration| (now.as_second().saturating_sub(length.as_secs())).into();
    let ahead = (now.as_second().saturating_add(token::AHEAD.as_secs())).into();
    let values = [until(ends.length), until(ends.idle), ahead];
    TABLE.delete(db, "created_at <= ? OR seen_at <= ? OR created_at > ?", &values, dry_run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bench::{Store, at};

    const ENDS: Ends = Ends { idle: SignedDuration::from_mins(30), length: SignedDuration::from_hours(8) };

    fn carol() -> Holder {
        Holder {
            backend: "A".to_owned(),
            customer: "carol".to_owned(),
            email: "carol@corp.test".to_owned(),
            ticket_number: Some("1".to_owned()),
        }
    }

    #[test]
    fn a_session_is_found_by_its_secret_until_its_end() {
        let mut store = Store::new();
        let db = store.db();
        let (secret, other) = (Secret::generate(), Secret::generate());
        db.write(|tx| start(tx, &secret, &carol(), at(0))).unwrap();
        let found = find(db, &secret).unwrap().unwrap();
        assert_eq!((found.holder, found.seen_at), (carol(), at(0)));
        assert_eq!(find(db, &other).unwrap(), None);
        seen(db, &secret, at(90)).unwrap();
        seen(db, &secret, at(60)).unwrap();
        assert_eq!(find(db, &secret).unwrap().unwrap().seen_at, at(90));
        let stored = db.row("SELECT hash FROM session", &[]).unwrap().unwrap();
        assert_eq!(stored.text(0).unwrap(), secret.hash());
        assert!(!end(db, &other).unwrap() && end(db, &secret).unwrap());
        assert_eq!(find(db, &secret).unwrap(), None);
    }

    #[test]
    fn purge_deletes_what_is_over_and_ending_is_by_person() {
        let mut store = Store::new();
        let db = store.db();
        let dave = Holder { customer: "dave".to_owned(), ..carol() };
        for (holder, second) in [(carol(), 0), (carol(), 1000), (dave.clone(), 1000)] {
            db.write(|tx| start(tx, &Secret::generate(), &holder, at(second))).unwrap();
        }
        // And one that a clock began that was ahead.
        db.write(|tx| start(tx, &Secret::generate(), &dave, at(2101))).unwrap();
        assert_eq!(purge(db, &ENDS, at(1800), true).unwrap(), 2);
        assert_eq!(purge(db, &ENDS, at(1800), false).unwrap(), 2);
        assert_eq!(purge(db, &ENDS, at(1800), false).unwrap(), 0);
        assert_eq!(end_all_of(db, "carol", Some(Some("2"))).unwrap(), 0);
        assert_eq!(end_all_of(db, "carol", Some(None)).unwrap(), 0);
        assert_eq!(end_all_of(db, "carol", Some(Some("1"))).unwrap(), 1);
        assert_eq!(end_all_of(db, "carol", None).unwrap(), 0);
        assert_eq!(db.row("SELECT customer FROM session", &[]).unwrap().unwrap().text(0).unwrap(), "dave");
    }
}
