//! Who comes to the hand-over without a session is told what to do, behind each proxy.

use super::front::{ENTER, PROXIES};
use super::house::House;

#[test]
fn without_a_session_a_page_comes_behind_each_proxy() {
    for (name, start) in PROXIES {
        let house = House::new(start);
        for cookie in ["", "__Host-otab=AAAAAAAAAAAAAAAAAAAAAA"] {
            for (language, words) in [("en", "You are signed out"), ("de", "Sie sind abgemeldet")] {
                let answer = house.client.get(ENTER, &[("Cookie", cookie), ("Accept-Language", language)]);
                assert_eq!(answer.status, 401, "{name}: {answer:?}");
                assert!(answer.body.contains(words), "{name}: {answer:?}");
                assert!(answer.body.contains("Example Helpdesk"), "{name}: {answer:?}");
                assert_eq!(answer.header("cache-control"), "no-store", "{name}: {answer:?}");
                assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{name}: {answer:?}");
            }
        }
        assert!(house.portal.seen().is_empty(), "{name}");
    }
}
