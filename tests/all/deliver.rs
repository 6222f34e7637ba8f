//! `otab deliver`: into a command's standard input, and what happens when that command fails.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::site::{Ended, Site, ignoring_sigchld, mail, run, with_cores};

fn deliver(site: &Site, options: &[&str], command: &[&str]) -> Command {
    let mut otab = site.command(&["deliver"]);
    otab.args(options).arg("--").args(command);
    otab
}

/// Into a shell line that runs in the site's folder.
fn into(site: &Site, line: &str) -> Output {
    run(deliver(site, &[], &["sh", "-c", line]), &mail(1))
}

#[test]
fn a_mail_that_was_taken_has_an_active_token() {
    let site = Site::new("");
    let output = into(&site, "cat > taken").ends(0);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    let taken = std::fs::read(site.path("taken")).unwrap();
    assert!(taken.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n") && taken.ends_with(b"Hello\n"));
    assert_eq!(site.states(), ["active"]);
    let late: i64 = site.ask("SELECT due_at - created_at FROM outbox").parse().unwrap();
    assert!(late < 60, "due {late} s after the mail");
}

#[test]
fn while_the_command_runs_the_token_is_pending() {
    let site = Site::new("");
    // The command looks into the database itself.
    let query = "SELECT state, due_at - token.created_at FROM token JOIN outbox ON token_id = token.id";
    let line = format!("sqlite3 otab.db '{query}' > seen");
    assert!(into(&site, &line).status.success());
    assert_eq!(site.read("seen"), "pending|3600\n");
}

#[test]
fn a_ticket_that_the_command_makes_is_bound_at_once() {
    for (customer, bound) in [("carol@corp.test", Some("2026112010000017")), ("mallory@evil.test", None)] {
        let site = Site::new("");
        let ticket = format!("ticket add 2026112010000017 --message-id '<1@corp.test>' --customer {customer}");
        into(&site, &format!("{} --config otab.toml {ticket}", env!("CARGO_BIN_EXE_otab"))).ends(0);
        // Bound while the command still ran, by `ticket add`: taken back, to see deliver's own look.
        let number = |site: &Site| -> Option<String> {
            site.database().query_row("SELECT ticket_number FROM token", [], |row| row.get(0)).unwrap()
        };
        assert_eq!(number(&site).as_deref(), bound);
        site.sql("UPDATE token SET ticket_number = NULL");
        assert!(into(&site, "cat > taken").status.success());
        assert_eq!(number(&site).as_deref(), bound);
    }
}

#[test]
fn a_failed_command_is_75_and_a_retry_adds_no_token() {
    let site = Site::new("");
    for (line, what) in [
        ("exit 1", "status 1"),
        ("exit 75", "status 75"),
        ("kill -9 $$", "a signal"),
        ("cat > half; exit 3", "failing at the end"),
    ] {
        into(&site, line).is_deferred(what);
        assert_eq!(site.states(), [""; 0], "{what}");
    }
    run(&mut deliver(&site, &[], &["/no/such/command"]), &mail(1)).is_deferred("no such command");
    assert!(into(&site, "cat > taken").status.success());
    assert!(into(&site, "cat > taken-again").status.success());
    assert_eq!(site.states(), ["active"]);
    assert_eq!((site.count("customer_user"), site.count("outbox")), (1, 1));
    assert_eq!(std::fs::read(site.path("taken")).unwrap(), std::fs::read(site.path("taken-again")).unwrap());
}

#[test]
fn the_commands_own_status_is_passed_on_if_asked() {
    let site = Site::new("");
    let status = |line: &str| run(&mut deliver(&site, &["--pass-status"], &["sh", "-c", line]), &mail(1)).status.code();
    assert_eq!(status("exit 0"), Some(0));
    assert_eq!(status("exit 67"), Some(67));
    assert_eq!(status("kill -9 $$"), Some(75));
    assert_eq!(run(&mut deliver(&site, &["--pass-status"], &["/no/such"]), &mail(1)).status.code(), Some(75));
}

#[test]
fn a_slow_command_is_ended_and_the_mail_deferred() {
    let site = Site::new("[limits]\ndecide = 1\ncommand = 2\n");
    let start = Instant::now();
    into(&site, "exec tail -f /dev/null").is_deferred("hanging");
    assert!(start.elapsed() < Duration::from_secs(11));
}

#[test]
fn a_command_may_leave_its_input_unread() {
    let site = Site::new("");
    let large = [mail(1), vec![b'x'; 5 << 20]].concat();
    run(&mut deliver(&site, &[], &["true"]), &large).ends(0);
}

#[test]
fn a_mail_that_breaks_off_never_reaches_the_command() {
    let site = Site::new("[limits]\nidle = 1\n");
    let mut otab = deliver(&site, &[], &["sh", "-c", "cat > taken"]);
    let mut child = otab.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, &mail(1)).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75));
    drop(stdin);
    assert!(!site.path("taken").exists());
    assert_eq!(site.states(), ["pending"], "the next try finds it");
    assert!(into(&site, "cat > taken").status.success());
    assert_eq!(site.states(), ["active"]);
}

