//! How far a copy has come, for somebody who waits at a terminal. Elsewhere nothing is shown.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::store::copy::Step;

/// The line that moves.
const LOOK: &str = "{msg:>30} [{wide_bar:.green}] {percent:>3} % {eta:>5}";

/// A bar on standard error, where that is a terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// Nothing is shown before the first step.
    pub fn new() -> Self {
        let is_seen = std::io::stderr().is_terminal();
        let target = if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        // A look that cannot be read leaves the library's own.
        Self(if let Ok(look) = ProgressStyle::with_template(LOOK) {
            bar.with_style(look.progress_chars("=> "))
        } else {
            bar
        })
    }

    /// Each row counts twice: it is written, and read back.
    pub fn show(&self, step: Step) {
        match step {
            Step::Begun(rows) => self.0.set_length(rows * 2),
            Step::Written(table, rows) => {
                self.0.set_message(table);
                self.0.inc(rows);
            }
            Step::Compared(rows) => self.0.inc(rows),
            Step::Complete => self.0.set_message("making it last"),
            Step::Committed => self.0.set_message("retiring the old store"),
            Step::Retired => {}
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
