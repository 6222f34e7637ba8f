//! `otab init`, and by which configuration commands run: the one that was named, or the system's.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::site::{Ended, Site, chmod, mail, names, run};

/// Runs otab in a folder, which is not its configuration's for that alone.
fn otab(folder: &Path, words: &[&str]) -> Output {
    run(Site::otab().args(words).current_dir(folder), &mail(1))
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
        let text = otab(folder.path(), &words).said();
        assert!(!text.contains("nonsense"), "{words:?}: {text}");
        if !Path::new("/etc/otab/otab.toml").exists() {
            assert!(text.contains("/etc/otab/otab.toml") || words[0] == "filter", "{words:?}: {text}");
        }
        // Named, it is read.
        let named = [&["--config", "otab.toml"], &words[..]].concat();
        let output = otab(folder.path(), &named);
        assert!(!output.status.success());
        assert!(output.said().contains("otab.toml") || words[0] == "filter", "{words:?}");
        let output =
            run(Site::otab().args(&words).current_dir(folder.path()).env("OTAB_CONFIG", "otab.toml"), &mail(1));
        assert!(!output.status.success() && !output.said().contains("/etc/otab"), "{words:?}");
    }
}

#[test]
fn init_writes_where_the_others_read() {
    let folder = tempfile::tempdir().unwrap();
    if !Path::new("/etc/otab").exists() {
        let text = otab(folder.path(), &["init"]).says(73).said();
        assert!(text.contains("/etc/otab/otab.toml") && text.contains("mkdir -m 755 /etc/otab"), "{text}");
        assert!(names(folder.path()).is_empty());
    }
    fs::create_dir(folder.path().join("etc")).unwrap();
    let with = |words: &[&str]| {
        run(Site::otab().args(words).current_dir(folder.path()).env("OTAB_CONFIG", "etc/site.toml"), b"")
    };
    let text = with(&["init"]).says(0).said();
    assert!(text.contains("etc/site.toml") && text.contains("etc/otab.db"), "{text}");
    assert_eq!(names(folder.path()), ["etc"]);
    with(&["token", "list"]).says(0).said();
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
        (output.status.code(), output.said())
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
    let text = otab(site.folder(), &["--config", &init, "init"]).says(77).said();
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
        let text = otab(folder.path(), &["--config", "otab.toml", "init"]).says(73).said();
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
    let text = otab(folder.path(), &["init", "--config", "etc/site.toml"]).says(0).said();
    assert_eq!(names(&site), ["otab.db", "site.toml"]);
    assert!(text.contains("etc/site.toml") && text.contains("etc/otab.db"), "{text}");
    otab(folder.path(), &["token", "list", "--config", "etc/site.toml"]).says(0).said();
    otab(folder.path(), &["init", "--config", "no/site.toml"]).says(73).said();
}

#[test]
fn a_folder_that_others_can_write_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    chmod(&open, 0o777);
    for words in [
        &["--config", "open/otab.toml", "init"][..],
        &["--config", "otab.toml", "init", "--store", &format!("sqlite:{}/otab.db", open.display())],
    ] {
        let text = otab(folder.path(), words).says(77).said();
        assert!(text.contains("chmod o-w"), "{text}");
        assert!(names(&open).is_empty());
        assert_eq!(names(folder.path()), ["open"]);
    }
}

#[test]
fn the_store_can_be_a_groups_and_the_settings_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let own = nix::unistd::getgid();
    // A user whose group has no name cannot name it.
    let Some(group) = nix::unistd::Group::from_gid(own).unwrap() else { return };
    let store = folder.path().canonicalize().unwrap().join("store");
    fs::create_dir(&store).unwrap();
    let url = format!("sqlite:{}/otab.db", store.display());
    let init =
        |config: &str| otab(folder.path(), &["--config", config, "init", "--store", &url, "--group", &group.name]);
    let text = init("otab.toml").says(77).said();
    let remedy = format!("chgrp {0} {1} && chmod 2770 {1}", group.name, store.display());
    assert!(text.contains(&remedy), "{text}");

    chown(&store, None, Some(own.as_raw())).unwrap();
    chmod(&store, 0o2770);
    // Where the group writes its database, it could write another configuration.
    let text = init("store/otab.toml").says(77).said();
    assert!(text.contains("could replace the configuration"), "{text}");
    assert!(names(&store).is_empty());
    init("otab.toml").says(0).said();
    for (path, mode) in [(folder.path().join("otab.toml"), 0o640), (store.join("otab.db"), 0o660)] {
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.gid()), (mode, own.as_raw()), "{}", path.display());
    }
    otab(folder.path(), &["--config", "otab.toml", "token", "list"]).says(0).said();
}

