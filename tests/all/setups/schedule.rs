//! What runs every night, and every five minutes: the lines for cron and the timers for systemd, as shipped. systemd itself does not
//! run here: its own checker reads the units, and the command runs under the like of their limits.

use std::process::{Command, Output};

use super::{Shipped, free_port};
use crate::site::{Ended, Site, mail};

/// A site with one token, of a ticket that was closed long ago.
fn with_a_token_that_is_over() -> Site {
    let site = Site::new("");
    site.takes(&mail(1));
    let number = "2026112010000017";
    for words in [
        vec!["add", number, "--message-id", "<1@corp.test>", "--customer", "carol@corp.test"],
        vec!["close", number, "--at", "2020-01-01T00:00:00Z"],
    ] {
        let mut otab = Site::otab();
        otab.arg("--config").arg(site.path("otab.toml")).arg("ticket").args(&words).output().unwrap().says(0);
    }
    assert_eq!(site.count("token"), 1);
    site
}

/// A shipped file with its paths changed.
fn shipped(name: &str, site: &Site) -> Shipped {
    Shipped::read(name)
        .with("/usr/local/bin/otab", env!("CARGO_BIN_EXE_otab"))
        .with("/etc/otab/otab.toml", site.path("otab.toml").display())
}

fn assert_understood(command: &str) {
    let words = command.split_whitespace().take_while(|word| !word.starts_with('>'));
    let parsed = otab::cli::command_line().try_get_matches_from(words);
    assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
}

