//! `otab init`, and by which configuration commands run: the one that was named, or the system's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Output;

use crate::site::{Site, mail, run};

/// Runs otab in a folder, which is not its configuration's for that alone.
fn otab(folder: &Path, words: &[&str]) -> Output {
    run(Site::otab().args(words).current_dir(folder), &mail(1))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[track_caller]
fn ends(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{}", said(output));
    said(output)
}

/// What is in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn no_command_reads_the_current_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("otab.toml"), "[nonsense\n").unwrap();
    // Commands that change nothing, whatever configuration this machine may have.
    for words in [
        "token list",
        "customer list",
        "ticket list",
        "outbox list",
        "purge --dry-run",
        "filter --explain",
        "redeem no-such-token",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let text = said(&otab(folder.path(), &words));
        assert!(!text.contains("nonsense"), "{words:?}: {text}");
        if !Path::new("/etc/otab/otab.toml").exists() {
            assert!(text.contains("/etc/otab/otab.toml") || words[0] == "filter", "{words:?}: {text}");
        }
        // Named, it is read.
        let named = [&["--config", "otab.toml"], &words[..]].concat();
        let output = otab(folder.path(), &named);
        assert!(!output.status.success());
        assert!(said(&output).contains("otab.toml") || words[0] == "filter", "{words:?}");
        let output =
            run(Site::otab().args(&words).current_dir(folder.path()).env("OTAB_CONFIG", "otab.toml"), &mail(1));
        assert!(!output.status.success() && !said(&output).contains("/etc/otab"), "{words:?}");
    }
}

#[test]
fn init_writes_where_the_others_read() {
    let folder = tempfile::tempdir().unwrap();
    if !Path::new("/etc/otab").exists() {
        let text = ends(&otab(folder.path(), &["init"]), 73);
        assert!(text.contains("/etc/otab/otab.toml") && text.contains("mkdir -m 755 /etc/otab"), "{text}");
        assert!(names(folder.path()).is_empty());
    }
    fs::create_dir(folder.path().join("etc")).unwrap();
    let with = |words: &[&str]| {
        run(Site::otab().args(words).current_dir(folder.path()).env("OTAB_CONFIG", "etc/site.toml"), b"")
    };
    let text = ends(&with(&["init"]), 0);
    assert!(text.contains("etc/site.toml") && text.contains("etc/otab.db"), "{text}");
    assert_eq!(names(folder.path()), ["etc"]);
    ends(&with(&["token", "list"]), 0);
}

#[test]
fn root_does_not_obey_another_users_configuration() {
    let site = Site::new("[create]\nafter_create = [\"/usr/bin/touch\", \"/nowhere/done\"]\n");
    let config = site.path("otab.toml");
    if fs::metadata(&config).unwrap().uid() != 0 {
        // Only root can be tricked so, and only root can give the file away.
        return;
    }
    let command = |words: &[&str]| {
        let output = run(Site::otab().arg("--config").arg(&config).args(words), &mail(1));
        (output.status.code(), said(&output))
    };
    assert_eq!(command(&["customer", "add", "carol@corp.test"]).0, Some(0));
    chown(&config, Some(4242), None).unwrap();
    for words in [&["customer", "list"][..], &["check"], &["notify"]] {
        let (status, text) = command(words);
        assert_eq!(status, Some(78), "{words:?}: {text}");
        assert!(text.contains("belongs to the user #4242") && text.contains("sudo -u"), "{words:?}: {text}");
    }
    assert_eq!(command(&["filter"]).0, Some(75));
    // Its own folder is that user's: what root has read could be another file at the next look.
    chown(&config, Some(0), None).unwrap();
    chown(site.folder(), Some(4242), None).unwrap();
    let (status, text) = command(&["check"]);
    assert!(status == Some(78) && text.contains("the folder"), "{text}");
    let init = site.path("new.toml").display().to_string();
    let text = ends(&otab(site.folder(), &["--config", &init, "init"]), 77);
    assert!(text.contains("would be refused") && text.contains("the folder"), "{text}");
    chown(site.folder(), Some(0), None).unwrap();
    assert_eq!(command(&["customer", "list"]).0, Some(0));
}

#[test]
fn init_overwrites_nothing_and_then_makes_nothing() {
    for (name, dangling) in [("otab.toml", false), ("otab.db", false), ("otab.toml", true), ("otab.db", true)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        if dangling {
            std::os::unix::fs::symlink("nowhere", &path).unwrap();
        } else {
            fs::write(&path, "mine").unwrap();
        }
        let text = ends(&otab(folder.path(), &["--config", "otab.toml", "init"]), 73);
        assert!(text.contains("nothing was changed"), "{text}");
        assert_eq!(names(folder.path()), [name]);
        assert!(dangling || fs::read(&path).unwrap() == b"mine");
    }
}

#[test]
fn init_writes_where_it_is_told_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("etc");
    fs::create_dir(&site).unwrap();
    let text = ends(&otab(folder.path(), &["init", "--config", "etc/site.toml"]), 0);
    assert_eq!(names(&site), ["otab.db", "site.toml"]);
    assert!(text.contains("etc/site.toml") && text.contains("etc/otab.db"), "{text}");
    ends(&otab(folder.path(), &["token", "list", "--config", "etc/site.toml"]), 0);
    ends(&otab(folder.path(), &["init", "--config", "no/site.toml"]), 73);
}

#[test]
fn a_folder_that_others_can_write_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    mode(&open, 0o777);
    for words in [
        &["--config", "open/otab.toml", "init"][..],
        &["--config", "otab.toml", "init", "--store", &format!("sqlite:{}/otab.db", open.display())],
    ] {
        let text = ends(&otab(folder.path(), words), 77);
        assert!(text.contains("chmod o-w"), "{text}");
        assert!(names(&open).is_empty());
        assert_eq!(names(folder.path()), ["open"]);
    }
}

#[test]
fn with_a_group_the_store_is_the_groups_and_the_configuration_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let own = nix::unistd::getgid();
    // A user whose group has no name cannot name it.
    let Some(group) = nix::unistd::Group::from_gid(own).unwrap() else { return };
    let store = folder.path().canonicalize().unwrap().join("store");
    fs::create_dir(&store).unwrap();
    let url = format!("sqlite:{}/otab.db", store.display());
    let init =
        |config: &str| otab(folder.path(), &["--config", config, "init", "--store", &url, "--group", &group.name]);
    let text = ends(&init("otab.toml"), 77);
    let remedy = format!("chgrp {0} {1} && chmod 2770 {1}", group.name, store.display());
    assert!(text.contains(&remedy), "{text}");

    chown(&store, None, Some(own.as_raw())).unwrap();
    mode(&store, 0o2770);
    // Where the group writes its database, it could write another configuration.
    let text = ends(&init("store/otab.toml"), 77);
    assert!(text.contains("could replace the configuration"), "{text}");
    assert!(names(&store).is_empty());
    ends(&init("otab.toml"), 0);
    for (path, mode) in [(folder.path().join("otab.toml"), 0o640), (store.join("otab.db"), 0o660)] {
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.gid()), (mode, own.as_raw()), "{}", path.display());
    }
    ends(&otab(folder.path(), &["--config", "otab.toml", "token", "list"]), 0);
}
