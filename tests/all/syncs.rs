//! When `otab filter` waits for the disk, and what becomes of a mail when the disk does not take what it has to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::process::{Command, Output};

use crate::site::{Site, mail, run};

/// `otab filter` behind strace with these words, which traces the waits for the disk into `trace`.
fn traced(site: &Site, words: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,sync_file_range,syncfs"]).args(words);
    strace.arg("-o").arg(site.path("trace")).arg(env!("CARGO_BIN_EXE_otab"));
    strace.arg("--config").arg(site.path("otab.toml")).arg("filter");
    strace
}

fn syncs(site: &Site) -> usize {
    std::fs::read_to_string(site.path("trace")).unwrap().lines().filter(|line| !line.contains("resumed>")).count()
}

/// A mail by somebody who has never written.
fn stranger(number: usize) -> Vec<u8> {
    String::from_utf8(mail(number)).unwrap().replace("carol", &format!("dora{number}")).into_bytes()
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// With a holder: nobody is the last to close the store, so its log stays.
fn held() -> (Site, rusqlite::Connection) {
    let site = Site::new("");
    succeeded(&run(&mut site.filter(), &mail(0)));
    let holder = site.database();
    holder.query_row("SELECT COUNT(*) FROM token", [], |_| Ok(())).unwrap();
    (site, holder)
}

/// A transaction waits for the disk once, and for the folder of its log once a process.
#[test]
fn a_new_customer_waits_for_the_disk_twice_where_another_holds_the_store() {
    let (site, _holder) = held();
    let counts: Vec<usize> = (1..=4)
        .map(|number| {
            succeeded(&run(&mut traced(&site, &[]), &stranger(number)));
            syncs(&site)
        })
        .collect();
    assert_eq!((site.count("customer_user"), site.count("token")), (5, 5));
    // The first of them may find the log new.
    assert!(counts[0] <= 3, "{counts:?}");
    assert_eq!(counts[1..], [2, 2, 2]);
}

/// Nobody builds on what the disk has not taken: it was never there for others, and the second try writes it again.
#[test]
fn a_record_that_the_disk_does_not_take_is_not_there_and_its_mail_waits_with_the_mail_server() {
    let (site, _holder) = held();
    succeeded(&run(&mut site.filter(), &stranger(1)));
    let output = run(&mut traced(&site, &["-e", "inject=fdatasync,fsync:error=EIO"]), &stranger(2));
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert_eq!(output.stdout, b"");
    assert_eq!((site.count("customer_user"), site.count("token")), (2, 2));
    succeeded(&run(&mut traced(&site, &[]), &stranger(2)));
    assert_eq!(syncs(&site), 2, "it was written anew");
    assert_eq!((site.count("customer_user"), site.count("token")), (3, 3));
}
