//! The door under load: wrk on `/auth` and on a link's page, against nginx with static files of the same size in the
//! same run; and what a million requests do to its memory.
//!
//! With `OTAB_LONG=1` it is as long as that, else some thousands. Times are printed, not judged; to measure what
//! production runs: `OTAB_LONG=1 cargo test --release --test all door::load -- --nocapture`.

use std::process::Command;

use super::client::{Client, Place};
use super::{Door, Serving, closed};
use crate::setups::{free_port, wait_for};
use crate::site::{Ended, Site};

/// Pairs of runs; the medians are compared.
const PAIRS: usize = 3;
/// What its memory may grow by under load, in KiB: buffers of the connections, and what the allocator keeps.
const GROWTH: u64 = 16 << 10;

fn is_long() -> bool {
    std::env::var_os("OTAB_LONG").is_some()
}

/// What wrk has counted.
#[derive(Debug)]
struct Load {
    requests: u64,
    per_second: f64,
    faults: Vec<String>,
}

/// Keeps this many connections busy.
fn wrk(url: &str, connections: u32, seconds: u32, fields: &[String]) -> Load {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--timeout", "30s"]);
    for field in fields {
        wrk.args(["-H", field]);
    }
    let output = wrk.arg(url).output().expect("wrk");
    let text = output.out();
    assert!(output.status.success(), "{text} {}", output.err());
    let word = |line: &str, at: usize| line.split_whitespace().nth(at).unwrap_or_default().to_owned();
    let find = |what: &str| text.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{text}"));
    let is_fault = |line: &&str| line.contains("Socket errors") || line.contains("Non-2xx");
    Load {
        requests: word(find("requests in"), 0).parse().unwrap(),
        per_second: word(find("Requests/sec"), 1).parse().unwrap(),
        faults: text.lines().filter(is_fault).map(str::to_owned).collect(),
    }
}

/// nginx with two files in its folder, until it is dropped.
struct Nginx {
    site: Site,
    port: u16,
}

impl Nginx {
    fn start(page: &str) -> Self {
        let site = Site::new("");
        let port = free_port();
        let folder = site.folder().display();
        std::fs::create_dir(site.path("www")).unwrap();
        site.write("www/page", page);
        site.write("www/empty", "");
        let conf = site.write(
            "nginx.conf",
            &format!(
                "user root;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{ worker_connections 1024; }}\n\
                 http {{ access_log {folder}/access.log;\nkeepalive_requests 100000000;\nclient_body_temp_path {folder}/a;\n\
                 proxy_temp_path {folder}/b;\nfastcgi_temp_path {folder}/c;\nuwsgi_temp_path {folder}/d;\nscgi_temp_path {folder}/e;\n\
                 server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}\n"
            ),
        );
        Command::new("nginx").args(["-e", "stderr", "-c"]).arg(conf).output().unwrap().says(0);
        Self { site, port }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(self.site.path("pid")) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}

/// The memory that a process has, in KiB.
fn memory(serving: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[test]
fn under_load_no_request_fails_and_memory_stays_flat() {
    let (seconds, total) = if is_long() { (10, 1_000_000) } else { (1, 5_000) };
    let port = free_port();
    let desk = closed(&format!("listen = \"127.0.0.1:{port}\"\nrequests_per_minute = 0\nwrong_tokens_per_hour = 0\n"));
    desk.mail_from("first@corp.test", "0@corp.test");
    let serving = Serving::start(&desk, |_| {});
    let door = Door { desk, client: Client(Place::Tcp(port)), serving };
    let (cookie, address) = door.enter();
    let page = door.link();
    let fields = [format!("Cookie: {cookie}"), format!("X-Original-URI: {address}")];
    let nginx = Nginx::start(&door.get(&page).body);

    let base = format!("http://127.0.0.1:{port}");
    for (what, path, file) in [("/auth", "/auth", "empty"), ("a link's page", page.as_str(), "page")] {
        for connections in [16, 256] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..PAIRS {
                let load = wrk(&format!("{base}{path}"), connections, seconds, &fields);
                assert!(load.faults.is_empty(), "{what}, {connections} connections: {load:?}");
                ours.push(load.per_second);
                let file = format!("http://127.0.0.1:{}/{file}", nginx.port);
                theirs.push(wrk(&file, connections, seconds, &fields).per_second);
            }
            let (ours, theirs) = (median(ours), median(theirs));
            eprintln!(
                "{what}, {connections} connections: {ours:.0} a second, nginx with a file of the same size {theirs:.0}, ratio {:.2}",
                ours / theirs
            );
        }
    }

    // Everything is warm by now.
    let before = memory(&door.serving);
    let mut requests = 0;
    while requests < total {
        let load = wrk(&format!("{base}/auth"), 256, seconds, &fields);
        assert!(load.faults.is_empty(), "{load:?}");
        requests += load.requests;
        // Nobody's cookies and nobody's tokens, which must be remembered nowhere.
        let strange = [format!("Cookie: __Host-otab=A{requests:021}"), fields[1].clone()];
        requests += wrk(&format!("{base}/auth"), 256, 1, &strange).requests;
        requests += wrk(&format!("{base}/t/nobodys{requests}"), 256, 1, &[]).requests;
    }
    let after = memory(&door.serving);
    eprintln!("after {requests} more requests: {after} KiB of memory, before {before} KiB");
    assert!(after < before + GROWTH, "{before} KiB, {after} KiB");
    wait_for(&door.desk.path("otab.log"), "/auth 200", 1);
    assert_eq!(door.auth(&cookie, &address).status, 200);
}
