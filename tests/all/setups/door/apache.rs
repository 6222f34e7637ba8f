//! `examples/apache`.

use std::process::Command;

use super::front::{CAROL, COOKIE, Door, ENTER, Front, Places, Proxy, is_root, secret};
use crate::setups::{Shipped, executable, free_port};
use crate::site::{Ended, Site};

/// What Debian's Apache has switched on by itself, what a site with TLS needs, and what the example asks for.
fn modules() -> String {
    let shipped = Shipped::read("apache/otab-server.conf").text();
    let wanted = shipped.lines().find_map(|line| line.strip_prefix("#   a2enmod ")).unwrap();
    let modules = format!("mpm_event alias authz_core authz_host reqtimeout ssl {wanted}");
    let line = |name: &str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
    modules.split(' ').map(line).collect()
}

/// Apache, with the shipped files in the site's folder.
pub fn start(site: &Site, places: &Places) -> Proxy {
    start_with(site, places, |text| text, "")
}

/// The same, and all that leads to the helpdesk has the secret.
pub fn start_with_the_secret_everywhere(site: &Site, places: &Places) -> Proxy {
    let take_in = |text: Shipped| {
        text.with("# <LocationMatch", "<LocationMatch")
            .with("#    Include", "Include")
            .with("# </LocationMatch", "</LocationMatch")
    };
    start_with(site, places, take_in, "")
}

/// The same, with changes and further lines.
fn start_with(site: &Site, places: &Places, change: impl Fn(Shipped) -> Shipped, more: &str) -> Proxy {
    let folder = site.folder().display();
    let door = match &places.door {
        Door::Port(port) => format!("http://127.0.0.1:{port}/"),
        Door::Socket(path) => format!("unix:{}|http://localhost/", path.display()),
    };
    change(Shipped::read("apache/otab.conf"))
        .with("unix:/run/otab/door.sock|http://localhost/", door)
        .with("127.0.0.1:5000", format!("127.0.0.1:{}", places.portal))
        .with("Include /etc/apache2/otab-secret.conf", format!("Include {folder}/otab-secret.conf"))
        .write(site, "otab.conf");
    secret(site, "apache/otab-secret.conf", "otab-secret.conf");
    Shipped::read("apache/otab-server.conf")
        .with("127.0.0.1:8423", format!("127.0.0.1:{}", places.fastcgi))
        .write(site, "otab-server.conf");
    Shipped::read("apache/helpdesk.conf")
        .with("<VirtualHost *:443>", format!("<VirtualHost 127.0.0.1:{}>", places.port))
        .with("<VirtualHost *:80>", format!("<VirtualHost 127.0.0.1:{}>", places.plain))
        .with("https://help.example.org", format!("https://localhost:{}", places.port))
        .with("help.example.org\n", "localhost\n")
        .with("/etc/ssl/certs/help.example.org.pem", format!("{folder}/server.pem"))
        .with("/etc/ssl/private/help.example.org.key", format!("{folder}/server.key"))
        .with("/var/log/apache2/", format!("{folder}/logs/"))
        .with("/etc/apache2/otab.conf", format!("{folder}/otab.conf"))
        .with("127.0.0.1:5000", format!("127.0.0.1:{}", places.portal))
        .write(site, "helpdesk.conf");
    let (port, plain) = (places.port, places.plain);
    let user = if is_root() { "User www-data\nGroup www-data\n" } else { "" };
    site.write(
        "apache2.conf",
        &format!(
            "{}ServerRoot {folder}\nPidFile {folder}/apache2.pid\nDefaultRuntimeDir {folder}\nMutex file:{folder} default\n{user}\
             ServerName localhost\nListen 127.0.0.1:{port}\nListen 127.0.0.1:{plain}\nErrorLog {folder}/logs/apache2.error.log\n\
             StartServers 1\nThreadsPerChild 8\nMaxRequestWorkers 8\nServerLimit 1\nDocumentRoot {folder}/logs\n\
             Include {folder}/otab-server.conf\nInclude {folder}/helpdesk.conf\n{more}",
            modules()
        ),
    );
    // It returns once it listens.
    Command::new("apache2").arg("-f").arg(site.path("apache2.conf")).args(["-k", "start"]).output().unwrap().says(0);
    Proxy::of(&site.path("apache2.pid"))
}

/// The helpdesk in this very Apache, in a virtual host of its own with the lines that the example has for that. A program
/// of CGI is in the place of `mod_perl`: both get their variables from Apache.
fn start_with_the_helpdesk_inside(site: &Site, places: &Places) -> Proxy {
    let folder = site.folder().display();
    executable(site.folder());
    let says = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nuser=%s header=%s\\n' \"$REMOTE_USER\" \"$HTTP_REMOTE_USER\"\n";
    site.program("customer.pl", says);
    let shipped = Shipped::read("apache/otab.conf").text();
    let lines: String = shipped
        .lines()
        .filter_map(|line| line.strip_prefix("#     ").filter(|l| !l.starts_with(' ')))
        .flat_map(|l| [l, "\n"])
        .collect();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    let port = free_port();
    let inside = format!(
        "LoadModule cgid_module /usr/lib/apache2/modules/mod_cgid.so\nScriptSock {folder}/cgi.sock\nListen 127.0.0.1:{port}\n\
         <VirtualHost 127.0.0.1:{port}>\n{lines}ScriptAlias \"/otobo/customer.pl\" \"{folder}/customer.pl\"\n\
         <Directory \"{folder}\">\nRequire all granted\n</Directory>\n</VirtualHost>\n"
    );
    start_with(site, &Places { portal: port, ..places.clone() }, |text| text, &inside)
}

#[test]
fn a_helpdesk_inside_of_apache_needs_no_secret() {
    let front = Front::new("apache", start_with_the_helpdesk_inside);
    assert!(front.client.get(ENTER, &[COOKIE]).body.contains(&format!("user={CAROL} header=\n")));
    for spelling in ["Remote-User", "Remote_User", "REMOTE-USER", "X-Remote-User"] {
        let answer = front.client.get("/otobo/customer.pl", &[COOKIE, (spelling, "root@localhost")]);
        assert_eq!((answer.status, answer.body.as_str()), (200, "user= header=\n"), "{spelling}: {answer:?}");
    }
}
