//! One cut a field, and a last look at the edited mail, through the real binary.

use crate::site::{Ended, Site, mail, run};

#[test]
fn a_fault_in_the_edits_defers_and_records_nothing() {
    let site = Site::new("[log]\nfile = \"otab.log\"\nsyslog = false\n");
    let forged = [b"X-OTOBO-Queue: a\n", &mail(1)[..]].concat();
    run(site.command(&["filter"]).env("OTAB_FAIL_AT", "edits"), &forged).is_deferred("a protected field is left");
    let log = site.read("otab.log");
    let line = "<1@corp.test>: deferred: internal error: a fault in otab, please report it: a protected field";
    assert!(log.contains(line), "{log}");
    assert_eq!(site.count("token"), 0);
    site.takes(&forged);
}

#[test]
fn two_names_in_one_field_move_no_body() {
    let body = "X-OTOBO-Queue: Chefs\nX-OTOBO-Owner: root@localhost\n\nreal body\n";
    for set_up in ["", "[postmaster]\nprotect = \"customer\"\n", "[postmaster]\nheader_prefix = \"X-OTRS-\"\n"] {
        for odd in ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r"] {
            for (first, second) in [
                ("X-OTOBO-", "X-OTOBO-CustomerUser"),
                ("X-OTRS-", "X-OTRS-CustomerUser"),
                ("X-OTOBO-Customer", "X-OTOBO-CustomerNo"),
            ] {
                let header = format!("From: mallory@evil.test\nA: b{odd}{first}\n {odd}{second}: x\n");
                let output = Site::new(set_up).filter(format!("{header}\n{body}").as_bytes());
                let out = output.out();
                let (block, after) = out.split_once("\n\n").unwrap();
                assert_eq!(after, body, "{set_up}{header:?}");
                assert!(!block.contains("Chefs"), "{set_up}{header:?}");
            }
        }
    }
}

#[test]
fn many_orphans_and_cuts_take_little_time() {
    // Each is judged against the others by a search, and not by a look at all of them.
    let block = [b"\r \n".repeat(9990), b"X-OTOBO-Q:\n".repeat(9990), b"From: m@evil.test\n\nb\n".to_vec()].concat();
    let output = Site::new("").filter(&block).ends(0);
    assert!(!output.out().contains("X-OTOBO-Q"));
}

#[test]
fn ordinary_text_over_the_limits_stays_whole() {
    let site = Site::new("[postmaster]\nmax_header_fields = 100\n");
    let many: Vec<u8> = (0..200).flat_map(|number| format!("X-F{number}: 1\n").into_bytes()).collect();
    for text in [
        "\u{445}\u{43e}\u{440}\u{43e}\u{448}\u{43e} \u{43e}\u{438}\u{445} ".repeat(400).into_bytes(),
        "\u{5927}\u{304d}\u{3044}\u{6145}".repeat(500).into_bytes(),
        b"\x85\xdcn\xf6 \xe4\xf6\xfc ".repeat(1500),
    ] {
        let field = [b"Subject: ", &text[..], b"\nDate: x\n\nb\n"].concat();
        let output = site.filter(&[&b"From: u@kunde.example\n"[..], &many, &field].concat());
        assert!(output.stdout.ends_with(&field), "{} bytes", output.stdout.len());
    }
}
