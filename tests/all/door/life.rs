//! The life of a link and of a session, and what a customer is told on the way.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use super::{CAROL, Door, closed};

const ENTER_1: &str = "/otab/enter?Action=Login;RequestedURL=Action%3DCustomerTicketZoom%3BTicketNumber%3D1";

#[test]
fn from_the_mail_to_the_portal_and_out_again() {
    let desk = closed("requests_per_minute = 0\n");
    desk.carols_link();
    let door = Door::of(desk);
    let path = format!("/t/{}", door.desk.last().token());
    for _ in 0..100 {
        let page = door.get(&path);
        assert_eq!((page.status, page.heading()), (200, "Open your request"), "{page:?}");
        assert!(page.body.contains("<dd>1</dd>") && page.body.contains("<dd>c…l@corp.test</dd>"), "{page:?}");
        assert_eq!(page.field("set-cookie"), None);
        let head = door.client.ask("HEAD", &path, &[], b"");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    }
    assert_eq!((door.desk.ask("SELECT state FROM token").as_str(), door.sessions()), ("active", 0));
    let entered = door.press(&path, "open", None);
    assert_eq!((entered.status, entered.field("location")), (303, Some(ENTER_1)), "{entered:?}");
    let set = entered.field("set-cookie").unwrap();
    assert!(set.starts_with("__Host-otab=") && set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{set}");
    assert_eq!((door.desk.ask("SELECT state FROM token").as_str(), door.sessions()), ("used", 1));
    let cookie = entered.cookie().unwrap();
    let stored = door.desk.ask("SELECT hash || backend || customer || email || ticket_number FROM session");
    assert!(!stored.contains(cookie.strip_prefix("__Host-otab=").unwrap()), "{stored}");
    for _ in 0..3 {
        let asked = door.auth(&cookie, ENTER_1);
        assert_eq!((asked.status, asked.field("remote-user")), (200, Some(CAROL)), "{asked:?}");
    }
    assert_eq!(door.client.ask("HEAD", "/otab/logout", &[("Cookie", &cookie)], b"").status, 200);
    assert_eq!(door.sessions(), 1, "HEAD ends nothing");
    let left = door.press("/otab/logout", "", Some(&cookie));
    let portal = "https://help.test/otobo/customer.pl?Action=Logout";
    assert_eq!((left.status, left.field("location")), (303, Some(portal)), "{left:?}");
    assert!(left.field("set-cookie").unwrap().ends_with("; Max-Age=0"), "{left:?}");
    assert_eq!((door.auth(&cookie, ENTER_1).status, door.sessions()), (401, 0));
    assert_eq!(door.press("/logout", "", Some(&cookie)).status, 303, "a second time, and by the other path");
}

#[test]
fn the_way_to_the_helpdesks_logout_ends_the_session() {
    let door = Door::open();
    let (cookie, enter) = door.enter();
    let fields = [("Cookie", cookie.as_str())];
    assert_eq!(door.client.ask("HEAD", "/otab/leave", &fields, b"").status, 200);
    assert_eq!((door.auth(&cookie, &enter).status, door.sessions()), (200, 1), "HEAD ends nothing");
    door.desk.sql("ALTER TABLE session RENAME TO gone");
    let kept = door.client.ask("GET", "/otab/leave", &fields, b"");
    assert_eq!((kept.status, kept.field("set-cookie")), (503, None), "it does not look ended while it is not");
    door.desk.sql("ALTER TABLE gone RENAME TO session");
    for _ in 0..2 {
        let left = door.client.ask("GET", "/otab/leave", &fields, b"");
        let portal = "https://help.test/otobo/customer.pl?Action=Logout";
        assert_eq!((left.status, left.field("location")), (303, Some(portal)), "{left:?}");
        assert!(left.field("set-cookie").unwrap().ends_with("; Max-Age=0"), "{left:?}");
        assert_eq!((door.auth(&cookie, &enter).status, door.sessions()), (401, 0));
    }
}

#[test]
fn the_last_page_has_the_browser_forget_the_others() {
    let door = Door::open();
    let last = door.client.ask("GET", "/otab/logout", &[], b"");
    assert!(last.body.contains("<link rel=\"stylesheet\" href=\"/otab/forget.css\">"), "{last:?}");
    let forget = door.get("/otab/forget.css");
    assert_eq!((forget.status, forget.body.as_str()), (200, ""));
    assert_eq!(forget.field("clear-site-data"), Some("\"cache\""));
    assert_eq!(forget.field("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(forget.field("cache-control"), Some("no-store"), "it has to be asked for each time");
}

#[test]
fn a_get_ends_the_session_wherever_it_comes_from() {
    for (site, heading) in [
        // The helpdesk's logout leads here, and browsers of old do not say where from.
        (Some("same-origin"), "You are signed out"),
        (None, "You are signed out"),
        // From elsewhere, the helpdesk's session may still be there: the page has the button for it.
        (Some("none"), "Sign out"),
        (Some("cross-site"), "Sign out"),
    ] {
        for path in ["/otab/logout", "/logout"] {
            let door = Door::open();
            let (cookie, _) = door.enter();
            assert_eq!(door.auth(&cookie, ENTER_1).status, 200);
            let fields: Vec<_> = site.iter().map(|site| ("Sec-Fetch-Site", *site)).collect();
            let left = door.client.ask("GET", path, &[fields, vec![("Cookie", &cookie)]].concat(), b"");
            assert_eq!((left.status, left.heading()), (200, heading), "{site:?}: {left:?}");
            assert_eq!(left.body.contains("<form"), heading == "Sign out", "{left:?}");
            assert_eq!(left.field("cache-control"), Some("no-store"));
            assert!(left.field("set-cookie").unwrap().ends_with("; Max-Age=0"), "{left:?}");
            assert_eq!((door.auth(&cookie, ENTER_1).status, door.sessions()), (401, 0), "{site:?}");
        }
    }
}

#[test]
fn the_packages_answers_and_ours_before_a_new_link() {
    let door = Door::open();
    let expired = door.get("/t/abcdefghijklmnopqrstuv");
    assert_eq!((expired.status, expired.heading()), (404, "This link is no longer valid"), "{expired:?}");
    assert_eq!(door.press("/t/abcdefghijklmnopqrstuv", "open", None).status, 404);
    assert_eq!(door.press("/t/abcdefghijklmnopqrstuv", "renew", None).status, 404);
    let path = door.link();
    assert_eq!(door.press(&path, "renew", None).field("location"), Some(path.as_str()), "it still works");
    assert_eq!(door.press(&path, "open", None).status, 303);
    let orders = door.desk.orders();
    // Only a press of the other button orders a new one.
    for used in [door.get(&path), door.press(&path, "open", None)] {
        assert_eq!((used.status, used.heading()), (410, "This link has been used"), "{used:?}");
        assert!(used.body.contains("name=\"do\" value=\"renew\""), "{used:?}");
        assert_eq!(door.client.ask("HEAD", &path, &[], b"").status, 410);
    }
    assert_eq!(door.desk.orders(), orders);
    door.desk.sql("ALTER TABLE outbox RENAME TO gone");
    let failed = door.press(&path, "renew", None);
    assert_eq!((failed.status, failed.heading()), (503, "We could not send a new link"), "{failed:?}");
    door.desk.sql("ALTER TABLE gone RENAME TO outbox");
    let renewed = door.press(&path, "renew", None);
    assert_eq!((renewed.status, renewed.heading()), (200, "A new link is on its way"), "{renewed:?}");
    assert!(renewed.body.contains("We have just sent you an e-mail with a new one."), "{renewed:?}");
    assert_eq!(door.desk.orders(), orders + 1);
    for wrong in [door.get(&path), door.press(&path, "open", None), door.press(&path, "renew", None)] {
        assert_eq!((wrong.status, wrong.heading()), (410, "There is a newer link"), "{wrong:?}");
        assert!(!wrong.body.contains("<form"), "{wrong:?}");
    }
    assert_eq!(door.desk.orders(), orders + 1);
    let new = door.desk.secrets().pop().unwrap();
    assert_eq!(door.press(&format!("/t/{new}"), "open", None).status, 303);
}

/// The median time of nine requests, in milliseconds.
fn median(mut ask: impl FnMut()) -> u128 {
    let mut times: Vec<u128> = (0..9)
        .map(|_| {
            let start = Instant::now();
            ask();
            start.elapsed().as_millis()
        })
        .collect();
    times.sort_unstable();
    times[4]
}

#[test]
fn unknown_and_expired_tokens_are_alike_also_in_time() {
    let door = Door::with("wrong_tokens_per_hour = 0\nrequests_per_minute = 0\n");
    // The stored language must not tell that there has been a customer.
    door.desk.sql(
        "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) \
         VALUES ('carol@corp.test', 'UserLanguage', 'de')",
    );
    let over = door.link();
    door.desk.sql("UPDATE token SET state = 'revoked'");
    let never = "/t/abcdefghijklmnopqrstuv";
    for (method, body, fields) in [
        ("GET", &b""[..], &[][..]),
        ("HEAD", b"", &[]),
        ("POST", b"do=open", &[super::OWN]),
        ("POST", b"do=renew", &[super::OWN]),
    ] {
        let ask = |path: &str| door.client.ask(method, path, fields, body);
        let (one, other) = (ask(&over), ask(never));
        assert_eq!(one.status, 404);
        assert_eq!(one.without_date(), other.without_date());
        assert_eq!(ask("/t/%00").without_date(), other.without_date());
        let times = [median(|| drop(ask(&over))), median(|| drop(ask(never))), median(|| drop(ask("/t/%00")))];
        eprintln!("{method}: over, unknown, malformed: {times:?} ms");
        assert!(times.iter().all(|time| *time >= 250 && time.abs_diff(times[0]) < 100), "{times:?}");
    }
}

#[test]
fn of_two_hundred_presses_at_once_one_gets_in() {
    let door = Door::with("wrong_tokens_per_hour = 0\nrequests_per_minute = 0\n");
    let path = door.link();
    let all = Barrier::new(200);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let press = || {
            all.wait();
            door.press(&path, "open", None)
        };
        let threads: Vec<_> = (0..200).map(|_| scope.spawn(press)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let cookies = answers.iter().filter(|answer| answer.field("set-cookie").is_some()).count();
    let entered = answers.iter().filter(|answer| answer.status == 303).count();
    assert_eq!((cookies, entered, door.sessions()), (1, 1, 1));
    let others = answers.iter().filter(|answer| answer.status == 410).count();
    assert_eq!(others, 199, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
}

#[test]
fn a_double_click_leads_into_the_same_session() {
    let door = Door::open();
    let path = door.link();
    let entered = door.press(&path, "open", None);
    let cookie = entered.cookie().unwrap();
    let page = door.client.ask("GET", &path, &[("Cookie", &cookie)], b"");
    assert_eq!((page.status, page.heading()), (200, "Open your request"), "{page:?}");
    let again = door.press(&path, "open", Some(&cookie));
    assert_eq!((again.status, again.field("location")), (303, entered.field("location")), "{again:?}");
    assert_eq!((again.field("set-cookie"), door.sessions()), (None, 1));
    // Another ticket's session is none for this one.
    door.desk.ends(0, &["ticket", "add", "2", "--customer", CAROL]);
    let other = door.press(&door.link_of("2", CAROL), "open", None).cookie().unwrap();
    assert_eq!(door.press(&path, "open", Some(&other)).status, 410);
    assert_eq!(door.client.ask("GET", &path, &[("Cookie", &other)], b"").status, 410);
    // One that is over neither.
    door.desk.sql("UPDATE session SET seen_at = 0");
    assert_eq!(door.press(&path, "open", Some(&cookie)).status, 410);
}

#[test]
fn a_new_session_ends_the_one_that_the_browser_had() {
    let door = Door::open();
    let (first, enter) = door.enter();
    assert_eq!(door.auth(&first, &enter).status, 200);
    let second = door.press(&door.link(), "open", Some(&first)).cookie().unwrap();
    assert_eq!((door.auth(&first, &enter).status, door.auth(&second, &enter).status, door.sessions()), (401, 200, 1));
}

#[test]
fn a_session_ends_with_customer_address_or_token() {
    let changes: [(&str, u16); 4] = [
        ("UPDATE customer_user SET pw = 'x'", 200),
        ("UPDATE customer_user SET email = 'carol@other.test' WHERE login = 'carol@corp.test'", 401),
        ("UPDATE customer_user SET valid_id = 2", 401),
        ("DELETE FROM session", 401),
    ];
    for (change, status) in changes {
        let door = Door::open();
        let (cookie, enter) = door.enter();
        assert_eq!(door.auth(&cookie, &enter).status, 200);
        door.desk.sql(change);
        // What this door has looked at holds for a minute; one that has just been opened has to look.
        let (other, _serving) = door.another();
        assert_eq!(other.auth(&cookie, &enter).status, status, "{change}");
    }
}

#[test]
fn a_session_of_a_clock_that_was_ahead_is_over() {
    let door = Door::open();
    let (cookie, enter) = door.enter();
    door.desk.sql("UPDATE session SET created_at = created_at + 86400, seen_at = seen_at + 86400");
    let (other, _serving) = door.another();
    assert_eq!(other.auth(&cookie, &enter).status, 401);
    assert_eq!((door.desk.json(0, &["purge"])["sessions"].as_i64(), door.sessions()), (Some(1), 0));
}

#[test]
fn revoking_ends_sessions_and_purge_deletes_old_ones() {
    let door = Door::open();
    let (one, enter) = door.enter();
    let said = door.desk.ends(0, &["token", "revoke", "--customer", CAROL]);
    assert!(said.contains("1 sessions ended"), "{said}");
    let (other, serving) = door.another();
    assert_eq!((other.auth(&one, &enter).status, door.sessions()), (401, 0));
    drop(serving);
    door.enter();
    let id = door.desk.ask("SELECT MAX(id) FROM token");
    door.desk.ends(0, &["token", "revoke", &id]);
    assert_eq!(door.sessions(), 0);
    door.enter();
    assert_eq!(door.desk.json(0, &["purge"])["sessions"], 0);
    door.desk.sql("UPDATE session SET seen_at = seen_at - 1800");
    assert_eq!(door.desk.json(0, &["purge", "--dry-run"])["sessions"], 1);
    assert_eq!((door.desk.json(0, &["purge"])["sessions"].as_i64(), door.sessions()), (Some(1), 0));
}

#[test]
fn the_last_request_is_written_once_a_minute() {
    let door = Door::open();
    let (cookie, enter) = door.enter();
    let age = |seconds: i64| door.desk.sql(&format!("UPDATE session SET seen_at = seen_at - {seconds}"));
    let seen = || door.desk.ask("SELECT created_at - seen_at FROM session");
    age(30);
    assert_eq!((door.auth(&cookie, &enter).status, seen().as_str()), (200, "30"));
    age(30);
    let (other, _serving) = door.another();
    assert_eq!(other.auth(&cookie, &enter).status, 200);
    assert!(seen().parse::<i64>().unwrap() <= 0, "{}", seen());
}

#[test]
fn a_door_that_waits_too_long_loses_no_link() {
    let door = Door::open();
    let path = door.link();
    let (cookie, enter) = door.enter();
    assert_eq!(door.auth(&cookie, &enter).status, 200);
    door.desk.sql("ALTER TABLE token RENAME TO gone; ALTER TABLE session RENAME TO gone_too");
    let page = door.get(&path);
    assert_eq!((page.status, page.heading()), (503, "Please try again in a moment"), "{page:?}");
    assert_eq!(door.get("/healthz").status, 503);
    assert_eq!(door.auth(&cookie, &enter).status, 200, "looked at a moment ago");
    let (other, _serving) = door.another();
    assert_eq!(other.auth(&cookie, &enter).status, 401);
    let kept = door.press("/otab/logout", "", Some(&cookie));
    assert_eq!((kept.status, kept.field("set-cookie")), (503, None));
    let kept = door.client.ask("GET", "/otab/logout", &[("Cookie", &cookie)], b"");
    assert_eq!((kept.status, kept.field("set-cookie")), (503, None));
    door.desk.sql("ALTER TABLE gone RENAME TO token; ALTER TABLE gone_too RENAME TO session");
    assert_eq!((door.get("/healthz").status, door.get("/healthz").body.as_str()), (200, "ok\n"));
    assert_eq!(other.auth(&cookie, &enter).status, 200);
    let start = Instant::now();
    assert_ne!(door.get(&path).status, 503);
    assert!(start.elapsed() < Duration::from_secs(5));
}
