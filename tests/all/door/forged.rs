//! What strangers send: nobody gets in, and each is refused with its proper status.

use super::client::{Client, Place};
use super::{BASE, CAROL, Door, OWN};
use crate::setups::free_port;

#[test]
fn nobody_gets_in_by_what_a_client_says_of_itself() {
    let door = Door::open();
    let (cookie, enter) = door.enter();
    let invented = "__Host-otab=abcdefghijklmnopqrstuv";
    let [twice, longer] = [format!("{cookie}; {cookie}"), format!("{cookie}x")];
    let [bare, lower] = ["", "__host-"].map(|start| cookie.replace("__Host-", start));
    for fields in [
        &[("Remote-User", CAROL)][..],
        &[("Remote-User", CAROL), ("Cookie", invented)],
        &[("Remote_User", CAROL), ("REMOTE-USER", CAROL)],
        &[("Cookie", invented)],
        &[("Cookie", &cookie), ("Cookie", invented)],
        &[("Cookie", &cookie.to_uppercase())],
        &[("Cookie", "__Host-otab=")],
        &[("Cookie", &twice)],
        &[("Cookie", &cookie), ("Cookie", &cookie)],
        &[("Cookie", &longer)],
        &[("Cookie", &bare)],
        &[("Cookie", &lower)],
        &[],
    ] {
        let fields = [fields, &[("X-Original-URI", &enter)]].concat();
        let answer = door.client.ask("GET", "/auth", &fields, b"");
        assert_eq!((answer.status, answer.field("remote-user")), (401, None), "{fields:?}");
    }
    // Beside cookies of others, whatever is in those.
    for cookies in
        [&[cookie.clone()][..], &[format!("a=b; {cookie};c=d")], &[format!("a=ä; {cookie}"), "b=ö".to_owned()]]
    {
        let mut fields: Vec<_> = cookies.iter().map(|cookie| ("Cookie", cookie.as_str())).collect();
        fields.extend([("X-Original-URI", enter.as_str()), ("Remote-User", "agent")]);
        assert_eq!(door.client.ask("GET", "/auth", &fields, b"").field("remote-user"), Some(CAROL), "{cookies:?}");
    }
}

#[test]
fn a_session_hands_over_on_its_own_address_alone() {
    let door = Door::open();
    let (cookie, enter) = door.enter();
    door.desk.ends(0, &["ticket", "add", "2", "--customer", CAROL]);
    for address in [
        "/otab/enter",
        "/otobo/index.pl",
        "/otab/enter?Action=Login;RequestedURL=Action%3DLogout",
        &enter.replace("TicketNumber%3D1", "TicketNumber%3D2"),
        &format!("{enter}&x=y"),
        &format!("//evil.test{enter}"),
        &enter.replace("%3D", "="),
    ] {
        assert_eq!(door.auth(&cookie, address).status, 401, "{address}");
    }
    assert_eq!(door.client.ask("GET", "/auth", &[("Cookie", &cookie)], b"").status, 401);
    for (stated, status) in [
        (&[("X-Forwarded-Uri", enter.as_str())][..], 200),
        (&[("X-Forwarded-Uri", &enter), ("X-Original-URI", &enter)], 200),
        (&[("X-Original-URI", &enter), ("X-Forwarded-Uri", "/otobo/index.pl")], 401),
        (&[("X-Original-URI", &enter), ("X-Original-URI", "/otobo/index.pl")], 401),
        (&[("X-Original-URL", &enter)], 401),
    ] {
        let fields = [&[("Cookie", cookie.as_str())], stated].concat();
        assert_eq!(door.client.ask("GET", "/auth", &fields, b"").status, status, "{stated:?}");
    }
    assert_eq!(door.get(&enter).status, 502, "the proxy's own path does nothing here");
}

#[test]
fn a_cookie_from_before_is_never_made_a_session() {
    let door = Door::open();
    let fixed = "__Host-otab=abcdefghijklmnopqrstuv";
    let answer = door.press(&door.link(), "open", Some(fixed));
    let (own, enter) = (answer.cookie().unwrap(), answer.field("location").unwrap());
    assert_ne!(own, fixed);
    assert_eq!((door.auth(fixed, enter).status, door.auth(&own, enter).status), (401, 200));
}

