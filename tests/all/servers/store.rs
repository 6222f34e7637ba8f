//! The store on each kind of database: the life of tokens and orders, with the same test body for all.

use std::process::Child;

use otab::store::{LEFT, TABLES};

use super::copy::{pointing_to, target};
use super::server::{Product, Server};
use super::{PLACES, Place, new_store, shared};
use crate::site::{Ended, Site, mail, run};

/// A mail host: a folder of its own with a configuration, and the store that it shares with others.
pub fn host(store: &str) -> Site {
    Site::at(store, "[limits]\ndecide = 60\n[mail]\nwake = false\n")
}

/// The name of a host's database on its server.
pub fn database(host: &Site) -> String {
    let mut parts = host.store.rsplit('/').filter_map(|part| part.split('?').next());
    parts.find(|part| part.starts_with("database")).unwrap().to_owned()
}

/// Two hosts with one store. A file is on one host only, which then plays both.
pub fn hosts(place: Place) -> (Site, Site) {
    let store = new_store(place);
    let first = host(&store);
    if place == Place::Sqlite {
        let second = host(&format!("sqlite:{}", first.path("otab.db").display()));
        first.filter(b"Subject: the first mail makes the file\n\n");
        first.run(&["token", "list"]);
        return (first, second);
    }
    first.run(&["store", "migrate"]).says(0);
    first.run(&["store", "migrate"]).says(0);
    let second = host(&store);
    (first, second)
}

#[test]
fn one_mail_on_two_hosts_at_once_has_one_token() {
    for place in PLACES {
        let (first, second) = hosts(place);
        let children: Vec<Child> =
            (0..20).map(|n| if n % 2 == 0 { &first } else { &second }.spawn(&["filter"], &mail(1))).collect();
        for child in children {
            let output = child.wait_with_output().unwrap().ends(0);
            assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n"), "{output:?}");
        }
        let counts = ["customer_user", "customer_preferences", "token", "outbox"].map(|table| first.count(table));
        assert_eq!(counts, [1, 3, 1, 1], "{place:?}");
    }
}

