//! Keys that hold one value: texts, numbers, words.
//!
//! Each method reads a key and checks it; none stops at a problem.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::problem::{Complaint, complaint};
use super::reader::{Table, quoted};
use super::settings::Kind;

impl Table<'_, '_> {
    /// A text on one line.
    pub(super) fn string(&self, key: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> String {
        self.string_or(key, self.default(key), check)
    }

    /// A text on one line, with another default than the one that is declared.
    pub(super) fn string_or(&self, key: &str, default: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> String {
        self.optional_string(key, check).unwrap_or_else(|| default.to_owned())
    }

    fn default(&self, key: &str) -> &'static str {
        match self.declared(key) {
            Kind::Text(default) | Kind::Words([default, ..]) => default,
            _ => "",
        }
    }

    /// A text on one line whose default, and whose meaning when empty, is: off.
    pub(super) fn string_or_off(&self, key: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> Option<String> {
        let unless_off = |text: &str| if text.is_empty() { Ok(()) } else { check(text) };
        Some(self.string(key, unless_off)).filter(|text| !text.is_empty())
    }

    /// A text on one line that may be missing.
    pub(super) fn optional_string(&self, key: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> Option<String> {
        self.text(key, &|text| one_line(text).and_then(|()| check(text)))
    }

    /// A text on one line that must be there.
    pub(super) fn required_string(&self, key: &str, check: impl Fn(&str) -> Result<(), Complaint>) -> Option<String> {
        if self.reading.is_whole && self.value(key).is_none() {
            self.problem(key, complaint("is missing", "write it"));
        }
        self.optional_string(key, check)
    }

    /// A text of any number of lines, not empty; where it is missing, `default`, else the one that is declared.
    pub(super) fn prose(&self, key: &str, default: Option<&str>) -> String {
        let text = self.text(key, &is_prose);
        text.unwrap_or_else(|| default.unwrap_or_else(|| self.default(key)).to_owned())
    }

    /// A whole number within its range.
    pub(super) fn integer<T: TryFrom<u32> + Default>(&self, key: &str) -> T {
        let number = match self.declared(key) {
            Kind::Number(default, least, most) => self.number(key, *least..=*most).unwrap_or(*default),
            _ => 0,
        };
        T::try_from(number).unwrap_or_default()
    }

    /// A whole number within this range, if there is one.
    pub(super) fn number(&self, key: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.typed(key, "a whole number without quotes", |value| {
            let integer = value.as_integer()?;
            // What is too long even for 128 bits is out of range as well.
            let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
            Some(number.and_then(|n| u32::try_from(n).ok()).filter(|number| range.contains(number)))
        })?;
        if value.is_none() {
            let remedy = format!("write a number from {} to {}", range.start(), range.end());
            self.problem(key, complaint("is out of range", remedy));
        }
        value
    }

    /// True or false.
    pub(super) fn boolean(&self, key: &str) -> bool {
        let default = matches!(self.declared(key), Kind::Flag(true));
        self.typed(key, "true or false, without quotes", DeValue::as_bool).unwrap_or(default)
    }

    /// One of the words that are declared, by what it means.
    pub(super) fn choice<T>(&self, key: &str, meaning: impl Fn(&str) -> T) -> T {
        self.optional_choice(key, &meaning).unwrap_or_else(|| meaning(self.default(key)))
    }

    /// The same, or nothing where the key is missing.
    pub(super) fn optional_choice<T>(&self, key: &str, meaning: impl Fn(&str) -> T) -> Option<T> {
        let (Kind::Words(words) | Kind::OptionalWords(words)) = self.declared(key) else { return None };
        let check = |text: &str| if words.contains(&text) { Ok(()) } else { Err(no_such_word(words)) };
        self.text(key, &check).map(|text| meaning(&text))
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

fn no_such_word(words: &[&str]) -> Complaint {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    let remedy = format!("write {}", words.join(" or "));
    complaint("is none of the words that it may be", remedy)
}
