//! The only way to standard output and standard error.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what a benchmark is for")]

/// A line of the table.
pub fn line(text: &str) {
    println!("{text}");
}

/// What goes wrong, and what is being done.
pub fn aside(text: &str) {
    eprintln!("{text}");
}
