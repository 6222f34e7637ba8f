//! Whether a question is answered by an index, or by reading a whole table.

use crate::db::{Database, Dialect, Error, Row, Statements, Value};

/// Whether an index of the table begins with this very column.
pub fn has_index(db: &mut Database, table: &str, column: &str) -> Result<bool, Error> {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT COUNT(*) FROM pragma_index_list(?) l JOIN pragma_index_info(l.name) i \
             WHERE i.seqno = 0 AND i.name = ?"
        }
        Dialect::PostgreSql => {
            "SELECT COUNT(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
             WHERE i.indrelid = to_regclass(CAST(? AS TEXT)) AND a.attname = ? AND i.indisvalid AND i.indpred IS NULL"
        }
        Dialect::MariaDb => {
            "SELECT COUNT(*) FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ? AND seq_in_index = 1"
        }
    };
    let row = db.row(sql, &[table.into(), column.into()])?;
    row.map_or(Ok(false), |row| Ok(row.int(0)? > 0))
}

/// Whether the database would read a whole table, or a whole index, for this query. It is only planned.
pub fn reads_all(db: &mut Database, sql: &str, values: &[Value]) -> Result<bool, Error> {
    let dialect = db.dialect();
    let explain = if dialect == Dialect::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    let plan = db.rows(&format!("{explain} {sql}"), values)?;
    Ok(plan.iter().any(|step| is_scan(dialect, step)))
}

fn is_scan(dialect: Dialect, step: &Row) -> bool {
    match dialect {
        Dialect::Sqlite => step.lossy(3).starts_with("SCAN"),
        Dialect::PostgreSql => step.lossy(0).contains("Seq Scan on"),
        // MySQL has a column more before that of the type: `ALL` is the table, `index` the whole of an index.
        Dialect::MariaDb => (3..=4).any(|column| ["ALL", "index"].contains(&step.lossy(column).as_ref())),
    }
}
