//! New files in folders that others may write: a file has its contents, its owner and its mode before it has its name.
//!
//! A name can be exchanged between two looks at it, and an owner given to a path may reach another file. So the folder is
//! opened once, and everything after that is done to what was opened. Nothing is ever replaced.

use std::fs::{File, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

/// A folder, by what was opened and no longer by its path.
#[derive(Debug)]
pub struct Folder(File);

/// Whose a new file is to be, besides whose process makes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub user: Option<u32>,
    /// The group's number.
    pub group: Option<u32>,
}

/// Which file it is, whatever its name: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(u64, u64);

/// A file without its final name. It is gone if it never gets one.
#[derive(Debug)]
pub struct Draft<'f> {
    file: File,
    name: Interim<'f>,
}

/// A name that is taken away, unless the file has got another one.
#[derive(Debug)]
struct Interim<'f> {
    folder: &'f Folder,
    name: String,
}

impl Folder {
    /// Opens a folder; symbolic links on the way are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened: OwnedFd = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self(opened.into()))
    }

    /// Owner and mode of the folder.
    pub fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.0.metadata()
    }

    /// Puts the names in it on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// Makes an empty file for a user, with these permission bits, whatever the umask.
    pub fn draft(&self, mode: u32, owner: Owner) -> io::Result<Draft<'_>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Others may take a name before; that they take each of them is no accident.
        for _ in 0..100 {
            let name = format!(".otab-{:016x}.new", RandomState::new().hash_one(std::process::id()));
            let file: File = match rustix::fs::openat(&self.0, name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
                Err(Errno::EXIST) => continue,
                opened => opened?.into(),
            };
            let draft = Draft { file, name: Interim { folder: self, name } };
            rustix::fs::fchown(&draft.file, owner.user.map(Uid::from_raw), owner.group.map(Gid::from_raw))?;
            draft.file.set_permissions(Permissions::from_mode(mode))?;
            return Ok(draft);
        }
        Err(io::Error::new(ErrorKind::AlreadyExists, "no name is free for a new file"))
    }

    /// Which file has a name now; a symbolic link is not followed.
    fn identity(&self, name: &Path) -> io::Result<Identity> {
        let found = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Identity(found.st_dev, found.st_ino))
    }

    /// Takes a file away that was made here, if its name is still its own.
    pub fn take_away(&self, name: &Path, made: Identity) {
        if self.identity(name).is_ok_and(|found| found == made) {
            let _ = rustix::fs::unlinkat(&self.0, name, AtFlags::empty());
        }
    }

    /// Renames only if the new name is free.
    fn rename(&self, from: &str, to: &Path) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
            // File systems that cannot (NFS) can link, which never replaces.
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::linkat(&self.0, from, &self.0, to, AtFlags::empty())?;
                Ok(rustix::fs::unlinkat(&self.0, from, AtFlags::empty())?)
            }
            done => Ok(done?),
        }
    }
}

impl Draft<'_> {
    /// The file, to be written to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts it on the disk and gives it its name, unless that is taken. The file is closed before it has the name:
    /// SQLite's locks would end with a descriptor that is closed later.
    pub fn publish(self, name: &Path) -> io::Result<Identity> {
        let Self { file, name: interim } = self;
        file.sync_all()?;
        let metadata = file.metadata()?;
        let made = Identity(metadata.dev(), metadata.ino());
        drop(file);
        let folder = interim.folder;
        folder.rename(&interim.name, name)?;
        if folder.identity(name)? != made {
            return Err(io::Error::other("somebody has put another file in its place"));
        }
        folder.sync()?;
        Ok(made)
    }
}

impl Drop for Interim<'_> {
    fn drop(&mut self) {
        // After a rename, nothing has this name any more.
        let _ = rustix::fs::unlinkat(&self.folder.0, self.name.as_str(), AtFlags::empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_file_has_all_it_needs_before_its_name() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let own = folder.metadata().unwrap();
        let owner = Owner { user: Some(own.uid()), group: Some(own.gid()) };
        let mut draft = folder.draft(0o640, owner).unwrap();
        std::io::Write::write_all(draft.file(), b"text").unwrap();
        let path = place.path().join("name");
        assert!(!path.exists() && names(place.path()) == 1);
        let made = draft.publish(Path::new("name")).unwrap();
        let metadata = path.metadata().unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.uid(), metadata.gid()), (0o640, own.uid(), own.gid()));
        assert_eq!((std::fs::read(&path).unwrap(), names(place.path())), (b"text".to_vec(), 1));

        // Another file of that name is not the one that was made.
        std::fs::rename(&path, place.path().join("kept")).unwrap();
        std::fs::write(&path, "another").unwrap();
        folder.take_away(Path::new("name"), made);
        assert!(path.exists());
        std::fs::rename(place.path().join("kept"), &path).unwrap();
        folder.take_away(Path::new("name"), made);
        assert_eq!(names(place.path()), 0);
    }

    #[test]
    fn what_has_the_name_is_never_replaced() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let victim = place.path().join("victim");
        std::fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, place.path().join("link")).unwrap();
        for name in ["victim", "link"] {
            let draft = folder.draft(0o600, Owner::default()).unwrap();
            assert_eq!(draft.publish(Path::new(name)).unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!((std::fs::read(&victim).unwrap(), names(place.path())), (b"mine".to_vec(), 2));
    }

    #[test]
    fn a_draft_that_was_exchanged_is_no_success() {
        let place = tempfile::tempdir().unwrap();
        let victim = tempfile::NamedTempFile::new().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let draft = folder.draft(0o660, Owner::default()).unwrap();
        let interim = std::fs::read_dir(place.path()).unwrap().next().unwrap().unwrap().path();
        std::fs::remove_file(&interim).unwrap();
        std::os::unix::fs::symlink(victim.path(), &interim).unwrap();
        assert!(draft.publish(Path::new("name")).is_err());
        assert_eq!(victim.path().metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_folder_is_the_one_that_was_opened() {
        let place = tempfile::tempdir().unwrap();
        let (before, after) = (place.path().join("before"), place.path().join("after"));
        std::fs::create_dir(&before).unwrap();
        let folder = Folder::open(&before).unwrap();
        std::fs::rename(&before, &after).unwrap();
        std::fs::create_dir(&before).unwrap();
        folder.draft(0o600, Owner::default()).unwrap().publish(Path::new("name")).unwrap();
        assert_eq!((names(&before), names(&after)), (0, 1));
    }
}
