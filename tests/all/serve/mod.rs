//! `otab serve` as a process that stays: its parts, its reloads, its end. By real signals, and HTTP without a proxy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod flood;
mod moved;
mod parts;
mod reload;
mod stop;

use crate::door::Serving;
use crate::http::Answer;
use crate::site::Site;

/// Has it read its configuration anew, and waits until it has; what systemd is told then.
fn reload(serving: &mut Serving) -> String {
    serving.signal("HUP");
    let began = serving.word();
    let time = began.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap_or_else(|| panic!("{began}"));
    assert!(time.trim().parse::<u64>().unwrap() > 0);
    let done = serving.word();
    assert!(done.starts_with("READY=1\nSTATUS="), "{done}");
    done
}

/// The same, and the configuration is good.
fn reload_good(desk: &Site, serving: &mut Serving) {
    let done = reload(serving);
    assert!(done.contains("is in force"), "{done}{}", desk.log());
    assert!(!done.contains("refused"), "{done}{}", desk.log());
}

/// The same, and it is refused.
fn reload_bad(desk: &Site, serving: &mut Serving) {
    let done = reload(serving);
    assert!(done.contains("refused"), "{done}{}", desk.log());
}

/// What the pages call the site.
fn site_name(answer: &Answer) -> &str {
    let rest = answer.body.split_once("<p class=\"site\">").unwrap_or_else(|| panic!("{answer:?}")).1;
    rest.split_once("</p>").unwrap().0
}
