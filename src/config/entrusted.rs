//! Whether root may obey a configuration: only if nobody but root can change it, or put another in its place.
//!
//! A configuration names commands, and says to whom a password is sent. Another user's configuration, run by root,
//! would be that user's way to root, even if root has named it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::mode::{group_can_write, is_sticky, others_can_write};

/// Why root must not obey the file at `path`, which has been opened and has this metadata.
pub(super) fn refusal(path: &Path, metadata: &Metadata) -> std::io::Result<Option<String>> {
    if let Some(why) = of_file(path, metadata) {
        return Ok(Some(why));
    }
    // As it was named, and where that leads: a user who can change a link on the way decides as well.
    for path in [std::path::absolute(path)?, path.canonicalize()?] {
        if let Some(folder) = path.parent()
            && let Some(why) = of_folders(folder)?
        {
            return Ok(Some(why));
        }
    }
    Ok(None)
}

/// Why root must not run the program at `path`, if it is there.
pub fn program_refused(path: &Path) -> std::io::Result<Option<String>> {
    refusal(path, &path.metadata()?)
}

fn of_file(path: &Path, metadata: &Metadata) -> Option<String> {
    if !is_roots(metadata.uid()) {
        let owner = user(metadata.uid());
        return Some(format!(
            "it belongs to the user {owner}, and what it says would be done by root; run otab as that user (sudo -u \
             {owner} otab …), or give it to root: chown root {}",
            path.display()
        ));
    }
    (group_can_write(metadata) && metadata.gid() != 0).then(|| {
        format!("its group can write it, and what it says would be done by root; chmod g-w {}", path.display())
    })
}

/// Why a file in this folder is not root's alone: the folder, or one above it, is not.
pub(super) fn of_folders(folder: &Path) -> std::io::Result<Option<String>> {
    for folder in folder.ancestors() {
        let metadata = folder.metadata()?;
        let shown = folder.display();
        if !is_roots(metadata.uid()) {
            let owner = user(metadata.uid());
            return Ok(Some(format!(
                "the folder {shown} belongs to the user {owner}, who could put another file there for root to obey; run \
                 otab as that user (sudo -u {owner} otab …), or keep the file in a folder of root's, such as /etc/otab"
            )));
        }
        let others = others_can_write(&metadata) || group_can_write(&metadata) && metadata.gid() != 0;
        if others && !is_sticky(&metadata) {
            return Ok(Some(format!(
                "others can write the folder {shown}, and could put another file there for root to obey; keep the file in \
                 a folder that root alone can write, such as /etc/otab"
            )));
        }
    }
    Ok(None)
}

/// In a user namespace, what belongs to users outside of it is shown as the overflow user's, whom nobody inside is.
fn is_roots(uid: u32) -> bool {
    const OVERFLOW: u32 = 65_534;
    let is_whole = || {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        map.is_empty() || map.split_whitespace().eq(["0", "0", "4294967295"])
    };
    uid == 0 || uid == OVERFLOW && !is_whole()
}

/// The user's name, or the number if there is none.
fn user(uid: u32) -> String {
    let found = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid));
    found.ok().flatten().map_or_else(|| format!("#{uid}"), |user| user.name)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    const STRANGER: u32 = 4242;

    /// Refuses as root would be refused.
    fn refused(path: &Path) -> Option<String> {
        refusal(path, &fs::metadata(path).unwrap()).unwrap()
    }

    #[test]
    fn root_obeys_only_what_root_alone_can_change() {
        let top = tempfile::tempdir().unwrap();
        if fs::metadata(top.path()).unwrap().uid() != 0 {
            // Only root can give files away; without that, everything here is a stranger's.
            assert!(refused(&std::env::current_exe().unwrap()).unwrap().contains("belongs to"));
            return;
        }
        let folder = top.path().join("etc");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("otab.toml");
        fs::write(&file, "").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        mode(&folder, 0o755);
        mode(&file, 0o640);
        chown(&file, Some(0), Some(STRANGER)).unwrap();
        assert_eq!(refused(&file), None);

        mode(&file, 0o660);
        assert!(refused(&file).unwrap().contains("its group can write it"));
        mode(&file, 0o640);
        chown(&file, Some(STRANGER), None).unwrap();
        assert!(refused(&file).unwrap().contains("it belongs to the user #4242"));
        chown(&file, Some(0), None).unwrap();

        let link = top.path().join("link");
        symlink(&folder, &link).unwrap();
        for open in [(STRANGER, 0, 0o755), (0, STRANGER, 0o775), (0, 0, 0o777)] {
            chown(&folder, Some(open.0), Some(open.1)).unwrap();
            mode(&folder, open.2);
            for path in [&file, &link.join("otab.toml")] {
                assert!(refused(path).unwrap().contains("the folder"), "{open:?}");
            }
        }
        chown(&folder, Some(0), Some(0)).unwrap();
        mode(&folder, 0o1777);
        assert_eq!(refused(&link.join("otab.toml")), None);
        // A folder above counts as much.
        chown(top.path(), Some(STRANGER), None).unwrap();
        assert!(refused(&file).unwrap().contains(&top.path().display().to_string()));
    }
}
