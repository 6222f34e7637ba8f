//! The mail path wakes the sender and does not wait for it: whatever the mail server does, the mail is out.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use super::peer::{Event, Peer, Reply};
use crate::setups::wait_for;
use crate::site::{CAROL, Ended, Read, Site, chmod, ignoring_sigchld, mail_from, run, with_cores};

/// A desk whose filters wake the sender.
fn waking(port: u16, more: &str) -> Site {
    let desk = Site::linking_to(port, more);
    desk.configure("wake = false", "wake = true");
    desk
}

/// A server that hangs at its greeting until it is told to be good.
fn hanging() -> (Peer, Arc<AtomicBool>) {
    let good = Arc::new(AtomicBool::new(false));
    let is_good = Arc::clone(&good);
    (Peer::start(move |_, _| if is_good.load(Ordering::SeqCst) { Reply::Usual } else { Reply::Hang }), good)
}

/// How long a command takes with the mails 1 to 11, to the end of its output, the median.
fn median(desk: &Site, args: &[&str]) -> Duration {
    let mut times: Vec<Duration> = (0..11)
        .map(|number| {
            let mail = mail_from(CAROL, &format!("{number}@corp.test"));
            let start = Instant::now();
            run(&mut desk.command(args), &mail).ends(0);
            start.elapsed()
        })
        .collect();
    times.sort();
    times[5]
}

#[test]
fn a_hanging_mail_server_slows_no_mail() {
    for args in [&["filter"][..], &["deliver", "--", "cat"]] {
        let good = Peer::start(|_, _| Reply::Usual);
        let fast = median(&waking(good.port, "per_address = 0\n"), args);
        let (bad, is_good) = hanging();
        let desk = waking(bad.port, "timeout = 5\nper_address = 0\n");
        let slow = median(&desk, args);
        eprintln!("{args:?}: {fast:?} with a good mail server, {slow:?} with one that hangs");
        assert!(slow < fast * 4 + Duration::from_millis(100), "{slow:?} against {fast:?}");
        bad.wait_for(&Event::Open);
        assert!(bad.got().is_empty());
        assert_eq!(desk.orders(), 11);
        // Once it is good again each goes out, once. The woken senders end by themselves.
        is_good.store(true, Ordering::SeqCst);
        wait_for(&desk.path("otab.log"), "tried again", 1);
        for _ in 0..200 {
            desk.sql("UPDATE outbox SET due_at = 0 WHERE last_error IS NOT NULL");
            desk.notify();
            if desk.orders() == 0 {
                break;
            }
        }
        let mut ids: Vec<String> =
            bad.got().iter().map(|got| Read::new(got.mail.as_bytes()).field("Message-ID").to_owned()).collect();
        assert_eq!(desk.orders(), 0, "{}", desk.log());
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), bad.got().len()), (11, 11));
    }
}

#[test]
fn the_sender_that_was_woken_notes_what_came_of_it() {
    let (bad, is_good) = hanging();
    let desk = waking(bad.port, "timeout = 5\n");
    desk.mails_of_carol(&["1@corp.test"]);
    wait_for(&desk.path("otab.log"), "link mail 1: tried again", 1);
    is_good.store(true, Ordering::SeqCst);
    desk.sql("UPDATE outbox SET due_at = 0");
    // The next mail wakes it as well, and both go out.
    desk.mails_of_carol(&["2@corp.test"]);
    wait_for(&desk.path("otab.log"), "sent to carol@corp.test", 2);
    assert_eq!((bad.got().len(), desk.orders()), (2, 0));
}

/// A server that says nothing before it is told to.
fn silent() -> (Peer, Sender<()>) {
    let (go, wait) = channel();
    let wait = Mutex::new(wait);
    let peer = Peer::start(move |stage, _| {
        if stage == "greeting" {
            let _ = wait.lock().unwrap().recv();
        }
        Reply::Usual
    });
    (peer, go)
}

#[test]
fn the_woken_sender_outlives_its_caller_and_its_pipes() {
    let (peer, go) = silent();
    let desk = waking(peer.port, "");
    desk.write("mail", &String::from_utf8(mail_from(CAROL, "1@corp.test")).unwrap());
    // A relative path, as seen from there; then the whole group goes, the shell with it.
    let line = format!("{} --config otab.toml filter < mail > out; kill -9 0", env!("CARGO_BIN_EXE_otab"));
    let mut caller = Command::new("setsid");
    caller.args(["-w", "sh", "-c", &line]).current_dir(desk.folder());
    let output = caller.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    assert!(desk.read("out").contains("X-OTOBO-CustomerUser"));
    go.send(()).unwrap();
    peer.wait_for(&Event::Heard("QUIT".into()));
    assert_eq!(peer.got().len(), 1);
}

