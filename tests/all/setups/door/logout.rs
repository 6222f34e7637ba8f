//! Logging out of the helpdesk ends the door's session as well, and the last page is the door's.

use super::front::{CAROL, PROXIES, TICKET};
use super::house::House;
use super::http::Answer;
use super::nginx;
use super::portal::{CUSTOMER, Settings};
use super::webdriver::Browser;

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
        let (enter, door) = (entry.header("location"), entry.cookie());
        let login = get(&house, enter, &door);
        let (ticket, both) = (login.header("location"), format!("{door}; {}", login.cookie()));
        assert!(get(&house, ticket, &both).body.contains(&format!("of {CAROL}")), "{name}");

        // A look by HEAD changes nothing.
        assert_eq!(house.client.ask("HEAD", "/otab/logout", &[("Cookie", &both)], "").status, 200, "{name}");
        assert_eq!(get(&house, enter, &both).status, 302, "{name}");

        let out = get(&house, &format!("{CUSTOMER}?Action=Logout"), &both);
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
