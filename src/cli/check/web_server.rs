//! What the web server can get at: its users and groups on this machine, and the modes of files.
//!
//! The helpdesk's console needs the web server's group, so the mail path has it, too. It must not be the way to otab's
//! secrets: a hole in any page of the web server would read them.

use std::ffi::CString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Group, User};

/// As distributions call the web server's user: Debian, Fedora, nginx's own packages, Arch, openSUSE, Caddy's.
const USERS: [&str; 6] = ["www-data", "apache", "nginx", "http", "wwwrun", "caddy"];

const READ: u32 = 0o4;
const WRITE: u32 = 0o2;
const PASS: u32 = 0o1;

/// A user as whom a web server runs, with all groups.
#[derive(Debug)]
pub struct WebServer {
    name: String,
    user: u32,
    groups: Vec<u32>,
}

/// Those that this machine has.
pub fn all() -> Vec<WebServer> {
    USERS.iter().filter_map(|name| User::from_name(name).ok().flatten()).map(WebServer::from).collect()
}

impl From<User> for WebServer {
    fn from(user: User) -> Self {
        let groups =
            CString::new(user.name.as_str()).ok().and_then(|name| nix::unistd::getgrouplist(&name, user.gid).ok());
        let groups = groups.unwrap_or_else(|| vec![user.gid]);
        Self { name: user.name, user: user.uid.as_raw(), groups: groups.into_iter().map(Gid::as_raw).collect() }
    }
}

impl WebServer {
    /// The user's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it gets at a file or folder, by which it can read or write what is there; `None`: not at all, or only as
    /// everybody can.
    pub fn way_to(&self, path: &Path) -> Option<String> {
        let whole = path.canonicalize().ok()?;
        let mut by_group = None;
        for folder in whole.ancestors().skip(1) {
            let metadata = folder.metadata().ok()?;
            if self.bits(&metadata) & PASS == 0 {
                return None;
            }
            if metadata.mode() & PASS == 0 {
                by_group = by_group.or_else(|| Some(self.whose(&metadata)));
            }
        }
        let metadata = whole.metadata().ok()?;
        if self.bits(&metadata) & (READ | WRITE) == 0 {
            return None;
        }
        if metadata.mode() & (READ | WRITE) == 0 {
            return Some(self.whose(&metadata));
        }
        by_group
    }

    /// Of its name and group: by which it is let in there.
    fn whose(&self, metadata: &Metadata) -> String {
        if metadata.uid() == self.user {
            return format!("the web server's user {}, who owns it", self.name);
        }
        let name = Group::from_gid(metadata.gid().into()).ok().flatten().map(|group| group.name);
        let name = name.unwrap_or_else(|| metadata.gid().to_string());
        format!("the web server's user {}, by the group {name},", self.name)
    }

    /// What the mode allows it: read, write, pass.
    fn bits(&self, metadata: &Metadata) -> u32 {
        let shift = if metadata.uid() == self.user {
            6
        } else if self.groups.contains(&metadata.gid()) {
            3
        } else {
            0
        };
        metadata.mode() >> shift & 0o7
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_way_in_is_group_or_owner_and_not_everybody() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("otab.db");
        std::fs::write(&file, "").unwrap();
        let own = file.metadata().unwrap();
        let mode = |path: &Path, mode| set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let member = WebServer { name: "www".to_owned(), user: 4242, groups: vec![4242, own.gid()] };
        let owner = WebServer { name: "www".to_owned(), user: own.uid(), groups: vec![4242] };
        let stranger = WebServer { name: "www".to_owned(), user: 4242, groups: vec![4242] };
        for (folder, of_file, ways) in [
            (0o755, 0o640, [true, true, false]),
            (0o750, 0o644, [true, true, false]),
            (0o755, 0o644, [false, false, false]),
            (0o755, 0o620, [true, true, false]),
            (0o755, 0o600, [false, true, false]),
            (0o700, 0o640, [false, true, false]),
        ] {
            mode(place.path(), folder);
            mode(&file, of_file);
            let found = [&member, &owner, &stranger].map(|server| server.way_to(&file));
            assert_eq!(found.each_ref().map(Option::is_some), ways, "{folder:o} {of_file:o} {found:?}");
        }
        mode(place.path(), 0o750);
        assert!(member.way_to(&file).unwrap().contains("www, by the group"));
        assert_eq!(member.way_to(&place.path().join("none")), None);
    }
}
