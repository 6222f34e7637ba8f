//! The rooms and who may know whom: ARCHITECTURE.md's table, held against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each room or leaf, and the rooms that it uses. `cli` may use them all.
const ROOMS: [(&str, &str); 25] = [
    ("serve", "clock config current customer db engine exit failure log portal store token worker"),
    ("pipe", "config engine exit failpoint log mail policy process worker"),
    ("worker", "clock config customer db engine exit failpoint failure link log process store ticket token"),
    ("portal", "clock current engine log session text ticket token"),
    ("engine", "clock config customer db failpoint link log mail policy session store text ticket token"),
    ("policy", "mail"),
    ("customer", "db mail store"),
    ("ticket", "db text"),
    ("token", "ticket"),
    ("link", "mail process text token"),
    ("session", "token"),
    ("store", "db draft link session ticket token"),
    ("config", "customer db log mail mode policy store text ticket"),
    ("db", "draft text"),
    ("mail", "text"),
    ("current", ""),
    ("failure", "config customer db exit"),
    ("failpoint", ""),
    ("process", ""),
    ("draft", ""),
    ("text", ""),
    ("mode", ""),
    ("exit", ""),
    ("clock", ""),
    ("log", "clock text"),
];

/// The command line: may use every room, and no room may use it.
const WIRING: &str = "cli";

/// No file is longer.
const MOST_LINES: usize = 400;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under a folder, by its path from the top.
pub(super) fn files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![top().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(top()).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The room that a file belongs to: `src/mail/from.rs` and `src/exit.rs` alike.
fn room(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap();
    inside.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The names after each `root::` in a text, comments left out.
fn named<'a>(text: &'a str, root: &'a str) -> impl Iterator<Item = &'a str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(move |line| {
        line.match_indices(root).map(|(at, _)| {
            let name = &line[at + root.len()..];
            &name[..name.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(name.len())]
        })
    })
}

/// Who uses whom, itself left out.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in files("src") {
        if file == "src/lib.rs" || file == "src/main.rs" {
            continue;
        }
        let room = room(&file);
        let used = table.entry(room.to_owned()).or_default();
        used.extend(named(&text, "crate::").filter(|name| *name != room).map(str::to_owned));
    }
    table
}

#[test]
fn every_room_uses_exactly_the_rooms_of_the_table() {
    let mut wrong = Vec::new();
    for (room, used) in uses() {
        if room == WIRING {
            continue;
        }
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            panic!("{room} is in no table");
        };
        let allowed: BTreeSet<String> = allowed.split_whitespace().map(str::to_owned).collect();
        if used != allowed {
            wrong.push(format!("{room} uses {used:?}, the table says {allowed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_of_the_table_exists_and_is_declared() {
    let library = fs::read_to_string(top().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let listed: BTreeSet<&str> = ROOMS.iter().map(|(name, _)| *name).chain([WIRING]).collect();
    assert_eq!(declared, listed);
}

#[test]
fn nobody_goes_round_the_table() {
    // The wiring may use all rooms, and some of its own files are called like them.
    let rooms = files("src").into_iter().filter(|(file, _)| room(file) != WIRING);
    for (file, text) in rooms {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            // A group or a glob at the root would hide which rooms are meant.
            assert!(!line.contains("crate::{") && !line.contains("crate::*"), "{file}: {line}");
            // src/room/file.rs reaches the root by two steps up, src/room/mod.rs and src/leaf.rs by one.
            let depth = file.matches('/').count() - usize::from(file.ends_with("/mod.rs"));
            let up = "super::".repeat(depth.max(1));
            let out = named(line, &up).find(|name| ROOMS.iter().any(|(room, _)| room == name));
            assert_eq!(out, None, "{file}: {line}");
        }
    }
}

#[test]
fn the_binary_uses_the_wiring_only() {
    let main = fs::read_to_string(top().join("src/main.rs")).unwrap();
    assert_eq!(named(&main, "otab::").collect::<BTreeSet<_>>(), BTreeSet::from([WIRING]));
    assert!(!main.contains("mod "));
}

#[test]
fn the_architecture_page_shows_the_same_table() {
    let page = fs::read_to_string(top().join("ARCHITECTURE.md")).unwrap();
    for (room, allowed) in ROOMS {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{room}` |")));
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for {room}"));
        let cell = row.split('|').nth(3).unwrap();
        // Rooms stand in backquotes; crates and the standard library stand in the next column.
        let shown: BTreeSet<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert_eq!(shown, allowed.split_whitespace().collect(), "{room}");
    }
}

#[test]
fn no_file_is_over_400_lines() {
    for (file, text) in ["src", "tests", "benches"].into_iter().flat_map(files) {
        assert!(text.lines().count() <= MOST_LINES, "{file} has {} lines", text.lines().count());
    }
}

#[test]
fn test_names_have_at_most_50_characters() {
    for (file, text) in ["src", "tests", "benches", "fuzz"].into_iter().flat_map(files) {
        for (_, code) in text.match_indices("#[test]\n").map(|(at, _)| text.split_at(at)) {
            let name = code.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).map(|(name, _)| name);
            assert!(name.is_some_and(|name| name.len() <= 50), "{file}: {name:?}");
        }
    }
}
