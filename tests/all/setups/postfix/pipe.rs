//! `examples/postfix-pipe`: straight into the ticket system.

use super::{Postfix, Workshop};
use crate::setups::{Shipped, forged, large};
use crate::site::mail;

/// One file a mail, under a name of its own, once it is whole.
pub const KEEP: &str = "cat > .$$ && mv .$$ mail.$$";

pub fn start(stage: &str, more: &str) -> Postfix {
    let workshop = Workshop::new(stage, more);
    let place = |name: &str| workshop.place(name);
    let main = Shipped::read("postfix-pipe/main.cf").with("/etc/postfix/otab", place("etc/otab")).text();
    Shipped::read("postfix-pipe/otab").with("desk.example", "desk.test").write(&workshop.site, "etc/otab");
    let pipe = Shipped::read("postfix-pipe/master.cf")
        .with("user=otobo", "user=nobody")
        .with("/usr/local/bin/otab", place("otab-binary"))
        .with("/etc/otab/otab.toml", place("otab/otab.toml"))
        .with("/opt/otobo/bin/otobo.Console.pl", place("stage"))
        .text();
    workshop.start(&format!("mydestination = desk.test\nalias_maps =\n{main}"), &pipe, &[("postmap", "otab")])
}

#[test]
fn a_new_customers_mail_arrives_with_its_fields_and_without_forged_ones() {
    let postfix = start(KEEP, "");
    postfix.send("carol@corp.test", &forged());
    postfix.wait_for("status=sent", 1);
    let text = String::from_utf8(postfix.arrived("arrived")).unwrap();
    assert!(text.contains("X-OTOBO-CustomerUser: carol@corp.test\n") && text.ends_with("Hello\n"), "{text}");
    assert!(!text.contains("root") && !text.contains("Raw"), "{text}");
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn while_otab_cannot_work_the_mail_stays_in_the_queue_and_then_arrives_once() {
    let postfix = start(KEEP, "");
    postfix.while_otab_is_broken("carol@corp.test", &mail(1));
    postfix.wait_for("status=sent", 1);
    postfix.bounced_nothing();
    postfix.arrived("arrived");
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn a_next_stage_that_fails_defers_the_mail_and_no_token_is_doubled() {
    let postfix = start("[ -e ../ready ] || exit 1; cat > mail", "");
    postfix.send("carol@corp.test", &mail(1));
    postfix.wait_for("status=deferred", 1);
    assert_eq!(postfix.counts(), (1, 0));
    postfix.site.write("ready", "");
    postfix.flush();
    postfix.wait_for("status=sent", 1);
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn a_bounce_makes_no_customer() {
    let postfix = start(KEEP, "");
    postfix.send("", &mail(1));
    postfix.wait_for("status=sent", 1);
    let text = String::from_utf8(postfix.arrived("arrived")).unwrap();
    assert!(text.contains("X-OTOBO-CustomerUser: carol@corp.test\n"), "{text}");
    assert_eq!(postfix.counts(), (0, 0));
}

#[test]
fn hostile_envelope_senders_are_arguments_and_nothing_else() {
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

#[test]
fn an_attachment_of_25_mb_arrives_byte_for_byte() {
    let postfix = start(KEEP, "");
    let mail = large();
    postfix.send("carol@corp.test", mail);
    postfix.wait_for("status=sent", 1);
    assert!(postfix.arrived("arrived").ends_with(mail));
}
