//! One engine for many mails on many threads: the same as one process a mail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use otab::config::Config;
use otab::engine::{self, Engine, Pool, Purpose};
use otab::mail::edit;
use otab::mail::header::{EndFinder, Header, Terminator};
use otab::policy::Envelope;

use crate::corpus;
use crate::servers::store::{database, host};
use crate::servers::{Place, new_store};
use crate::site::Site;

const THREADS: usize = 8;
const MAILS: usize = 2000;
const NEW: usize = 50;
const BUSY: Duration = Duration::from_mins(1);
/// Names the configuration of an engine in a process of its own, whose memory is its own.
const ALONE: &str = "OTAB_TEST_ENGINE";

/// The fixtures' mails that any site can get, each with a Message-ID that no other has.
fn mails() -> Vec<Vec<u8>> {
    let plain = corpus::fixtures().into_iter().filter(|folder| !folder.join("args").exists());
    let mails: BTreeMap<_, _> = plain
        .map(|folder| fs::read(folder.join("mail.eml")).unwrap())
        .filter(|mail| EndFinder::length(mail) < 100_000)
        .map(|mail| (message_id(&mail), mail))
        .filter(|(id, _)| id != "<>")
        .collect();
    assert!(mails.len() > 80, "{}", mails.len());
    mails.into_values().collect()
}

fn new_mails(start: usize) -> Vec<Vec<u8>> {
    let mail = |n: usize| format!("From: New <new{n}@new.test>\nSubject: {n}\nMessage-ID: <{n}@new.test>\n\nHello\n");
    (start..start + NEW).map(|n| mail(n).into_bytes()).collect()
}

fn header_of(mail: &[u8]) -> (Header, &[u8]) {
    let (header, rest) = mail.split_at(EndFinder::length(mail));
    (Header::parse(header.to_vec(), 20_000).unwrap(), rest)
}

/// As the log names it.
fn message_id(mail: &[u8]) -> String {
    engine::named(otab::mail::trace::message_id(&header_of(mail).0).as_deref()).to_owned()
}

fn engine_at(config: &Path) -> Engine {
    let config = Config::load(config).unwrap();
    let log = engine::open_log(&config);
    Engine::new(config, None, log).unwrap().with_pool(Pool::of(4))
}

fn engine_of(host: &Site) -> Engine {
    engine_at(&host.path("otab.toml"))
}

/// What the pipe does with a mail, by an engine that stays.
fn decide(engine: &Engine, mail: &[u8]) -> Vec<u8> {
    let (header, rest) = header_of(mail);
    let decision = engine.decide(&header, rest, &Envelope::default(), Purpose::PassOn, BUSY).unwrap();
    engine.log.info(&decision.report.line());
    let end = Terminator::of_first_line(if header.bytes().is_empty() { rest } else { header.bytes() });
    [edit::apply(&header, &decision.edits, end), rest.to_vec()].concat()
}

fn by_process(host: &Site, mail: &[u8]) -> Vec<u8> {
    host.takes(mail).stdout
}

/// Two sites alike, with a log each.
fn sites(place: Place) -> [Site; 2] {
    [(); 2].map(|()| {
        let host = host(&new_store(place));
        let config = host.path("otab.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(config, text.replace("syslog = false", "syslog = false\nfile = \"otab.log\"")).unwrap();
        if place != Place::Sqlite {
            host.ends(0, &["store", "migrate"]);
        }
        host
    })
}

/// The lines of a log without time and process, counted.
fn log_of(host: &Site) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    for line in fs::read_to_string(host.path("otab.log")).unwrap().lines() {
        *lines.entry(line.split_once("]: ").unwrap().1.to_owned()).or_default() += 1;
    }
    lines
}

fn is_the_same_as_one_process_a_mail(place: Place) {
    let (known, new) = (mails(), new_mails(0));
    let [pipe, stays] = sites(place);
    let engine = engine_of(&stays);
    for mail in &known {
        let wanted = by_process(&pipe, mail);
        assert!(decide(&engine, mail) == wanted, "{}", mail.escape_ascii());
    }
    for host in [&pipe, &stays] {
        fs::write(host.path("otab.log"), "").unwrap();
    }
    let wanted: Vec<_> = known.iter().chain(&new).map(|mail| (mail, by_process(&pipe, mail))).collect();
    // New senders come between the others, each once.
    let tasks: Vec<_> = (0..MAILS)
        .flat_map(|n| {
            let new = (n % (MAILS / NEW) == 0).then_some(known.len() + n / (MAILS / NEW));
            [Some(n % known.len()), new]
        })
        .flatten()
        .collect();
    assert_eq!(tasks.len(), MAILS + NEW);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (mail, wanted) = &wanted[*task];
                    assert!(decide(&engine, mail) == *wanted, "{}", mail.escape_ascii());
                }
            });
        }
    });
    for table in ["customer_user", "customer_preferences", "token", "outbox"] {
        assert_eq!(stays.count(table), pipe.count(table), "{table}");
    }
    // Each mail's line under its own Message-ID, as often as the mail came.
    let mut times = BTreeMap::new();
    for task in &tasks {
        *times.entry(message_id(wanted[*task].0)).or_insert(0) += 1;
    }
    let expected: BTreeMap<_, _> =
        log_of(&pipe).into_keys().map(|line| (line.clone(), times[line.split_once(": ").unwrap().0])).collect();
    assert_eq!(log_of(&stays), expected);
}

#[test]
fn one_engine_is_as_many_processes_on_sqlite() {
    is_the_same_as_one_process_a_mail(Place::Sqlite);
}

#[test]
fn one_engine_is_as_many_processes_on_postgresql() {
    is_the_same_as_one_process_a_mail(Place::PostgreSql);
}

#[test]
fn a_server_that_restarts_costs_an_engine_no_mail() {
    let [_, stays] = sites(Place::PostgreSql);
    let engine = engine_of(&stays);
    decide(&engine, &new_mails(0)[0]);
    // As after a restart of the server, or where it ends what was idle for long.
    let ended = stays.column(&format!(
        "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()",
        database(&stays)
    ));
    assert!(!ended.is_empty(), "no connection was kept");
    decide(&engine, &new_mails(0)[1]);
    assert_eq!(stays.count("token"), 2);
}

#[test]
fn an_engine_takes_no_more_memory_mail_by_mail() {
    let [_, stays] = sites(Place::Sqlite);
    let alone = Command::new(std::env::current_exe().unwrap())
        .args(["engine::many_mails_in_a_process_of_their_own", "--exact", "--nocapture"])
        .env(ALONE, stays.path("otab.toml"))
        .output()
        .unwrap();
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stdout));
    assert!(String::from_utf8_lossy(&alone.stdout).contains("KiB"), "it did not run");
}

/// The part of the test above that has a process of its own; in the tests' own process there is nothing to measure.
#[test]
fn many_mails_in_a_process_of_their_own() {
    let Some(config) = std::env::var_os(ALONE) else { return };
    let count = if std::env::var_os("OTAB_LONG").is_some() { 50_000 } else { 2_500 };
    let (engine, mails) = (engine_at(Path::new(&config)), mails());
    let many = |count: usize| {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= count {
                            break;
                        }
                        decide(&engine, &mails[n % mails.len()]);
                    }
                });
            }
        });
        resident()
    };
    let before = many(count / 5);
    let after = many(count);
    println!("{before} KiB, and {after} KiB after {count} mails more");
    assert!(after < before + 4096, "{before} KiB became {after} KiB");
}

/// Resident memory, in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}
