//! Keys that hold several values: lists, maps, arrays of tables.
//!
//! Each method reads a key, and checks every entry on its own; none stops at a problem.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::problem::{Complaint, complaint};
use super::reader::{Table, join};
use super::scalars::one_line;
use super::settings::{self, Kind, Setting};

impl<'r, 't> Table<'r, 't> {
    /// A list of texts, each read on its own. An entry with a problem is left out.
    pub(super) fn list<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, Complaint>) -> Vec<T> {
        let default = if let Kind::List(default) = self.declared(key) { default } else { &[][..] };
        self.list_or(key, default, parse)
    }

    /// The same, with another default than the one that is declared.
    pub(super) fn list_or<T>(
        &self,
        key: &str,
        default: &[&str],
        parse: impl Fn(&str) -> Result<T, Complaint>,
    ) -> Vec<T> {
        let Some(array) = self.typed(key, "a list of texts: [\"…\", \"…\"]", DeValue::as_array) else {
            // A default that does not parse is a fault that the tests of the example find.
            return default.iter().filter_map(|text| parse(text).ok()).collect();
        };
        let entries = array.iter().enumerate();
        entries.filter_map(|(index, value)| self.entry(key, index, value, &parse)).collect()
    }

    fn entry<T>(
        &self,
        key: &str,
        index: usize,
        value: &Spanned<DeValue<'t>>,
        parse: &impl Fn(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        let parsed = match value.get_ref().as_str() {
            Some(text) => one_line(text).and_then(|()| parse(text)),
            None => Err(complaint("is no text", "write it in quotes")),
        };
        let key = || format!("{}[{}]", self.full(key), index + 1);
        parsed.map_err(|complaint| self.reading.problem(value.span().start, &key(), complaint)).ok()
    }

    /// A table of free keys with texts as their values. Where it is written, it replaces the default.
    pub(super) fn map(
        &self,
        key: &str,
        check: impl Fn(&str, &str) -> Result<(), Complaint>,
    ) -> BTreeMap<String, String> {
        let table = self.table(key);
        let Some(entries) = table.entries else {
            let settings = settings::section(&table.normal).map_or(&[][..], |section| section.settings);
            let pair = |setting: &Setting| match setting.kind {
                Kind::Text(text) => Some((setting.name.to_owned(), text.to_owned())),
                _ => None,
            };
            return settings.iter().filter_map(pair).collect();
        };
        let names = entries.keys().map(|name| name.get_ref().as_ref());
        let pair = |name: &str| {
            let checked = |text: &str| one_line(name).and(one_line(text)).and_then(|()| check(name, text));
            Some((name.to_owned(), table.text(name, &checked)?))
        };
        names.filter_map(pair).collect()
    }

    /// Reads every table of an array.
    pub(super) fn tables<T>(&self, key: &str, mut read: impl FnMut(&Table<'r, 't>) -> Option<T>) -> Vec<T> {
        let array = self.typed(key, "an array of tables: [[…]]", DeValue::as_array);
        let entries = array.into_iter().flatten().enumerate();
        entries.filter_map(|(index, value)| read(&self.child(key, index, value)?)).collect()
    }

    /// An entry of an array of tables that is not there: every key has its default, and no problem.
    pub(super) fn stand_in(&self, key: &str) -> Table<'r, 't> {
        Table {
            reading: self.reading,
            entries: None,
            span: self.span.clone(),
            path: self.full(key),
            normal: format!("{}[]", join(&self.normal, key)),
            silent: true,
        }
    }

    fn child(&self, key: &str, index: usize, value: &'r Spanned<DeValue<'t>>) -> Option<Table<'r, 't>> {
        let path = format!("{}[{}]", self.full(key), index + 1);
        let Some(entries) = value.get_ref().as_table() else {
            let complaint = complaint("is no table", format!("write [[{}]]", self.full(key)));
            self.reading.problem(value.span().start, &path, complaint);
            return None;
        };
        Some(Table {
            reading: self.reading,
            entries: Some(entries),
            span: value.span(),
            path,
            normal: format!("{}[]", join(&self.normal, key)),
            silent: false,
        })
    }
}
