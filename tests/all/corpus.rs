//! Mails to try things on: those of the fixtures, and those in the folders that `OTAB_MAIL_CORPUS`
//! names (separated by colons; relative paths count from the current folder or the repository's top).

use std::fs;
use std::path::{Path, PathBuf};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fixtures' folders, in order.
pub fn fixtures() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(top().join("fixtures"))
        .expect("there is a folder of fixtures")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// All mails with their paths. A folder that is named but missing is an error: nothing would be tried.
pub fn mails() -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = fixtures().iter().map(|folder| folder.join("mail.eml")).collect();
    let named = std::env::var("OTAB_MAIL_CORPUS").unwrap_or_default();
    for name in named.split(':').filter(|name| !name.is_empty()) {
        let folder = [PathBuf::from(name), top().join(name)].into_iter().find(|path| path.is_dir());
        let before = paths.len();
        files(&folder.unwrap_or_else(|| panic!("OTAB_MAIL_CORPUS names {name}, which is no folder")), &mut paths);
        assert!(paths.len() > before, "OTAB_MAIL_CORPUS names {name}, which holds no mails");
    }
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

pub fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push(path);
        }
    }
}
