//! The set-ups in `examples/`: each file exactly as shipped, with only paths, users and domains changed, in
//! the hands of the real program. Programs run in the test's own folder, on loopback, on free ports, and
//! end with the test.

mod agents;
mod door;
mod dovecot;
mod fetchmail;
mod handover;
mod imap;
mod maildrop;
pub mod postfix;
mod procmail;
mod schedule;
mod session;

use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use crate::site::{Site, chmod, mail};

/// The text of a file in `examples/`.
pub struct Shipped(String);

impl Shipped {
    pub fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        Self(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// Replaces what a site changes as well. It has to stand there.
    pub fn with(self, shipped: &str, ours: impl Display) -> Self {
        assert!(self.0.contains(shipped), "{shipped} is not in the example");
        Self(self.0.replace(shipped, &ours.to_string()))
    }

    pub fn text(self) -> String {
        self.0
    }

    /// Writes it into the site's folder.
    pub fn write(self, site: &Site, name: &str) -> PathBuf {
        site.write(name, &self.0)
    }
}

/// A server that ends with the test.
pub struct Server(Child);

impl Server {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// A port on loopback that nobody listened on a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A user's number and group, from the list that Debian keeps.
pub fn user(name: &str) -> (u32, u32) {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
    let mut words = line.split(':').skip(2).map(|word| word.parse().unwrap());
    (words.next().unwrap(), words.next().unwrap())
}

/// Gives a file or folder in the site's folder to a user.
pub fn give(site: &Site, path: &str, owner: &str) {
    let (uid, gid) = user(owner);
    chown(site.path(path), Some(uid), Some(gid)).unwrap();
}

pub fn executable(path: &Path) {
    chmod(path, 0o755);
}

/// Lets a mail server that runs as root deliver as `owner`: otab's files are that user's alone, as the README says, in a
/// folder `otab`, into which the database will come; the configuration is in a folder of root's. The binary is a copy,
/// since the test's own may lie where that user cannot go.
pub fn for_user(site: &Site, owner: &str) {
    let uid = std::fs::metadata(site.folder()).unwrap().uid();
    assert_eq!(uid, 0, "the mail server changes its user: run this test as root");
    executable(site.folder());
    // A child copies it: what this process has open for writing cannot be run, nor while a fork has it.
    let binary = env!("CARGO_BIN_EXE_otab");
    assert!(Command::new("cp").arg(binary).arg(site.path("otab-binary")).status().unwrap().success());
    std::fs::create_dir(site.path("otab")).unwrap();
    let text = site.read("otab.toml");
    site.write("otab.toml", &text.replacen("[store]\n", "[store]\nurl = \"sqlite:otab/otab.db\"\n", 1));
    for (path, mode) in [("otab", 0o700), ("otab.toml", 0o400)] {
        let (uid, _) = user(owner);
        chown(site.path(path), Some(uid), None).unwrap();
        chmod(site.path(path), mode);
    }
}

/// A folder in which the ticket system's console keeps what its web server reads, as OTOBO and Znuny have them: 2770, of
/// this group. Shell lines that end with 1 where the caller is refused there.
pub fn needs_group(site: &Site, group: &str) -> String {
    let cache = site.path("cache");
    std::fs::create_dir(&cache).unwrap();
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let line = groups.lines().find(|line| line.starts_with(&format!("{group}:"))).unwrap();
    chown(&cache, Some(0), Some(line.split(':').nth(2).unwrap().parse().unwrap())).unwrap();
    chmod(&cache, 0o2770);
    format!(": > '{}'/$$ || exit 1\n", cache.display())
}

/// Waits for lines in a log that is being written, at most a minute.
pub fn wait_for(log: &Path, what: &str, times: usize) {
    let mut tail = Command::new("timeout")
        .args(["60", "tail", "-n", "+1", "-F"])
        .arg(log)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let found = lines.map_while(Result::ok).filter(|line| line.contains(what)).take(times).count();
    let _ = Command::new("kill").arg(tail.id().to_string()).status();
    let _ = tail.wait();
    assert_eq!(found, times, "{what:?} in {}", std::fs::read_to_string(log).unwrap_or_default());
}

/// A ticket system, the program `stage`, which needs the web server's group: fails until there is a file `otab/ready`, and writes what it
/// gets into a new file `otab/arrived…`.
pub fn ticket_system(site: &Site) {
    let needs = needs_group(site, "www-data");
    let stage = format!("#!/bin/sh\n{needs}cd \"$(dirname \"$0\")/otab\"; [ -e ready ] || exit 1; cat > arrived.$$\n");
    site.program("stage", &stage);
}

/// What it has got.
pub fn arrived(site: &Site) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(site.path("otab")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains("/arrived")).map(|path| std::fs::read(path).unwrap()).collect()
}

/// A mail of carol's to which no mail server needs to add a field.
fn dated() -> Vec<u8> {
    [b"Date: Fri, 20 Nov 2026 12:00:00 +0000\n".to_vec(), mail(1)].concat()
}

/// A mail of carol's with forged fields on top, one of them folded.
pub fn forged() -> Vec<u8> {
    [b"X-OTOBO-CustomerUser: root\nX-OTOBO-Queue:\n Raw\n".to_vec(), dated()].concat()
}

/// A mail of carol's with 25 MB of text that looks random, always the same.
pub fn large() -> &'static [u8] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static MAIL: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut state = 1_u64;
        let mut mail = dated();
        while mail.len() < 25_000_000 {
            for _ in 0..76 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                mail.push(DIGITS[(state >> 58) as usize]);
            }
            mail.push(b'\n');
        }
        mail
    });
    &MAIL
}

#[test]
fn the_readme_shows_the_recipes_that_are_tested() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let recipe = Shipped::read("procmail/deliver.procmailrc").text();
    assert!(readme.contains(&format!("```procmail\n{recipe}```\n")));
    for name in ["postfix-pipe/master.cf", "postfix-pipe/main.cf"] {
        assert!(readme.contains(&format!("```text\n{}```\n", Shipped::read(name).text())), "{name}");
    }
}

#[test]
fn set_ups_with_otobos_console_say_what_znunys_is() {
    let mut found = 0;
    for path in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")) {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("otobo.Console.pl") {
            found += 1;
            for words in ["For Znuny:", "/bin/znuny.Console.pl", "otrs.Console.pl", "X-OTRS-"] {
                assert!(text.contains(words), "{}: {words}", path.display());
            }
        }
    }
    assert!(found >= 7, "{found}");
}

/// All files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn every_example_is_run_and_named_in_the_readme() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = files_below(&top.join("tests/all/setups"));
    let tests: String = sources.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let readme = std::fs::read_to_string(top.join("README.md")).unwrap();
    for path in files_below(&top.join("examples")) {
        let name = path.strip_prefix(top.join("examples")).unwrap().to_str().unwrap();
        let folder = name.rsplit_once('/').map_or(name, |(folder, _)| folder);
        let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
        let is_read = tests.contains(&format!("\"{name}\""))
            || tests.contains(&format!("\"{folder}/{{")) && tests.contains(&format!("\"{file}\""));
        assert!(is_read, "no test reads examples/{name}");
        assert!(
            readme.contains(&format!("](examples/{name})")) || readme.contains(&format!("](examples/{folder})")),
            "{name}"
        );
    }
}
