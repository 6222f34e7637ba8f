//! What fuzzing has found worth keeping, and every mail of the corpus, through the checks of the fuzz
//! targets. See `fuzz/README.md`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::checks::{edits, header, sender};
use crate::{corpus, mixed};

type Check = fn(&[u8]) -> Result<(), String>;

/// Each target with its check.
const TARGETS: [(&str, Check); 4] =
    [("header", header::hold), ("edits", edits::hold), ("mixed", mixed::hold), ("sender", sender::hold)];

/// Longest file and largest folder of a corpus, in bytes: each clone pays for them.
const MOST_OF_ONE: usize = 8 << 10;
const MOST_OF_ALL: usize = 2 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The inputs kept for one target. A package has none: they are left out of it.
pub fn kept(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    if !folder().join("Cargo.toml").exists() {
        return Vec::new();
    }
    let mut paths = Vec::new();
    corpus::files(&folder().join("corpus").join(target), &mut paths);
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn hold(target: &str) {
    let check = TARGETS.iter().find(|(name, _)| *name == target).unwrap().1;
    let inputs: Vec<_> = kept(target).into_iter().chain(corpus::mails()).collect();
    let broken: Vec<String> = inputs
        .iter()
        .filter_map(|(path, input)| Some(format!("{}: {}", path.display(), check(input).err()?)))
        .collect();
    assert!(broken.is_empty(), "{target}, {} inputs:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn the_header_holds_for_what_fuzzing_kept() {
    hold("header");
}

#[test]
fn edits_hold_for_what_fuzzing_kept() {
    hold("edits");
}

#[test]
fn mixed_blocks_hold_for_all_that_fuzzing_kept() {
    hold("mixed");
}

#[test]
fn the_sender_holds_for_what_fuzzing_kept() {
    hold("sender");
}

#[test]
fn every_fuzz_target_has_its_corpus_and_none_is_large() {
    if !folder().join("Cargo.toml").exists() {
        return;
    }
    let mut targets: Vec<String> = fs::read_dir(folder().join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    targets.sort();
    let mut checked = TARGETS.map(|(target, _)| target);
    checked.sort_unstable();
    assert_eq!(targets, checked);
    for target in checked {
        let inputs = kept(target);
        assert!(inputs.len() > 100, "{target}: {} inputs", inputs.len());
        let longest = inputs.iter().map(|(_, input)| input.len()).max().unwrap_or_default();
        let all: usize = inputs.iter().map(|(_, input)| input.len()).sum();
        assert!(longest <= MOST_OF_ONE && all <= MOST_OF_ALL, "{target}: {all} bytes, up to {longest} in one");
    }
}
