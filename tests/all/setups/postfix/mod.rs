//! The Postfix set-ups in `examples/`, run by a Postfix of the test's own: in its folder, on loopback, on
//! a free port. Needs root, as Postfix does.

mod aliases;
mod content_filter;
pub mod pipe;
mod stories;
mod storm;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::session::{Protocol, Session};
use super::{Server, executable, for_user, free_port, give, needs_group, wait_for};
use crate::site::{Ended, Site, chmod};

/// The services of a stock master.cf that the tests use; mail from `sendmail` is looked for every second.
const SERVICES: &str = "\
    pickup unix n - n 1 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
    rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
    trace unix - - n - 0 bounce\nerror unix - - n - - error\nretry unix - - n - - error\n\
    local unix - n n - - local\nvirtual unix - n n - - virtual\nsmtp unix - - n - - smtp\n\
    anvil unix - - n - 1 anvil\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\n\
    showq unix n - n - - showq\npostlog unix-dgram n - n - 1 postlogd\n";

/// What Debian's package writes into main.cf when it is installed on a host that is called mail.desk.test, besides what
/// its own file has (`/usr/share/postfix/main.cf.debian`).
const DEBIAN: &str = "\
    smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination\n\
    myhostname = mail.desk.test\n\
    mydestination = $myhostname, desk.test, localhost.desk.test, localhost\nrelayhost =\n\
    mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128\nmailbox_size_limit = 0\nrecipient_delimiter = +\n";

/// A group that otab's users share, besides root. The user nobody is not in it.
const SHARED: &str = "games";

