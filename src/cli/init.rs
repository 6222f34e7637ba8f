//! `otab init`: writes the commented configuration and makes the database that it names, a file or the tables on
//! a server.
//!
//! Never overwrites anything, and looks at everything that could be in the way before it writes:
//! a refusal has changed nothing.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::User;

use super::args;
use super::print;
use crate::config::{self, Config};
use crate::db::Url;
use crate::draft::{Draft, Folder, Identity, Owner};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
use crate::log::Log;
use crate::mode::{group_can_write, is_sticky, others_can_write};

/// setgid, and the group may read, write and enter.
const FOR_GROUP: u32 = 0o2070;

/// Runs it. The configuration comes where every other command would read it.
pub fn run(config: &Path, args: &args::Init) -> Done {
    let folder = folder(config)?;
    let group = args.group.as_deref().map(Group::named).transpose()?;
    let user = args.user.as_deref().map(user_named).transpose()?;
    let text = text(args)?;
    let store = store(&text, &folder)?;
    let hint = "; where only its database is missing, store.create = true lets the next mail make it, and \
                `otab store migrate` makes tables on a server";
    // Opened once, judged, and then worked in: their paths could lead elsewhere a moment later.
    let home = Folder::open(&folder).ends(Exit::CantCreate, "the configuration's folder")?;
    judge(&home, &folder, group.as_ref())?;
    refuse_existing(config, hint)?;
    let place = match &store {
        Url::Sqlite(path) => {
            refuse_existing(path, "")?;
            Some(store_folder(path, group.as_ref(), user.as_ref())?)
        }
        _ => None,
    };
    let owner =
        Owner { user: user.as_ref().map(|user| user.uid.as_raw()), group: group.as_ref().map(|group| group.gid) };
    let draft = draft(&home, &text, owner)?;
    let made = make(&store, place.as_ref(), owner)?;
    // Gets its name, unless somebody else has taken it by now.
    if let Err(error) = draft.publish(Path::new(config.file_name().unwrap_or_default())) {
        // Made a moment ago, and no configuration names it. (Tables on a server may be another host's.)
        if let (Url::Sqlite(path), Some(place), Some(made)) = (&store, &place, made) {
            place.take_away(Path::new(path.file_name().unwrap_or_default()), made);
        }
        return Err(error).ends(Exit::CantCreate, "the configuration cannot be written");
    }
    let shown = folder.join(config.file_name().unwrap_or_default());
    let database = if let Url::Sqlite(path) = &store { path.display().to_string() } else { store.to_string() };
    print::line(&format!("configuration: {}\ndatabase: {database}", shown.display()))?;
    if let Some(user) = user {
        print::line(&format!("from now on run otab as this user: sudo -u {} otab check", user.name))?;
    }
    Ok(Exit::Ok)
}

/// What is there stays as it is. A dangling link is something, too.
fn refuse_existing(path: &Path, hint: &str) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        let what = format!("{} is there already; nothing was changed{hint}", path.display());
        return Err(Failure::new(Exit::CantCreate, what));
    }
    Ok(())
}

fn user_named(name: &str) -> Result<User, Failure> {
    let found = User::from_name(name).ends(Exit::Unavailable, "the system's users")?;
    found.ok_or_else(|| Failure::new(Exit::NoUser, format!("there is no user `{name}`")))
}

/// A group of this system.
struct Group {
    name: String,
    gid: u32,
}

impl Group {
    fn named(name: &str) -> Result<Self, Failure> {
        let found = nix::unistd::Group::from_name(name).ends(Exit::Unavailable, "the system's groups")?;
        let found = found.ok_or_else(|| Failure::new(Exit::NoUser, format!("there is no group `{name}`")))?;
        Ok(Self { name: found.name, gid: found.gid.as_raw() })
    }
}

/// The configuration's folder, made canonical as reading a configuration does it.
fn folder(config: &Path) -> Result<PathBuf, Failure> {
    let folder = config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().map_err(|error| {
        let shown = quoted(folder);
        let what = format!(
            "the configuration is to be {}: {error}; make its folder first: mkdir -m 755 {shown}; or name another place \
             with --config",
            config.display()
        );
        Failure::new(Exit::CantCreate, what)
    })
}

/// The example, with the store that is asked for. Every default stays a comment: a later version's may be better.
fn text(args: &args::Init) -> Result<String, Failure> {
    let Some(url) = &args.store else { return Ok(config::example()) };
    let mut text = set(&config::example(), "#url = \"sqlite:otab.db\"", &format!("url = {}", in_toml(url)))?;
    text = set(&text, "create = true", "#create = false")?;
    if let Some(file) = &args.store_password_file {
        let path = std::path::absolute(file).ends(Exit::NoInput, "the password's file")?;
        let path =
            path.to_str().ok_or_else(|| Failure::new(Exit::DataErr, "the password's file: its path is not UTF-8"))?;
        text = set(&text, "#password_file = \"store.secret\"", &format!("password_file = {}", in_toml(path)))?;
    }
    Ok(text)
}

