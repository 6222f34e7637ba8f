//! `otab store copy` beside a serve that runs: it goes over to the new store, or says what is missing.

use super::{reload_bad, reload_good};
use crate::door::{Door, closed};
use crate::servers::server::Product;
use crate::servers::shared;
use crate::setups::wait_for;
use crate::site::CAROL;

/// A door with a worker, whose store is copied.
struct Copied {
    door: Door,
    /// The lines of the configuration for the old store and for the new one.
    before: String,
    after: String,
}

/// Copied from such a store to such a one; `None`: a file.
fn copied(from: Option<Product>, to: Option<Product>) -> Copied {
    let desk = closed("notify = true\nrequests_per_minute = 0\n");
    let empty = |product| shared(product).url(&shared(product).empty_database());
    let before = from.map_or_else(|| "create = true".to_owned(), |product| format!("url = \"{}\"", empty(product)));
    if from.is_some() {
        desk.configure("create = true", &before);
        desk.ends(0, &["store", "migrate"]);
    }
    desk.mails_of_carol(&["1@corp.test"]);
    let door = Door::of(desk);
    wait_for(&door.desk.path("otab.log"), "sent to", 1);
    let url = to.map_or_else(|| format!("sqlite:{}", door.desk.path("new.db").display()), empty);
    assert_eq!(door.get("/healthz").body, "ok\n");
    door.desk.ends(0, &["store", "copy", "--to", &url]);
    Copied { door, before, after: format!("url = \"{url}\"") }
}

impl Copied {
    fn name_the_new_one(&self) {
        self.door.desk.configure(&self.before, &self.after);
    }

    /// It works, by the new store.
    fn goes_on(&self) {
        let door = &self.door;
        assert_eq!(door.get("/healthz").body, "ok\n", "{}", door.desk.log());
        door.desk.ends(0, &["ticket", "add", "1", "--customer", CAROL]);
        let path = door.link_of("1", CAROL);
        assert_eq!(door.press(&path, "open", None).status, 303);
        door.desk.mails_of_carol(&["2@corp.test"]);
        wait_for(&door.desk.path("otab.log"), "sent to", 2);
    }
}

#[test]
fn after_a_move_it_goes_over_to_the_named_store() {
    for (from, to) in [
        (None, None),
        (None, Some(Product::PostgreSql)),
        (Some(Product::PostgreSql), Some(Product::MariaDb)),
        (Some(Product::MariaDb), None),
    ] {
        let copied = copied(from, to);
        copied.name_the_new_one();
        // It finds out from this question, or from the worker's look.
        copied.door.get("/healthz");
        let log = copied.door.desk.path("otab.log");
        wait_for(&log, "serve: the configuration was read anew, and is in force", 1);
        copied.goes_on();
    }
}

#[test]
fn after_a_move_unnamed_it_is_503_and_says_why() {
    let mut copied = copied(None, None);
    let door = &mut copied.door;
    let health = door.get("/healthz");
    assert_eq!(health.status, 503);
    assert!(health.body.contains("the store has moved; set store.url to where it is now, and reload"), "{health:?}");
    assert!(!health.body.contains("new.db"), "{health:?}");
    let page = door.get("/t/abcdefghijklmnopqrstuv");
    assert_eq!((page.status, page.heading()), (503, "Please try again in a moment"));
    wait_for(&door.desk.path("otab.log"), "is refused; the one before is in force", 1);
    door.desk.logged(&["serve: ", "this store has moved to", "new.db", "set store.url to it"]);
    // A reload without a change changes nothing, and does not end it.
    reload_bad(&door.desk, &mut door.serving);
    assert_eq!(door.get("/healthz").status, 503);
    // One with it does.
    copied.name_the_new_one();
    reload_good(&copied.door.desk, &mut copied.door.serving);
    copied.goes_on();
}
