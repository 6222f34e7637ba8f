//! How the door starts, where it listens, and how it ends.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use super::client::{Client, Place, answer};
use super::{BASE, CAROL, Door, OWN, Serving, closed};
use crate::setups::{free_port, wait_for};
use crate::site::{Ended, Site, mail_from, with_cores};

#[test]
fn the_service_manager_hears_of_beginning_and_end() {
    for signal in ["TERM", "INT"] {
        let mut door = Door::open();
        let socket = door.desk.path("door.sock");
        let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        door.serving.signal(signal);
        assert_eq!(door.serving.word(), "STOPPING=1\n");
        assert_eq!(door.serving.status(), Some(0), "{}", door.desk.log());
        assert!(!socket.exists());
        // The last one out has folded the log into the database.
        assert!(!door.desk.path("otab.db-wal").exists());
    }
}

#[test]
fn what_is_under_way_ends_and_nothing_new_begins() {
    let mut door = Door::open();
    let path = door.link();
    let mut idle = door.client.connect();
    let mut stream = door.client.connect();
    let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nOrigin: {BASE}\r\nContent-Length: 7\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // Whatever is asked later has been heard later.
    assert_eq!(door.get("/healthz").status, 200);
    door.serving.signal("TERM");
    assert_eq!(door.serving.word(), "STOPPING=1\n");
    assert_eq!(answer(idle.as_mut()).status, 0, "nobody is waited for who asks nothing");
    assert!(!door.desk.path("door.sock").exists());
    stream.write_all(b"do=open").unwrap();
    let finished = answer(stream.as_mut());
    assert_eq!(finished.status, 303, "{finished:?}");
    assert_eq!((door.serving.status(), door.sessions()), (Some(0), 1));
}

#[test]
fn the_door_leaves_no_core_file() {
    let desk = closed("");
    desk.mails_of_carol(&["1@corp.test"]);
    let serving = Serving::start(&desk, |command| {
        *command = with_cores(command);
        command.stdin(Stdio::null());
    });
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", serving.id())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().next(), Some("0"), "{core}");
}

#[test]
fn systemds_socket_wins_over_the_setting() {
    let desk = closed("listen = \"unix:never.sock\"\n");
    desk.mails_of_carol(&["1@corp.test"]);
    let socket = desk.path("given.sock");
    let mut activate = Command::new("systemd-socket-activate");
    activate.arg("-l").arg(&socket).arg(env!("CARGO_BIN_EXE_otab"));
    activate.arg("--config").arg(desk.path("otab.toml")).arg("serve");
    let mut child = activate.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // It says when it listens, and starts the door with the first connection.
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert!(line.contains("Listening"), "{line}");
    let client = Client(Place::Unix(socket.clone()));
    assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200);
    assert!(!desk.path("never.sock").exists());
    let _ = Command::new("kill").arg(child.id().to_string()).status();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(socket.exists(), "it is systemd's");
}

#[test]
fn a_dead_doors_socket_is_replaced_a_living_ones_not() {
    let door = Door::open();
    assert_eq!(door.desk.run(&["serve"]).status.code(), Some(69), "somebody listens");
    assert_eq!(door.get("/healthz").status, 200);
    let desk = closed("");
    desk.mails_of_carol(&["1@corp.test"]);
    drop(UnixListener::bind(desk.path("door.sock")).unwrap());
    let after = Door::of(desk);
    assert_eq!(after.get("/healthz").status, 200);
    let socket = std::fs::metadata(after.desk.path("door.sock")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&socket) & 0o7777, 0o660);
    let desk = closed("");
    desk.mails_of_carol(&["1@corp.test"]);
    desk.write("door.sock", "precious");
    assert_eq!(desk.run(&["serve"]).status.code(), Some(69));
    assert_eq!(desk.read("door.sock"), "precious");
}

/// How `otab serve` ends, and what it says.
fn refused(desk: &Site) -> (Option<i32>, String) {
    let output = desk.run(&["serve"]);
    (output.status.code(), output.err())
}

#[test]
fn settings_that_do_not_fit_are_78_and_check_says_so() {
    let changes: [(&str, &str, &str); 6] = [
        ("base_url = \"https://help.test\"", "base_url = \"\"", "base_url is empty"),
        ("base_url = \"https://help.test\"", "base_url = \"https://other.test\"", "link_url is not"),
        ("https://help.test/t/", "https://help.test/x/", "link_url is not"),
        ("https://help.test/otobo", "http://help.test/otobo", "portal_url is no page of"),
        ("[door]\n", "[door]\nlogo = \"otab.toml\"\n", "neither SVG nor PNG"),
        ("[door]\n", "[door]\ntemplates = \"none\"\n", "none: No such file"),
    ];
    for (old, new, why) in changes {
        let desk = closed("");
        desk.mails_of_carol(&["1@corp.test"]);
        assert!(desk.ends(0, &["check"]).contains("ok    door:"));
        desk.configure(old, new);
        let (status, said) = refused(&desk);
        assert!(status == Some(78) && said.contains(why), "{status:?} {said}");
        // Without base_url no door is meant.
        if !new.ends_with("\"\"") {
            assert!(desk.ends(78, &["check"]).contains(why), "{why}");
        }
    }
}

