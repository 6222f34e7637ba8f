//! Reads keys out of TOML, and remembers every problem.
//!
//! Types and defaults are those that `settings` declares; what a value means, and whether it can be used, is said where
//! it is read. A reading never stops at a problem: it goes on with the default, so that all problems are reported at once.
//! It reads no files. The types of keys are in `scalars` and `collections`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Complaint, Problem, complaint};
use super::settings::{self, Kind};

/// One text on its way to a configuration.
pub(super) struct Reading<'t> {
    text: &'t str,
    /// Whether the parser understood all of the text. What it skipped is not missing.
    pub(super) is_whole: bool,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Reading<'t> {
    /// A reading without any problem yet.
    pub(super) fn new(text: &'t str, is_whole: bool) -> Self {
        Self { text, is_whole, problems: RefCell::default() }
    }

    /// The table that all others are in.
    pub(super) fn root<'r>(&'r self, table: &'r DeTable<'t>) -> Table<'r, 't> {
        Table {
            reading: self,
            entries: Some(table),
            span: 0..0,
            path: String::new(),
            normal: String::new(),
            silent: false,
        }
    }

    /// The line of a byte's place, counted from 1.
    fn line(&self, place: usize) -> usize {
        let before = self.text.as_bytes().get(..place).unwrap_or_default();
        1 + memchr::memchr_iter(b'\n', before).count()
    }

    pub(super) fn problem(&self, place: usize, key: &str, complaint: Complaint) {
        self.problems.borrow_mut().push(Problem {
            line: self.line(place),
            key: key.to_owned(),
            what: complaint.what,
            remedy: complaint.remedy,
        });
    }

    /// All problems in the order of their lines.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems.dedup();
        problems
    }
}

/// One table in a reading. It need not stand in the file: then every key has its default.
pub(super) struct Table<'r, 't> {
    pub(super) reading: &'r Reading<'t>,
    pub(super) entries: Option<&'r DeTable<'t>>,
    pub(super) span: Range<usize>,
    pub(super) path: String,
    /// The same, with entries of arrays as `[]`: as the table is declared.
    pub(super) normal: String,
    /// A stand-in for an entry that is not there; what it lacks is no problem.
    pub(super) silent: bool,
}

impl<'r, 't> Table<'r, 't> {
    /// A table in this one.
    pub(super) fn table(&self, key: &str) -> Table<'r, 't> {
        let table = self.typed(key, "a table", DeValue::as_table);
        let span = self.value(key).map_or(self.span.clone(), Spanned::span);
        Table {
            reading: self.reading,
            entries: table,
            span,
            path: self.full(key),
            normal: join(&self.normal, key),
            silent: self.silent,
        }
    }

    /// How the key is declared. One that is not is a fault of ours, with which no configuration is good.
    pub(super) fn declared(&self, key: &str) -> &'static Kind {
        let setting = settings::section(&self.normal).and_then(|section| section.setting(key));
        setting.map_or_else(
            || {
                self.problem(key, complaint("is not declared", "this is a fault in otab: please report it"));
                &Kind::Flag(false)
            },
            |setting| &setting.kind,
        )
    }

    /// The names of all tables in this one, for tables whose names are free.
    pub(super) fn names(&self) -> Vec<String> {
        let keys = self.entries.iter().flat_map(|table| table.keys());
        keys.map(|key| key.get_ref().to_string()).collect()
    }

    /// Whether the file has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Whether the key has a whole number, for keys of which that is one of two types.
    pub(super) fn is_integer(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| value.get_ref().as_integer().is_some())
    }

    /// Records a problem at a key, or at its table where the file does not have the key.
    pub(super) fn problem(&self, key: &str, complaint: Complaint) {
        if !self.silent {
            let span = self.value(key).map_or(self.span.clone(), Spanned::span);
            self.reading.problem(span.start, &self.full(key), complaint);
        }
    }

    pub(super) fn value(&self, key: &str) -> Option<&'r Spanned<DeValue<'t>>> {
        self.entries?.get(key)
    }

    /// The value in the type that `get` reads; `None` where it is missing or of another type.
    pub(super) fn typed<T>(&self, key: &str, wanted: &str, get: impl Fn(&'r DeValue<'t>) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let typed = get(value.get_ref());
        if typed.is_none() {
            let what = format!("is of the wrong type ({})", value.get_ref().type_str());
            self.problem(key, complaint(what, format!("write {wanted}")));
        }
        typed
    }

    pub(super) fn text(&self, key: &str, check: &dyn Fn(&str) -> Result<(), Complaint>) -> Option<String> {
        let text = self.typed(key, "a text in quotes", DeValue::as_str)?;
        match check(text) {
            Ok(()) => Some(text.to_owned()),
            Err(complaint) => {
                self.problem(key, complaint);
                None
            }
        }
    }

    pub(super) fn full(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

/// A key under a table's path, quoted where TOML wants that.
pub(super) fn join(path: &str, key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let bare = !key.is_empty() && key.chars().all(is_bare);
    let key = if bare { Cow::Borrowed(key) } else { Cow::Owned(quoted(key)) };
    if path.is_empty() { key.into_owned() } else { [path, ".", &key].concat() }
}

/// A text as a TOML basic string. Rust's escapes are TOML's for all that a default holds.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}
