//! The statuses that otab itself ends with, in one table. With `deliver --pass-status`, and in `otab outgoing`, the
//! status is the command's instead.
//!
//! The numbers are those of sysexits.h, which mail servers know, and four more for `otab redeem`. This leaf decides
//! nothing: only the code that failed knows what the failure means. It never ends the process.

use std::process::ExitCode;

/// How a run of otab ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// All done.
    Ok,
    /// `redeem`: the token is unknown, or its ticket's time is over.
    LinkExpired,
    /// `redeem`: the token is used, and a newer one is active.
    WrongLink,
    /// `redeem`: the token is used, none is active, and a new link is on its way.
    NewLink,
    /// `redeem`: the token is used, none is active, and no new link could be made.
    RefreshFailed,
    /// Wrong arguments (`EX_USAGE`).
    Usage,
    /// What was given is not what it should be: no mail, no address, no token (`EX_DATAERR`).
    DataErr,
    /// A file that was named cannot be read (`EX_NOINPUT`).
    NoInput,
    /// The customer, ticket or token asked for does not exist (`EX_NOUSER`).
    NoUser,
    /// Something that is needed is away: a database, a mail server (`EX_UNAVAILABLE`).
    Unavailable,
    /// A fault in otab itself, a panic for one (`EX_SOFTWARE`).
    Software,
    /// A file cannot be made, or stands there already (`EX_CANTCREAT`).
    CantCreate,
    /// Reading or writing failed half-way (`EX_IOERR`).
    IoErr,
    /// It may heal: try again later (`EX_TEMPFAIL`).
    TempFail,
    /// Not allowed, by the system or by otab (`EX_NOPERM`).
    NoPerm,
    /// The configuration is missing, refused or has problems (`EX_CONFIG`).
    Config,
}

impl Exit {
    /// The status as the shell sees it.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::LinkExpired => 10,
            Self::WrongLink => 11,
            Self::NewLink => 12,
            Self::RefreshFailed => 13,
            Self::Usage => 64,
            Self::DataErr => 65,
            Self::NoInput => 66,
            Self::NoUser => 67,
            Self::Unavailable => 69,
            Self::Software => 70,
            Self::CantCreate => 73,
            Self::IoErr => 74,
            Self::TempFail => 75,
            Self::NoPerm => 77,
            Self::Config => 78,
        }
    }

    /// The status in the mail path (promise 2): `Ok`, and `TempFail` for everything else.
    ///
    /// Postfix's pipe(8) bounces a mail on 64 to 78 other than 71 and 75; a bounce over a broken
    /// configuration is a lost mail.
    #[must_use]
    pub const fn in_mail_path(self) -> Self {
        match self {
            Self::Ok => Self::Ok,
            _ => Self::TempFail,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, status, status in the mail path. Written out a second time on purpose: scripts and
    /// mail servers rely on the numbers, so that changing one has to be said twice.
    const TABLE: [(Exit, u8, u8); 16] = [
        (Exit::Ok, 0, 0),
        (Exit::LinkExpired, 10, 75),
        (Exit::WrongLink, 11, 75),
        (Exit::NewLink, 12, 75),
        (Exit::RefreshFailed, 13, 75),
        (Exit::Usage, 64, 75),
        (Exit::DataErr, 65, 75),
        (Exit::NoInput, 66, 75),
        (Exit::NoUser, 67, 75),
        (Exit::Unavailable, 69, 75),
        (Exit::Software, 70, 75),
        (Exit::CantCreate, 73, 75),
        (Exit::IoErr, 74, 75),
        (Exit::TempFail, 75, 75),
        (Exit::NoPerm, 77, 75),
        (Exit::Config, 78, 75),
    ];

    #[test]
    fn every_status_has_its_number_and_mail_has_two() {
        for (exit, code, in_mail_path) in TABLE {
            assert_eq!(exit.code(), code, "{exit:?}");
            assert_eq!(exit.in_mail_path().code(), in_mail_path, "{exit:?}");
            assert_eq!(ExitCode::from(exit), ExitCode::from(code), "{exit:?}");
        }
    }
}
