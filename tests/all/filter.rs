//! `otab filter` as a process: how it ends, whatever happens to it.

use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::site::{Ended, Site, is_one_harmless_line, mail, piped, run};

#[test]
fn what_cannot_be_decided_is_deferred_without_output() {
    let site = Site::new("");
    let broken = |text: &str| {
        let broken = Site::new("");
        broken.write("otab.toml", text);
        broken.filter(&mail(1))
    };
    broken("[store\n").is_deferred("broken configuration");
    broken("[store]\nurl = \"sqlite:otab.db\"\nurrl = 1\n").is_deferred("unknown key");
    broken("[store]\nurl = \"sqlite:otab.db\"\n").is_deferred("missing database that may not be made");
    broken("[store]\nurl = \"sqlite:no/such/folder/otab.db\"\ncreate = true\n")
        .is_deferred("no folder for the database");
    run(Site::otab().args(["--config", "/no/such/file", "filter"]), &mail(1)).is_deferred("no configuration");
    run(site.command(&["filter"]).arg("--no-such-option"), &mail(1)).is_deferred("unknown option");
    run(site.command(&["filter"]).args(["--backend", "Nowhere"]), &mail(1)).is_deferred("unknown backend");
    run(Site::otab().args(["--config"]), &mail(1)).is_deferred("an option without its value");
    run(Site::otab().args(["fliter"]), &mail(1)).is_deferred("a command that does not exist");
    site.filter(b"").is_deferred("empty input");
    for place in ["examined", "recorded"] {
        run(site.command(&["filter"]).env("OTAB_FAIL_AT", place), &mail(1)).is_deferred(place);
    }
}

#[test]
fn an_envelope_that_is_no_utf_8_defers_nothing() {
    let site = Site::new("");
    let odd = std::ffi::OsStr::from_bytes(b"j\xf6@corp.test");
    run(site.command(&["filter"]).arg("--sender").arg(odd).arg("--recipient").arg(odd), &mail(1)).ends(0);
}

#[test]
fn help_that_cannot_be_written_is_75() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = Site::otab().args(["filter", "--help"]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(75));
}

#[test]
fn a_subject_for_slow_decoders_takes_linear_time() {
    // A quadratic decoder takes 64 times as long for a subject of eight times the length.
    let site = Site::new("[limits]\ndecide = 60\n");
    for piece in ["=?", "=?utf-8?", "=?utf-8?q?a?= "] {
        let time = |length: usize| {
            let subject = piece.repeat(length / piece.len());
            let mail = format!("From: carol@corp.test\nAuto-Submitted: no\nSubject: {subject}\n\nHello\n");
            let started = Instant::now();
            site.filter(mail.as_bytes()).ends(0);
            started.elapsed()
        };
        let (short, long) = (time(125_000), time(1_000_000));
        assert!(long < short * 32, "{piece}: {long:?} after {short:?}");
    }
}

#[test]
fn a_strange_database_defers_and_is_left_as_it_is() {
    for (what, content) in [("text", &b"no database at all, but text of some length"[..]), ("zeros", &[0; 8192][..])] {
        let site = Site::new("");
        std::fs::write(site.path("otab.db"), content).unwrap();
        site.filter(&mail(1)).is_deferred(what);
        assert_eq!(std::fs::read(site.path("otab.db")).unwrap(), content);
    }
    let foreign = Site::new("");
    rusqlite::Connection::open(foreign.path("otab.db")).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    foreign.filter(&mail(1)).is_deferred("somebody else's database");

    let newer = Site::new("");
    newer.takes(&mail(1));
    newer
        .sql("INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (99, 'later', '', '0')");
    newer.filter(&mail(2)).is_deferred("a newer schema");
    assert_eq!(newer.count("token"), 1);
}

