//! Who may share a customer id by their domain, and whom it concerns already.

use super::super::{PLACES, Place};
use super::rights::as_visitor;
use super::{Helpdesk, customers, desk};
use crate::site::Ended;

const SETTINGS: &str = "[create]\ncustomer_id = \"{{domain}}\"\ncompany_domains = [\"named.test\", \".sub.test\"]\n";

/// The customer id that a new sender gets.
#[track_caller]
fn id_of(desk: &Helpdesk, sender: &str) -> String {
    let mail = format!("From: {sender}\nTo: help@desk.test\nSubject: x\n\nx\n");
    let output = desk.takes(mail.as_bytes());
    let text = output.out();
    let id = text.lines().find_map(|line| line.strip_prefix("X-OTOBO-CustomerNo: "));
    id.unwrap_or_else(|| panic!("{:?} {sender}: {text}", desk.place)).to_owned()
}

fn company(desk: &Helpdesk, id: &str) {
    let sql = "INSERT INTO customer_company (customer_id, name, valid_id) VALUES (?, 'x', 1)";
    desk.execute(sql, &[id.into()]);
}

#[test]
fn a_domain_is_shared_only_if_it_is_a_company() {
    for desk in PLACES.map(desk) {
        desk.append(SETTINGS);
        for id in ["corp.test", "Upper.test", "caf\u{e9}.test", "kd-other.test"] {
            company(&desk, id);
        }
        for (sender, id) in [
            ("a@corp.test", "corp.test"),
            ("b@Corp.Test", "corp.test"),
            ("c@named.test", "named.test"),
            ("d@x.sub.test", "x.sub.test"),
            ("e@sub.test", "e@sub.test"),
            ("f@sub.corp.test", "f@sub.corp.test"),
            // Neither a collation nor letter case makes a company.
            ("g@cafe.test", "g@cafe.test"),
            ("h@upper.test", "h@upper.test"),
            ("i@hotmail.co.uk", "i@hotmail.co.uk"),
            ("j@qq.com", "j@qq.com"),
            ("k@gmx.de", "k@gmx.de"),
        ] {
            assert_eq!(id_of(&desk, sender), id, "{:?} {sender}", desk.place);
        }
        desk.ends(0, &["customer", "add", "l@seznam.cz"]);
        let output = desk.ends(0, &["customer", "show", "l@seznam.cz"]);
        assert!(!output.contains(" seznam.cz\n"), "{output:?}");
        // The whole id may be the company's as well.
        desk.configure("\"{{domain}}\"", "\"kd-{{domain}}\"");
        assert_eq!(id_of(&desk, "m@other.test"), "kd-other.test");
        assert_eq!(id_of(&desk, "n@another.test"), "n@another.test");
    }
}

#[test]
fn companies_that_cannot_be_read_are_nobodys() {
    for desk in PLACES.map(desk) {
        desk.append(SETTINGS);
        desk.sql("DROP TABLE customer_company");
        assert_eq!(id_of(&desk, "a@corp.test"), "a@corp.test");
        assert_eq!(id_of(&desk, "b@named.test"), "named.test");
        let log = desk.log();
        assert_eq!(log.matches("customer_company cannot be read").count(), 1, "{log}");
        let checked = desk.check().clean();
        checked.finds("note", "customers", "no table customer_company", "create.company_domains only");
    }
    for (place, all) in [(Place::PostgreSql, "ALL TABLES IN SCHEMA public"), (Place::MariaDb, "*")] {
        let desk = desk(place);
        desk.append(SETTINGS);
        company(&desk, "corp.test");
        let rights = if place == Place::PostgreSql {
            format!(
                "GRANT ALL ON {all} TO VISITOR; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO VISITOR; \
                 REVOKE ALL ON customer_company FROM VISITOR;"
            )
        } else {
            let tables = ["customer_user", "customer_preferences", "ticket", "ticket_state", "ticket_state_type"];
            let more = ["article", "article_data_mime", "ticket_history", "sysconfig_default", "sysconfig_modified"];
            let grant = |table| format!("GRANT SELECT, INSERT, DELETE ON {table} TO VISITOR; ");
            tables.into_iter().chain(more).map(grant).collect::<Vec<_>>().concat()
        };
        as_visitor(&desk, &rights);
        assert_eq!(id_of(&desk, "a@corp.test"), "a@corp.test", "{place:?}");
        assert!(desk.log().contains("customer_company cannot be read"), "{}", desk.log());
        let checked = desk.check().clean();
        checked.finds("note", "customers", "customer_company", "GRANT SELECT ON customer_company TO");
        // Where no domain is asked for, nothing is missing.
        desk.configure("\"{{domain}}\"", "\"{{address}}\"");
        assert!(!desk.check().has("note", "customers", "customer_company"));
    }
}

#[test]
fn those_who_share_a_strangers_domain_are_counted() {
    for desk in PLACES.map(desk) {
        desk.append("[create]\ncompany_domains = [\"named.test\"]\n");
        company(&desk, "Corp.test");
        customers(
            &desk,
            &[
                ("a1", "a1@qq.com", "qq.com", 1),
                ("a2", "a2@qq.com", "QQ.com", 2),
                ("a3", "a3@qq.com", "qq.com", 1),
                ("b1", "b1@orange.fr", "orange.fr", 1),
                ("b2", "b2@orange.fr", "orange.fr", 1),
                // Alone, named, a company, no domain, an address.
                ("c1", "c1@yahoo.fr", "yahoo.fr", 1),
                ("d1", "d1@named.test", "named.test", 1),
                ("d2", "d2@named.test", "named.test", 1),
                ("e1", "e1@corp.test", "Corp.test", 1),
                ("e2", "e2@corp.test", "Corp.test", 1),
                ("f1", "f1@x.test", "ACME Inc.", 1),
                ("f2", "f2@x.test", "ACME Inc.", 1),
                ("g1", "g@x.test", "g@x.test", 1),
                ("g2", "g@y.test", "g@x.test", 1),
            ],
        );
        let checked = desk.check().clean();
        let says = "share a domain as customer id, which is neither in create.company_domains nor a company of the \
                    helpdesk's: 5: qq.com (3), orange.fr (2)";
        checked.finds("note", "customers", says, "give each the address");
        desk.sql("DROP TABLE customer_company");
        desk.check().finds("note", "customers", ": 7: qq.com (3), corp.test (2), orange.fr (2)", "company's, name it");
    }
}
