//! The log: one line an entry, to standard error, syslog, journald and a file, as set.
//!
//! Logging never fails, never panics and never holds up a mail for longer than a blink: what cannot
//! be written is lost, because a mail matters more than a line about it. This leaf masks nothing;
//! callers never hand it a token, a password or a secret field's value.

mod clean;
mod socket;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::fs::OFlags;

pub use clean::clean;
use socket::Socket;

/// Where entries go. Every place that is set gets every entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// To standard error, as `otab: text`. Mail servers copy it into bounces.
    pub stderr: bool,
    /// To a syslog daemon on this machine.
    pub syslog: bool,
    /// Its datagram socket, `/dev/log` on most systems.
    pub syslog_socket: PathBuf,
    /// The facility's number (RFC 3164, section 4.1.1): 2 is mail. Journald is told it as well.
    pub facility: u8,
    /// To systemd's journal.
    pub journald: bool,
    /// Its socket, `/run/systemd/journal/socket` on most systems.
    pub journald_socket: PathBuf,
    /// To a file, made with mode 0600 when it is missing. Opened anew for each entry, so that it
    /// can be rotated at any time. A link is not followed.
    pub file: Option<PathBuf>,
}

impl Default for Settings {
    /// What the configuration's defaults say: syslog alone. For what has to be told before there is a
    /// configuration.
    fn default() -> Self {
        Self {
            stderr: false,
            syslog: true,
            syslog_socket: "/dev/log".into(),
            facility: 2,
            journald: false,
            journald_socket: "/run/systemd/journal/socket".into(),
            file: None,
        }
    }
}

/// How much an entry matters, as syslog's severities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error = 3,
    Warning = 4,
    Info = 6,
}

/// An open log. Shared between threads by reference.
#[derive(Debug)]
pub struct Log {
    stderr: bool,
    facility: u8,
    syslog: Option<Socket>,
    journald: Option<Socket>,
    file: Option<PathBuf>,
    zone: TimeZone,
}

impl Log {
    /// Opens what the settings name. A place that cannot be opened now is tried again with each
    /// entry: a syslog daemon may start later than otab.
    #[must_use]
    pub fn open(settings: &Settings) -> Self {
        let socket = |on: bool, path: &PathBuf| on.then(|| Socket::new(path)).flatten();
        Self {
            stderr: settings.stderr,
            // 23 is the highest there is, local7; 1 is `user`, which means "unspecified".
            facility: if settings.facility > 23 { 1 } else { settings.facility },
            syslog: socket(settings.syslog, &settings.syslog_socket),
            journald: socket(settings.journald, &settings.journald_socket),
            file: settings.file.clone(),
            zone: if settings.syslog { TimeZone::system() } else { TimeZone::UTC },
        }
    }

    /// A log that keeps nothing: for tests, and until the configuration is read.
    #[must_use]
    pub fn none() -> Self {
        Self { stderr: false, facility: 1, syslog: None, journald: None, file: None, zone: TimeZone::UTC }
    }

    /// Notes what was done or decided.
    pub fn info(&self, text: &str) {
        self.write(Level::Info, text);
    }

    /// Notes what somebody should look at some day.
    pub fn warning(&self, text: &str) {
        self.write(Level::Warning, text);
    }

    /// Notes what failed.
    pub fn error(&self, text: &str) {
        self.write(Level::Error, text);
    }

    fn write(&self, level: Level, text: &str) {
        let text = clean(text);
        let now = crate::clock::now();
        if self.stderr {
            // Not eprintln!, which panics when nobody reads any more.
            let _ = std::io::stderr().write_all(format!("otab: {text}\n").as_bytes());
        }
        if let Some(socket) = &self.syslog {
            socket.send(&self.syslog_entry(now, level, &text));
        }
        if let Some(socket) = &self.journald {
            socket.send(&self.journald_entry(level, &text));
        }
        self.write_to_file(now, &text);
    }

    /// RFC 3164, section 4.1: `<PRI>Mmm dd hh:mm:ss otab[pid]: text`, in local time and without a
    /// host name, as libc's syslog(3) writes it.
    fn syslog_entry(&self, now: Timestamp, level: Level, text: &str) -> String {
        format!(
            "<{}>{} otab[{}]: {text}",
            u16::from(self.facility) * 8 + level as u16,
            now.to_zoned_datetime(self.zone.clone()).strftime("%b %e %H:%M:%S"),
            std::process::id(),
        )
    }

