//! procmail, with the recipes in `examples/`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use super::Shipped;
use crate::site::{Site, mail};

/// procmail with the shipped recipes; the ticket system is `cat` into a file, or fails.
fn procmail(site: &Site, ticket_system: &str, mail: &[u8]) -> Output {
    let config = site.path("otab.toml");
    let recipes = Shipped::read("procmailrc")
        .with("/usr/local/bin/otab", env!("CARGO_BIN_EXE_otab"))
        .with("/etc/otab/otab.toml", config.display())
        .with("/opt/otobo/bin/otobo.Console.pl Maint::PostMaster::Read", ticket_system)
        .write(site, "procmailrc");
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