/// Gives otab's folder and configuration to a group, as the README says.
pub fn shared_by_a_group(site: &Site) {
    let name = |name: &str| site.path(name).display().to_string();
    let (folder, file) = (name("otab"), name("otab.toml"));
    let script = format!("chown root:{SHARED} {folder} {file} && chmod 2770 {folder} && chmod 640 {file}");
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

/// A Postfix that is being set up: its folders are there, and otab's files are the user nobody's.
pub struct Workshop {
    pub site: Site,
}

impl Workshop {
    /// The next stage is a script; `more` goes into otab's configuration. As the ticket system's console, it needs the
    /// web server's group.
    pub fn new(stage: &str, more: &str) -> Self {
        let site = Site::new(more);
        for_user(&site, "nobody");
        for folder in ["etc", "queue", "data", "bin", "arrived"] {
            std::fs::create_dir(site.path(folder)).unwrap();
        }
        give(&site, "data", "postfix");
        give(&site, "arrived", "nobody");
        let needs = needs_group(&site, "www-data");
        let stage = format!("#!/bin/bash\n{needs}cd '{}'\n{stage}\n", site.path("arrived").display());
        site.program("stage", &stage);
        // A copy without the set-group-ID bit: with it, it would insist on the machine's own Postfix.
        std::fs::copy("/usr/sbin/postdrop", site.path("bin/postdrop")).unwrap();
        executable(&site.path("bin/postdrop"));
        for name in ["postconf", "postfix", "postlog", "postqueue", "postsuper"] {
            std::os::unix::fs::symlink(format!("/usr/sbin/{name}"), site.path(&format!("bin/{name}"))).unwrap();
        }
        Self { site }
    }

    pub fn place(&self, name: &str) -> String {
        self.site.path(name).display().to_string()
    }

    /// Starts a Postfix as Debian sets it up, paths and ports aside, with an empty list of aliases and the set-up's lines
    /// after its own. `maps` are in `etc`: the command that compiles each, and its name.
    pub fn start(self, main_cf: &str, master_cf: &str, maps: &[(&str, &str)]) -> Postfix {
        let port = free_port();
        let site = &self.site;
        let debian = std::fs::read_to_string("/usr/share/postfix/main.cf.debian").unwrap();
        site.write("etc/mailname", "desk.test\n");
        if !site.path("etc/aliases").exists() {
            site.write("etc/aliases", "");
        }
        let paths = format!(
            "queue_directory = {}\ndata_directory = {}\nmaillog_file = {}\nmaillog_file_prefixes = {}\n\
             command_directory = {}\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n\
             setgid_group = postdrop\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             myorigin = {etc}/mailname\nalias_maps = hash:{etc}/aliases\nalias_database = hash:{etc}/aliases\n",
            self.place("queue"),
            self.place("data"),
            self.place("log"),
            site.folder().display(),
            self.place("bin"),
            etc = self.place("etc"),
        );
        site.write("etc/main.cf", &(less(&format!("{debian}{DEBIAN}{paths}"), main_cf) + main_cf));
        site.write("etc/master.cf", &format!("127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}{master_cf}"));
        let etc = self.place("etc");
        for (compiler, map) in [("postalias", "aliases")].iter().chain(maps) {
            let made = Command::new(compiler).args(["-c", &etc]).arg(format!("{etc}/{map}")).status().expect(compiler);
            assert!(made.success(), "{compiler} {map}");
        }
        let made = Command::new("postfix").args(["-c", &etc, "check"]).output().expect("postfix");
        assert!(made.status.success(), "{made:?}");
        // For that copy.
        for (folder, mode) in [("queue/maildrop", 0o1777), ("queue/public", 0o711)] {
            chmod(site.path(folder), mode);
        }
        let master = Server::start(
            Command::new("/usr/lib/postfix/sbin/master")
                .args(["-c", &etc, "-d"])
                .stdout(Stdio::null())
                .stderr(std::fs::File::create(site.path("stderr")).unwrap()),
        );
        let postfix = Postfix { site: self.site, port, _master: master };
        postfix.wait_for("daemon started", 1);
        postfix
    }
}

/// Lines for main.cf without the settings that others have as well: Postfix warns of each that it reads twice.
fn less(lines: &str, others: &str) -> String {
    let name = |line: &str| line.split_once('=').map(|(name, _)| name.trim().to_owned());
    let set: Vec<_> = others.lines().filter(|line| !line.starts_with('#')).filter_map(name).collect();
    let kept = lines.lines().filter(|line| name(line).is_none_or(|name| !set.contains(&name)));
    kept.fold(String::new(), |text, line| text + line + "\n")
}

/// A running Postfix; it ends with the test.
pub struct Postfix {
    pub site: Site,
    pub port: u16,
    _master: Server,
}

impl Postfix {
    pub fn log(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.site.path(name)).unwrap_or_default();
        read("log") + &read("stderr")
    }

    /// Hands a mail for the helpdesk over by SMTP.
    pub fn send(&self, sender: &str, mail: &[u8]) {
        self.send_to(sender, &["help@desk.test"], mail);
    }

    pub fn send_to(&self, sender: &str, recipients: &[&str], mail: &[u8]) {
        let answers = Session::open(Protocol::Smtp, self.port).send(sender, recipients, mail);
        assert_eq!(answers, ["250"], "{}", self.log());
    }

    /// Tries what is in the queue again, now.
    pub fn flush(&self) {
        let etc = self.site.path("etc");
        assert!(Command::new("postqueue").arg("-c").arg(etc).arg("-f").status().unwrap().success());
    }

    /// Waits for lines in Postfix's log.
    pub fn wait_for(&self, what: &str, times: usize) {
        wait_for(&self.site.path("log"), what, times);
    }

    /// What has come into a folder, sorted.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.site.path(folder)) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The one file in a folder.
    pub fn arrived(&self, folder: &str) -> Vec<u8> {
        let files = self.files(folder);
        assert_eq!(files.len(), 1, "{files:?} {}", self.log());
        std::fs::read(&files[0]).unwrap()
    }

    /// How many customers and tokens there are.
    pub fn counts(&self) -> (i64, i64) {
        self.site.counts()
    }

    /// Breaks otab's configuration, hands a mail over, breaks the way to the database, and mends both:
    /// the mail waits in the queue meanwhile. Then it is up to the caller to see it arrive.
    pub fn while_otab_is_broken(&self, sender: &str, mail: &[u8]) {
        let config = self.site.path("otab.toml");
        let good = std::fs::read(&config).unwrap();
        std::fs::write(&config, "[nonsense").unwrap();
        self.send(sender, mail);
        self.wait_for("status=deferred", 1);
        let away = "[store]\nurl = \"sqlite:no/such/folder/otab.db\"\ncreate = true\n[log]\nsyslog = false\n";
        std::fs::write(&config, away).unwrap();
        self.flush();
        self.wait_for("status=deferred", 2);
        std::fs::write(&config, good).unwrap();
        self.flush();
    }

    /// Adds settings to main.cf while Postfix runs.
    pub fn reconfigure(&self, more: &str) {
        let path = self.site.path("etc/main.cf");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + more).unwrap();
        Command::new("postfix").arg("-c").arg(self.site.path("etc")).arg("reload").output().unwrap().says(0);
    }

    /// Lets mails of more than Postfix's own limit of 10 MB through.
    pub fn takes_large_mails(&self) {
        self.reconfigure("message_size_limit = 60000000\nvirtual_mailbox_limit = 0\n");
    }

    pub fn bounced_nothing(&self) {
        assert!(!self.log().contains("status=bounced"), "{}", self.log());
    }
}
