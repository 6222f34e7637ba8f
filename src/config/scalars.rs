//! Keys that hold one value: texts, numbers, words.
//!
//! Each method reads a key, checks it, and makes it known; none stops at a problem.

use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::known::Kind;
use super::problem::{Complaint, complaint};
use super::reader::{Table, quoted};

impl Table<'_, '_> {
    /// A text on one line.
    pub(super) fn string(&self, key: &str, default: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> String {
        self.know(key, Kind::String, || Some(quoted(default)));
        self.text(key, &|text| one_line(text).and_then(|()| check(text))).unwrap_or_else(|| default.to_owned())
    }

    /// A text on one line whose default, and whose meaning when empty, is: off.
    pub(super) fn string_or_off(&self, key: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> Option<String> {
        let unless_off = |text: &str| if text.is_empty() { Ok(()) } else { check(text) };
        Some(self.string(key, "", unless_off)).filter(|text| !text.is_empty())
    }

    /// A text on one line that may be missing.
    pub(super) fn optional_string(&self, key: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> Option<String> {
        self.know(key, Kind::String, || None);
        self.text(key, &|text| one_line(text).and_then(|()| check(text)))
    }

    /// A text on one line that must be there.
    pub(super) fn required_string(&self, key: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> Option<String> {
        if self.reading.is_whole && self.value(key).is_none() {
            self.problem(key, complaint("is missing", "write it"));
        }
        self.optional_string(key, check)
    }

    /// A text of any number of lines, not empty.
    pub(super) fn prose(&self, key: &str, default: &str) -> String {
        self.know(key, Kind::String, || Some(quoted(default)));
        self.text(key, &is_prose).unwrap_or_else(|| default.to_owned())
    }

    /// A whole number within a range.
    pub(super) fn integer<T>(&self, key: &str, default: T, range: &RangeInclusive<T>) -> T
    where
        T: Copy + PartialOrd + Display + TryFrom<i128>,
    {
        self.know(key, Kind::Integer, || Some(default.to_string()));
        let value = self.typed(key, "a whole number without quotes", |value| {
            let integer = value.as_integer()?;
            // What is too long even for 128 bits is out of range as well.
            let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
            Some(number.and_then(|n| T::try_from(n).ok()))
        });
        match value {
            None => default,
            Some(Some(number)) if range.contains(&number) => number,
            Some(_) => {
                let (least, most) = (range.start(), range.end());
                let remedy = format!("write a number from {least} to {most}");
                self.problem(key, complaint("is out of range", remedy));
                default
            }
        }
    }

    /// True or false.
    pub(super) fn boolean(&self, key: &str, default: bool) -> bool {
        self.know(key, Kind::Boolean, || Some(default.to_string()));
        self.typed(key, "true or false, without quotes", DeValue::as_bool).unwrap_or(default)
    }

    /// One of several words. The first is the default.
    pub(super) fn choice<T: Copy, const N: usize>(&self, key: &str, words: &[(&str, T); N]) -> T {
        const { assert!(N > 0) };
        self.know(key, Kind::String, || Some(quoted(words[0].0)));
        self.word(key, words).unwrap_or(words[0].1)
    }

    /// One of several words, or none of them where the key is missing.
    pub(super) fn optional_choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        self.know(key, Kind::String, || None);
        self.word(key, words)
    }

    fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let meaning = |text: &str| words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        let check = |text: &str| match meaning(text) {
            Some(_) => Ok(()),
            None => Err(no_such_word(words.iter().map(|(word, _)| *word))),
        };
        self.text(key, &check).and_then(|text| meaning(&text))
    }
}

/// No setting but prose may hold a line break or a control character: settings end up in header
/// fields, log lines and SQL.
pub(super) fn one_line(text: &str) -> Result<(), Complaint> {
    let has_control = if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    };
    if has_control {
        return Err(complaint("holds a line break or a control character", "write plain text on one line"));
    }
    Ok(())
}

fn is_prose(text: &str) -> Result<(), Complaint> {
    if text.trim().is_empty() {
        return Err(complaint("is empty", "write a text, or leave the key out"));
    }
    text.lines().try_for_each(one_line)
}

fn no_such_word<'a>(words: impl Iterator<Item = &'a str>) -> Complaint {
    let words: Vec<_> = words.map(quoted).collect();
    let remedy = format!("write {}", words.join(" or "));
    complaint("is none of the words that it may be", remedy)
}
