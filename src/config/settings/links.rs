//! `[one_time_auth]` and `[mail]`: links, and how link mails leave.

use super::{Section, flag, number, optional, text, words};

/// The built-in English text for a link that could not be made. ASCII, so that every mail can hold it.
pub const REFRESH_FAILED: &str =
    "We could not create a new link to your request. Please reply to our last e-mail, and we will help you.";

/// A hundred years of days: more is a slip of the pen, and dates should not overflow.
const DAYS: u32 = 36_500;
/// Most link mails within an hour.
const MAILS: u32 = 1_000_000;

pub(super) const ONE_TIME_AUTH: Section = Section {
    path: "one_time_auth",
    heading: "How long links live, and what customers are told about them",
    why: "",
    is_free: false,
    settings: &[
        number(
            "access_days_after_close",
            [14, 0, DAYS],
            "days",
            "Days that links outlive the closing of their ticket. 0: none.",
        ),
        number(
            "unbound_days",
            [14, 1, DAYS],
            "days",
            "Days after which a token is deleted that no ticket ever came for.",
        ),
        number(
            "max_token_days",
            [0, 0, DAYS],
            "days",
            "Days after which every token is deleted, even of an open ticket. 0: no limit.",
        ),
        text(
            "link_url",
            "",
            "",
            "The address of links, with {{token}} where the token comes: https://help.example.org/t/{{token}}. Empty: links \
             cannot be made yet.",
        ),
        text(
            "portal_url",
            "",
            "",
            "The customer portal, for links without a token: \"https://help.example.org/otobo/customer.pl\".",
        ),
        text("site_name", "Helpdesk", "", "What the site is called in link mails."),
        text(
            "templates",
            "",
            "path",
            "A folder with templates of your own for link mails; see otab(1). Empty: the built-in ones.",
        ),
        text(
            "token_refresh_notification_id",
            "refresh",
            "text or number",
            "The set of templates for renewed links; or, as in the package, the number of one of OTOBO's notifications, without \
             quotes (with tickets.source = \"otobo\"). 0: the built-in texts.",
        ),
        text("language", "en", "language tag", "For customers whose own language has no texts below."),
    ],
};

pub(super) const ENGLISH: Section = Section {
    path: "one_time_auth.messages.en",
    heading: "",
    why: "What customers are told. For other languages add tables of the same kind; what they leave out is said in English.",
    is_free: false,
    settings: &[
        text(
            "customer_error_message_new_link",
            "This link has already been used, and each link works only once. We have just sent you an e-mail with a new one.",
            "",
            "The link was used, and a new one is on its way.",
        ),
        text(
            "customer_error_message_refresh_failed",
            REFRESH_FAILED,
            "",
            "The link was used, and no new one could be made.",
        ),
        text(
            "customer_error_message_link_expired",
            "This link is no longer valid: your request was closed some time ago, or the link was not copied completely. If you \
             still have a question, please send us an e-mail.",
            "",
            "The link is unknown, or its ticket's time is over.",
        ),
        text(
            "customer_error_message_wrong_link",
            "This link has already been used. There is a newer one: please use the link in the latest e-mail that we sent you \
             about this request.",
            "",
            "The link was used, and there is a newer one.",
        ),
    ],
};

pub(super) const GERMAN: Section = Section {
    path: "one_time_auth.messages.de",
    heading: "",
    why: "The same in German, for customers whose language is set to it.",
    is_free: false,
    settings: &[
        text(
            "customer_error_message_new_link",
            "Dieser Link wurde bereits benutzt, und jeder Link gilt nur einmal. Wir haben Ihnen soeben eine E-Mail mit einem \
             neuen Link geschickt.",
            "",
            "",
        ),
        text(
            "customer_error_message_refresh_failed",
            "Ein neuer Link zu Ihrer Anfrage konnte nicht erstellt werden. Bitte antworten Sie auf unsere letzte E-Mail, dann \
             helfen wir Ihnen weiter.",
            "",
            "",
        ),
        text(
            "customer_error_message_link_expired",
            "Dieser Link ist nicht mehr gültig: Ihre Anfrage ist seit einiger Zeit abgeschlossen, oder der Link wurde nicht \
             vollständig kopiert. Wenn Sie noch eine Frage haben, schreiben Sie uns bitte eine E-Mail.",
            "",
            "",
        ),
        text(
            "customer_error_message_wrong_link",
            "Dieser Link wurde bereits benutzt. Es gibt einen neueren: Bitte nehmen Sie den Link aus der letzten E-Mail, die Sie \
             von uns zu dieser Anfrage bekommen haben.",
            "",
            "",
        ),
    ],
};

pub(super) const MAIL: Section = Section {
    path: "mail",
    heading: "How link mails leave",
    why: "",
    is_free: false,
    settings: &[
        words(
            "transport",
            &["none", "sendmail", "smtp", "file"],
            "\"sendmail\": by the mail server's own program; \"smtp\": by a mail server; \"file\": as files in a folder, for \
             trying out; \"none\": not at all, their orders wait.",
        ),
        text("from", "", "address", "The address and name that they come from. Answers to it should be read."),
        text("from_name", "", "", ""),
        text("sendmail", "/usr/sbin/sendmail", "path", "For \"sendmail\", for \"file\", and the rest for \"smtp\"."),
        text("folder", "mails", "path", ""),
        text("host", "localhost", "", ""),
        words(
            "tls",
            &["starttls", "tls", "none"],
            "\"starttls\", \"tls\" (from the first byte on) or \"none\". Certificates are checked.",
        ),
        number("port", [0, 0, 65_535], "", "0: 587, 465 or 25, as tls is."),
        text(
            "ca_file",
            "",
            "path",
            "One more certificate to trust, for a mail server with one of your own (PEM). Empty: none.",
        ),
        text("user", "", "", "The user who logs in, with the password from one of these three. Empty: nobody."),
        optional("password_file", "smtp.secret", "path", ""),
        optional("password_env", "OTAB_SMTP_PASSWORD", "name of a variable", ""),
        optional("password", "the password", "text", ""),
        flag(
            "wake",
            true,
            "After each mail that has ordered a link mail, otab sends it in the background. Switch it off where cron, a timer \
             or `otab notify --watch` does it.",
        ),
        number(
            "timeout",
            [60, 1, 600],
            "seconds",
            "Seconds for one link mail, and hours until one that nobody takes is given up.",
        ),
        number("give_up_hours", [72, 1, 720], "", ""),
        number(
            "per_address",
            [10, 0, MAILS],
            "",
            "Most link mails within an hour: to one address, to one domain, in all. More wait; of one customer's over \
             per_address only the newest does. 0: any number.",
        ),
        number("per_domain", [200, 0, MAILS], "", ""),
        number("per_hour", [1000, 0, MAILS], "", ""),
    ],
};
