//! Product and version, the clock, and who is logged in.

use std::fmt;

use jiff::Timestamp;

use crate::db::{Database, Dialect, Error, Statements};

/// What a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its maker's name for it.
    pub name: &'static str,
    /// Such as `10.11.19-MariaDB` or `15.4`.
    pub version: String,
    /// The first version that has everything that otab asks of it.
    pub oldest: &'static str,
}

/// Name and version, without who has packed it.
impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version.split(['-', ' ']).next().unwrap_or_default())
    }
}

impl Product {
    /// The product behind a version as MariaDB's or MySQL's `VERSION()` tells it.
    fn of_mysql(version: String) -> Self {
        // Before these, no statement can be given a time limit.
        let (name, oldest) = if version.contains("MariaDB") { ("MariaDB", "10.1") } else { ("MySQL", "5.7.8") };
        Self { name, version, oldest }
    }

    /// Whether it lacks something that otab asks of it.
    #[must_use]
    pub fn is_too_old(&self) -> bool {
        self.is_before(self.oldest)
    }

    /// Whether its version is before this one.
    #[must_use]
    pub fn is_before(&self, version: &str) -> bool {
        numbers(&self.version) < numbers(version)
    }
}

/// The numbers at the beginning of a version, up to the first that is none.
fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(['.', '-', ' ']);
    parts.map_while(|part| part.parse().ok()).collect()
}

/// What answers here.
pub fn product(db: &mut Database) -> Result<Product, Error> {
    let sql = match db.dialect() {
        Dialect::Sqlite => "SELECT sqlite_version()",
        Dialect::PostgreSql => "SELECT current_setting('server_version')",
        Dialect::MariaDb => "SELECT VERSION()",
    };
    let version = text(db, sql)?;
    Ok(match db.dialect() {
        Dialect::Sqlite => Product { name: "SQLite", version, oldest: "3" },
        Dialect::PostgreSql => Product { name: "PostgreSQL", version, oldest: "9.6" },
        Dialect::MariaDb => Product::of_mysql(version),
    })
}

/// What time it is there; `None` for a file, which has no clock of its own.
pub fn clock(db: &mut Database) -> Result<Option<Timestamp>, Error> {
    let sql = match db.dialect() {
        Dialect::Sqlite => return Ok(None),
        Dialect::PostgreSql => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        Dialect::MariaDb => "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
    };
    let Some(row) = db.row(sql, &[])? else { return Ok(None) };
    Timestamp::from_millisecond(row.int(0)?).map(Some).map_err(|_| row.unexpected(0, "a time"))
}

/// Who is logged in, as a GRANT names him; `None` for a file.
pub fn user(db: &mut Database) -> Result<Option<String>, Error> {
    match db.dialect() {
        Dialect::Sqlite => Ok(None),
        Dialect::PostgreSql => text(db, "SELECT quote_ident(current_user)").map(Some),
        Dialect::MariaDb => text(db, "SELECT CURRENT_USER()").map(|user| Some(account(&user))),
    }
}

/// `otab@localhost` as SQL wants it.
fn account(user: &str) -> String {
    let quoted = |part: &str| format!("'{}'", part.replace('\'', "''"));
    let (name, host) = user.rsplit_once('@').unwrap_or((user, "%"));
    format!("{}@{}", quoted(name), quoted(host))
}

fn text(db: &mut Database, sql: &str) -> Result<String, Error> {
    let row = db.row(sql, &[])?;
    row.map_or_else(|| Ok(String::new()), |row| Ok(row.text(0)?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_number_by_number() {
        for (version, name, too_old) in [
            ("10.11.19-MariaDB-0+deb12u1", "MariaDB", false),
            ("10.1.0-MariaDB", "MariaDB", false),
            ("10.0.38-MariaDB", "MariaDB", true),
            ("5.5.68-MariaDB", "MariaDB", true),
            ("8.4.2", "MySQL", false),
            ("5.7.8-log", "MySQL", false),
            ("5.7.7-rc", "MySQL", true),
            ("5.6.51", "MySQL", true),
        ] {
            let product = Product::of_mysql(version.to_owned());
            assert_eq!((product.name, product.is_too_old()), (name, too_old), "{version}");
        }
        let old = Product { name: "PostgreSQL", version: "9.5.25".to_owned(), oldest: "9.6" };
        assert!(old.is_too_old() && !old.is_before("9.5"));
        assert!(!Product { version: "16beta1".to_owned(), oldest: "", ..old }.is_too_old());
    }

    #[test]
    fn an_account_is_quoted_for_a_grant() {
        assert_eq!(account("otab@localhost"), "'otab'@'localhost'");
        assert_eq!(account("o'b@x@%"), "'o''b@x'@'%'");
    }
}
