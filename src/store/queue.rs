//! The outbox as its sender sees it: who may work at it, which order is next, and what becomes of it.
//!
//! An order is taken by moving its next try into the future, in one transaction. Of two senders one gets it; if
//! that one dies, the next sender after that time does. A crash between the mail server's yes and [`sent`], and a
//! yes that never comes, make a second copy of the same mail possible, with the same Message-ID. Nothing else does.

use jiff::{SignedDuration, Timestamp};

use super::outbox;
use super::table::Table;
use crate::db::{Error, Statements, Tx};
use crate::link::caps::{Caps, Room, domain, mailbox};
use crate::link::order::Kept;
use crate::token;

/// What the caps count over.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Longest time for which anybody holds the work. One who holds it for longer has read a clock that was wrong.
const LONGEST: SignedDuration = SignedDuration::from_mins(30);

/// Nothing puts an order off for longer than an hour. What waits for longer than this was put off by a wrong clock.
const FARTHEST: SignedDuration = SignedDuration::from_hours(2);

/// The task in the table of workers.
const TASK: &str = "outbox";

/// Whom mails went to within the last hour, for the caps.
pub(super) const SENT: Table = Table { name: "sent", columns: &["recipient", "domain", "sent_at"] };

/// A new row of the table of workers.
pub(super) const WORKER_ROW: &str = "INSERT INTO worker (task, holder, until) VALUES (?, ?, ?)";

/// Becomes, or stays, the one who works at the outbox, until `until`. `false`: somebody else does.
pub fn hold(tx: &mut Tx<'_>, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE worker SET holder = ?, until = ? WHERE task = ? AND (holder = ? OR until <= ? OR until > ?)";
    let values = [holder.into(), until.into(), TASK.into(), holder.into(), now.into(), (now + LONGEST).into()];
    if tx.execute(sql, &values)? == 1 {
        return Ok(true);
    }
    if tx.row("SELECT 1 FROM worker WHERE task = ?", &[TASK.into()])?.is_some() {
        return Ok(false);
    }
    tx.execute(WORKER_ROW, &[TASK.into(), holder.into(), until.into()])?;
    Ok(true)
}

/// Lets others work.
pub fn release(tx: &mut Tx<'_>, holder: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM worker WHERE task = ? AND holder = ?", &[TASK.into(), holder.into()])?;
    Ok(())
}

/// Takes the next order that is due. Nobody else gets it before `until`.
pub fn take(tx: &mut Tx<'_>, now: Timestamp, until: Timestamp) -> Result<Option<Kept>, Error> {
    let sql = format!("{} WHERE due_at <= ? OR due_at > ? ORDER BY due_at, id LIMIT 1", outbox::TABLE.select());
    let Some(row) = tx.row(&sql, &[now.into(), (now + FARTHEST).into()])? else {
        return Ok(None);
    };
    let mut order = outbox::kept(&row)?;
    let sql = "UPDATE outbox SET due_at = ?, tries = tries + 1 WHERE id = ?";
    tx.execute(sql, &[until.into(), order.id.into()])?;
    order.due_at = until;
    order.tries += 1;
    Ok(Some(order))
}

/// Who works at the outbox now.
pub fn holder(db: &mut impl Statements, now: Timestamp) -> Result<Option<String>, Error> {
    let sql = "SELECT holder FROM worker WHERE task = ? AND until > ? AND until <= ?";
    let row = db.row(sql, &[TASK.into(), now.into(), (now + LONGEST).into()])?;
    row.map(|row| row.text(0).map(Into::into)).transpose()
}

/// Whether an order is due, and nobody has it now.
pub fn is_due(db: &mut impl Statements, now: Timestamp) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM outbox WHERE due_at <= ? OR due_at > ? LIMIT 1";
    Ok(db.row(sql, &[now.into(), (now + FARTHEST).into()])?.is_some())
}

