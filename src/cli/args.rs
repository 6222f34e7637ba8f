//! The command line. The comments for documentation are the help texts that people read at a terminal; one on a
//! type of arguments would replace what its command says of itself in [`Command`].

#![allow(clippy::doc_markdown, reason = "the help texts are no Markdown")]

mod stored;

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

pub use stored::{Copy, Import, Store, Token};

/// A mail filter that gives OTOBO and Znuny customers one-time ticket links, safely.
///
/// Without a command, otab filters a mail from standard input to standard output.
#[derive(Debug, Parser)]
#[command(name = "otab", version, subcommand_required = false)]
pub struct Otab {
    /// The configuration; else $OTAB_CONFIG, else /etc/otab/otab.toml.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

// The commands. Only the one that is asked for is built: each mail is a run of its own.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Filter one mail from standard input to standard output.
    Filter(Filter),
    /// Filter one mail from standard input into a command's standard input.
    Deliver(Deliver),
    /// Put a link into an outgoing mail where it holds the placeholder: for OTOBO's SendmailModule::CMD.
    Outgoing(Outgoing),
    /// Delete tokens that are over.
    Purge(Purge),
    /// Use up a one-time token and say whose it was.
    Redeem(Redeem),
    /// Ask for a new link in the place of one that is used up.
    Refresh(Redeem),
    /// Make a link to a ticket and print it.
    Link(Link),
    /// Send the link mails that are due.
    Notify(Notify),
    /// Stay, and serve what is configured: the portal behind the links, and the worker.
    #[cfg(feature = "door")]
    Serve(Serve),
    /// Link mails that wait to be sent.
    Outbox(Group<Outbox>),
    /// Tickets, as far as otab keeps them itself.
    Ticket(Group<Ticket>),
    /// Customers in the customer sources.
    Customer(Group<Customer>),
    /// One-time tokens.
    Token(Group<Token>),
    /// The database of tokens and tickets itself.
    Store(Group<Store>),
    /// Write a commented configuration, where it will be read, and make the database.
    Init(Init),
    /// Look whether the configuration and everything that it names work.
    Check(Check),
}

// Commands of one kind.
#[derive(Debug, Args)]
pub struct Group<C: Subcommand> {
    /// The command in the group.
    #[command(subcommand)]
    pub command: C,
}

/// The commands that are for people, not for the mail path.
pub const FOR_PEOPLE: [&str; 13] = [
    "purge", "redeem", "refresh", "link", "notify", "serve", "outbox", "ticket", "customer", "token", "store", "init",
    "check",
];

/// Bytes that are not UTF-8 are replaced: the envelope is the sender's to choose, and a mail that is
/// refused for it would be deferred at each try.
fn any_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|text| text.to_string_lossy().into_owned())
}

// What both commands of the mail path take.
#[derive(Debug, Default, Args)]
pub struct Passage {
    /// The envelope sender (Postfix: ${sender}); empty, <> or MAILER-DAEMON: the null reverse-path.
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true, value_parser = any_text())]
    pub sender: Option<String>,
    /// The envelope recipient (Postfix: ${recipient}).
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true, value_parser = any_text())]
    pub recipient: Option<String>,
    /// The customer source to create customers in, instead of postmaster.customer_user_backend.
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
}

// `otab filter`.
#[derive(Debug, Default, Args)]
pub struct Filter {
    /// As for `otab deliver`.
    #[command(flatten)]
    pub passage: Passage,
    /// Say on standard error what was found and decided; record nothing.
    #[arg(long)]
    pub explain: bool,
}

// `otab deliver`.
#[derive(Debug, Args)]
pub struct Deliver {
    /// As for `otab filter`.
    #[command(flatten)]
    pub passage: Passage,
    /// End with the command's own status where it is not 0, instead of 75.
    #[arg(long)]
    pub pass_status: bool,
    /// The command and its arguments; no shell is involved.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<std::ffi::OsString>,
}

// `otab outgoing`.
#[derive(Debug, Args)]
pub struct Outgoing {
    /// The command that sends mails, up to its -f; OTOBO adds the envelope sender and the recipients.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<std::ffi::OsString>,
}