#[test]
fn the_commands_words_go_to_the_log_alone() {
    let site = Site::new("[log]\nsyslog = false\nfile = \"otab.log\"\n");
    let output = into(&site, "echo all is well; head -c 100000 /dev/zero | tr '\\0' x >&2");
    assert!(output.status.success() && output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
    let log = site.read("otab.log");
    assert!(log.contains("the next stage says: all is well"), "{log}");
    assert!(log.len() < 5000, "{} bytes", log.len());
}

#[test]
fn a_background_child_does_not_hold_the_mail_up() {
    let site = Site::new("");
    let start = Instant::now();
    into(&site, "cat > taken; tail -f /dev/null & echo $! > pid").ends(0);
    assert!(start.elapsed() < Duration::from_mins(1));
    let pid = site.read("pid");
    assert!(Command::new("kill").arg(pid.trim()).status().unwrap().success());
}

#[test]
fn wrong_arguments_and_a_failure_anywhere_are_75() {
    let site = Site::new("");
    let otab = |args: &[&str]| run(site.command(args), &mail(1));
    otab(&["deliver"]).is_deferred("no command");
    otab(&["deliver", "--no-such", "--", "true"]).is_deferred("unknown option");
    otab(&["deliver", "true"]).is_deferred("a command without --");
    for place in ["examined", "recorded", "spooled"] {
        let mut otab = deliver(&site, &[], &["sh", "-c", "cat > taken"]);
        run(otab.env("OTAB_FAIL_AT", place), &mail(1)).is_deferred(place);
        assert!(!site.path("taken").exists(), "{place}");
    }
    assert_eq!(site.count("token"), 1);
}

#[test]
fn once_the_command_has_taken_it_otab_ends_with_0() {
    let site = Site::new("[limits]\ndecide = 1\n");
    let output = into(&site, "cat > taken; rm otab.db; echo no database any more > otab.db").ends(0);
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_fault_of_otab_after_the_command_is_no_retry() {
    let site = Site::new("");
    let mut otab = deliver(&site, &[], &["sh", "-c", "cat > taken"]);
    run(otab.env("OTAB_FAIL_AT", "settling"), &mail(1)).says(0);
    assert!(site.path("taken").exists());
    assert_eq!(site.states(), ["pending"]);
}

#[test]
fn under_a_parent_that_ignores_sigchld_it_ends_right() {
    let site = Site::new("");
    let deliver = |number: usize, line: &str| {
        let otab = deliver(&site, &[], &["sh", "-c", line]);
        run(&mut ignoring_sigchld(&otab), &mail(number))
    };
    let output = deliver(1, "cat >> taken");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(site.states(), ["active"]);
    // What is started has the signal's default again.
    let output = deliver(2, "grep SigIgn: /proc/self/status > ignored; exit 3");
    output.is_deferred("a status");
    let ignored = site.read("ignored");
    let mask = u64::from_str_radix(ignored.trim_start_matches("SigIgn:").trim(), 16).unwrap();
    assert_eq!(mask >> 16 & 1, 0, "{ignored}");
    assert_eq!(site.states(), ["active"]);
}

#[test]
fn it_leaves_no_core_file() {
    let site = Site::new("");
    let otab = deliver(&site, &[], &["sh", "-c", "ulimit -S -c > limit; ulimit -H -c >> limit"]);
    run(&mut with_cores(&otab), &mail(1)).ends(0);
    let limits = site.read("limit");
    assert!(limits.starts_with("0\n") && limits != "0\n0\n", "the command may raise it again: {limits}");
}

#[test]
fn no_help_text_eats_a_mail() {
    for arguments in [&["filter", "--help"][..], &["-V"], &["--version"], &["--help"], &["help"], &["deliver", "-h"]] {
        let output = run(Site::otab().args(arguments), &mail(1));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(75), 0), "{arguments:?}: {output:?}");
        assert!(output.stderr.starts_with(b"4.3.0 "), "{output:?}");
        let output = run(Site::otab().args(arguments), b"");
        assert!(output.status.success() && !output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
    // Whoever says nothing may have a mail, and a command for people passes none on.
    let mut silent = Site::otab().arg("-V").stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let open = silent.stdin.take();
    assert_eq!(silent.wait().unwrap().code(), Some(75));
    drop(open);
    run(Site::otab().args(["purge", "--help"]), &mail(1)).ends(0);
}
