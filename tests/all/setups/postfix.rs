//! The Postfix set-ups in `examples/`, run by a Postfix of the test's own: in its folder, on loopback, on
//! a free port. Needs root, as Postfix does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::session::{Protocol, Session};
use super::{Server, Shipped, executable, for_user, free_port, give, wait_for};
use crate::site::{Site, mail};

/// A running Postfix; it ends with the test.
struct Postfix {
    site: Site,
    port: u16,
    _master: Server,
}

impl Postfix {
    /// Starts Postfix with the shipped files, paths, user and domain changed. The next stage is a script.
    fn start(stage: &str) -> Self {
        let site = Site::new("");
        for_user(&site, "nobody");
        for folder in ["etc", "queue", "data"] {
            std::fs::create_dir(site.path(folder)).unwrap();
        }
        give(&site, "data", "postfix");
        executable(&site.write("stage", &format!("#!/bin/sh\n{stage}\n")));

        let port = free_port();
        let place = |name: &str| site.path(name).display().to_string();
        let transports =
            Shipped::read("postfix-pipe/main.cf").with("hash:/etc/postfix/otab", format!("hash:{}", place("etc/otab")));
        Shipped::read("postfix-pipe/otab").with("help@desk.example", "help@desk.test").write(&site, "etc/otab");
        let transports = transports.text();
        site.write(
            "etc/main.cf",
            &format!(
                "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\nmaillog_file = {}\n\
                 maillog_file_prefixes = {}\ncommand_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n\
                 mail_owner = postfix\nsetgid_group = postdrop\nmyhostname = mail.desk.test\nmydestination = desk.test\n\
                 inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nlocal_recipient_maps =\nalias_maps =\n\
                 smtpd_relay_restrictions = reject_unauth_destination\ndefault_process_limit = 10\n{transports}",
                place("queue"),
                place("data"),
                place("log"),
                site.folder().display(),
            ),
        );
        let pipe = Shipped::read("postfix-pipe/master.cf")
            .with("user=otobo", "user=nobody")
            .with("/usr/local/bin/otab", place("otab-binary"))
            .with("/etc/otab/otab.toml", place("otab/otab.toml"))
            .with("/opt/otobo/bin/otobo.Console.pl", place("stage"))
            .text();
        let services = "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
            rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
            trace unix - - n - 0 bounce\nerror unix - - n - - error\nretry unix - - n - - error\n\
            local unix - n n - - local\nsmtp unix - - n - - smtp\nanvil unix - - n - 1 anvil\nflush unix n - n 1000? 0 flush\n\
            proxymap unix - - n - - proxymap\nshowq unix n - n - - showq\npostlog unix-dgram n - n - 1 postlogd\n";
        site.write("etc/master.cf", &format!("127.0.0.1:{port} inet n - n - - smtpd\n{services}{pipe}"));

        let etc = place("etc");
        assert!(
            Command::new("postmap").args(["-c", &etc]).arg(format!("{etc}/otab")).status().expect("postmap").success()
        );
        let made = Command::new("postfix").args(["-c", &etc, "check"]).output().expect("postfix");
        assert!(made.status.success(), "{made:?}");
        let master = Server::start(
            Command::new("/usr/lib/postfix/sbin/master")
                .args(["-c", &etc, "-d"])
                .stdout(Stdio::null())
                .stderr(std::fs::File::create(site.path("stderr")).unwrap()),
        );
        Self { site, port, _master: master }
    }

    fn log(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.site.path(name)).unwrap_or_default();
        read("log") + &read("stderr")
    }

    /// Hands a mail over by SMTP.
    fn send(&self, sender: &str, mail: &[u8]) {
        self.wait_for("daemon started", 1);
        let answers = Session::open(Protocol::Smtp, self.port).send(sender, &["help@desk.test"], mail);
        assert_eq!(answers, ["250"], "{}", self.log());
    }

    /// Tries what is in the queue again, now.
    fn flush(&self) {
        let etc = self.site.path("etc");
        assert!(Command::new("postqueue").arg("-c").arg(etc).arg("-f").status().unwrap().success());
    }

    /// Waits for lines in Postfix's log.
    fn wait_for(&self, what: &str, times: usize) {
        wait_for(&self.site.path("log"), what, times);
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }

    fn path(&self) -> PathBuf {
        self.site.path("otab/otab.db")
    }

    fn counts(&self) -> (i64, i64) {
        let count = |table: &str| {
            self.database().query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        (count("customer_user"), count("token"))
    }
}

#[test]
fn postfix_delivers_through_otab_and_a_forged_mail_comes_without_its_fields() {
    let postfix = Postfix::start("cat > \"$(dirname \"$0\")/otab/arrived.$$\"");
    let forged = [b"X-OTOBO-CustomerUser: root\nX-OTOBO-Queue: Raw\n".to_vec(), mail(1)].concat();
    postfix.send("carol@corp.test", &forged);
    postfix.wait_for("status=sent", 1);
    let folder = std::fs::read_dir(postfix.site.path("otab")).unwrap().map(|entry| entry.unwrap().path());
    let arrived: Vec<PathBuf> = folder.filter(|path| path.to_string_lossy().contains("arrived")).collect();
    assert_eq!(arrived.len(), 1);
    let text = std::fs::read_to_string(&arrived[0]).unwrap();
    assert!(text.contains("X-OTOBO-CustomerUser: carol@corp.test\n") && text.ends_with("Hello\n"), "{text}");
    assert!(!text.contains("root") && !text.contains("Raw"), "{text}");
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn while_otab_cannot_work_the_mail_stays_in_the_queue_and_then_arrives_once() {
    let postfix = Postfix::start("cat > \"$(dirname \"$0\")/otab/arrived.$$\"");
    let config = postfix.site.path("otab/otab.toml");
    let good = std::fs::read(&config).unwrap();
    std::fs::write(&config, "[nonsense").unwrap();
    postfix.send("carol@corp.test", &mail(1));
    postfix.wait_for("status=deferred", 1);
    std::fs::write(&config, "[store]\nurl = \"sqlite:no/such/folder/otab.db\"\ncreate = true\n[log]\nsyslog = false\n")
        .unwrap();
    postfix.flush();
    postfix.wait_for("status=deferred", 2);
    std::fs::write(&config, good).unwrap();
    postfix.flush();
    postfix.wait_for("status=sent", 1);
    assert!(!postfix.log().contains("status=bounced"), "{}", postfix.log());
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn a_next_stage_that_fails_defers_the_mail_and_no_token_is_doubled() {
    let postfix = Postfix::start("cd \"$(dirname \"$0\")/otab\"; [ -e ready ] || exit 1; cat > arrived");
    postfix.send("carol@corp.test", &mail(1));
    postfix.wait_for("status=deferred", 1);
    assert_eq!(postfix.counts(), (1, 0));
    postfix.site.write("otab/ready", "");
    postfix.flush();
    postfix.wait_for("status=sent", 1);
    assert_eq!(postfix.counts(), (1, 1));
}

#[test]
fn a_bounce_makes_no_customer() {
    let postfix = Postfix::start("cat > \"$(dirname \"$0\")/otab/arrived\"");
    postfix.send("", &mail(1));
    postfix.wait_for("status=sent", 1);
    let text = std::fs::read_to_string(postfix.site.path("otab/arrived")).unwrap();
    assert!(text.contains("X-OTOBO-CustomerUser: carol@corp.test\n"), "{text}");
    assert_eq!(postfix.counts(), (0, 0));
}
