//! procmail's own: its time limit, its fallbacks, OTOBO's recipes, and what each flag of ours is for.

use std::process::Command;
use std::time::Duration;

use super::Shipped;
use super::agents::{AGENTS, Agent, HOME, OTOBO, PROCMAIL_DELIVER, Trial};
use crate::site::mail;

const CAROL: &str = "carol@corp.test";
const PROCMAIL_FILTER: Agent = AGENTS[0];

/// A trial whose recipes lack something, with otab broken.
fn broken(agent: Agent, from: &str, to: &str) -> Trial {
    let trial = Trial::with(agent, "", |shipped| shipped.with(from, to));
    trial.site.append("[nonsense\n");
    trial
}

const GUARD: &str = ":0 e\n{\n  EXITCODE=75\n  HOST\n}\n";

#[test]
fn without_w_a_deferred_mail_would_be_lost() {
    let trial = broken(PROCMAIL_DELIVER, ":0 wr\n", ":0 r\n");
    let output = trial.hand_over(CAROL, &mail(1));
    assert!(output.status.success() && trial.arrived().is_empty(), "{output:?}");

    let trial = broken(PROCMAIL_FILTER, ":0 fwr\n", ":0 fr\n");
    let output = trial.hand_over(CAROL, &mail(1));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(trial.arrived().concat(), b"", "an empty mail");
}

#[test]
fn without_the_guard_mail_would_pass_as_warned() {
    let forged = [b"X-OTOBO-CustomerUser: root\n".to_vec(), mail(1)].concat();
    let trial = broken(PROCMAIL_FILTER, GUARD, "");
    assert!(trial.the_one(CAROL, &forged).contains("X-OTOBO-CustomerUser: root\n"));

    let trial = broken(PROCMAIL_DELIVER, GUARD, "");
    assert!(trial.hand_over(CAROL, &forged).status.success());
    let fallen_back = trial.site.read("default");
    assert!(fallen_back.contains("X-OTOBO-CustomerUser: root\n"), "{fallen_back}");
}

/// What OTOBO ships does no more than this (RotherOSS/otobo, `.procmailrc.dist`).
#[test]
fn grep_leaves_a_forged_second_line_and_otab_does_not() {
    let forged = b"Subject: help\nX-OTOBO-Queue:\n Raw\nFrom: carol@corp.test\n\nHello\n";
    let mut grep = Trial::new(OTOBO);
    let console = grep.site.path("opt/otobo/bin/otobo.Console.pl");
    grep.text = format!(":0 fhw\n| grep -vi '^X-OTOBO-'\n\n:0 w\n| {} Maint::PostMaster::Read\n", console.display());
    assert!(grep.the_one(CAROL, forged).contains("Subject: help\n Raw\nFrom: "), "it belongs to the subject now");
    let ours = Trial::new(OTOBO).the_one(CAROL, forged);
    assert!(ours.contains("Subject: help\nFrom: "), "{ours}");
}

#[test]
fn presorted_mail_keeps_its_queue_forged_mail_not() {
    let trial = Trial::new(OTOBO);
    let mail = b"From: carol@corp.test\nTo: sales@example.org\nX-OTOBO-Queue: Raw\nSubject: x\n\nHello\n";
    let arrived = trial.the_one(CAROL, mail);
    assert!(arrived.contains("X-OTOBO-Queue: Sales\n") && !arrived.contains("Raw"), "{arrived}");
    let log = std::fs::read_dir(trial.site.path(HOME).join("var/log")).unwrap().next().unwrap().unwrap();
    assert!(log.file_name().to_string_lossy().starts_with("procmail-20"), "{log:?}");

    let trial = Trial::with(OTOBO, "", |shipped| shipped.with("| formail -f", "| false -f"));
    trial.deferred(mail);
}

#[test]
fn procmails_time_limit_is_longer_than_otabs() {
    let text = Shipped::read(PROCMAIL_DELIVER.file).text();
    let limit = text.lines().find_map(|line| line.strip_prefix("TIMEOUT=")).unwrap();
    let limits = otab::config::Config::parse("", std::path::Path::new("/")).unwrap().limits;
    // The command has ten seconds to end.
    let longest = limits.decide + limits.command + Duration::from_secs(10);
    assert!(Duration::from_secs(limit.parse().unwrap()) > longest + Duration::from_secs(30), "{longest:?}");
}

#[test]
fn at_procmails_limit_mail_waits_and_otobo_runs_on() {
    let trial = Trial::with(PROCMAIL_DELIVER, "", |shipped| shipped.with("TIMEOUT=960", "TIMEOUT=2"));
    trial.ticket_system("echo $$ > ../pid; exec timeout 60 tail -f /dev/null");
    trial.deferred(&mail(1));
    let pid = std::fs::read_to_string(trial.site.path(HOME).join("pid")).unwrap();
    assert!(Command::new("kill").arg(pid.trim()).status().unwrap().success(), "it is not running any more");
}

#[test]
fn a_users_own_procmailrc_needs_no_other_path() {
    let trial = Trial::new(OTOBO);
    let mail = [b"From carol@corp.test  Fri Nov 20 20:20:20 2026\n".to_vec(), mail(1)].concat();
    let output = trial.hand_over_to_nobody("procmail -d nobody", ".procmailrc", &mail);
    assert!(output.status.success(), "{output:?}");
    let arrived = String::from_utf8(trial.arrived().concat()).unwrap();
    assert!(arrived.contains("X-OTOBO-CustomerUser: carol@corp.test\n"), "{arrived}");
}
