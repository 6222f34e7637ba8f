//! Secrets from the environment are for otab's own processes, and no secret of a trusted system is shown.

use std::process::Command;

use crate::setups::wait_for;
use crate::site::{Ended, Site, chmod, mail, run};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A site whose trusted system and SMTP password are in the environment, and whose programs write theirs down.
fn site(more: &str) -> Site {
    let settings = format!(
        "[log]\nsyslog = false\nfile = \"otab.log\"\n[[postmaster.trusted]]\nfield = \"X-Gate\"\nvalue_env = \"GATE\"\n\
         [one_time_auth]\nlink_url = \"https://help.test/t/{{{{token}}}}\"\n\
         [mail]\nfrom = \"help@desk.test\"\nuser = \"u\"\npassword_env = \"SMTP\"\n\
         transport = \"sendmail\"\nsendmail = \"program\"\n{more}"
    );
    let site = Site::new(&settings);
    let script = "#!/bin/sh\ncd \"$(dirname \"$0\")\" && cat > taken && env > seen.part && mv seen.part seen\n";
    let program = site.write("program", script);
    chmod(program, 0o755);
    site
}

fn otab(site: &Site, arguments: &[&str]) -> Command {
    let mut otab = site.command(arguments);
    otab.env("GATE", SECRET).env("SMTP", "smtp-secret").env("OTHER", "other").current_dir(site.folder());
    otab
}

/// What the program's environment was: without the secrets, and with the rest.
fn assert_without_secrets(site: &Site, what: &str) {
    let seen = site.read("seen");
    assert!(!seen.contains("GATE") && !seen.contains("SMTP") && seen.contains("OTHER=other"), "{what}: {seen}");
    std::fs::remove_file(site.path("seen")).unwrap();
}

#[test]
fn no_command_inherits_a_secret_and_otabs_own_do() {
    let site = site("wake = true\n");
    run(&mut otab(&site, &["deliver", "--", "./program"]), &mail(1)).ends(0);
    // The sender that the mail woke had its configuration's secrets, or it could not have sent anything.
    wait_for(&site.path("otab.log"), "sent to carol@corp.test", 1);
    assert_without_secrets(&site, "the next stage, or sendmail after it");
    run(&mut otab(&site, &["outgoing", "--", "./program", "-f", "", "a@b.test"]), &mail(2)).ends(0);
    assert_without_secrets(&site, "outgoing");
    site.append("[no-such-table]\n");
    run(&mut otab(&site, &["outgoing", "--", "./program", "-f", "", "a@b.test"]), &mail(2)).ends(0);
    assert_without_secrets(&site, "outgoing with a broken configuration");
}

#[test]
fn sendmail_and_after_create_inherit_no_secret() {
    let site = site("wake = false\n");
    site.append(&format!("[create]\nafter_create = [{:?}]\n", site.path("program")));
    run(&mut otab(&site, &["deliver", "--", "true"]), &mail(1)).ends(0);
    let program = site.read("program");
    site.write("program", &format!("{program}cp seen \"seen-${{1:-after_create}}\"\n"));
    run(&mut otab(&site, &["notify"]), b"").ends(0);
    for name in ["seen-after_create", "seen--i"] {
        std::fs::rename(site.path(name), site.path("seen")).unwrap();
        assert_without_secrets(&site, name);
    }
}

#[test]
fn explaining_shows_no_trusted_secret() {
    let site = site("");
    for value in [SECRET, &SECRET[1..], "0123456789abcdef\n 0123456789abcdef"] {
        let mail = format!("X-Gate: {value}\nX-OTOBO-Queue: {value}\nFrom: carol@corp.test\n\nHello\n");
        let output = run(&mut otab(&site, &["filter", "--explain"]), mail.as_bytes());
        let told = output.err();
        assert!(told.contains("removed: X-Gate: ***"), "{told}");
        assert!(value != SECRET || !told.contains(SECRET), "{told}");
    }
}
