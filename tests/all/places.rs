//! `otab check` as the user that mail is filtered as: what that user may not read and write, and where there is no room.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::site::{Checked, Ended, Site, chmod, mail, run};

/// A user without any rights, and a group that they are no member of.
const NOBODY: &str = "nobody";
const GROUP: &str = "mail";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The tests run as root, or as somebody who takes the place of the user without rights.
fn check_as(site: &Site, who: &str) -> Checked {
    let mut command = site.command(&["check", "--json"]);
    if is_root() {
        command.args(["--as", who]);
    }
    Checked::of(&run(&mut command, b""))
}

/// The name of the user as whom [`check_as`] checks.
fn name() -> String {
    let me = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
    if is_root() { NOBODY.to_owned() } else { me }
}

fn give(path: &Path) {
    if is_root() {
        let user = nix::unistd::User::from_name(NOBODY).unwrap().unwrap();
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    }
}

/// A site with its store and log in a folder of their own. The configuration can be read by all.
fn site(log: &str) -> Site {
    let site = Site::new("");
    site.write(
        "otab.toml",
        &format!("[store]\nurl = \"sqlite:data/otab.db\"\ncreate = true\n[log]\nsyslog = false\n{log}"),
    );
    chmod(site.folder(), 0o755);
    chmod(site.path("otab.toml"), 0o644);
    std::fs::create_dir(site.path("data")).unwrap();
    chmod(site.path("data"), 0o700);
    give(&site.path("data"));
    site
}

#[test]
fn a_site_of_the_mail_users_own_is_good() {
    let site = site("file = \"data/otab.log\"\n");
    let checked = check_as(&site, NOBODY);
    assert_eq!((checked.status, checked.bad()), (Some(0), vec![]));
    checked.finds("note", "store", "data/otab.db", "");
    // Nobody is root any more.
    assert!(!checked.findings.iter().any(|finding| finding["what"] == "user"), "{:#?}", checked.findings);
    assert!(!site.path("data/otab.db").exists());
    checked.finds("ok", "disk", "there is room", "");
}

#[test]
fn a_store_that_the_user_may_not_open_is_bad() {
    let (site, name) = (site(""), name());
    site.takes(&mail(1));
    give(&site.path("data/otab.db"));
    for beside in ["data/otab.db-wal", "data/otab.db-shm"] {
        let _ = std::fs::remove_file(site.path(beside));
    }
    // Not the file, not the folder above it.
    for (path, mode, whole) in [("data/otab.db", 0o000, 0o600), ("data", 0o000, 0o700)] {
        chmod(site.path(path), mode);
        let checked = check_as(&site, NOBODY).ends(69);
        let place = site.path("data/otab.db");
        let says = format!("{name} may not read and write {}", place.display());
        let remedy = checked.finds("bad", "store", &says, "");
        assert!(remedy.contains(&format!("let {name} read and write {}", place.display())), "{remedy}");
        chmod(site.path(path), whole);
    }
    // The file alone is not enough.
    chmod(site.path("data"), 0o500);
    let remedy = check_as(&site, NOBODY).finds("bad", "store", "", "");
    assert!(remedy.contains(&format!("let {name}")), "{remedy}");
    chmod(site.path("data"), 0o700);
    assert_eq!(check_as(&site, NOBODY).status, Some(0));
}

#[test]
fn a_store_that_the_first_mail_cannot_make_is_bad() {
    let (site, name) = (site(""), name());
    chmod(site.path("data"), 0o500);
    let checked = check_as(&site, NOBODY).ends(69);
    let remedy = checked.finds("bad", "store", &format!("{name} may not make files in"), "");
    assert!(remedy.contains("store.url = \"sqlite:data/otab.db\" is /"), "{remedy}");
    chmod(site.path("data"), 0o700);
    std::os::unix::fs::symlink("nowhere", site.path("data/otab.db")).unwrap();
    check_as(&site, NOBODY).finds("bad", "store", "a link that leads nowhere", "");
    std::fs::remove_file(site.path("data/otab.db")).unwrap();
    std::fs::write(site.path("data/otab.db-wal"), "what was written last").unwrap();
    let remedy = check_as(&site, NOBODY).finds("bad", "store", "cannot make it", "");
    assert!(remedy.contains("put the store back"), "{remedy}");
    std::fs::remove_file(site.path("data/otab.db-wal")).unwrap();
    assert_eq!(check_as(&site, NOBODY).status, Some(0));
    std::fs::remove_dir(site.path("data")).unwrap();
    let checked = check_as(&site, NOBODY).ends(69);
    checked.finds("bad", "store", "there is no folder", "");
}

