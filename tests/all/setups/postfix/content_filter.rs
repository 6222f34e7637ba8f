//! `examples/postfix-content-filter`: through otab and back into Postfix, for an inner address.

use super::{Postfix, Workshop};
use crate::setups::session::{Protocol, Session};
use crate::setups::{Shipped, forged};
use crate::site::mail;

/// What the helpdesk fetches, and a colleague's mailbox: a folder each, one file a mail. The public address has none, and
/// is known as `main.cf` says for a domain of virtual mailboxes.
fn mailboxes(workshop: &Workshop) -> String {
    format!(
        "virtual_transport = virtual\nvirtual_mailbox_domains = desk.test\nmydestination = localhost\n\
         virtual_mailbox_maps = inline:{{ help-inner@desk.test=help/, bob@desk.test=bob/ }}, hash:{}\n\
         virtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\nvirtual_mailbox_base = {}\n",
        workshop.place("etc/otab"),
        workshop.place("arrived"),
    )
}

pub fn start() -> Postfix {
    start_with(mailboxes)
}

fn start_with(mailboxes: impl Fn(&Workshop) -> String) -> Postfix {
    let workshop = Workshop::new("", "");
    let place = |name: &str| workshop.place(name);
    let main = Shipped::read("postfix-content-filter/main.cf").with("/etc/postfix/otab", place("etc/otab")).text();
    Shipped::read("postfix-content-filter/otab").with("desk.example", "desk.test").write(&workshop.site, "etc/otab");
    Shipped::read("postfix-content-filter/otab-inner").write(&workshop.site, "etc/otab-inner");
    let filter = Shipped::read("postfix-content-filter/master.cf")
        .with("user=otab", "user=nobody")
        .with("/usr/local/bin/otab", place("otab-binary"))
        .with("/etc/otab/otab.toml", place("otab.toml"))
        .text();
    let mailboxes = mailboxes(&workshop);
    workshop.start(&(mailboxes + &main), &filter, &[("postmap", "otab"), ("postmap", "otab-inner")])
}

/// The mailbox's folders for mail that is new.
pub const HELP: &str = "arrived/help/new";
const BOB: &str = "arrived/bob/new";
/// How Postfix says that one has come there.
pub const ARRIVES: &str = "relay=virtual, ";

#[test]
fn with_debians_settings_the_public_address_is_known() {
    // It has neither an alias nor a mailbox; the inner one has.
    let postfix = start_with(|workshop| {
        workshop.site.write("etc/aliases", &format!("help-inner: {}\n", workshop.place("arrived/mailbox")));
        String::new()
    });
    let mut session = Session::open(Protocol::Smtp, postfix.port);
    session.command("MAIL FROM:<carol@corp.test>", "250");
    assert!(session.ask("RCPT TO:<nobody-such@desk.test>").starts_with("550"), "{}", postfix.log());
    postfix.wait_for("User unknown in local recipient table", 1);
    postfix.send("carol@corp.test", &forged());
    postfix.wait_for("relay=local, ", 1);
    let text = String::from_utf8(postfix.arrived("arrived")).unwrap();
    assert!(text.contains("X-OTOBO-CustomerUser: carol@corp.test\n") && !text.contains("Raw"), "{text}");
    postfix.bounced_nothing();
}

#[test]
fn mail_for_others_is_untouched() {
    let postfix = start();
    let mail = forged();
    postfix.send_to("carol@corp.test", &["bob@desk.test", "help@desk.test"], &mail);
    postfix.wait_for(ARRIVES, 2);
    let bobs = postfix.arrived(BOB);
    assert!(bobs.ends_with(&mail), "{}", String::from_utf8_lossy(&bobs));
    assert!(!String::from_utf8(postfix.arrived(HELP)).unwrap().contains("Raw"));
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn nobody_outside_reaches_the_inner_address() {
    let postfix = start();
    for spelling in [
        "help-inner@desk.test",
        "HELP-Inner@Desk.Test",
        "\"help-inner\"@desk.test",
        "help-inner+x@desk.test",
        "help-inner",
        "help-inner@desk.test.",
        "help-inner%desk.test@desk.test",
        "help-inner%desk.test",
        "desk.test!help-inner",
        "@desk.test:help-inner@desk.test",
        "\"help-inner@desk.test\"",
        "help-inner@[127.0.0.1]",
    ] {
        let mut session = Session::open(Protocol::Smtp, postfix.port);
        session.command("MAIL FROM:<carol@corp.test>", "250");
        let answer = session.ask(&format!("RCPT TO:<{spelling}>"));
        assert!(answer.starts_with('5'), "{spelling}: {answer}");
    }
}

#[test]
fn while_sendmail_fails_the_mail_stays_in_the_queue() {
    let postfix = start();
    let postdrop = postfix.site.path("bin/postdrop");
    std::fs::rename(&postdrop, postfix.site.path("bin/away")).unwrap();
    postfix.send("carol@corp.test", &mail(1));
    postfix.wait_for("status=deferred", 1);
    assert_eq!(postfix.counts(), (1, 0));
    std::fs::rename(postfix.site.path("bin/away"), &postdrop).unwrap();
    postfix.flush();
    postfix.wait_for(ARRIVES, 1);
    postfix.bounced_nothing();
    postfix.arrived(HELP);
    assert_eq!(postfix.counts(), (1, 1));
}
