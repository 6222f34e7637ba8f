//! What otab did to a mail, read by the parser that OTOBO uses: `Mail::Internet` and `Mail::Address`.
//!
//! Over every fixture, the corpus, and mails grown from the grammar of `properties`; the seed is told
//! when something fails, and can be given again as `OTAB_SEED`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};

use md5::{Digest, Md5};
use otab::mail::Address;
use otab::mail::from::sender;
use otab::mail::header::{EndFinder, Header};
use otab::policy::Sender;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::{corpus, fuzz, otobo, promises, properties};

/// How many mails are grown in a run.
const GROWN: usize = 20_000;

/// What the Perl reader found in one mail.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reading {
    /// The names in order; [`Reading::fields`] has those of one name together.
    names: Vec<String>,
    fields: BTreeMap<String, String>,
    sender: Option<String>,
    body: String,
}

impl Reading {
    fn control(&self) -> BTreeMap<&str, &str> {
        let all = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| name.starts_with("x-otobo-") || name.starts_with("x-otrs-")).collect()
    }

    /// All but control fields, the secret, and mbox lines: what continues one goes, since it would
    /// continue otab's own fields.
    fn others(&self) -> BTreeMap<&str, &str> {
        let control = self.control();
        let all = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| !control.contains_key(name) && !matches!(*name, "x-gate-secret" | "from ")).collect()
    }
}

fn from_hex(text: &str) -> String {
    let bytes: Vec<u8> = (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads all mails in one Perl process.
fn read_all(mails: Vec<Vec<u8>>) -> Vec<Reading> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/perl/otobo-reader.pl");
    let mut perl = Command::new("perl")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("perl with libmailtools-perl");
    let mut input = BufWriter::new(perl.stdin.take().unwrap());
    let output = BufReader::new(perl.stdout.take().unwrap());
    let writer = std::thread::spawn(move || {
        for mail in mails {
            writeln!(input, "{}", mail.len()).unwrap();
            input.write_all(&mail).unwrap();
        }
    });
    let mut readings = Vec::new();
    let mut reading = Reading::default();
    for line in output.lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        match (words.next().unwrap(), words.next(), words.next()) {
            ("N", Some(name), None) => reading.names.push(from_hex(name)),
            ("F", Some(name), value) => {
                reading.fields.insert(from_hex(name), from_hex(value.unwrap_or_default()));
            }
            ("S", Some(sender), None) => reading.sender = Some(from_hex(sender)),
            ("B", Some(sum), None) => sum.clone_into(&mut reading.body),
            (".", None, None) => readings.push(std::mem::take(&mut reading)),
            _ => panic!("the reader says {line}"),
        }
    }
    writer.join().unwrap();
    assert!(perl.wait().unwrap().success());
    readings
}

/// The field names that Perl finds in each mail, in order, and the sum of its body.
pub fn names_and_bodies(mails: Vec<Vec<u8>>) -> Vec<(Vec<String>, String)> {
    read_all(mails).into_iter().map(|reading| (reading.names, reading.body)).collect()
}

/// The sum of a mail's body as the script gives it.
pub fn body_sum(mail: &[u8]) -> String {
    let lines = otobo::lines(otobo::body(mail)).skip(1);
    data_encoding::HEXLOWER.encode(&Md5::digest(lines.collect::<Vec<_>>().concat()))
}

/// One mail before and after otab, and who otab says sent it.
struct Case {
    mail: Vec<u8>,
    out: promises::Out,
    certain: Option<Address>,
}

fn case(mail: Vec<u8>) -> Case {
    let length = EndFinder::length(&mail);
    let header = Header::parse(mail[..length].to_vec(), usize::MAX).unwrap();
    let certain = sender(&header).ok().map(|mailbox| mailbox.address);
    let standing = if certain.is_some() { Sender::Free } else { Sender::Doubtful };
    let out = promises::filtered(&mail, &promises::rules(), &standing);
    Case { mail, out, certain }
}

/// What is not as it has to be, if anything.
fn complaint(case: &Case, before: &Reading, after: &Reading) -> Option<String> {
    let user = case.certain.as_ref().map(ToString::to_string).filter(|address| address.chars().count() <= 150);
    let user = user.unwrap_or_else(|| "unverified-sender".to_owned());
    let expected = ["x-otobo-customeruser", "x-otobo-customerno", "x-otobo-customer"].map(|name| (name, user.as_str()));
    if !case.out.trusted && after.control() != BTreeMap::from(expected) {
        return Some(format!("Perl finds the control fields {:?}, otab wrote {expected:?}", after.control()));
    }
    if before.body != after.body {
        return Some("Perl finds another body".to_owned());
    }
    if !case.out.trusted && !promises::has_odd_break(&case.mail) && before.others() != after.others() {
        return Some(format!("Perl finds other fields {:?}, before {:?}", after.others(), before.others()));
    }
    let certain = case.certain.as_ref()?;
    let read = after.sender.as_deref().and_then(Address::parse);
    (read.as_ref() != Some(certain)).then(|| format!("Perl takes {:?} for the sender, otab {certain}", after.sender))
}

/// Runs the mails through otab and the reader; all complaints, shortest mail first.
fn complaints(mails: impl Iterator<Item = Vec<u8>>) -> Vec<String> {
    let cases: Vec<Case> = mails.map(case).collect();
    let both = cases.iter().flat_map(|case| [case.mail.clone(), case.out.bytes.clone()]).collect();
    let readings = read_all(both);
    assert_eq!(readings.len(), cases.len() * 2);
    let mut found: Vec<(usize, String)> = Vec::new();
    for (case, pair) in cases.iter().zip(readings.chunks(2)) {
        if let Some(what) = complaint(case, &pair[0], &pair[1]) {
            found.push((case.mail.len(), format!("{what}\n--- in\n{}", case.mail.escape_ascii())));
        }
    }
    found.sort();
    found.into_iter().map(|(_, what)| what).collect()
}

#[test]
fn perl_reads_what_otab_meant_in_fixtures_and_corpus() {
    let found = complaints(corpus::mails().into_iter().map(|(_, mail)| mail));
    assert!(found.is_empty(), "{} mails; the shortest: {}", found.len(), found[0]);
}

#[test]
fn perl_reads_what_otab_meant_in_what_fuzzing_kept() {
    let mails = ["header", "edits", "sender"].into_iter().flat_map(fuzz::kept).flat_map(|(_, input)| {
        let value = [b"Subject: s\nFrom: ".as_slice(), &input, b"\nTo: help@desk.test\n\nbody\n"].concat();
        [input, value]
    });
    let found = complaints(mails);
    assert!(found.is_empty(), "{} mails; the shortest: {}", found.len(), found[0]);
}

#[test]
fn perl_reads_what_otab_meant_in_mails_of_every_shape() {
    let seed = std::env::var("OTAB_SEED").unwrap_or_else(|_| uuid::Uuid::new_v4().simple().to_string());
    let bytes: Vec<u8> = seed.bytes().cycle().take(32).collect();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mail, from) = (properties::mail(), properties::from());
    let grown = (0..GROWN).map(|number| {
        // A third are From values of every shape, in an ordinary mail.
        if number % 3 == 0 {
            let value = from.new_tree(&mut runner).unwrap().current();
            [b"Subject: s\nFrom: ".as_slice(), &value, b"\nTo: help@desk.test\n\nbody\n"].concat()
        } else {
            mail.new_tree(&mut runner).unwrap().current()
        }
    });
    let found = complaints(grown);
    assert!(found.is_empty(), "OTAB_SEED={seed}: {} of {GROWN} mails; the shortest: {}", found.len(), found[0]);
}
