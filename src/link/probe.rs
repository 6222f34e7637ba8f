//! Tries a transport out, without sending anything.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::smtp;
use super::transport::{Failure, Transport};

/// What was found, in a few words, or why link mails could not leave. `limit` is the longest that a mail
/// server is waited for.
pub fn probe(transport: &Transport, limit: Duration) -> Result<String, Failure> {
    match transport {
        Transport::Smtp(server) => {
            smtp::greet(server, limit)?;
            let login = server.login.as_ref().map(|(user, _)| format!(", logged in as {user}")).unwrap_or_default();
            Ok(format!("the mail server {}:{} answers{login}", server.host, server.port))
        }
        Transport::Sendmail(program) => program_is_there(program),
        Transport::Folder(folder) => folder_takes_files(folder),
    }
}

fn program_is_there(program: &Path) -> Result<String, Failure> {
    let unusable = |why: &dyn std::fmt::Display| Failure::all(format!("{}: {why}", program.display()));
    let found = std::fs::metadata(program).map_err(|error| unusable(&error))?;
    if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
        return Err(unusable(&"is no program"));
    }
    Ok(format!("{} is there", program.display()))
}

/// A folder that is missing is made by the first mail.
fn folder_takes_files(folder: &Path) -> Result<String, Failure> {
    let wanted = if folder.exists() { folder } else { folder.parent().unwrap_or(folder) };
    let tried = tempfile::tempfile_in(wanted).and_then(|mut file| file.write_all(b"otab"));
    tried.map_err(|error| Failure::all(format!("{}: {error}", wanted.display())))?;
    Ok(format!("link mails go into {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_to_be_one_and_a_folder_to_take_files() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sendmail");
        let limit = Duration::from_secs(1);
        let sendmail = Transport::Sendmail(program.clone());
        assert!(probe(&sendmail, limit).is_err());
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        assert!(probe(&sendmail, limit).unwrap_err().what.contains("is no program"));
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(probe(&sendmail, limit).is_ok());
        assert!(probe(&Transport::Folder(folder.path().join("new")), limit).is_ok());
        assert!(!folder.path().join("new").exists());
        assert!(probe(&Transport::Folder(folder.path().join("no/such")), limit).is_err());
        assert!(probe(&Transport::Folder(program), limit).is_err());
    }
}
