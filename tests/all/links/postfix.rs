//! Link mails through a real Postfix, by SMTP and by its sendmail, into a mailbox.

use std::path::PathBuf;

use crate::setups::free_port;
use crate::setups::postfix::{Postfix, Workshop, pipe};
use crate::site::{CAROL, Read, Site};

/// A Postfix that takes mail for corp.test into a mailbox.
pub struct Office {
    pub postfix: Postfix,
    /// Where it speaks TLS from the first byte on.
    pub tls_port: u16,
}

/// `more` makes further lines for main.cf.
pub fn office(more: impl Fn(&Workshop) -> String) -> Office {
    let workshop = Workshop::new("", "");
    let main = format!(
        "smtpd_relay_restrictions = reject_unauth_destination\n\
         virtual_transport = virtual\nvirtual_mailbox_domains = corp.test\nmydestination =\nalias_maps =\n\
         virtual_mailbox_maps = static:box/\nvirtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\n\
         virtual_mailbox_base = {}\nsmtputf8_enable = yes\n{}",
        workshop.place("arrived"),
        more(&workshop)
    );
    let tls_port = free_port();
    let master = format!(
        "127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\ntlsmgr unix - - n 1000? 1 tlsmgr\n"
    );
    Office { postfix: workshop.start(&main, &master, &[]), tls_port }
}

impl Office {
    pub fn wait_for_mails(&self, count: usize) -> Vec<PathBuf> {
        self.postfix.wait_for("relay=virtual, ", count);
        self.postfix.files("arrived/box/new")
    }
}

/// What has to be true of a link mail that Postfix has delivered.
fn is_whole(office: &Office, secret: &str) {
    let files = office.wait_for_mails(1);
    assert_eq!(files.len(), 1, "{}", office.postfix.log());
    let mail = Read::new(&std::fs::read(&files[0]).unwrap());
    assert_eq!((mail.field("Return-Path"), mail.field("To")), ("<>", CAROL));
    assert_eq!((mail.token(), mail.field("From")), (secret, "Hilfe für alle <help@desk.test>"));
    assert_eq!(mail.json["defects"], serde_json::json!([]), "{}", mail.raw);
    assert!(mail.raw.lines().any(|line| line == mail.link()), "{}", mail.raw);
    assert!(!office.postfix.log().contains(secret));
    office.postfix.bounced_nothing();
}

#[test]
fn by_smtp_the_mail_arrives_whole_from_nobody() {
    let office = office(|_| String::new());
    let desk = Site::linking_to(office.postfix.port, "");
    is_whole(&office, &desk.carols_link());
    let log = office.postfix.log();
    assert!(log.contains("disconnect from") && log.contains("quit=1") && !log.contains("lost connection"), "{log}");
}

/// A program in the place of sendmail, in the site's folder.
pub fn sendmail(desk: &Site, script: &str) {
    desk.program("sendmail", &format!("#!/bin/sh\n{script}\n"));
    desk.configure("transport = \"file\"", "transport = \"sendmail\"\nsendmail = \"sendmail\"");
}

#[test]
fn by_postfixs_sendmail_the_mail_arrives_whole() {
    let office = office(|_| String::new());
    let desk = Site::linking();
    sendmail(&desk, &format!("exec /usr/sbin/sendmail -C '{}' \"$@\"", office.postfix.site.path("etc").display()));
    is_whole(&office, &desk.carols_link());
    assert!(office.postfix.log().contains("from=<>"), "{}", office.postfix.log());
}

