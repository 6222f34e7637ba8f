//! The customer's way, in a real browser: Debian's nginx before `otab serve` before the portal. Pictures of all pages
//! are left in `target/screenshots`.

use std::io::Write;
use std::process::{Command, Stdio};

use super::front::{CAROL, TICKET};
use super::house::House;
use super::nginx;
use super::portal::{CUSTOMER, DAVE};
use super::webdriver::{Browser, target};

const OTHER: &str = "2026112010000025";
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

fn assert_shows(browser: &Browser, words: &[&str]) {
    browser.wait_for_words(words[0]);
    let text = browser.text();
    for word in words {
        assert!(text.contains(word), "{word:?} is not on {}: {text}", browser.address());
    }
}

fn ticket_of_carols(number: &str) -> String {
    format!("ticket {number} of {CAROL}")
}

#[test]
fn from_the_mail_through_the_button_to_the_ticket() {
    let house = House::new(nginx::start);
    let (link, browser) = (house.ticket(TICKET), Browser::start("en"));

    browser.open(&link);
    assert_shows(&browser, &["Example Helpdesk", TICKET]);
    assert!(!browser.text().contains(CAROL), "the address is shown in full: {}", browser.text());
    browser.click("button");
    assert_shows(&browser, &[&ticket_of_carols(TICKET)]);
    assert!(browser.address().ends_with(&format!("{CUSTOMER}?Action=CustomerTicketZoom;TicketNumber={TICKET}")));
    assert!(
        house
            .portal
            .seen()
            .iter()
            .all(|request| request.environment("HTTP_REFERER").is_none_or(|from| !from.contains("/t/")))
    );

    // A second look into the mail, in the same browser.
    browser.open(&link);
    browser.click("button");
    assert_shows(&browser, &[&ticket_of_carols(TICKET)]);

    // Somebody else logs in with his password, while the link's session is there.
    browser.open(&format!("{}{CUSTOMER}?Action=Logout", house.client.origin()));
    browser.open(&format!("{}{CUSTOMER}", house.client.origin()));
    browser.type_into("[name=User]", DAVE.0);
    browser.type_into("[name=Password]", DAVE.1);
    browser.click("button");
    assert_shows(&browser, &["tickets of dave@corp.test"]);

    // Somebody who finds the mail later, in a browser of his own: the link is used up, and a new one goes to carol.
    browser.forget();
    browser.open(&link);
    assert_shows(&browser, &["This link has been used"]);
    browser.click("button");
    assert_shows(&browser, &["sent you an e-mail with a new one"]);
    let second = house.link();
    assert_ne!(second, link);
    browser.open(&link);
    assert_shows(&browser, &["There is a newer one"]);
    browser.open(&second);
    browser.click("button");
    assert_shows(&browser, &[&ticket_of_carols(TICKET)]);

    // A ticket that was closed long ago.
    let over = house.ticket(OTHER);
    house.otab(&["ticket", "close", OTHER, "--at", "2020-01-01T00:00:00Z"]);
    browser.open(&over);
    assert_shows(&browser, &["no longer valid"]);

    // Out again, by the door's own button.
    browser.open(&format!("{}/otab/logout", house.client.origin()));
    browser.click("button");
    assert_shows(&browser, &["logged out"]);
    browser.open(&link);
    assert!(!browser.text().contains("open your request"), "{}", browser.text());
}

#[test]
fn a_customer_is_spoken_to_in_his_own_language() {
    let house = House::new(nginx::start);
    let link = house.ticket(TICKET);
    let german = Browser::start("de-AT,de;q=0.9,en;q=0.5");
    german.open(&link);
    assert_shows(&german, &["Meine Anfrage öffnen"]);
    // What the helpdesk has stored comes before what the browser asks for.
    house.speaks("en");
    german.reload();
    assert_shows(&german, &["Open my request"]);
    drop(german);
    house.speaks("de");
    let english = Browser::start("en");
    english.open(&link);
    assert_shows(&english, &["Meine Anfrage öffnen"]);
    assert_eq!(english.run("return document.documentElement.lang"), "de");
    english.click("button");
    assert_shows(&english, &[&ticket_of_carols(TICKET)]);
}

