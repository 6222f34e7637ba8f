//! What `otab check` asks of a store: whether its file is whole, and which rights otab needs there.

use crate::db::survey::{Kind as Fits, Need};
use crate::db::{Database, Dialect, Error, Kind, Row, Statements};

/// How many things that are wrong are brought.
const EXAMPLES: usize = 3;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Soundness {
    /// Nothing is wrong; or it is a server's own matter.
    Sound,
    /// The file is too large to be read within the time limit: nobody knows.
    Unknown,
    /// It is damaged: the first few things that are wrong.
    Damaged(Vec<String>),
}

/// Looks at every page, row and reference of a file, and at every entry of its indexes if that takes no longer than one
/// question may.
pub fn soundness(db: &mut Database) -> Result<Soundness, Error> {
    if db.dialect() != Dialect::Sqlite {
        return Ok(Soundness::Sound);
    }
    let checks = [
        format!("PRAGMA quick_check({EXAMPLES})"),
        "PRAGMA foreign_key_check".to_owned(),
        // The first once more, and the indexes: by far the longest.
        format!("PRAGMA integrity_check({EXAMPLES})"),
    ];
    for (number, sql) in checks.iter().enumerate() {
        match db.rows_in_time(sql, &[]) {
            Ok(rows) => {
                let found: Vec<String> = rows.iter().filter_map(fault).take(EXAMPLES).collect();
                if !found.is_empty() {
                    return Ok(Soundness::Damaged(found));
                }
            }
            Err(error) if error.kind() == Kind::Busy => {
                return Ok(if number == 0 { Soundness::Unknown } else { Soundness::Sound });
            }
            Err(error) if matches!(error.kind(), Kind::Damaged | Kind::Foreign) => {
                return Ok(Soundness::Damaged(vec![error.to_string()]));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Soundness::Sound)
}

/// What a row says is wrong: a text, or a table, a row's number there, and the table that lacks what it refers to.
fn fault(row: &Row) -> Option<String> {
    if row.values().len() > 1 {
        return Some(format!("row {} of {} refers to nothing in {}", row.lossy(1), row.lossy(0), row.lossy(2)));
    }
    let text = row.lossy(0);
    (text != "ok").then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// otab's own tables, each by a column that otab writes: their version says that all others are there. What is left to
/// see is whether they may be written.
#[must_use]
pub fn needs() -> Vec<Need> {
    let tables = [
        ("token", "hash", true),
        ("outbox", "recipient", true),
        ("ticket", "tn", true),
        ("session", "hash", true),
        ("worker", "task", true),
        ("newcomer", "customer", false),
        ("sent", "sent_at", false),
        ("link_mail", "message_id", false),
    ];
    let need = |(table, column, is_changed): (&str, &str, bool)| Need {
        table: table.to_owned(),
        read: vec![column.to_owned()],
        written: vec![(column.to_owned(), Fits::Other)],
        changed: if is_changed { vec![column.to_owned()] } else { Vec::new() },
        deletes: true,
        ..Need::default()
    };
    tables.into_iter().map(need).collect()
}
