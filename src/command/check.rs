//! `otab check`: looks whether the configuration and everything that it names work, and says what to do
//! about each thing that does not. It changes nothing and sends nothing.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::cli;
use super::door_fit;
use super::failure::Done;
use super::notify;
use super::people;
use super::print;
#[cfg(feature = "door")]
use super::serve;
use super::site::Site;
use crate::clock;
use crate::config::{self, Config};
use crate::customer;
use crate::exit::Exit;
use crate::link::outbox;
use crate::link::probe::probe;
use crate::link::template::Templates;

/// How long a mail server is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// From when on an order that waits is worth a word.
const OVERDUE: SignedDuration = SignedDuration::from_mins(10);

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    grade: Grade,
    says: String,
    remedy: &'static str,
}

/// How it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grade {
    Good,
    /// Works, and somebody should know.
    Note,
    /// Does not work; the status to end with.
    Bad(Exit),
}

impl Finding {
    fn good(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, grade: Grade::Good, says: says.into(), remedy: "" }
    }

    fn note(what: &'static str, says: impl Into<String>, remedy: &'static str) -> Self {
        Self { what, grade: Grade::Note, says: says.into(), remedy }
    }

    fn bad(what: &'static str, exit: Exit, says: impl std::fmt::Display, remedy: &'static str) -> Self {
        Self { what, grade: Grade::Bad(exit), says: says.to_string(), remedy }
    }

    fn word(&self) -> &'static str {
        match self.grade {
            Grade::Good => "ok",
            Grade::Note => "note",
            Grade::Bad(_) => "BAD",
        }
    }
}

/// Runs it. The status is that of the first thing that is bad: 78 for settings, 69 for what is away.
pub fn run(path: &Path, args: &cli::Check) -> Done {
    let findings = look(path);
    if args.json {
        let list = findings.iter().map(|finding| {
            json!({ "what": finding.what, "grade": finding.word().to_lowercase(), "says": finding.says, "remedy": finding.remedy })
        });
        print::json(&list.collect::<Vec<_>>())?;
    } else {
        for finding in &findings {
            print::finding(finding.word(), finding.what, &finding.says, finding.remedy)?;
        }
    }
    let bad = findings.iter().find_map(|finding| match finding.grade {
        Grade::Bad(exit) => Some(exit),
        Grade::Good | Grade::Note => None,
    });
    Ok(bad.unwrap_or(Exit::Ok))
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
    let mut findings = vec![Finding::good("configuration", path.display().to_string())];
    findings.push(store(&site));
    findings.extend(site.config.customer_user.iter().map(|source| customers(&site, &source.name)));
    findings.extend(tickets(&site));
    findings.push(marker(&site));
    findings.extend(links(&site));
    findings.extend(door(&site));
    findings.push(orders(&site));
    findings
}

fn refused(error: &dyn std::fmt::Display) -> Finding {
    let remedy = "mend it; in the mail path every mail waits until then";
    Finding::bad("configuration", Exit::Config, error, remedy)
}

fn store(site: &Site) -> Finding {
    let url = config::masked_url(&site.config.store.url);
    match people::reading().get(&site.store) {
        Ok(_) if site.config.store.create => {
            let remedy = "set it to false, now that the database is there: a mistyped path is then an error";
            Finding::note("store", format!("{url} opens; store.create is true"), remedy)
        }
        Ok(_) => Finding::good("store", format!("{url} opens")),
        Err(error) if site.config.store.create => {
            Finding::note("store", error.to_string(), "the first mail makes it where the folder lets it")
        }
        Err(error) => {
            Finding::bad("store", Exit::Unavailable, error, "see store.url, and group and mode of file and folder")
        }
    }
}

fn customers(site: &Site, source: &str) -> Finding {
    // Any login will do: it is the looking that is tried.
    match site.directory.by_login(&mut people::reading(), source, &site.config.postmaster.marker) {
        Ok(_) => Finding::good("customers", format!("the source {source} answers")),
        Err(_) if site.config.store.create && people::reading().get(&site.store).is_err() => {
            Finding::note("customers", format!("the source {source} is not there yet"), "the first mail makes it")
        }
        Err(error) => Finding::bad("customers", Exit::Unavailable, error, "see the url of this [[customer_user]]"),
    }
}

/// Whether OTOBO's tables can be asked, each of them. (otab's own table is in the store.)
fn tickets(site: &Site) -> Option<Finding> {
    if site.tickets.own().is_some() {
        return None;
    }
    let mut dbs = people::reading();
    let asked = site.tickets.probe(&mut dbs);
    let url = site.config.tickets.url.as_deref().map(config::masked_url).unwrap_or_default();
    Some(match asked {
        Ok(()) => Finding::good("tickets", format!("{url} answers")),
        Err(error) => {
            let remedy = "see tickets.url, and whether its user may read OTOBO's tables for tickets and articles";
            Finding::bad("tickets", Exit::Unavailable, error, remedy)
        }
    })
}

