//! The set-ups in `examples/dovecot-sieve`: mail comes in by LMTP, Sieve hands it to otab, OTOBO fetches
//! it by IMAP or gets it by a pipe.

use super::imap::Dovecot;
use super::{Shipped, arrived, executable, for_user, forged, large, ticket_system};
use crate::site::{Site, mail};

const USER: &str = "help@desk.test";

/// A Dovecot with the shipped files; paths, user, password and one time limit changed.
struct Helpdesk {
    site: Site,
    dovecot: Dovecot,
}

impl Helpdesk {
    /// With the script of this name in the user's mail path.
    fn start(script: &str) -> Self {
        Self::start_with(script, "plugin {", "plugin {")
    }

    /// With one more change in `otab.conf`.
    fn start_with(script: &str, shipped: &str, ours: &str) -> Self {
        let site = Site::new("");
        for_user(&site, "nobody");
        std::fs::create_dir(site.path("bin")).unwrap();
        let place = |name: &str| site.path(name).display().to_string();
        Shipped::read("dovecot-sieve/users")
            .with("help@desk.example", USER)
            .with("replace-me", "secret")
            .with("otobo:www-data", "nobody:www-data")
            .with("::/var/vmail/helpdesk:", format!("::{}:", place("mail")))
            .with("/etc/dovecot/otab/otab.sieve", place(script))
            .with("/etc/dovecot/otab/none.sieve", place("none.sieve"))
            .write(&site, "users");
        for name in ["otab.sieve", "pipe.sieve"] {
            Shipped::read(&format!("dovecot-sieve/{name}")).write(&site, name);
        }
        let program = |name: &str| {
            Shipped::read(&format!("dovecot-sieve/{name}"))
                .with("/usr/local/bin/otab", place("otab-binary"))
                .with("/etc/otab/otab.toml", place("otab.toml"))
        };
        executable(&program("otab-filter").write(&site, "bin/otab-filter"));
        ticket_system(&site);
        let deliver = program("otab-deliver").with("/opt/otobo/bin/otobo.Console.pl", place("stage"));
        executable(&deliver.write(&site, "bin/otab-deliver"));
        let settings = Shipped::read("dovecot-sieve/otab.conf")
            .with("/etc/dovecot/otab/users", place("users"))
            .with("/etc/dovecot/otab/bin", place("bin"))
            .with(shipped, ours);
        let dovecot = Dovecot::start(&site, &settings.text());
        for script in ["otab.sieve", "pipe.sieve"] {
            assert!(dovecot.sievec(&site.path(script)), "{script}");
        }
        Self { site, dovecot }
    }

    fn take(&self, mail: &[u8]) -> String {
        self.dovecot.take("carol@corp.test", USER, mail)
    }

    /// What OTOBO fetches.
    fn tickets(&self) -> Vec<Vec<u8>> {
        self.dovecot.fetch(USER, "secret", "Tickets")
    }

    fn ticket_system_works(&self) {
        self.site.write("otab/ready", "");
    }

    /// Takes otab's configuration away, and gives it back.
    fn break_otab(&self, config: &str) -> Vec<u8> {
        let good = std::fs::read(self.site.path("otab.toml")).unwrap();
        self.site.write("otab.toml", config);
        good
    }

    fn repair_otab(&self, good: &[u8]) {
        std::fs::write(self.site.path("otab.toml"), good).unwrap();
    }
}

/// What otab puts on top of carol's mails.
const FIELDS: &str = "X-OTOBO-CustomerUser: carol@corp.test\r\nX-OTOBO-CustomerNo: carol@corp.test\r\n\
                      X-OTOBO-Customer: carol@corp.test\r\n";

/// A mail as IMAP gives it.
fn on_the_wire(mail: &[u8]) -> Vec<u8> {
    String::from_utf8(mail.to_vec()).unwrap().replace('\n', "\r\n").into_bytes()
}