#[test]
fn a_locked_database_defers_or_lets_pass_unnamed() {
    let site = Site::new("[limits]\ndecide = 2\n");
    site.takes(&mail(1));
    let holder = site.database();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    site.filter(&mail(2)).is_deferred("locked");
    assert!(start.elapsed() < Duration::from_secs(7));

    site.append("[postmaster]\non_error = \"deliver\"\n");
    // Whose customer need not be created keeps his name, and only gets no token.
    let known = site.filter(&mail(2)).ends(0);
    assert!(known.stdout.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n"), "{known:?}");
    let new = site.filter(b"From: dan@corp.test\nX-OTOBO-Queue: x\n\n").ends(0);
    assert!(new.stdout.starts_with(b"X-OTOBO-CustomerUser: unverified-sender\n"), "{new:?}");
    assert!(!String::from_utf8_lossy(&new.stdout).contains("Queue"));
    drop(holder);
    assert_eq!((site.count("customer_user"), site.count("token")), (1, 1));
}

/// Runs a shell line in a mount namespace of its own.
fn in_namespace(script: &str) -> Output {
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .output()
        .expect("unshare (util-linux)");
    assert_ne!(output.status.code(), Some(111), "the namespace could not be set up: {output:?}");
    output
}

#[test]
fn on_a_read_only_disk_the_mail_is_deferred() {
    let site = Site::new("");
    site.takes(&mail(1));
    std::fs::write(site.path("mail"), mail(2)).unwrap();
    let folder = site.folder().display();
    let otab = env!("CARGO_BIN_EXE_otab");
    let output = in_namespace(&format!(
        "mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} || exit 111; cd / && {otab} --config {folder}/otab.toml filter < {folder}/mail"
    ));
    output.is_deferred("read-only disk");
}

/// Words for a shell: the site moves to a disk of its own, takes a first mail, and has no room any more.
fn fill_disk(site: &Site) -> String {
    std::fs::write(site.path("mail"), mail(1)).unwrap();
    let (folder, otab) = (site.folder().display(), env!("CARGO_BIN_EXE_otab"));
    format!(
        "mkdir {folder}/small && mount -t tmpfs -o size=300k tmpfs {folder}/small || exit 111
         cp {folder}/otab.toml {folder}/small/
         {otab} --config {folder}/small/otab.toml filter < {folder}/mail > /dev/null || exit 112
         dd if=/dev/zero of={folder}/small/filler bs=1k 2>/dev/null"
    )
}

#[test]
fn on_a_full_disk_mail_waits_until_there_is_room() {
    let site = Site::new("");
    let folder = site.folder().display();
    let (fill, otab) = (fill_disk(&site), env!("CARGO_BIN_EXE_otab"));
    let output = in_namespace(&format!(
        "{fill}
         sed s/1@corp.test/2@corp.test/g {folder}/mail > {folder}/mail2
         {otab} --config {folder}/small/otab.toml filter < {folder}/mail2 > {folder}/out; status=$?
         rm {folder}/small/filler
         {otab} --config {folder}/small/otab.toml filter < {folder}/mail2 > {folder}/out2 || exit 113
         exit $status"
    ));
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    is_one_harmless_line(&output.err(), "full disk");
    assert_eq!(std::fs::read(site.path("out")).unwrap(), b"");
    assert!(std::fs::read(site.path("out2")).unwrap().starts_with(b"X-OTOBO-CustomerUser: "));
}

#[test]
fn on_a_full_disk_mail_may_pass_with_known_names_only() {
    let site = Site::new("[postmaster]\non_error = \"deliver\"\n");
    let folder = site.folder().display();
    let (fill, otab) = (fill_disk(&site), env!("CARGO_BIN_EXE_otab"));
    let output = in_namespace(&format!(
        "{fill}
         sed s/1@corp.test/2@corp.test/g {folder}/mail > {folder}/known
         sed s/carol@corp.test/dan@corp.test/g {folder}/known > {folder}/new
         for which in known new; do
             {otab} --config {folder}/small/otab.toml filter < {folder}/$which > {folder}/$which.out || exit 113
         done
         rm {folder}/small/filler
         {otab} --config {folder}/small/otab.toml customer list > {folder}/list"
    ));
    assert!(output.status.success(), "{output:?}");
    let text = |name: &str| std::fs::read_to_string(site.path(name)).unwrap();
    assert!(text("known.out").starts_with("X-OTOBO-CustomerUser: carol@corp.test\n"), "{}", text("known.out"));
    assert!(text("new.out").starts_with("X-OTOBO-CustomerUser: unverified-sender\n"), "{}", text("new.out"));
    assert!(text("list").contains("carol@corp.test") && !text("list").contains("dan@corp.test"), "{}", text("list"));
}

#[test]
fn a_closed_standard_output_is_75() {
    let site = Site::new("");
    let big = [mail(1), vec![b'x'; 1 << 20]].concat();
    let mut child = piped(&mut site.command(&["filter"]));
    drop(child.stdout.take());
    let _ = child.stdin.take().unwrap().write_all(&big);
    let output = child.wait_with_output().unwrap().ends(75);
    is_one_harmless_line(&output.err(), "closed standard output");

    let output = Command::new("sh")
        .args(["-c", "exec \"$0\" --config \"$1\" filter < \"$2\" >&-"])
        .arg(env!("CARGO_BIN_EXE_otab"))
        .arg(site.path("otab.toml"))
        .arg(site.write("mail", "Subject: x\n\nbody\n"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(75), "{output:?}");

    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output =
        site.command(&["filter"]).stdin(std::fs::File::open(site.path("mail")).unwrap()).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(75), "{output:?}");
}

#[test]
fn a_mail_that_stalls_in_its_header_is_given_up() {
    let site = Site::new("[limits]\ndecide = 1\n");
    let mut child = piped(&mut site.command(&["filter"]));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"Subject: x\n").unwrap();
    let start = Instant::now();
    let status = child.wait().unwrap();
    drop(stdin);
    assert_eq!(status.code(), Some(75));
    assert!(start.elapsed() < Duration::from_secs(7));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    child.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_end(&mut err).unwrap();
    assert_eq!(out, b"");
    is_one_harmless_line(&String::from_utf8_lossy(&err), "stalled header");
}

