//! `[store]`, `[postmaster]`, `[[postmaster.trusted]]` and `[create]`: what the mail path needs.

use super::{Kind, Section, flag, list, number, optional, setting, text, words};

pub(super) const STORE: Section = Section {
    path: "store",
    heading: "What otab keeps: tokens, orders for link mails, and, by default, customers and tickets",
    why: "",
    is_free: false,
    settings: &[
        text(
            "url",
            "sqlite:otab.db",
            "",
            "One SQLite file is enough for one mail host. Several share an empty database on PostgreSQL, MariaDB or MySQL, in \
             which `otab store migrate` makes the tables: \"postgresql://otab@db.example.org/otab\", see [[customer_user]].",
        ),
        optional("password_file", "store.secret", "path", PASSWORD),
        optional("password_env", "OTAB_STORE", "name of a variable", ""),
        optional("password", "the password", "text", ""),
        flag(
            "create",
            false,
            "Whether a missing file is made. With false, a mistyped path is an error, and not an empty database in which every \
             link is lost: write false once the file is there. The example has true.",
        ),
    ],
};

/// The one line for the three ways to write a password.
pub(super) const PASSWORD: &str = "The password for a url that holds none, from one of these three.";

pub(super) const POSTMASTER: Section = Section {
    path: "postmaster",
    heading: "What happens to each mail",
    why: "",
    is_free: false,
    settings: &[
        flag(
            "customer_header_spoof_protection",
            true,
            "Remove forged control fields, and always set the customer fields, so that nobody can file a ticket under another \
             customer. Switch it off only where something else does this.",
        ),
        words(
            "protect",
            &["all", "customer"],
            "\"all\" removes every X-OTOBO-* and X-OTRS-* field of untrusted mail; \"customer\" only the fields that say who \
             the customer is, and those that otab itself sets, for sites whose senders may set queues and priorities.",
        ),
        text(
            "customer_user_backend",
            "CustomerUser",
            "",
            "The customer source below in which new customer users are created.",
        ),
        text(
            "set_check_box_name",
            "",
            "",
            "A check box dynamic field to tick for customers of that source, for rules in OTOBO. Empty: none.",
        ),
        text(
            "link_field",
            "",
            "",
            "A text dynamic field that gets the placeholder, for OTOBO's auto responses. Empty: none.",
        ),
        text(
            "link_placeholder",
            "[[OTAB-LINK]]",
            "6 to 60 printable characters",
            "What is written in that field, and in templates, where a link belongs: `otab outgoing` puts it there. Never a \
             secret.",
        ),
        words(
            "header_prefix",
            &["X-OTOBO-", "X-OTRS-"],
            "\"X-OTOBO-\" for OTOBO, \"X-OTRS-\" for Znuny: each reads only its own.",
        ),
        text(
            "marker",
            "unverified-sender",
            "",
            "The customer fields of a mail whose sender is doubtful. Must be nobody's login and nobody's customer id: without \
             it, OTOBO would believe what From says.",
        ),
        words(
            "on_error",
            &["tempfail", "deliver"],
            "On a temporary failure: \"tempfail\" lets the mail server try again later; \"deliver\" lets the mail go on, \
             stripped and marked, without customer and link.",
        ),
        number(
            "max_header_bytes",
            [1 << 20, 4096, 16 << 20],
            "bytes",
            "Longer header blocks (bytes, fields) are not held in memory: such a mail goes on, stripped and marked.",
        ),
        number("max_header_fields", [20_000, 100, 1_000_000], "", ""),
        list(
            "own_addresses",
            &[],
            "list of addresses",
            "The helpdesk's own addresses. Mail from them is automatic: it gets no customer and no link, so that two robots \
             never talk to each other.",
        ),
        text(
            "ticket_hook",
            "Ticket#",
            "",
            "Ticket::Hook, Ticket::HookDivider and SystemID as OTOBO has them: follow-ups are known by them.",
        ),
        text("ticket_hook_divider", "", "", ""),
        text("system_id", "10", "digits", ""),
    ],
};

pub(super) const TRUSTED: Section = Section {
    path: "postmaster.trusted[]",
    heading: "",
    why: "A system of your own may set control fields if its mails carry a secret field: its name, and its value (16 to 500 \
          characters of ASCII) from one of these three. The field is removed from every mail. What otab starts does not \
          inherit the variable, nor those of password_env.",
    is_free: false,
    settings: &[
        setting("field", Kind::Required("X-Site-Secret"), "text, required", ""),
        optional("value_file", "trusted.secret", "path", ""),
        optional("value_env", "OTAB_TRUSTED", "name of a variable", ""),
        optional("value", "at least 16 random characters", "text", ""),
    ],
};

pub(super) const CREATE: Section = Section {
    path: "create",
    heading: "For whom customer users are created, and with what",
    why: "",
    is_free: false,
    settings: &[
        list(
            "allow",
            &[],
            "",
            "Addresses (user@example.org), domains (example.org) or all subdomains (.example.org). An empty allow list allows \
             everybody; deny wins.",
        ),
        list("deny", &[], "", ""),
        text(
            "customer_id",
            "{{address}}",
            "",
            "The customer id of new customer users, from {{address}}, {{local_part}} and {{domain}}. With {{domain}}, \
             colleagues share a company and may see each other's company tickets.",
        ),
        list(
            "company_domains",
            &[],
            "",
            "The domains that are companies: example.org, or all subdomains by .example.org. For any other domain {{domain}} \
             is the whole address, unless the helpdesk's table customer_company has it as an id: strangers at one mail \
             provider would be a company.",
        ),
        list(
            "after_create",
            &[],
            "list of texts",
            "A command that runs after customer users were made, and before the first link mail to one: OTOBO remembers for a \
             day who was not there, also after a stranger's failed login as them. The program's whole path and each argument by itself, without a shell; their logins are \
             its standard input, one a line. Empty: none. For OTOBO, where otab runs as the user who runs its console: \
             [\"/opt/otobo/bin/otobo.Console.pl\", \"Maint::Cache::Delete\", \"--type\", \"CustomerUser\"].",
        ),
        number(
            "after_create_timeout",
            [60, 1, 600],
            "seconds",
            "How long it may take; then it is ended, with all that it has started.",
        ),
    ],
};

pub(super) const PREFERENCES: Section = Section {
    path: "create.preferences",
    heading: "",
    why: "What new customer users start with. The keys are free, and this table as a whole replaces the default.",
    is_free: true,
    settings: &[
        text("UserTimeZone", "Europe/Berlin", "", "As OTOBO's package sets them; the time zone is the site's."),
        text("UserShowTickets", "25", "", ""),
        text("UserRefreshTime", "0", "", ""),
    ],
};
