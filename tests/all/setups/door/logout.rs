//! Logging out of the helpdesk ends the door's session as well, and the last page is the door's.

use super::attacks::behind_each;
use super::front::{CAROL, COOKIE, ENTER, PROXIES, TICKET};
use super::house::House;
use super::nginx;
use super::portal::{AGENT, CUSTOMER, STATIC, Settings};
use super::webdriver::Browser;
use crate::http::Answer;

/// A house whose helpdesk is set up by the shipped `Config.pm`, and where its logout leads.
fn house(start: super::front::Start) -> House {
    let house = House::new(start);
    let config = crate::setups::Shipped::read("otobo/Config.pm").text();
    let line = config.lines().find_map(|line| line.trim().strip_prefix("$Self->{CustomerPanelLogoutURL} = '"));
    let logout_url = line.and_then(|line| line.strip_suffix("';")).map(str::to_owned);
    house.portal.set_up(Settings { logout_url, ..Settings::default() });
    house
}

fn get(house: &House, address: &str, cookies: &str) -> Answer {
    house.client.get(address.trim_start_matches(&house.client.origin()), &[("Cookie", cookies)])
}

#[test]
fn the_helpdesks_logout_ends_the_doors_session_too() {
    for (name, start) in PROXIES {
        let house = house(start);
        let entry = house.client.press(&house.path(&house.ticket(TICKET)), &[], "do=open");
        let (enter, door) = (entry.header("location"), entry.cookie().unwrap());
        let login = get(&house, enter, &door);
        let (ticket, both) = (login.header("location"), format!("{door}; {}", login.cookie().unwrap()));
        assert!(get(&house, ticket, &both).body.contains(&format!("of {CAROL}")), "{name}");

        // A look by HEAD changes nothing.
        assert_eq!(house.client.ask("HEAD", "/otab/logout", &[("Cookie", &both)], "").status, 200, "{name}");
        assert_eq!(get(&house, enter, &both).status, 302, "{name}");

        // The door's session ends first, and its cookie is taken.
        let led = get(&house, &format!("{CUSTOMER}?Action=Logout"), &both);
        let place = led.header("location").trim_start_matches(&house.client.origin()).to_owned();
        assert_eq!((led.status, place.as_str()), (303, "/otab/leave"), "{name}: {led:?}");
        assert_eq!(house.client.ask("HEAD", &place, &[("Cookie", &both)], "").status, 200, "{name}");
        assert_eq!(house.site.count("session"), 1, "{name}");
        let left = get(&house, &place, &both);
        assert_eq!(left.status, 303, "{name}: {left:?}");
        assert!(left.header("set-cookie").ends_with("; Max-Age=0"), "{name}: {left:?}");
        assert_eq!(house.site.count("session"), 0, "{name}");
        let out = get(&house, left.header("location"), &login.cookie().unwrap());
        assert_eq!(out.status, 302, "{name}: {out:?}");
        let last = get(&house, out.header("location"), &door);
        assert!(last.status == 200 && last.body.contains("You are signed out"), "{name}: {last:?}");
        assert_eq!(last.header("cache-control"), "no-store", "{name}: {last:?}");
        assert!(last.header("set-cookie").ends_with("; Max-Age=0"), "{name}: {last:?}");
        // What a browser's history has leads nowhere, also for one that keeps its cookies.
        assert_eq!(get(&house, enter, &both).status, 401, "{name}");
        assert!(!get(&house, ticket, &both).body.contains(CAROL), "{name}");
        assert_eq!(house.site.count("session"), 0, "{name}");
    }
}

#[test]
fn a_browser_that_logs_out_ends_on_the_doors_own_page() {
    let house = house(nginx::start);
    let browser = Browser::start("en");
    let enter = "/otab/enter?Action=Login;RequestedURL=Action%3DCustomerTicketZoom%3BTicketNumber%3D";
    let enter = format!("{}{enter}{TICKET}", house.client.origin());
    for by_the_doors_button in [false, true] {
        let link = if by_the_doors_button {
            house.otab(&["link", "--ticket", TICKET, "--customer", CAROL]).trim().to_owned()
        } else {
            house.ticket(TICKET)
        };
        browser.open(&link);
        browser.click("button");
        browser.wait_for_words(&format!("ticket {TICKET} of {CAROL}"));
        if by_the_doors_button {
            browser.open(&format!("{}/otab/logout", house.client.origin()));
            browser.wait_for_words("Press the button");
            browser.click("button");
        } else {
            browser.run(&format!("location.href = '{CUSTOMER}?Action=Logout'"));
        }
        browser.wait_for_words("You are signed out");
        assert!(browser.address().ends_with("/otab/logout"), "{}", browser.address());
        browser.open(&enter);
        browser.wait_for_words("You are signed out");
        browser.open(&format!("{}{CUSTOMER}", house.client.origin()));
        browser.wait_for_words("please log in");
    }
}

