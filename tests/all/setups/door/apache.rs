//! `examples/apache`.

use std::process::Command;

use super::front::{Door, Places, Proxy, is_root};
use crate::setups::Shipped;
use crate::site::Site;

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
    let folder = site.folder().display();
    let door = match &places.door {
        Door::Port(port) => format!("http://127.0.0.1:{port}/"),
        Door::Socket(path) => format!("unix:{}|http://localhost/", path.display()),
    };
    Shipped::read("apache/otab.conf")
        .with("unix:/run/otab/door.sock|http://localhost/", door)
        .with("127.0.0.1:5000", format!("127.0.0.1:{}", places.portal))
        .write(site, "otab.conf");
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
             Include {folder}/otab-server.conf\nInclude {folder}/helpdesk.conf\n",
            modules()
        ),
    );
    // It returns once it listens.
    let done = Command::new("apache2").arg("-f").arg(site.path("apache2.conf")).args(["-k", "start"]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    Proxy::of(&site.path("apache2.pid"))
}
