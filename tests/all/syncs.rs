//! When `otab filter` waits for the disk, and what becomes of a mail when the disk does not take what it has to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

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

#[test]
fn a_new_customer_waits_for_the_disk_once_where_another_holds_the_store() {
    let (site, _holder) = held();
    let counts: Vec<usize> = (1..=4)
        .map(|number| {
            succeeded(&run(&mut traced(&site, &[]), &stranger(number)));
            syncs(&site)
        })
        .collect();
    assert_eq!((site.count("customer_user"), site.count("token")), (5, 5));
    // The first of them may find the log new: its head and its folder are to be written, too.
    assert!(counts[0] <= 3, "{counts:?}");
    assert_eq!(counts[1..], [1, 1, 1]);
}

#[test]
fn while_one_mail_waits_for_the_disk_others_are_recorded_and_go_out() {
    let (site, _holder) = held();
    succeeded(&run(&mut site.filter(), &stranger(1)));
    let mut slow: Child = traced(&site, &["-e", "inject=fdatasync:delay_enter=5000000"])
        .stdin(std::fs::File::open(site.write("slow", &String::from_utf8(stranger(2)).unwrap())).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .expect("strace");
    while site.count("token") < 3 {
        assert!(slow.try_wait().unwrap().is_none(), "it was recorded before it ended");
        std::thread::yield_now();
    }
    succeeded(&run(&mut site.filter(), &stranger(3)));
    assert!(slow.try_wait().unwrap().is_none(), "the other mail did not wait for this one's disk");
    succeeded(&slow.wait_with_output().unwrap());
    assert_eq!(site.count("token"), 4);
}

/// The system forgets what it could not write: to ask again would be no proof.
#[test]
fn a_log_that_cannot_be_synced_is_folded_into_the_file_before_the_mail_goes_out() {
    let (site, _holder) = held();
    succeeded(&run(&mut site.filter(), &stranger(1)));
    succeeded(&run(&mut traced(&site, &["-e", "inject=fdatasync:error=EIO"]), &stranger(2)));
    let trace = std::fs::read_to_string(site.path("trace")).unwrap();
    assert!(trace.lines().any(|line| line.contains("fsync") && line.contains("otab.db>")), "{trace}");
    // As after a power failure that took the whole log.
    std::fs::copy(site.path("otab.db"), site.path("alone.db")).unwrap();
    let alone = rusqlite::Connection::open(site.path("alone.db")).unwrap();
    assert_eq!(alone.query_row("SELECT COUNT(*) FROM token", [], |row| row.get::<_, i64>(0)).unwrap(), 3);
}

#[test]
fn a_mail_whose_record_no_disk_takes_waits_with_the_mail_server() {
    let (site, _holder) = held();
    succeeded(&run(&mut site.filter(), &stranger(1)));
    let output = run(&mut traced(&site, &["-e", "inject=fdatasync,fsync:error=EIO"]), &stranger(2));
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert_eq!(output.stdout, b"");
    succeeded(&run(&mut site.filter(), &stranger(2)));
    assert_eq!((site.count("customer_user"), site.count("token")), (3, 3));
}

/// What others see is not always on the disk yet.
#[test]
fn a_mail_that_only_reads_waits_for_what_others_have_just_written_and_not_for_an_old_log() {
    let (site, holder) = held();
    holder.execute("UPDATE customer_user SET pw = 'x'", []).unwrap();
    succeeded(&run(&mut traced(&site, &[]), &mail(1)));
    assert_eq!((syncs(&site), site.count("token")), (1, 1));
    let log = std::fs::File::options().write(true).open(site.path("otab.db-wal")).unwrap();
    let (hour, written) = (Duration::from_hours(1), log.metadata().unwrap().modified().unwrap());
    log.set_modified(written - hour).unwrap();
    succeeded(&run(&mut traced(&site, &[]), &mail(2)));
    assert_eq!(syncs(&site), 0);
    // A clock that was set back: nobody knows how old it is.
    log.set_modified(written + hour).unwrap();
    succeeded(&run(&mut traced(&site, &[]), &mail(3)));
    assert_eq!(syncs(&site), 1);
}
