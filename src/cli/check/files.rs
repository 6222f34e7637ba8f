//! Modes of the files and folders that the configuration names: who else can read what is secret, or change what
//! decides.
//!
//! A file counts as readable for others only where they get at it: through every folder above it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use super::{log_place, web_server};
use crate::cli::{init, whom};
use crate::config::{self, Transport};
use crate::db::Url;
use crate::engine::Engine;
use crate::exit::Exit;

const OTHERS_READ: u32 = 0o004;
const OTHERS_WRITE: u32 = 0o002;
const OTHERS_PASS: u32 = 0o001;
/// In a folder with this bit, nobody but the owner can remove or replace a file.
const STICKY: u32 = 0o1000;

/// Looks at all of them; one line, where nothing is wrong.
pub fn check(engine: &Engine, path: &Path) -> Vec<Finding> {
    let mut findings = secrets(path);
    if let Url::Sqlite(database) = &engine.store {
        findings.extend(private(database, "the store: it holds links that are still to be sent"));
        findings.extend(replaceable(database));
    }
    for source in &engine.config.customer_user {
        if let Ok(Url::Sqlite(database)) = engine.directory.url(&source.name)
            && *database != *site_path(&engine.store)
        {
            findings.extend(private(database, "customers"));
            findings.extend(replaceable(database));
        }
    }
    findings.extend(templates(engine));
    if let Transport::File(folder) = &engine.config.mail.transport {
        findings.extend(private(folder, "mail.folder: the mails in it hold links"));
    }
    if let Some(file) = &engine.config.log.file {
        findings.extend(log(file));
        findings.extend(log_place::check(file, &users(engine)));
    }
    findings.extend(for_web_server(engine, path));
    findings.extend(after_create(engine));
    findings.extend(environment(engine));
    if findings.is_empty() {
        findings.push(Finding::good("files", "nobody else can read what is secret, or change what decides"));
    }
    findings
}

/// The helpdesk's own program, run by root, would be its owner's way to root.
fn after_create(engine: &Engine) -> Option<Finding> {
    let program = Path::new(engine.config.create.after_create.first().filter(|_| whom::is_root())?);
    let why = config::program_refused(program).ok()??;
    let says = format!("create.after_create names {}, which root must not run: {why}", program.display());
    Some(Finding::bad("files", Exit::Config, says, "run otab as the user who runs the helpdesk's console"))
}

/// Secrets from variables: each process of the same user can read them, the next stage too.
fn environment(engine: &Engine) -> Option<Finding> {
    let variables = &engine.config.variables;
    let says = format!("secrets come from the environment: {}", variables.join(", "));
    let remedy = "rather use files: whatever runs as the same user can read the variables of its other processes";
    (!variables.is_empty()).then(|| Finding::note("files", says, remedy))
}

/// What the web server can get at without everybody's help.
fn for_web_server(engine: &Engine, path: &Path) -> Vec<Finding> {
    let mut private: Vec<(PathBuf, String)> = Vec::new();
    let sources = engine.config.customer_user.iter().filter_map(|source| engine.directory.url(&source.name).ok());
    for url in sources.chain([&engine.store]) {
        if let Url::Sqlite(database) = url {
            private.push((database.clone(), "the store, or customers".to_owned()));
        }
    }
    for kept in config::secrets(path).unwrap_or_default() {
        private.push((kept.file.unwrap_or_else(|| path.to_owned()), kept.key));
    }
    if let Transport::File(folder) = &engine.config.mail.transport {
        private.push((folder.clone(), "mail.folder".to_owned()));
    }
    if let Some(file) = &engine.config.log.file {
        private.push((file.clone(), "log.file".to_owned()));
    }
    private.sort();
    private.dedup_by(|a, b| a.0 == b.0);
    let servers = web_server::all();
    let found = private.into_iter().filter_map(|(path, what)| {
        let (server, way) = servers.iter().find_map(|server| Some((server, server.way_to(&path)?)))?;
        let says = format!("{way} can read or write {} ({what})", path.display());
        let group = format!("; if otab's users share a group, take {} out of it", server.name());
        Some(Finding::bad("files", Exit::Config, says, chmod("go-rwx", &path) + &group))
    });
    found.collect()
}

