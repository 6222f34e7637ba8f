//! otab's own database: product, schema, rights, tokens; the orders in it are looked at with the link mails.

use std::path::Path;

use rustix::fs::Access as FileAccess;

use super::finding::Finding;
use super::{Bench, shape};
use crate::cli::{init, whom};
use crate::config;
use crate::db::{Error, Kind as ErrorKind, Url};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::store::{self, Soundness, tokens};

/// A log of SQLite's that has grown beyond this, in bytes, has a reader that never ends.
const HUGE_LOG: u64 = 256 << 20;

/// Looks at it; `config` is where the configuration is.
pub fn check(bench: &mut Bench<'_>, config: &Path) -> Vec<Finding> {
    // First, since whatever else is read of a damaged file may be wrong.
    let file = if let Url::Sqlite(path) = &bench.engine.store { path.as_path() } else { Path::new("") };
    let note = match bench.dbs.get(&bench.engine.store).and_then(store::soundness) {
        Ok(Soundness::Sound) => None,
        Ok(Soundness::Unknown) => Some(unread(file)),
        Ok(Soundness::Damaged(faults)) => return vec![damaged(file, &faults)],
        Err(error) => return vec![failed(bench.engine, &error, config)],
    };
    let mut findings = match try_to_look(bench) {
        Ok(findings) => findings,
        Err(error) => return vec![failed(bench.engine, &error, config)],
    };
    findings.extend(note);
    if let Url::Sqlite(path) = &bench.engine.store {
        findings.extend(folder(path));
    }
    if bench.engine.config.store.create {
        let remedy = "set it to false, now that the database is there: a mistyped path is then an error";
        findings.push(Finding::note("store", "store.create is true", remedy));
    }
    findings.extend(log(&bench.engine.store));
    findings
}

/// Why it does not open, and what to do about it.
fn failed(engine: &Engine, error: &Error, config: &Path) -> Finding {
    let bad = |says: String, remedy: String| Finding::bad("store", Exit::Unavailable, says, remedy);
    let Url::Sqlite(path) = &engine.store else {
        return bad(
            error.to_string(),
            "see store.url; `otab store migrate` makes the tables and brings them up to date".into(),
        );
    };
    let (shown, user) = (init::quoted(path), whom::user());
    let remedy = match error.kind() {
        ErrorKind::Missing if engine.config.store.create => return to_be_made(engine, path, config, error),
        ErrorKind::Missing => format!(
            "see store.url{}; otab init makes a store, and so does a mail with create = true",
            relative(engine, path)
        ),
        ErrorKind::Foreign => format!(
            "no mail makes a store there: set store.url to otab's own file; if {shown} was that, {}",
            restore(path)
        ),
        ErrorKind::Older => "run `otab store migrate`; until then all mail is deferred".to_owned(),
        ErrorKind::Newer => "another otab has migrated it: install that version on this machine, too".to_owned(),
        ErrorKind::Moved => "set store.url to the new place".to_owned(),
        ErrorKind::Damaged => restore(path),
        _ if !whom::may(path, FileAccess::READ_OK | FileAccess::WRITE_OK) => {
            let says = format!("{user} may not read and write {}: {error}", path.display());
            let remedy = format!(
                "let {user} read and write {shown} and its folder, and pass the folders above{}",
                relative(engine, path)
            );
            return bad(says, remedy);
        }
        _ if path.parent().is_some_and(|folder| folder.is_dir() && !whom::may_make_files(folder)) => {
            let says = format!("{user} may not make files beside {}, and SQLite needs some: {error}", path.display());
            return bad(says, format!("let {user} write the folder of {shown}{}", relative(engine, path)));
        }
        _ => format!("see store.url{}, and owner and mode of the file and its folder", relative(engine, path)),
    };
    bad(error.to_string(), remedy)
}

