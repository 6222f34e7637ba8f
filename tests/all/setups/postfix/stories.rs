//! What holds of every set-up with Postfix, each run exactly as shipped.

use super::pipe::KEEP;
use super::{Postfix, aliases, content_filter, pipe};
use crate::setups::{forged, large};
use crate::site::mail;

/// A set-up: how it is started, into which folder mails come, and how Postfix says that one has.
struct SetUp {
    name: &'static str,
    start: fn(&str) -> Postfix,
    inbox: &'static str,
    arrives: &'static str,
}

const SET_UPS: [SetUp; 3] = [
    SetUp { name: "pipe", start: |stage| pipe::start(stage, ""), inbox: "arrived", arrives: "status=sent" },
    SetUp { name: "aliases", start: aliases::start, inbox: "arrived", arrives: "status=sent" },
    // The helpdesk's mail goes twice through the queue: to otab, and to the mailbox.
    SetUp {
        name: "content-filter",
        start: |_| content_filter::start(),
        inbox: content_filter::HELP,
        arrives: content_filter::ARRIVES,
    },
];

impl SetUp {
    /// The one mail that has come, once it has.
    fn arrived(&self, postfix: &Postfix) -> Vec<u8> {
        postfix.wait_for(self.arrives, 1);
        postfix.bounced_nothing();
        postfix.arrived(self.inbox)
    }

    /// It has the customer's fields, and the envelope sender where that is kept.
    fn has_its_fields(&self, mail: Vec<u8>, sender: &str) {
        let text = String::from_utf8(mail).unwrap();
        let (name, kept) = (self.name, format!("Return-Path: <{sender}>\n"));
        assert!(text.contains("X-OTOBO-CustomerUser: carol@corp.test\n") && text.ends_with("Hello\n"), "{name} {text}");
        assert!(!text.contains("root") && !text.contains("Raw"), "{name} {text}");
        assert!(name != "content-filter" || text.contains(&kept), "{name} {text}");
    }
}

#[test]
fn a_new_customers_mail_has_its_fields_and_no_forged() {
    for set_up in SET_UPS {
        let postfix = (set_up.start)(KEEP);
        postfix.send("carol@corp.test", &forged());
        set_up.has_its_fields(set_up.arrived(&postfix), "carol@corp.test");
        assert_eq!(postfix.counts(), (1, 1), "{}", set_up.name);
    }
}

#[test]
fn while_otab_cannot_work_the_mail_stays_in_the_queue() {
    for set_up in SET_UPS {
        let postfix = (set_up.start)(KEEP);
        postfix.while_otab_is_broken("carol@corp.test", &mail(1));
        set_up.arrived(&postfix);
        assert_eq!(postfix.counts(), (1, 1), "{}", set_up.name);
    }
}

#[test]
fn a_failed_next_stage_defers_and_doubles_no_token() {
    // With the content filter that is sendmail.
    for set_up in SET_UPS.into_iter().take(2) {
        let postfix = (set_up.start)("[ -e ../ready ] || exit 1; cat > mail");
        postfix.send("carol@corp.test", &mail(1));
        postfix.wait_for("status=deferred", 1);
        assert_eq!(postfix.counts(), (1, 0), "{}", set_up.name);
        postfix.site.write("ready", "");
        postfix.flush();
        set_up.arrived(&postfix);
        assert_eq!(postfix.counts(), (1, 1), "{}", set_up.name);
    }
}

#[test]
fn a_bounce_stays_one_and_makes_no_customer() {
    for set_up in SET_UPS {
        let postfix = (set_up.start)(KEEP);
        postfix.send("", &mail(1));
        set_up.has_its_fields(set_up.arrived(&postfix), "");
        assert_eq!(postfix.counts(), (0, 0), "{}", set_up.name);
    }
}

#[test]
fn an_attachment_of_25_mb_arrives_byte_for_byte() {
    for set_up in SET_UPS {
        let postfix = (set_up.start)(KEEP);
        postfix.takes_large_mails();
        postfix.send("carol@corp.test", large());
        assert!(set_up.arrived(&postfix).ends_with(large()), "{}", set_up.name);
    }
}