#[test]
fn a_form_of_another_site_changes_nothing() {
    let door = Door::open();
    let path = door.link();
    let (cookie, _) = door.enter();
    let path_2 = door.link();
    for fields in [
        &[][..],
        &[("Origin", "null")],
        &[("Origin", "https://evil.test")],
        &[("Origin", "http://help.test")],
        &[("Origin", "https://help.test.evil.test")],
        &[("Origin", "null"), ("Sec-Fetch-Site", "same-origin")],
        &[("Origin", BASE), ("Origin", "https://evil.test")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", "https://help.test:444")],
        &[("Origin", "")],
        &[("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")],
        &[("Referer", "https://help.test/t/x")],
    ] {
        for (to, body) in [(path_2.as_str(), "do=open"), (&path, "do=renew"), ("/otab/logout", ""), ("/logout", "")] {
            let fields = [fields, &[("Cookie", cookie.as_str())]].concat();
            let answer = door.client.ask("POST", to, &fields, body.as_bytes());
            assert_eq!((answer.status, answer.field("set-cookie")), (403, None), "{to} {fields:?}");
        }
    }
    assert_eq!(door.desk.ask("SELECT state FROM token ORDER BY id DESC LIMIT 1"), "active");
    assert_eq!(door.sessions(), 1);
    // A browser that states no origin, and one that was led here from another site before.
    for fields in [&[("Sec-Fetch-Site", "same-origin")][..], &[OWN, ("Sec-Fetch-Site", "cross-site")]] {
        let same = door.client.ask("POST", &door.link(), fields, b"do=open");
        assert_eq!(same.status, 303, "{fields:?}");
    }
}

#[test]
fn odd_tokens_paths_and_forms_do_nothing() {
    let door = Door::with("requests_per_minute = 0\nwrong_tokens_per_hour = 0\n");
    let path = door.link();
    for odd in ["%2F", "%00", "..", "../auth", "%2e%2e%2fauth", "a b", "%zz", "%ff", ";", "'--", "{{token}}", "a/b"] {
        let to = format!("/t/{odd}").replace(' ', "%20");
        let answer = door.get(&to);
        assert_eq!((answer.status, answer.heading()), (404, "This link is no longer valid"), "{odd}");
        assert_eq!(door.press(&to, "open", None).status, 404, "{odd}");
    }
    for nowhere in ["/", "/t", "/t/", "/otab", "/otab/enterx", "/index.pl", "/metrics", "/otab/style.css/"] {
        let answer = door.get(nowhere);
        assert_eq!((answer.status, answer.heading()), (404, "There is nothing here"), "{nowhere}");
    }
    for (method, to, allowed) in [
        ("PUT", path.as_str(), "GET,HEAD,POST"),
        ("DELETE", &path, "GET,HEAD,POST"),
        ("POST", "/auth", "GET,HEAD"),
        ("POST", "/healthz", "GET,HEAD"),
        ("OPTIONS", "/otab/logout", "GET,HEAD,POST"),
    ] {
        let answer = door.client.ask(method, to, &[OWN], b"");
        assert_eq!((answer.status, answer.field("allow")), (405, Some(allowed)), "{method} {to}");
    }
    for (body, status) in [("", 400), ("do=", 400), ("do=else", 400), ("do=open&do=open", 400), ("x=open", 400)] {
        assert_eq!(door.client.ask("POST", &path, &[OWN], body.as_bytes()).status, status, "{body}");
    }
    assert_eq!(door.client.ask("POST", &path, &[OWN], b"do=\xff").status, 400);
    let long = door.client.ask("GET", &format!("/t/{}", "a".repeat(1 << 20)), &[], b"");
    assert!([414, 431].contains(&long.status), "{long:?}");
    let long = door.client.ask("GET", "/healthz", &[("X-Long", &"a".repeat(17 << 10))], b"");
    assert_eq!(long.status, 431);
    for junk in
        [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let answer = door.client.raw(&[junk, b"\r\n\r\n"].concat());
        assert!([0, 400, 505].contains(&answer.status), "{junk:?} {answer:?}");
    }
    assert_eq!(door.press(&path, "open", None).status, 303, "and the link still works");
}

#[test]
fn the_host_that_a_client_names_is_never_believed() {
    let door = Door::open();
    let path = door.link();
    let text = format!(
        "POST {path} HTTP/1.1\r\nHost: evil.test\r\nX-Forwarded-Host: evil.test\r\nForwarded: host=evil.test\r\n\
         Origin: {BASE}\r\nContent-Length: 7\r\nConnection: close\r\n\r\ndo=open"
    );
    let answer = door.client.raw(text.as_bytes());
    assert_eq!(answer.status, 303);
    assert!(!format!("{answer:?}").contains("evil.test"), "{answer:?}");
    let page = door.client.ask("GET", &path, &[("X-Forwarded-Host", "evil.test")], b"");
    assert!(!page.body.contains("evil.test") && !page.body.contains("http"), "{page:?}");
}

#[test]
fn requests_count_by_what_a_trusted_proxy_states() {
    for (trusted, who_counts) in [("[\"127.0.0.1\"]", "the client"), ("[\"192.0.2.1\"]", "the connection")] {
        let port = free_port();
        let desk = super::closed(&format!(
            "listen = \"127.0.0.1:{port}\"\nrequests_per_minute = 3\ntrusted_proxies = {trusted}\n"
        ));
        desk.mails_of_carol(&["1@corp.test"]);
        let _serving = super::Serving::start(&desk, |_| {});
        let client = Client(Place::Tcp(port));
        let ask = |from: &str| client.ask("GET", "/", &[("X-Forwarded-For", from)], b"").status;
        let asked: Vec<u16> = (0..4).map(|_| ask("1.1.1.1, 198.51.100.7")).collect();
        assert_eq!(asked, [404, 404, 404, 429], "{who_counts}");
        let is_other = if who_counts == "the client" { 404 } else { 429 };
        assert_eq!(ask("198.51.100.8"), is_other, "{who_counts}");
        // What stands before the last stranger is the client's own invention.
        assert_eq!(ask("203.0.113.9, 198.51.100.7"), 429);
        let limited = client.ask("GET", "/", &[("X-Forwarded-For", "198.51.100.7")], b"");
        assert_eq!((limited.field("retry-after"), limited.heading()), (Some("60"), "One moment, please"));
        assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200, "this is not counted");
    }
}

#[test]
fn a_login_that_no_field_can_carry_is_refused() {
    let door = Door::open();
    door.desk.ends(0, &["customer", "add", "kaethe@corp.test", "--login", "käthe"]);
    door.desk.ends(0, &["ticket", "add", "7", "--customer", "käthe"]);
    let entered = door.press(&door.link_of("7", "käthe"), "open", None);
    let asked = door.auth(&entered.cookie().unwrap(), entered.field("location").unwrap());
    assert_eq!((asked.status, asked.field("remote-user")), (401, None));
    crate::setups::wait_for(&door.desk.path("otab.log"), "no header field can carry", 1);
}