/// The whole way: carol's mail, Postfix's pipe(8), otab deliver, the sender that it wakes, Postfix's sendmail,
/// carol's mailbox.
#[test]
fn a_mail_through_postfixs_pipe_brings_a_link_mail() {
    let links = "[one_time_auth]\nlink_url = \"https://help.test/t/{{token}}\"\n";
    let sending = "[mail]\ntransport = \"sendmail\"\nfrom = \"help@desk.test\"\n";
    let postfix = pipe::start(pipe::KEEP, &format!("{links}{sending}"));
    postfix.reconfigure(&format!(
        "virtual_transport = virtual\nvirtual_mailbox_domains = corp.test\nvirtual_mailbox_maps = static:box/\n\
         virtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\nvirtual_mailbox_base = {}\n",
        postfix.site.path("arrived").display()
    ));
    postfix.send(CAROL, &crate::setups::forged());
    postfix.wait_for("relay=virtual, ", 1);
    let mail = Read::new(&postfix.arrived("arrived/box/new"));
    assert_eq!((mail.field("Return-Path"), mail.field("To"), mail.field("From")), ("<>", CAROL, "help@desk.test"));
    assert_eq!(mail.field("In-Reply-To"), "<1@corp.test>");
    let secret = mail.token();
    assert!(!postfix.log().contains(secret));
    postfix.bounced_nothing();
    // Sent back, as a robot would: the helpdesk takes it, and nobody earns anything.
    postfix.send("", mail.raw.as_bytes());
    postfix.wait_for("relay=otab, ", 2);
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn a_recipient_refused_by_postfix_stops_no_other() {
    let office = office(|_| String::new());
    let desk = Site::linking_to(office.postfix.port, "");
    desk.mail_from("eve@elsewhere.test", "1@x.test");
    desk.mails_of_carol(&["2@x.test"]);
    assert_eq!((desk.notify(), desk.orders()), (0, 0), "{}", desk.log());
    desk.logged(&["link mail 1", "not sent", "554"]);
    office.wait_for_mails(1);
}

#[test]
fn a_local_part_beyond_ascii_arrives_by_smtputf8() {
    let office = office(|_| String::new());
    let desk = Site::linking_to(office.postfix.port, "");
    desk.ends(0, &["customer", "add", CAROL]);
    desk.mails_of_carol(&["1@corp.test"]);
    desk.sql(
        "UPDATE customer_user SET email = 'jürgen@corp.test'; UPDATE token SET email = 'jürgen@corp.test'; \
         UPDATE outbox SET recipient = 'jürgen@corp.test'",
    );
    assert_eq!((desk.notify(), desk.orders()), (0, 0), "{}", desk.log());
    let files = office.wait_for_mails(1);
    let mail = Read::new(&std::fs::read(&files[0]).unwrap());
    assert_eq!(mail.field("To"), "jürgen@corp.test", "{}", mail.raw);
}

#[test]
fn sendmails_arguments_are_exact_and_hold_no_secret() {
    let desk = Site::linking();
    sendmail(
        &desk,
        "printf '%s|' \"$@\" > arguments; cat > mail; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2> /dev/null > processes; exit 0",
    );
    // Its folder is the caller's.
    desk.mails_of_carol(&["1@corp.test"]);
    let secret = desk.secrets().remove(0);
    let notified = desk.command(&["notify"]).current_dir(desk.folder()).status().unwrap();
    assert!(notified.success() && desk.orders() == 0, "{}", desk.log());
    let read = |name: &str| std::fs::read(desk.path(name)).unwrap();
    assert_eq!(read("arguments"), b"-i|-f||--|carol@corp.test|");
    let mail = read("mail");
    assert!(!mail.contains(&b'\r') && Read::new(&mail).token() == secret);
    assert!(!String::from_utf8_lossy(&read("processes")).contains(&secret));
}

#[test]
fn what_sendmail_comes_to_is_told_apart() {
    for (script, status, orders, said) in [
        ("cat > /dev/null; echo no such user; exit 67", 0, 0, "no such user"),
        ("exit 65", 0, 0, "ended with 65"),
        ("exit 75", 75, 1, "status 75"),
        ("kill -9 $$", 75, 1, "signal 9"),
        ("head -c 3000000 /dev/zero | tr '\\0' x; cat > /dev/null", 0, 0, "sent to carol"),
        ("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1", 75, 1, "xxx"),
        ("exec tail -f /dev/null", 75, 1, "time limit"),
        ("", 0, 0, "sent to carol"),
    ] {
        let desk = Site::linking();
        sendmail(&desk, script);
        desk.configure("[mail]\n", "[mail]\ntimeout = 1\n");
        desk.mails_of_carol(&["1@corp.test"]);
        assert_eq!((desk.notify(), desk.orders()), (status, orders), "{script}: {}", desk.log());
        desk.logged(&["link mail 1", said]);
        assert!(desk.log().len() < 2000, "{script}: {} bytes", desk.log().len());
    }
    let desk = Site::linking();
    desk.configure("transport = \"file\"", "transport = \"sendmail\"\nsendmail = \"no/such/program\"");
    desk.mails_of_carol(&["1@corp.test"]);
    assert_eq!((desk.notify(), desk.orders()), (75, 1));
    desk.logged(&["tried again", "no/such/program"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.write("mails", "a file");
    assert_eq!((desk.notify(), desk.orders()), (75, 1));
    desk.logged(&["tried again", "/mails: "]);
}
