//! The configuration: from a file's text to checked, final settings.
//!
//! Three steps: text; a reading, in which every value still knows its line; final types, which are the other rooms'
//! own where they fit (`db::Url`, `customer::Source`, `store::tickets::Facts`). So a URL, a zone or a directory
//! that cannot be used is reported with all other problems, with its key and line, and nothing is left to fail
//! later. Which settings exist is declared in `settings`.
//!
//! This room opens the configuration file and the files with secrets that it names, and nothing else.

mod collections;
mod create;
mod customer_user;
mod door;
mod entrusted;
mod file;
mod ldap;
mod names;
mod one_time_auth;
mod pattern;
mod postmaster;
mod problem;
mod reader;
mod running;
mod scalars;
mod schema;
mod secret;
mod secret_files;
mod secret_source;
mod sending;
mod settings;
mod sources;
mod syntax;
mod trusted;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use create::{CUSTOMER_ID_IS_ADDRESS, Create};
pub use door::{Door, Listen, PAGE};
pub use entrusted::program_refused;
pub use file::refused_folder;
pub use one_time_auth::{Messages, OneTimeAuth};
pub use postmaster::{OnError, Postmaster, Prefix};
pub use problem::{Error, Problem};
pub use running::Limits;
pub use secret::{Secret, masked_url};
pub use secret_files::{SecretFile, secret_variables, secrets};
pub use secret_source::named as named_secret;
pub use sending::{Sending, Smtp, Tls, Transport};
pub use settings::{REFRESH_FAILED, example};
pub use sources::{Store, Tickets};

use crate::customer::Source;
use crate::log::Settings;
use problem::complaint;
use reader::{Reading, Table};
use sources::TicketSource;

/// Where the configuration is when nobody says otherwise.
const SYSTEM: &str = "/etc/otab/otab.toml";

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder from which relative paths count. Those in the settings below are joined with it
    /// already, but for those inside URLs.
    pub folder: PathBuf,
    /// The file itself, by its absolute path; `None` for a text that was parsed.
    pub path: Option<PathBuf>,
    /// The environment variables that hold secrets of these settings. Only otab's own processes inherit them.
    pub variables: Vec<String>,
    /// `[store]`.
    pub store: Store,
    /// `[postmaster]`.
    pub postmaster: Postmaster,
    /// `[create]`.
    pub create: Create,
    /// `[[customer_user]]`, in the order in which the sources are asked. At least one.
    pub customer_user: Vec<Source>,
    /// What happens to a mail when one of these sources does not answer, by its name; else as `postmaster.on_error` says.
    pub on_error: BTreeMap<String, OnError>,
    /// `[tickets]`.
    pub tickets: Tickets,
    /// `[one_time_auth]`.
    pub one_time_auth: OneTimeAuth,
    /// `[mail]`.
    pub mail: Sending,
    /// `[door]`.
    pub door: Door,
    /// `[limits]`.
    pub limits: Limits,
    /// `[log]`.
    pub log: Settings,
}

impl Config {
    /// Reads a file.
    ///
    /// Refused are files that others can change, that are no regular file, over 1 MiB or not UTF-8.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let (text, folder) = file::configuration(path)?;
        let mut config = Self::parse(&text, &folder)
            .map_err(|problems| Error::Problems { path: Some(path.to_owned()), problems })?;
        config.path = std::path::absolute(path).ok();
        Ok(config)
    }

    /// Reads a text whose relative paths count from `base`. The error holds every problem there
    /// is, in the order of their lines.
    pub fn parse(text: &str, base: &Path) -> Result<Self, Vec<Problem>> {
        // A byte order mark, as some editors leave it, is no part of the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        let root = root.get_ref();
        let reading = Reading::new(text, errors.is_empty());
        let top = reading.root(root);
        let mut config = read(&top, base);
        config.variables = secret_files::variables(root);
        if reading.is_whole {
            find_contradictions(&top, &config);
        }
        schema::report_unknown(&reading, root);
        let mut problems = reading.into_problems();
        syntax::merge(&mut problems, text, &errors);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }
}

/// The placeholder and the site's messages, as far as a configuration that cannot be used still says
/// them, else the defaults: for a last word to a customer, and never for a decision.
#[must_use]
pub fn last_words(path: &Path) -> (String, Messages) {
    let text = file::configuration(path).map(|(text, _)| text).unwrap_or_default();
    let (root, errors) = DeTable::parse_recoverable(&text);
    let reading = Reading::new(&text, errors.is_empty());
    let top = reading.root(root.get_ref());
    let placeholder = postmaster::link_placeholder(&top.table("postmaster"));
    let one_time_auth = one_time_auth::read(&top.table("one_time_auth"), Path::new(""));
    (placeholder, one_time_auth.messages_for("").clone())
}

fn read(root: &Table<'_, '_>, base: &Path) -> Config {
    let secrets = secret_source::Source { folder: base, env: &secret_source::environment };
    let store = sources::store(&root.table("store"), &secrets);
    let (customer_user, on_error) = customer_user::read(root, &store.place, &secrets);
    Config {
        folder: base.to_owned(),
        path: None,
        variables: Vec::new(),
        postmaster: postmaster::read(&root.table("postmaster"), &secrets),
        create: create::read(&root.table("create")),
        customer_user,
        on_error,
        tickets: sources::tickets(&root.table("tickets"), &store.place, &secrets),
        store,
        one_time_auth: one_time_auth::read(&root.table("one_time_auth"), base),
        mail: sending::read(&root.table("mail"), base, &secrets),
        door: door::read(&root.table("door"), base),
        limits: running::limits(&root.table("limits")),
        log: running::log(&root.table("log"), base),
    }
}

fn find_contradictions(root: &Table<'_, '_>, config: &Config) {
    if config.one_time_auth.token_refresh_notification.is_some() && config.tickets.source == TicketSource::Embedded {
        let what = "is the number of a notification of OTOBO's, whose tables are not read";
        let remedy = "write source = \"otobo\" in [tickets], or the name of a set of templates";
        root.table("one_time_auth").problem("token_refresh_notification_id", complaint(what, remedy));
    }
    let backend = &config.postmaster.customer_user_backend;
    let sources = config.customer_user.iter();
    let names: BTreeSet<_> = sources.map(|source| source.name.as_str()).collect();
    if config.customer_user.iter().any(|source| source.name == *backend && source.is_read_only) {
        let what = "names a source that is only read: by read_only, since its table or columns are not OTOBO's own, or since it is LDAP";
        root.table("postmaster")
            .problem("customer_user_backend", complaint(what, "name one in which customers may be created"));
        return;
    }
    // Without any name, the sources themselves have a problem.
    if names.contains(backend.as_str()) || names.is_empty() {
        return;
    }
    let what = format!("{backend:?} is none of the [[customer_user]] sources");
    let names: Vec<_> = names.into_iter().collect();
    let remedy = format!("name one of these: {}", names.join(", "));
    let table = root.table("postmaster");
    table.problem("customer_user_backend", complaint(what, remedy));
}

/// Where the configuration is: `--config`, else `$OTAB_CONFIG`, else `/etc/otab/otab.toml`.
///
/// Never in the current folder unless it was named. A configuration names commands, and others may have made that
/// folder: what lies there would decide what the caller's otab does.
#[must_use]
pub fn locate(option: Option<&Path>, env: Option<OsString>) -> PathBuf {
    let named = option.map(Path::to_owned).or_else(|| env.filter(|path| !path.is_empty()).map(PathBuf::from));
    named.unwrap_or_else(|| SYSTEM.into())
}

#[cfg(test)]
mod tests;
