//! A directory that goes away, hangs, and comes back: mails wait, and nobody whom it knows is made elsewhere.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use otab::db::ldap::{Connection, Place, Settings, Tls};

use super::super::cannot_be_looked_up;
use super::settings;
use super::site::before_sql;
use super::slapd::Slapd;
use crate::site::{Ended, mail};

const LIMIT: Duration = Duration::from_secs(2);

#[test]
fn the_directorys_customers_are_never_made_elsewhere() {
    let mut slapd = Slapd::start();
    assert!(slapd.person("cc", "carol@corp.test", "Corp"));
    let site = before_sql(&slapd, "");
    let known = |number: usize| {
        let output = site.filter(&mail(number)).ends(0);
        let fields = "X-OTOBO-CustomerUser: cc\nX-OTOBO-CustomerNo: Corp\nX-OTOBO-Customer: cc\n";
        assert!(output.stdout.starts_with(fields.as_bytes()), "{output:?}");
    };
    known(1);
    slapd.signal("STOP");
    let start = Instant::now();
    cannot_be_looked_up(&site.filter(&mail(2)), "hanging");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    slapd.signal("CONT");
    known(2);
    slapd.kill();
    cannot_be_looked_up(&site.filter(&mail(3)), "gone");
    slapd.restart();
    known(3);
    // Company accounts have passwords, so there is no token either.
    assert!(!site.path("otab.db").exists(), "nothing was recorded, and the store not even made");
    // Whom the directory does not know is made behind it.
    let stranger = String::from_utf8(mail(4)).unwrap().replace("carol@", "dave@");
    site.takes(stranger.as_bytes());
    assert_eq!(["customer_user", "token", "outbox"].map(|table| site.count(table)), [1, 1, 1]);
}

#[test]
fn the_source_says_what_becomes_of_a_mail_without_it() {
    let mut slapd = Slapd::start();
    let site = before_sql(&slapd, "on_error = \"deliver\"\n");
    slapd.kill();
    let output = site.filter(&mail(1)).ends(0);
    assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: unverified-sender\n"), "{output:?}");
    slapd.restart();
}

#[test]
fn a_server_that_goes_silent_is_given_up_in_time() {
    let slapd = Slapd::start();
    let url = slapd.url("ldap");
    let mut connection = Connection::open(&Place::new(&settings(&url)).unwrap(), LIMIT).unwrap();
    connection.search("(uid=x)", &["uid"], 1).unwrap();
    slapd.signal("STOP");
    let start = Instant::now();
    connection.search("(uid=x)", &["uid"], 1).unwrap_err();
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    let again = Instant::now();
    let error = connection.search("(uid=x)", &["uid"], 1).unwrap_err();
    assert!(again.elapsed() < Duration::from_millis(100) && error.to_string().contains("given up"), "{error}");
    drop(connection);
    assert!(start.elapsed() < LIMIT, "closing waits for nothing: {:?}", start.elapsed());
    slapd.signal("CONT");
}

#[test]
fn a_server_that_accepts_and_is_silent_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (scheme, tls) in [("ldap", None), ("ldap", Some(Tls::StartTls)), ("ldaps", None)] {
        let url = format!("{scheme}://localhost:{port}");
        let place = Place::new(&Settings { tls, ..settings(&url) }).unwrap();
        let start = Instant::now();
        let error = Connection::open(&place, LIMIT).unwrap_err();
        assert!(error.is_transient() && !error.to_string().contains("hunter2"), "{error}");
        assert!(start.elapsed() < LIMIT, "{scheme} {tls:?}: {:?}", start.elapsed());
    }
}
