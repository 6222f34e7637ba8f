//! The command line of `otab token` and `otab store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

// `otab token`.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// List tokens, without what would let anybody use them.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a token useless, or all of a customer, and end the sessions that came of them.
    Revoke {
        /// Its number in the list, or the first eight or more digits of its hash.
        #[arg(required_unless_present = "customer")]
        token: Option<String>,
        /// All tokens and all sessions of the customer with this login.
        #[arg(long, value_name = "LOGIN", conflicts_with = "token")]
        customer: Option<String>,
    },
    /// Take over the tokens of OTOBO's package, so that links which customers have go on working.
    Import(Import),
}

// `otab token import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The database with the package's table ota_tokens; else tickets.url.
    #[arg(long, value_name = "URL")]
    pub from: Option<String>,
    /// A file with the password for --from; a password in a URL is seen by whoever lists processes.
    #[arg(long, value_name = "FILE", conflicts_with = "from_password_env", requires = "from")]
    pub from_password_file: Option<PathBuf>,
    /// An environment variable with the password for --from.
    #[arg(long, value_name = "NAME", requires = "from")]
    pub from_password_env: Option<String>,
    /// Only count.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

// `otab store`.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Bring a database that an older otab made to the schema of this one; on a server, make the tables.
    Migrate,
    /// Move all rows into an empty database of whatever kind, and retire the one they were in.
    Copy(Copy),
}

// `otab store copy`.
#[derive(Debug, Args)]
pub struct Copy {
    /// The store to be copied; else store.url.
    #[arg(long, value_name = "URL")]
    pub from: Option<String>,
    /// A file with the password for --from; a password in a URL is seen by whoever lists processes.
    #[arg(long, value_name = "FILE", conflicts_with = "from_password_env", requires = "from")]
    pub from_password_file: Option<PathBuf>,
    /// An environment variable with the password for --from.
    #[arg(long, value_name = "NAME", requires = "from")]
    pub from_password_env: Option<String>,
    /// Where the rows go: an empty database on a server, or a file that is not there yet.
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// A file with the password for --to.
    #[arg(long, value_name = "FILE", conflicts_with = "to_password_env")]
    pub to_password_file: Option<PathBuf>,
    /// An environment variable with the password for --to.
    #[arg(long, value_name = "NAME")]
    pub to_password_env: Option<String>,
    /// Leave the old store in use: a copy for a trial, in which nothing that comes later stands.
    #[arg(long, conflicts_with = "from_retired")]
    pub keep: bool,
    /// Copy a store that has moved before, and is retired.
    #[arg(long)]
    pub from_retired: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