fn marker(site: &Site) -> Finding {
    let marker = &site.config.postmaster.marker;
    match site.directory.knows(&mut people::reading(), marker) {
        Ok(true) => {
            let says = format!("{marker} is a customer's login or customer id, who would get all doubtful mails");
            Finding::bad("marker", Exit::Config, says, "choose another postmaster.marker")
        }
        Ok(false) => Finding::good("marker", format!("{marker} is nobody's")),
        Err(error) => unknown("marker", &error),
    }
}

fn unknown(what: &'static str, error: &customer::Error) -> Finding {
    Finding::note(what, format!("cannot be looked at: {error}"), "see above")
}

/// Whether link mails could leave, and be what they should.
fn links(site: &Site) -> Vec<Finding> {
    let mail = &site.config.mail;
    let auth = &site.config.one_time_auth;
    let mut findings = Vec::new();
    match Templates::load(auth.templates.as_deref(), &auth.token_refresh_notification_id) {
        Ok(_) => findings.push(Finding::good("templates", "all compile")),
        Err(error) => findings.push(Finding::bad("templates", Exit::Config, error, "mend the file, or take it away")),
    }
    let transport = match notify::transport(mail) {
        Ok(transport) => transport,
        Err(why) => {
            findings.push(Finding::bad("link mails", Exit::Config, why, "no link mail goes out until then"));
            return findings;
        }
    };
    let Some(transport) = transport else {
        let remedy = "set mail.transport, mail.from and one_time_auth.link_url; see the manual page";
        findings.push(Finding::note(
            "link mails",
            "mail.transport is \"none\": they wait, and nobody gets a link",
            remedy,
        ));
        return findings;
    };
    match probe(&transport, PATIENCE.min(mail.timeout)) {
        Ok(says) => findings.push(Finding::good("link mails", says)),
        Err(failure) => findings.push(Finding::bad("link mails", Exit::Unavailable, failure, "see [mail]")),
    }
    if auth.link_url.is_none() {
        let says = "one_time_auth.link_url is empty: no link mail is sent";
        findings.push(Finding::bad(
            "links",
            Exit::Config,
            says,
            "set it, such as https://help.example.org/t/{{token}}",
        ));
    }
    if auth.portal_url.is_none() {
        let says = "one_time_auth.portal_url is empty: customers with a password get no address";
        findings.push(Finding::note("links", says, "set it, such as https://help.example.org/otobo/customer.pl"));
    }
    let from = mail.from.as_ref().filter(|from| !site.config.postmaster.own_addresses.contains(from));
    if let Some(from) = from {
        let says = format!("{from}, which link mails come from, is none of postmaster.own_addresses");
        findings.push(Finding::note("own addresses", says, "add it: mail from it then makes no customer"));
    }
    findings
}

/// Whether `otab serve` would start, where it is meant to.
fn door(site: &Site) -> Vec<Finding> {
    if site.config.door.base_url.is_none() {
        return Vec::new();
    }
    let bad = |(says, remedy)| Finding::bad("door", Exit::Config, says, remedy);
    #[cfg_attr(not(feature = "door"), allow(unused_mut, reason = "without the door there are no pages"))]
    let mut found: Vec<Finding> = door_fit::obstacles(&site.config).into_iter().map(bad).collect();
    #[cfg(feature = "door")]
    for failed in [serve::pages(&site.config).err(), serve::logo(&site.config).err()].into_iter().flatten() {
        found.push(bad((format!("{:#}", failed.error), "mend the file, or take it away")));
    }
    if found.is_empty() {
        found.push(Finding::good("door", "links lead to it, and its pages are whole"));
    }
    found
}

fn orders(site: &Site) -> Finding {
    let mut dbs = people::reading();
    let overdue = dbs.get(&site.store).and_then(|store| outbox::overdue(store, clock::now() - OVERDUE));
    match overdue {
        Ok(0) => Finding::good("outbox", "no link mail waits for longer than ten minutes"),
        Ok(count) => {
            let says = format!("link mails that have waited for longer than ten minutes: {count}");
            Finding::bad(
                "outbox",
                Exit::Unavailable,
                says,
                "see `otab outbox list`, and the log for why; does `otab notify` run?",
            )
        }
        Err(error) => Finding::note("outbox", format!("cannot be looked at: {error}"), "see above"),
    }
}
