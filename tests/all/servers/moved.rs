//! Carries customers between a site's SQLite file and a server, so that fixtures which are written for the
//! one run unchanged on the other.

use std::path::Path;
use std::time::Duration;

use otab::db::{Database, Statements, Value};
use otab::store::{TABLES, Table};

use super::{WRITE, url};

/// The customers of `source` are those of the SQLite file from now on, which has none any more.
pub fn to_server(file: &Path, source: &str) {
    carry(&mut open(&sqlite(file)), &mut open(source), true);
}

/// The customers of `source` stand in the SQLite file as well.
pub fn to_file(source: &str, file: &Path) {
    carry(&mut open(source), &mut open(&sqlite(file)), false);
}

fn sqlite(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

fn open(text: &str) -> Database {
    otab::store::open(&url(text), WRITE, Duration::from_mins(1)).unwrap()
}

fn carry(from: &mut Database, to: &mut Database, takes_away: bool) {
    // The first two; what numbers the rows have is each database's own matter.
    for Table { name: table, columns } in &TABLES[..2] {
        let columns = columns.strip_prefix(&["id"]).unwrap_or(columns);
        let list = columns.join(", ");
        let marks = vec!["?"; columns.len()].join(", ");
        let order = columns[0];
        to.execute(&format!("DELETE FROM {table}"), &[]).unwrap();
        for row in from.rows(&format!("SELECT {list} FROM {table} ORDER BY {order}"), &[]).unwrap() {
            let values: Vec<Value> =
                (0..columns.len()).map(|column| row.opt_text(column).unwrap().as_deref().into()).collect();
            to.execute(&format!("INSERT INTO {table} ({list}) VALUES ({marks})"), &values).unwrap();
        }
        if takes_away {
            from.execute(&format!("DELETE FROM {table}"), &[]).unwrap();
        }
    }
}
