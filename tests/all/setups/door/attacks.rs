//! What holds behind every one of the proxies.

use super::front::{CAROL, COOKIE, ENTER, Front, PROXIES, TICKET};
use super::portal::{AGENT, CUSTOMER, DAVE, Settings};
use crate::http::Request;

/// Runs it behind each proxy.
pub fn behind_each(test: impl Fn(&Front)) {
    for (name, start) in PROXIES {
        let front = Front::new(name, start);
        // One that believes everything shows most of what gets through.
        front.portal.set_up(Settings { repaired: None, ..Settings::default() });
        test(&front);
    }
}

const SECRET: &str = "s3cretS3cretS3cretS3cret";

/// Every spelling that becomes `HTTP_REMOTE_USER`, and what some take for the like.
const SPELLINGS: [&str; 8] = [
    "Remote-User",
    "remote-user",
    "REMOTE-USER",
    "Remote_User",
    "remote_user",
    "REMOTE_USER",
    "Remote-user",
    "remote_USER",
];

fn said(request: &Request) -> Option<String> {
    request.environment("HTTP_REMOTE_USER").filter(|login| !login.is_empty())
}

#[test]
fn the_hand_over_logs_in_and_leads_to_the_ticket() {
    behind_each(|front| {
        let answer = front.client.get(ENTER, &[COOKIE]);
        let page = format!("{CUSTOMER}?Action=CustomerTicketZoom;TicketNumber={TICKET}");
        assert_eq!((answer.status, answer.header("location")), (302, page.as_str()), "{}", front.name);
        let ticket = front.client.get(&page, &[("Cookie", &answer.cookie().unwrap())]);
        assert!(ticket.body.contains(&format!("ticket {TICKET} of {CAROL}")), "{}: {ticket:?}", front.name);
        let seen = front.portal.seen();
        assert_eq!(seen[0].target, ENTER.replace("/otab/enter", CUSTOMER), "{}", front.name);
        assert_eq!(seen.iter().map(said).collect::<Vec<_>>(), [Some(CAROL.to_owned()), None], "{}", front.name);
    });
}

#[test]
fn no_other_path_or_query_hands_anybody_over() {
    behind_each(|front| {
        for target in [
            format!("{CUSTOMER}?Action=Login"),
            format!("{AGENT}?Action=Login"),
            ENTER.replace("17", "18"),
            ENTER.replace("enter", "%65nter"),
            ENTER.replace("/otab/enter", "/otab//enter"),
            ENTER.replace("/otab/enter", "/otab/enter/"),
            ENTER.replace("/otab/enter", "/otab/./enter"),
            ENTER.replace("/otab/enter", "/t/../otab/enter"),
            ENTER.replace("/otab/enter", &format!("/otab/enter/../..{AGENT}")),
            format!("{ENTER};x=1"),
            "/otab/enter".to_owned(),
        ] {
            front.client.get(&target, &[COOKIE]);
            let seen = front.portal.seen();
            assert!(seen.iter().all(|request| said(request).is_none()), "{} {target}: {seen:?}", front.name);
        }
        let answer = front.client.ask("POST", ENTER, &[COOKIE], "Action=Login");
        assert!(answer.status >= 400 && front.portal.seen().is_empty(), "{}: {answer:?}", front.name);
    });
}

#[test]
fn without_a_good_session_nobody_is_handed_over() {
    behind_each(|front| {
        for headers in [
            vec![],
            vec![("Cookie", "__Host-otab=forged")],
            vec![("Cookie", "__Host-otab=forged"), ("Remote-User", CAROL)],
            vec![("Cookie", "__Host-otab=forged"), ("Remote_User", CAROL)],
            vec![("Cookie", "__Host-otab=forged"), ("X-Remote-User", CAROL)],
        ] {
            let answer = front.client.get(ENTER, &headers);
            assert!([400, 401].contains(&answer.status), "{} {headers:?}: {answer:?}", front.name);
            assert!(front.portal.seen().is_empty(), "{} {headers:?}", front.name);
        }
    });
}

