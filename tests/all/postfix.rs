//! The Postfix set-ups in `examples/`, run by a Postfix of the test's own: in its folder, on loopback, on
//! a free port. Needs root, as Postfix does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::site::{Site, mail};

/// A running Postfix; it ends with the test.
struct Postfix {
    site: Site,
    port: u16,
    master: Child,
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.master.id().to_string()).status();
        let _ = self.master.wait();
    }
}

fn with(text: &str, shipped: &str, ours: &str) -> String {
    assert!(text.contains(shipped), "{shipped} is not in the example");
    text.replace(shipped, ours)
}

fn example(name: &str) -> String {
    std::fs::read_to_string(format!("{}/examples/postfix-pipe/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A user's number and group, from the list that Debian keeps.
fn user(name: &str) -> (u32, u32) {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
    let mut words = line.split(':').skip(2).map(|word| word.parse().unwrap());
    (words.next().unwrap(), words.next().unwrap())
}

impl Postfix {
    /// Starts Postfix with the shipped files, paths, user and domain changed. The next stage is a script.
    fn start(stage: &str) -> Self {
        let site = Site::new("");
        let uid = std::fs::metadata(site.folder()).unwrap().uid();
        assert_eq!(uid, 0, "Postfix runs as root: run this test as root");
        for folder in ["etc", "queue", "data", "otab"] {
            std::fs::create_dir(site.path(folder)).unwrap();
        }
        std::fs::set_permissions(site.folder(), std::fs::Permissions::from_mode(0o755)).unwrap();
        // The test's binary may lie where `nobody` cannot go.
        std::fs::copy(env!("CARGO_BIN_EXE_otab"), site.path("otab-binary")).unwrap();
        std::fs::rename(site.path("otab.toml"), site.path("otab/otab.toml")).unwrap();
        site.write("stage", &format!("#!/bin/sh\n{stage}\n"));
        std::fs::set_permissions(site.path("stage"), std::fs::Permissions::from_mode(0o755)).unwrap();
        for (path, name) in [("otab", "nobody"), ("otab/otab.toml", "nobody"), ("data", "postfix")] {
            let (user, group) = user(name);
            chown(site.path(path), Some(user), Some(group)).unwrap();
        }

        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = |name: &str| site.path(name).display().to_string();
        let transports = with(&example("main.cf"), "hash:/etc/postfix/otab", &format!("hash:{}", place("etc/otab")));
        site.write("etc/otab", &with(&example("otab"), "help@desk.example", "help@desk.test"));
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
        let pipe = with(&example("master.cf"), "user=otobo", "user=nobody");
        let pipe = with(&pipe, "/usr/local/bin/otab", &place("otab-binary"));
        let pipe = with(&pipe, "/etc/otab/otab.toml", &place("otab/otab.toml"));
        let pipe = with(&pipe, "/opt/otobo/bin/otobo.Console.pl", &place("stage"));
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
        let master = Command::new("/usr/lib/postfix/sbin/master")
            .args(["-c", &etc, "-d"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(site.path("stderr")).unwrap())
            .spawn()
            .unwrap();
        Self { site, port, master }
    }

    fn log(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.site.path(name)).unwrap_or_default();
        read("log") + &read("stderr")
    }

    /// Hands a mail over by SMTP.
    fn send(&self, sender: &str, mail: &[u8]) {
        self.wait_for("daemon started", 1);
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        let mut expect = |code: &str| loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert!(line.starts_with(code), "{line:?} instead of {code}: {}", self.log());
            if line.as_bytes()[3] == b' ' {
                return;
            }
        };
        expect("220");
        let commands = ["EHLO test", &format!("MAIL FROM:<{sender}>"), "RCPT TO:<help@desk.test>"];
        for command in commands {
            stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
            expect("250");
        }
        stream.write_all(b"DATA\r\n").unwrap();
        expect("354");
        let text = String::from_utf8(mail.to_vec()).unwrap().replace('\n', "\r\n");
        stream.write_all(format!("{text}.\r\n").as_bytes()).unwrap();
        expect("250");
        stream.write_all(b"QUIT\r\n").unwrap();
        expect("221");
    }

    /// Tries what is in the queue again, now.
    fn flush(&self) {
        let etc = self.site.path("etc");
        assert!(Command::new("postqueue").arg("-c").arg(etc).arg("-f").status().unwrap().success());
    }

    /// Waits for lines in Postfix's log, at most a minute.
    fn wait_for(&self, what: &str, times: usize) {
        let mut tail = Command::new("timeout")
            .args(["60", "tail", "-n", "+1", "-F"])
            .arg(self.site.path("log"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(tail.stdout.take().unwrap()).lines();
        let found = lines.map_while(Result::ok).filter(|line| line.contains(what)).take(times).count();
        let _ = Command::new("kill").arg(tail.id().to_string()).status();
        let _ = tail.wait();
        assert_eq!(found, times, "{what:?} in {}", self.log());
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
