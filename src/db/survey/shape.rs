//! Tables, columns and rights, compared with what a caller needs of them.
//!
//! Rights on columns are in the catalogues of both servers, with those that come by roles, by the database or by
//! PUBLIC. The right to delete rows is not in MariaDB's; there the server is asked for the plan of a DELETE in a
//! session that may only read: it refuses a user without the right for that reason first.

use crate::db::{Database, Dialect, Error, Kind as ErrorKind, Row, Statements};

/// What somebody needs of a table.
#[derive(Debug, Clone, Default)]
pub struct Need {
    /// The table; may hold a schema and a dot.
    pub table: String,
    /// The columns that are read.
    pub read: Vec<String>,
    /// The columns of a new row, each with what has to fit into it.
    pub written: Vec<(String, Kind)>,
    /// The columns that are changed.
    pub changed: Vec<String>,
    /// Whether rows are deleted.
    pub deletes: bool,
    /// The columns that have to hold times without a zone.
    pub times: Vec<String>,
    /// What becomes of things without it, if they go on; empty: they do not.
    pub otherwise: &'static str,
}

/// What is written into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text of up to so many characters.
    Text(i64),
    /// A number or a time.
    Other,
}

/// What somebody may do with a column or a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Read.
    Select,
    /// Add rows.
    Insert,
    /// Change rows.
    Update,
    /// Delete rows.
    Delete,
}

impl Right {
    /// SQL's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// No such table, or none that this user may see.
    Table,
    /// No such column, or (MariaDB) none that this user may see.
    Column(String),
    /// A text may be longer than the column takes: its width, and the longest text.
    Short(String, i64, i64),
    /// A column holds something else than it should: its type.
    Other(String, String),
    /// Rights on the table.
    Rights(Vec<Right>),
    /// The right to take the next number of this sequence, which a column has by default (PostgreSQL).
    Sequence(String),
}

/// A column as it is.
struct Column {
    name: String,
    kind: String,
    width: Option<i64>,
    rights: Vec<Right>,
}

/// What is missing of what is needed, in the order of the columns.
pub fn gaps(db: &mut Database, need: &Need) -> Result<Vec<Gap>, Error> {
    let columns = match columns(db, &need.table) {
        Err(error) if error.kind() == ErrorKind::Denied => return Ok(vec![Gap::Rights(vec![Right::Select])]),
        other => other?,
    };
    if columns.is_empty() {
        return hidden(db, need);
    }
    let find = |name: &str| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let mut gaps = Vec::new();
    let mut missing = Vec::new();
    let wanted = [
        (Right::Select, need.read.iter().collect::<Vec<_>>()),
        (Right::Insert, need.written.iter().map(|(name, _)| name).collect()),
        (Right::Update, need.changed.iter().collect()),
    ];
    for (right, names) in wanted {
        for name in names {
            match find(name) {
                None => gaps.push(Gap::Column(name.clone())),
                Some(column) if !column.rights.contains(&right) => missing.push(right),
                Some(_) => {}
            }
        }
    }
    gaps.extend(need.written.iter().filter_map(|(name, kind)| unfit(find(name)?, *kind)));
    gaps.extend(need.times.iter().filter_map(|name| no_time(db.dialect(), find(name)?)));
    if need.deletes && !may_delete(db, &need.table, need.read.first())? {
        missing.push(Right::Delete);
    }
    missing.sort_unstable();
    missing.dedup();
    gaps.dedup();
    if !missing.is_empty() {
        gaps.push(Gap::Rights(missing));
    }
    if !need.written.is_empty() {
        gaps.extend(sequences(db, need)?.into_iter().map(Gap::Sequence));
    }
    Ok(gaps)
}

/// MariaDB shows nobody a table on which he has no right at all, and says so when he asks for it.
fn hidden(db: &mut Database, need: &Need) -> Result<Vec<Gap>, Error> {
    match db.rows(&format!("SELECT 1 FROM {} WHERE 1 = 0", need.table), &[]) {
        Err(error) if error.kind() == ErrorKind::Denied => {
            let is_used = [
                (Right::Select, !need.read.is_empty()),
                (Right::Insert, !need.written.is_empty()),
                (Right::Update, !need.changed.is_empty()),
                (Right::Delete, need.deletes),
            ];
            Ok(vec![Gap::Rights(is_used.into_iter().filter(|(_, is_used)| *is_used).map(|(right, _)| right).collect())])
        }
        Err(error) if error.kind() != ErrorKind::Other => Err(error),
        _ => Ok(vec![Gap::Table]),
    }
}

fn unfit(column: &Column, kind: Kind) -> Option<Gap> {
    let Kind::Text(longest) = kind else { return None };
    let is_text = ["char", "text"].iter().any(|word| column.kind.to_lowercase().contains(word));
    match column.width {
        _ if !is_text => Some(Gap::Other(column.name.clone(), column.kind.clone())),
        Some(width) if width < longest => Some(Gap::Short(column.name.clone(), width, longest)),
        _ => None,
    }
}