/// What the caps say about one more mail to this address.
pub fn room(tx: &mut Tx<'_>, recipient: &str, caps: &Caps, now: Timestamp) -> Result<Room, Error> {
    let since = now - HOUR;
    // The mail that has to be an hour old before there is room for another one; none: there is room.
    let mut full = |condition: &str, value: &str, cap: u32| -> Result<Option<Timestamp>, Error> {
        if cap == 0 {
            return Ok(None);
        }
        let sql = format!(
            "SELECT sent_at FROM sent WHERE sent_at > ? AND sent_at <= ? AND {condition} = ? \
             ORDER BY sent_at DESC LIMIT 1 OFFSET ?"
        );
        let row = tx.row(&sql, &[since.into(), (now + token::AHEAD).into(), value.into(), (cap - 1).into()])?;
        row.map(|row| row.time(0)).transpose()
    };
    let recipient = mailbox(recipient);
    if let Some(oldest) = full("recipient", &recipient, caps.per_address)? {
        return Ok(Room::AddressFull { due: oldest + HOUR });
    }
    let domain = domain(&recipient);
    let of_domain = full("domain", domain, caps.per_domain)?;
    let all = full("''", "", caps.in_all)?;
    let domain = (of_domain > all).then(|| domain.to_owned());
    Ok(of_domain.max(all).map_or(Room::Free, |oldest| Room::Later { due: oldest + HOUR, domain }))
}

/// A mail server has the mail: the order goes, and its secret with it.
pub fn sent(tx: &mut Tx<'_>, order: &Kept, now: Timestamp) -> Result<(), Error> {
    give_up(tx, order)?;
    let recipient = mailbox(&order.recipient);
    tx.execute(&SENT.insert(), &[(&recipient).into(), domain(&recipient).into(), now.into()])?;
    forget(tx, now)
}

/// Forgets whom mails went to more than an hour ago. (One that went out later than now was noted by a clock
/// that was wrong.)
pub fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Error> {
    let sql = "DELETE FROM sent WHERE sent_at <= ? OR sent_at > ?";
    tx.execute(sql, &[(now - HOUR).into(), (now + HOUR).into()])?;
    Ok(())
}

/// The order is to be tried again at `due`.
pub fn postpone(tx: &mut Tx<'_>, id: i64, due: Timestamp, why: &str) -> Result<(), Error> {
    let sql = "UPDATE outbox SET due_at = ?, last_error = ? WHERE id = ?";
    tx.execute(sql, &[due.into(), why.into(), id.into()])?;
    Ok(())
}

/// The same, where the mail went out whole and no answer came.
pub fn postpone_unanswered(tx: &mut Tx<'_>, id: i64, due: Timestamp, why: &str) -> Result<(), Error> {
    tx.execute("UPDATE outbox SET unanswered = unanswered + 1 WHERE id = ?", &[id.into()])?;
    postpone(tx, id, due, why)
}

/// The order is not to be tried any more. Its place may hold a newer one of its customer by now, where it was taken for
/// longer than its lease: that one stays.
pub fn give_up(tx: &mut Tx<'_>, order: &Kept) -> Result<(), Error> {
    let sql = "DELETE FROM outbox WHERE id = ? AND COALESCE(token_id, 0) = ?";
    tx.execute(sql, &[order.id.into(), order.token_id.unwrap_or_default().into()])?;
    Ok(())
}

