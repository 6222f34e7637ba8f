//! What the proxy says of the browser's connection: a helpdesk with `HTTPSForceRedirect` redirects for ever where it does not
//! believe it, and no client has a say in it.

use super::attacks::behind_each;
use super::front::{CAROL, COOKIE, ENTER, Front, PROXIES, TICKET, WITH_THE_SECRET};
use super::portal::{AGENT, CUSTOMER, PROXY_SECRET, Settings};
use crate::http::Request;

fn strict(repaired: Option<(bool, String)>) -> Settings {
    Settings { repaired, force_https: true, ..Settings::default() }
}

/// From the hand-over to the ticket, without a redirect to the same page.
fn opens_the_ticket(front: &Front) {
    let answer = front.client.get(ENTER, &[COOKIE]);
    let page = format!("{CUSTOMER}?Action=CustomerTicketZoom;TicketNumber={TICKET}");
    assert_eq!((answer.status, answer.header("location")), (302, page.as_str()), "{}: {answer:?}", front.name);
    let ticket = front.client.get(&page, &[("Cookie", &answer.cookie().unwrap())]);
    assert!(ticket.body.contains(&format!("ticket {TICKET} of {CAROL}")), "{}: {ticket:?}", front.name);
    assert_eq!(front.client.get(AGENT, &[]).status, 200, "{}", front.name);
}

#[test]
fn a_forced_https_redirects_nobody_who_has_it() {
    behind_each(|front| {
        front.portal.set_up(strict(None));
        opens_the_ticket(front);
    });
}

#[test]
fn a_repaired_helpdesk_wants_the_secret_everywhere() {
    let repaired = strict(Some((true, PROXY_SECRET.to_owned())));
    for (name, start) in PROXIES {
        let front = Front::new(name, start);
        front.portal.set_up(repaired.clone());
        // The hand-over has it. Elsewhere it redirects, and to the host that the browser has asked.
        assert!(front.client.get(ENTER, &[COOKIE]).header("location").starts_with(CUSTOMER), "{name}");
        let answer = front.client.get(AGENT, &[]);
        let host = answer.header("location").strip_prefix("https://").and_then(|rest| rest.strip_suffix(AGENT));
        let ours = ["localhost".to_owned(), format!("localhost:{}", front.places.port)];
        assert!(host.is_some_and(|host| ours.iter().any(|it| it == host)), "{name}: {answer:?}");
    }
    for (name, start) in WITH_THE_SECRET {
        let front = Front::new(name, start);
        front.portal.set_up(repaired.clone());
        opens_the_ticket(&front);
    }
}

/// Of each field the words, which a client may join by `-` or `_`.
const CLAIMS: [(&str, &str); 5] =
    [("Host", "evil.test"), ("Port", "4443"), ("Server", "evil.test"), ("Https", "ON"), ("Proto", "gopher")];

#[test]
fn a_clients_own_host_reaches_nobody() {
    behind_each(|front| {
        let origin = front.client.origin();
        let said = |request: &Request, name: &str| {
            let name = format!("HTTP_X_FORWARDED_{}", name.to_uppercase());
            request.environment(&name).unwrap_or_default()
        };
        for (name, value) in CLAIMS {
            for spelling in ["X-Forwarded-", "X-Forwarded_", "X_Forwarded-", "X_Forwarded_", "x-forwarded-"] {
                let field = format!("{spelling}{name}");
                for target in [AGENT, ENTER, "/t/abc", "/otab/style.css"] {
                    front.client.get(target, &[COOKIE, (&field, value)]);
                    let seen = front.portal.seen().into_iter().chain(front.door_saw());
                    for request in seen {
                        let found = said(&request, name);
                        assert!(!found.contains(value), "{} {field} {target}: {request:?}", front.name);
                        let host = said(&request, "Host");
                        let is_ours = host.is_empty() || origin.contains(&host);
                        assert!(is_ours, "{} {field} {target}: {request:?}", front.name);
                    }
                }
            }
        }
    });
}
