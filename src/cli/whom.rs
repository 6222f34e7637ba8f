//! As whom otab runs, and as whom it is to run.

use std::ffi::CString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Group, Uid, User, initgroups, setgid, setgroups, setuid};
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::exit::Exit;
use crate::failure::{Ends, Failure};

/// The name of the user that this process runs as; or the number, if there is no name.
#[must_use]
pub fn user() -> String {
    name(Uid::effective().as_raw())
}

fn name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| format!("{uid}"), |user| user.name)
}

#[must_use]
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Whether this process may do that with what is there.
#[must_use]
pub fn may(path: &Path, access: Access) -> bool {
    accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
}

/// Whether this process may make files in a folder.
#[must_use]
pub fn may_make_files(folder: &Path) -> bool {
    folder.is_dir() && may(folder, Access::WRITE_OK | Access::EXEC_OK)
}

/// The user that the mail path most likely runs as, by whose the store and the configuration are; `None` if nothing tells.
#[must_use]
pub fn likely_user(store: Option<&Path>, config: &Path) -> Option<String> {
    let owner = |path: &Path| path.metadata().ok().map(|it| it.uid()).filter(|uid| *uid != 0);
    if let Some(uid) = store.and_then(owner).or_else(|| owner(config)) {
        return Some(name(uid));
    }
    let group = reading_group(&config.metadata().ok()?)?;
    let group = Group::from_gid(Gid::from_raw(group)).ok().flatten()?;
    let namesake = User::from_name(&group.name).ok().flatten().map(|user| user.name);
    namesake.or_else(|| group.mem.into_iter().next())
}

/// The group, other than root's, that may read a file.
fn reading_group(file: &Metadata) -> Option<u32> {
    (file.mode() & 0o040 != 0 && file.gid() != 0).then(|| file.gid())
}

/// Whether nobody of those for whom a configuration is, by its owner and group, may make files in a folder. One that is
/// root's alone says nothing of that.
#[must_use]
pub fn shuts_out_readers(config: &Path, folder: &Path) -> bool {
    let (Ok(config), Ok(folder)) = (config.metadata(), folder.metadata()) else { return false };
    let owner = (config.uid() != 0).then(|| config.uid());
    let group = reading_group(&config);
    let is_open = folder.mode() & 0o002 != 0
        || owner.is_some_and(|uid| folder.uid() == uid && folder.mode() & 0o200 != 0)
        // The owner of the folder may well be of that group.
        || group.is_some_and(|gid| folder.uid() != 0 || (folder.gid() == gid && folder.mode() & 0o020 != 0));
    (owner.is_some() || group.is_some()) && !is_open
}

/// Goes on as this user for good, `USER` or `USER:GROUP`: nothing of root's is left. No other thread runs yet, and nothing
/// is open.
pub fn become_user(text: &str) -> Result<(), Failure> {
    if !is_root() {
        let why = format!("--as: only root can check as somebody else; this is {}", user());
        return Err(Failure::new(Exit::NoPerm, why));
    }
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let found = User::from_name(user).ends(Exit::Unavailable, "--as: the system's users")?;
    let found = found.ok_or_else(|| Failure::new(Exit::NoUser, format!("--as: there is no user `{user}`")))?;
    let gid = match group {
        None => found.gid,
        Some(group) => {
            let of_group = Group::from_name(group).ends(Exit::Unavailable, "--as: the system's groups")?;
            let none = || Failure::new(Exit::NoUser, format!("--as: there is no group `{group}`"));
            of_group.ok_or_else(none)?.gid
        }
    };
    let switched = || -> nix::Result<()> {
        if group.is_some() {
            setgroups(&[gid])?;
        } else {
            let name = CString::new(found.name.as_str()).map_err(|_| nix::errno::Errno::EINVAL)?;
            initgroups(&name, gid)?;
        }
        setgid(gid)?;
        setuid(found.uid)
    };
    switched().ends(Exit::NoPerm, &format!("--as: the system does not let otab become {text}"))?;
    if !found.uid.is_root() && setuid(Uid::from_raw(0)).is_ok() {
        return Err(Failure::new(Exit::Software, "--as: root's rights could not be given up"));
    }
    Ok(())
}