/// A store that the first mail makes, if it may.
fn to_be_made(engine: &Engine, path: &Path, config: &Path, error: &Error) -> Finding {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let (shown, user) = (init::quoted(folder), whom::user());
    let bad = |why: String, remedy: String| {
        let says = format!("{} is not there, and the first mail cannot make it: {why}", path.display());
        Finding::bad("store", Exit::Unavailable, says, format!("{remedy}{}", relative(engine, path)))
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if path.symlink_metadata().is_ok() {
        return bad(
            "its name is a link that leads nowhere".to_owned(),
            "remove the link, or make what it leads to".to_owned(),
        );
    }
    if Path::new(&log).metadata().is_ok_and(|log| log.len() > 0) {
        let why = format!("{} is there, with what was written last", Path::new(&log).display());
        return bad(why, "put the store back beside it; or, to start anew, remove it, too".to_owned());
    }
    if !folder.is_dir() {
        return bad(
            format!("there is no folder {shown}, or {user} may not pass to it"),
            format!("make the folder, for {user}"),
        );
    }
    if !whom::may_make_files(folder) {
        return bad(format!("{user} may not make files in {shown}"), format!("let {user} write the folder"));
    }
    if whom::is_root() && whom::shuts_out_readers(config, folder) {
        let why = format!("only root may make files in {shown}, and the configuration is for others as well");
        return bad(why, "let the user of the mail path write the folder, or name another one in store.url".to_owned());
    }
    Finding::note("store", error.to_string(), "the first mail makes it")
}

/// A word on a path that the configuration does not name as a whole.
fn relative(engine: &Engine, path: &Path) -> String {
    let url = &engine.config.store.url;
    if url.starts_with("sqlite:/") {
        return String::new();
    }
    format!(
        " (store.url = {url:?} is {}, since relative paths are taken from the configuration's folder)",
        path.display()
    )
}

fn restore(path: &Path) -> String {
    let shown = init::quoted(path);
    format!(
        "stop the mail path, keep a copy, and put a backup in its place; or save what can be saved: \
         sqlite3 {shown} .recover | sqlite3 new.db; sqlite3 new.db 'PRAGMA journal_mode=wal'"
    )
}

/// Nobody notices a damaged page until a mail needs it.
fn damaged(store: &Path, faults: &[String]) -> Finding {
    let says = format!("{} is damaged: {}", store.display(), faults.join("; "));
    Finding::bad("store", Exit::Unavailable, says, restore(store))
}

fn unread(store: &Path) -> Finding {
    let says = format!("{} is too large to be read through now: whether it is damaged is not known", store.display());
    let remedy = format!("once in a while: sqlite3 {} 'PRAGMA quick_check'", init::quoted(store));
    Finding::note("store", says, remedy)
}

/// SQLite makes files beside the store.
fn folder(path: &Path) -> Option<Finding> {
    let real = path.canonicalize().ok()?;
    let folder = real.parent()?;
    if whom::may_make_files(folder) {
        return None;
    }
    let (user, shown) = (whom::user(), init::quoted(folder));
    let says = format!("{user} may not make files in {shown}, and SQLite needs some beside the store");
    Some(Finding::bad("store", Exit::Unavailable, says, format!("let {user} write the folder")))
}

fn try_to_look(bench: &mut Bench<'_>) -> Result<Vec<Finding>, Error> {
    let url = config::masked_url(&bench.engine.config.store.url);
    let db = bench.dbs.get(&bench.engine.store)?;
    let (product, mut findings) = shape::check("store", "the store", db, &store::needs(), "store.url")?;
    let version = store::version(db)?;
    let states = tokens::count_by_state(db)?;
    let tokens = if states.is_empty() { String::new() } else { format!("; tokens: {}", shape::examples(&states)) };
    let says = format!("{url} opens ({product}, schema {version}){tokens}");
    findings.insert(0, Finding::good("store", says));
    Ok(findings)
}

fn log(store: &Url) -> Option<Finding> {
    let Url::Sqlite(path) = store else { return None };
    let mut name = path.clone().into_os_string();
    name.push("-wal");
    let length = std::fs::metadata(&name).ok()?.len();
    if length <= HUGE_LOG {
        return None;
    }
    let says = format!("{} has grown to {} MiB", name.display(), length >> 20);
    let remedy = "some process holds the database open and reads for long: `fuser` names it; never remove this file";
    Some(Finding::note("store", says, remedy))
}
