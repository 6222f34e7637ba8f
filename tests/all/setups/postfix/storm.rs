//! 500 mails from 300 senders through the pipe, four at a time, while otab is killed at random and its
//! database is locked now and then.
//!
//! A mail may arrive twice only where a kill fell between the start of the next stage and the end of
//! otab. Each arrival says which otab brought it, and each kill which one it hit; so both are counted.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::pipe::start;
use super::{Postfix, Protocol, Session};

const MAILS: i64 = 500;
const SENDERS: i64 = 300;

/// A process that is never another one: its number, and the moment of its start in clock ticks.
type Process = (u32, String);

/// The next stage: keeps the mail under the name of the otab that brought it. At times it kills that
/// one itself, before it reads, or once it has kept the mail: the two moments that are hard to hit from
/// outside. An otab that was killed before it could be asked for is `gone`.
const STAGE: &str = r#"
otab=$PPID
began=$(cut -d' ' -f22 "/proc/$otab/stat" 2>/dev/null)
[[ $(readlink "/proc/$otab/exe") == */otab-binary ]] || otab=gone began=$$
strike() { [[ $otab != gone ]] && echo "$otab $began" >>../struck && kill -9 "$otab"; }
dice=$((RANDOM % 40))
((dice == 0)) && strike
cat >".$otab.$began"
mv ".$otab.$began" "$otab.$began"
((dice == 1)) && strike
exit 0
"#;

struct Dice(u64);

impl Dice {
    /// One of `sides`, from a generator that `OTAB_SEED` starts.
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn seed() -> u64 {
    std::env::var("OTAB_SEED").map_or_else(|_| u64::from(std::process::id()), |text| text.parse().unwrap())
}

fn storm_mail(number: i64) -> Vec<u8> {
    let sender = number % SENDERS;
    format!(
        "Date: Fri, 20 Nov 2026 12:00:00 +0000\nX-OTOBO-CustomerUser: root\nX-OTOBO-Queue:\n Raw\n\
         From: Sender {sender} <s{sender}@corp.test>\nTo: help@desk.test\nSubject: storm\n\
         Message-ID: <{number}@corp.test>\n\n{}the end of {number}\n",
        format!("{number} is a line of the mail\n").repeat(usize::try_from(number * 7 % 300).unwrap()),
    )
    .into_bytes()
}

/// What the next stage must get, behind the fields that Postfix puts on top.
fn storm_mail_filtered(number: i64) -> String {
    let text = String::from_utf8(storm_mail(number)).unwrap();
    text.replace("X-OTOBO-CustomerUser: root\nX-OTOBO-Queue:\n Raw\n", "")
}

/// The otab processes of this site that run now.
fn running(binary: &Path) -> Vec<Process> {
    let numbers =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    numbers
        .filter(|pid: &u32| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == binary))
        .filter_map(began)
        .collect()
}

fn began(pid: u32) -> Option<Process> {
    Some((pid, field_of_stat(pid, 22)?))
}

/// A field of /proc/PID/stat, counted as proc(5) does; the name of the program holds no blank.
fn field_of_stat(pid: u32, number: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.split(' ').nth(number - 1)?.to_owned())
}

/// Kills one of the running otabs, if there is one, and notes it. Stopped first, so that none is noted
/// that had ended by itself.
fn strike(postfix: &Postfix, dice: &mut Dice) {
    let running = running(&postfix.site.path("otab-binary"));
    if running.is_empty() {
        return;
    }
    let (pid, began) = &running[usize::try_from(dice.throw(running.len() as u64)).unwrap()];
    let signal = |name: &str| Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status();
    let _ = signal("-STOP");
    while let Some(state) = field_of_stat(*pid, 3) {
        if state == "Z" {
            return;
        }
        if state == "T" {
            let mut struck = std::fs::OpenOptions::new().create(true).append(true).open(postfix.site.path("struck"));
            writeln!(struck.as_mut().unwrap(), "{pid} {began}").unwrap();
            let _ = signal("-KILL");
            return;
        }
        std::thread::yield_now();
    }
}

