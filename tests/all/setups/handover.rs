//! What holds of every set-up with procmail or maildrop, each run exactly as shipped.

use super::agents::{AGENTS, HOME, TAKES, Trial, stand_in};
use super::large;
use crate::site::mail;

const CAROL: &str = "carol@corp.test";

/// A mail of carol's with forged fields; one is folded.
fn forged() -> Vec<u8> {
    let fields: &[u8] = b"X-OTOBO-CustomerUser: root\nX-OTOBO-Queue:\n Raw\n\tJunk\nX-OTRS-Priority: 5 very high\n";
    [fields, &mail(1)].concat()
}

#[test]
fn a_new_customers_mail_arrives_with_his_fields() {
    for agent in AGENTS {
        let trial = Trial::new(agent);
        let arrived = trial.the_one(CAROL, &mail(1));
        for field in ["CustomerUser", "CustomerNo", "Customer"] {
            assert!(arrived.contains(&format!("X-OTOBO-{field}: {CAROL}\n")), "{}: {arrived}", agent.file);
        }
        assert!(arrived.ends_with("\n\nHello\n"), "{}: {arrived}", agent.file);
        assert_eq!(trial.counts(), (1, 1), "{}", agent.file);
    }
}

#[test]
fn a_forged_mail_arrives_without_its_folded_fields() {
    for agent in AGENTS {
        let arrived = Trial::new(agent).the_one(CAROL, &forged());
        assert!(arrived.contains(&format!("X-OTOBO-CustomerUser: {CAROL}\n")), "{}: {arrived}", agent.file);
        for word in ["root", "Queue", "Raw", "Junk", "X-OTRS"] {
            assert!(!arrived.contains(word), "{}: {word}: {arrived}", agent.file);
        }
    }
}

#[test]
fn while_otab_cannot_work_the_mail_is_deferred() {
    for agent in AGENTS {
        let trial = Trial::new(agent);
        let good = trial.site.read("otab.toml");
        trial.site.write("otab.toml", "[nonsense");
        trial.deferred(&mail(1));
        trial.site.write("otab.toml", &good.replace("create = true", "url = \"sqlite:no/such/folder/otab.db\""));
        trial.deferred(&mail(1));
        assert!(!trial.site.path("otab.db").exists());
        trial.site.write("otab.toml", &good);
        trial.the_one(CAROL, &mail(1));
        assert_eq!(trial.counts(), (1, 1), "{}", agent.file);
    }
}

#[test]
fn while_the_ticket_system_fails_mail_waits_undoubled() {
    for agent in AGENTS {
        let trial = Trial::new(agent);
        for failure in ["exit 1", "cat > /dev/null; exit 1", "cat > /dev/null; exit 67", "kill -9 $$", "exit 75"] {
            trial.ticket_system(failure);
            trial.deferred(&mail(1));
        }
        let tokens = i64::from(!agent.delivers);
        assert_eq!(trial.counts(), (1, tokens), "{}: a token that waits, or none", agent.file);
        trial.ticket_system(TAKES);
        trial.the_one(CAROL, &mail(1));
        assert_eq!(trial.counts(), (1, 1), "{}", agent.file);
    }
}

#[test]
fn where_there_is_no_room_the_mail_is_deferred() {
    for agent in AGENTS.into_iter().filter(|agent| agent.delivers) {
        let mut trial = Trial::new(agent);
        trial.text = format!("TMPDIR=\"/no/such/folder\"\n{}", trial.text);
        trial.deferred(&mail(1));
        trial.text = trial.text.replacen("/no/such/folder", &trial.site.folder().display().to_string(), 1);
        trial.the_one(CAROL, &mail(1));
        assert_eq!(trial.counts(), (1, 1), "{}", agent.file);
    }
}

#[test]
fn a_killed_otab_never_passes_half_a_mail_on() {
    for agent in AGENTS {
        for half in ["kill -9 $$", "head -c 100; kill -9 $$", "cat; kill -9 $$"] {
            let mut trial = Trial::new(agent);
            stand_in(&trial.site, "killed", half);
            let killed = trial.site.path("killed").display().to_string();
            trial.text = trial.text.replace(env!("CARGO_BIN_EXE_otab"), &killed);
            trial.deferred(&mail(1));
        }
    }
}

