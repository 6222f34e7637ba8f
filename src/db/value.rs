//! Values that go into statements and rows that come out, the same for every driver.
//!
//! Reading a column never panics and never guesses: text that is not UTF-8 is an error where text
//! is asked for, since a replaced character could make two logins one.

use std::borrow::Cow;

use jiff::Timestamp;

use super::error::{Error, Kind};

/// One value of a statement or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// A whole number.
    Int(i64),
    /// Text in UTF-8.
    Text(String),
    /// Bytes; also text that is not UTF-8.
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Int(truth.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

/// Unix seconds; fractions are cut.
impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Int(time.as_second())
    }
}

impl<T> From<Option<T>> for Value
where
    Value: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

/// One row of a query; columns count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    place: String,
    values: Vec<Value>,
}

impl Row {
    /// A row with the place it came from, for errors.
    pub(super) fn new(place: &str, values: Vec<Value>) -> Self {
        Self { place: place.to_owned(), values }
    }

    /// All columns.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The column's text; a number is read as its decimal text, since a site's table may hold
    /// customer ids as numbers. NULL, other bytes and a column that is not there are errors.
    pub fn text(&self, column: usize) -> Result<Cow<'_, str>, Error> {
        self.opt_text(column)?.ok_or_else(|| self.unexpected(column, "text"))
    }

    /// As [`Row::text`], with `None` for NULL.
    pub fn opt_text(&self, column: usize) -> Result<Option<Cow<'_, str>>, Error> {
        match self.values.get(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(Cow::Borrowed(text))),
            Some(Value::Int(number)) => Ok(Some(Cow::Owned(number.to_string()))),
            Some(Value::Bytes(_)) | None => Err(self.unexpected(column, "text")),
        }
    }

    /// The column's text, bytes that are not UTF-8 replaced; NULL is the empty text. Only for
    /// comparisons that EXCLUDE, where a broken row of someone else must not stop all mail.
    #[must_use]
    pub fn lossy(&self, column: usize) -> Cow<'_, str> {
        match self.values.get(column) {
            Some(Value::Text(text)) => Cow::Borrowed(text),
            Some(Value::Int(number)) => Cow::Owned(number.to_string()),
            Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes),
            Some(Value::Null) | None => Cow::Borrowed(""),
        }
    }

    /// The column's whole number.
    pub fn int(&self, column: usize) -> Result<i64, Error> {
        self.opt_int(column)?.ok_or_else(|| self.unexpected(column, "a whole number"))
    }

    /// As [`Row::int`], with `None` for NULL.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
        let unexpected = || self.unexpected(column, "a whole number");
        match self.values.get(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Int(number)) => Ok(Some(*number)),
            Some(Value::Text(text)) => text.parse().map(Some).map_err(|_| unexpected()),
            Some(Value::Bytes(_)) | None => Err(unexpected()),
        }
    }

    /// The column's Unix seconds as a time.
    pub fn time(&self, column: usize) -> Result<Timestamp, Error> {
        Timestamp::from_second(self.int(column)?).map_err(|_| self.unexpected(column, "a time"))
    }

    /// The column as a time, or nothing for NULL.
    pub fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, Error> {
        let seconds = self.opt_int(column)?;
        seconds.map(|second| Timestamp::from_second(second).map_err(|_| self.unexpected(column, "a time"))).transpose()
    }

    pub(crate) fn unexpected(&self, column: usize, wanted: &str) -> Error {
        let what = format!("column {column} of a row does not hold {wanted}");
        Error::new(Kind::Other, &self.place, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_as_what_they_hold_and_never_panic() {
        let row = Row::new("db", vec![7.into(), "8".into(), Value::Null, Value::Bytes(vec![b'a', 0xff])]);
        assert_eq!(row.text(0).unwrap(), "7");
        assert_eq!(row.int(1).unwrap(), 8);
        assert_eq!(row.opt_text(2).unwrap(), None);
        assert_eq!(row.opt_int(2).unwrap(), None);
        assert!(row.text(2).is_err() && row.int(2).is_err());
        assert!(row.text(3).is_err() && row.opt_text(3).is_err());
        assert!(row.text(4).is_err() && row.int(4).is_err());
        assert_eq!(row.time(0).unwrap().as_second(), 7);
        let late = Row::new("db", vec![i64::MAX.into()]);
        assert!(late.time(0).is_err());
        assert_eq!(row.lossy(3), "a\u{fffd}");
    }
}
