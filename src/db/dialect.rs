//! The little in which the databases' SQL differs, and the one thing that is rewritten for all: `?`.

use std::fmt::Write;

/// Which SQL a database speaks. Whoever writes statements asks this, and never which driver there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    PostgreSql,
    /// MariaDB and MySQL, whose `=` goes by a collation: it may call other letters and trailing blanks equal.
    MariaDb,
}

impl Dialect {
    /// Whether a text with a NUL can be stored. Where it cannot, no row has one, and asking is an error.
    #[must_use]
    pub fn holds_nul(self) -> bool {
        self != Self::PostgreSql
    }
}

/// A statement as PostgreSQL wants it: `$1`, `$2` … for each `?` that stands for a value. Inside of texts,
/// quoted names and comments a question mark is one.
#[cfg_attr(not(feature = "postgresql"), allow(dead_code, reason = "only PostgreSQL numbers its values"))]
pub(super) fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let (mut count, mut inside) = (0, None);
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match (inside, letter) {
            (None, '?') => {
                count += 1;
                let _ = write!(out, "${count}");
                continue;
            }
            (None, '\'' | '"') => inside = Some(letter),
            (None, '-') if letters.peek() == Some(&'-') => inside = Some('\n'),
            // A doubled quote ends one text and begins the next: the same comes out.
            (Some(end), _) if letter == end => inside = None,
            _ => {}
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_question_marks_for_values_are_numbered() {
        for (sql, wanted) in [
            ("SELECT ? + ?", "SELECT $1 + $2"),
            ("a = '?' AND b = ?", "a = '?' AND b = $1"),
            ("a = 'it''s ?' AND b = ?", "a = 'it''s ?' AND b = $1"),
            ("\"od?d\" = ? -- what?\nAND '--' = ?", "\"od?d\" = $1 -- what?\nAND '--' = $2"),
            ("a - ? - -?", "a - $1 - -$2"),
            ("é = ?", "é = $1"),
        ] {
            assert_eq!(numbered(sql), wanted);
        }
    }
}
