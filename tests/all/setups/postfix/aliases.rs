//! `examples/postfix-aliases`: a command in an alias file.

use std::process::Command;

use super::pipe::KEEP;
use super::{Postfix, Workshop};
use crate::setups::{Shipped, forged, give, large};
use crate::site::mail;

fn start(stage: &str) -> Postfix {
    let workshop = Workshop::new(stage, "");
    let place = |name: &str| workshop.place(name);
    // Postfix gives the command the user's primary group: as Znuny's user has it, that has to be the web server's.
    let cache = Command::new("chgrp").args(["nogroup", &place("cache")]).status();
    assert!(cache.unwrap().success());
    Shipped::read("postfix-aliases/aliases")
        .with("/usr/local/bin/otab", place("otab-binary"))
        .with("/etc/otab/otab.toml", place("otab.toml"))
        .with("-- /opt/otobo/bin/otobo.Console.pl", format!("-- {}", place("stage")))
        .write(&workshop.site, "etc/otab-aliases");
    let main = format!("alias_maps = hash:{}, hash:{}\n", place("etc/aliases"), place("etc/otab-aliases"));
    std::fs::write(workshop.site.path("etc/main.cf"), "").unwrap();
    let made = Command::new("postalias").arg("-c").arg(place("etc")).arg(place("etc/otab-aliases")).status();
    assert!(made.unwrap().success());
    // As the file says.
    give(&workshop.site, "etc/otab-aliases.db", "nobody");
    workshop.start(&main, "", &[])
}

#[test]
fn a_new_customers_mail_has_its_fields_and_no_forged() {
    let postfix = start(KEEP);
    postfix.send("carol@corp.test", &forged());
    postfix.wait_for("status=sent", 1);
    let text = String::from_utf8(postfix.arrived("arrived")).unwrap();
    assert!(text.contains("X-OTOBO-CustomerUser: carol@corp.test\n") && text.ends_with("Hello\n"), "{text}");
    assert!(!text.contains("root") && !text.contains("Raw"), "{text}");
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn while_otab_cannot_work_the_mail_stays_in_the_queue() {
    let postfix = start(KEEP);
    postfix.while_otab_is_broken("carol@corp.test", &mail(1));
    postfix.wait_for("status=sent", 1);
    postfix.bounced_nothing();
    postfix.arrived("arrived");
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn a_failed_next_stage_defers_and_doubles_no_token() {
    let postfix = start("[ -e ../ready ] || exit 1; cat > mail");
    postfix.send("carol@corp.test", &mail(1));
    postfix.wait_for("status=deferred", 1);
    assert_eq!(postfix.counts(), (1, 0));
    postfix.site.write("ready", "");
    postfix.flush();
    postfix.wait_for("status=sent", 1);
    postfix.bounced_nothing();
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn a_bounce_makes_no_customer() {
    let postfix = start(KEEP);
    postfix.send("", &mail(1));
    postfix.wait_for("status=sent", 1);
    postfix.arrived("arrived");
    assert_eq!(postfix.counts(), (0, 0));
}

#[test]
fn an_attachment_of_25_mb_arrives_byte_for_byte() {
    let postfix = start(KEEP);
    let mail = large();
    postfix.takes_large_mails();
    postfix.send("carol@corp.test", mail);
    postfix.wait_for("status=sent", 1);
    assert!(postfix.arrived("arrived").ends_with(mail));
}