#[test]
fn a_taken_port_and_a_store_that_is_shut_are_69() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let desk = closed(&format!("listen = \"127.0.0.1:{port}\"\n"));
    desk.mails_of_carol(&["1@corp.test"]);
    let (status, said) = refused(&desk);
    assert!(status == Some(69) && said.contains("door.listen"), "{said}");
    let (status, said) = refused(&closed(&format!("metrics = \"127.0.0.1:{port}\"\n")));
    assert!(status == Some(69) && said.contains("door.metrics"), "{said}");
    let missing = closed("");
    missing.configure("create = true", "create = false");
    let (status, said) = refused(&missing);
    assert!(status == Some(69) && said.contains("otab.db"), "{said}");
}

#[test]
fn numbers_are_at_their_own_place_without_secrets() {
    let port = free_port();
    let door = Door::with(&format!("metrics = \"127.0.0.1:{port}\"\n"));
    let path = door.link();
    door.press(&path, "open", None);
    door.get("/t/never");
    let numbers = Client(Place::Tcp(port));
    let shown = numbers.ask("GET", "/metrics", &[], b"");
    assert_eq!(shown.status, 200);
    for line in [
        "otab_door_requests_total{route=\"/t/{token}\",status=\"303\"} 1",
        "otab_door_sessions_started_total 1",
        "otab_door_wrong_tokens_total 1",
    ] {
        assert!(shown.body.lines().any(|l| l == line || l.replace(' ', "") == line.replace(' ', "")), "{}", shown.body);
    }
    assert!(!shown.body.contains(path.strip_prefix("/t/").unwrap()) && !shown.body.contains("corp.test"));
    assert_eq!(door.get("/metrics").status, 404);
    for path in [path.as_str(), "/auth", "/healthz", "/"] {
        assert_eq!(numbers.ask("GET", path, &[], b"").status, 404, "{path}");
    }
}

#[test]
fn the_log_holds_no_token_no_address_and_no_query() {
    let door = Door::open();
    let path = door.link();
    let from = [("X-Forwarded-For", "198.51.100.77"), OWN];
    door.client.ask("GET", &format!("{path}?query=secret-query"), &from, b"");
    let entered = door.client.ask("POST", &path, &from, b"do=open");
    door.auth(&entered.cookie().unwrap(), entered.field("location").unwrap());
    door.client.ask("GET", "/t/wrong-token-of-a-stranger", &from, b"");
    door.client.ask("BREW", "/secret-place", &from, b"");
    wait_for(&door.desk.path("otab.log"), "door: other other 404", 1);
    let log = door.desk.log();
    let door_lines: Vec<&str> = log.lines().filter(|line| line.contains("door: ")).collect();
    assert!(door_lines.iter().any(|line| line.contains("door: POST /t/{token} 303 ")), "{log}");
    let cookie = entered.cookie().unwrap();
    for secret in [
        path.strip_prefix("/t/").unwrap(),
        cookie.strip_prefix("__Host-otab=").unwrap(),
        "198.51.100.77",
        "secret-query",
        "secret-place",
        "wrong-token",
        "BREW",
        CAROL,
    ] {
        assert!(door_lines.iter().all(|line| !line.contains(secret)), "{secret} in {log}");
    }
}

#[test]
fn the_door_sends_link_mails_where_it_is_asked_to() {
    let desk = closed("notify = true\n");
    desk.mails_of_carol(&["1@corp.test"]);
    let door = Door::of(desk);
    wait_for(&door.desk.path("otab.log"), "link mail 1: sent to", 1);
    assert_eq!((door.desk.orders(), door.desk.files().len()), (0, 1));
}

#[test]
fn a_filter_starts_nothing_of_the_door() {
    let desk = closed("notify = true\nlogo = \"none\"\ntemplates = \"none\"\n");
    let trace = desk.path("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=socket,bind,listen,epoll_create1,clone3", "-o"]).arg(&trace);
    strace.arg(env!("CARGO_BIN_EXE_otab")).arg("--config").arg(desk.path("otab.toml")).arg("filter");
    crate::site::run(&mut strace, &mail_from(CAROL, "1@corp.test")).ends(0);
    let calls = std::fs::read_to_string(&trace).unwrap();
    assert!(!calls.contains("epoll_create1(") && !calls.contains("listen(") && !calls.contains("bind("), "{calls}");
    // The one thread is for the time limits.
    assert!(calls.matches("clone3(").count() <= 2, "{calls}");
}

#[test]
fn a_store_that_the_door_holds_is_not_locked() {
    let door = Door::with("requests_per_minute = 0\n");
    let path = door.link();
    for number in 10..60 {
        assert_eq!(door.get(&path).status, 200);
        door.desk.mails_of_carol(&[&format!("{number}@corp.test")]);
    }
    let log = std::fs::metadata(door.desk.path("otab.db-wal")).unwrap().len();
    door.desk.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let after = std::fs::metadata(door.desk.path("otab.db-wal")).unwrap().len();
    assert_eq!(after, 0, "a reader holds it: it had {log} bytes");
    assert_eq!(door.get(&path).status, 200);
}

#[test]
fn a_door_that_nobody_asked_yet_holds_the_store_open() {
    let door = Door::open();
    let files = std::fs::read_dir(format!("/proc/{}/fd", door.serving.child.id())).unwrap();
    let open: Vec<_> = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok()).collect();
    assert!(open.iter().any(|file| file.ends_with("otab.db-wal")), "{open:?}");
}

#[test]
fn one_serving_door_takes_up_after_another() {
    let desk = closed("");
    desk.mails_of_carol(&["1@corp.test"]);
    for _ in 0..3 {
        let serving = Serving::start(&desk, |_| {});
        let client = Client(Place::Unix(desk.path("door.sock")));
        assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200);
        // Killed, it leaves its socket behind.
        drop(serving);
        assert!(desk.path("door.sock").exists());
    }
}
