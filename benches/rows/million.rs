//! A store with very many customers and tokens, to one with hardly any.

use anyhow::Result;

use crate::bench::Bench;
use crate::pairs::{alternate, program};
use crate::recorded::address;
use crate::row::Row;
use crate::site::{KNOWN, Site};

/// Fills a store: each customer has a token, and every tenth token is older than any ticket's absence allows.
pub fn fill(site: &Site, rows: i64) -> Result<()> {
    let database = site.database()?;
    database.execute_batch(&format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         CREATE TEMP TABLE n AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows})
             SELECT n, 'person' || n || '@company' || (n % 1000) || '.example' AS address FROM n;
         INSERT INTO customer_user (login, email, customer_id, pw, first_name, last_name, valid_id, create_time,
             create_by, change_time, change_by) SELECT address, address, 'company' || (n % 1000), 'a hash', 'P', 'N' || n,
             1, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1 FROM n;
         INSERT INTO token (hash, mail_key, state, customer, email, backend, message_id, created_at, changed_at)
             SELECT lower(hex(randomblob(32))), lower(hex(randomblob(32))), 'active', address, address, 'CustomerUser',
             '<' || n || '@company.example>', made, made FROM
             (SELECT n, address, unixepoch() - CASE WHEN n % 10 = 0 THEN 86400 * 60 ELSE 60 END AS made FROM n);
         COMMIT;
         PRAGMA wal_checkpoint(TRUNCATE);"
    ))?;
    database.close().map_err(|(_, error)| error)?;
    site.keep()
}

/// Known and new senders.
pub fn measure(bench: &mut Bench) -> Result<()> {
    let rows = bench.wishes.rows;
    let (full, empty, control) = (bench.site("full")?, bench.site("empty")?, bench.site("empty-control")?);
    fill(&full, rows)?;
    let mail = empty.known_mail()?;
    let pairs = alternate(
        bench.many(),
        &mut program(|_| Ok(empty.filter(&mail, KNOWN))),
        &mut program(|_| Ok(full.filter(&mail, KNOWN))),
        &mut program(|_| Ok(control.filter(&mail, KNOWN))),
    )?;
    let row = Row::ratio(format!("{rows} customers and tokens: known, to an empty store"), pairs.ratio()?);
    bench.tell(row.below(1.05, 1.02).noise(pairs.noise()).note(pairs.note()));
    let pairs = alternate(
        bench.many(),
        &mut program(|round| empty.new_sender(&address(round))),
        &mut program(|round| full.new_sender(&address(round))),
        &mut program(|round| control.new_sender(&address(round))),
    )?;
    let row = Row::ratio(format!("{rows} customers and tokens: new, to an empty store"), pairs.ratio()?);
    bench.tell(row.below(1.15, 1.07).noise(pairs.noise()).note(pairs.note()));
    Ok(())
}
