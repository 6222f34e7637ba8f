//! Every page there is, also those to which no short way leads, as a browser shows it.

use otab::portal::{Look, Messages, Pages, Style};

use super::browser::{look, tidy};
use super::webdriver::Browser;
use crate::http::{Answer, serve};

#[test]
fn every_page_of_the_door_is_valid_in_each_language() {
    let look_of_site = Look {
        site_name: "Example Helpdesk".to_owned(),
        has_logo: false,
        language: "en".to_owned(),
        login_page: Some("/otobo/customer.pl".to_owned()),
    };
    let messages = |language: &str| {
        let text = if language == "de" { "Ein Satz der Site." } else { "A sentence of the site's." };
        let text = text.to_owned();
        Messages { new_link: text.clone(), refresh_failed: text.clone(), link_expired: text.clone(), wrong_link: text }
    };
    let pages = Pages::load(None, look_of_site, &messages).unwrap();
    let specimens = pages.specimens();
    assert!(specimens.len() >= 30 && specimens.iter().any(|(name, _)| name == "ended-de"));
    let (served, style) = (specimens.clone(), Style::new([0x1f, 0x5f, 0xa8]));
    let port = serve(move |request| {
        if request.path() == "/otab/style.css" {
            let mut sheet = Answer::page(200, &style.text());
            sheet.headers = vec![("Content-Type".to_owned(), "text/css; charset=utf-8".to_owned())];
            return sheet;
        }
        let found = served.iter().find(|(name, _)| request.path() == format!("/{name}"));
        found.map_or_else(|| Answer::page(404, ""), |(_, html)| Answer::page(200, html))
    });
    let browser = Browser::start("en");
    for (name, html) in &specimens {
        assert_eq!(tidy(html), "", "{name}: {html}");
        browser.open(&format!("http://127.0.0.1:{port}/{name}"));
        let family = browser.run("return getComputedStyle(document.querySelector('.card')).borderRadius");
        assert_eq!(family, "14px", "{name} without its style");
        look(&browser, &format!("page-{name}"));
    }
}
