//! `otab refresh`, `otab link` and `otab outbox`, by hand.

use std::process::Child;

use crate::site::{CAROL, Ended, Site};

#[test]
fn a_link_that_still_works_is_left_as_it_is() {
    let desk = Site::linking();
    let secret = desk.carols_link();
    assert_eq!(desk.json(0, &["refresh", &secret])["answer"], "valid");
    assert_eq!((desk.count("token"), desk.orders()), (1, 0));
    desk.json(0, &["redeem", &secret]);
}

#[test]
fn a_used_link_is_renewed_once_and_mailed() {
    let desk = Site::linking();
    let secret = desk.carols_link();
    desk.json(0, &["redeem", &secret]);
    assert_eq!(desk.json(12, &["refresh", &secret])["answer"], "new_link");
    assert_eq!(desk.json(11, &["refresh", &secret])["answer"], "wrong_link");
    assert_eq!((desk.notify(), desk.files().len()), (0, 2));
    let new = desk.last().token().to_owned();
    assert_ne!(new, secret);
    desk.json(0, &["refresh", &new]);
    desk.json(0, &["redeem", &new]);
    assert!(desk.ends(12, &["refresh", &new]).contains("sent you an e-mail"));
}

#[test]
fn what_is_closed_or_unknown_is_not_renewed() {
    let desk = Site::linking();
    desk.carols_link();
    assert_eq!(desk.json(10, &["refresh", "unknown"])["answer"], "link_expired");
    desk.ends(65, &["refresh", "not a token"]);
    for change in [
        "UPDATE ticket SET state_type = 'closed'",
        "DELETE FROM ticket",
        "UPDATE customer_user SET valid_id = 2",
        "DELETE FROM customer_user",
        "UPDATE customer_user SET pw = 'x'",
        "UPDATE customer_user SET email = 'caro@corp.test'",
        "UPDATE token SET state = 'revoked'",
    ] {
        let desk = Site::linking();
        let secret = desk.carols_link();
        desk.json(0, &["redeem", &secret]);
        desk.sql(change);
        desk.json(10, &["refresh", &secret]);
        assert_eq!((desk.orders(), desk.count("token")), (0, 1), "{change}");
    }
}

#[test]
fn a_new_link_that_cannot_be_ordered_is_told_as_such() {
    let desk = Site::linking();
    let secret = desk.carols_link();
    desk.json(0, &["redeem", &secret]);
    desk.sql("UPDATE customer_user SET email = 'carol'; UPDATE token SET email = 'carol'");
    assert_eq!(desk.json(13, &["refresh", &secret])["answer"], "refresh_failed");
}

#[test]
fn of_fifty_refreshes_at_once_one_sends_a_link_mail() {
    let desk = Site::linking();
    let secret = desk.carols_link();
    desk.json(0, &["redeem", &secret]);
    let start = |_| desk.command(&["refresh", &secret]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let children: Vec<Child> = (0..50).map(start).collect();
    let mut statuses: Vec<i32> = children.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![11; 49], vec![12]].concat());
    assert_eq!((desk.notify(), desk.files().len()), (0, 2));
}

#[test]
fn a_minted_link_opens_once_and_is_mailed_to_nobody() {
    let desk = Site::linking();
    desk.carols_link();
    let link = desk.ends(0, &["link", "--ticket", "1", "--customer", CAROL]);
    let token = link.trim().strip_prefix("https://help.test/t/").unwrap();
    assert_eq!((desk.orders(), desk.files().len()), (0, 1));
    assert!(!desk.log().contains(token));
    let told = desk.json(0, &["link", "--ticket", "1", "--customer", CAROL]);
    assert_eq!(told["one_time"], true);
    assert_eq!(desk.json(0, &["redeem", token])["ticket"], "1");
    // All links to the ticket have gone with it.
    let other = told["link"].as_str().unwrap().rsplit('/').next().unwrap();
    desk.json(12, &["redeem", other]);
}

#[test]
fn no_link_is_minted_for_the_wrong_customer_or_ticket() {
    let desk = Site::linking();
    desk.carols_link();
    desk.mail_from("dave@corp.test", "2@corp.test");
    desk.ends(67, &["link", "--ticket", "1", "--customer", "dave@corp.test"]);
    desk.ends(67, &["link", "--ticket", "1", "--customer", "nobody"]);
    desk.ends(67, &["link", "--ticket", "2", "--customer", CAROL]);
    desk.ends(64, &["link", "--ticket", "1"]);
    let tokens = desk.count("token");
    desk.ends(0, &["ticket", "close", "1", "--at", "2020-01-01T00:00:00Z"]);
    desk.ends(77, &["link", "--ticket", "1", "--customer", CAROL]);
    desk.ends(0, &["ticket", "reopen", "1"]);
    desk.sql("UPDATE customer_user SET valid_id = 2 WHERE login LIKE 'carol%'");
    desk.ends(77, &["link", "--ticket", "1", "--customer", CAROL]);
    desk.sql("UPDATE customer_user SET valid_id = 1, pw = 'x' WHERE login LIKE 'carol%'");
    let told = desk.json(0, &["link", "--ticket", "1", "--customer", CAROL]);
    let page = "https://help.test/otobo/customer.pl?Action=CustomerTicketZoom;TicketNumber=1";
    assert_eq!(told, serde_json::json!({ "link": page, "one_time": false }));
    assert_eq!(desk.count("token"), tokens);
    desk.configure("link_url", "# link_url");
    desk.ends(78, &["link", "--ticket", "1", "--customer", CAROL]);
}

