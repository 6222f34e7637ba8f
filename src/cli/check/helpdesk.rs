//! The helpdesk's own settings, mail accounts and addresses, as far as they are in its database.
//!
//! `Kernel/Config.pm` overrides them, and is not seen from here.

use super::finding::Finding;
use super::{Bench, tags};
use crate::config::Prefix;
use crate::customer::{Names, Source};
use crate::db::{Error, Kind, Url};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::mail::Address;
use crate::ticket::{self, Otobo, Product, Setting};

/// The package's own filter.
pub(super) const FILTER: &str = "PostMaster::PreFilterModule###000-CreateCustomerUser";
/// OTOBO's name for its time zone, and Znuny's.
const ZONES: [&str; 2] = ["OTOBOTimeZone", "OTRSTimeZone"];

/// Where its logout leads, and where it has to.
const LOGOUT: &str = "CustomerPanelLogoutURL";
const OUT: &str = "/otab/logout";

/// Looks at them; there is nothing to look at where otab does not read the helpdesk's database.
pub fn check(bench: &mut Bench<'_>) -> Vec<Finding> {
    let Some(tables) = bench.engine.tickets.otobo() else { return Vec::new() };
    if tables.database(&mut bench.dbs).is_err() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for one in [filter, tags::check, agreement, accounts, addresses, logout] {
        findings.extend(one(bench, tables));
    }
    findings
}

/// Checks that the customer fields have the names that this helpdesk reads. Under other names they are unknown to it: it
/// reads From by itself then, and believes it.
pub fn prefix(bench: &mut Bench<'_>) -> Option<Finding> {
    let (mut product, mut failed) = (None, false);
    let places = databases(bench);
    for place in &places {
        match ticket::product(&mut bench.dbs, place) {
            Ok(found) => product = product.or(found),
            // A database that cannot be opened has a finding of its own.
            Err(error) => failed |= matches!(error.kind(), Kind::Other | Kind::Denied),
        }
    }
    let ours = bench.engine.config.postmaster.header_prefix;
    let Some(product) = product else {
        let is_open = failed || places.iter().any(|place| bench.dbs.reading(place).is_ok());
        return is_open.then(|| unknown_product(ours));
    };
    let theirs = match product {
        Product::Otobo => Prefix::Otobo,
        Product::Znuny => Prefix::Otrs,
    };
    let (name, ours, theirs) = (product.as_str(), (ours == theirs, ours.as_str()), theirs.as_str());
    Some(if ours.0 {
        Finding::good("header prefix", format!("{theirs} is what {name} reads"))
    } else {
        let says = format!(
            "postmaster.header_prefix is {}, and this helpdesk is {name}, which reads {theirs}: it sees no customer \
             field, and a forged From gets in",
            ours.1
        );
        Finding::bad("header prefix", Exit::Config, says, format!("write postmaster.header_prefix = {theirs:?}"))
    })
}

/// The helpdesk's database, and those of customers that have the helpdesk's own table: most often the same one.
fn databases(bench: &Bench<'_>) -> Vec<Url> {
    let engine = bench.engine;
    let mut places: Vec<Url> = engine.tickets.otobo().map(|tables| tables.url().clone()).into_iter().collect();
    for entry in &engine.config.customer_user {
        let Ok(source) = engine.directory.source(&entry.name) else { continue };
        if is_helpdesks(engine, &entry.name) && !places.contains(&source.url) {
            places.push(source.url.clone());
        }
    }
    places
}

/// Whether a source of customers is the helpdesk's own table.
pub(super) fn is_helpdesks(engine: &Engine, source: &str) -> bool {
    let is_own =
        |source: &Source| !source.is_directory() && source.names == Names::default() && source.url != engine.store;
    engine.directory.source(source).is_ok_and(is_own)
}

fn unknown_product(ours: Prefix) -> Finding {
    let says = "sysconfig_default cannot be read, or has the time zone of neither OTOBO nor Znuny, or of both: whether \
                postmaster.header_prefix is right is not known";
    let remedy = format!(
        "GRANT SELECT ON sysconfig_default, or see to it: {} is what {} reads",
        ours.as_str(),
        if ours == Prefix::Otobo { "OTOBO" } else { "Znuny" }
    );
    Finding::note("header prefix", says, remedy)
}

/// What could not be read: it only would have been good to know.
fn unreadable(what: &'static str, table: &str, error: &Error) -> Vec<Finding> {
    let remedy = format!("let the user of tickets.url read it: GRANT SELECT ON {table}; or look in the helpdesk");
    vec![Finding::note(what, format!("{table} cannot be read: {error}"), remedy)]
}

