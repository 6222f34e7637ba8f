//! `examples/postfix-pipe`: straight into the ticket system.

use super::{Postfix, SHARED, Workshop, shared_by_a_group};
use crate::setups::session::{Protocol, Session};
use crate::setups::{Shipped, wait_for};
use crate::site::mail;

/// One file a mail, under a name of its own, once it is whole.
pub const KEEP: &str = "cat > .$$ && mv .$$ mail.$$";

pub fn start(stage: &str, more: &str) -> Postfix {
    start_as(Workshop::new(stage, more), "nobody:www-data")
}

/// With this user and group beside the pipe.
fn start_as(workshop: Workshop, user: &str) -> Postfix {
    let place = |name: &str| workshop.place(name);
    let main = Shipped::read("postfix-pipe/main.cf").with("/etc/postfix/otab", place("etc/otab")).text();
    Shipped::read("postfix-pipe/otab").with("desk.example", "desk.test").write(&workshop.site, "etc/otab");
    let pipe = Shipped::read("postfix-pipe/master.cf")
        .with("user=otobo:www-data", format!("user={user}"))
        .with("/usr/local/bin/otab", place("otab-binary"))
        .with("/etc/otab/otab.toml", place("otab.toml"))
        .with("/opt/otobo/bin/otobo.Console.pl", place("stage"))
        .text();
    workshop.start(&main, &pipe, &[("postmap", "otab")])
}

#[test]
fn the_address_is_known_and_others_still_are_not() {
    let postfix = start(KEEP, "");
    // It has neither an alias nor a mailbox any more.
    let mut session = Session::open(Protocol::Smtp, postfix.port);
    session.command("MAIL FROM:<carol@corp.test>", "250");
    assert!(session.ask("RCPT TO:<nobody-such@desk.test>").starts_with("550"), "{}", postfix.log());
    postfix.wait_for("User unknown in local recipient table", 1);
    assert!(session.ask("RCPT TO:<help@desk.test>").starts_with("250"), "{}", postfix.log());
    postfix.send("carol@corp.test", &mail(1));
    postfix.wait_for("status=sent", 1);
    postfix.bounced_nothing();
    postfix.arrived("arrived");
}

#[test]
fn the_web_server_gets_nothing_of_otabs() {
    let log = "[log]\nsyslog = false\nfile = \"otab/otab.log\"\n[mail]\ntransport = \"file\"\nfolder = \"otab/mails\"\n\
        from = \"help@desk.test\"\n[one_time_auth]\nlink_url = \"https://h.test/t/{{token}}\"\n";
    let postfix = start(KEEP, log);
    postfix.send("carol@corp.test", &mail(1));
    postfix.wait_for("status=sent", 1);
    wait_for(&postfix.site.path("otab/otab.log"), "sent", 1);
    // The pipe has the web server's group. Nothing that it has made is that group's to read, wherever it is kept.
    let script = format!(
        "cd '{}' && find otab otab.toml -perm /077 -print; find otab -type f | grep -c .; find otab -name '*.eml' | grep -c .",
        postfix.site.folder().display()
    );
    let found = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    let lines: Vec<&str> = found.lines().collect();
    assert!(lines.len() == 2 && lines[0].parse::<usize>().unwrap() >= 3 && lines[1] == "1", "{found}");
}

#[test]
fn a_group_that_otabs_users_share_does_as_well() {
    let workshop = Workshop::new(KEEP, "");
    shared_by_a_group(&workshop.site);
    // Then the one group is otab's, and the console must do without the web server's.
    workshop.site.program("stage", &format!("#!/bin/sh\ncd '{}'\n{KEEP}\n", workshop.place("arrived")));
    let postfix = start_as(workshop, &format!("nobody:{SHARED}"));
    postfix.send("carol@corp.test", &mail(1));
    postfix.wait_for("status=sent", 1);
    postfix.arrived("arrived");
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn hostile_envelope_senders_are_only_arguments() {
    let postfix = start(KEEP, "");
    let senders = [
        r#""$(touch pwned)"@evil.test"#,
        r#""a'b;touch $IFS"@evil.test"#,
        r#""x --help"@evil.test"#,
        "`a`|b@evil.test",
    ];
    for sender in senders {
        postfix.send(sender, &mail(1));
    }
    postfix.wait_for("status=sent", senders.len());
    assert_eq!(postfix.files("arrived").len(), senders.len());
    postfix.bounced_nothing();
    assert_eq!(postfix.counts(), (1, 1));
}
