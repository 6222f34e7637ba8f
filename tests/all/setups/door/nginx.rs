//! `examples/nginx`.

use std::process::Command;

use super::front::{Door, Front, Places, Proxy, Start, secret};
use super::portal::AGENT;
use crate::setups::Shipped;
use crate::site::{Ended, Site};

/// nginx, with the shipped files in the site's folder.
pub fn start(site: &Site, places: &Places) -> Proxy {
    start_with(site, places, |text| text)
}

/// The same, but that what a browser says in Referer reaches everybody.
pub fn start_passing_referer_on(site: &Site, places: &Places) -> Proxy {
    start_with(site, places, |text| {
        text.with("proxy_set_header Referer $otab_referer;", "").with("proxy_set_header Referer \"\";", "")
    })
}

/// The same, and each location that leads to the helpdesk has the secret, as in OTOBO's own files.
pub fn start_with_the_secret_everywhere(site: &Site, places: &Places) -> Proxy {
    let include = format!("include {}/otab-secret.conf;", site.folder().display());
    let proxy = start(site, places);
    drop(proxy);
    Shipped::read("nginx/otab-helpdesk.conf")
        .with("proxy_set_header X-OTOBO-Proxy-Secret \"\";\n", "")
        .with("# include snippets/otab-secret.conf;", include)
        .write(site, "otab-helpdesk.conf");
    run(site)
}

/// The same, with another server.
fn start_with(site: &Site, places: &Places, change: impl Fn(Shipped) -> Shipped) -> Proxy {
    let folder = site.folder().display();
    let door = match &places.door {
        Door::Port(port) => format!("127.0.0.1:{port}"),
        Door::Socket(path) => format!("unix:{}", path.display()),
    };
    Shipped::read("nginx/otab-http.conf")
        .with("server unix:/run/otab/door.sock;", format!("server {door};"))
        .with("127.0.0.1:5000", format!("127.0.0.1:{}", places.portal))
        .write(site, "otab-http.conf");
    change(Shipped::read("nginx/otab.conf")).with("snippets/", format!("{folder}/")).write(site, "otab.conf");
    secret(site, "nginx/otab-secret.conf", "otab-secret.conf");
    Shipped::read("nginx/otab-helpdesk.conf").write(site, "otab-helpdesk.conf");
    Shipped::read("nginx/helpdesk.conf")
        .with("listen 443 ssl http2", format!("listen 127.0.0.1:{} ssl http2", places.port))
        .with("    listen [::]:443 ssl http2;\n", "")
        .with("listen 80;", format!("listen 127.0.0.1:{};", places.plain))
        .with("    listen [::]:80;\n", "")
        .with("https://help.example.org", format!("https://localhost:{}", places.port))
        .with("help.example.org;", "localhost;")
        .with("/etc/ssl/certs/help.example.org.pem", format!("{folder}/server.pem"))
        .with("/etc/ssl/private/help.example.org.key", format!("{folder}/server.key"))
        .with("/var/log/nginx/", format!("{folder}/logs/"))
        .with("snippets/", format!("{folder}/"))
        .write(site, "helpdesk.conf");
    let user = if super::front::is_root() { "user root;\n" } else { "" };
    site.write(
        "nginx.conf",
        &format!(
            "{user}worker_processes 2;\npid {folder}/nginx.pid;\nerror_log {folder}/logs/nginx.error.log;\nevents {{ }}\nhttp {{\n\
             access_log {folder}/logs/nginx.access.log;\nclient_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n\
             fastcgi_temp_path {folder}/fastcgi;\nuwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n\
             include {folder}/otab-http.conf;\ninclude {folder}/helpdesk.conf;\n}}\n"
        ),
    );
    run(site)
}

/// It returns once nginx listens.
fn run(site: &Site) -> Proxy {
    let conf = site.path("nginx.conf");
    Command::new("nginx").args(["-e", "stderr", "-c"]).arg(&conf).output().unwrap().says(0);
    Proxy::of(&site.path("nginx.pid"))
}

/// The guard in the server and the one in the locations: each of them alone is enough.
#[test]
fn remote_user_is_refused_in_server_and_locations() {
    let guard = "if ($http_remote_user != \"\") {\n    return 400;\n}\n";
    for (name, start) in [
        ("refused", start as Start),
        ("taken out", |site, places| {
            start_with(site, places, |text| text.with("if ($http_remote_user != \"\") {\n    return 400;\n}\n", ""))
        }),
    ] {
        assert!(Shipped::read("nginx/otab.conf").text().contains(guard));
        let front = Front::new("nginx", start);
        let answer = front.client.get(AGENT, &[("Remote-User", "root@localhost")]);
        let expected = if name == "refused" { (400, 0) } else { (200, 1) };
        assert_eq!((answer.status, front.portal.seen().len()), expected, "{name}");
        assert!(!answer.body.contains("root@localhost"), "{name}: {answer:?}");
    }
}
