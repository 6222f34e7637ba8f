//! Finding people in a directory, and not finding others: the story of the SQL sources, as far as it is read.

use otab::customer::{Directory, Error, HasPassword};
use otab::db::Kind;
use otab::db::ldap::Settings;

use super::slapd::BASE;
use super::{Bench, connections, parse, settings, source};

#[test]
fn each_address_finds_its_owner_by_the_first_login() {
    let mut bench = Bench::new();
    assert_eq!(bench.found("carol@corp.test"), "nobody");
    assert!(bench.slapd.person("b", "Carol@Corp.test", "corp"));
    assert!(bench.slapd.people(&[&[
        ("uid", b"C"),
        ("mail", b"other@corp.test"),
        ("mail", b"carol@corp.test"),
        ("description", b"third@corp.test"),
        ("o", b"corp"),
        ("givenName", b"Carol"),
    ]]));
    assert_eq!(bench.found("cAROL@corp.test"), "C");
    assert_eq!(bench.found("third@corp.test"), "C");
    assert_eq!(bench.found("dave@corp.test"), "nobody");
    let carol = bench.directory.by_login(&mut bench.dbs, "L", "C").unwrap().unwrap();
    assert_eq!((carol.email.as_str(), carol.customer_id.as_str()), ("other@corp.test", "corp"));
    assert_eq!((carol.first_name.as_str(), carol.last_name.as_str()), ("Carol", "Corp"));
    assert!(carol.valid && carol.has_password && carol.source == "L");
    assert_eq!(bench.directory.preference(&mut bench.dbs, "L", "C", "UserLanguage").unwrap(), None);
}

#[test]
fn no_directory_takes_a_look_alike_for_the_sender() {
    let mut bench = Bench::new();
    for (number, email) in [
        "caról@corp.test",
        "ｃarol@corp.test",
        "carol@corp.test ",
        " carol@corp.test",
        "carol@corp.test\0",
        "carol@corp.test\0.evil.test",
        "carol\u{200b}@corp.test",
        "c*@corp.test",
        "c_rol@corp.test",
        "carol\\2a@corp.test",
        "carol@corp.test)(uid=*",
    ]
    .into_iter()
    .enumerate()
    {
        let (login, email) = (format!("l{number}"), email.as_bytes());
        assert!(bench.slapd.people(&[&[("uid", login.as_bytes()), ("description", email), ("o", b"x")]]), "{number}");
    }
    assert_eq!(bench.found("carol@corp.test"), "nobody");
    assert_eq!(bench.found("*@corp.test"), "nobody");
    // An entry without an address to write to is in doubt, and nobody else's.
    assert_eq!(bench.found("c*@corp.test"), "invalid l7");
    assert_eq!(bench.found("c_rol@corp.test"), "invalid l8");
    assert!(bench.slapd.person("carol", "Carol@CORP.test", "x"));
    assert_eq!(bench.found("carol@corp.test"), "carol");
    assert_eq!(bench.found("c*@corp.test"), "invalid l7");
}

#[test]
fn an_international_domain_is_found_in_both_forms() {
    for stored in ["hans@müller.test", "hans@xn--mller-kva.test", "Hans@MÜLLER.test", "HANS@XN--MLLER-KVA.TEST"] {
        let mut bench = Bench::new();
        let values: &[(&str, &[u8])] =
            &[("uid", b"hans"), ("mail", b"h@x.test"), ("description", stored.as_bytes()), ("o", b"x")];
        assert!(bench.slapd.people(&[values]));
        assert_eq!(bench.found("hans@müller.test"), "hans", "{stored}");
        assert_eq!(bench.found("hans@xn--mller-kva.test"), "hans", "{stored}");
    }
}

#[test]
fn no_login_reaches_into_the_filter() {
    let mut bench = Bench::new();
    assert!(bench.slapd.person("Carol", "x@corp.test", "x"));
    assert!(bench.has_login("Carol"));
    let long = "C".repeat(100_000);
    for login in
        ["carol", "Caról", "Carol ", "Carol\0", "*", "C*", "*)(uid=*", "Carol)(|(uid=*", "\\2a", "", "(", "\\", &long]
    {
        assert!(!bench.has_login(login), "{login:?}");
    }
    // Two with one login are not one: nobody is let in by it.
    assert!(bench.slapd.person("Carol", "y@corp.test", "x"));
    let twice = bench.directory.by_login_anywhere(&mut bench.dbs, "Carol").unwrap().unwrap();
    assert!(!twice.valid);
}

#[test]
fn whatever_the_directory_calls_equal_is_a_claim() {
    for (login, company) in
        [("carol@corp.test", "x"), ("CAROL@Corp.Test", "x"), ("x", "carol@corp.test"), ("x", "  Carol@corp.test ")]
    {
        let mut bench = Bench::new();
        assert!(bench.slapd.person(login, "other@corp.test", company));
        assert!(bench.claimed("carol@corp.test"), "{login} {company}");
        assert!(bench.claimed("caról@corp.test"), "{login} {company}");
        assert!(!bench.claimed("dave@corp.test") && !bench.claimed("*@corp.test"));
        assert!(bench.directory.knows(&mut bench.dbs, "CAROL@corp.test").unwrap());
        assert!(!bench.directory.knows(&mut bench.dbs, "unverified-sender").unwrap());
    }
    let mut own = Bench::new();
    assert!(own.slapd.person("carol@corp.test", "Carol@corp.test", "carol@corp.test"));
    assert!(!own.claimed("carol@corp.test"));
    // By the address alone.
    let mut other = Bench::new();
    assert!(other.slapd.person("x", "Carol@corp.test", "y"));
    assert!(other.claimed("caról@corp.test") && !other.claimed("carol@corp.test"));
}

