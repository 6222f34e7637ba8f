//! Where `log.file` is: who besides root and otab's user could put something else in its place.
//!
//! Root and several users may write the log. Who can write its folder can have a link there, or a file of their own,
//! into which the names of customers go.

use std::fs::Metadata;
use std::iter;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::cli::init;
use crate::exit::Exit;

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// In a folder with this bit, nobody but the owner can remove or replace a file.
const STICKY: u32 = 0o1000;

const REMEDY: &str = "let log.file be in a folder that root or otab's user alone can write, such as /var/log/otab";

/// What is bad about the place. `users` are those who may write there, besides root.
pub fn check(path: &Path, users: &[u32]) -> Option<Finding> {
    let says = is_link(path).or_else(|| {
        // As it is named, and where that leads: anyone who can change a link on the way decides as well.
        let named = std::path::absolute(path).ok()?;
        let links = named.ancestors().skip(1).filter(|folder| folder.is_symlink());
        let mut places = iter::once(named.as_path()).chain(links);
        let (folder, who) = places.find_map(|place| who_else(place, users))?;
        Some(format!(
            "{who} can write {}, and put another file in the place of {} (log.file)",
            folder.display(),
            path.display()
        ))
    })?;
    Some(Finding::bad("files", Exit::Config, says, REMEDY))
}

/// Who else can replace the file or link at `path`, and in which folder.
fn who_else(path: &Path, users: &[u32]) -> Option<(PathBuf, String)> {
    let whole = path.parent()?.canonicalize().ok()?;
    let mut unless = 0;
    whole.ancestors().find_map(|folder| {
        let who = open(folder, &folder.metadata().ok()?, users, unless);
        // A folder cannot be renamed by others where this bit is set; a file that is not there yet can be made.
        unless = STICKY;
        Some((folder.to_owned(), who?))
    })
}

/// The log is not written through a link.
fn is_link(path: &Path) -> Option<String> {
    let found = path.symlink_metadata().ok()?;
    if found.file_type().is_symlink() {
        return Some(format!("{} (log.file) is a symbolic link, and nothing is written through one", path.display()));
    }
    (found.is_file() && found.nlink() > 1)
        .then(|| format!("{} (log.file) has a second name, and nothing is written to it", path.display()))
}

/// Who else can write a folder, unless it has a bit that makes up for it.
fn open(folder: &Path, metadata: &Metadata, users: &[u32], unless: u32) -> Option<String> {
    let mode = metadata.mode();
    if metadata.uid() != 0 && !users.contains(&metadata.uid()) {
        return Some(format!("the owner of {}", init::quoted(folder)));
    }
    if mode & unless != 0 {
        return None;
    }
    if mode & OTHERS_WRITE != 0 {
        return Some("everybody".to_owned());
    }
    let is_open = mode & GROUP_WRITES != 0 && metadata.gid() != 0;
    (is_open && !users.iter().any(|user| is_private(metadata.gid(), *user))).then(|| {
        let group = nix::unistd::Group::from_gid(metadata.gid().into()).ok().flatten();
        format!("the group {}", group.map_or_else(|| metadata.gid().to_string(), |group| group.name))
    })
}

/// A group that is called like the user and has no other member, as Debian makes one for each user.
fn is_private(group: u32, user: u32) -> bool {
    let user = nix::unistd::User::from_uid(user.into()).ok().flatten();
    let group = nix::unistd::Group::from_gid(group.into()).ok().flatten();
    let (Some(user), Some(group)) = (user, group) else { return false };
    user.gid == group.gid && user.name == group.name && group.mem.iter().all(|member| *member == user.name)
}