    /// systemd's "native journal protocol": lines of NAME=value. `clean` leaves no line break in
    /// the text, so that no text can add a field of its own.
    fn journald_entry(&self, level: Level, text: &str) -> String {
        format!("MESSAGE={text}\nPRIORITY={}\nSYSLOG_IDENTIFIER=otab\nSYSLOG_FACILITY={}\n", level as u8, self.facility)
    }

    fn write_to_file(&self, now: Timestamp, text: &str) {
        let Some(path) = &self.file else { return };
        // Without NONBLOCK, opening a named pipe that nobody reads would wait for ever. Without NOFOLLOW, somebody who may
        // write the folder could have a link there, and otab's lines written into another file.
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
            .open(path);
        // Nor is a file written to that has another name elsewhere.
        let file = file.ok().filter(|file| file.metadata().is_ok_and(|it| !it.is_file() || it.nlink() <= 1));
        if let Some(mut file) = file {
            let line = format!("{now:.3} otab[{}]: {text}\n", std::process::id());
            // One write(2) in append mode: lines of filters that run at once do not mix.
            let _ = file.write(line.as_bytes());
        }
    }
}

/// A line for a person, on standard error. That it may be closed changes nothing.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "otab: {line}");
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixDatagram;
    use std::path::Path;

    use super::*;

    fn settings(folder: &Path) -> Settings {
        Settings {
            stderr: false,
            syslog: false,
            syslog_socket: folder.join("log"),
            facility: 2,
            journald: false,
            journald_socket: folder.join("journal"),
            file: None,
        }
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 8192];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn syslog_gets_a_classic_datagram() {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("log")).unwrap();
        let log = Log::open(&Settings { syslog: true, ..settings(folder.path()) });
        log.warning("two\nlines");
        let entry = received(&socket);
        assert!(entry.starts_with("<20>"), "{entry}");
        let tail = format!(" otab[{}]: two\\nlines", std::process::id());
        // `Mmm dd hh:mm:ss` is always 15 bytes.
        assert_eq!(entry.strip_prefix("<20>").unwrap()[15..], tail);
    }

    #[test]
    fn a_syslog_date_always_has_the_same_width() {
        let at = |text: &str| {
            let entry = Log::none().syslog_entry(text.parse().unwrap(), Level::Info, "x");
            entry.split(" otab").next().unwrap().to_owned()
        };
        assert_eq!(at("2026-02-09T03:04:05Z"), "<14>Feb  9 03:04:05");
        assert_eq!(at("2026-12-10T23:04:05Z"), "<14>Dec 10 23:04:05");
    }

    #[test]
    fn journald_gets_fields_and_no_text_adds_one() {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("journal")).unwrap();
        let log = Log::open(&Settings { journald: true, ..settings(folder.path()) });
        log.error("x\nPRIORITY=0");
        assert_eq!(
            received(&socket),
            "MESSAGE=x\\nPRIORITY=0\nPRIORITY=3\nSYSLOG_IDENTIFIER=otab\nSYSLOG_FACILITY=2\n"
        );
    }

    #[test]
    fn the_file_has_a_line_an_entry_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.log");
        let log = Log::open(&Settings { file: Some(path.clone()), ..settings(folder.path()) });
        log.info("one");
        log.info("two\r\nstill two");
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        let (time, rest) = lines[1].split_once(' ').unwrap();
        assert!(time.parse::<Timestamp>().is_ok(), "{time}");
        assert_eq!(rest, format!("otab[{}]: two\\r\\nstill two", std::process::id()));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{mode:o}");
    }

    #[test]
    fn no_link_leads_the_log_into_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "mine").unwrap();
        let (symbolic, hard) = (folder.path().join("symbolic.log"), folder.path().join("hard.log"));
        std::os::unix::fs::symlink(&victim, &symbolic).unwrap();
        std::fs::hard_link(&victim, &hard).unwrap();
        std::os::unix::fs::symlink(folder.path().join("new"), folder.path().join("dangling.log")).unwrap();
        for path in [symbolic, hard, folder.path().join("dangling.log")] {
            Log::open(&Settings { file: Some(path), ..settings(folder.path()) }).info("x");
        }
        assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
        assert!(!folder.path().join("new").exists());
    }

    #[test]
    fn places_that_are_missing_or_foreign_are_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&Settings {
            syslog: true,
            journald: true,
            file: Some(folder.path().to_owned()),
            ..settings(folder.path())
        });
        log.info("nobody hears this");
        // A daemon that starts later than otab is heard from then on.
        let late = UnixDatagram::bind(folder.path().join("log")).unwrap();
        log.info("hello");
        assert!(received(&late).ends_with(": hello"));
    }
}
