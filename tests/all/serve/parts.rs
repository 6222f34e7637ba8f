//! Which parts run: those that are named, or all that are configured.

use std::process::Stdio;

use crate::door::client::{Client, Place};
use crate::door::{Serving, closed};
use crate::setups::wait_for;

/// The names of a process's threads.
fn threads(serving: &Serving) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", serving.id())).unwrap();
    tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok()).collect()
}

#[test]
fn each_part_runs_alone_and_does_nothing_of_the_other() {
    let desk = closed("notify = true\n");
    desk.mails_of_carol(&["1@corp.test"]);
    let client = Client(Place::Unix(desk.path("door.sock")));
    let portal = Serving::of(&desk, &["portal"], |_| {});
    assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200);
    desk.logged(&["serve: running: portal"]);
    assert!(!threads(&portal).iter().any(|name| name.trim() == "notify"), "{:?}", threads(&portal));
    drop(portal);
    assert_eq!(desk.orders(), 1);
    std::fs::remove_file(desk.path("door.sock")).unwrap();

    let worker = Serving::of(&desk, &["worker"], |_| {});
    wait_for(&desk.path("otab.log"), "link mail 1: sent to", 1);
    assert!(!desk.path("door.sock").exists());
    assert!(!threads(&worker).iter().any(|name| name.trim() == "desk"), "{:?}", threads(&worker));
    drop(worker);

    // The portal of another user, beside it, by the same configuration.
    let (_portal, _worker) = (Serving::of(&desk, &["portal"], |_| {}), Serving::of(&desk, &["worker"], |_| {}));
    assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200);
}

#[test]
fn without_names_all_that_is_configured_runs() {
    let desk = closed("purge = \"04:00\"\n");
    desk.mails_of_carol(&["1@corp.test"]);
    drop(Serving::start(&desk, |_| {}));
    desk.logged(&["serve: running: portal, worker"]);
    let desk = closed("notify = true\n");
    desk.configure("base_url = \"https://help.test\"", "base_url = \"\"");
    desk.mails_of_carol(&["1@corp.test"]);
    let _worker = Serving::start(&desk, |_| {});
    desk.logged(&["serve: running: worker"]);
    wait_for(&desk.path("otab.log"), "link mail 1: sent to", 1);
}

#[test]
fn an_unconfigured_part_is_78_with_the_remedy() {
    let desk = closed("");
    let says = |args: &[&str], status: i32| {
        let output = desk.command(args).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        said
    };
    let worker = "the worker is not configured: door.notify is false and door.purge is empty; set notify = true";
    let portal = "the portal is not configured: door.base_url is empty; set it to";
    assert!(says(&["serve", "worker"], 78).contains(worker));
    assert!(says(&["serve", "portal", "worker"], 78).contains(worker));
    desk.configure("base_url = \"https://help.test\"", "base_url = \"\"");
    assert!(says(&["serve", "portal"], 78).contains(portal));
    let nothing = says(&["serve"], 78);
    assert!(nothing.contains("nothing is configured") && nothing.contains(portal) && nothing.contains(worker));
    assert!(says(&["serve", "mailroom"], 64).contains("portal, worker"));
}