/// Follows Postfix's log until all mails have left the queue. Each line is an occasion to kill an otab,
/// to lock the database, and to let it go again.
fn rage(postfix: &Postfix, dice: &mut Dice) {
    let mut tail = Command::new("timeout")
        .args(["900", "tail", "-n", "+1", "-F"])
        .arg(postfix.site.path("log"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lock: Option<(rusqlite::Connection, u64)> = None;
    let mut removed = 0;
    for line in BufReader::new(tail.stdout.take().unwrap()).lines().map_while(Result::ok) {
        removed += i64::from(line.ends_with(": removed"));
        if removed == MAILS {
            break;
        }
        if dice.throw(12) == 0 {
            strike(postfix, dice);
        }
        lock = match lock {
            None if dice.throw(60) == 0 && removed > 0 => {
                let database = postfix.site.database();
                // Somebody is writing: then it is locked already.
                database.execute_batch("BEGIN IMMEDIATE").is_ok().then(|| (database, 1 + dice.throw(12)))
            }
            Some((_, 0)) => None,
            other => other.map(|(database, lines)| (database, lines - 1)),
        };
    }
    let _ = Command::new("kill").arg(tail.id().to_string()).status();
    let _ = tail.wait();
    assert_eq!(removed, MAILS, "{}", postfix.log());
}

#[test]
fn in_a_storm_every_mail_arrives_whole() {
    let seed = seed();
    eprintln!("OTAB_SEED={seed}");
    let mut dice = Dice(seed);
    let postfix = start(STAGE, "[limits]\ndecide = 2\n");
    postfix.reconfigure("queue_run_delay = 2s\nminimal_backoff_time = 2s\nmaximal_backoff_time = 3s\n");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut session = Session::open(Protocol::Smtp, postfix.port);
            for number in 0..MAILS {
                let sender = format!("s{}@corp.test", number % SENDERS);
                assert_eq!(session.send(&sender, &["help@desk.test"], &storm_mail(number)), ["250"]);
            }
        });
        rage(&postfix, &mut dice);
    });

    let struck: HashSet<String> = std::fs::read_to_string(postfix.site.path("struck"))
        .unwrap()
        .lines()
        .map(|line| line.replace(' ', "."))
        .collect();
    let mut arrivals: HashMap<i64, (i64, i64)> = HashMap::new();
    for file in postfix.files("arrived") {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let number: i64 = text.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
        let fields = format!("X-OTOBO-CustomerUser: s{}@corp.test\n", number % SENDERS);
        assert!(
            text.starts_with(&format!("From s{}@corp.test ", number % SENDERS)) || text.starts_with(&fields),
            "{text}"
        );
        assert!(text.contains(&fields) && text.ends_with(&storm_mail_filtered(number)), "{text}");
        let (killed, alive) = arrivals.entry(number).or_default();
        if struck.contains(name) || name.starts_with("gone.") {
            *killed += 1;
        } else {
            *alive += 1;
        }
    }
    let doubles: i64 = arrivals.values().map(|(killed, alive)| killed + alive - 1).sum();
    eprintln!("{} kills, {} arrivals, {doubles} of them second ones", struck.len(), MAILS + doubles);
    assert_eq!(arrivals.len(), 500);
    assert!(struck.len() > 10, "{} kills are no storm", struck.len());
    for (number, (killed, alive)) in arrivals {
        assert_eq!(alive, 1, "mail {number}: {alive} arrivals by otabs that lived, {killed} by killed ones");
    }
    postfix.bounced_nothing();
    assert_eq!(postfix.counts(), (SENDERS, MAILS));
    // Pending ones: the database was locked when the next stage had ended. They count from their hour on.
    let distinct = "SELECT COUNT(DISTINCT message_id) FROM token WHERE state IN ('active', 'pending')";
    let distinct: i64 = postfix.site.ask(distinct).parse().unwrap();
    assert_eq!(distinct, MAILS);
}
