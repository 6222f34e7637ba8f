//! maildrop's own: where it takes the sender from, and the ways to fail open that our files keep clear of.

use std::time::Duration;

use super::Shipped;
use super::agents::{Agent, MAILDROP_DELIVER, MAILDROP_FILTER, Trial};
use crate::site::mail;

const CAROL: &str = "carol@corp.test";
const FILTERS: [Agent; 2] = [MAILDROP_FILTER, MAILDROP_DELIVER];

/// A mail with a forged field.
fn forged() -> Vec<u8> {
    [b"X-OTOBO-CustomerUser: root\n".to_vec(), mail(1)].concat()
}

/// A trial whose line with otab is written otherwise, with otab broken.
fn broken(change: impl FnOnce(&str) -> String) -> Trial {
    let mut trial = Trial::new(MAILDROP_FILTER);
    let line = trial.text.lines().find(|line| line.starts_with("xfilter")).unwrap().to_owned();
    trial.text = trial.text.replace(&line, &change(&line));
    trial.site.append("[nonsense\n");
    trial
}

#[test]
fn an_exception_block_would_let_mail_pass_as_warned() {
    let trial = broken(|line| format!("exception {{\n{line}\n}}"));
    assert!(trial.the_one(CAROL, &forged()).contains("X-OTOBO-CustomerUser: root\n"));
}

#[test]
fn in_a_pipe_of_the_shells_a_mail_would_be_lost() {
    let trial = broken(|line| line.replace("\"$FROM\"'", "\"$FROM\" | cat'"));
    let output = trial.hand_over(CAROL, &forged());
    assert!(output.status.success() && trial.arrived().is_empty(), "{output:?}");
}

#[test]
fn without_exit_75_the_ticket_systems_status_is_left() {
    for agent in FILTERS {
        let mut trial = Trial::new(agent);
        trial.text = trial.text.replace(" || exit 75'", "'");
        for (failure, status) in [("cat > /dev/null; exit 1", 1), ("cat > /dev/null; kill -9 $$", 137)] {
            trial.ticket_system(failure);
            let output = trial.hand_over(CAROL, &mail(1));
            // otab itself ends with 75 whatever happens.
            let status = if agent.delivers { 75 } else { status };
            assert_eq!(output.status.code(), Some(status), "{}: {failure}: {output:?}", agent.file);
        }
    }
    // But somebody may kill otab.
    for (without, status) in [(true, 137), (false, 75)] {
        let mut trial = Trial::new(MAILDROP_DELIVER);
        super::agents::stand_in(&trial.site, "killed", "cat > /dev/null; kill -9 $$");
        let killed = trial.site.path("killed").display().to_string();
        trial.text = trial.text.replace(env!("CARGO_BIN_EXE_otab"), &killed);
        if without {
            trial.text = trial.text.replace(" || exit 75'", "'");
        }
        assert_eq!(trial.hand_over(CAROL, &mail(1)).status.code(), Some(status));
    }
}

#[test]
fn in_double_quotes_the_sender_could_run_commands() {
    for agent in FILTERS {
        let mut trial = Trial::new(agent);
        let careless = |line: &str| line.replace('"', "\\\"").replace('\'', "\"");
        let lines = trial.text.lines().map(|line| if line.contains("--sender") { careless(line) } else { line.into() });
        trial.text = lines.collect::<Vec<_>>().join("\n") + "\n";
        trial.hand_over("\"$(touch pwned)\"@evil.test", &mail(1));
        assert!(trial.site.path("pwned").exists(), "{}: {}", agent.file, trial.text);
    }
}

#[test]
fn without_an_envelope_sender_every_mail_is_automatic() {
    for agent in FILTERS {
        let trial = Trial::new(agent);
        trial.the_one("", &mail(1));
        assert_eq!(trial.counts(), (0, 0), "{}", agent.file);
    }
}

#[test]
fn a_return_path_is_as_good_as_an_envelope_sender() {
    for agent in FILTERS {
        let trial = Trial::new(agent);
        trial.the_one("", &[b"Return-Path: <carol@corp.test>\n".to_vec(), mail(1)].concat());
        assert_eq!(trial.counts(), (1, 1), "{}", agent.file);
    }
}

#[test]
fn an_mbox_line_on_top_is_no_hindrance() {
    for agent in FILTERS {
        let line = b"From carol@corp.test Mon Jan  1 00:00:00 2026\n";
        let arrived = Trial::new(agent).the_one(CAROL, &[line.to_vec(), forged()].concat());
        assert!(arrived.contains("X-OTOBO-CustomerUser: carol@corp.test\n"), "{}: {arrived}", agent.file);
        assert!(!arrived.contains("root"), "{}: {arrived}", agent.file);
    }
}

#[test]
fn the_files_limit_is_shorter_than_maildrops_own() {
    let text = Shipped::read(MAILDROP_DELIVER.file).text();
    let setting = text.lines().find_map(|line| line.split_once("[limits]: ")).unwrap().1;
    let config = otab::config::Config::parse(&format!("[limits]\n{setting}\n"), std::path::Path::new("/")).unwrap();
    // The command has ten seconds to end; maildrop has 300 for all (GLOBAL_TIMEOUT in its source).
    let longest = config.limits.decide + config.limits.command + Duration::from_secs(10);
    assert!(longest + Duration::from_secs(30) < Duration::from_mins(5), "{longest:?}");
}

#[test]
fn a_users_own_mailfilter_works_with_roots_delivery() {
    for agent in FILTERS {
        let trial = Trial::new(agent);
        let output = trial.hand_over_to_nobody("maildrop -d nobody -f carol@corp.test", ".mailfilter", &forged());
        assert!(output.status.success(), "{}: {output:?}", agent.file);
        let arrived = String::from_utf8(trial.arrived().concat()).unwrap();
        assert!(arrived.contains("X-OTOBO-CustomerUser: carol@corp.test\n"), "{}: {arrived}", agent.file);
        assert!(!arrived.contains("root"), "{}: {arrived}", agent.file);
    }
}
