//! A database that a command line names. Never shows a password.

use std::path::Path;

use crate::config::named_secret;
use crate::db::Url;
use crate::exit::Exit;
use crate::failure::{Ends, Failure};

/// The place of a URL; relative paths count from where otab is called. The password may come from a file, or from a
/// variable of the environment.
pub fn url(option: &str, text: &str, file: Option<&Path>, variable: Option<&str>) -> Result<Url, Failure> {
    let here = std::env::current_dir().ends(Exit::NoInput, "the folder in which otab was called")?;
    let url = Url::parse(text, &here).ends(Exit::Usage, option)?;
    let password = named_secret(file, variable)
        .map_err(|why| Failure::new(Exit::NoInput, format!("the password for {option}: it {why}")))?;
    match password {
        Some(password) => url.with_password(&password).ends(Exit::Usage, option),
        None => Ok(url),
    }
}
