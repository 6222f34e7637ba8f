//! A real slapd in a folder of its own, on free ports of the loopback. It ends as the other servers do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64;

use crate::servers::server::{CERTIFY, WATCH};
use crate::site::{Ended, piped};

pub const BASE: &str = "dc=corp,dc=test";
pub const ADMIN: &str = "cn=admin,dc=corp,dc=test";
pub const PASSWORD: &str = "hunter2";

pub struct Slapd {
    folder: PathBuf,
    ports: [u16; 2],
    watch: Child,
    entries: AtomicUsize,
}

impl Slapd {
    /// Makes one with a base and nobody in it, and waits until it answers.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("otab-").tempdir().unwrap();
        Command::new("sh").args(["-c", CERTIFY]).current_dir(folder.path()).output().unwrap().says(0);
        configure(folder.path());
        // Both at once, so that they differ.
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
        drop(listeners);
        let watch = launch(folder.path(), ports);
        let this = Self { folder: folder.keep(), ports, watch, entries: AtomicUsize::new(0) };
        let base = format!("dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: corp\no: Corp\n");
        let output = this.ldif(&base);
        assert!(output.status.success(), "{output:?}");
        this
    }

    /// The URL for `ldap` or `ldaps`, by the name that is in the certificate.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.ports[usize::from(scheme == "ldaps")])
    }

    /// The certificate of the authority that its own is from.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    fn ldif(&self, text: &str) -> Output {
        let url = self.url("ldap");
        let mut command = Command::new("ldapadd");
        command.args(["-x", "-H", &url, "-D", ADMIN, "-w", PASSWORD]).env("LDAPNOINIT", "1");
        let mut child = piped(&mut command);
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Adds people, each by attributes and values; whether slapd has taken them.
    pub fn people(&self, people: &[&[(&str, &[u8])]]) -> bool {
        let mut text = String::new();
        for values in people {
            let number = self.entries.fetch_add(1, Ordering::Relaxed);
            text.extend([format!("dn: cn=e{number},{BASE}\nobjectClass: inetOrgPerson\ncn: e{number}\nsn: Corp\n")]);
            text.extend(values.iter().map(|(attribute, value)| format!("{attribute}:: {}\n", BASE64.encode(value))));
            text.push('\n');
        }
        self.ldif(&text).status.success()
    }

    /// Adds somebody with a login, an address, and a company.
    pub fn person(&self, login: &str, email: &str, company: &str) -> bool {
        self.people(&[&[("uid", login.as_bytes()), ("mail", email.as_bytes()), ("o", company.as_bytes())]])
    }

    /// Adds a reference to another server.
    pub fn reference(&self, url: &str) {
        let text = format!(
            "dn: ou=elsewhere,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: {url}\n"
        );
        assert!(self.ldif(&text).status.success());
    }

    pub fn signal(&self, name: &str) {
        let pid = std::fs::read_to_string(self.folder.join("pid")).unwrap();
        let status = Command::new("kill").args(["-s", name, pid.trim()]).status().unwrap();
        assert!(status.success());
    }

    /// Ends it, and keeps what it has.
    pub fn kill(&mut self) {
        self.watch.stdin.take().unwrap().write_all(b"keep\n").unwrap();
        self.watch.wait().unwrap();
    }

    pub fn restart(&mut self) {
        self.watch = launch(&self.folder, self.ports);
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

fn configure(folder: &Path) {
    let at = folder.display();
    std::fs::create_dir(folder.join("data")).unwrap();
    let text = format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\npidfile {at}/pid\n\
         modulepath /usr/lib/ldap\nmoduleload back_mdb\n\
         TLSCertificateFile {at}/server.pem\nTLSCertificateKeyFile {at}/server.key\n\
         referral ldap://127.0.0.1:1\n\
         database mdb\nsuffix {BASE}\nrootdn {ADMIN}\nrootpw {PASSWORD}\ndirectory {at}/data\nmaxsize 16777216\n\
         dbnosync\n"
    );
    std::fs::write(folder.join("slapd.conf"), text).unwrap();
}

fn launch(folder: &Path, ports: [u16; 2]) -> Child {
    let [ldap, ldaps] = ports;
    let mut command = Command::new("sh");
    command
        .args(["-c", WATCH, "sh", "setsid", "/usr/sbin/slapd", "-d", "stats", "-f"])
        .arg(folder.join("slapd.conf"))
        .args(["-h", &format!("ldap://127.0.0.1:{ldap}/ ldaps://127.0.0.1:{ldaps}/")])
        .env("STOP_BY", "INT")
        .env("FOLDER", folder)
        .current_dir(folder);
    let mut watch = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(watch.stdout.take().unwrap());
    let mut told = String::new();
    while !told.contains("slapd starting") {
        assert!(log.read_line(&mut told).unwrap() > 0, "slapd has ended: {told}");
    }
    // What it says from now on has to go somewhere, or it would stand still.
    std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
    // It says so a moment before it listens.
    for port in ports {
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(watch.try_wait().unwrap().is_none(), "slapd has ended");
            std::thread::yield_now();
        }
    }
    watch
}