/// The command of the line for cron that calls this: what stands behind the five fields of time.
fn cron_command(text: &str, call: &str) -> String {
    let line = text.lines().find(|line| !line.starts_with('#') && line.contains(call)).unwrap();
    line.split_whitespace().skip(5).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_lines_for_cron_are_calls_that_otab_understands() {
    for call in [" purge ", " notify "] {
        assert_understood(&cron_command(&Shipped::read("crontab").text(), call));
    }
}

/// As cron does: sh, in nearly no environment. What is printed would become a mail.
fn by_cron(site: &Site, call: &str) -> Output {
    let command = cron_command(&shipped("crontab", site).text(), call);
    let output = Command::new("sh").args(["-c", &command]).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap();
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    output
}

#[test]
fn crons_purge_deletes_old_tokens_and_sends_no_mail() {
    let site = with_a_token_that_is_over();
    assert!(by_cron(&site, " purge ").status.success());
    assert_eq!(site.count("token"), 0);
}

/// A site with one link mail that is due, and a mail server that is away.
fn with_an_order() -> Site {
    let links = "[one_time_auth]\nlink_url = \"https://h.test/{{token}}\"\n";
    let site = Site::new(&format!(
        "{links}[mail]\nwake = false\nfrom = \"help@desk.test\"\nhost = \"127.0.0.1\"\nport = {}\ntransport = \"smtp\"\n",
        free_port()
    ));
    site.takes(&mail(1));
    site
}

/// Makes the way of link mails a good one.
fn mend(site: &Site) {
    site.configure("transport = \"smtp\"", "transport = \"file\"");
    site.sql("UPDATE outbox SET due_at = 0");
}

#[test]
fn crons_notify_sends_link_mails_and_no_mail_to_root() {
    let site = with_an_order();
    assert_eq!((by_cron(&site, " notify ").status.code(), site.count("outbox")), (Some(75), 1));
    mend(&site);
    assert!(by_cron(&site, " notify ").status.success());
    assert_eq!(site.count("outbox"), 0);
}

#[test]
fn the_notify_timer_survives_a_server_that_is_away() {
    let site = with_an_order();
    let mut notify = Command::new("sh");
    let start = shipped("systemd/otab-notify.service", &site).text();
    let start = start.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap().to_owned();
    notify.args(["-c", &format!("cd / && exec {start}")]);
    let code = notify.output().unwrap().status.code().unwrap();
    assert_eq!(value(UNITS[2], "SuccessExitStatus"), code.to_string());
    mend(&site);
    assert!(notify.output().unwrap().status.success());
    assert_eq!(site.count("outbox"), 0);

    let mut calendar = Command::new("systemd-analyze");
    calendar.args(["calendar", "--iterations=2", "--base-time=2026-11-20 12:00:00"]);
    let output = calendar.arg(value(UNITS[3], "OnCalendar")).env("TZ", "UTC").output().unwrap();
    let told = output.out();
    assert!(told.contains("12:05:00") && told.contains("12:10:00"), "{told}");
    assert_understood(&value(UNITS[2], "ExecStart"));
    assert_eq!(value(UNITS[3], "WantedBy"), "timers.target");
    // By default systemd kills what sendmail has left to be delivered in the background.
    assert_eq!(value(UNITS[2], "KillMode"), "process");
    // Postfix's sendmail is set-group-ID, and could not hand a mail over.
    for implies in ["NoNewPrivileges=y", "RestrictAddressFamilies", "PrivateDevices", "SystemCallFilter"] {
        assert!(!Shipped::read("systemd/otab-notify.service").text().lines().any(|line| line.starts_with(implies)));
    }
}

const UNITS: [&str; 4] = ["otab-purge.service", "otab-purge.timer", "otab-notify.service", "otab-notify.timer"];

/// The shipped units in the site, with their paths changed.
fn units(site: &Site) {
    shipped("systemd/otab-purge.service", site).with("/var/lib/otab", site.folder().display()).write(site, UNITS[0]);
    Shipped::read("systemd/otab-purge.timer").write(site, UNITS[1]);
    shipped("systemd/otab-notify.service", site).write(site, UNITS[2]);
    Shipped::read("systemd/otab-notify.timer").write(site, UNITS[3]);
}

fn verify(site: &Site) -> Output {
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no"]).args(UNITS.map(|unit| site.path(unit))).output().unwrap()
}

/// The value of a key of a unit.
fn value(unit: &str, key: &str) -> String {
    let text = Shipped::read(&format!("systemd/{unit}")).text();
    text.lines().find_map(|line| line.strip_prefix(&format!("{key}="))).unwrap().to_owned()
}

#[test]
fn systemd_has_nothing_to_say_against_the_units() {
    let site = Site::new("");
    units(&site);
    let output = verify(&site);
    assert!(output.status.success() && output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
}

/// The checker ends with 0 for much that is wrong, so its words count.
#[test]
fn systemd_would_say_what_is_wrong_with_a_unit() {
    for (unit, right, wrong) in [
        (UNITS[0], "ProtectSystem=", "ProtectSytem="),
        (UNITS[0], "Type=oneshot", "Type=once"),
        (UNITS[0], "ExecStart=/", "ExecStart=/no/such"),
        (UNITS[0], "NoNewPrivileges=yes", "NoNewPrivileges=perhaps"),
        (UNITS[1], "OnCalendar=", "OnCalendar=every night "),
        (UNITS[1], "Persistent=", "Persistant="),
        (UNITS[2], "SuccessExitStatus=75", "SuccessExitStatus=soon"),
        (UNITS[3], "OnCalendar=", "OnCalendar=every minute "),
    ] {
        let site = Site::new("");
        units(&site);
        let text = std::fs::read_to_string(site.path(unit)).unwrap();
        assert!(text.contains(right), "{right}");
        site.write(unit, &text.replace(right, wrong));
        assert!(!verify(&site).stderr.is_empty(), "{wrong}");
    }
}

#[test]
fn the_timer_runs_every_night_even_a_missed_one() {
    let mut calendar = Command::new("systemd-analyze");
    calendar.args(["calendar", "--iterations=3", "--base-time=2026-11-20 12:00:00"]);
    let output = calendar.arg(value(UNITS[1], "OnCalendar")).env("TZ", "UTC").output().unwrap();
    let told = output.out();
    assert!(output.status.success(), "{output:?}");
    for night in ["2026-11-21 04:", "2026-11-22 04:", "2026-11-23 04:"] {
        assert!(told.contains(night), "{night}: {told}");
    }
    assert_eq!(value(UNITS[1], "Persistent"), "true");
    assert_eq!(value(UNITS[1], "WantedBy"), "timers.target");
    assert_understood(&value(UNITS[0], "ExecStart"));
}

#[test]
fn the_purge_timers_service_deletes_in_its_sandbox() {
    let site = with_a_token_that_is_over();
    units(&site);
    let unit = std::fs::read_to_string(site.path(UNITS[0])).unwrap();
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let folder = site.folder().display();
    // ProtectSystem=strict, ReadWritePaths, PrivateTmp, PrivateNetwork, NoNewPrivileges, CapabilityBoundingSet.
    let script = format!(
        "mount --bind {folder} {folder} && mount -o remount,bind,ro / || exit 111; cd / && touch /var/x 2> /dev/null && exit 112
         exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all {command}"
    );
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "--net", "sh", "-c", &script]).output().unwrap().says(0);
    assert_eq!(site.count("token"), 0);
}