#[test]
fn a_clients_remote_user_never_reaches_the_helpdesk() {
    behind_each(|front| {
        for target in [
            AGENT.to_owned(),
            format!("{CUSTOMER}?Action=Login"),
            "/otobo/nph-genericinterface.pl/Webservice/x".to_owned(),
            "/anything".to_owned(),
            ENTER.to_owned(),
        ] {
            for spelling in SPELLINGS {
                for headers in [
                    vec![(spelling, "root@localhost")],
                    vec![(spelling, ""), (spelling, "root@localhost")],
                    vec![("Remote-User", "root@localhost"), (spelling, "root@localhost")],
                    vec![("Connection", "Remote-User"), (spelling, "root@localhost")],
                    vec![("X-Remote-User", "root@localhost"), (spelling, "root@localhost")],
                ] {
                    let headers = [headers, vec![COOKIE]].concat();
                    let answer = front.client.get(&target, &headers);
                    assert!(!answer.body.contains("root@localhost"), "{} {target} {headers:?}", front.name);
                    for request in front.portal.seen() {
                        let allowed = target == ENTER && said(&request).as_deref() == Some(CAROL);
                        assert!(
                            said(&request).is_none() || allowed,
                            "{} {target} {headers:?}: {request:?}",
                            front.name
                        );
                        assert_eq!(request.environment("HTTP_X_REMOTE_USER").unwrap_or_default(), "", "{}", front.name);
                    }
                }
            }
        }
    });
}

#[test]
fn a_header_folded_or_badly_formed_smuggles_nobody_in() {
    behind_each(|front| {
        for header in [
            "X-A: b\r\n Remote-User: root@localhost",
            "Remote-User : root@localhost",
            "Remote-User:\r\n root@localhost",
            " Remote-User: root@localhost",
            "Remote-User\t: root@localhost",
            "Remote User: root@localhost",
            "Remote.User: root@localhost",
        ] {
            let request = format!("GET {AGENT} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n");
            let answer = front.client.send(&request);
            assert!(!answer.body.contains("root@localhost"), "{} {header:?}: {answer:?}", front.name);
            assert!(front.portal.seen().iter().all(|request| said(request).is_none()), "{} {header:?}", front.name);
        }
    });
}

#[test]
fn what_a_client_claims_of_addresses_is_overwritten() {
    behind_each(|front| {
        let claims = [
            ("X-Forwarded-For", "203.0.113.7"),
            ("X-Original-URI", ENTER),
            ("X-Forwarded-Uri", ENTER),
            ("X-Original_URI", ENTER),
            COOKIE,
        ];
        for target in ["/t/abc", "/otab/style.css", ENTER, "/otab/enter?Action=Login", AGENT] {
            front.client.get(target, &claims);
            for request in front.door_saw().into_iter().chain(front.portal.seen()) {
                let address = request.environment("HTTP_X_FORWARDED_FOR").unwrap_or_default();
                assert!(!address.contains("203.0.113.7"), "{} {target}: {request:?}", front.name);
                if request.path() != CUSTOMER && request.path() != AGENT {
                    assert_eq!(address, "127.0.0.1", "{} {target}: {request:?}", front.name);
                }
                for name in ["HTTP_X_ORIGINAL_URI", "HTTP_X_FORWARDED_URI"] {
                    let uri = request.environment(name).unwrap_or_default();
                    assert!(uri.is_empty() || uri == target, "{} {target}: {request:?}", front.name);
                }
            }
        }
    });
}

#[test]
fn the_doors_own_pages_are_not_reachable_from_outside() {
    behind_each(|front| {
        for target in ["/auth", "/healthz", "/metrics", "/otab/auth", "/otab/healthz", "/otab/../auth", "/t/../healthz"]
        {
            front.client.get(target, &[COOKIE, ("X-Original-URI", ENTER)]);
            let paths: Vec<_> = front.door_saw().into_iter().map(|request| request.target).collect();
            let inner = ["/auth", "/healthz", "/metrics"];
            assert!(paths.iter().all(|path| !inner.contains(&path.as_str())), "{} {target}: {paths:?}", front.name);
        }
    });
}