#[test]
fn the_ticket_opens_without_scripts_and_by_keyboard() {
    let house = House::new(nginx::start);
    let (link, browser) = (house.ticket(TICKET), Browser::without_scripts());
    browser.open("data:text/html,<body>no<script>document.body.textContent='scripts run'</script>");
    assert_shows(&browser, &["no"]);
    browser.open(&link);
    browser.press(&format!("{TAB}{ENTER}"));
    assert_shows(&browser, &[&ticket_of_carols(TICKET)]);
}

#[test]
fn a_scanner_with_its_own_browser_uses_nothing_up() {
    let house = House::new(nginx::start);
    let link = house.ticket(TICKET);
    let scanner = Browser::start("en");
    for _ in 0..100 {
        scanner.open(&link);
    }
    assert_shows(&scanner, &["Open my request"]);
    // Some run what they find.
    scanner
        .run("for (const it of document.querySelectorAll('a, link, img')) it.dispatchEvent(new MouseEvent('click'))");
    drop(scanner);
    let browser = Browser::start("en");
    browser.open(&link);
    browser.click("button");
    assert_shows(&browser, &[&ticket_of_carols(TICKET)]);
}

/// What axe-core finds on the page that is open.
fn faults(browser: &Browser) -> String {
    let file = target().join("axe-core/package/axe.min.js");
    let axe = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; ./run-tests --install gets axe-core", file.display()));
    browser.run(&axe);
    let found = browser.wait_for(
        "const done = arguments[arguments.length - 1];\
         axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })\
         .then(found => done({ passes: found.passes.length, bad: found.violations.map(it => it.id + ': ' + it.nodes.map(n => n.html + ' ' + n.failureSummary).join(', ')) }))\
         .catch(error => done({ passes: 0, bad: [String(error)] }))",
    );
    assert!(found["passes"].as_u64().unwrap() > 5, "{found}");
    found["bad"].as_array().unwrap().iter().map(|it| it.as_str().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// What tidy says against a page.
pub fn tidy(html: &str) -> String {
    let mut tidy = Command::new("tidy");
    tidy.args(["-e", "-q", "--show-info", "no"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = tidy.spawn().unwrap();
    child.stdin.take().unwrap().write_all(html.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
}

/// Looks at the page that is open, as everybody might see it.
pub fn look(browser: &Browser, name: &str) {
    for (width, height, device) in [(1280, 800, "desktop"), (360, 740, "phone")] {
        for (is_dark, scheme) in [(false, "light"), (true, "dark")] {
            browser.size(width, height);
            browser.dark(is_dark);
            browser.picture(&format!("{name}-{device}-{scheme}"));
            let found = faults(browser);
            assert!(found.is_empty(), "{name}, {device}, {scheme}: {found}");
            let wide = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]");
            assert_eq!(wide[0], wide[1], "{name} is wider than {device}");
            assert_eq!(wide[1], width, "{name}");
        }
    }
}

#[test]
fn every_page_is_valid_accessible_and_fits_a_phone() {
    let house = House::new(nginx::start);
    let origin = house.client.origin();
    for language in ["en", "de"] {
        let browser = Browser::start(language);
        let number = format!("20261120100000{}", if language == "en" { 33 } else { 41 });
        let link = house.ticket(&number);
        let path = house.path(&link);
        let german = [("Accept-Language", language)];
        let show = |name: &str, address: &str| {
            browser.open(address);
            let words = browser.text();
            assert_eq!(words.contains(" und ") || words.contains("Sie"), language == "de", "{name}: {words}");
            look(&browser, &format!("{name}-{language}"));
            let html = house.client.get(address.strip_prefix(&origin).unwrap(), &german).body;
            assert_eq!(tidy(&html), "", "{name}: {html}");
        };
        show("open", &link);
        show("not-found", &format!("{origin}/otab/nothing"));
        show("expired", &format!("{origin}/t/AAAAAAAAAAAAAAAAAAAAAA"));
        show("logout", &format!("{origin}/otab/logout"));
        house.client.press(&path, &[], "do=open");
        show("used", &link);
        // What only a form leads to.
        browser.click("button");
        look(&browser, &format!("new-link-{language}"));
        let html = house.client.press(&path, &german, "do=renew").body;
        assert_eq!(tidy(&html), "", "{html}");
        house.link();
        show("wrong", &link);
        let html = house.client.ask("POST", &path, &german, "do=open").body;
        assert_eq!(tidy(&html), "", "{html}");
    }
}
