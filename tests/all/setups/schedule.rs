//! What runs every night: the line for cron and the timer for systemd, as shipped. systemd itself does not
//! run here: its own checker reads the units, and the command runs under the like of their limits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output};

use super::Shipped;
use crate::site::{Site, mail, run};

/// A site with one token, of a ticket that was closed long ago.
fn with_a_token_that_is_over() -> Site {
    let site = Site::new("");
    assert!(run(&mut site.filter(), &mail(1)).status.success());
    let number = "2026112010000017";
    for words in [
        vec!["add", number, "--message-id", "<1@corp.test>", "--customer", "carol@corp.test"],
        vec!["close", number, "--at", "2020-01-01T00:00:00Z"],
    ] {
        let mut otab = Site::otab();
        let done = otab.arg("--config").arg(site.path("otab.toml")).arg("ticket").args(&words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {done:?}");
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
    let parsed = otab::command::command_line().try_get_matches_from(words);
    assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
}

/// The command of the line for cron: what stands behind the five fields of time.
fn cron_command(text: &str) -> String {
    let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
    line.split_whitespace().skip(5).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_line_for_cron_is_a_call_that_otab_understands() {
    assert_understood(&cron_command(&Shipped::read("crontab").text()));
}

#[test]
fn what_cron_runs_deletes_the_tokens_that_are_over_and_sends_no_mail_about_it() {
    let site = with_a_token_that_is_over();
    let command = cron_command(&shipped("crontab", &site).text());
    // As cron does: sh, in nearly no environment. What is printed would become a mail.
    let output = Command::new("sh").args(["-c", &command]).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(site.count("token"), 0);
}

const UNITS: [&str; 2] = ["otab-purge.service", "otab-purge.timer"];

/// The shipped units in the site, with their paths changed.
fn units(site: &Site) {
    shipped("systemd/otab-purge.service", site).with("/var/lib/otab", site.folder().display()).write(site, UNITS[0]);
    Shipped::read("systemd/otab-purge.timer").write(site, UNITS[1]);
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
fn the_timer_runs_every_night_even_a_night_that_was_missed() {
    let mut calendar = Command::new("systemd-analyze");
    calendar.args(["calendar", "--iterations=3", "--base-time=2026-11-20 12:00:00"]);
    let output = calendar.arg(value(UNITS[1], "OnCalendar")).env("TZ", "UTC").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    for night in ["2026-11-21 04:", "2026-11-22 04:", "2026-11-23 04:"] {
        assert!(told.contains(night), "{night}: {told}");
    }
    assert_eq!(value(UNITS[1], "Persistent"), "true");
    assert_eq!(value(UNITS[1], "WantedBy"), "timers.target");
    assert_understood(&value(UNITS[0], "ExecStart"));
}

#[test]
fn what_the_timer_runs_deletes_the_tokens_that_are_over_with_nothing_else_to_write_to() {
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
    let output = unshare.args(["--map-root-user", "--mount", "--net", "sh", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(site.count("token"), 0);
}
