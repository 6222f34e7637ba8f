//! `otab filter` under load, kill -9 and power failure, and its memory.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::site::{Ended, Site, mail, piped};

#[test]
fn fifty_filters_at_once_make_one_customer() {
    let site = Site::new("");
    let children: Vec<(usize, Child)> = (0..50)
        .map(|n| {
            let mut child = site
                .command(&["filter"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(&mail(n)).unwrap();
            (n, child)
        })
        .collect();
    for (n, child) in children {
        let output = child.wait_with_output().unwrap().ends(0);
        assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n"), "{n}: {output:?}");
    }
    assert_eq!((site.count("customer_user"), site.count("token"), site.count("outbox")), (1, 50, 50));
    assert_eq!(site.count("customer_preferences"), 3);
    // What is left of the log is little, and whoever is no mail folds it in.
    let log = std::fs::metadata(site.path("otab.db-wal")).map_or(0, |log| log.len());
    assert!(log <= 256 << 10, "{log} bytes");
    assert!(
        Site::otab()
            .current_dir(site.folder())
            .arg("--config")
            .arg(site.path("otab.toml"))
            .arg("purge")
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(!site.path("otab.db-wal").exists(), "the last one out folds the log in");
}

#[test]
fn the_same_mail_fifty_times_at_once_has_one_token() {
    let site = Site::new("");
    let children: Vec<Child> = (0..50)
        .map(|_| {
            let mut child = site.command(&["filter"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(&mail(7)).unwrap();
            child
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!((site.count("customer_user"), site.count("token"), site.count("outbox")), (1, 1, 1));
}

/// kill -9 at random moments: over the first milliseconds, in which everything happens.
#[test]
fn a_killed_filter_has_recorded_what_came_out() {
    let site = Site::new("");
    let body = vec![b'x'; 300_000];
    let mut killed = 0;
    for n in 0..300 {
        let text = String::from_utf8(mail(n)).unwrap().replace("carol", &format!("carol{n}"));
        let mut mail = text.into_bytes();
        mail.extend_from_slice(&body);
        let mut child = site
            .command(&["filter"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let expected = mail.len();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&mail);
        });
        let reader = std::thread::spawn(move || {
            let mut out = Vec::new();
            let _ = stdout.read_to_end(&mut out);
            out
        });
        // A pseudo-random moment between 0 and 15 ms: busy waiting, since a sleep is too coarse.
        let wait = Duration::from_micros((n as u64).wrapping_mul(2_654_435_761) % 15_000);
        let start = Instant::now();
        while start.elapsed() < wait {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        writer.join().unwrap();
        let out = reader.join().unwrap();
        let whole = out.len() > expected && out.ends_with(&body);
        if status.success() {
            assert!(whole, "run {n}: half a mail with status 0");
        } else {
            assert_eq!(status.signal(), Some(9), "run {n}");
            killed += 1;
        }
        if whole {
            let login = format!("carol{n}@corp.test");
            let recorded: i64 = site
                .database()
                .query_row("SELECT COUNT(*) FROM token WHERE customer = ?1", [&login], |row| row.get(0))
                .unwrap();
            assert_eq!(recorded, 1, "run {n}: the mail came out and its token is not recorded");
        }
    }
    assert!(killed > 20, "only {killed} of 300 were killed in time");
    // What is left is whole, and the next filter works.
    site.takes(&mail(999));
    let check = site.ask("PRAGMA integrity_check");
    assert_eq!(check, "ok");
}

/// Peak resident memory in KiB of a filter over a mail whose body has `mebibytes` MiB.
fn peak_memory(site: &Site, mebibytes: usize) -> u64 {
    let mut child = piped(&mut site.command(&["filter"]));
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let writer = std::thread::spawn(move || {
        stdin.write_all(&mail(1)).unwrap();
        let chunk = vec![b'y'; 1 << 20];
        for _ in 0..mebibytes {
            stdin.write_all(&chunk).unwrap();
        }
        stdin
    });
    let mut wanted = mail(1).len() + (mebibytes << 20);
    let mut chunk = vec![0; 1 << 20];
    while wanted > 0 {
        let count = stdout.read(&mut chunk).unwrap();
        assert!(count > 0);
        wanted = wanted.saturating_sub(count);
    }
    // All but the fields' own length has come out, and the filter waits for more: now it can be measured.
    let stdin = writer.join().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(stdin);
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_gigabyte_needs_no_more_memory_than_4_kilobytes() {
    let site = Site::new("");
    let small = (0..3).map(|_| peak_memory(&site, 0)).max().unwrap();
    let large = peak_memory(&site, 1024);
    assert!(large <= small + 1024, "{large} KiB against {small} KiB");
}

/// The power may fail between any two lines: what a mail earned has to be on the disk before it goes on.
#[test]
fn a_record_is_synced_before_the_first_byte_goes_out() {
    let site = Site::new("");
    std::fs::write(site.path("mail"), mail(1)).unwrap();
    site.takes(&mail(0));
    let output = Command::new("strace")
        .args(["-f", "-y", "-s", "40", "-e", "trace=write,writev,fsync,fdatasync", "-o"])
        .arg(site.path("trace"))
        .arg(env!("CARGO_BIN_EXE_otab"))
        .arg("--config")
        .arg(site.path("otab.toml"))
        .arg("filter")
        .stdin(std::fs::File::open(site.path("mail")).unwrap())
        .output()
        .expect("strace");
    assert!(output.status.success(), "{output:?}");
    let trace = site.read("trace");
    let position =
        |what: &dyn Fn(&str) -> bool| trace.lines().position(what).unwrap_or_else(|| panic!("not found in {trace}"));
    let synced = position(&|line| line.contains("sync(") && line.contains("otab.db-wal"));
    let written = position(&|line| line.contains("X-OTOBO-CustomerUser"));
    assert!(synced < written, "{trace}");
    let late = trace.lines().skip(written).filter(|line| line.contains("otab.db")).count();
    assert_eq!(late, 0, "the database is closed by then: {trace}");
}
