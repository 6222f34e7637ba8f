//! Mails of [`crate::mixed`], read behind otab by programs that are not ours: Perl's `Mail::Internet`, as in OTOBO, and
//! Python's email package, of bytes and of text, by its old policy and its new one, also as it writes them again.
//!
//! 20,000 mails a run, a million with `OTAB_LONG=1`. `OTAB_SEED` repeats a run.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::mixed::{Passed, WAYS, mail};
use crate::perl;

/// How many mails go through one process of each reader.
const TOGETHER: usize = 20_000;
/// Most choices that a mail takes.
const CHOICES: usize = 80;

#[test]
fn no_foreign_reader_finds_a_forged_field() {
    let seed = std::env::var("OTAB_SEED").unwrap_or_else(|_| uuid::Uuid::new_v4().simple().to_string());
    let rounds = if std::env::var_os("OTAB_LONG").is_some() { 50 } else { 1 };
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(rounds);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(round) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|round| *round < rounds) {
                    let mut found = complaints(inputs(&seed, round));
                    found.sort_by_key(String::len);
                    assert!(
                        found.is_empty(),
                        "OTAB_SEED={seed}, round {round}: {} of {TOGETHER}; the shortest: {}",
                        found.len(),
                        found[0]
                    );
                }
            });
        }
    });
}

/// The mails of a round, which depend on the seed and the round's number alone.
fn inputs(seed: &str, round: usize) -> impl Iterator<Item = Vec<u8>> {
    let bytes: Vec<u8> = format!("{round} {seed} ").bytes().cycle().take(32).collect();
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    (0..TOGETHER).map(move |_| {
        let mut choices = [0; CHOICES];
        rng.fill_bytes(&mut choices);
        mail(&choices)
    })
}

fn complaints(inputs: impl Iterator<Item = Vec<u8>>) -> Vec<String> {
    let mut found = Vec::new();
    let mut passed = Vec::new();
    for (number, input) in inputs.enumerate() {
        match Passed::through(input, number % WAYS).and_then(|mail| mail.hold().map(|()| mail)) {
            Ok(mail) => passed.push(mail),
            Err(complaint) => found.push(complaint),
        }
    }
    let outputs = || passed.iter().map(|mail| mail.output.clone()).collect::<Vec<_>>();
    let (by_perl, by_python) = std::thread::scope(|scope| {
        let perl = scope.spawn(|| perl::names_and_bodies(outputs()));
        let python = scope.spawn(|| python(outputs()));
        (perl.join().unwrap(), python.join().unwrap())
    });
    assert_eq!((by_perl.len(), by_python.len()), (passed.len(), passed.len()));
    let mut written = 0;
    for ((mail, (names, body)), readings) in passed.iter().zip(by_perl).zip(by_python) {
        found.extend(mail.complaint("Perl", &names));
        if body != perl::body_sum(&mail.input) {
            found.push(format!("Perl finds another body\n{}", mail.input.escape_ascii()));
        }
        written += usize::from(readings.contains_key("text, utf-8, default, written"));
        found.extend(readings.iter().filter_map(|(reader, names)| mail.complaint(reader, names)));
    }
    assert!(written * 3 > passed.len(), "Python writes only {written} of {} mails", passed.len());
    found
}

/// The names that each of Python's readers finds in each mail.
fn python(mails: Vec<Vec<u8>>) -> Vec<BTreeMap<String, Vec<String>>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/header_readers.py");
    let mut python = Command::new("/usr/bin/python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Debian's python3");
    let mut input = BufWriter::new(python.stdin.take().unwrap());
    let output = BufReader::new(python.stdout.take().unwrap());
    let writer = std::thread::spawn(move || {
        for mail in mails {
            writeln!(input, "{}", mail.len()).unwrap();
            input.write_all(&mail).unwrap();
        }
    });
    let found = output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    writer.join().unwrap();
    assert!(python.wait().unwrap().success());
    found
}