/// The text with its first line `old` in another form.
fn set(text: &str, old: &str, new: &str) -> Result<String, Failure> {
    let (before, after) = text
        .split_once(&format!("\n{old}\n"))
        .ok_or_else(|| Failure::new(Exit::Software, format!("otab's own example has no line `{old}`")))?;
    Ok(format!("{before}\n{new}\n{after}"))
}

/// As a basic string of TOML: JSON writes it the same way.
fn in_toml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The store that the configuration names.
fn store(text: &str, folder: &Path) -> Result<Url, Failure> {
    let config = Config::parse(text, folder).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Usage, problems.join("; "))
    })?;
    Ok(Engine::new(config, None, Arc::new(Log::none())).ends(Exit::Usage, "--store")?.store)
}

/// A configuration that others can replace would be refused ever after.
fn judge(opened: &Folder, folder: &Path, group: Option<&Group>) -> Result<(), Failure> {
    let what = |why: String| Failure::new(Exit::NoPerm, format!("{why}; nothing was changed"));
    if let Some(why) = config::refused_folder(folder).ends(Exit::CantCreate, "the folder")? {
        return Err(what(format!("a configuration there would be refused: {why}")));
    }
    let metadata = opened.metadata().ends(Exit::CantCreate, "the folder")?;
    let Some(group) = group.filter(|group| metadata.gid() == group.gid) else { return Ok(()) };
    if !group_can_write(&metadata) {
        return Ok(());
    }
    Err(what(format!(
        "the group {} can write {} and could replace the configuration: name another folder for the configuration \
         (--config), or for the database (--store sqlite:PATH)",
        group.name,
        quoted(folder)
    )))
}

/// The database's folder. SQLite makes files beside the database, which have to be the group's as well: only a setgid
/// folder sees to that.
fn store_folder(path: &Path, group: Option<&Group>, user: Option<&User>) -> Result<Folder, Failure> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let what = format!("the database's folder {}", folder.display());
    let opened = Folder::open(folder).ends(Exit::CantCreate, &what)?;
    let metadata = opened.metadata().ends(Exit::CantCreate, &what)?;
    let shown = quoted(folder);
    if let Some(group) = group
        && (metadata.mode() & FOR_GROUP != FOR_GROUP || metadata.gid() != group.gid)
    {
        let name = &group.name;
        let what = format!(
            "files in {shown} would not all be the group's; nothing was changed. Prepare the folder first:\n\
             chgrp {name} {shown} && chmod 2770 {shown}"
        );
        return Err(Failure::new(Exit::NoPerm, what));
    }
    if let Some(user) = user
        && (metadata.uid() != user.uid.as_raw() || (group_can_write(&metadata) || others_can_write(&metadata)))
    {
        let name = &user.name;
        let what = format!(
            "{shown} is not the user {name}'s alone; nothing was changed. Prepare the folder first:\n\
             chown {name} {shown} && chmod 700 {shown}"
        );
        return Err(Failure::new(Exit::NoPerm, what));
    }
    if user.is_none() && group.is_none() && nix::unistd::geteuid().is_root() && metadata.uid() != 0 {
        let owner = User::from_uid(metadata.uid().into()).ok().flatten();
        let owner = owner.map_or_else(|| format!("#{}", metadata.uid()), |user| user.name);
        let what = format!(
            "{shown} belongs to the user {owner}, who could not use a database of root's; nothing was changed. Add \
             --user {owner}"
        );
        return Err(Failure::new(Exit::NoPerm, what));
    }
    if others_can_write(&metadata) && !is_sticky(&metadata) {
        let what = format!(
            "others can write {shown} and could replace the database; nothing was changed. First:\nchmod o-w {shown}"
        );
        return Err(Failure::new(Exit::NoPerm, what));
    }
    Ok(opened)
}

/// The complete configuration, under a name that goes when the rest fails.
fn draft<'f>(folder: &'f Folder, text: &str, owner: Owner) -> Result<Draft<'f>, Failure> {
    let write = || -> std::io::Result<Draft<'f>> {
        let mode = match owner {
            Owner { group: Some(_), .. } => 0o640,
            // Not even by the user themselves by accident: what they run only reads it.
            Owner { user: Some(_), .. } => 0o400,
            _ => 0o600,
        };
        let mut draft = folder.draft(mode, owner)?;
        draft.file().write_all(text.as_bytes())?;
        Ok(draft)
    };
    write().ends(Exit::CantCreate, "the configuration cannot be written")
}

/// On a server the tables, where they are not there already: several hosts share them. Else a file in its folder, for
/// its owner.
fn make(store: &Url, place: Option<&Folder>, owner: Owner) -> Result<Option<Identity>, Failure> {
    let (Url::Sqlite(path), Some(place)) = (store, place) else {
        crate::store::migrate(store)?;
        return Ok(None);
    };
    let mode = if owner.group.is_some() { 0o660 } else { 0o600 };
    crate::store::create_in(place, path, mode, owner).map(Some).ends(Exit::CantCreate, "the database cannot be made")
}

/// As a shell reads it back.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_folders_are_quoted_for_the_shell() {
        assert_eq!(quoted(Path::new("/var/lib/otab")), "/var/lib/otab");
        assert_eq!(quoted(Path::new("/tmp/a b'c")), r"'/tmp/a b'\''c'");
    }
}
