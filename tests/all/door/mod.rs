//! The door, `otab serve` itself, asked in plain HTTP/1.1 without a proxy.

pub mod client;
mod forged;
mod life;
mod limits;
mod load;
mod running;
mod shown;
mod stores;

use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::http::Answer;
use crate::site::{CAROL, Site};
use client::{Client, Place};

/// What customers see of the site.
pub const BASE: &str = "https://help.test";
/// A good form's own field.
pub const OWN: (&str, &str) = ("Origin", BASE);

/// A helpdesk with an open door.
pub struct Door {
    pub desk: Site,
    pub client: Client,
    pub serving: Serving,
}

/// An `otab serve`; it ends with the test.
pub struct Serving {
    child: Child,
    /// What it tells the service manager.
    told: UnixDatagram,
}

/// A helpdesk without one: `door` is the rest of `[door]`, and more tables.
pub fn closed(door: &str) -> Site {
    let listen = if door.contains("listen = ") { "" } else { "listen = \"unix:door.sock\"\n" };
    Site::linking_by(&format!("wake = false\ntransport = \"file\"\n[door]\nbase_url = \"{BASE}\"\n{listen}{door}"))
}

impl Serving {
    /// Starts it, and waits until it is ready.
    pub fn start(desk: &Site, change: impl FnOnce(&mut Command)) -> Self {
        Self::of(desk, &[], change)
    }

    /// The same with these parts.
    pub fn of(desk: &Site, parts: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let path = tempfile::Builder::new().prefix("told").tempfile_in(desk.folder()).unwrap().path().to_owned();
        let told = UnixDatagram::bind(&path).unwrap();
        told.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut command = desk.command(&[&["serve"], parts].concat());
        command
            .env("NOTIFY_SOCKET", &path)
            .env_remove("LISTEN_FDS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        change(&mut command);
        let mut this = Self { child: command.spawn().unwrap(), told };
        let word = this.word();
        assert_eq!(word, "READY=1\n", "{}", desk.log());
        this
    }

    /// What the service manager is told next.
    pub fn word(&mut self) -> String {
        let mut bytes = [0; 500];
        let Ok(length) = self.told.recv(&mut bytes) else {
            let _ = self.child.kill();
            let mut said = String::new();
            let _ = self.child.stderr.take().unwrap().read_to_string(&mut said);
            panic!("it tells nothing: {said}");
        };
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Its status, once it has ended.
    pub fn status(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Door {
    pub fn open() -> Self {
        Self::with("")
    }

    /// `door` is the rest of `[door]`, and more tables.
    pub fn with(door: &str) -> Self {
        let desk = closed(door);
        // The first mail makes the store.
        desk.mail_from("first@corp.test", "0@corp.test");
        Self::of(desk)
    }

    pub fn of(desk: Site) -> Self {
        let serving = Serving::start(&desk, |_| {});
        let client = Client(Place::Unix(desk.path("door.sock")));
        Self { desk, client, serving }
    }

    /// One more door to the same site, which remembers nothing.
    pub fn another(&self) -> (Client, Serving) {
        self.desk.configure("unix:door.sock", "unix:other.sock");
        let serving = Serving::start(&self.desk, |_| {});
        self.desk.configure("unix:other.sock", "unix:door.sock");
        (Client(Place::Unix(self.desk.path("other.sock"))), serving)
    }

    /// A new link of carol's to ticket 1.
    pub fn link(&self) -> String {
        if self.desk.ask("SELECT COUNT(*) FROM ticket") == "0" {
            self.desk.mails_of_carol(&["1@corp.test"]);
            self.desk.ends(0, &["ticket", "add", "1", "--message-id", "1@corp.test", "--customer", CAROL]);
        }
        self.link_of("1", CAROL)
    }

    pub fn link_of(&self, ticket: &str, customer: &str) -> String {
        let link = self.desk.ends(0, &["link", "--ticket", ticket, "--customer", customer]);
        link.trim().strip_prefix("https://help.test").unwrap().to_owned()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.client.ask("GET", path, &[], b"")
    }

    /// Presses the button of a page of the door's own.
    pub fn press(&self, path: &str, wish: &str, cookie: Option<&str>) -> Answer {
        let cookie = cookie.map(|cookie| ("Cookie", cookie));
        let fields: Vec<_> = [OWN].into_iter().chain(cookie).collect();
        self.client.ask("POST", path, &fields, format!("do={wish}").as_bytes())
    }

    /// Presses the button of a new link of carol's: the cookie, and where it leads.
    pub fn enter(&self) -> (String, String) {
        let answer = self.press(&self.link(), "open", None);
        assert_eq!(answer.status, 303, "{answer:?}");
        (answer.cookie().unwrap(), answer.field("location").unwrap().to_owned())
    }

    /// The proxy asks who it is.
    pub fn auth(&self, cookie: &str, address: &str) -> Answer {
        self.client.auth(cookie, address)
    }

    pub fn sessions(&self) -> i64 {
        self.desk.count("session")
    }
}