#[test]
fn an_entry_in_doubt_is_a_customer_who_is_not_valid() {
    let mut bench = Bench::new();
    let mail = b"carol@corp.test";
    assert!(bench.slapd.people(&[
        &[("uid", b"two"), ("uid", b"logins"), ("mail", mail), ("o", b"x")],
        &[("mail", b"none@corp.test"), ("o", b"x")],
        &[("uid", b"two-ids"), ("mail", b"ids@corp.test"), ("o", b"x"), ("o", b"y")],
        &[("uid", b"no-id"), ("mail", b"no-id@corp.test")],
    ]));
    assert!(bench.found("carol@corp.test").starts_with("invalid "));
    assert_eq!(bench.found("none@corp.test"), "invalid ");
    assert_eq!(bench.found("ids@corp.test"), "invalid two-ids");
    assert_eq!(bench.found("no-id@corp.test"), "invalid no-id");
    assert!(!bench.has_login("two") && !bench.has_login(""));

    // An attribute that may hold any bytes, in the place of one that may not.
    let mut bytes = Bench::with(|source| source.names.customer_id = "userPassword".to_owned());
    for (login, value) in [("text", &b"corp"[..]), ("bytes", b"c\xff\xfe")] {
        let mail = format!("{login}@corp.test");
        assert!(bytes.slapd.people(&[&[
            ("uid", login.as_bytes()),
            ("mail", mail.as_bytes()),
            ("userPassword", value)
        ]]));
    }
    assert_eq!(bytes.found("text@corp.test"), "text");
    assert_eq!(bytes.found("bytes@corp.test"), "invalid bytes");
}

#[test]
fn the_filter_says_who_exists_and_who_is_valid() {
    let mut bench = Bench::with(|source| {
        source.names.valid = Some("employeeType".to_owned());
        source.names.customer_id = "mail".to_owned();
        source.has_password = HasPassword::Never;
    });
    for (login, value) in [("one", &b"1"[..]), ("yes", b"TRUE"), ("no", b"2"), ("off", b"FALSE")] {
        let mail = format!("{login}@corp.test");
        assert!(bench.slapd.people(&[&[
            ("uid", login.as_bytes()),
            ("mail", mail.as_bytes()),
            ("employeeType", value)
        ]]));
    }
    assert!(bench.slapd.person("unset", "unset@corp.test", "x"));
    for (login, valid) in [("one", true), ("yes", true), ("no", false), ("off", false), ("unset", false)] {
        let found = bench.directory.by_login(&mut bench.dbs, "L", login).unwrap().unwrap();
        assert_eq!((found.valid, found.has_password), (valid, false), "{login}");
        assert_eq!(found.customer_id, format!("{login}@corp.test"));
    }
    let url = bench.slapd.url("ldap");
    let narrow = source(&Settings { filter: "(!(employeeType=2))", ..settings(&url) });
    let directory = Directory::new(vec![narrow]);
    let mut found = |login: &str| directory.by_login_anywhere(&mut bench.dbs, login).unwrap().is_some();
    assert!(found("one") && !found("no"));
}

#[test]
fn all_are_listed_page_by_page_in_order_of_login() {
    let mut bench = Bench::new();
    let logins: Vec<String> = (0..250).map(|number| format!("u{number:03}")).collect();
    let people: Vec<Vec<(&str, &[u8])>> = logins
        .iter()
        .rev()
        .map(|login| vec![("uid", login.as_bytes()), ("mail", b"x@corp.test"), ("o", b"x")])
        .collect();
    assert!(bench.slapd.people(&people.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let all = bench.directory.list(&mut bench.dbs, "L", None).unwrap();
    assert_eq!(all.iter().map(|customer| &customer.login).collect::<Vec<_>>(), logins.iter().collect::<Vec<_>>());
    assert_eq!(bench.directory.list(&mut bench.dbs, "L", Some(2)).unwrap()[1].login, "u001");
}

#[test]
fn references_are_passed_by_and_a_wrong_base_fails() {
    let mut bench = Bench::new();
    bench.slapd.reference("ldap://127.0.0.1:1/ou=elsewhere,dc=corp,dc=test");
    assert!(bench.slapd.person("carol", "carol@corp.test", "x"));
    assert_eq!(bench.found("carol@corp.test"), "carol");
    let url = bench.slapd.url("ldap");
    for (base, word) in [("dc=other,dc=test", "referral"), ("ou=no,dc=corp,dc=test", "no such object")] {
        let directory = Directory::new(vec![source(&Settings { base, ..settings(&url) })]);
        let error = directory.find(&mut connections(), &parse("carol@corp.test")).unwrap_err();
        assert!(error.is_transient() && error.to_string().contains(word), "{error}");
    }
}

#[test]
fn no_name_is_needed_and_a_wrong_password_is_an_error() {
    let bench = Bench::new();
    assert!(bench.slapd.person("carol", "carol@corp.test", "x"));
    let url = bench.slapd.url("ldap");
    let login = |settings: &Settings<'_>| {
        let directory = Directory::new(vec![source(settings)]);
        directory.by_login_anywhere(&mut connections(), "carol")
    };
    let nobody = Settings { url: &url, base: BASE, page_size: 100, ..Settings::default() };
    assert!(login(&nobody).unwrap().is_some());
    let error = login(&Settings { password: Some("hunter3"), ..settings(&url) }).unwrap_err();
    let Error::Db { source_name, error } = error else { panic!("{error}") };
    assert_eq!((source_name.as_str(), error.kind()), ("L", Kind::Unavailable));
    assert!(error.to_string().contains("invalid credentials") && !error.to_string().contains("hunter"), "{error}");
}
