//! What makes a mail a follow-up, found as OTOBO finds it: the ticket number in its subject, and the mails that
//! it answers. Whether there are such tickets is not known here.

use crate::mail::Header;

/// Most Message-IDs of other mails that count, from the last one on: a thread has fewer.
const MOST_REFERENCES: usize = 100;

/// The Message-IDs with their `<>` of the mails that this one answers, the nearest first: those of In-Reply-To,
/// then those of References, from the last one on. Each once.
pub(super) fn references(header: &Header) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in ["In-Reply-To", "References"] {
        let value = header.texts(name).collect::<Vec<_>>().join(" ");
        for part in value.rsplit('<') {
            if found.len() == MOST_REFERENCES {
                return found;
            }
            let Some((id, _)) = part.split_once('>').filter(|(id, _)| !id.is_empty()) else { continue };
            let id = format!("<{id}>");
            if !id.chars().any(char::is_control) && !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}

/// The Message-IDs in the form of otab's link mails that this mail answers, each once, with `<>`, which some programs
/// leave out. Whether otab sent such a mail is not known here.
pub(super) fn link_mails(header: &Header) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in ["In-Reply-To", "References"].into_iter().flat_map(|name| header.texts(name)) {
        let parts = value.split(|c: char| c.is_whitespace() || c.is_control() || "<>(),;\"".contains(c));
        for id in parts.map(str::to_ascii_lowercase).filter(|id| id.starts_with("otab.") && id.contains('@')) {
            let id = format!("<{id}>");
            if found.len() < MOST_REFERENCES && !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}

/// How ticket numbers look.
#[derive(Debug, Clone)]
pub struct TicketNumbers {
    /// `postmaster.ticket_hook` (OTOBO: `Ticket::Hook`).
    pub hook: String,
    /// `postmaster.ticket_hook_divider` (OTOBO: `Ticket::HookDivider`).
    pub divider: String,
    /// `postmaster.system_id` (OTOBO: `SystemID`).
    pub system_id: String,
}

impl TicketNumbers {
    /// The number in a decoded subject: hook and divider directly before it, or else the hook, a colon
    /// and up to two blanks. Case does not matter; only the first match of each form is looked at.
    #[must_use]
    pub fn find(&self, subject: &str) -> Option<String> {
        let subject = subject.to_lowercase();
        let hook = self.hook.to_lowercase();
        let direct = format!("{hook}{}", self.divider.to_lowercase());
        self.behind(&subject, &direct, 0).or_else(|| self.behind(&subject, &format!("{hook}:"), 2))
    }

    fn behind(&self, subject: &str, hook: &str, max_blanks: usize) -> Option<String> {
        let mut rest = subject;
        while let Some(at) = rest.find(hook) {
            let after = &rest[at + hook.len()..];
            let bare = after.trim_start_matches(char::is_whitespace);
            let blanks = after[..after.len() - bare.len()].chars().count();
            if blanks <= max_blanks
                && let Some(number) = self.number(bare)
            {
                return Some(number);
            }
            rest = &rest[at..];
            rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
        }
        None
    }

    /// Date (8 digits), system id, counter (4 to 40 digits).
    fn number(&self, text: &str) -> Option<String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let longest = 8 + self.system_id.len() + 40;
        let number = &text[..digits.min(longest)];
        let fits = digits >= 8 + self.system_id.len() + 4 && number[8..].starts_with(&self.system_id);
        fits.then(|| number.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(subject: &str) -> Option<String> {
        TicketNumbers { hook: "Ticket#".into(), divider: String::new(), system_id: "10".into() }.find(subject)
    }

    #[test]
    fn answered_mails_come_nearest_first_and_once() {
        let listed = |text: &str| references(&Header::parse(text.as_bytes().to_vec(), 10).unwrap());
        let text = "References: <a@x> <b@x>\n\t<c@x>\nIn-Reply-To: Your mail <c@x> of today\n";
        assert_eq!(listed(text), ["<c@x>", "<b@x>", "<a@x>"]);
        assert_eq!(listed("In-Reply-To: <1@x>\nReferences: <2@x>,<3@x>\n"), ["<1@x>", "<3@x>", "<2@x>"]);
        for text in ["References: a@x <> < >> >b@x<\n", "Subject: <a@x>\n", "In-Reply-To: <a\0@x>\n"] {
            assert!(listed(text).iter().all(|id| id == "< >"), "{text}");
        }
        let many: Vec<String> = (0..200).map(|number| format!("<{number}@x>")).collect();
        let found = listed(&format!("References: {}\n", many.join(" ")));
        assert_eq!((found.len(), found[0].as_str()), (MOST_REFERENCES, "<199@x>"));
    }

    #[test]
    fn what_may_be_a_link_mail_is_found_in_any_form() {
        let listed = |text: &str| link_mails(&Header::parse(text.as_bytes().to_vec(), 10).unwrap());
        for text in ["In-Reply-To: <otab.1@x>\n", "references: <a@x> <OTAB.1@X>\n", "In-Reply-To: otab.1@x (you)\n"] {
            assert_eq!(listed(text), ["<otab.1@x>"], "{text}");
        }
        assert_eq!(listed("In-Reply-To: <otab.1@x>\nReferences: <otab.1@x> <b>,<otab.2@x>\n").len(), 2);
        for text in ["Subject: <otab.1@x>\n", "References: <x.otab.1@x> <otab.1>\n", "X: y\n"] {
            assert!(listed(text).is_empty(), "{text}");
        }
        let many: Vec<String> = (0..200).map(|number| format!("<otab.{number}@x>")).collect();
        assert_eq!(listed(&format!("References: {}\n", many.join(" "))).len(), MOST_REFERENCES);
    }

    #[test]
    fn numbers_are_found_in_both_forms() {
        let number = Some("2026112010000017".to_owned());
        for subject in [
            "[Ticket#2026112010000017] help",
            "Re: [TICKET#2026112010000017] help",
            "Ticket#:2026112010000017",
            "Ticket#:  2026112010000017 x",
            "Ticket#x Ticket#2026112010000017",
        ] {
            assert_eq!(find(subject), number, "{subject}");
        }
    }

    #[test]
    fn what_otobo_does_not_take_for_a_number_is_none() {
        for subject in [
            "Ticket# 2026112010000017",
            "Ticket#:   2026112010000017",
            "Ticket#20261120100",
            "Ticket#2026112011000017",
            "Ticket: 2026112010000017",
            "2026112010000017",
            "",
            "Ticket#",
            "Ticket#２０２６１１２０１００００１７",
        ] {
            assert_eq!(find(subject), None, "{subject}");
        }
    }
}
