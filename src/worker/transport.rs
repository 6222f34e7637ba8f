//! The way by which link mails leave, made of the settings.

use std::sync::Arc;

use crate::config;
use crate::link::transport::{Security, Smtp, Transport};

/// The way out that the settings name, if they name one; or why it cannot be taken.
pub fn transport(mail: &config::Sending) -> Result<Option<Transport>, String> {
    Ok(Some(match &mail.transport {
        config::Transport::None => return Ok(None),
        config::Transport::Sendmail(program) => Transport::Sendmail(program.clone()),
        config::Transport::File(folder) => Transport::Folder(folder.clone()),
        config::Transport::Smtp(smtp) => Transport::Smtp(Box::new(server(smtp)?)),
    }))
}

fn server(smtp: &config::Smtp) -> Result<Smtp, String> {
    let login = match &smtp.login {
        Some((user, password)) => Some((user.clone(), password.as_ref().map_err(Clone::clone)?.expose().to_owned())),
        None => None,
    };
    Ok(Smtp {
        host: smtp.host.clone(),
        port: smtp.port,
        security: match smtp.tls {
            config::Tls::StartTls => Security::StartTls,
            config::Tls::Implicit => Security::Implicit,
            config::Tls::None => Security::None,
        },
        ca_file: smtp.ca_file.clone(),
        login,
        tries: Arc::default(),
    })
}
