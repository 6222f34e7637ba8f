//! The door alone keeps a link's secret out of Referer, also where a proxy takes nothing out of it.

use super::front::{CAROL, TICKET};
use super::house::House;
use super::nginx;
use super::portal::CUSTOMER;
use super::webdriver::Browser;

#[test]
fn the_portal_learns_no_link_though_referer_passes() {
    let house = House::new(nginx::start_passing_referer_on);
    let (link, browser) = (house.ticket(TICKET), Browser::start("en"));
    browser.open(&link);
    browser.click("button");
    browser.wait_for_words(&format!("ticket {TICKET} of {CAROL}"));
    // Here a Referer may be, and has to come: the proxy does pass it on.
    browser.run(&format!("location.href = '{CUSTOMER}?Action=CustomerTicketOverview'"));
    browser.wait_for_words("My tickets");
    let from: Vec<_> = house.portal.seen().iter().filter_map(|request| request.environment("HTTP_REFERER")).collect();
    assert!(from.iter().any(|from| from.contains(CUSTOMER)), "{from:?}");
    assert!(from.iter().all(|from| !from.contains("/t/")), "{from:?}");
}