#[test]
fn a_mail_passes_into_the_fetched_folder_unforged() {
    let helpdesk = Helpdesk::start("otab.sieve");
    assert_eq!(helpdesk.take(&forged()), "250", "{}", helpdesk.dovecot.log());
    let tickets = helpdesk.tickets();
    assert_eq!((tickets.len(), helpdesk.dovecot.stored()), (1, 1));
    let text = String::from_utf8_lossy(&tickets[0]);
    assert!(text.starts_with(FIELDS) && tickets[0].ends_with(&on_the_wire(&mail(1))), "{text}");
    assert!(!text.contains("root") && !text.contains("Raw") && !text.contains("Owner"), "{text}");
    assert_eq!(helpdesk.site.counts(), (1, 1));
}

#[test]
fn while_otab_cannot_work_dovecot_defers_with_451() {
    let helpdesk = Helpdesk::start("otab.sieve");
    let good = helpdesk.break_otab("[nonsense");
    assert_eq!(helpdesk.take(&mail(1)), "451");
    helpdesk.break_otab("[store]\nurl = \"sqlite:no/such/folder/otab.db\"\ncreate = true\n[log]\nsyslog = false\n");
    assert_eq!(helpdesk.take(&mail(1)), "451");
    assert_eq!(helpdesk.dovecot.stored(), 0);
    helpdesk.repair_otab(&good);
    assert_eq!(helpdesk.take(&mail(1)), "250", "{}", helpdesk.dovecot.log());
    assert_eq!((helpdesk.tickets().len(), helpdesk.dovecot.stored()), (1, 1));
    assert_eq!(helpdesk.site.counts(), (1, 1));
}

#[test]
fn a_filter_that_dovecot_ends_stores_nothing() {
    let helpdesk = Helpdesk::start_with("otab.sieve", "exec_timeout = 10s", "exec_timeout = 1s");
    let good = std::fs::read(helpdesk.site.path("bin/otab-filter")).unwrap();
    helpdesk.site.write("bin/otab-filter", "#!/bin/sh\nexec sleep 60\n");
    let answer = helpdesk.take(&mail(1));
    assert!(answer.is_empty() || answer == "451", "{answer}");
    helpdesk.dovecot.wait_for("Execution timed out", 1);
    assert_eq!(helpdesk.dovecot.stored(), 0);
    std::fs::write(helpdesk.site.path("bin/otab-filter"), good).unwrap();
    assert_eq!(helpdesk.take(&mail(1)), "250", "{}", helpdesk.dovecot.log());
    assert_eq!(helpdesk.tickets().len(), 1);
}

#[test]
fn without_the_program_or_script_dovecot_defers() {
    let helpdesk = Helpdesk::start("otab.sieve");
    let script = helpdesk.site.path("otab.sieve");
    std::fs::remove_file(helpdesk.site.path("bin/otab-filter")).unwrap();
    assert_eq!(helpdesk.take(&mail(1)), "451");
    std::fs::remove_file(helpdesk.site.path("otab.svbin")).unwrap();
    std::fs::write(&script, "require \"nonsense\";\n").unwrap();
    assert_eq!(helpdesk.take(&mail(1)), "451");
    std::fs::remove_file(&script).unwrap();
    assert_eq!(helpdesk.take(&mail(1)), "451");
    assert_eq!(helpdesk.dovecot.stored(), 0);
}

#[test]
fn no_other_script_gets_at_an_unfiltered_mail() {
    for script in ["otab.sieve", "pipe.sieve"] {
        let helpdesk = Helpdesk::start_with(script, "plugin {", "plugin {\n  sieve_after = ~/later.sieve");
        for name in ["mail/.dovecot.sieve", "mail/later.sieve"] {
            helpdesk.site.write(name, "require [\"fileinto\", \"mailbox\"];\nfileinto :create \"Tickets\";\n");
        }
        helpdesk.break_otab("[nonsense");
        assert_eq!(helpdesk.take(&mail(1)), "451", "{script}");
        std::fs::remove_file(helpdesk.site.path("mail/later.sieve")).unwrap();
        std::fs::remove_file(helpdesk.site.path(script)).unwrap();
        assert_eq!(helpdesk.take(&mail(1)), "451", "{script} is gone");
        assert_eq!(helpdesk.dovecot.stored(), 0, "{script}");
    }
}