fn filter(bench: &mut Bench<'_>, tables: &Otobo) -> Vec<Finding> {
    vec![match tables.setting(&mut bench.dbs, FILTER) {
        Ok(Setting::On(_)) => {
            let says = "the package's own filter is switched on: it overwrites what otab has found out";
            let remedy = format!("Admin, System Configuration: switch {FILTER} off, and deploy");
            Finding::bad("package", Exit::Config, says, remedy)
        }
        Ok(Setting::Off) => Finding::good("package", "its own filter is switched off"),
        Ok(Setting::Unknown) => Finding::good("package", "its own filter is not there"),
        Err(error) => return unreadable("package", "sysconfig_modified, sysconfig_default", &error),
    }]
}

/// Settings that both sides have to know.
fn agreement(bench: &mut Bench<'_>, tables: &Otobo) -> Vec<Finding> {
    let postmaster = &bench.engine.config.postmaster;
    let same = [
        ("Ticket::Hook", "postmaster.ticket_hook", &postmaster.ticket_hook),
        ("Ticket::HookDivider", "postmaster.ticket_hook_divider", &postmaster.ticket_hook_divider),
        ("SystemID", "postmaster.system_id", &postmaster.system_id),
        ("", "tickets.time_zone", &bench.engine.config.tickets.time_zone),
    ];
    let mut findings = Vec::new();
    for (theirs, ours, value) in same {
        let names = if theirs.is_empty() { &ZONES[..] } else { std::slice::from_ref(&theirs) };
        let mut settings = names.iter().map(|name| (name, tables.setting(&mut bench.dbs, name)));
        match settings.find(|(_, setting)| !matches!(setting, Ok(Setting::Unknown))) {
            // The filter's finding says already that it cannot be read.
            Some((_, Err(_))) => return Vec::new(),
            Some((name, Ok(Setting::On(Some(found))))) if found != *value => {
                let says = format!("{name} is {found:?} in the helpdesk, and {ours} is {value:?}");
                let remedy = format!("write {ours} = {found:?}, unless Kernel/Config.pm sets {name} otherwise");
                findings.push(Finding::note("agreement", says, remedy));
            }
            _ => {}
        }
    }
    if findings.is_empty() {
        let says = "ticket hook, system id and time zone are the helpdesk's";
        findings.push(Finding::good("agreement", says));
    }
    findings
}

/// OTOBO drops the control fields of mails from these.
fn accounts(bench: &mut Bench<'_>, tables: &Otobo) -> Vec<Finding> {
    let accounts = match tables.untrusted_accounts(&mut bench.dbs) {
        Ok(accounts) => accounts,
        Err(error) => return unreadable("mail accounts", "mail_account", &error),
    };
    let note = |login: &str, host: &str| {
        let says = format!("{login} at {host} is not trusted: OTOBO drops the customer fields of mails from there");
        let remedy = "where its mails came through otab, all of them: Admin, PostMaster Mail Accounts, Trusted: Yes. Else \
                      leave it: strangers could set every field";
        Finding::note("mail accounts", says, remedy)
    };
    accounts.iter().map(|account| note(&account.login, &account.host)).collect()
}

/// Two robots that know nothing of each other would write to each other.
fn addresses(bench: &mut Bench<'_>, tables: &Otobo) -> Vec<Finding> {
    let all = match tables.own_addresses(&mut bench.dbs) {
        Ok(all) => all,
        Err(error) => return unreadable("own addresses", "system_address", &error),
    };
    let own = &bench.engine.config.postmaster.own_addresses;
    let is_missing = |text: &&String| Address::parse(text.trim()).is_none_or(|address| !own.contains(&address));
    let missing: Vec<&str> = all.iter().filter(is_missing).map(String::as_str).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let says = format!("of the helpdesk's addresses not in postmaster.own_addresses: {}", missing.join(", "));
    vec![Finding::note("own addresses", says, "add them: mail from them is the helpdesk's own, and makes no customer")]
}

/// Where there is a door, the helpdesk's logout has to lead there.
fn logout(bench: &mut Bench<'_>, tables: &Otobo) -> Vec<Finding> {
    let Some(base) = &bench.engine.config.door.base_url else { return Vec::new() };
    let says = match tables.setting(&mut bench.dbs, LOGOUT) {
        Ok(Setting::On(Some(url))) if url == OUT || url == format!("{base}{OUT}") => {
            return vec![Finding::good("logout", "the helpdesk's leads to the door's")];
        }
        Ok(Setting::On(Some(url))) => format!("{LOGOUT} is {url:?} in the helpdesk"),
        Ok(Setting::On(None) | Setting::Off | Setting::Unknown) => format!("{LOGOUT} is not set in the helpdesk"),
        Err(error) => return unreadable("logout", "sysconfig_modified, sysconfig_default", &error),
    };
    let says = format!(
        "{says}: a logout does not end on the door's page; where the proxy does not lead it to /otab/leave first, the \
         customer is still signed in at the door, and so is the next person at that computer"
    );
    let remedy = format!(
        "Admin, System Configuration: set {LOGOUT} to {OUT}, and deploy. Where Kernel/Config.pm sets it so, all is well: that \
         counts more, and is not seen from here"
    );
    vec![Finding::note("logout", says, remedy)]
}
