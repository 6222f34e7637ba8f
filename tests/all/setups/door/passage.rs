//! The real door behind each proxy: from the mail to the ticket, by a client without a browser's graces.

use super::front::{CAROL, ENTER, PROXIES, TICKET};
use super::house::House;
use super::portal::{CUSTOMER, SESSION};

#[test]
fn a_link_opens_once_behind_each_proxy_unlogged() {
    for (name, start) in PROXIES {
        let house = House::new(start);
        let path = house.path(&house.ticket(TICKET));
        for method in ["GET", "HEAD", "GET"] {
            assert_eq!(house.client.ask(method, &path, &[], "").status, 200, "{name}");
        }
        let entry = house.client.press(&path, &[], "do=open");
        assert_eq!(entry.status, 303, "{name}: {entry:?}");
        let (enter, cookie) = (entry.header("location").to_owned(), entry.cookie().unwrap());
        assert!(cookie.starts_with("__Host-otab=") && !enter.contains(&path[3..]), "{name}: {entry:?}");
        let login = house.client.get(&enter, &[("Cookie", &cookie)]);
        assert_eq!(login.status, 302, "{name}: {login:?}");
        assert!(!login.header("location").contains(SESSION), "{name}: {login:?}");
        let ticket = house.client.get(login.header("location"), &[("Cookie", &login.cookie().unwrap())]);
        assert!(ticket.body.contains(&format!("ticket {TICKET} of {CAROL}")), "{name}: {ticket:?}");

        assert_eq!(house.client.press(&path, &[], "do=open").status, 410, "{name}");
        for (address, cookie, status) in [
            (enter.as_str(), "__Host-otab=AAAAAAAAAAAAAAAAAAAAAA", 401),
            (enter.as_str(), "", 401),
            ("/otab/enter?Action=Login;RequestedURL=Action%3DCustomerPreferences", cookie.as_str(), 401),
            ("/otab/enter", cookie.as_str(), 401),
        ] {
            assert_eq!(house.client.get(address, &[("Cookie", cookie)]).status, status, "{name}: {address}");
        }
        let out = house.client.press("/otab/logout", &[("Cookie", &cookie)], "");
        assert_eq!((out.status, out.header("location").contains("Action=Logout")), (303, true), "{name}: {out:?}");
        assert_eq!(house.client.get(&enter, &[("Cookie", &cookie)]).status, 401, "{name}");

        let secrets = [&path[3..], cookie.split_once('=').unwrap().1];
        for request in house.portal.seen() {
            assert!(!format!("{request:?}").contains(secrets[0]), "{name}: {request:?}");
        }
        let logs = house.logs();
        assert!(logs.contains(CUSTOMER) && logs.contains("door: open"), "{name}: {logs}");
        assert!(secrets.iter().all(|secret| !logs.contains(secret)), "{name}: {logs}");
        // Nor is the helpdesk's own session in an address that is logged.
        assert!(!logs.contains(SESSION), "{name}: {logs}");
    }
}

#[test]
fn the_uninvited_get_a_page_behind_each_proxy() {
    for (name, start) in PROXIES {
        let house = House::new(start);
        // Without a session they are told what to do, in their language.
        for cookie in ["", "__Host-otab=AAAAAAAAAAAAAAAAAAAAAA"] {
            for (language, words) in [("en", "You are signed out"), ("de", "Sie sind abgemeldet")] {
                let answer = house.client.get(ENTER, &[("Cookie", cookie), ("Accept-Language", language)]);
                let is_ours = answer.body.contains(words) && answer.body.contains("Example Helpdesk");
                assert_eq!((answer.status, is_ours), (401, true), "{name}: {answer:?}");
                assert_eq!(answer.header("cache-control"), "no-store", "{name}: {answer:?}");
                assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{name}: {answer:?}");
            }
        }
        let path = house.path(&house.ticket(TICKET));
        house.otab(&["customer", "disable", CAROL]);
        assert_eq!(house.client.press(&path, &[], "do=open").status, 404, "{name}");
        assert!(house.portal.seen().is_empty(), "{name}");
    }
}