#[test]
fn a_log_that_has_no_place_is_bad() {
    let name = name();
    let gone = site("file = \"none/otab.log\"\n");
    let checked = check_as(&gone, NOBODY).ends(78);
    checked.finds("bad", "log", "there is no folder", "");
    let shut = site("file = \"logs/otab.log\"\n");
    std::fs::create_dir(shut.path("logs")).unwrap();
    chmod(shut.path("logs"), 0o500);
    give(&shut.path("logs"));
    check_as(&shut, NOBODY).finds("bad", "log", &format!("{name} may not make files in"), "");
    chmod(shut.path("logs"), 0o755);
    shut.write("logs/otab.log", "");
    chmod(shut.path("logs/otab.log"), 0o444);
    check_as(&shut, NOBODY).finds("bad", "log", &format!("{name} may not write"), "");
    chmod(shut.path("logs/otab.log"), 0o640);
    give(&shut.path("logs/otab.log"));
    assert_eq!(check_as(&shut, NOBODY).status, Some(0));
}

#[test]
fn a_folder_for_temporary_files_that_is_shut_is_bad() {
    let site = site("");
    for place in ["none", "data"] {
        chmod(site.path("data"), 0o500);
        let mut command = site.command(&["check", "--json"]);
        command.env("TMPDIR", site.path(place));
        if is_root() {
            command.args(["--as", NOBODY]);
        }
        Checked::of(&run(&mut command, b"")).finds("bad", "disk", "may not make files in", "");
        chmod(site.path("data"), 0o700);
    }
}

#[test]
fn a_configuration_that_the_user_may_not_read_is_bad() {
    let site = site("");
    chmod(site.path("otab.toml"), 0o000);
    let checked = check_as(&site, NOBODY).ends(78);
    let remedy = checked.finds("bad", "configuration", &format!("{} may not read", name()), "");
    assert!(remedy.contains(&format!("let {} read it", name())), "{remedy}");
}

#[test]
fn without_room_on_the_disk_the_check_is_bad() {
    let site = Site::new("file = \"otab.log\"\n");
    let (folder, otab) = (site.folder().display(), env!("CARGO_BIN_EXE_otab"));
    // One with little room, and one that takes no more files; and the same with room for both.
    for (options, says) in
        [("size=20m", Some("KiB left")), ("size=100m,nr_inodes=3", Some("no inodes are left")), ("size=100m", None)]
    {
        let script = format!(
            "mkdir -p {folder}/small && mount -t tmpfs -o mode=0755,{options} tmpfs {folder}/small || exit 111
             cp {folder}/otab.toml {folder}/small/ || exit 112
             touch {folder}/small/more
             {otab} --config {folder}/small/otab.toml check --json"
        );
        let output =
            Command::new("unshare").args(["--map-root-user", "--mount", "sh", "-c", &script]).output().unwrap();
        let checked = Checked::of(&output);
        match says {
            Some(says) => {
                assert_eq!(checked.status, Some(69), "{:#?}", checked.findings);
                checked.finds("bad", "disk", says, "");
            }
            None => assert_eq!(checked.bad(), Vec::<&Value>::new()),
        }
    }
}

#[test]
fn only_root_can_check_as_somebody_else() {
    let site = site("");
    let mut command = Site::otab();
    if is_root() {
        // The binary's own folder may be shut to others.
        std::fs::copy(env!("CARGO_BIN_EXE_otab"), site.path("otab")).unwrap();
        command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", "nogroup", "--clear-groups"]).arg(site.path("otab"));
    }
    let refused =
        run(command.arg("--config").arg(site.path("otab.toml")).args(["check", "--as", "root"]), b"").ends(77);
    assert!(refused.err().contains("only root can check as somebody else"), "{refused:?}");
}

