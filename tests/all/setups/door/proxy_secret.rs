//! OTOBO as repaired in September 2026 believes `Remote-User` only from a proxy that knows its secret; older ones and Znuny
//! always do. What the shipped files send serves both, and lets no client have a say.

use super::attacks::behind_each;
use super::front::Front;
use super::front::{CAROL, COOKIE, ENTER, PROXIES, TICKET, WITH_THE_SECRET};
use super::house::House;
use super::nginx;
use super::portal::{AGENT, CUSTOMER, PROXY_SECRET, Settings};
use super::webdriver::Browser;
use crate::http::{Answer, Request};
use crate::setups::wait_for;

fn secret(request: &Request) -> Option<String> {
    request.environment("HTTP_X_OTOBO_PROXY_SECRET").filter(|secret| !secret.is_empty())
}

/// Helpdesks that take the sign-in.
fn kinds() -> [Settings; 2] {
    [Settings::default(), Settings { repaired: None, ..Settings::default() }]
}

/// Helpdesks that do not.
fn refusing() -> [Settings; 4] {
    let with = |trusts, secret: &str| Settings { repaired: Some((trusts, secret.to_owned())), ..Settings::default() };
    let elsewhere = Settings { login_url: Some("https://sso.test/login".to_owned()), ..with(true, "another") };
    [with(false, PROXY_SECRET), with(true, "another"), with(true, ""), elsewhere]
}

#[test]
fn a_link_opens_its_ticket_in_every_kind_of_helpdesk() {
    behind_each(|front| {
        for kind in kinds() {
            front.portal.set_up(kind);
            let answer = front.client.get(ENTER, &[COOKIE]);
            assert_eq!((answer.status, answer.header("refresh")), (302, ""), "{}: {answer:?}", front.name);
            let ticket = front.client.get(answer.header("location"), &[("Cookie", &answer.cookie().unwrap())]);
            assert!(ticket.body.contains(&format!("ticket {TICKET} of {CAROL}")), "{}: {ticket:?}", front.name);
        }
        front.client.get("/the-end", &[]);
        front.wait_for_log("/the-end");
        assert!(!front.logs().contains(PROXY_SECRET), "{}", front.name);
    });
}

/// Every way to join its words that becomes `HTTP_X_OTOBO_PROXY_SECRET`, and two ways of writing letters.
const SPELLINGS: [&str; 10] = [
    "X-OTOBO-Proxy-Secret",
    "X-OTOBO-Proxy_Secret",
    "X-OTOBO_Proxy-Secret",
    "X-OTOBO_Proxy_Secret",
    "X_OTOBO-Proxy-Secret",
    "X_OTOBO-Proxy_Secret",
    "X_OTOBO_Proxy-Secret",
    "X_OTOBO_Proxy_Secret",
    "x-otobo-proxy-secret",
    "X_OTOBO_PROXY_SECRET",
];

#[test]
fn a_clients_own_proxy_secret_reaches_nobody() {
    behind_each(|front| {
        for spelling in SPELLINGS {
            for value in [PROXY_SECRET, "guessed"] {
                for target in [AGENT, CUSTOMER, "/anything", "/t/abc", "/otab/style.css", ENTER] {
                    for headers in [
                        vec![(spelling, value)],
                        vec![("Remote-User", "root@localhost"), (spelling, value)],
                        vec![("Remote_User", "root@localhost"), (spelling, value)],
                        vec![("Connection", "X-OTOBO-Proxy-Secret"), (spelling, value)],
                    ] {
                        let answer = front.client.get(target, &[headers.clone(), vec![COOKIE]].concat());
                        assert!(!answer.body.contains("root@localhost"), "{} {target} {headers:?}", front.name);
                        for request in front.portal.seen() {
                            // Caddy drops what Connection names, ours as well: it is their own sign-in that fails.
                            let ours = secret(&request);
                            let is_dropped = ours.is_none() && headers[0].0 == "Connection";
                            let expected = (target == ENTER).then_some(PROXY_SECRET);
                            assert!(
                                is_dropped || ours.as_deref() == expected,
                                "{} {target} {headers:?}: {request:?}",
                                front.name
                            );
                        }
                        let door = front.door_saw();
                        assert!(door.iter().all(|it| secret(it).is_none()), "{} {headers:?}: {door:?}", front.name);
                    }
                }
            }
        }
    });
}

