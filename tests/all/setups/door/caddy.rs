//! `examples/caddy`.

use std::process::Command;

use super::front::{Door, Places, Proxy, secret};
use crate::setups::Shipped;
use crate::site::Site;

/// Caddy, with the shipped file in the site's folder.
pub fn start(site: &Site, places: &Places) -> Proxy {
    start_with(site, places, |text| text)
}

/// The same, and all that leads to the helpdesk has the secret.
pub fn start_with_the_secret_everywhere(site: &Site, places: &Places) -> Proxy {
    start_with(site, places, |text| text.with("# import /etc", "import /etc"))
}

fn start_with(site: &Site, places: &Places, change: impl Fn(Shipped) -> Shipped) -> Proxy {
    let folder = site.folder().display();
    let door = match &places.door {
        Door::Port(port) => format!("127.0.0.1:{port}"),
        Door::Socket(path) => format!("unix/{}", path.display()),
    };
    let shipped = change(Shipped::read("caddy/Caddyfile"))
        .with("https://help.example.org", format!("https://localhost:{}", places.port))
        .with("http://help.example.org", format!("http://localhost:{}", places.plain))
        .with("unix//run/otab/door.sock", door)
        .with("127.0.0.1:5000", format!("127.0.0.1:{}", places.portal))
        .with("import /etc/caddy/otab-secret", format!("import {folder}/otab-secret"))
        .with("/var/log/caddy/", format!("{folder}/logs/"))
        .with("# tls /etc", "tls /etc")
        .with("/etc/ssl/certs/help.example.org.pem", format!("{folder}/server.pem"))
        .with("/etc/ssl/private/help.example.org.key", format!("{folder}/server.key"))
        .text();
    secret(site, "caddy/otab-secret", "otab-secret");
    let ours = format!(
        "{{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {{\n\t\toutput file {folder}/logs/caddy.log\n\t}}\n}}\n"
    );
    site.write("Caddyfile", &format!("{ours}{shipped}"));
    // It returns once it listens.
    let mut caddy = Command::new("caddy");
    caddy.args(["start", "--config"]).arg(site.path("Caddyfile")).arg("--pidfile").arg(site.path("caddy.pid"));
    caddy
        .env("HOME", site.folder())
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .current_dir(site.folder());
    // What it says goes into a file: it keeps its parent's standard error open.
    let said = std::fs::File::create(site.path("logs/start.log")).unwrap();
    let done =
        caddy.stdin(std::process::Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said).status().unwrap();
    assert!(done.success(), "{}", site.read("logs/start.log"));
    Proxy::of(&site.path("caddy.pid"))
}