#[test]
fn without_sieve_itself_dovecot_defers() {
    let helpdesk = Helpdesk::start_with("otab.sieve", "mail_plugins = $mail_plugins sieve", "");
    assert_eq!(helpdesk.take(&mail(1)), "451");
    assert_eq!(helpdesk.dovecot.stored(), 0);
}

#[test]
fn filter_as_an_action_lets_mail_pass_as_warned() {
    let helpdesk = Helpdesk::start("otab.sieve");
    let script = Shipped::read("dovecot-sieve/otab.sieve")
        .with("if filter \"otab-filter\" {", "filter \"otab-filter\";")
        .with("} else {", "")
        .with("  fileinto \"INBOX\";\n}", "")
        .write(&helpdesk.site, "otab.sieve");
    assert!(helpdesk.dovecot.sievec(&script));
    helpdesk.break_otab("[nonsense");
    assert_eq!(helpdesk.take(&forged()), "250");
    assert!(String::from_utf8_lossy(&helpdesk.tickets()[0]).contains("X-OTOBO-CustomerUser: root\r\n"));
}

#[test]
fn a_bounce_makes_no_customer() {
    let helpdesk = Helpdesk::start("otab.sieve");
    assert_eq!(helpdesk.dovecot.take("", USER, &mail(1)), "250", "{}", helpdesk.dovecot.log());
    assert!(String::from_utf8_lossy(&helpdesk.tickets()[0]).starts_with(FIELDS));
    assert_eq!(helpdesk.site.counts(), (0, 0));

    let helpdesk = Helpdesk::start("pipe.sieve");
    helpdesk.ticket_system_works();
    assert_eq!(helpdesk.dovecot.take("", USER, &mail(1)), "250", "{}", helpdesk.dovecot.log());
    assert_eq!((arrived(&helpdesk.site).len(), helpdesk.site.counts()), (1, (0, 0)));
}

#[test]
fn large_mail_arrives_in_the_folder_byte_for_byte() {
    let helpdesk = Helpdesk::start("otab.sieve");
    let large = large();
    assert_eq!(helpdesk.take(large), "250", "{}", helpdesk.dovecot.log());
    let tickets = helpdesk.tickets();
    assert_eq!(tickets.len(), 1);
    assert!(tickets[0].starts_with(FIELDS.as_bytes()) && tickets[0].ends_with(&on_the_wire(large)));
}

#[test]
fn large_mail_arrives_by_pipe_byte_for_byte() {
    let helpdesk = Helpdesk::start("pipe.sieve");
    helpdesk.ticket_system_works();
    let large = large();
    assert_eq!(helpdesk.take(large), "250", "{}", helpdesk.dovecot.log());
    let arrived = arrived(&helpdesk.site);
    assert!(arrived.len() == 1 && arrived[0].ends_with(large));
}

#[test]
fn by_pipe_a_failed_ticket_system_gets_it_later_once() {
    let helpdesk = Helpdesk::start("pipe.sieve");
    let good = helpdesk.break_otab("[nonsense");
    assert_eq!(helpdesk.take(&forged()), "451");
    helpdesk.repair_otab(&good);
    assert_eq!(helpdesk.take(&forged()), "451");
    assert_eq!(helpdesk.site.counts(), (1, 0));
    helpdesk.ticket_system_works();
    assert_eq!(helpdesk.take(&forged()), "250", "{}", helpdesk.dovecot.log());
    let arrived = arrived(&helpdesk.site);
    assert_eq!(arrived.len(), 1);
    let text = String::from_utf8_lossy(&arrived[0]);
    assert!(text.starts_with(&FIELDS.replace('\r', "")) && arrived[0].ends_with(&mail(1)), "{text}");
    assert!(!text.contains("root") && !text.contains("Raw"), "{text}");
    assert_eq!((helpdesk.site.counts(), helpdesk.dovecot.stored()), ((1, 1), 0));
}