#[test]
fn with_a_user_everything_is_that_users_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().canonicalize().unwrap().join("store");
    fs::create_dir(&store).unwrap();
    chmod(&store, 0o700);
    let own = nix::unistd::geteuid();
    // As root it is another user's, as everywhere else.
    let Some(user) = (if own.is_root() {
        nix::unistd::User::from_name("nobody").unwrap()
    } else {
        nix::unistd::User::from_uid(own).unwrap()
    }) else {
        return;
    };
    let url = format!("sqlite:{}/otab.db", store.display());
    let init =
        |more: &[&str]| otab(folder.path(), &[&["--config", "otab.toml", "init", "--store", &url], more].concat());
    let with_user = ["--user", &user.name];
    if own.is_root() {
        let text = init(&with_user).says(77).said();
        assert!(text.contains(&format!("chown {0} {1} && chmod 700 {1}", user.name, store.display())), "{text}");
        chown(&store, Some(user.uid.as_raw()), None).unwrap();
        let text = init(&[]).says(77).said();
        assert!(text.contains(&format!("Add --user {}", user.name)), "{text}");
    }
    chmod(&store, 0o770);
    init(&with_user).says(77).said();
    assert!(names(&store).is_empty() && names(folder.path()) == ["store"]);
    chmod(&store, 0o700);
    let text = init(&with_user).says(0).said();
    assert!(text.contains(&format!("sudo -u {} otab check", user.name)), "{text}");
    for (path, mode) in [(folder.path().join("otab.toml"), 0o400), (store.join("otab.db"), 0o600)] {
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.uid()), (mode, user.uid.as_raw()), "{}", path.display());
    }
    init(&["--user", "no-such-user"]).says(67).said();
    if own.is_root() {
        let text = otab(folder.path(), &["--config", "otab.toml", "check"]).says(78).said();
        assert!(text.contains(&format!("sudo -u {} otab", user.name)), "{text}");
        assert!(text.contains("run otab as the user to whom its files belong"), "{text}");
    }
}

/// A site whose store a group can write, and the words that make it there.
fn for_group(folder: &Path, group: u32) -> Vec<String> {
    let store = folder.join("store");
    fs::create_dir(&store).unwrap();
    chown(&store, None, Some(group)).unwrap();
    chmod(&store, 0o2770);
    let name = nix::unistd::Group::from_gid(group.into()).unwrap().unwrap().name;
    let store = format!("sqlite:{}/otab.db", store.display());
    ["--config", "otab.toml", "init", "--store", &store, "--group", &name].map(str::to_owned).into()
}

#[test]
fn owners_and_modes_come_before_a_files_name() {
    let folder = tempfile::tempdir().unwrap();
    let words = for_group(folder.path(), nix::unistd::getgid().as_raw());
    let trace = folder.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=/chmod|chown|rename|link|setxattr", "-o"]).arg(&trace);
    let output = run(strace.arg(env!("CARGO_BIN_EXE_otab")).args(&words).current_dir(folder.path()), b"");
    output.says(0).said();
    let trace = fs::read_to_string(trace).unwrap();
    let calls: Vec<&str> = trace.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start())).collect();
    let names_of = |start: &str| calls.iter().filter(|call| call.starts_with(start)).count();
    for (call, times) in [("fchown(", 2), ("fchmod(", 2), ("renameat2(", 2)] {
        assert_eq!(names_of(call), times, "{trace}");
    }
    for by_path in ["chown(", "lchown(", "fchownat(", "chmod(", "fchmodat", "rename(", "link("] {
        assert_eq!(names_of(by_path), 0, "{by_path} {trace}");
    }
    for name in ["otab.db", "otab.toml"] {
        let named = calls.iter().position(|call| call.contains(&format!("\"{name}\""))).unwrap();
        let set =
            calls[..named].iter().filter(|call| call.starts_with("fchown(") || call.starts_with("fchmod(")).count();
        assert!(set >= 2 && calls[named].contains("NOREPLACE"), "{trace}");
    }
}

/// A member of the group, who exchanges whatever comes into the folder for a link, until it is told to stop.
fn swap(store: &Path, victim: &Path, is_over: &AtomicBool) -> usize {
    let mut swapped = 0;
    while !is_over.load(Ordering::Relaxed) {
        for entry in fs::read_dir(store).unwrap().flatten() {
            let path = entry.path();
            if !path.is_symlink() && fs::remove_file(&path).is_ok() {
                swapped += usize::from(std::os::unix::fs::symlink(victim, &path).is_ok());
            }
        }
    }
    swapped
}

#[test]
fn an_exchanged_file_gives_nothing_of_roots_away() {
    if !nix::unistd::geteuid().is_root() {
        // Nobody else can give a file to a group that they are not in.
        return;
    }
    let games = nix::unistd::Group::from_name("games").unwrap().unwrap().gid.as_raw();
    let mut swapped = 0;
    for _ in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let words = for_group(folder.path(), games);
        let victim = folder.path().join("shadow");
        fs::write(&victim, "root's").unwrap();
        chmod(&victim, 0o600);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let member = scope.spawn(|| swap(&folder.path().join("store"), &victim, &is_over));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            otab(folder.path(), &words);
            is_over.store(true, Ordering::Relaxed);
            swapped += member.join().unwrap();
        });
        let found = fs::metadata(&victim).unwrap();
        assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (0, 0, 0o600));
        assert_eq!(fs::read(&victim).unwrap(), b"root's");
    }
    assert!(swapped > 0, "nobody has swapped anything");
}

#[test]
fn no_owner_and_no_mode_is_set_by_a_path() {
    let mut found = Vec::new();
    for (file, text) in super::rooms::files("src") {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let calls = code.replace("fchown(", "");
        for by_path in ["fs::set_permissions", "chown(", "chmodat", "chownat"] {
            if calls.contains(by_path) {
                found.push(format!("{file}: {by_path}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
}
