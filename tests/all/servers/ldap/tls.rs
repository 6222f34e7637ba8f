//! Certificates: checked, by `ldaps` and by `StartTLS`.

use otab::customer::Directory;
use otab::db::ldap::{Settings, Tls};

use super::slapd::Slapd;
use super::{connections, secured, source};

fn opens(settings: &Settings<'_>) -> Result<bool, String> {
    let directory = Directory::new(vec![source(settings)]);
    directory.by_login_anywhere(&mut connections(), "carol").map(|found| found.is_some()).map_err(|e| e.to_string())
}

#[test]
fn a_certificate_is_for_the_host_and_trusted() {
    let (slapd, stranger) = (Slapd::start(), Slapd::start());
    assert!(slapd.person("carol", "carol@corp.test", "x"));
    for (scheme, tls) in [("ldaps", None), ("ldap", Some(Tls::StartTls))] {
        let url = slapd.url(scheme);
        assert_eq!(opens(&secured(&url, tls, slapd.authority())), Ok(true), "{scheme}");
        let elsewhere = url.replace("localhost", "127.0.0.1");
        for (what, settings) in [
            ("for another host", secured(&elsewhere, tls, slapd.authority())),
            ("by somebody else", secured(&url, tls, stranger.authority())),
            ("nothing to check it with", secured(&url, tls, "/no/such/file".into())),
            ("by nobody whom the system knows", Settings { ca_file: None, ..secured(&url, tls, "x".into()) }),
        ] {
            let error = opens(&settings).unwrap_err();
            assert!(error.contains("customer source `L`") && !error.contains("hunter2"), "{scheme} {what}: {error}");
        }
    }
}
