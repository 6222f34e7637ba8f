//! `otab store copy` beside a serve that runs: it goes over to the new store, or says what is missing.

use super::{reload_bad, reload_good};
use crate::door::{Door, closed};
use crate::links::CAROL;
use crate::setups::wait_for;

/// A door with a worker, whose store is copied to another file.
fn copied() -> (Door, String) {
    let desk = closed("notify = true\nrequests_per_minute = 0\n");
    desk.mails_of_carol(&["1@corp.test"]);
    let door = Door::of(desk);
    wait_for(&door.desk.site.path("otab.log"), "link mail 1: sent to", 1);
    let url = format!("sqlite:{}", door.desk.site.path("new.db").display());
    assert_eq!(door.get("/healthz").body, "ok\n");
    door.desk.ends(0, &["store", "copy", "--to", &url]);
    (door, url)
}

/// It works, by the new store.
fn assert_goes_on(door: &Door) {
    assert_eq!(door.get("/healthz").body, "ok\n", "{}", door.desk.log());
    door.desk.ends(0, &["ticket", "add", "1", "--customer", CAROL]);
    let path = door.link_of("1", CAROL);
    assert_eq!(door.press(&path, "open", None).status, 303);
    door.desk.mails_of_carol(&["2@corp.test"]);
    wait_for(&door.desk.site.path("otab.log"), "sent to", 2);
}

#[test]
fn after_a_move_it_goes_over_to_the_named_store() {
    let (door, url) = copied();
    door.desk.configure("create = true", &format!("url = \"{url}\""));
    // It finds out by itself: by this question, or by the worker's look.
    assert_eq!(door.get("/healthz").status, 503);
    wait_for(&door.desk.site.path("otab.log"), "serve: the configuration was read anew, and is in force", 1);
    assert_goes_on(&door);
}

#[test]
fn after_a_move_unnamed_it_is_503_and_says_why() {
    let (mut door, url) = copied();
    let health = door.get("/healthz");
    assert_eq!(health.status, 503);
    assert!(health.body.contains("the store has moved; set store.url to where it is now, and reload"), "{health:?}");
    assert!(!health.body.contains("new.db"), "{health:?}");
    let page = door.get("/t/abcdefghijklmnopqrstuv");
    assert_eq!((page.status, page.heading()), (503, "Please try again in a moment"));
    wait_for(&door.desk.site.path("otab.log"), "is refused; the one before is in force", 1);
    door.desk.logged(&["serve: ", "this store has moved to", "new.db", "set store.url to it"]);
    // A reload without a change changes nothing, and does not end it.
    reload_bad(&door.desk, &mut door.serving);
    assert_eq!(door.get("/healthz").status, 503);
    // One with it does.
    door.desk.configure("create = true", &format!("url = \"{url}\""));
    reload_good(&door.desk, &mut door.serving);
    assert_goes_on(&door);
}