#[test]
fn a_body_that_stalls_is_given_up_and_never_0() {
    let site = Site::new("[limits]\nidle = 1\n");
    let mut child = piped(&mut site.command(&["filter"]));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&mail(1)).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75));
    drop(stdin);
}

#[test]
fn a_slow_body_is_not_given_up_as_long_as_it_moves() {
    let site = Site::new("[limits]\ndecide = 1\nidle = 1\n");
    let mut child = piped(&mut site.command(&["filter"]));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&mail(1)).unwrap();
    // Moves for longer than both limits: each piece is sent once the one before has arrived.
    let mut stdout = child.stdout.take().unwrap();
    let start = Instant::now();
    let mut byte = [0; 1];
    while byte[0] != b'#' {
        assert!(stdout.read(&mut byte).unwrap() != 0, "ended early");
        if byte[0] == b'.' || byte[0] == b'\n' {
            let done = start.elapsed() > Duration::from_millis(2500);
            stdin.write_all(if done { b"#" } else { b"." }).unwrap();
        }
    }
    drop(stdin);
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_header_over_the_limit_passes_stripped() {
    let site = Site::new("[postmaster]\nmax_header_bytes = 4096\n");
    let filler = "X-Filler: 1234567890\n".repeat(100_000);
    let text = format!("From: carol@corp.test\n{filler}X-OTOBO-Queue: a\n b\nX-Last: 1\n\nX-OTOBO-Body: 1\n");
    let output = site.filter(text.as_bytes()).ends(0);
    let expected = format!(
        "X-OTOBO-CustomerUser: unverified-sender\nX-OTOBO-CustomerNo: unverified-sender\nX-OTOBO-Customer: unverified-sender\n\
         From: carol@corp.test\n{filler}X-Last: 1\n\nX-OTOBO-Body: 1\n"
    );
    assert!(output.stdout == expected.as_bytes());
    assert!(!Path::new(&site.path("otab.db")).exists());
}

#[test]
fn without_a_command_otab_filters_what_it_is_given() {
    let site = Site::new("");
    let output = run(Site::otab().arg("--config").arg(site.path("otab.toml")), &mail(1)).ends(0);
    assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n"));
}

#[test]
fn explaining_records_nothing_and_says_what_would_be() {
    let site = Site::new("");
    let output = run(site.command(&["filter"]).arg("--explain"), &mail(1)).says(0);
    assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n"));
    let told = output.err();
    for part in [
        "sender: carol@corp.test",
        "kind: new",
        "customer: would be created",
        "added: X-OTOBO-CustomerNo: carol@corp.test",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!site.path("otab.db").exists());
    site.takes(&mail(1));
    let before = std::fs::read(site.path("otab.db")).unwrap();
    run(site.command(&["filter"]).arg("--explain"), &mail(2)).says(0);
    assert_eq!(std::fs::read(site.path("otab.db")).unwrap(), before);
    let forged = run(site.command(&["filter"]).arg("--explain"), b"X-OTOBO-CustomerUser: a\n\n");
    assert_eq!(String::from_utf8(forged.stderr).unwrap().matches("removed: ").count(), 1);
}

