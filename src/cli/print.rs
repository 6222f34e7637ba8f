//! The one way to standard output for people: lines, tables, JSON.
//!
//! A reader that has gone (`otab token list | head -1`) is no failure and never a panic. Text that
//! senders chose is made harmless for terminals; JSON keeps it, escaped as JSON does.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::{Ends, Failure};
use crate::log::clean;

/// One line.
pub fn line(text: &str) -> Result<(), Failure> {
    write(&format!("{text}\n"))
}

/// A value as JSON, indented, and a line break.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).ends(Exit::Software, "JSON")?;
    write(&(text + "\n"))
}

/// Rows under their headings, in columns as wide as their widest cell. Nothing at all for no rows.
pub fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    write(&columns(headings, rows))
}

/// Names and values, one pair a line.
pub fn pairs(pairs: &[(&str, String)]) -> Result<(), Failure> {
    let width = pairs.iter().map(|(name, _)| name.len() + 1).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in pairs {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$} {}", format!("{name}:"), clean(value));
    }
    write(&text)
}

/// One thing that was looked at, and on a line of its own what to do about it.
pub fn finding(word: &str, what: &str, says: &str, remedy: &str) -> Result<(), Failure> {
    let mut text = format!("{word:4}  {what}: {}\n", clean(says));
    if !remedy.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "      -> {}", clean(remedy));
    }
    write(&text)
}

fn columns<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) -> String {
    let headings = headings.map(str::to_owned);
    let cells: Vec<[String; N]> =
        std::iter::once(headings).chain(rows.into_iter().map(|row| row.map(|cell| clean(&cell)))).collect();
    let widths: Vec<usize> =
        (0..N).map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()).collect();
    let mut text = String::new();
    for row in &cells {
        let line = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text += line.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).ends(Exit::IoErr, "standard output cannot be written")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_cell_moves_the_cursor() {
        let rows = vec![["1".to_owned(), "ü\u{1b}[2J".to_owned()], ["22".to_owned(), String::new()]];
        let text = columns(["ID", "NAME"], rows);
        assert!(!text.contains('\u{1b}'));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[2]), ("ID  NAME", "22"));
        assert!(lines[1].starts_with("1   ü"), "{text}");
    }
}
