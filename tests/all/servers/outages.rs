//! A customer source that goes away, hangs, and comes back: mails wait, and nobody is made twice.

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use otab::db::{Kind, Statements};

use super::server::{Product, Server};
use super::{WRITE, cannot_be_looked_up, shared, url};
use crate::site::{Ended, Site, mail, piped};

const BOTH: [Product; 2] = [Product::PostgreSql, Product::MariaDb];
/// Long enough for a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(6);

fn site(url: &str, more: &str) -> Site {
    let log = "[log]\nfile = \"otab.log\"\nsyslog = false\n";
    Site::new(&format!(
        "{log}[limits]\ndecide = 4\n[[customer_user]]\nname = \"CustomerUser\"\nurl = \"{url}\"\n{more}"
    ))
}

#[test]
fn mails_wait_while_the_server_is_gone() {
    for product in BOTH {
        let mut server = Server::start(product);
        let name = server.database();
        let site = site(&server.url(&name), "");
        let what = format!("{product:?}");
        site.takes(&mail(1));

        server.signal("STOP");
        let start = Instant::now();
        cannot_be_looked_up(&site.filter(&mail(2)), &what);
        assert!(start.elapsed() < Duration::from_secs(4), "{what}: {:?}", start.elapsed());
        server.signal("CONT");
        assert!(site.filter(&mail(2)).status.success(), "{what}");

        server.kill();
        cannot_be_looked_up(&site.filter(&mail(3)), &what);
        server.restart();
        site.filter(&mail(3)).ends(0);
        assert_eq!(server.client(&name, "SELECT COUNT(*) FROM customer_user"), "1\n");
        assert_eq!((site.count("token"), site.count("outbox")), (3, 3));
        // The log says more than the mail server learns, and names no password.
        let log = site.read("otab.log");
        assert_eq!(log.matches("deferred: the customers cannot be looked up: customer source").count(), 2, "{log}");
    }
}

/// Runs a filter for each mail at once, and does something when half of them have begun; the deferred mails.
fn all_at_once(site: &Site, mails: &[usize], meanwhile: impl FnOnce()) -> Vec<usize> {
    let start = |number: &usize| {
        let mut command = site.command(&["filter"]);
        let mut child = piped(&mut command);
        child.stdin.take().unwrap().write_all(&mail(*number)).unwrap();
        (*number, child)
    };
    let (first, second) = mails.split_at(mails.len() / 2);
    let mut children: Vec<_> = first.iter().map(start).collect();
    meanwhile();
    children.extend(second.iter().map(start));
    let mut deferred = Vec::new();
    for (number, child) in children {
        let output = child.wait_with_output().unwrap();
        match output.status.code() {
            Some(0) => assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n"), "{output:?}"),
            Some(75) => {
                assert!(output.stdout.is_empty(), "{output:?}");
                deferred.push(number);
            }
            _ => panic!("{output:?}"),
        }
    }
    deferred
}

#[test]
fn twenty_filters_lose_nothing_though_the_server_dies() {
    for product in BOTH {
        let mut server = Server::start(product);
        let (store, customers) = (server.empty_database(), server.database());
        let text = format!(
            "[store]\nurl = \"{}\"\n[log]\nsyslog = false\n[limits]\ndecide = 8\n\
             [[customer_user]]\nname = \"CustomerUser\"\nurl = \"{}\"\n",
            server.url(&store),
            server.url(&customers)
        );
        let site = Site::new("");
        site.write("otab.toml", &text);
        let migrate = site.command(&["store", "migrate"]).status();
        assert!(migrate.unwrap().success());
        let mut waiting: Vec<usize> = (0..20).collect();
        for _ in 0..3 {
            let before = waiting.len();
            waiting = all_at_once(&site, &waiting, || server.kill());
            assert!(waiting.len() >= before / 2, "{product:?}: nobody noticed");
            server.restart();
        }
        waiting = all_at_once(&site, &waiting, || {});
        assert!(waiting.is_empty(), "{product:?}: {waiting:?}");
        let count = |database: &str, table: &str| server.client(database, &format!("SELECT COUNT(*) FROM {table}"));
        assert_eq!(count(&customers, "customer_user"), "1\n", "{product:?}");
        assert_eq!((count(&store, "token"), count(&store, "outbox")), ("20\n".into(), "20\n".into()), "{product:?}");
    }
}

#[test]
fn a_server_that_goes_silent_is_given_up_in_time() {
    for product in BOTH {
        let server = Server::start(product);
        let mut db = otab::store::open(&url(&server.url(&server.database())), WRITE, LIMIT).unwrap();
        db.rows("SELECT 1", &[]).unwrap();
        server.signal("STOP");
        let start = Instant::now();
        assert_eq!(db.rows("SELECT 1", &[]).unwrap_err().kind(), Kind::Busy, "{product:?}");
        assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
        let again = Instant::now();
        assert_eq!(db.rows("SELECT 1", &[]).unwrap_err().kind(), Kind::Unavailable, "{product:?}");
        assert!(again.elapsed() < Duration::from_millis(100), "{:?}", again.elapsed());
        drop(db);
        assert!(start.elapsed() < LIMIT, "closing waits for nothing: {:?}", start.elapsed());
    }
}

#[test]
fn a_server_that_accepts_and_is_silent_is_given_up() {
    for scheme in ["postgresql", "mysql"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = format!("{scheme}://u:hunter2@127.0.0.1:{}/d", listener.local_addr().unwrap().port());
        let start = Instant::now();
        let error = otab::store::open(&url(&text), WRITE, LIMIT).unwrap_err();
        assert!(matches!(error.kind(), Kind::Unavailable | Kind::Busy) && error.is_transient(), "{error}");
        assert!(start.elapsed() < LIMIT, "{scheme}: {:?}", start.elapsed());
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn each_source_says_what_becomes_of_a_mail_without_it() {
    for product in BOTH {
        let source = shared(product).url("no_such_database");
        let strict = site(&source, "");
        strict.filter(&mail(1)).is_deferred("strict");
        let lenient = site(&source, "on_error = \"deliver\"\n");
        let output = lenient.filter(&mail(1)).ends(0);
        assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: unverified-sender\n"), "{output:?}");
        let log = lenient.read("otab.log");
        assert!(log.contains("no_such_database"), "{log}");
    }
}