/// The same, for a mail that nobody has got: its token goes with it. As long as it were active, every older link
/// of the customer's would send him to a mail that never came.
pub fn give_up_unsent(tx: &mut Tx<'_>, order: &Kept, now: Timestamp) -> Result<(), Error> {
    outbox::revoke(tx, order.token_id, order.unanswered, now)?;
    give_up(tx, order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Database;
    use crate::link::order::{Occasion, Order};
    use crate::store::bench::{Store, at};
    use crate::token::Secret;

    const CAPS: Caps = Caps { per_address: 2, per_domain: 3, in_all: 4 };

    fn order(db: &mut Database, recipient: &str, second: i64) -> i64 {
        let order = Order {
            token_id: None,
            secret: Some(Secret::parse("the-secret-itself").unwrap()),
            recipient: recipient.to_owned(),
            customer: "carol".to_owned(),
            backend: "A".to_owned(),
            occasion: Occasion::New,
            language: None,
            message_id: None,
            ticket_number: None,
        };
        let write = |tx: &mut Tx<'_>| outbox::order(tx, &order, at(second), at(second));
        db.write(write).unwrap()
    }

    #[test]
    fn an_order_is_taken_once_or_again_after_a_death() {
        let mut store = Store::new();
        let db = store.db();
        let id = order(db, "a@x.test", 10);
        assert!(db.write(|tx| take(tx, at(9), at(99))).unwrap().is_none());
        let first = db.write(|tx| take(tx, at(10), at(99))).unwrap().unwrap();
        assert_eq!((first.id, first.tries), (id, 1));
        assert!(db.write(|tx| take(tx, at(98), at(199))).unwrap().is_none());
        assert_eq!(db.write(|tx| take(tx, at(99), at(199))).unwrap().unwrap().tries, 2);
        db.write(|tx| postpone(tx, id, at(300), "busy")).unwrap();
        assert!(!is_due(db, at(299)).unwrap() && is_due(db, at(300)).unwrap());
        let last = db.write(|tx| take(tx, at(300), at(400))).unwrap().unwrap();
        db.write(|tx| sent(tx, &last, at(301))).unwrap();
        assert!(!is_due(db, at(i64::from(u32::MAX))).unwrap());
    }

    #[test]
    fn a_newer_order_in_the_same_place_stays() {
        let mut store = Store::new();
        let db = store.db();
        order(db, "a@x.test", 10);
        let first = db.write(|tx| take(tx, at(10), at(99))).unwrap().unwrap();
        let sql = "INSERT INTO token (id, hash, state, customer, email, backend, created_at, changed_at) \
                   VALUES (7, 'h', 'active', 'c', 'e', 'b', 0, 0)";
        db.execute(sql, &[]).unwrap();
        db.execute("UPDATE outbox SET token_id = 7", &[]).unwrap();
        db.write(|tx| sent(tx, &first, at(100))).unwrap();
        assert_eq!(db.write(|tx| take(tx, at(100), at(199))).unwrap().unwrap().token_id, Some(7));
    }

    #[test]
    fn one_works_at_a_time_until_done_or_out_of_time() {
        let mut store = Store::new();
        let db = store.db();
        let mut hold = |who: &str, now, until| db.write(|tx| super::hold(tx, who, at(now), at(until))).unwrap();
        assert!(hold("a", 0, 10));
        assert!(!hold("b", 9, 20));
        assert!(hold("a", 9, 30));
        assert!(!hold("b", 29, 40));
        assert!(hold("b", 30, 40));
        assert!(!hold("a", 31, 50));
        db.write(|tx| release(tx, "a")).unwrap();
        assert!(!db.write(|tx| super::hold(tx, "a", at(32), at(50))).unwrap());
        db.write(|tx| release(tx, "b")).unwrap();
        assert!(db.write(|tx| super::hold(tx, "a", at(32), at(50))).unwrap());
    }

    #[test]
    fn the_caps_count_an_hour_back() {
        let mut store = Store::new();
        let db = store.db();
        let send = |db: &mut Database, recipient: &str, second| {
            order(db, recipient, second);
            let taken = db.write(|tx| take(tx, at(second), at(second + 1))).unwrap().unwrap();
            db.write(|tx| sent(tx, &taken, at(second))).unwrap();
        };
        let room = |db: &mut Database, recipient: &str, now| {
            db.write(|tx| super::room(tx, recipient, &CAPS, at(now))).unwrap()
        };
        send(db, "A@x.test", 100);
        assert_eq!(room(db, "a@X.test", 100), Room::Free);
        send(db, "a@x.test", 200);
        assert_eq!(room(db, "a@x.test", 200), Room::AddressFull { due: at(100 + 3600) });
        assert_eq!(room(db, "b@x.test", 200), Room::Free);
        send(db, "b@x.test", 300);
        let later = |domain: Option<&str>| Room::Later { due: at(100 + 3600), domain: domain.map(str::to_owned) };
        assert_eq!(room(db, "c@x.test", 300), later(Some("x.test")));
        send(db, "c@y.test", 400);
        assert_eq!(room(db, "d@z.test", 400), later(None));
        assert_eq!(room(db, "d@z.test", 3700), Room::Free);
        assert_eq!(room(db, "a@x.test", 3700), Room::Free);
    }
}