#[test]
fn the_log_has_one_line_a_mail_and_no_secret() {
    let site = Site::new("[log]\nfile = \"otab.log\"\nsyslog = false\n");
    site.takes(&mail(1));
    let log = site.read("otab.log");
    assert_eq!(log.lines().count(), 1, "{log}");
    let line = log.lines().next().unwrap();
    let told = line.splitn(3, ' ').nth(2).unwrap();
    assert!(told.contains("<1@corp.test>: new, sender carol@corp.test"), "{line}");
    let secret = site.ask("SELECT secret FROM outbox");
    assert!(!log.contains(&secret));
}

#[test]
fn the_log_tells_why_a_mail_was_deferred_and_which() {
    let site = Site::new("[log]\nfile = \"otab.log\"\nsyslog = false\n[limits]\ndecide = 1\n");
    let log = || std::fs::read_to_string(site.path("otab.log")).unwrap_or_default();
    run(site.command(&["filter"]).env("OTAB_FAIL_AT", "examined"), &mail(1));
    assert!(log().contains("<1@corp.test>: deferred: internal error: src/"), "{}", log());
    std::fs::write(site.path("otab.db"), "no database").unwrap();
    site.filter(&mail(2));
    assert!(log().contains("<2@corp.test>: deferred: the customers cannot be looked up: "), "{}", log());

    let mut child = site.command(&["filter"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75));
    drop(stdin);
    assert!(log().contains("<>: deferred: the time limit has passed"), "{}", log());
    assert_eq!(log().lines().count(), 3, "{}", log());
}

#[test]
fn a_login_of_an_earlier_source_names_nobody() {
    let sources = "[[customer_user]]\nname = \"CustomerUser\"\nurl = \"sqlite:a.db\"\n\
                   [[customer_user]]\nname = \"Second\"\nurl = \"sqlite:b.db\"\n";
    let site = Site::new(sources);
    site.filter(&mail(1)).is_deferred("a customer source that is not there is not made");
    for file in ["a.db", "b.db"] {
        otab::store::create(&site.path(file), 0o600).unwrap();
    }
    for (file, login, email) in
        [("a.db", "shared", "one@a.test"), ("b.db", "shared", "two@b.test"), ("b.db", "own", "three@b.test")]
    {
        let columns = "login, email, customer_id, first_name, last_name, valid_id, create_time, create_by, change_time, change_by";
        let sql = format!("INSERT INTO customer_user ({columns}) VALUES (?1, ?2, 'corp', ' ', ' ', 1, '', 1, '', 1)");
        rusqlite::Connection::open(site.path(file)).unwrap().execute(&sql, [login, email]).unwrap();
    }
    for (email, user) in [("one@a.test", "shared"), ("two@b.test", "unverified-sender"), ("three@b.test", "own")] {
        let output = site.filter(format!("From: {email}\n\n").as_bytes());
        let expected = format!("X-OTOBO-CustomerUser: {user}\n");
        assert!(output.stdout.starts_with(expected.as_bytes()), "{email}: {output:?}");
    }
}

#[test]
fn a_marker_that_is_somebodys_defers_doubtful_mails() {
    for (login, id) in [("Unverified-Sender", "corp"), ("dave", "unverified-sender")] {
        let site = Site::new("");
        site.takes(&mail(1));
        let columns = "login, email, customer_id, first_name, last_name, valid_id, create_time, create_by, change_time, change_by";
        let sql =
            format!("INSERT INTO customer_user ({columns}) VALUES (?1, 'd@corp.test', ?2, ' ', ' ', 1, '', 1, '', 1)");
        site.database().execute(&sql, [login, id]).unwrap();
        site.filter(b"From: a@b.test, c@d.test\n\n").is_deferred(login);
        site.takes(&mail(2));
    }
}