fn no_time(dialect: Dialect, column: &Column) -> Option<Gap> {
    let is_time = match dialect {
        Dialect::Sqlite => true,
        Dialect::PostgreSql => column.kind.starts_with("timestamp") && column.kind.ends_with("without time zone"),
        Dialect::MariaDb => ["datetime", "timestamp"].contains(&column.kind.as_str()),
    };
    (!is_time).then(|| Gap::Other(column.name.clone(), column.kind.clone()))
}

fn columns(db: &mut Database, table: &str) -> Result<Vec<Column>, Error> {
    let (schema, name) = table.split_once('.').map_or((None, table), |(schema, name)| (Some(schema), name));
    let rows = match db.dialect() {
        Dialect::Sqlite => db.rows(
            "SELECT name, type, NULL, 1, 1, 1 FROM pragma_table_info(?, ?)",
            &[name.into(), schema.unwrap_or("main").into()],
        )?,
        Dialect::PostgreSql => {
            let may = |right| format!("has_column_privilege(a.attrelid, a.attnum, '{right}')");
            let sql = format!(
                "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, NULL), \
                 CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN a.atttypmod - 4 END, \
                 {}, {}, {} FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
                 WHERE a.attrelid = to_regclass(CAST(? AS TEXT)) AND a.attnum > 0 AND NOT a.attisdropped",
                may("SELECT"),
                may("INSERT"),
                may("UPDATE")
            );
            db.rows(&sql, &[table.into()])?
        }
        Dialect::MariaDb => {
            let may = |right| format!("FIND_IN_SET('{right}', privileges) > 0");
            let sql = format!(
                "SELECT column_name, data_type, character_maximum_length, {}, {}, {} FROM information_schema.columns \
                 WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?",
                may("select"),
                may("insert"),
                may("update")
            );
            db.rows(&sql, &[schema.into(), name.into()])?
        }
    };
    let is_written = db.takes_writes();
    rows.iter().map(|row| column(row, is_written)).collect()
}

fn column(row: &Row, is_written: bool) -> Result<Column, Error> {
    let mut rights = Vec::new();
    for (place, right) in [(3, Right::Select), (4, Right::Insert), (5, Right::Update)] {
        if row.int(place)? != 0 && (is_written || right == Right::Select) {
            rights.push(right);
        }
    }
    Ok(Column { name: row.text(0)?.into_owned(), kind: row.lossy(1).into_owned(), width: row.opt_int(2)?, rights })
}

fn may_delete(db: &mut Database, table: &str, column: Option<&String>) -> Result<bool, Error> {
    match db.dialect() {
        Dialect::Sqlite => Ok(db.takes_writes()),
        Dialect::PostgreSql => {
            let sql = "SELECT has_table_privilege(CAST(? AS TEXT), 'DELETE')";
            db.row(sql, &[table.into()])?.map_or(Ok(false), |row| Ok(row.int(0)? != 0))
        }
        Dialect::MariaDb => {
            let Some(column) = column else { return Ok(true) };
            match db.rows(&format!("EXPLAIN DELETE FROM {table} WHERE {column} = ''"), &[]) {
                Err(error) if error.kind() == ErrorKind::Denied => Ok(false),
                Err(error) if error.kind() != ErrorKind::ReadOnly => Err(error),
                _ => Ok(true),
            }
        }
    }
}

/// The sequences whose next number a new row takes, and this user may not: those in the defaults of columns that are not
/// written, however they came there. An identity column has no default, and needs no right.
fn sequences(db: &mut Database, need: &Need) -> Result<Vec<String>, Error> {
    if db.dialect() != Dialect::PostgreSql {
        return Ok(Vec::new());
    }
    // A default that names its sequence by a text (`nextval('name'::text)`) does not depend on it in the catalogue.
    let sql = "SELECT CAST(d.attname AS TEXT), format('%I.%I', n.nspname, c.relname) FROM (\
                 SELECT a.attname, p.refobjid AS sequence FROM pg_attribute a \
                 JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                 JOIN pg_depend p ON p.classid = CAST('pg_attrdef' AS regclass) AND p.objid = d.oid \
                 AND p.refclassid = CAST('pg_class' AS regclass) \
                 WHERE d.adrelid = to_regclass(CAST(? AS TEXT)) AND NOT a.attisdropped \
                 UNION \
                 SELECT a.attname, CAST(to_regclass(substring(pg_get_expr(d.adbin, d.adrelid) \
                 FROM 'nextval[(]+''([^'']+)''::(?:text|character varying)')) AS oid) FROM pg_attribute a \
                 JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                 WHERE d.adrelid = to_regclass(CAST(? AS TEXT)) AND NOT a.attisdropped) d \
               JOIN pg_class c ON c.oid = d.sequence JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE, UPDATE') END \
               ORDER BY 2, 1";
    let rows = db.rows(sql, &[need.table.as_str().into(), need.table.as_str().into()])?;
    let mut sequences = Vec::new();
    for row in &rows {
        let column = row.text(0)?;
        if !need.written.iter().any(|(name, _)| name.eq_ignore_ascii_case(&column)) {
            sequences.push(row.text(1)?.into_owned());
        }
    }
    sequences.dedup();
    Ok(sequences)
}
