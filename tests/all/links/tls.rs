//! Certificates: made by openssl, shown by a real Postfix, checked by otab.

use std::process::Command;

use super::postfix::{Office, office};
use crate::site::{Ended, Site};

/// An authority and a certificate for `name` in the folder of the workshop.
fn certify(folder: &std::path::Path, name: &str) {
    let script = format!(
        "set -e; cd '{}'
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority
         openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out request -subj /CN={name}
         printf 'subjectAltName=DNS:{name}' > extensions
         openssl x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out cert.pem",
        folder.display()
    );
    Command::new("sh").args(["-c", &script]).output().unwrap().says(0);
}

/// A Postfix with a certificate for `name`.
fn with_certificate(name: &str) -> Office {
    office(|workshop| {
        certify(&workshop.site.path("etc"), name);
        format!(
            "smtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\nsmtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1\n",
            workshop.place("etc/cert.pem"),
            workshop.place("etc/key.pem")
        )
    })
}

/// A desk that sends to this Postfix, with TLS, and trusts `ca`.
fn desk(office: &Office, tls: &str, ca: Option<&str>) -> Site {
    let port = if tls == "tls" { office.tls_port } else { office.postfix.port };
    let desk = Site::linking_to(port, "timeout = 20\n");
    desk.configure("host = \"127.0.0.1\"", "host = \"localhost\"");
    let ca = ca.map(|ca| format!("ca_file = \"{}\"\n", office.postfix.site.path(ca).display())).unwrap_or_default();
    desk.configure("tls = \"none\"\n", &format!("tls = \"{tls}\"\n{ca}"));
    desk.mails_of_carol(&["1@corp.test"]);
    desk
}

#[test]
fn a_good_certificate_gets_the_mail_both_ways() {
    let office = with_certificate("localhost");
    for (number, tls) in ["starttls", "tls"].into_iter().enumerate() {
        let desk = desk(&office, tls, Some("etc/ca.pem"));
        assert_eq!((desk.notify(), desk.orders()), (0, 0), "{tls}: {} {}", desk.log(), office.postfix.log());
        office.wait_for_mails(number + 1);
        assert_eq!(office.postfix.log().matches("TLS connection established from").count(), number + 1);
    }
}

#[test]
fn a_certificate_of_another_gets_no_mail() {
    let good = with_certificate("localhost");
    let other = with_certificate("mail.other.test");
    std::fs::copy(other.postfix.site.path("etc/ca.pem"), good.postfix.site.path("etc/other.pem")).unwrap();
    for tls in ["starttls", "tls"] {
        for (office, ca) in [(&good, None), (&good, Some("etc/other.pem")), (&other, Some("etc/ca.pem"))] {
            let desk = desk(office, tls, ca);
            assert_eq!((desk.notify(), desk.orders()), (75, 1), "{tls} {ca:?}: {}", desk.log());
            desk.logged(&["link mail 1: tried again", "certificate"]);
        }
    }
    for office in [good, other] {
        assert!(!office.postfix.log().contains("from=<>"), "{}", office.postfix.log());
    }
}

#[test]
fn a_file_with_authorities_that_is_bad_is_named() {
    let office = with_certificate("localhost");
    let desk = desk(&office, "starttls", Some("etc/nothing.pem"));
    assert_eq!((desk.notify(), desk.orders()), (75, 1));
    desk.logged(&["mail.ca_file", "nothing.pem"]);
    office.postfix.site.write("etc/nothing.pem", "no certificate");
    desk.later();
    assert_eq!((desk.notify(), desk.orders()), (75, 1), "{}", desk.log());
}

/// As Debian's ssl-cert makes one for its machine; `openssl req -x509` makes an authority, which is no server.
#[test]
fn a_self_signed_certificate_is_trusted_where_named() {
    for (is_authority, status) in [("FALSE", 0), ("TRUE", 75)] {
        let office = office(|workshop| {
            let done = Command::new("openssl")
                .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
                .args(["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"])
                .args(["-addext", &format!("basicConstraints=critical,CA:{is_authority}")])
                .current_dir(workshop.site.path("etc"))
                .output()
                .unwrap();
            assert!(done.status.success(), "{done:?}");
            format!(
                "smtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\nsmtpd_tls_security_level = may\n",
                workshop.place("etc/cert.pem"),
                workshop.place("etc/key.pem")
            )
        });
        let desk = desk(&office, "starttls", Some("etc/cert.pem"));
        // Whether or not this machine has any authorities of its own.
        let mut notify = desk.command(&["notify"]);
        let ended = notify.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/no/such").status().unwrap();
        assert_eq!(ended.code(), Some(status), "CA:{is_authority}: {}", desk.log());
        if status != 0 {
            desk.logged(&["tried again", "CaUsedAsEndEntity"]);
        }
    }
}