// `otab purge`.
#[derive(Debug, Args)]
pub struct Purge {
    /// Only count.
    #[arg(long)]
    pub dry_run: bool,
    /// Delete also where the clock may be wrong: most of many rows would go, and none is of the last 30 days.
    #[arg(long)]
    pub force: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

// `otab link`.
#[derive(Debug, Args)]
pub struct Link {
    /// The ticket number.
    #[arg(long, value_name = "NUMBER")]
    pub ticket: String,
    /// The login of the ticket's customer.
    #[arg(long, value_name = "LOGIN")]
    pub customer: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

// `otab notify`.
#[derive(Debug, Args)]
pub struct Notify {
    /// Go on, and start an `otab notify` whenever a link mail is due.
    #[arg(long)]
    pub watch: bool,
}

// `otab serve`.
#[cfg(feature = "door")]
#[derive(Debug, Args)]
pub struct Serve {
    /// Only these parts, so that each can run as a user of its own.
    #[arg(value_enum, value_name = "PART")]
    pub part: Vec<crate::serve::Part>,
}

// `otab outbox`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Outbox {
    /// List the link mails that wait.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a link mail, or all of them, due now.
    Retry {
        /// Its number in the list; else all.
        id: Option<i64>,
    },
    /// Give a link mail up, and its link with it.
    Drop {
        /// Its number in the list.
        id: i64,
    },
}

// `otab redeem` and `otab refresh`.
#[derive(Debug, Args)]
pub struct Redeem {
    /// The token; `-` reads it from standard input, where no process list shows it.
    pub token: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

// `otab ticket`.
#[derive(Debug, Subcommand)]
pub enum Ticket {
    /// Add a ticket, and bind the tokens of its first mail to it.
    Add {
        /// The ticket number.
        number: String,
        /// The Message-ID of its first mail, with or without angle brackets; only its customer's tokens are bound.
        #[arg(long, value_name = "ID", requires = "customer")]
        message_id: Option<String>,
        /// The login of its customer.
        #[arg(long, value_name = "LOGIN")]
        customer: Option<String>,
        /// The type of its state.
        #[arg(long, value_name = "TYPE", default_value = "new")]
        state: String,
        /// When it came into that state; RFC 3339, else now.
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
    },
    /// Say that a ticket is closed, removed or merged.
    Close {
        /// The ticket number.
        number: String,
        /// The type of its new state: closed, removed or merged.
        #[arg(long, value_name = "TYPE", default_value = "closed")]
        state: String,
        /// When; RFC 3339, else now.
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
    },
    /// Say that a ticket is open again.
    Reopen {
        /// The ticket number.
        number: String,
        /// When; RFC 3339, else now.
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
    },
    /// List tickets.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one ticket.
    Show {
        /// The ticket number.
        number: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

// `otab customer`.
#[derive(Debug, Subcommand)]
pub enum Customer {
    /// List customers.
    List {
        /// Only this customer source.
        #[arg(long, value_name = "NAME")]
        backend: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one customer.
    Show {
        /// The login.
        login: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Add a customer without a password.
    Add {
        /// The e-mail address.
        email: String,
        /// The login; else the address.
        #[arg(long)]
        login: Option<String>,
        /// The customer id; else by create.customer_id.
        #[arg(long, value_name = "ID")]
        customer_id: Option<String>,
        /// The first name.
        #[arg(long, value_name = "NAME")]
        first_name: Option<String>,
        /// The last name.
        #[arg(long, value_name = "NAME")]
        last_name: Option<String>,
        /// The customer source; else postmaster.customer_user_backend.
        #[arg(long, value_name = "NAME")]
        backend: Option<String>,
    },
    /// Make a customer invalid: no links for him any more.
    Disable {
        /// The login.
        login: String,
        /// The customer source; else postmaster.customer_user_backend.
        #[arg(long, value_name = "NAME")]
        backend: Option<String>,
    },
}

impl Customer {
    /// The customer source that was asked for.
    #[must_use]
    pub fn backend(&self) -> Option<&str> {
        match self {
            Self::List { backend, .. } | Self::Add { backend, .. } | Self::Disable { backend, .. } => {
                backend.as_deref()
            }
            Self::Show { .. } => None,
        }
    }
}

// `otab check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Check as this user, and as a member of this group alone (as Postfix's pipe has it); without a group, of all of the
    /// user's. Only root can do that.
    #[arg(long = "as", value_name = "USER[:GROUP]")]
    pub user: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

// `otab init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Make both files this user's alone, the one who runs otab: the configuration 0400, the database 0600.
    #[arg(long, value_name = "USER", conflicts_with = "group")]
    pub user: Option<String>,
    /// Let the members of this group use the database (0660, in a setgid folder) and read the configuration.
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// Keep tokens and orders there, in place of a file beside the configuration; on a server its tables are made
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// The file with the password for --store
    #[arg(long, value_name = "FILE", requires = "store")]
    pub store_password_file: Option<PathBuf>,
}