/// OTOBO's own files for nginx send the secret in every location.
#[test]
fn the_secret_in_every_location_lets_nobody_in() {
    for (name, start) in WITH_THE_SECRET {
        let front = Front::new(name, start);
        assert_eq!(front.client.get(ENTER, &[COOKIE]).status, 302, "{name}");
        front.portal.seen();
        for spelling in ["Remote-User", "Remote_User", "REMOTE-USER", "X-Remote-User"] {
            for target in [AGENT, "/otobo/customer.pl?Action=Login"] {
                let answer = front.client.get(target, &[(spelling, "root@localhost")]);
                assert!(!answer.body.contains("root@localhost"), "{name} {spelling} {target}: {answer:?}");
            }
        }
        front.client.get(AGENT, &[]);
        let seen = front.portal.seen();
        assert_eq!(seen.last().and_then(secret).as_deref(), Some(PROXY_SECRET), "{name}");
        let said = |request: &Request| request.environment("HTTP_REMOTE_USER").unwrap_or_default();
        assert!(seen.iter().all(|request| said(request).is_empty()), "{name}: {seen:?}");
        // The door gets it nowhere.
        front.door_saw();
        for target in ["/t/abc", "/otab/style.css", "//otab/style.css", "/otab/logout"] {
            front.client.get(target, &[COOKIE]);
            let door = front.door_saw();
            assert!(door.iter().all(|it| secret(it).is_none()), "{name} {target}: {door:?}");
        }
    }
}

/// What a browser shows in the end: it follows Refresh and Location.
fn sign_in(house: &House, enter: &str, headers: &[(&str, &str)]) -> Answer {
    let answer = house.client.get(enter, headers);
    let refresh = answer.header("refresh").strip_prefix("0; url=");
    let place = refresh.unwrap_or_else(|| answer.header("location")).trim_start_matches(&house.client.origin());
    if place.is_empty() { answer } else { house.client.get(place, headers) }
}

#[test]
fn a_sign_in_not_taken_gets_a_page_and_a_log_line() {
    for (name, start) in PROXIES {
        let house = House::new(start);
        let entry = house.client.press(&house.path(&house.ticket(TICKET)), &[], "do=open");
        let (enter, cookie) = (entry.header("location"), entry.cookie().unwrap());
        for kind in refusing() {
            house.portal.set_up(kind);
            for (language, words) in [("en", "did not let you in"), ("de", "hat Sie nicht angemeldet")] {
                let answer = sign_in(&house, enter, &[("Cookie", &cookie), ("Accept-Language", language)]);
                assert_eq!(answer.status, 502, "{name}: {answer:?}");
                assert!(answer.body.contains(words), "{name}: {answer:?}");
                assert_eq!(answer.header("cache-control"), "no-store", "{name}: {answer:?}");
            }
        }
        wait_for(&house.site.path("otab.log"), "door: the helpdesk did not take the sign-in of a customer", 8);
        // A stranger can ask for the page, and the log says nothing of a customer.
        assert_eq!(house.client.get("/otab/refused", &[("Cookie", "__Host-otab=AAAAAAAAAAAAAAAAAAAAAA")]).status, 502);
        // Once it is repaired, the same session opens the ticket.
        house.portal.set_up(Settings::default());
        let ticket = house.client.get(enter, &[("Cookie", &cookie)]);
        assert_eq!((ticket.status, ticket.header("refresh")), (302, ""), "{name}: {ticket:?}");
        assert_eq!(house.logs().matches("did not take the sign-in").count(), 8, "{name}");
        // What went to the door for the page had nothing of the helpdesk's.
        assert!(!house.logs().contains(PROXY_SECRET), "{name}");
    }
}

#[test]
fn a_browser_shows_that_page_and_not_a_login_page() {
    let house = House::new(nginx::start);
    let (link, browser) = (house.ticket(TICKET), Browser::start("en"));
    house.portal.set_up(refusing()[1].clone());
    browser.open(&link);
    browser.click("button");
    browser.wait_for_words("did not let you in");
    assert!(browser.address().ends_with("/otab/refused"), "{}", browser.address());
}