#[test]
fn the_outbox_is_listed_retried_dropped_secretless() {
    let desk = Site::linking();
    desk.carols_link();
    assert_eq!(desk.ends(0, &["outbox", "list"]), "");
    desk.sql("DELETE FROM token");
    desk.mails_of_carol(&["2@corp.test", "3@corp.test"]);
    desk.sql("UPDATE outbox SET due_at = 4102444800, tries = 3, last_error = '451 no' WHERE id = 1");
    let secrets = desk.secrets();
    let table = desk.ends(0, &["outbox", "list"]);
    let json = desk.json(0, &["outbox", "list"]);
    for text in [table.as_str(), &json.to_string()] {
        assert!(text.contains(CAROL) && text.contains("451 no") && text.contains("2100-01-01T00:00:00Z"), "{text}");
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
    let first = json.as_array().unwrap().iter().find(|order| order["id"] == 1).unwrap();
    assert_eq!((&first["tries"], &first["to"], &first["occasion"]), (&3.into(), &CAROL.into(), &"new".into()));
    desk.ends(67, &["outbox", "retry", "7"]);
    desk.ends(67, &["outbox", "drop", "7"]);
    assert!(desk.ends(0, &["outbox", "drop", "2"]).contains("dropped"));
    desk.sql("UPDATE outbox SET due_at = CAST(strftime('%s') AS INTEGER) + 3600 WHERE id = 1");
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 1, 1));
    assert!(desk.ends(0, &["outbox", "retry", "1"]).contains("due now: 1"));
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 2, 0));
    assert!(desk.ends(0, &["outbox", "retry"]).contains("due now: 0"));
    let states = desk.ask("SELECT GROUP_CONCAT(state) FROM (SELECT state FROM token ORDER BY id)");
    assert_eq!(states, "active,revoked", "a dropped order's link goes with it");
    assert!(secrets.iter().all(|secret| !desk.log().contains(secret)), "{}", desk.log());
}

#[test]
fn notify_says_which_setting_is_missing() {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.configure("transport = \"file\"", "transport = \"none\"");
    desk.ends(78, &["notify"]);
    desk.configure("transport = \"none\"", "transport = \"file\"");
    desk.configure("link_url", "# link_url");
    desk.ends(78, &["notify"]);
    desk.ends(78, &["notify", "--watch"]);
    desk.logged(&["link mails cannot be sent", "link_url"]);
    assert_eq!(desk.orders(), 1);
}

#[test]
fn a_link_mail_with_the_next_stage_is_not_made_due() {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.sql("UPDATE token SET state = 'pending'; UPDATE outbox SET due_at = 4102444800");
    assert!(desk.ends(0, &["outbox", "retry"]).contains("due now: 0"));
    desk.ends(67, &["outbox", "retry", "1"]);
    assert_eq!(desk.ask("SELECT due_at FROM outbox"), "4102444800");
    desk.sql("UPDATE token SET state = 'active'");
    assert!(desk.ends(0, &["outbox", "retry"]).contains("due now: 1"));
}

/// What otab says at a terminal, and its status.
fn at_a_terminal(desk: &Site) -> (String, i32) {
    let line = format!("{} --config otab.toml notify", env!("CARGO_BIN_EXE_otab"));
    let mut script = std::process::Command::new("script");
    let output = script.args(["-qec", &line, "/dev/null"]).current_dir(desk.folder()).output().unwrap();
    (output.out(), output.status.code().unwrap())
}

#[test]
fn notify_says_why_nothing_goes_out_to_terminals_only() {
    let desk = Site::linking_to(crate::setups::free_port(), "");
    desk.mails_of_carol(&["1@corp.test"]);
    let (told, status) = at_a_terminal(&desk);
    assert!(told.contains("otab outbox list") && status == 75, "{told}");
    desk.sql("UPDATE outbox SET due_at = 0; INSERT INTO worker SELECT 'outbox', 'x', strftime('%s') + 100");
    let (told, status) = at_a_terminal(&desk);
    assert!(told.contains("another `otab notify` is at work") && status == 0, "{told}");
    desk.later();
    let output = desk.run(&["notify"]);
    assert!(output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
}