#[test]
fn the_woken_sender_has_no_input_and_shows_no_secret() {
    let (peer, go) = silent();
    let desk = waking(peer.port, "");
    desk.mails_of_carol(&["1@corp.test"]);
    let secret = desk.secrets().remove(0);
    peer.wait_for(&Event::Open);
    let config = desk.path("otab.toml").display().to_string();
    let words = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let sender: Vec<String> = processes.filter(|pid| words(pid).contains(&config)).collect();
    let [pid] = &sender[..] else { panic!("{sender:?}") };
    assert!(words(pid).ends_with("\0notify\0") && !words(pid).contains(&secret), "{}", words(pid));
    let link = |name: &str| std::fs::read_link(format!("/proc/{pid}/{name}")).unwrap();
    assert_eq!(link("cwd").to_str(), Some("/"));
    for number in 0..3 {
        assert_eq!(link(&format!("fd/{number}")).to_str(), Some("/dev/null"));
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert_eq!(stat.rsplit(')').next().unwrap().split_whitespace().nth(2), Some(pid.as_str()), "a group of its own");
    go.send(()).unwrap();
    peer.wait_for(&Event::Heard("QUIT".into()));
}

#[test]
fn a_refused_mail_or_a_setting_wakes_nobody() {
    let peer = Peer::start(|_, _| Reply::Usual);
    let desk = waking(peer.port, "");
    run(&mut desk.command(&["deliver", "--", "false"]), &mail_from(CAROL, "1@corp.test")).ends(75);
    let off = Site::linking_to(peer.port, "");
    off.mails_of_carol(&["2@corp.test"]);
    run(&mut desk.command(&["filter", "--explain"]), &mail_from(CAROL, "3@corp.test")).says(0);
    // The one that does wake is the first that the server hears of.
    run(&mut desk.command(&["deliver", "--", "cat"]), &mail_from(CAROL, "4@corp.test")).ends(0);
    peer.wait_for(&Event::Heard("QUIT".into()));
    let answered: Vec<_> =
        peer.got().iter().map(|got| Read::new(got.mail.as_bytes()).field("In-Reply-To").to_owned()).collect();
    assert_eq!(answered, ["<4@corp.test>"]);
}

#[test]
fn a_sender_that_cannot_start_is_a_line_in_the_log() {
    let desk = waking(1, "");
    let filter = format!("{} --config otab.toml filter", env!("CARGO_BIN_EXE_otab"));
    let without_proc = format!("mount -t tmpfs none /proc && exec {filter}");
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", &without_proc]).current_dir(desk.folder());
    let output = run(&mut unshare, &mail_from(CAROL, "1@corp.test"));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    desk.logged(&["the sender cannot be started"]);
    assert_eq!(desk.orders(), 1);
}

#[test]
fn an_update_during_a_mail_does_not_stop_its_sender() {
    let peer = Peer::start(|_, _| Reply::Usual);
    for newer in [None, Some("#!/bin/sh\necho \"$@\" > \"$(dirname \"$2\")/called\"\n")] {
        let desk = waking(peer.port, "");
        let binary = desk.path("otab");
        assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_otab")).arg(&binary).status().unwrap().success());
        let mut filter = Command::new(&binary);
        filter.arg("--config").arg(desk.path("otab.toml")).arg("filter");
        let mut filter = filter.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::fs::remove_file(&binary).unwrap();
        if let Some(script) = newer {
            desk.program("otab", script);
        }
        filter.stdin.take().unwrap().write_all(&mail_from(CAROL, "1@corp.test")).unwrap();
        assert!(filter.wait().unwrap().success());
        if newer.is_some() {
            wait_for(&desk.path("called"), "notify", 1);
        } else {
            peer.wait_for(&Event::Heard("QUIT".into()));
        }
    }
    assert_eq!(peer.got().len(), 1);
}

#[test]
fn outbox_retry_and_a_second_use_wake_the_sender() {
    let peer = Peer::start(|_, _| Reply::Usual);
    let desk = Site::linking_to(peer.port, "");
    let token = desk.carols_link();
    peer.wait_for(&Event::Heard("QUIT".into()));
    desk.configure("wake = false", "wake = true");
    desk.json(0, &["redeem", &token]);
    desk.json(12, &["redeem", &token]);
    peer.wait_for(&Event::Heard("QUIT".into()));
    desk.configure("wake = true", "wake = false");
    desk.mails_of_carol(&["2@corp.test"]);
    desk.configure("wake = false", "wake = true");
    desk.ends(0, &["outbox", "retry"]);
    peer.wait_for(&Event::Heard("QUIT".into()));
    assert_eq!(peer.got().len(), 3);
}

#[test]
fn a_sendmail_counts_though_sigchld_is_ignored() {
    let desk = Site::linking_by("wake = false\ntransport = \"sendmail\"\nsendmail = \"sendmail\"\n");
    let script = "#!/bin/sh\ncat >> \"$(dirname \"$0\")/taken\"; ulimit -S -c > \"$(dirname \"$0\")/limit\"\n";
    let sendmail = desk.write("sendmail", script);
    chmod(&sendmail, 0o755);
    desk.mails_of_carol(&["1@corp.test"]);
    let notify = desk.command(&["notify"]);
    let status = ignoring_sigchld(&with_cores(&notify)).status().unwrap();
    assert_eq!((status.code(), desk.orders()), (Some(0), 0), "{}", desk.log());
    assert_eq!(desk.read("limit"), "0\n", "no core file with its secrets");
}
