//! Whole sites with a directory: the commands for people, and what a configuration may not say.

use super::slapd::{ADMIN, BASE, PASSWORD, Slapd};
use crate::site::{Ended, Site, chmod, mail, run};

/// The entry of a directory.
fn entry(slapd: &Slapd, more: &str) -> String {
    format!(
        "[[customer_user]]\nname = \"Company\"\nurl = \"{}\"\nbase = \"{BASE}\"\nbind_dn = \"{ADMIN}\"\n\
         password = \"{PASSWORD}\"\nfilter = \"(objectClass=inetOrgPerson)\"\ncustomer_id = \"o\"\n{more}",
        slapd.url("ldap")
    )
}

/// The directory first, and behind it the store, in which customers are made.
pub fn before_sql(slapd: &Slapd, more: &str) -> Site {
    let entry = entry(slapd, more);
    Site::new(&format!("[limits]\ndecide = 4\n{entry}[[customer_user]]\nname = \"CustomerUser\"\n"))
}

fn people(site: &Site, words: &str) -> (Option<i32>, String) {
    let output = site.run(&words.split(' ').collect::<Vec<_>>());
    (output.status.code(), output.said())
}

#[test]
fn people_see_the_directory_and_change_nothing_there() {
    let slapd = Slapd::start();
    assert!(slapd.person("cc", "carol@corp.test", "Corp"));
    let site = before_sql(&slapd, "");
    site.takes(&mail(1));
    let (status, text) = people(&site, "customer list --backend Company");
    assert!(status == Some(0) && text.contains("cc") && text.contains("valid, with a password"), "{text}");
    let (status, text) = people(&site, "customer show cc");
    assert!(status == Some(0) && text.contains("carol@corp.test") && text.contains("Company"), "{text}");
    for words in ["customer add dave@corp.test --backend Company", "customer disable cc --backend Company"] {
        let (status, text) = people(&site, words);
        assert!(status == Some(77) && text.contains("read-only"), "{words}: {status:?} {text}");
    }
    let (_, text) = people(&site, "check");
    assert!(text.contains("the source Company answers (a directory): customers: 1, of them valid: 1"), "{text}");
}

#[test]
fn a_directorys_customer_gets_a_token_too() {
    let slapd = Slapd::start();
    assert!(slapd.person("cc", "carol@corp.test", "Corp"));
    let site = before_sql(&slapd, "has_password = \"never\"\n");
    site.takes(&mail(1));
    assert_eq!(["customer_user", "token", "outbox"].map(|table| site.count(table)), [0, 1, 1]);
}

#[test]
fn nobody_is_to_be_made_in_a_directory() {
    let slapd = Slapd::start();
    let site = before_sql(&slapd, "");
    run(site.command(&["filter"]).args(["--backend", "Company"]), &mail(1)).ends(75);
    let alone = Site::new(&format!("[postmaster]\ncustomer_user_backend = \"Company\"\n{}", entry(&slapd, "")));
    let (status, text) = people(&alone, "check");
    assert!(status == Some(78) && text.contains("since it is LDAP"), "{text}");
    assert_eq!(alone.filter(&mail(1)).status.code(), Some(75));
}

#[test]
fn the_check_notes_a_directory_without_customers() {
    let slapd = Slapd::start();
    let site = before_sql(&slapd, "");
    chmod(site.path("otab.toml"), 0o600);
    let (status, text) = people(&site, "check");
    assert!(status == Some(0) && text.contains("note  customers: the source Company: nobody is in it"), "{text}");
    // Without a customer id.
    assert!(slapd.people(&[&[("uid", b"cc"), ("mail", b"carol@corp.test")]]));
    let (status, text) = people(&site, "check");
    assert!(status == Some(0) && text.contains("Company: none of its customers is valid"), "{text}");
    assert!(slapd.person("dd", "dave@corp.test", "Corp"));
    let (_, text) = people(&site, "check");
    assert!(!text.contains("is valid\n") && !text.contains("nobody is in it"), "{text}");
}

#[test]
fn the_check_counts_a_directorys_addresses() {
    let slapd = Slapd::start();
    assert!(slapd.person("c1", "Carol@corp.test", "gmx.de"));
    assert!(slapd.person("c2", "carol@corp.test", "GMX.de"));
    for number in 0..20 {
        assert!(slapd.person(&format!("u{number}"), &format!("u{number}@corp.test"), "Big"));
    }
    let site = before_sql(&slapd, "");
    chmod(site.path("otab.toml"), 0o600);
    site.takes(&mail(1));
    let (status, text) = people(&site, "check");
    assert_eq!(status, Some(0), "{text}");
    for words in [
        "Company: addresses of more than one customer: 1: carol@corp.test (2)",
        "Company: customers who share the customer id Big: 20",
        "nor a company of the helpdesk's: 2: gmx.de (2)",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
