//! The floor: a bare program, linked as otab is, that does nothing but one durable transaction. The benchmark calls
//! itself for it: `floor DATABASE`, with the statements on standard input.

use std::io::Read;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

/// Opens, writes, closes.
pub fn run(mut words: impl Iterator<Item = String>) -> Result<()> {
    let path = words.next().context("floor: which database?")?;
    let mut script = String::new();
    std::io::stdin().read_to_string(&mut script)?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    connection.execute_batch(&script)?;
    connection.close().map_err(|(_, error)| error.into())
}