/// Who runs otab, as far as can be seen: the user who runs this, and the one to whom the store belongs.
fn users(engine: &Engine) -> Vec<u32> {
    let owner = metadata(site_path(&engine.store)).map(|store| store.uid());
    owner.into_iter().chain([nix::unistd::geteuid().as_raw()]).collect()
}

/// The store's path; empty where it is no file.
fn site_path(store: &Url) -> &Path {
    if let Url::Sqlite(path) = store { path } else { Path::new("") }
}

/// The configuration where it holds secrets, and the files that do.
fn secrets(path: &Path) -> Vec<Finding> {
    let Ok(kept) = config::secrets(path) else { return Vec::new() };
    let mut findings = Vec::new();
    let inside: Vec<&str> = kept.iter().filter(|kept| kept.file.is_none()).map(|kept| kept.key.as_str()).collect();
    if !inside.is_empty() && is_readable(path) {
        let says = format!("{} holds {}, and others can read it", path.display(), inside.join(", "));
        findings.push(bad(says, path, "o-r"));
    }
    for kept in kept {
        if let Some(file) = kept.file.filter(|file| is_readable(file)) {
            findings.push(bad(format!("others can read {} ({})", file.display(), kept.key), &file, "o-r"));
        }
    }
    findings
}

/// Something of which others should see nothing at all.
fn private(path: &Path, what: &str) -> Option<Finding> {
    let mode = metadata(path)?.mode();
    (mode & (OTHERS_READ | OTHERS_WRITE) != 0 && is_reachable(path))
        .then(|| bad(format!("others can read or write {} ({what})", path.display()), path, "o-rwx"))
}

/// A file whose folder others can write can be taken away, and another put there.
fn replaceable(path: &Path) -> Option<Finding> {
    let folder = path.parent()?;
    let mode = metadata(folder)?.mode();
    (mode & (OTHERS_WRITE | STICKY) == OTHERS_WRITE && is_reachable(folder))
        .then(|| bad(format!("others can write {}, and replace {}", folder.display(), path.display()), folder, "o-w"))
}

/// Templates decide what a link mail says, and where its links lead.
fn templates(engine: &Engine) -> Vec<Finding> {
    let Some(folder) = &engine.config.one_time_auth.templates else { return Vec::new() };
    let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = files.collect();
    paths.sort();
    paths.insert(0, folder.clone());
    let is_open = |path: &PathBuf| metadata(path).is_some_and(|it| it.mode() & OTHERS_WRITE != 0) && is_reachable(path);
    let open = paths.into_iter().filter(is_open);
    open.map(|path| bad(format!("others can write {}, and decide what link mails say", path.display()), &path, "o-w"))
        .collect()
}

/// The log names senders and customers.
fn log(path: &Path) -> Option<Finding> {
    let mode = metadata(path)?.mode();
    if mode & (OTHERS_READ | OTHERS_WRITE) == 0 || !is_reachable(path) {
        return None;
    }
    if mode & OTHERS_WRITE != 0 {
        return Some(bad(format!("others can write {} (log.file)", path.display()), path, "o-w"));
    }
    let says = format!("others can read {} (log.file), which names customers", path.display());
    Some(Finding::note("files", says, chmod("o-r", path)))
}

fn bad(says: String, path: &Path, change: &str) -> Finding {
    Finding::bad("files", Exit::Config, says, chmod(change, path))
}

fn chmod(change: &str, path: &Path) -> String {
    format!("chmod {change} {}", init::quoted(path))
}

fn metadata(path: &Path) -> Option<Metadata> {
    std::fs::metadata(path).ok()
}

fn is_readable(path: &Path) -> bool {
    metadata(path).is_some_and(|it| it.mode() & OTHERS_READ != 0) && is_reachable(path)
}

/// Whether others may pass through every folder above.
fn is_reachable(path: &Path) -> bool {
    let Ok(whole) = path.canonicalize() else { return false };
    let mut above = whole.ancestors().skip(1);
    above.all(|folder| metadata(folder).is_some_and(|it| it.mode() & OTHERS_PASS != 0))
}
