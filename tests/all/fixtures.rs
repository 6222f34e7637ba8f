//! Every fixture, run through the real binary with LF and with CRLF, and with its customers on each server.
//!
//! A fixture is a folder: `mail.eml` goes in, `expected.eml` has to come out, `why.txt` says why. What
//! else may lie there: `otab.toml` (else the shipped example, with its log off), `before.sql` (run on
//! the fresh database), `args` (for `otab filter`, one a line), `after.sql` with `after.expected`
//! (queries and their rows), `again.eml` (what comes out the second time, where that differs), and an
//! empty `as-is`: its line ends are the point, so it is not tried with CRLF.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::servers::{self, Place, moved};
use crate::site::{Ended, Site, cell};
use crate::{corpus, promises};

/// Several at once: each waits for the disk most of its time.
const THREADS: usize = 2;
const FILES: [&str; 10] = [
    "mail.eml",
    "expected.eml",
    "why.txt",
    "otab.toml",
    "before.sql",
    "args",
    "after.sql",
    "after.expected",
    "again.eml",
    "as-is",
];
/// What a run that failed leaves behind.
const GOT: [&str; 2] = ["actual.got", "actual-crlf.got"];
const COUNTS: &str = "SELECT COUNT(*) FROM customer_user; SELECT COUNT(*) FROM customer_preferences; \
                      SELECT COUNT(*) FROM token; SELECT COUNT(*) FROM outbox;";

#[test]
fn every_fixture_comes_out_as_expected_both_times() {
    run_all(Place::Sqlite);
}

#[test]
fn every_fixture_is_the_same_on_postgresql() {
    run_all(Place::PostgreSql);
}

#[test]
fn every_fixture_is_the_same_on_mariadb() {
    run_all(Place::MariaDb);
}

