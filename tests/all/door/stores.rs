//! The life of a link on each kind of store: the same body for SQLite, PostgreSQL and MariaDB.

use std::time::Duration;

use otab::db::{Access, Statements};

use super::client::{Client, Place};
use super::{CAROL, OWN, Serving, closed};
use crate::servers::server::Product;
use crate::servers::{shared, url};

#[test]
fn a_link_lives_and_dies_on_every_store() {
    for product in [None, Some(Product::PostgreSql), Some(Product::MariaDb)] {
        let desk = closed("");
        let mut store = format!("sqlite:{}", desk.path("otab.db").display());
        if let Some(product) = product {
            store = shared(product).url(&shared(product).empty_database());
            desk.configure("create = true", &format!("url = \"{store}\""));
            desk.ends(0, &["store", "migrate"]);
        }
        let count = |sql: &str| {
            let mut db = otab::store::open(&url(&store), Access::ReadOnly, Duration::from_mins(1)).unwrap();
            db.row(sql, &[]).unwrap().unwrap().int(0).unwrap()
        };
        desk.mails_of_carol(&["1@corp.test"]);
        desk.ends(0, &["ticket", "add", "1", "--message-id", "1@corp.test", "--customer", CAROL]);
        assert_eq!(desk.notify(), 0, "{}", desk.log());
        let path = format!("/t/{}", desk.last().token());
        let serving = Serving::start(&desk, |_| {});
        let client = Client(Place::Unix(desk.path("door.sock")));
        assert_eq!(client.ask("GET", &path, &[], b"").status, 200, "{store}");
        let entered = client.ask("POST", &path, &[OWN], b"do=open");
        let (cookie, enter) = (entered.cookie().unwrap(), entered.field("location").unwrap());
        let asked = client.auth(&cookie, enter);
        assert_eq!((asked.status, asked.field("remote-user")), (200, Some(CAROL)), "{store}");
        assert_eq!(client.ask("POST", &path, &[OWN], b"do=open").status, 410, "{store}");
        assert_eq!(client.ask("POST", &path, &[OWN], b"do=renew").status, 200, "{store}");
        assert_eq!(client.ask("GET", &path, &[], b"").heading(), "There is a newer link", "{store}");
        // The server has closed what was open, as it does after a night.
        let mut db =
            otab::store::open(&url(&store), Access::ReadWrite { create: false }, Duration::from_mins(1)).unwrap();
        let others = match product {
            None => Vec::new(),
            Some(Product::PostgreSql) => {
                let all = "SELECT pg_terminate_backend(pid)::int FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";
                assert!(!db.rows(all, &[]).unwrap().is_empty());
                Vec::new()
            }
            Some(Product::MariaDb) => {
                let all =
                    "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
                db.rows(all, &[]).unwrap().iter().map(|row| row.int(0).unwrap()).collect::<Vec<_>>()
            }
        };
        assert_eq!(others.is_empty(), product != Some(Product::MariaDb));
        for id in others {
            db.execute(&format!("KILL {id}"), &[]).unwrap();
        }
        for _ in 0..8 {
            assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200, "{store} {}", desk.log());
        }
        // As a minute later: what is remembered is gone, and the store knows.
        drop(serving);
        let _serving = Serving::start(&desk, |_| {});
        assert_eq!(client.auth(&cookie, enter).status, 200, "{store}");
        assert_eq!(client.ask("POST", "/otab/logout", &[OWN, ("Cookie", &cookie)], b"").status, 303);
        assert_eq!(client.auth(&cookie, enter).status, 401, "{store}");
        assert_eq!(count("SELECT COUNT(*) FROM session"), 0, "{store}");
        let link = desk.ends(0, &["link", "--ticket", "1", "--customer", CAROL]);
        let again = link.trim().strip_prefix("https://help.test").unwrap();
        assert_eq!(client.ask("POST", again, &[OWN], b"do=open").status, 303, "{store}");
        assert_eq!(desk.json(0, &["purge", "--dry-run"])["sessions"], 0, "{store}");
        let said = desk.ends(0, &["token", "revoke", "--customer", CAROL]);
        assert!(said.contains("1 sessions ended"), "{store}: {said}");
        assert_eq!(desk.json(0, &["purge"])["sessions"], 0, "{store}");
    }
}
