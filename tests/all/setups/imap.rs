//! A Dovecot of the test's own, in its folder, on loopback, on free ports; and a client that fetches
//! mails from it. Needs root, as Dovecot does.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::session::{Protocol, Session};
use super::{Server, executable, free_port, give, wait_for};
use crate::site::Site;

/// A running Dovecot; it ends with the test. The mails lie in `mail/` of the site's folder.
pub struct Dovecot {
    pub imap: u16,
    lmtp: u16,
    mails: PathBuf,
    config: PathBuf,
    log: PathBuf,
    _master: Server,
}

impl Dovecot {
    /// Starts it with `settings` behind what every test needs. Those say who there is.
    pub fn start(site: &Site, settings: &str) -> Self {
        let (lmtp, imap) = (free_port(), free_port());
        let place = |name: &str| site.path(name).display().to_string();
        executable(site.folder());
        if !site.path("mail").exists() {
            std::fs::create_dir(site.path("mail")).unwrap();
        }
        give(site, "mail", "nobody");
        let config = site.write(
            "dovecot.conf",
            &format!(
                "base_dir = {base}\nstate_dir = {base}\nlog_path = {log}\nprotocols = lmtp imap\nlisten = 127.0.0.1\n\
                 ssl = no\nmail_location = maildir:~/Maildir\nnamespace inbox {{\n  inbox = yes\n}}\n\
                 service lmtp {{\n  inet_listener lmtp {{\n    port = {lmtp}\n  }}\n}}\n\
                 service imap-login {{\n  inet_listener imap {{\n    port = {imap}\n  }}\n  inet_listener imaps {{\n    \
                 port = 0\n  }}\n}}\n{settings}",
                base = place("base"),
                log = place("dovecot.log"),
            ),
        );
        // There from the start: a log that has yet to come is looked for only once a second.
        let log = site.write("dovecot.log", "");
        let master = Server::start(
            Command::new("dovecot")
                .arg("-F")
                .arg("-c")
                .arg(&config)
                .stdout(Stdio::null())
                .stderr(File::create(site.path("dovecot.stderr")).unwrap()),
        );
        wait_for(&log, "starting up", 1);
        Self { imap, lmtp, mails: site.path("mail"), config, log, _master: master }
    }

    /// Compiles a Sieve script, as the administrator does after each change.
    pub fn sievec(&self, script: &Path) -> bool {
        Command::new("sievec").arg("-c").arg(&self.config).arg(script).output().unwrap().status.success()
    }

    /// Hands a mail over by LMTP; the answer's code, or nothing where Dovecot broke off.
    pub fn take(&self, sender: &str, recipient: &str, mail: &[u8]) -> String {
        Session::open(Protocol::Lmtp, self.lmtp).send(sender, &[recipient], mail).concat()
    }

    /// Waits for lines in the log.
    pub fn wait_for(&self, what: &str, times: usize) {
        wait_for(&self.log, what, times);
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// How many mails lie in any folder of anybody.
    pub fn stored(&self) -> usize {
        fn mails(folder: &Path) -> usize {
            let is_mails = folder.ends_with("new") || folder.ends_with("cur");
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { mails(&path) } else { usize::from(is_mails) }).sum()
        }
        mails(&self.mails)
    }

    /// All mails of a folder, fetched by IMAP, with CRLF as line end.
    pub fn fetch(&self, user: &str, password: &str, folder: &str) -> Vec<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.imap)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut commands = String::new();
        write!(commands, "a LOGIN {user} {password}\r\nb EXAMINE {folder}\r\nc FETCH 1:* BODY.PEEK[]\r\nd LOGOUT\r\n")
            .unwrap();
        stream.write_all(commands.as_bytes()).unwrap();
        let mut mails = Vec::new();
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 0 {
            assert!(!line.starts_with("a NO") && !line.starts_with("b NO"), "{line}");
            let literal = line.trim_end().strip_suffix('}').and_then(|rest| rest.rsplit_once('{'));
            if let Some((_, length)) = literal {
                let mut mail = vec![0; length.parse().unwrap()];
                reader.read_exact(&mut mail).unwrap();
                mails.push(mail);
            }
            line.clear();
        }
        mails
    }
}