#[test]
fn root_is_told_as_whom_to_check() {
    if !is_root() {
        let site = site("");
        assert!(!check_as(&site, NOBODY).findings.iter().any(|finding| finding["what"] == "user"));
        return;
    }
    let plain = |site: &Site| Checked::of(&site.run(&["check", "--json"]));
    // By whose the store is, or the configuration.
    let owned = site("");
    owned.takes(&mail(1));
    give(&owned.path("data/otab.db"));
    assert!(plain(&owned).finds("note", "user", "this is root", "").contains("otab check --as nobody"));
    // As the README moves it: root's, for one group to read, with a store beside it that this group cannot make.
    let group = nix::unistd::Group::from_name(GROUP).unwrap().unwrap().gid;
    let moved = site("");
    moved.write("otab.toml", "[store]\ncreate = true\n[log]\nsyslog = false\n");
    chown(moved.path("otab.toml"), Some(0), Some(group.as_raw())).unwrap();
    chmod(moved.path("otab.toml"), 0o640);
    let checked = plain(&moved);
    assert_eq!(checked.status, Some(69), "{:#?}", checked.findings);
    let remedy = checked.finds("bad", "store", "only root may make files in", "");
    assert!(remedy.contains("store.url = \"sqlite:otab.db\" is /"), "{remedy}");
    assert!(checked.finds("note", "user", "this is root", "").contains("--as mail"));
    // Group and user alone, as Postfix's pipe has them. The configuration's own folder has to be root's.
    moved.write("otab.toml", "[store]\nurl = \"sqlite:store/otab.db\"\ncreate = true\n[log]\nsyslog = false\n");
    let store = moved.path("store");
    std::fs::create_dir(&store).unwrap();
    chown(&store, Some(0), Some(group.as_raw())).unwrap();
    chmod(store, 0o2770);
    assert_eq!(plain(&moved).status, Some(0));
    assert_eq!(check_as(&moved, &format!("{NOBODY}:{GROUP}")).status, Some(0));
    assert_eq!(check_as(&moved, NOBODY).status, Some(78));
    for (who, words) in [("no-such-user", "there is no user"), ("nobody:no-such-group", "there is no group")] {
        let mut command = Site::otab();
        let refused =
            run(command.arg("--config").arg(moved.path("otab.toml")).args(["check", "--as", who]), b"").ends(67);
        assert!(refused.err().contains(words), "{refused:?}");
    }
}

fn checked(site: &Site) -> Checked {
    Checked::of(&run(site.command(&["check", "--json"]).env("OTAB_TEST_SECRET", "0123456789abcdef"), b""))
}

#[test]
fn root_must_not_run_a_program_of_another_user() {
    let site = Site::new("");
    let program = site.write("console", "#!/bin/sh\n");
    site.append(&format!("[create]\nafter_create = [\"{}\"]\n", program.display()));
    // Without root, nobody is led astray.
    assert_eq!(checked(&site).bad().len(), 0);
    if is_root() {
        chown(&program, Some(4242), None).unwrap();
        checked(&site).finds("bad", "files", "root must not run", "the helpdesk's console");
    }
}

#[test]
fn a_secret_from_the_environment_is_a_note() {
    let site = Site::new("[[postmaster.trusted]]\nfield = \"X-Site-Secret\"\nvalue_env = \"OTAB_TEST_SECRET\"\n");
    checked(&site).finds("note", "files", "from the environment: OTAB_TEST_SECRET", "files");
}

#[test]
fn a_link_to_the_log_that_others_can_change_is_bad() {
    let site = Site::new("");
    let (logs, open) = (site.path("logs"), site.path("open"));
    for folder in [&logs, &open] {
        std::fs::create_dir(folder).unwrap();
    }
    chmod(&logs, 0o755);
    std::os::unix::fs::symlink(&logs, open.join("logs")).unwrap();
    let text = std::fs::read_to_string(site.path("otab.toml")).unwrap();
    site.write("otab.toml", &text.replace("[log]\n", "[log]\nfile = \"open/logs/otab.log\"\n"));
    chmod(&open, 0o755);
    assert_eq!(checked(&site).bad().len(), 0);
    chmod(&open, 0o757);
    checked(&site).finds("bad", "files", "everybody can write", "");
}
