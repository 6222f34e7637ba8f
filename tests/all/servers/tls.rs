//! Connections by TCP: passwords, certificates, and what is said to whom before one was shown.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use otab::db::{Access, Database, Error, Kind, Statements};

use super::server::{Product, Server};
use super::{WRITE, shared, url};

const BOTH: [Product; 2] = [Product::PostgreSql, Product::MariaDb];
const BUSY: Duration = Duration::from_secs(20);

fn open(text: &str) -> Result<Database, Error> {
    otab::store::open(&url(text), Access::ReadOnly, BUSY)
}

/// Whether the session is encrypted, by the server's word.
fn is_encrypted(product: Product, db: &mut Database) -> bool {
    let sql = match product {
        Product::PostgreSql => "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        Product::MariaDb => {
            "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'"
        }
    };
    db.row(sql, &[]).unwrap().unwrap().int(0).unwrap() == 1
}

#[test]
fn a_certificate_is_for_the_host_and_trusted() {
    for product in BOTH {
        let server = Server::start(product);
        let name = server.database();
        server.user(&name);
        let ca_file = format!("ca_file={}", server.authority().display());
        let mut good = open(&server.tcp_url("localhost", &name, &ca_file)).unwrap();
        assert!(is_encrypted(product, &mut good), "{product:?}");
        let stranger = format!("ca_file={}", shared(product).authority().display());
        for (host, query, what) in [
            ("127.0.0.1", ca_file.as_str(), "for another host"),
            ("localhost", stranger.as_str(), "by somebody else"),
            ("localhost", "sslmode=require", "by nobody whom the system knows"),
            ("localhost", "ca_file=/no/such/file", "nothing to check it with"),
        ] {
            let error = open(&server.tcp_url(host, &name, query)).unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable, "{product:?} {what}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}

#[test]
fn a_password_opens_by_tcp_and_a_wrong_one_does_not() {
    for product in BOTH {
        let server = Server::start(product);
        let name = server.database();
        server.user(&name);
        let text = server.tcp_url("127.0.0.1", &name, "");
        let mut db = open(&text).unwrap();
        assert!(!is_encrypted(product, &mut db));
        let error = open(&text.replace("hunter2", "hunter3")).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(!error.to_string().contains("hunter"), "{error}");
        // Who may only look is told so when he writes.
        let mut writer = otab::store::open(&url(&text), WRITE, BUSY).unwrap();
        let error = writer.execute("DELETE FROM customer_user", &[]).unwrap_err();
        assert_eq!(error.kind(), Kind::Denied, "{product:?} {error}");
        assert!(error.to_string().contains("denied"), "{error}");
    }
}

/// What MariaDB says first, without an offer of TLS.
const GREETING: &[u8] = b"\x4a\0\0\0\x0a5.7.99\0\x01\0\0\0saltsalt\0\x00\x82\x21\x02\0\x08\0\x15\
    \0\0\0\0\0\0\0\0\0\0saltsaltsalt\0mysql_native_password\0";

#[test]
fn without_tls_a_server_learns_no_user_or_password() {
    for (scheme, greeting, answer) in [("postgresql", &b""[..], &b"N"[..]), ("mysql", GREETING, b"")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            peer.write_all(greeting).unwrap();
            let mut heard = vec![0; 8];
            let length = peer.read(&mut heard).unwrap();
            heard.truncate(length);
            let _ = peer.write_all(answer);
            let _ = peer.read_to_end(&mut heard);
            heard
        });
        let text = format!("{scheme}://visitor:hunter2@127.0.0.1:{port}/helpdesk?sslmode=require");
        let error = open(&text).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        let heard = server.join().unwrap();
        let heard = String::from_utf8_lossy(&heard);
        assert!(!heard.contains("visitor") && !heard.contains("helpdesk"), "{scheme}: {heard:?}");
        let text = error.to_string();
        assert!(text.contains("TLS") || text.contains("secure connection"), "{text}");
    }
}