/// Queries that log out of the helpdesk, and some that do not.
const LOGOUTS: [&str; 11] = [
    "Action=Logout",
    "Action=Logout;Lang=de",
    "Lang=de;Action=Logout",
    "Lang=de&Action=Logout&x=y",
    "x;Action=Logout;",
    "%41ction=Logout",
    "Act%69o%6e=%4cog%6Fu%74",
    "Action=+Logout",
    "Action=Log%2Eout",
    "Action=%20Lo-gout%00",
    "Action=Logout%",
];
const OTHERS: [&str; 7] = [
    "",
    "Action=CustomerTicketOverview",
    "Action=Logouts",
    "Action=CustomerLogout",
    "NoAction=Logout",
    "Action=CustomerTicketSearch;Text=Action%3DLogout",
    "Action=Log;Text=out",
];

#[test]
fn each_spelling_of_the_logout_ends_the_doors_session() {
    behind_each(|front| {
        let origin = front.client.origin();
        let place = |answer: &Answer| answer.header("location").trim_start_matches(&origin).to_owned();
        for query in LOGOUTS {
            let address = format!("{CUSTOMER}?{query}");
            for cookies in [COOKIE.1.to_owned(), format!("a=b; {}", COOKIE.1), format!("{}; a=b", COOKIE.1)] {
                let answer = front.client.get(&address, &[("Cookie", &cookies)]);
                assert_eq!((answer.status, place(&answer)), (303, "/otab/leave".to_owned()), "{} {query}", front.name);
            }
            assert!(front.portal.seen().is_empty(), "{} {query}", front.name);
            // Without the door's cookie, the helpdesk has it: to it as well, this is the logout.
            let answer = front.client.get(&address, &[("Cookie", "a=b; no__Host-otab=x")]);
            assert!(answer.header("x-says").contains("Session invalid"), "{} {query}: {answer:?}", front.name);
            front.portal.seen();
        }
        for path in ["/otobo//customer.pl", "/otobo/./customer.pl", "/otobo/customer%2Epl", "/otobo/customer.pl/x"] {
            let answer = front.client.get(&format!("{path}?Action=Logout"), &[COOKIE]);
            assert_eq!((answer.status, place(&answer)), (303, "/otab/leave".to_owned()), "{} {path}", front.name);
        }
        for query in OTHERS {
            let answer = front.client.get(&format!("{CUSTOMER}?{query}"), &[COOKIE]);
            let is_logout = !answer.header("x-says").is_empty();
            assert_eq!((answer.status, is_logout), (200, false), "{} {query}: {answer:?}", front.name);
        }
        assert_eq!(front.client.get(&format!("{AGENT}?Action=Logout"), &[COOKIE]).status, 200, "{}", front.name);
        assert_eq!(front.client.get(ENTER, &[COOKIE]).status, 302, "{}", front.name);
    });
}

#[test]
fn a_logout_of_a_session_that_is_over_signs_out_too() {
    let house = house(nginx::start);
    let browser = Browser::start("en");
    browser.open(&house.ticket(TICKET));
    browser.click("button");
    browser.wait_for_words(&format!("ticket {TICKET} of {CAROL}"));
    house.portal.end_sessions();
    browser.run(&format!("location.href = '{CUSTOMER}?Action=Logout'"));
    browser.wait_for_words("please log in");
    assert_eq!(house.site.count("session"), 0);
    browser.open(&format!("{}{ENTER}", house.client.origin()));
    browser.wait_for_words("You are signed out");
    // Whoever has a password comes back by the page's link.
    browser.click("a");
    browser.wait_for_words("please log in");
}

#[test]
fn after_the_logout_back_shows_no_ticket() {
    let house = house(nginx::start);
    let browser = Browser::start("en");
    browser.open(&house.ticket(TICKET));
    browser.click("button");
    browser.wait_for_words(&format!("ticket {TICKET} of {CAROL}"));
    browser.run(&format!("location.href = '{CUSTOMER}?Action=Logout'"));
    browser.wait_for_words("You are signed out");
    browser.back();
    browser.wait_for_words("please log in");
    assert!(!browser.text().contains(CAROL), "{}", browser.text());
}

#[test]
fn no_page_of_the_helpdesks_is_kept_and_its_files_are() {
    behind_each(|front| {
        let cookie = front.client.get(ENTER, &[COOKIE]).cookie().unwrap();
        let zoom = |number: &str| format!("{CUSTOMER}?Action=CustomerTicketZoom;TicketNumber={number}");
        for (address, status) in [(zoom(TICKET), 200), (zoom("1"), 403), (CUSTOMER.to_owned(), 200)] {
            let page = front.client.get(&address, &[("Cookie", &cookie)]);
            let kept: Vec<_> =
                page.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cache-control")).collect();
            assert_eq!((page.status, kept.len()), (status, 1), "{} {address}: {page:?}", front.name);
            assert_eq!(kept[0].1, "no-store", "{} {address}", front.name);
        }
        let (path, kept) = STATIC;
        let file = front.client.get(path, &[]);
        assert_eq!((file.status, file.header("cache-control")), (200, kept), "{}: {file:?}", front.name);
    });
}
