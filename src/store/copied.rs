//! Many rows in one statement, and a sum over rows by which two tables are compared.
//!
//! A row that is refused is named by its table and its id. Never shows a value: one may be a secret.

use sha2::{Digest as _, Sha256};

use super::table::Table;
use crate::db::{Dialect, Error, Kind, Row, Statements, Tx, Value};

/// The longest value that a column of otab's on MariaDB holds, in bytes (BLOB).
const LONGEST: usize = 65535;

/// The rows of a table: how many, and the sum of each one's SHA-256, modulo 2^256. The order in which a database
/// reads them, by whatever collation, does not matter, and a row that stands twice counts twice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Digest {
    rows: u64,
    sum: [u64; 4],
}

impl Digest {
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// A number counts as its decimal text, and a text as its bytes: no two databases agree on more.
    pub(super) fn add(&mut self, values: &[Value]) {
        let mut hash = Sha256::new();
        for value in values {
            let number;
            let bytes = match value {
                Value::Null => {
                    hash.update([0]);
                    continue;
                }
                Value::Int(int) => {
                    number = int.to_string();
                    number.as_bytes()
                }
                Value::Text(text) => text.as_bytes(),
                Value::Bytes(bytes) => bytes,
            };
            hash.update([1]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        self.rows += 1;
        let mut carry = false;
        for (sum, word) in self.sum.iter_mut().zip(hash.finalize().chunks_exact(8)) {
            let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
            let (once, over) = sum.overflowing_add(word);
            let (twice, again) = once.overflowing_add(u64::from(carry));
            (*sum, carry) = (twice, over || again);
        }
    }
}

/// Writes rows, of which `before` others have been read already. One that is refused is looked for, and named.
pub(super) fn insert(tx: &mut Tx<'_>, table: &Table, rows: &[Row], before: u64, place: &str) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let dialect = tx.dialect();
    let mut fitting = Vec::with_capacity(rows.len());
    for (row, number) in rows.iter().zip(before + 1..) {
        let values = row.values().iter().map(|value| fit(dialect, value)).collect::<Result<Vec<_>, _>>();
        fitting.push(values.map_err(|what| Error::new(Kind::Constraint, place, named(table, row, number, what)))?);
    }
    let refused = match guarded(tx, table, &fitting) {
        Err(error) if error.kind() == Kind::Constraint => error,
        other => return other,
    };
    for ((row, values), number) in rows.iter().zip(&fitting).zip(before + 1..) {
        if let Err(error) = guarded(tx, table, std::slice::from_ref(values)) {
            return Err(error.told_of(&named(table, row, number, "cannot be stored")));
        }
    }
    Err(refused)
}

/// On PostgreSQL nothing can be asked any more once a statement of the transaction has failed.
fn guarded(tx: &mut Tx<'_>, table: &Table, rows: &[Vec<Value>]) -> Result<(), Error> {
    if tx.dialect() != Dialect::PostgreSql {
        return write(tx, table, rows);
    }
    tx.execute("SAVEPOINT rows", &[])?;
    write(tx, table, rows).inspect_err(|_| drop(tx.execute("ROLLBACK TO SAVEPOINT rows", &[])))?;
    tx.execute("RELEASE SAVEPOINT rows", &[]).map(drop)
}

fn write(tx: &mut Tx<'_>, table: &Table, rows: &[Vec<Value>]) -> Result<(), Error> {
    let written = tx.execute(&table.insert_whole(rows.len()), &rows.concat())?;
    if written == rows.len() as u64 {
        return Ok(());
    }
    let what = format!("{written} of {} rows were written to `{}`", rows.len(), table.name);
    Err(Error::new(Kind::Other, "the copy", what))
}

/// A value as the target takes it; or why it cannot.
fn fit(dialect: Dialect, value: &Value) -> Result<Value, &'static str> {
    let length = match value {
        Value::Null | Value::Int(_) => 0,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    };
    match (dialect, value) {
        (Dialect::MariaDb, _) if length > LONGEST => Err("holds a text that is too long there"),
        (Dialect::PostgreSql, Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err("holds bytes that are no UTF-8, which PostgreSQL cannot store in a text"),
        },
        _ => Ok(value.clone()),
    }
}

/// A row for people. What is in it stays there: only numbers that otab gave out are shown.
fn named(table: &Table, row: &Row, number: u64, what: &str) -> String {
    let remedy = "correct or delete it in the old store, then copy again";
    match row.values().first() {
        Some(Value::Int(id)) if table.has_id() => format!("table `{}`, id {id}: {what}; {remedy}", table.name),
        _ => format!("table `{}`, row {number} as it is read: {what}; {remedy}", table.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[&[Value]]) -> Digest {
        let mut digest = Digest::default();
        for row in rows {
            digest.add(row);
        }
        digest
    }

    #[test]
    fn rows_compare_in_any_order_and_by_every_value() {
        let (a, b): (&[Value], &[Value]) = (&["a".into(), 1.into()], &["b".into(), Value::Null]);
        assert_eq!(sum(&[a, b]), sum(&[b, a]));
        assert_ne!(sum(&[a, a]), sum(&[a]));
        assert_ne!(sum(&[a, a]), sum(&[b, b]));
        assert_ne!(sum(&[&["ab".into(), "c".into()]]), sum(&[&["a".into(), "bc".into()]]));
        assert_ne!(sum(&[&["".into()]]), sum(&[&[Value::Null]]));
        assert_eq!(sum(&[&[7.into(), Value::Bytes(b"x".to_vec())]]), sum(&[&["7".into(), "x".into()]]));
    }
}
