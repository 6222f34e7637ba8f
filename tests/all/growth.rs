//! What grows badly: circles of modules, names that everybody may use, and lines.

use std::collections::{BTreeMap, BTreeSet};

use crate::rooms::files;

/// The lines of each room, with its tests. A change that needs more says why, and raises its number.
const LINES: [(&str, usize); 28] = [
    ("cli", 4100),
    ("clock", 100),
    ("config", 4400),
    ("current", 100),
    ("customer", 2100),
    ("db", 4400),
    ("draft", 300),
    ("engine", 2250),
    ("exit", 200),
    ("failpoint", 100),
    ("failure", 150),
    ("lib", 100),
    ("link", 1500),
    ("log", 500),
    ("mail", 4600),
    ("main", 100),
    ("mode", 100),
    ("pipe", 1300),
    ("policy", 1100),
    ("portal", 3150),
    ("process", 300),
    ("serve", 1150),
    ("session", 150),
    ("store", 3950),
    ("text", 200),
    ("ticket", 700),
    ("token", 700),
    ("worker", 1100),
];

/// Public items in 1,000 lines, at most.
const MOST_PUBLIC: usize = 35;

/// The code of a file, less its comments and its tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\n").next().unwrap_or_default();
    code.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("//")).collect()
}

/// `src/mail/from.rs` is the module `mail/from`, and `src/mail/mod.rs` is `mail`.
fn module(file: &str) -> String {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    path.strip_suffix("/mod").unwrap_or(path).to_owned()
}

/// The modules of the same room that each module names, less what it names of itself.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let files: Vec<_> = files("src").into_iter().filter(|(file, _)| file.matches('/').count() > 1).collect();
    let modules: BTreeSet<String> = files.iter().map(|(file, _)| module(file)).collect();
    let mut uses = BTreeMap::new();
    for (file, text) in &files {
        let (this, code) = (module(file), code(text));
        let own: Vec<&str> = this.split('/').collect();
        let mut used_here = BTreeSet::new();
        for path in paths(&code) {
            let ups = path.matches("super::").count();
            let start = if path.starts_with("crate::") { &[] } else { &own[..own.len().saturating_sub(ups)] };
            let names = path.split("::").filter(|name| !["super", "crate", ""].contains(name));
            let whole: Vec<&str> = start.iter().copied().chain(names).collect();
            let found = (1..=whole.len()).rev().map(|end| whole[..end].join("/")).find(|path| modules.contains(path));
            used_here.extend(found.filter(|found| *found != this && found.split('/').next() == own.first().copied()));
        }
        uses.insert(this, used_here);
    }
    uses
}

/// Every path from `crate` or `super` on; of a group each member.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in ["crate::", "super::"] {
        for (at, _) in code.match_indices(word) {
            let is_whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            let rest = &code[at..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            let members =
                rest[end..].strip_prefix('{').and_then(|group| group.split_once('}')).map(|(members, _)| members);
            let members = members.filter(|_| rest[..end].ends_with("::")).unwrap_or_default();
            found.extend(
                members.split(',').filter(|_| is_whole).map(|member| format!("{}{}", &rest[..end], member.trim())),
            );
        }
    }
    found
}

/// Whether one module leads to another, over any number of others.
fn leads(uses: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        for next in uses.get(module).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

#[test]
fn no_circle_has_more_than_two_modules() {
    let uses = uses();
    assert!(uses["engine/sender"].contains("engine/work"), "{:?}", uses["engine/sender"]);
    for module in uses.keys() {
        let circle: Vec<_> =
            uses.keys().filter(|other| leads(&uses, module, other) && leads(&uses, other, module)).collect();
        assert!(circle.len() <= 2, "{circle:?}");
    }
}

#[test]
fn few_items_are_public() {
    let words = ["fn ", "const ", "async ", "struct ", "enum ", "trait ", "type ", "static "];
    let is_public = |line: &&str| {
        line.trim_start().strip_prefix("pub ").is_some_and(|rest| words.iter().any(|word| rest.starts_with(word)))
    };
    let texts: String = files("src").into_iter().map(|(_, text)| text).collect();
    let (public, lines) = (texts.lines().filter(is_public).count(), texts.lines().count());
    assert!(public > 100 && public * 1000 <= lines * MOST_PUBLIC, "{public} in {lines} lines");
}

#[test]
fn no_room_grows_without_a_word() {
    let mut rooms: BTreeMap<String, usize> = BTreeMap::new();
    for (file, text) in files("src") {
        let room = file.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
        *rooms.entry(room).or_default() += text.lines().count();
    }
    let most: BTreeMap<_, _> = LINES.into_iter().collect();
    for (room, lines) in &rooms {
        let most = most.get(room.as_str()).unwrap_or_else(|| panic!("{room} has {lines} lines and no number here"));
        assert!(lines <= most, "{room} has {lines} lines, and {most} at most");
        // A number that is far too high holds nothing.
        assert!(lines + 200 > *most, "{room} has {lines} lines: lower its number of {most}");
    }
    assert_eq!(rooms.len(), most.len());
}