#[test]
fn of_twenty_uses_on_two_hosts_one_wins() {
    for place in PLACES {
        let (first, second) = hosts(place);
        first.takes(&mail(1));
        second.run(&["ticket", "add", "1", "--message-id", "1@corp.test", "--customer", "carol@corp.test"]).says(0);
        let secret = first.column("SELECT secret FROM outbox").concat();
        let children: Vec<Child> = (0..20)
            .map(|n| if n % 2 == 0 { &first } else { &second }.spawn(&["redeem", "-"], secret.as_bytes()))
            .collect();
        let mut statuses: Vec<_> =
            children.into_iter().map(|child| child.wait_with_output().unwrap().status.code().unwrap()).collect();
        statuses.sort_unstable();
        // One opens the ticket; of the others one renews the link, for whom came after it there is a newer one.
        assert_eq!(statuses[0], 0, "{place:?} {statuses:?}");
        assert!(statuses[1..].iter().all(|status| *status == 11 || *status == 12), "{place:?} {statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 12).count(), 1, "{place:?} {statuses:?}");
        assert_eq!(first.column("SELECT ticket_number FROM token WHERE state = 'active'"), ["1"], "{place:?}");
    }
}

#[test]
fn a_token_lives_from_mail_to_purge_in_every_store() {
    for place in PLACES {
        let (host, _other) = hosts(place);
        host.takes(&mail(1));
        assert!(run(host.command(&["deliver", "--", "false"]).env("X", ""), &mail(2)).status.code() == Some(75));
        run(&mut host.command(&["deliver", "--", "true"]), &mail(3)).ends(0);
        assert_eq!((host.count("token"), host.count("outbox")), (2, 2), "{place:?}");
        host.run(&["outbox", "list"]).says(0);
        host.run(&["ticket", "add", "1", "--message-id", "1@corp.test", "--customer", "carol@corp.test"]).says(0);
        host.run(&["customer", "disable", "carol@corp.test"]).says(0);
        assert!(String::from_utf8(host.run(&["customer", "list"]).says(0).stdout).unwrap().contains("invalid"));
        let listed = String::from_utf8(host.run(&["token", "list", "--json"]).says(0).stdout).unwrap();
        assert!(listed.contains("\"ticket\": \"1\"") || listed.contains("\"ticket\":\"1\""), "{listed}");
        host.run(&["ticket", "close", "1", "--at", "2020-01-01T00:00:00Z"]).says(0);
        host.run(&["ticket", "list"]).says(0);
        host.run(&["purge"]).says(0);
        assert_eq!((host.count("token"), host.count("outbox")), (1, 1), "{place:?}");
        let id = host.column("SELECT id FROM outbox").concat();
        host.run(&["outbox", "retry", &id]).says(0);
        host.run(&["outbox", "drop", &id]).says(0);
        assert_eq!(host.count("outbox"), 0, "{place:?}");
    }
}

#[test]
fn link_mails_leave_from_every_store() {
    for place in PLACES {
        let (host, _other) = hosts(place);
        host.append(
            "transport = \"file\"\nfrom = \"help@desk.test\"\n[one_time_auth]\nlink_url = \"https://desk.test/t/{{token}}\"\n",
        );
        for number in 0..3 {
            host.takes(&mail(number));
        }
        host.run(&["notify"]).says(0);
        assert_eq!((host.count("outbox"), host.count("sent"), host.count("worker")), (0, 3, 0));
        assert_eq!(std::fs::read_dir(host.path("mails")).unwrap().count(), 3, "{place:?}");
    }
}

#[test]
fn a_store_without_its_tables_defers() {
    for product in [Product::PostgreSql, Product::MariaDb] {
        let server = shared(product);
        let empty = host(&server.url(&server.empty_database()));
        empty.filter(&mail(1)).ends(75);
        let told = empty.run(&["token", "list"]).says(69).stderr;
        assert!(String::from_utf8_lossy(&told).contains("otab store migrate"), "{told:?}");

        let helpdesk = server.database();
        let theirs = host(&server.url(&helpdesk));
        theirs.run(&["store", "migrate"]).says(69);
        let sql = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name IN ('otab_schema', 'token', 'outbox') \
                   AND table_schema IN ('public', '";
        assert_eq!(server.client(&helpdesk, &format!("{sql}{helpdesk}')")), "0\n");

        empty.run(&["store", "migrate"]).says(0);
        server.client(&database(&empty), "INSERT INTO otab_schema VALUES (99)");
        empty.run(&["token", "list"]).says(69);
        empty.run(&["store", "migrate"]).says(69);
    }
}

#[test]
fn a_store_of_an_older_otab_defers_until_migrated() {
    for product in [Product::PostgreSql, Product::MariaDb] {
        let server = shared(product);
        let site = host(&server.url(&server.empty_database()));
        site.run(&["store", "migrate"]).says(0);
        assert_eq!(site.filter(&mail(1)).status.code(), Some(0));
        let sql = |sql: &str| server.client(&database(&site), sql);
        // The second time as if the migration had been broken off in the middle.
        for gone in ["DROP TABLE newcomer; DROP TABLE session; DROP TABLE link_mail", "DROP TABLE session"] {
            sql(&format!("DELETE FROM otab_schema WHERE version > 2; {gone}"));
            site.filter(&mail(2)).ends(75);
            let told = site.run(&["token", "list"]).says(69).stderr;
            assert!(String::from_utf8_lossy(&told).contains("otab store migrate"), "{told:?}");
            site.run(&["store", "migrate"]).says(0);
            site.run(&["store", "migrate"]).says(0);
            assert_eq!(sql("SELECT COUNT(*) FROM session"), "0\n");
            assert_eq!(sql("SELECT MAX(version) FROM otab_schema"), format!("{}\n", otab::store::LATEST));
            assert_eq!(sql("SELECT COUNT(*) FROM otab_schema"), format!("{}\n", otab::store::LATEST - 1));
            assert_eq!(sql("SELECT COUNT(*) FROM link_mail"), "0\n");
            assert_eq!(site.count("token"), 1);
        }
        assert_eq!(site.filter(&mail(2)).status.code(), Some(0));
        assert_eq!(site.count("token"), 2);
    }
}

/// The newest token is older than any may become: the next purge deletes it.
fn purge_the_last(site: &Site) {
    let last = site.ask("SELECT MAX(id) FROM token");
    site.sql(&format!("UPDATE token SET created_at = 0 WHERE id = {last}"));
    site.ends(0, &["purge"]);
    assert_ne!(site.ask("SELECT COALESCE(MAX(id), 0) FROM token"), last);
}

/// Each number is higher than any before, though its row is gone: also once the server was started anew, and once the
/// store has moved.
#[test]
fn a_purged_tokens_number_never_comes_again() {
    for place in PLACES {
        let mut server = match place {
            Place::Sqlite => None,
            Place::PostgreSql => Some(Server::start(Product::PostgreSql)),
            Place::MariaDb => Some(Server::start(Product::MariaDb)),
        };
        let store = server.as_ref().map_or_else(|| new_store(place), |server| server.url(&server.empty_database()));
        let site = host(&store);
        if server.is_some() {
            site.ends(0, &["store", "migrate"]);
        }
        let number = |site: &Site, which| {
            site.takes(&mail(which));
            site.ask("SELECT MAX(id) FROM token").parse::<i64>().unwrap()
        };
        assert_eq!((number(&site, 1), number(&site, 2)), (1, 2));
        purge_the_last(&site);
        if let Some(server) = &mut server {
            server.kill();
            server.restart();
        }
        // PostgreSQL skips some when it is killed.
        let third = number(&site, 3);
        assert!(third > 2, "{place:?}: {third}");
        purge_the_last(&site);
        for to in PLACES {
            let copy = target(&site, to);
            site.ends(0, &["store", "copy", "--keep", "--to", &copy]);
            let found = number(&pointing_to(&copy), 4);
            assert!(found > third, "{place:?} {to:?}: {found}");
        }
    }
}

#[test]
fn the_tables_on_every_server_have_the_files_columns() {
    let (file, _other) = hosts(Place::Sqlite);
    for place in [Place::PostgreSql, Place::MariaDb] {
        let (server, _other) = hosts(place);
        for table in TABLES.iter().map(|table| table.name).chain([LEFT]) {
            let own = if place == Place::PostgreSql { "current_schema()" } else { "DATABASE()" };
            let there = format!(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = {own} AND table_name = '{table}'"
            );
            let mut there = server.column(&there);
            let mut here = file.column(&format!("SELECT name FROM pragma_table_info('{table}')"));
            there.sort();
            here.sort();
            assert_eq!(there, here, "{place:?} {table}");
        }
    }
}

#[test]
fn init_makes_the_tables_that_a_second_host_finds() {
    for product in [Product::PostgreSql, Product::MariaDb] {
        let server = shared(product);
        let url = server.url(&server.empty_database());
        for _host in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("otab.toml");
            let config = path.to_str().unwrap();
            let ends = |args: &[&str], input: &[u8], status: i32| {
                let output = run(Site::otab().args(args).args(["--config", config]), input);
                assert_eq!(output.status.code(), Some(status), "{product:?} {args:?}: {output:?}");
            };
            // Somebody else's tables, and a typing error: nothing is written.
            ends(&["init", "--store", &server.url(&server.database())], b"", 69);
            ends(&["init", "--store", "postgres:nowhere"], b"", 64);
            assert!(!path.exists());
            ends(&["init", "--store", &url], b"", 0);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
            ends(&["filter"], &mail(1), 0);
            ends(&["token", "list"], b"", 0);
        }
        let name = url.rsplit('/').find_map(|part| part.split('?').next().filter(|part| part.starts_with("database")));
        assert_eq!(server.client(name.unwrap(), "SELECT COUNT(*) FROM token"), "1\n");
    }
}

#[test]
fn init_names_the_file_with_the_stores_password() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("a \"b\".secret");
    std::fs::write(&secret, "hunter2\n").unwrap();
    let path = folder.path().join("otab.toml");
    // This server asks nobody for a password.
    let server = shared(Product::PostgreSql);
    let url = server.url(&server.empty_database());
    let mut command = Site::otab();
    command.args(["init", "--store", &url, "--store-password-file"]).arg(&secret).arg("--config").arg(&path);
    run(&mut command, b"").ends(0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("hunter2") && text.contains("a \\\"b\\\".secret"), "{text}");
}
