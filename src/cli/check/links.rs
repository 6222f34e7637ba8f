//! Whether link mails could leave, be what they should, and lead where they should.

use std::time::Duration;

use jiff::SignedDuration;

use super::Bench;
use super::finding::Finding;
use crate::clock;
use crate::config::OneTimeAuth;
use crate::engine::Engine;
use crate::exit::Exit;
use crate::link::probe::probe;
use crate::link::template::Templates;
use crate::store::outbox;
use crate::ticket::Unusable;
use crate::worker::notify;

/// How long a mail server is waited for.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// From when on an order that waits is worth a word.
const OVERDUE: SignedDuration = SignedDuration::from_mins(10);

/// Whether link mails could leave, and be what they should.
pub fn check(engine: &Engine) -> Vec<Finding> {
    let mail = &engine.config.mail;
    let auth = &engine.config.one_time_auth;
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
    match probe(&transport, PROBE_TIMEOUT.min(mail.timeout)) {
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
    findings.extend(places(auth));
    let from = mail.from.as_ref().filter(|from| !engine.config.postmaster.own_addresses.contains(from));
    if let Some(from) = from {
        let says = format!("{from}, which link mails come from, is none of postmaster.own_addresses");
        findings.push(Finding::note("own addresses", says, "add it: mail from it then makes no customer"));
    }
    findings
}

/// The page behind the link signs the customer in for the portal: a session of one place is none of another.
fn places(auth: &OneTimeAuth) -> Option<Finding> {
    let (link, portal) = (auth.link_url.as_deref()?, auth.portal_url.as_deref()?);
    if origin(link) == origin(portal) {
        return None;
    }
    let says = format!("one_time_auth.link_url is at {}, and portal_url at {}", origin(link), origin(portal));
    Some(Finding::note("links", says, "let both have the same scheme and host: a link is to open the portal"))
}

/// Scheme, host and port of a page's address.
fn origin(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/").to_ascii_lowercase()
}

/// Whether the helpdesk's notification is there that renewed links go out with.
pub fn notification(bench: &mut Bench<'_>) -> Option<Finding> {
    let id = bench.engine.config.one_time_auth.token_refresh_notification?;
    Some(match bench.engine.tickets.notification(&mut bench.dbs, id) {
        Ok(found) => {
            let languages: Vec<&str> = found.messages.iter().map(|message| message.language.as_str()).collect();
            Finding::good("notification", format!("{id} has texts in {}", languages.join(", ")))
        }
        Err(Unusable::Db(error)) => {
            let remedy =
                "see tickets.url, and whether its user may read notification_event and notification_event_message";
            Finding::bad("notification", Exit::Unavailable, error, remedy)
        }
        Err(other) => {
            let remedy = "see one_time_auth.token_refresh_notification_id; renewed links go out with the built-in text";
            Finding::bad("notification", Exit::Config, other, remedy)
        }
    })
}

/// Whether orders have waited for long.
pub fn orders(bench: &mut Bench<'_>) -> Finding {
    let store = bench.dbs.get(&bench.engine.store);
    let overdue = store.and_then(|store| outbox::overdue(store, clock::now() - OVERDUE));
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
        Err(error) => Finding::unknown("outbox", &error),
    }
}
