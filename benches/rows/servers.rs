//! Customers on PostgreSQL and MariaDB, to the servers' own clients with the same SELECT: each starts and connects anew.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::call::{Call, Expect};
use crate::pairs::{alternate, program};
use crate::row::Row;
use crate::server::{Product, Server};
use crate::site::{KNOWN, Site};

/// Customers of a small site.
const CUSTOMERS: usize = 1000;

/// Customers there, and then the store as well.
pub fn measure(bench: &mut Bench) -> Result<()> {
    for (product, name, client) in
        [(Product::PostgreSql, "PostgreSQL", "psql"), (Product::MariaDb, "MariaDB", "mariadb")]
    {
        let server = Server::start(product);
        let customers = server.database();
        server.client(&customers, &people());
        for with_store in [false, true] {
            let site = Site::bare(&bench.wishes.otab, &bench.path(&format!("{name}-{with_store}")))?;
            let source = format!("name = \"CustomerUser\"\nurl = \"{}\"", server.url(&customers));
            site.set("name = \"CustomerUser\"", &source)?;
            if with_store {
                let file = format!("url = \"sqlite:{}\"", site.store().display());
                site.set(&file, &format!("url = \"{}\"", server.url(&server.empty_database())))?;
                site.otab(&["store", "migrate"], Path::new("/dev/null"), Expect::Anything).check()?;
            }
            let mail = site.known_mail()?;
            let select = select(product, &server.url(&customers))?;
            let pairs = alternate(
                bench.many(),
                &mut program(|_| Ok(select.clone())),
                &mut program(|_| Ok(site.filter(&mail, KNOWN))),
                &mut program(|_| Ok(select.clone())),
            )?;
            let what = if with_store { "customers and store" } else { "customers" };
            let row = Row::ratio(format!("{what} on {name}: known sender, to {client}"), pairs.ratio()?);
            bench.tell(row.below(0.8, 0.5).noise(pairs.noise_beside_servers()).note(pairs.note()));
        }
    }
    Ok(())
}

/// Statements that make the customers, the known one among them.
fn people() -> String {
    let person = |address: &str| {
        format!(
            "INSERT INTO customer_user (login, email, customer_id, pw, first_name, last_name, valid_id, create_time, \
             create_by, change_time, change_by) VALUES ('{address}', '{address}', '{address}', 'a hash', 'A', 'B', 1, \
             '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1);\n"
        )
    };
    let others = (1..CUSTOMERS).map(|n| person(&format!("person{n}@company.example")));
    others.chain([person(KNOWN)]).collect()
}

/// What otab asks for a sender, asked by the server's own client.
fn select(product: Product, url: &str) -> Result<Call> {
    let sql = format!(
        "SELECT login, email, customer_id, first_name, last_name, valid_id, \
         CASE WHEN pw IS NULL OR pw = '' THEN 0 ELSE 1 END, email, \
         CASE WHEN LOWER(email) IN (LOWER('{KNOWN}')) THEN 1 ELSE 0 END \
         FROM customer_user WHERE LOWER(email) IN (LOWER('{KNOWN}'))"
    );
    let expect = Expect::Text(KNOWN.to_owned());
    let nothing = Path::new("/dev/null");
    Ok(match product {
        Product::PostgreSql => {
            let psql = psql()?;
            Call::new([&*psql.to_string_lossy(), "-X", "-q", "-A", "-t", url, "-c", &sql], nothing, expect)
        }
        Product::MariaDb => {
            let (front, socket) = url.split_once("?socket=").context("the server has no socket")?;
            let (_, database) = front.rsplit_once('/').context("the server's URL has no database")?;
            let socket = format!("--socket={socket}");
            // Without these it would encrypt what goes through a socket, and read the names of all tables.
            let plain = ["--skip-ssl", "--no-auto-rehash"];
            let words = ["/usr/bin/mariadb", "--no-defaults", "--batch", "--skip-column-names", "--user=root"];
            let words = words.into_iter().chain(plain);
            Call::new(words.chain([&*socket, database, "-e", &sql]), nothing, expect)
        }
    })
}

/// PostgreSQL's own: what Debian has in `/usr/bin` is a script around it, which takes longer than its work.
fn psql() -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")?.map(|entry| Ok(entry?.path().join("bin/psql")));
    let versions: Vec<PathBuf> = versions.collect::<Result<_>>()?;
    versions.into_iter().filter(|psql| psql.exists()).max().context("no psql in /usr/lib/postgresql")
}
