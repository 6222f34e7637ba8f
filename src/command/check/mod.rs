//! `otab check`: looks whether the configuration and everything that it names work, and says what to do
//! about each thing that does not. It changes nothing and sends nothing.

mod customers;
mod door;
mod files;
mod finding;
mod helpdesk;
mod links;
mod shape;
mod store;
mod tickets;

use std::path::Path;
use std::time::Duration;

use super::cli;
use super::failure::Done;
use super::print;
use super::site::Site;
use crate::config::{self, Config};
use crate::db::{Access, Databases};
use crate::exit::Exit;
use finding::Finding;

/// How long one question may take. Whoever checks is a person who waits; and what takes longer is worth a word.
const PATIENCE: Duration = Duration::from_secs(20);

/// A site, and connections that cannot write.
struct Bench<'s> {
    site: &'s Site,
    dbs: Databases,
}

/// Runs it. The status is that of the first thing that is bad: 78 for settings, 69 for what is away.
pub fn run(path: &Path, args: &cli::Check) -> Done {
    let findings = look(path);
    if args.json {
        print::json(&findings.iter().map(Finding::as_json).collect::<Vec<_>>())?;
    } else {
        for finding in &findings {
            print::finding(finding.word(), finding.what, &finding.says, &finding.remedy)?;
        }
    }
    Ok(findings.iter().find_map(Finding::exit).unwrap_or(Exit::Ok))
}

fn look(path: &Path) -> Vec<Finding> {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(config::Error::Problems { problems, .. }) => return problems.iter().map(|p| refused(p)).collect(),
        Err(error) => return vec![refused(&error)],
    };
    let site = match Site::new(config, None) {
        Ok(site) => site,
        Err(error) => return vec![refused(&format!("{error:#}"))],
    };
    let mut bench = Bench { site: &site, dbs: Databases::new(Access::ReadOnly, PATIENCE) };
    let mut findings = vec![Finding::good("configuration", path.display().to_string())];
    findings.extend(files::look(&site, path));
    findings.extend(store::look(&mut bench));
    for source in &site.config.customer_user {
        findings.extend(customers::look(&mut bench, &source.name));
    }
    findings.extend(tickets::look(&mut bench));
    findings.extend(helpdesk::look(&mut bench));
    findings.extend(helpdesk::prefix(&mut bench));
    findings.push(customers::marker(&mut bench));
    findings.extend(links::look(&site));
    findings.extend(links::notification(&mut bench));
    findings.extend(door::look(&site));
    findings.push(links::orders(&mut bench));
    findings
}

fn refused(error: &dyn std::fmt::Display) -> Finding {
    let remedy = "mend it; in the mail path every mail waits until then";
    Finding::bad("configuration", Exit::Config, error, remedy)
}
