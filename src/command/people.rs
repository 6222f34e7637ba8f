//! Commands for people.
use super::cli::Command;
use crate::exit::Exit;
use std::path::PathBuf;

/// Runs one.
pub fn run(_config: Option<PathBuf>, _command: Command) -> Exit {
    Exit::Software
}
