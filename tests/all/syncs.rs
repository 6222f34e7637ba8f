//! When `otab filter` waits for the disk, and what becomes of a mail when the disk does not take what it has to.

use std::process::{Command, Output};

use crate::site::{Ended, Site, mail, run};

/// `otab filter` behind strace with these words, which traces the waits for the disk into `trace`.
fn traced(site: &Site, words: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,sync_file_range,syncfs,pwrite64"]).args(words);
    strace.arg("-o").arg(site.path("trace")).arg(env!("CARGO_BIN_EXE_otab"));
    strace.arg("--config").arg(site.path("otab.toml")).arg("filter");
    strace
}

/// The names of what was synced or written to, in turn: a sync has a `!` before it. The index of the log is made anew
/// after a power failure.
fn events(site: &Site) -> Vec<String> {
    let trace = site.read("trace");
    // Others are the ends of calls that another thread had broken into, and of strace's own watch.
    let is_call =
        |line: &&str| ["sync(", "sync_file_range(", "syncfs(", "pwrite64("].iter().any(|call| line.contains(call));
    let calls = trace.lines().filter(is_call);
    let events = calls.map(|line| {
        let path = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).expect("a descriptor's path").0;
        let is_write = line.contains("pwrite64(");
        format!("{}{}", if is_write { "" } else { "!" }, path.rsplit('/').next().unwrap())
    });
    events.filter(|event| !event.ends_with("-shm")).collect()
}

fn syncs(events: &[String]) -> usize {
    events.iter().filter(|event| event.starts_with('!')).count()
}

/// What [`events`] calls a sync of the folder that the store is in.
fn folder(site: &Site) -> String {
    let folder = site.path("trace").canonicalize().unwrap();
    format!("!{}", folder.parent().unwrap().file_name().unwrap().display())
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
    succeeded(&site.filter(&mail(0)));
    let holder = site.database();
    holder.query_row("SELECT COUNT(*) FROM token", [], |_| Ok(())).unwrap();
    (site, holder)
}

#[test]
fn a_new_customer_waits_for_one_log_and_its_folder() {
    let (site, _holder) = held();
    let traces: Vec<Vec<String>> = (1..=4)
        .map(|number| {
            succeeded(&run(&mut traced(&site, &[]), &stranger(number)));
            events(&site)
        })
        .collect();
    let counts: Vec<usize> = traces.iter().map(|events| syncs(events)).collect();
    assert_eq!((site.count("customer_user"), site.count("token")), (5, 5));
    // The first of them may find the log new, whose head is synced by itself.
    assert!(counts[0] <= 3, "{counts:?}");
    assert_eq!(counts[1..], [2, 2, 2], "{traces:?}");
}

/// A store whose log is gone: the last one out has folded it.
fn folded() -> Site {
    let (site, holder) = held();
    holder.close().unwrap();
    assert!(!site.path("otab.db-wal").exists());
    site
}

/// A log that a power failure takes away takes along what was synced to it.
#[test]
fn a_new_logs_name_is_synced_before_the_mail_goes_on() {
    let site = folded();
    succeeded(&run(&mut traced(&site, &[]), &stranger(1)));
    let events = events(&site);
    assert!(events.contains(&folder(&site)), "{events:?}");
    assert!(events.contains(&"!otab.db-wal".to_owned()), "{events:?}");
}

/// Nobody builds on what the disk has not taken: it was never there for others, and the second try writes it again.
#[test]
fn a_record_that_fails_on_disk_is_not_there() {
    let (site, _holder) = held();
    succeeded(&site.filter(&stranger(1)));
    let output = run(&mut traced(&site, &["-e", "inject=fdatasync,fsync:error=EIO"]), &stranger(2)).says(75);
    assert_eq!(output.stdout, b"");
    assert_eq!((site.count("customer_user"), site.count("token")), (2, 2));
    succeeded(&run(&mut traced(&site, &[]), &stranger(2)));
    assert!(events(&site).contains(&"!otab.db-wal".to_owned()), "it was written anew");
    assert_eq!((site.count("customer_user"), site.count("token")), (3, 3));
}
