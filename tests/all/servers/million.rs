//! Many customers and many tokens on the servers: that nobody is missed among them, and what a mail costs, as a
//! ratio to the server's own client with the same SQL in the same run.
//!
//! With `OTAB_LONG=1` there are a million of each, else some thousands. Times are printed, not judged: to see
//! them, `OTAB_LONG=1 cargo test --test all million -- --nocapture`.

use std::time::{Duration, Instant};

use super::server::{Product, Server};
use super::shared;
use crate::site::{Ended, Site};

/// Pairs of runs; the medians are compared.
const PAIRS: usize = 7;

fn how_many() -> usize {
    if std::env::var_os("OTAB_LONG").is_some() { 1_000_000 } else { 20_000 }
}

/// A helpdesk with that many customers, and a site with that many tokens in its store.
struct Crowd {
    product: Product,
    server: &'static Server,
    helpdesk: String,
    site: Site,
}

impl Crowd {
    fn new(product: Product) -> Self {
        let server = shared(product);
        let (helpdesk, store) = (server.database(), server.empty_database());
        let source = format!("[[customer_user]]\nname = \"CustomerUser\"\nurl = \"{}\"\n", server.url(&helpdesk));
        let site = Site::at(&server.url(&store), &format!("{source}[limits]\ndecide = 60\n[mail]\nwake = false\n"));
        site.ends(0, &["store", "migrate"]);
        let this = Self { product, server, helpdesk, site };
        let n = how_many();
        let (series, hash) = match product {
            Product::PostgreSql => (
                format!("(SELECT generate_series(1, {n}) AS n) s"),
                "encode(sha256(CAST(CAST(n AS TEXT) AS BYTEA)), 'hex')",
            ),
            Product::MariaDb => (format!("(SELECT seq AS n FROM seq_1_to_{n}) s"), "SHA2(n, 256)"),
        };
        let address = "CONCAT('person', n, '@company', n % 1000, '.test')";
        let customers = format!(
            "INSERT INTO customer_user (login, email, customer_id, pw, first_name, last_name, valid_id, create_time, \
             create_by, change_time, change_by) SELECT {address}, {address}, CONCAT('company', n % 1000), 'hash', 'P', \
             CONCAT('N', n), 1, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1 FROM {series};"
        );
        let tokens = format!(
            "INSERT INTO token (hash, mail_key, state, customer, email, backend, message_id, created_at, changed_at) \
             SELECT {hash}, {hash}, 'active', {address}, {address}, 'CustomerUser', CONCAT('<', n, '@x.test>'), \
             1750000000 + n, 1750000000 + n FROM {series};"
        );
        let analyze = |table: &str| match product {
            Product::PostgreSql => format!("VACUUM ANALYZE {table};"),
            Product::MariaDb => format!("ANALYZE TABLE {table};"),
        };
        this.sql(&customers);
        this.sql(&analyze("customer_user"));
        server.client(&store, &tokens);
        server.client(&store, &analyze("token"));
        this
    }

    fn sql(&self, sql: &str) -> String {
        self.server.client(&self.helpdesk, sql)
    }

    /// What `otab filter` makes of a mail from there.
    fn filter(&self, from: &str) -> String {
        let mail = format!("From: {from}\nMessage-ID: <{from}>\nSubject: Hello\n\nHello\n");
        self.site.takes(mail.as_bytes()).out()
    }

    /// What `otab check` has to say about the index that a look-up needs, if anything.
    #[allow(clippy::print_stderr, reason = "it is what the measurement is for")]
    fn check_on_the_index(&self) -> Option<String> {
        let found: serde_json::Value = self.site.run(&["check", "--json"]).json();
        let found = found.as_array().unwrap().iter();
        let mut found = found.filter(|finding| finding["says"].as_str().unwrap().contains("no index serves"));
        let says = found.next().map(|finding| format!("{} -> {}", finding["says"], finding["remedy"]));
        eprintln!("{:?}: otab check: {}", self.product, says.as_deref().unwrap_or("nothing about an index"));
        says
    }

    /// What otab asks for a sender, asked by the server's own client.
    fn select(&self, address: &str) -> String {
        self.sql(&format!(
            "SELECT login, email, customer_id, first_name, last_name, valid_id, \
             CASE WHEN pw IS NULL OR pw = '' THEN 0 ELSE 1 END, email, \
             CASE WHEN LOWER(email) IN (LOWER('{address}')) THEN 1 ELSE 0 END \
             FROM customer_user WHERE LOWER(email) IN (LOWER('{address}'))"
        ))
    }

    /// Prints what two things cost, in turns.
    #[allow(clippy::print_stderr, reason = "it is what the measurement is for")]
    fn compare(&self, what: &str, mut ours: impl FnMut(usize), mut theirs: impl FnMut(usize)) {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            a.push(timed(|| ours(pair)));
            b.push(timed(|| theirs(pair)));
        }
        let (a, b) = (median(a), median(b));
        let ratio = a.as_secs_f64() / b.as_secs_f64();
        eprintln!(
            "{:?}, {} of each: {what}: {:.1} ms, the client's SELECT {:.1} ms, ratio {ratio:.2}",
            self.product,
            how_many(),
            a.as_secs_f64() * 1e3,
            b.as_secs_f64() * 1e3
        );
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn person(n: usize) -> String {
    format!("person{n}@company{}.test", n % 1000)
}

#[test]
fn among_a_million_everybody_is_found() {
    for product in [Product::PostgreSql, Product::MariaDb] {
        let crowd = Crowd::new(product);
        // Each has a password, so that the look-up is all that a known sender costs.
        let known = |pair: usize| person(how_many() / (pair + 2));
        for index in [None, Some(product)] {
            let with = match index {
                None => "no index on email",
                Some(Product::PostgreSql) => {
                    crowd.sql("CREATE INDEX by_email ON customer_user (LOWER(email)); ANALYZE customer_user");
                    "an index on LOWER(email)"
                }
                Some(Product::MariaDb) => {
                    crowd.sql("CREATE INDEX by_email ON customer_user (email); ANALYZE TABLE customer_user");
                    "an index on email"
                }
            };
            let lacking = crowd.check_on_the_index();
            assert_eq!(lacking.is_some(), index.is_none(), "{product:?}, {with}: {lacking:?}");
            crowd.compare(
                &format!("a known sender, {with}"),
                |pair| {
                    let came = crowd.filter(&known(pair).to_uppercase());
                    assert!(came.starts_with(&format!("X-OTOBO-CustomerUser: {}\n", known(pair))), "{came}");
                },
                |pair| assert_eq!(crowd.select(&known(pair)).lines().count(), 1),
            );
            crowd.compare(
                &format!("a new sender, {with}"),
                |pair| {
                    let new = format!("new{pair}.{}@fresh.test", index.is_some());
                    assert!(crowd.filter(&new).starts_with(&format!("X-OTOBO-CustomerUser: {new}\n")));
                },
                |pair| assert_eq!(crowd.select(&format!("nobody{pair}@fresh.test")), ""),
            );
        }
        let made =
            crowd.sql("SELECT COUNT(*), COUNT(DISTINCT login) FROM customer_user WHERE email LIKE '%@fresh.test'");
        assert_eq!(made.trim(), format!("{0}|{0}", 2 * PAIRS), "{product:?}");
    }
}
