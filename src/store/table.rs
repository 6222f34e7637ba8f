//! Each table's columns, said once; statements that name all of them are made of that.

use jiff::Timestamp;

use crate::db::{Error, Statements, Value};

/// A table of otab's, as all three kinds of databases have it.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// All its columns, in the order in which rows are read and written. An `id` comes first, where numbers are given
    /// out.
    pub columns: &'static [&'static str],
}

impl Table {
    pub(super) fn has_id(&self) -> bool {
        self.columns.first() == Some(&"id")
    }

    /// Asks for all columns, in their order.
    pub(super) fn select(&self) -> String {
        self.select_from("")
    }

    /// The same of the table whose name begins so.
    pub(super) fn select_from(&self, prefix: &str) -> String {
        format!("SELECT {} FROM {prefix}{}", self.columns.join(", "), self.name)
    }

    /// When the newest row was made, of those until then, and how many rows there are.
    pub(super) fn newest(&self, db: &mut impl Statements, until: Timestamp) -> Result<(Option<Timestamp>, i64), Error> {
        let sql = format!("SELECT MAX(CASE WHEN created_at <= ? THEN created_at END), COUNT(*) FROM {}", self.name);
        let row = db.row(&sql, &[until.into()])?;
        row.map_or(Ok((None, 0)), |row| Ok((row.opt_time(0)?, row.int(1)?)))
    }

    /// Deletes the rows for which a condition holds; how many. A dry run counts them.
    pub(super) fn delete(
        &self,
        db: &mut impl Statements,
        condition: &str,
        values: &[Value],
        dry_run: bool,
    ) -> Result<u64, Error> {
        if !dry_run {
            return db.execute(&format!("DELETE FROM {} WHERE {condition}", self.name), values);
        }
        let row = db.row(&format!("SELECT COUNT(*) FROM {} WHERE {condition}", self.name), values)?;
        Ok(u64::try_from(row.map_or(Ok(0), |row| row.int(0))?).unwrap_or_default())
    }

    /// Writes a new row, all columns but the `id`, which the database gives.
    pub(super) fn insert(&self) -> String {
        self.insert_rows("", 1)
    }

    /// The same for so many rows, into the table whose name begins so.
    pub(super) fn insert_rows(&self, prefix: &str, rows: usize) -> String {
        self.write(prefix, &self.columns[usize::from(self.has_id())..], rows)
    }

    /// Writes so many rows as they are, with the `id` that they have.
    pub(super) fn insert_whole(&self, rows: usize) -> String {
        self.write("", self.columns, rows)
    }

    fn write(&self, prefix: &str, columns: &[&str], rows: usize) -> String {
        let all = vec![format!("({})", places(columns.len())); rows].join(", ");
        format!("INSERT INTO {prefix}{} ({}) VALUES {all}", self.name, columns.join(", "))
    }
}

/// So many places for values.
pub(super) fn places(values: usize) -> String {
    vec!["?"; values].join(", ")
}
