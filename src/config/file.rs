//! Opens the configuration file, and the files with secrets that it names, if they can be trusted.
//!
//! A configuration names commands and says which mail is trusted: a user who can change it is as good as otab's
//! own. This file opens nothing else, and writes nothing.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::entrusted;
use super::problem::{Complaint, Error, complaint};
use crate::mode;

/// Longest file that is read, in bytes. A larger one is no configuration.
const MAX: u64 = 1 << 20;

/// Why a configuration in this folder would be refused for the folder's sake.
pub fn refused_folder(folder: &Path) -> io::Result<Option<String>> {
    // The caller is about to make the file, and will be its owner.
    match judge_folder(folder, rustix::process::geteuid().as_raw()) {
        Err(Failure::Refused(why)) => return Ok(Some(why)),
        Err(Failure::System(error)) => return Err(error),
        Ok(()) => {}
    }
    if rustix::process::geteuid().is_root() { entrusted::of_folders(folder) } else { Ok(None) }
}

/// A failure on the way to a file's text.
enum Failure {
    System(io::Error),
    Refused(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// Whether what a file says is done, or is only a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Obeyed {
    Yes,
    No,
}

/// The configuration's text, and the folder from which its relative paths count: that of the path
/// as given, made canonical. (Not that of a symbolic link's target, which may lie in a store of
/// many configurations.)
pub(super) fn configuration(path: &Path) -> Result<(String, PathBuf), Error> {
    let result = text(path, Obeyed::Yes).and_then(|text| Ok((text, folder(path).canonicalize()?)));
    result.map_err(|failure| match failure {
        Failure::System(source) => Error::Unreadable { path: path.to_owned(), source },
        Failure::Refused(why) => Error::Refused { path: path.to_owned(), why },
    })
}

/// A secret from a file, less one last line break.
pub(super) fn secret(path: &Path) -> Result<String, Complaint> {
    match text(path, Obeyed::No) {
        Ok(text) => {
            let line = text.strip_suffix('\n').unwrap_or(&text);
            Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
        }
        Err(Failure::System(error)) => Err(complaint(
            format!("names a file that cannot be read ({})", error.kind()),
            "put it there, readable for otab's user",
        )),
        Err(Failure::Refused(why)) => Err(complaint("names a file that is refused", why)),
    }
}

fn text(path: &Path, obeyed: Obeyed) -> Result<String, Failure> {
    // Without NONBLOCK, opening a named pipe would wait for a writer. What was opened is what is
    // judged: a check before opening could be raced.
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    let metadata = file.metadata()?;
    judge(path, &metadata)?;
    if obeyed == Obeyed::Yes
        && rustix::process::geteuid().is_root()
        && let Some(why) = entrusted::refusal(path, &metadata)?
    {
        return Err(Failure::Refused(why));
    }
    let text = String::from_utf8(bytes(file, metadata.len())?);
    text.map_err(|_| Failure::Refused("it is not UTF-8; save it as UTF-8".to_owned()))
}

fn bytes(file: File, size: u64) -> Result<Vec<u8>, Failure> {
    // One more than it should hold, so that its end shows with the first read.
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(MAX) + 1).unwrap_or_default());
    file.take(MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX {
        let why = "it is longer than 1 MiB; is it the right file?";
        return Err(Failure::Refused(why.to_owned()));
    }
    Ok(bytes)
}

fn judge(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    if !metadata.is_file() {
        return Err(Failure::Refused("it is no regular file".to_owned()));
    }
    if mode::others_can_write(metadata) {
        return Err(Failure::Refused("others can write it; chmod o-w it".to_owned()));
    }
    judge_folder(folder(path), path.symlink_metadata()?.uid())?;
    let target = path.canonicalize()?;
    judge_folder(folder(&target), metadata.uid())
}

/// A file in a folder that others can write can be replaced by them; in one with the sticky bit
/// (`/tmp`) it cannot, but they may have put it there in the first place.
fn judge_folder(folder: &Path, owner: u32) -> Result<(), Failure> {
    let metadata = folder.metadata()?;
    if !mode::others_can_write(&metadata) {
        return Ok(());
    }
    let name = folder.display();
    if !mode::is_sticky(&metadata) {
        let why = format!("others can write its folder {name}; chmod o-w the folder");
        return Err(Failure::Refused(why));
    }
    let trusted = [0, rustix::process::geteuid().as_raw()];
    if !trusted.contains(&owner) {
        let why = format!("it is somebody else's, in {name}, where all can put files; move it");
        return Err(Failure::Refused(why));
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        // Only `/` has no parent at all, and that is no regular file.
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn refusal(path: &Path) -> Option<String> {
        match configuration(path) {
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_can_change_is_refused() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("etc");
        fs::create_dir(&folder).unwrap();
        chmod(&folder, 0o755);
        let file = folder.join("otab.toml");
        fs::write(&file, "").unwrap();
        chmod(&file, 0o664);
        assert_eq!(refusal(&file), None);

        chmod(&file, 0o666);
        assert!(refusal(&file).unwrap().contains("others can write it"));
        chmod(&file, 0o644);
        chmod(&folder, 0o777);
        assert!(refusal(&file).unwrap().contains("others can write its folder"));
        let link = top.path().join("link.toml");
        symlink(&file, &link).unwrap();
        assert!(refusal(&link).unwrap().contains("others can write its folder"));
        chmod(&folder, 0o1777);
        assert_eq!(refusal(&file), None);
        assert_eq!(refusal(&link), None);
    }

    #[test]
    fn what_is_no_text_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(refusal(&path("none")).unwrap().contains("No such file"));
        assert!(refusal(folder.path()).unwrap().contains("no regular file"));
        assert!(refusal(Path::new("/dev/null")).unwrap().contains("no regular file"));
        fs::write(path("latin1"), b"# J\xfcrgen\n").unwrap();
        assert!(refusal(&path("latin1")).unwrap().contains("not UTF-8"));
        fs::write(path("just"), " ".repeat(1 << 20)).unwrap();
        assert_eq!(refusal(&path("just")), None);
        fs::write(path("long"), " ".repeat((1 << 20) + 1)).unwrap();
        assert!(refusal(&path("long")).unwrap().contains("longer than 1 MiB"));
    }

    #[test]
    fn a_pipe_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
        assert!(refusal(&pipe).unwrap().contains("no regular file"));
    }
}
