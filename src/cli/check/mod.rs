//! `otab check`: checks that the configuration and everything that it names work, and says what to do about each
//! thing that does not. It changes nothing and sends nothing.

mod clock;
mod customers;
mod disk;
mod door;
mod files;
mod finding;
mod helpdesk;
mod links;
mod log_place;
mod shape;
mod store;
mod tags;
mod tickets;
mod web_server;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::args;
use super::print;
use super::whom;
use crate::config::{self, Config};
use crate::db::{Access, Databases, Url};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::failure::Done;
use crate::log::Log;
use finding::Finding;

/// How long one question may take. Whoever checks is a person who waits; and what takes longer is worth a word.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(20);

/// A site, and connections that cannot write.
struct Bench<'s> {
    engine: &'s Engine,
    dbs: Databases,
}

/// Runs it. The status is that of the first thing that is bad: 78 for settings, 69 for what is away.
pub fn run(path: &Path, args: &args::Check) -> Done {
    let findings = check(path);
    if args.json {
        print::json(&findings.iter().map(Finding::as_json).collect::<Vec<_>>())?;
    } else {
        for finding in &findings {
            print::finding(finding.word(), finding.what, &finding.says, &finding.remedy)?;
        }
    }
    Ok(findings.iter().find_map(Finding::exit).unwrap_or(Exit::Ok))
}

fn check(path: &Path) -> Vec<Finding> {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(config::Error::Problems { problems, .. }) => return problems.iter().map(|p| refused(p)).collect(),
        Err(config::Error::Unreadable { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            let user = whom::user();
            let says = format!("{user} may not read {}: {source}", path.display());
            let remedy =
                format!("let {user} read it, and pass the folders above; in the mail path every mail waits until then");
            return vec![Finding::bad("configuration", Exit::Config, says, remedy)];
        }
        // For the mail path's user it may be as it should be: the checks are for that user to run.
        Err(error @ config::Error::Refused { .. }) if whom::is_root() => {
            let remedy = "run otab as the user to whom its files belong; only mails that root filters wait for this";
            return vec![Finding::bad("configuration", Exit::Config, error, remedy)];
        }
        Err(error) => return vec![refused(&error)],
    };
    let engine = match Engine::new(config, None, Arc::new(Log::none())) {
        Ok(engine) => engine,
        Err(error) => return vec![refused(&format!("{error:#}"))],
    };
    let mut bench = Bench { engine: &engine, dbs: crate::store::databases(Access::ReadOnly, QUESTION_TIMEOUT) };
    let mut findings = vec![Finding::good("configuration", path.display().to_string())];
    findings.extend(as_root(&engine, path));
    findings.extend(files::check(&engine, path));
    findings.extend(disk::check(&engine));
    findings.extend(store::check(&mut bench, path));
    findings.extend(clock::check(&mut bench));
    for source in &engine.config.customer_user {
        findings.extend(customers::check(&mut bench, &source.name));
    }
    findings.extend(tickets::check(&mut bench));
    findings.extend(helpdesk::check(&mut bench));
    findings.extend(helpdesk::prefix(&mut bench));
    findings.push(customers::marker(&mut bench));
    findings.extend(links::check(&engine));
    findings.extend(links::notification(&mut bench));
    findings.extend(door::check(&engine));
    findings.push(links::orders(&mut bench));
    findings
}

/// Root may read and write everything: that says nothing of the user that the mail path runs as.
fn as_root(engine: &Engine, path: &Path) -> Option<Finding> {
    if !whom::is_root() {
        return None;
    }
    let store = if let Url::Sqlite(store) = &engine.store { Some(store.as_path()) } else { None };
    let user = whom::likely_user(store, path);
    let says = "this is root, who may read and write everything: whether the mail path's user may is not known";
    let user = user.as_deref().unwrap_or("USER");
    let remedy =
        format!("unless mail is filtered as root: otab check --as {user}, or USER:GROUP as in Postfix's master.cf");
    Some(Finding::note("user", says, remedy))
}

fn refused(error: &dyn std::fmt::Display) -> Finding {
    let remedy = "mend it; in the mail path every mail waits until then";
    Finding::bad("configuration", Exit::Config, error, remedy)
}
