//! The files in `examples/`, run by the real programs exactly as shipped, with only paths changed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::site::{Site, mail};

fn example(name: &str) -> String {
    std::fs::read_to_string(format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Replaces a path that has to be there.
fn with(text: &str, shipped: &str, ours: &str) -> String {
    assert!(text.contains(shipped), "{shipped} is not in the example");
    text.replace(shipped, ours)
}

/// procmail with the shipped recipes; the ticket system is `cat` into a file, or fails.
fn procmail(site: &Site, ticket_system: &str, mail: &[u8]) -> Output {
    let config = site.path("otab.toml");
    let text = with(&example("procmailrc"), "/usr/local/bin/otab", env!("CARGO_BIN_EXE_otab"));
    let text = with(&text, "/etc/otab/otab.toml", config.to_str().unwrap());
    let text = with(&text, "/opt/otobo/bin/otobo.Console.pl Maint::PostMaster::Read", ticket_system);
    let recipes = site.write("procmailrc", &text);
    let mut child = Command::new("procmail")
        .arg(format!("DEFAULT={}", site.path("default").display()))
        .arg(format!("ORGMAIL={}", site.path("orgmail").display()))
        .arg("-m")
        .arg(recipes)
        .current_dir(site.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("procmail");
    child.stdin.take().unwrap().write_all(mail).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn procmail_delivers_what_otab_made_of_the_mail() {
    let site = Site::new("");
    let ticket = site.path("ticket");
    let mut forged = b"X-OTOBO-CustomerUser: root\nX-OTOBO-Queue: Raw\n".to_vec();
    forged.extend(mail(1));
    let output = procmail(&site, &format!("cat > {}", ticket.display()), &forged);
    assert!(output.status.success(), "{output:?}");
    let arrived = String::from_utf8(std::fs::read(ticket).unwrap()).unwrap();
    assert!(arrived.contains("X-OTOBO-CustomerUser: carol@corp.test\n"), "{arrived}");
    assert!(!arrived.contains("root") && !arrived.contains("Queue"), "{arrived}");
}

#[test]
fn with_otab_failing_procmail_ends_with_75_and_delivers_nothing_anywhere() {
    let site = Site::new("");
    site.append("[nonsense\n");
    let output = procmail(&site, &format!("cat > {}", site.path("ticket").display()), &mail(1));
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    for place in ["ticket", "default", "orgmail"] {
        assert!(!site.path(place).exists(), "{place}");
    }
}

#[test]
fn with_the_ticket_system_failing_procmail_ends_with_75_and_the_next_try_makes_no_second_token() {
    let site = Site::new("");
    let output = procmail(&site, "false", &mail(1));
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    for place in ["default", "orgmail"] {
        assert!(!site.path(place).exists(), "{place}");
    }
    let output = procmail(&site, &format!("cat > {}", site.path("ticket").display()), &mail(1));
    assert!(output.status.success(), "{output:?}");
    assert_eq!((site.count("customer_user"), site.count("token")), (1, 1));
}

#[test]
fn the_readme_shows_the_recipes_that_are_tested() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    assert!(readme.contains(&format!("```procmail\n{}```\n", example("procmailrc"))));
    for name in ["postfix-pipe/master.cf", "postfix-pipe/main.cf"] {
        assert!(readme.contains(&format!("```text\n{}```\n", example(name))), "{name}");
    }
}

#[test]
fn the_line_for_cron_is_a_call_that_otab_understands() {
    let text = example("crontab");
    let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
    let command = line.split_whitespace().skip(5).take_while(|word| !word.starts_with('>'));
    let parsed = otab::command::command_line().try_get_matches_from(command);
    assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
}