fn run_all(place: Place) {
    let folders = corpus::fixtures();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // One source a thread: each run empties it first.
                let source = (place != Place::Sqlite).then(|| servers::new_source(place, Path::new("")));
                while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let problems = problems_of(folder, source.as_deref());
                    if !problems.is_empty() {
                        failed.lock().unwrap().push(format!("{}: {}", name(folder), problems.join("; ")));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    assert!(failed.is_empty(), "{} of {} fixtures:\n{}", failed.len(), folders.len(), failed.join("\n"));
}

#[test]
fn fixtures_are_complete_and_numbered_without_gaps() {
    let folders = corpus::fixtures();
    assert!(folders.len() > 100);
    for (index, folder) in folders.iter().enumerate() {
        let name = name(folder);
        let (number, sentence) = name.split_once('-').unwrap();
        assert_eq!(number, format!("{:03}", index + 1), "{name}");
        assert!(sentence.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
        for file in ["mail.eml", "expected.eml", "why.txt"] {
            assert!(!fs::read(folder.join(file)).unwrap_or_default().is_empty(), "{name}: {file}");
        }
        assert_eq!(folder.join("after.sql").exists(), folder.join("after.expected").exists(), "{name}");
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            assert!(FILES.contains(&file.as_str()) || GOT.contains(&file.as_str()), "{name}: {file}");
        }
    }
}

#[test]
fn the_promises_hold_for_every_mail_of_the_corpus() {
    let mails = corpus::mails();
    let broken: Vec<String> = mails
        .iter()
        .filter_map(|(path, mail)| Some(format!("{}: {}", path.display(), promises::hold(mail).err()?)))
        .collect();
    assert!(broken.is_empty(), "{} of {} mails:\n{}", broken.len(), mails.len(), broken.join("\n"));
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_string_lossy().into_owned()
}

/// Runs a fixture, with both line ends unless they are its point.
fn problems_of(folder: &Path, source: Option<&str>) -> Vec<String> {
    let mut problems = run(folder, source, GOT[0], <[u8]>::to_vec);
    // What the line ends change does not reach the database.
    if !folder.join("as-is").exists() && source.is_none() {
        problems
            .extend(run(folder, source, GOT[1], with_crlf).into_iter().map(|problem| format!("with CRLF, {problem}")));
    }
    problems
}

fn with_crlf(text: &[u8]) -> Vec<u8> {
    text.split_inclusive(|b| *b == b'\n')
        .flat_map(|line| match line.strip_suffix(b"\n") {
            Some(text) => [text, b"\r\n"].concat(),
            None => line.to_vec(),
        })
        .collect()
}

fn run(folder: &Path, source: Option<&str>, got: &str, convert: fn(&[u8]) -> Vec<u8>) -> Vec<String> {
    let site = Bench::new(folder, source);
    let mail = convert(&fs::read(folder.join("mail.eml")).unwrap());
    let expected = convert(&fs::read(folder.join("expected.eml")).unwrap());
    let again = fs::read(folder.join("again.eml")).map_or(expected.clone(), |bytes| convert(&bytes));
    let mut problems = Vec::new();

    let first = site.filter(&mail);
    problems.extend(problem(&first, &expected));
    let leftover = folder.join(got);
    if first.stdout == expected {
        let _ = fs::remove_file(&leftover);
    } else {
        // Left beside it for diff, and for whoever judges that the new answer is the better.
        fs::write(&leftover, &first.stdout).unwrap();
    }
    if let Ok(sql) = fs::read_to_string(folder.join("after.sql")) {
        let rows = site.rows(&sql);
        let wanted = fs::read_to_string(folder.join("after.expected")).unwrap();
        if rows != wanted {
            problems.push(format!("afterwards the database holds {rows:?}, not {wanted:?}"));
        }
    }
    let before = site.rows(COUNTS);
    problems.extend(problem(&site.filter(&mail), &again).map(|problem| format!("the second time, {problem}")));
    let after = site.rows(COUNTS);
    if before != after {
        problems.push(format!("the second time created something new: {before:?} became {after:?}"));
    }
    problems
}

/// A site with a fixture's configuration and database.
struct Bench {
    site: Site,
    args: Vec<String>,
    /// Where the customers are, unless in the store.
    source: Option<String>,
}

fn problem(output: &Output, expected: &[u8]) -> Option<String> {
    match (output.status.code(), output.stderr.is_empty(), output.stdout == expected) {
        (Some(0), true, true) => None,
        (Some(0), true, false) => Some("the output differs, see the .got file".to_owned()),
        (status, ..) => Some(format!("status {status:?}, standard error {:?}", output.err())),
    }
}

impl Bench {
    fn new(fixture: &Path, source: Option<&str>) -> Self {
        let site = Site::empty();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("otab.toml.example");
        let config = fs::read_to_string(fixture.join("otab.toml")).unwrap_or_else(|_| {
            fs::read_to_string(example).unwrap().replace("\n#syslog = true\n", "\nsyslog = false\n")
        });
        assert!(config.contains("\nsyslog = false\n"), "a fixture would write to this machine's log");
        site.write("otab.toml", &source.map_or(config.clone(), |url| moved_to(&config, url)));
        let args = fs::read_to_string(fixture.join("args")).unwrap_or_default();
        let args = args.lines().map(str::to_owned).collect();
        otab::store::create(&site.file(), 0o600).unwrap();
        if let Ok(sql) = fs::read_to_string(fixture.join("before.sql")) {
            site.sql(&sql);
        }
        if let Some(source) = source {
            moved::to_server(&site.file(), source);
        }
        Self { site, args, source: source.map(str::to_owned) }
    }

    fn filter(&self, mail: &[u8]) -> Output {
        let args: Vec<&str> = ["filter"].into_iter().chain(self.args.iter().map(String::as_str)).collect();
        self.site.feed(&args, mail)
    }

    /// The rows of one or more queries as text, a line each.
    fn rows(&self, sql: &str) -> String {
        let copy = self.site.path("copy.db");
        let _ = fs::remove_file(&copy);
        self.site.backup(&copy);
        if let Some(source) = &self.source {
            moved::to_file(source, &copy);
        }
        let db = rusqlite::Connection::open(&copy).unwrap();
        let mut out = String::new();
        for query in sql.split(';').filter(|query| !query.trim().is_empty()) {
            let mut statement = db.prepare(query).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let cells: Vec<String> = (0..columns).map(|column| cell(row.get_ref(column).unwrap())).collect();
                out.push_str(&cells.join("|"));
                out.push('\n');
            }
        }
        out
    }
}

/// The same configuration with its first customer source elsewhere.
fn moved_to(config: &str, url: &str) -> String {
    let entry = "\nname = \"CustomerUser\"\n";
    if config.contains("[[customer_user]]") {
        assert!(config.contains(entry));
        return config.replacen(entry, &format!("{entry}url = \"{url}\"\n"), 1);
    }
    format!("{config}\n[[customer_user]]{entry}url = \"{url}\"\n")
}
