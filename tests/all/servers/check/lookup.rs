//! Whether an index serves the look-up of a sender, by the plans of real servers with many customers.

use super::super::server::Product;
use super::super::{Place, shared};
use super::{Helpdesk, check, desk};

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
fn many_customers_and_no_index_that_serves_the_look_up_are_worth_a_word() {
    let desk = desk(Place::PostgreSql);
    fill(&desk);
    check(&desk).finds("note", "customers", "no index serves", "CREATE INDEX ON customer_user (LOWER(email));");
    // One on the column as it is serves nobody.
    desk.sql("CREATE INDEX plain ON customer_user (email)");
    assert!(check(&desk).has("note", "customers", "no index serves"));
    desk.sql("CREATE INDEX ON customer_user (LOWER(email))");
    assert!(!check(&desk).has("note", "customers", "no index serves"));
}

#[test]
fn mariadb_is_said_to_have_no_such_index_before_11_8() {
    let desk = desk(Place::MariaDb);
    fill(&desk);
    let version = shared(Product::MariaDb).client("mysql", "SELECT VERSION()");
    let is_old = version.starts_with("10.") || version.starts_with("11.4");
    desk.sql("CREATE INDEX plain ON customer_user (email)");
    check(&desk).finds("note", "customers", "no index serves", "never alters");
    desk.sql(
        "ALTER TABLE customer_user ADD COLUMN email_lower VARCHAR(150) AS (LOWER(email)), ADD INDEX (email_lower)",
    );
    let found = check(&desk).find("note", "customers", "no index serves");
    assert_eq!(found.is_some(), is_old, "{version}");
    assert!(found.is_none_or(|remedy| remedy.contains("before 11.8 has no index")));
}