#[test]
fn links_of_the_package_lead_to_the_door() {
    behind_each(|front| {
        for query in [
            format!("Action=CustomerTicketZoom;TicketNumber={TICKET};OTAToken={SECRET}"),
            format!("Action=CustomerTicketZoom&TicketNumber={TICKET}&OTAToken={SECRET}"),
            format!("OTAToken={SECRET};Action=CustomerTicketZoom;TicketNumber={TICKET}"),
            format!("Action=CustomerTicketZoom&OTAToken={SECRET};TicketNumber={TICKET}"),
        ] {
            for method in ["GET", "HEAD"] {
                let answer = front.client.ask(method, &format!("{CUSTOMER}?{query}"), &[], "");
                let location = answer.header("location").trim_start_matches(&front.client.origin());
                assert_eq!((answer.status, location), (303, format!("/t/{SECRET}").as_str()), "{} {query}", front.name);
            }
            assert!(front.portal.seen().is_empty(), "{}", front.name);
            let answer = front.client.ask("POST", &format!("{CUSTOMER}?{query}"), &[], "x=y");
            assert_eq!((answer.status, front.portal.seen().len()), (200, 1), "{} {query}", front.name);
        }
        for query in ["Action=Login;NoOTAToken=x".to_owned(), "Action=CustomerTicketZoom".to_owned()] {
            assert_eq!(front.client.get(&format!("{CUSTOMER}?{query}"), &[]).status, 200, "{} {query}", front.name);
        }
    });
}

#[test]
fn no_link_is_in_a_log_or_reaches_the_helpdesk() {
    behind_each(no_link_is_left);
    for (name, start) in PROXIES {
        no_link_is_left(&Front::without_door(name, start));
    }
}

fn no_link_is_left(front: &Front) {
    let origin = front.client.origin();
    let link = format!("/t/{SECRET}");
    let package = format!("{CUSTOMER}?Action=CustomerTicketZoom;OTAToken={SECRET}");
    for referrer in [format!("{origin}{link}"), format!("{origin}{package}")] {
        let headers = [COOKIE, ("Referer", referrer.as_str())];
        for target in [&link, &package, "/otab/style.css", ENTER, AGENT, "/favicon.ico", "/otab/logout"] {
            front.client.get(target, &headers);
        }
        front.client.ask("POST", &link, &headers, "do=open");
        front.client.try_ask("POST", &link, &headers, &"x".repeat(100_000));
    }
    let plain = format!("GET {package} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    crate::http::plainly(front.places.plain, &plain);
    for request in front.portal.seen() {
        assert!(!format!("{request:?}").contains(SECRET), "{}: {request:?}", front.name);
    }
    front.client.get("/the-end", &[]);
    front.wait_for_log("/the-end");
    let logs = front.logs();
    assert!(!logs.contains(SECRET), "{}: {logs}", front.name);
    assert!(logs.contains(AGENT), "{} has logged nothing: {logs}", front.name);
}

#[test]
fn while_the_door_is_away_passwords_still_work() {
    for (name, start) in PROXIES {
        let front = Front::without_door(name, start);
        let answer = front.client.get(ENTER, &[COOKIE]);
        assert!((500..=504).contains(&answer.status) && !answer.body.is_empty(), "{name}: {answer:?}");
        assert!((500..=504).contains(&front.client.get("/t/abc", &[]).status), "{name}");
        assert!(front.portal.seen().is_empty(), "{name}");
        let form = format!("Action=Login;User={};Password={}", DAVE.0, DAVE.1.replace(' ', "+"));
        let answer = front.client.ask("POST", CUSTOMER, &[], &form);
        let page = front.client.get(answer.header("location"), &[("Cookie", &answer.cookie().unwrap())]);
        assert!(page.body.contains("tickets of dave@corp.test"), "{name}: {page:?}");
    }
}
