//! A proxy as shipped, between a client, a door and the portal. Here the door is a listener that knows one session, so
//! that a test sees what reaches it; the real one stands behind the same proxies in `browser`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use otab::portal::fastcgi::{self, Progress};

use super::portal::{PROXY_SECRET, Portal};
use super::{apache, caddy, nginx};
use crate::http::{Answer, Client, Request, serve};
use crate::servers::server::CERTIFY;
use crate::setups::{Shipped, free_port, wait_for};
use crate::site::{Ended, Site, chmod};

/// A ticket of carol's, and where the door sends her.
pub const TICKET: &str = "2026112010000017";
pub const ENTER: &str =
    "/otab/enter?Action=Login;RequestedURL=Action%3DCustomerTicketZoom%3BTicketNumber%3D2026112010000017";
pub const CAROL: &str = "carol@corp.test";
/// The cookie of her session.
pub const COOKIE: (&str, &str) = ("Cookie", "__Host-otab=carols-session");

/// Where the proxy finds everybody.
#[derive(Clone)]
pub struct Places {
    pub door: Door,
    /// Where the door answers Apache.
    pub fastcgi: u16,
    pub portal: u16,
    /// Of the proxy, with TLS and without.
    pub port: u16,
    pub plain: u16,
}

/// Where a door listens.
#[derive(Clone)]
pub enum Door {
    Port(u16),
    Socket(std::path::PathBuf),
}

/// A proxy that runs in the background, and ends with the test.
pub struct Proxy(i32);

impl Proxy {
    /// The one that has written its number into this file.
    pub fn of(pid_file: &Path) -> Self {
        wait_for(pid_file, "", 1);
        Self(std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.to_string()).status();
        // Its folder goes next, and it writes into it to its end.
        let _ = Command::new("timeout")
            .args(["20", "tail", "-s", "0.05", "-f", "/dev/null", "--pid"])
            .arg(self.0.to_string())
            .status();
    }
}

pub type Start = fn(&Site, &Places) -> Proxy;

pub const PROXIES: [(&str, Start); 3] = [("nginx", nginx::start), ("caddy", caddy::start), ("apache", apache::start)];

/// The same, where all that leads to the helpdesk has the proxy's secret.
pub const WITH_THE_SECRET: [(&str, Start); 3] = [
    ("nginx", nginx::start_with_the_secret_everywhere),
    ("caddy", caddy::start_with_the_secret_everywhere),
    ("apache", apache::start_with_the_secret_everywhere),
];

pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Makes certificates, and the folder for logs.
pub fn prepare(site: &Site) {
    Command::new("sh").args(["-c", CERTIFY]).current_dir(site.folder()).output().unwrap().says(0);
    std::fs::create_dir(site.path("logs")).unwrap();
}

/// The shipped file for the proxy's secret, filled in, and for the user alone who starts the proxy.
pub fn secret(site: &Site, shipped: &str, name: &str) {
    let file = Shipped::read(shipped).with("\"\"", format!("\"{PROXY_SECRET}\"")).write(site, name);
    chmod(file, 0o600);
}

/// The proxy and all around it.
pub struct Front {
    pub name: &'static str,
    pub portal: Portal,
    pub client: Client,
    pub places: Places,
    /// What has reached the door.
    seen: Arc<Mutex<Vec<Request>>>,
    _proxy: Proxy,
    pub site: Site,
}

impl Front {
    pub fn new(name: &'static str, start: Start) -> Self {
        let (seen, portal) = (Arc::new(Mutex::new(Vec::new())), Portal::start());
        let into = Arc::clone(&seen);
        let door = serve(move |request| {
            let answer = door(&request);
            into.lock().unwrap().push(request);
            answer
        });
        Self::before(name, start, (Door::Port(door), serve_fastcgi()), portal, seen)
    }

    /// With nobody where the door should be.
    pub fn without_door(name: &'static str, start: Start) -> Self {
        Self::before(name, start, (Door::Port(free_port()), free_port()), Portal::start(), Arc::default())
    }

    fn before(
        name: &'static str,
        start: Start,
        (door, fastcgi): (Door, u16),
        portal: Portal,
        seen: Arc<Mutex<Vec<Request>>>,
    ) -> Self {
        let site = Site::new("");
        prepare(&site);
        portal.ticket(TICKET, CAROL);
        let places = Places { door, fastcgi, portal: portal.port, port: free_port(), plain: free_port() };
        let proxy = start(&site, &places);
        let client = Client::new(places.port, &site.path("ca.pem"));
        Self { name, portal, client, places, seen, _proxy: proxy, site }
    }

    /// What has reached the door since the last look.
    pub fn door_saw(&self) -> Vec<Request> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Waits until the proxy has logged this.
    pub fn wait_for_log(&self, what: &str) {
        wait_for(&self.site.path("logs/helpdesk.access.log"), what, 1);
    }

    /// All that stands in the proxy's logs by now.
    pub fn logs(&self) -> String {
        let files = std::fs::read_dir(self.site.path("logs")).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect()
    }
}

/// The listener for Apache's questions.
fn serve_fastcgi() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut bytes = Vec::new();
            let question = loop {
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..length]);
                if let Progress::Whole(question) = fastcgi::read(&bytes).unwrap() {
                    break question;
                }
                assert!(length > 0, "half a question");
            };
            let is_good = question.variable("REQUEST_URI") == Some(ENTER)
                && question
                    .variable("HTTP_COOKIE")
                    .is_some_and(|cookies| cookies.split("; ").any(|cookie| cookie == COOKIE.1));
            let _ = stream.write_all(&fastcgi::answer(&question, is_good.then_some(CAROL)));
        }
    });
    port
}

/// The listener: carol's session is good on the way to her ticket, and nowhere else.
fn door(request: &Request) -> Answer {
    let said = ["HTTP_X_ORIGINAL_URI", "HTTP_X_FORWARDED_URI"].map(|name| request.environment(name));
    let said: Vec<_> = said.into_iter().flatten().collect();
    let is_session = request.cookie("__Host-otab").as_deref() == Some("carols-session");
    match request.path() {
        "/auth" if is_session && !said.is_empty() && said.iter().all(|uri| uri == ENTER) => {
            Answer::page(200, "").with("Remote-User", CAROL)
        }
        "/auth" | "/otab/ended" => Answer::page(401, ""),
        _ => Answer::page(200, "the door"),
    }
}
