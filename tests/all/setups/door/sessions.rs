//! The helpdesk writes its session into addresses where it does not know that the browser keeps cookies. The proxy says so
//! on the hand-over, and no log has a session.

use super::attacks::behind_each;
use super::front::{CAROL, COOKIE, ENTER, TICKET};
use super::portal::{CUSTOMER, SESSION, Settings};
use crate::http::plainly;

const PRODUCTS: [&str; 2] = ["OTOBO", "OTRS"];

#[test]
fn the_hand_over_leads_to_an_address_with_no_session() {
    behind_each(|front| {
        for product in PRODUCTS {
            front.portal.set_up(Settings { product, ..Settings::default() });
            let page = format!("{CUSTOMER}?Action=CustomerTicketZoom;TicketNumber={TICKET}");
            for cookies in [
                vec![COOKIE],
                vec![("Cookie", "a=b"), COOKIE],
                vec![("Cookie", "OTOBOBrowserHasCookie=; OTRSBrowserHasCookie="), COOKIE],
            ] {
                front.portal.seen();
                let answer = front.client.get(ENTER, &cookies);
                // A client that sends several fields may not be let in by each proxy, but never gets the address.
                assert!(!answer.header("location").contains(SESSION), "{} {cookies:?}: {answer:?}", front.name);
                if cookies.len() == 1 {
                    assert_eq!((answer.status, answer.header("location")), (302, page.as_str()), "{}", front.name);
                    let ticket = front.client.get(&page, &[("Cookie", &answer.cookie().unwrap())]);
                    assert!(ticket.body.contains(&format!("ticket {TICKET} of {CAROL}")), "{}", front.name);
                    let cookie = front.portal.seen()[0].environment("HTTP_COOKIE").unwrap_or_default();
                    assert!(cookie.ends_with(COOKIE.1), "{}: {cookie}", front.name);
                }
            }
        }
    });
}

#[test]
fn what_else_a_browser_keeps_reaches_the_helpdesk() {
    behind_each(|front| {
        front.client.get(ENTER, &[("Cookie", &format!("first=1; {}; last=2", COOKIE.1))]);
        let seen = front.portal.seen();
        assert_eq!(seen.len(), 1, "{}", front.name);
        for request in seen {
            assert_eq!(request.cookie("OTOBOBrowserHasCookie").as_deref(), Some("1"), "{}", front.name);
            assert_eq!(request.cookie("first").as_deref(), Some("1"), "{}", front.name);
            assert_eq!(request.cookie("last").as_deref(), Some("2"), "{}", front.name);
        }
    });
}

#[test]
fn no_session_of_the_helpdesks_is_in_a_log() {
    behind_each(|front| {
        let session = format!("{SESSION}000000000000000000000001");
        for name in ["OTOBOCustomerInterface", "OTRSCustomerInterface", "OTOBOAgentInterface", "otobocustomerinterface"]
        {
            for query in [
                format!("Action=CustomerTicketZoom;TicketNumber={TICKET}&{name}={session}"),
                format!("{name}={session};Action=CustomerTicketZoom"),
                format!("{name}={session}&x=y&{name}={session}"),
                format!("Action=Login;RequestedURL=Action%3DA%3B{name}%3D{session}"),
            ] {
                let address = format!("{CUSTOMER}?{query}");
                let referrer = format!("{}{address}", front.client.origin());
                front.client.get(&address, &[("Referer", &referrer)]);
                front.client.get("/favicon.ico", &[("Referer", &referrer)]);
                front.client.get(ENTER, &[COOKIE, ("Referer", &referrer)]);
                let plain = format!(
                    "GET {address} HTTP/1.1\r\nHost: localhost\r\nReferer: {referrer}\r\nConnection: close\r\n\r\n"
                );
                plainly(front.places.plain, &plain);
            }
        }
        front.client.get(&format!("{CUSTOMER}?Action=CustomerTicketOverview"), &[]);
        front.client.get("/the-end", &[]);
        front.wait_for_log("/the-end");
        let logs = front.logs();
        assert!(!logs.contains(SESSION), "{}: {}", front.name, logs.lines().find(|l| l.contains(SESSION)).unwrap());
        assert!(logs.contains("Action=CustomerTicketOverview"), "{} has logged nothing: {logs}", front.name);
    });
}