#[test]
fn a_large_attachment_arrives_byte_for_byte() {
    // A field longer than procmail's LINEBUF.
    let field = format!("Cc: {}nobody@example.net\n", "somebody@example.net, ".repeat(1000)).into_bytes();
    // A long line, a byte that is no UTF-8, a line that looks like a new mail, and no line end at the end.
    // No NUL: in a large mail maildrop takes it for a line end.
    let tail = [b"x".repeat(100_000), b"\n\xff\r\n\nFrom nobody\n.\n--end--".to_vec()].concat();
    let whole = [field, large().to_vec(), tail].concat();
    for agent in AGENTS {
        let trial = Trial::new(agent);
        let output = trial.hand_over(CAROL, &whole);
        assert!(output.status.success(), "{}: {output:?}", agent.file);
        let arrived = trial.arrived().remove(0);
        let at = arrived.windows(4).position(|bytes| bytes == b"Cc: ").unwrap();
        let arrived = &arrived[at..];
        // maildrop ends an unfinished last line.
        let arrived = arrived.strip_suffix(b"\n").filter(|_| agent.run_by == "maildrop").unwrap_or(arrived);
        assert!(arrived == whole, "{}: {} of {} bytes", agent.file, arrived.len(), whole.len());
    }
}

#[test]
fn a_bounce_makes_no_customer() {
    for agent in AGENTS {
        let trial = Trial::new(agent);
        let arrived = trial.the_one("", &mail(1));
        assert!(arrived.contains(&format!("X-OTOBO-CustomerUser: {CAROL}\n")), "{}: {arrived}", agent.file);
        assert_eq!(trial.counts(), (0, 0), "{}", agent.file);
    }
}

#[test]
fn a_return_path_that_is_null_makes_no_customer() {
    // With neither, maildrop's FROM is the name of its user, and no address; the field is still there.
    for (agent, sender) in AGENTS.into_iter().flat_map(|agent| [(agent, CAROL), (agent, "")]) {
        let trial = Trial::new(agent);
        trial.the_one(sender, &[b"Return-Path: <>\n".to_vec(), mail(1)].concat());
        assert_eq!(trial.counts(), (0, 0), "{}: {sender}", agent.file);
    }
}

/// Whether the sender's command was run, wherever that was.
fn pwned(trial: &Trial) -> bool {
    [".", HOME, "opt/otobo/bin"].iter().any(|folder| trial.site.path(folder).join("pwned").exists())
}

#[test]
fn an_envelope_sender_is_never_taken_for_a_command() {
    for agent in AGENTS {
        for hostile in [
            "\"$(touch pwned)\"@evil.test",
            "a'b;touch pwned;@evil.test",
            "`touch${IFS}pwned`@evil.test",
            "\"|touch pwned\"@evil.test",
            "a\\\";touch pwned;\"@evil.test",
            "--config=/dev/null",
            "'; exit 0 #@evil.test",
        ] {
            let trial = Trial::new(agent);
            let mail = [format!("Return-Path: <{hostile}>\n").into_bytes(), mail(1)].concat();
            let arrived = trial.the_one(hostile, &mail);
            assert!(arrived.contains(&format!("X-OTOBO-CustomerUser: {CAROL}\n")), "{}: {arrived}", agent.file);
            assert!(!pwned(&trial), "{hostile}");
            assert_eq!(trial.counts(), (1, 1), "{}: {hostile}", agent.file);
        }
    }
}

#[test]
fn with_znunys_path_and_prefix_mail_has_znunys_fields() {
    for agent in AGENTS {
        // What the comment in each file says.
        let trial = Trial::with(agent, "[postmaster]\nheader_prefix = \"X-OTRS-\"\n", |shipped| {
            let shipped = match agent.file {
                "procmail/otobo.procmailrc" => shipped.with("X-OTOBO-Queue", "X-OTRS-Queue"),
                _ => shipped.with("/opt/otobo/", "/opt/znuny/"),
            };
            shipped.with("otobo.Console.pl", "znuny.Console.pl")
        });
        let arrived = trial.the_one(CAROL, &forged());
        assert!(arrived.contains(&format!("X-OTRS-CustomerUser: {CAROL}\n")), "{}: {arrived}", agent.file);
        for word in ["root", "Queue", "Raw", "Junk", "Priority", "X-OTOBO"] {
            assert!(!arrived.contains(word), "{}: {word}: {arrived}", agent.file);
        }
    }
}
