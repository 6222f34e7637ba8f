//! Whether an index serves the look-up of a sender, by the plans of real servers with many customers.

use super::super::Place;
use super::{Helpdesk, desk};

/// Twenty thousand customers, as a server makes them by itself.
fn fill(desk: &Helpdesk) {
    let numbers = match desk.place {
        Place::MariaDb => "seq_1_to_20000",
        _ => "generate_series(1, 20000) AS numbers (seq)",
    };
    desk.sql(&format!(
        "INSERT INTO customer_user (login, email, customer_id, first_name, last_name, valid_id, create_time, create_by, \
         change_time, change_by) SELECT CONCAT('u', seq, '@big.test'), CONCAT('u', seq, '@big.test'), \
         CONCAT('u', seq, '@big.test'), ' ', ' ', 1, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1 FROM {numbers}"
    ));
}

#[test]
fn many_customers_without_an_index_are_noted() {
    let desk = desk(Place::PostgreSql);
    fill(&desk);
    desk.check().finds("note", "customers", "no index serves", "CREATE INDEX ON customer_user (LOWER(email));");
    // One on the column as it is serves nobody.
    desk.sql("CREATE INDEX plain ON customer_user (email)");
    assert!(desk.check().has("note", "customers", "no index serves"));
    desk.sql("CREATE INDEX ON customer_user (LOWER(email))");
    assert!(!desk.check().has("note", "customers", "no index serves"));
}

#[test]
fn on_mariadb_a_plain_index_serves_folding_columns() {
    let desk = desk(Place::MariaDb);
    fill(&desk);
    let remedy = "CREATE INDEX email_plain ON customer_user (email);";
    desk.check().finds("note", "customers", "no index serves", remedy);
    desk.sql(remedy.trim_end_matches(';'));
    assert!(!desk.check().has("note", "customers", "no index serves"));
    desk.sql("ALTER TABLE customer_user MODIFY email VARCHAR(150) COLLATE utf8mb4_bin NOT NULL");
    desk.check().finds("note", "customers", "no index serves", "a collation that folds case");
}
