//! One thing that was looked at, how it stands, and what to do about it.

use std::fmt::Display;

use serde_json::{Value, json};

use crate::exit::Exit;

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What, in a word or two: the same for the same kind of thing.
    pub what: &'static str,
    /// How it stands.
    pub grade: Grade,
    /// What was found.
    pub says: String,
    /// What to do about it; empty where there is nothing to do.
    pub remedy: String,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// As it should be.
    Good,
    /// Works, and somebody should know.
    Note,
    /// Does not work; the status to end with.
    Bad(Exit),
}

impl Finding {
    pub fn good(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, grade: Grade::Good, says: says.into(), remedy: String::new() }
    }

    pub fn note(what: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, grade: Grade::Note, says: says.into(), remedy: remedy.into() }
    }

    pub fn bad(what: &'static str, exit: Exit, says: impl Display, remedy: impl Into<String>) -> Self {
        Self { what, grade: Grade::Bad(exit), says: says.to_string(), remedy: remedy.into() }
    }

    /// Something that could not be looked at, for a reason that is told elsewhere, or that heals.
    pub fn unknown(what: &'static str, error: &dyn Display) -> Self {
        Self::note(what, format!("cannot be looked at: {error}"), "see above; if it only took too long, try again")
    }

    /// As people read it.
    pub fn word(&self) -> &'static str {
        match self.grade {
            Grade::Good => "ok",
            Grade::Note => "note",
            Grade::Bad(_) => "BAD",
        }
    }

    /// The status that this finding alone would end with, if it is bad.
    pub fn exit(&self) -> Option<Exit> {
        match self.grade {
            Grade::Bad(exit) => Some(exit),
            Grade::Good | Grade::Note => None,
        }
    }

    pub fn as_json(&self) -> Value {
        json!({ "what": self.what, "grade": self.word().to_lowercase(), "says": self.says, "remedy": self.remedy })
    }
}
