//! The one recipient among the arguments of a command that sends mails.
//!
//! OTOBO runs `CMD` with the envelope sender and the recipients behind it. Only what sendmail programs
//! agree on is understood: an option that may take the next argument, or name recipients itself, is a
//! reason for doubt.

use std::ffi::OsString;

/// Options without a value that name nobody.
const FLAGS: [&str; 18] = [
    "-i", "-oi", "-G", "-U", "-v", "-n", "-m", "-om", "-bm", "-odb", "-odi", "-odq", "-oee", "-oem", "-oep", "-oeq",
    "-oew", "-o8",
];
/// Options with their value attached that name nobody; `-f` is the sender, `-F` his name, `-a` msmtp's
/// account.
const ATTACHED: &str = "fFBCLNORVXah";

/// The only envelope recipient, or why there is not exactly one.
pub fn of(command: &[OsString]) -> Result<&str, &'static str> {
    let mut recipients = Vec::new();
    let mut words = command.iter().skip(1);
    let mut names_only = false;
    while let Some(word) = words.next() {
        let word = word.to_str().ok_or("the command has arguments that are not UTF-8")?;
        if names_only || !word.starts_with('-') {
            recipients.push(word);
        } else if !recipients.is_empty() {
            return Err("the command has options behind its recipients");
        } else if word == "--" {
            names_only = true;
        } else if word == "-f" || word == "-F" {
            words.next().ok_or("the command names no sender")?;
        } else if !FLAGS.contains(&word) && !has_value(word) {
            return Err("the command has options that otab does not know");
        }
    }
    match recipients[..] {
        [recipient] => Ok(recipient),
        [] => Err("the command names no recipient"),
        _ => Err("the mail has several recipients"),
    }
}

fn has_value(word: &str) -> bool {
    word.len() > 2 && word[1..].starts_with(|letter| ATTACHED.contains(letter))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn found(line: &str) -> Option<String> {
        let words: Vec<OsString> = line.split(' ').map(|word| word.replace("''", "").into()).collect();
        of(&words).ok().map(str::to_owned)
    }

    #[test]
    fn the_recipient_is_found_after_sendmails_options() {
        for line in [
            "sendmail -i -f help@desk.test c@d.test",
            "sendmail -i -f '' c@d.test",
            "sendmail -oi -oem -F Helpdesk -fhelp@desk.test c@d.test",
            "sendmail -f -t c@d.test",
            "sendmail -i -f help@desk.test -- c@d.test",
            "msmtp -adefault -C/etc/msmtprc -f help@desk.test c@d.test",
            "sendmail c@d.test",
        ] {
            assert_eq!(found(line).as_deref(), Some("c@d.test"), "{line}");
        }
    }

    #[test]
    fn what_could_name_others_is_a_reason_for_doubt() {
        for line in [
            "sendmail",
            "sendmail -i -f",
            "sendmail -i -f help@desk.test",
            "sendmail -i -f help@desk.test a@b.test c@d.test",
            "sendmail help@desk.test c@d.test",
            "sendmail -t -f help@desk.test c@d.test",
            "sendmail -it -f help@desk.test c@d.test",
            "sendmail -i -f help@desk.test c@d.test -t",
            "sendmail -bs -f help@desk.test c@d.test",
            "msmtp --read-recipients -f help@desk.test c@d.test",
            "mail -ba@b.test -f help@desk.test c@d.test",
            "sendmail -N never -f help@desk.test c@d.test",
            "sendmail - c@d.test",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
        assert!(of(&["sendmail".into(), OsString::from_vec(b"\xff@d.test".to_vec())]).is_err());
    }
}
