//! `[[customer_user]]` and `[tickets]`: where customers and tickets are looked up.

use super::mail_path::PASSWORD;
use super::{Kind, Section, flag, list, number, optional, setting, text, words};

pub(super) const CUSTOMER_USER: Section = Section {
    path: "customer_user[]",
    heading: "Where customers and tickets are looked up",
    why: "The customer sources, asked in this order. Without any there is one, called CustomerUser, in the store.",
    is_free: false,
    settings: &[
        setting("name", Kind::Required("CustomerUser"), "text, required", "Its name, unlike all others."),
        optional(
            "url",
            "postgresql://otab@db.example.org/otobo",
            "text, default: the store's",
            "Its database. A server further away than this machine has to show a certificate that is checked, unless the url \
             ends with ?sslmode=disable. \"sqlite:customers.db\", \"mysql://otab@localhost/otobo?socket=/run/mysqld/mysqld.sock\", \
             or as here; see otab.toml(5) for all that a url can say.",
        ),
        optional("password_file", "customers.secret", "path", PASSWORD),
        optional("password_env", "OTAB_CUSTOMERS", "name of a variable", ""),
        optional("password", "the password", "text", ""),
        setting(
            "has_password",
            Kind::OptionalWords(&["column", "always", "never"]),
            "default \"column\", or \"always\" if password_column is empty",
            "Customers who have a password get no token: \"column\" (as the table says), \"always\" (all have one, kept \
             elsewhere) or \"never\".",
        ),
        flag(
            "read_only",
            false,
            "Whether nobody may be created or changed here. Such a source cannot be postmaster.customer_user_backend.",
        ),
        setting(
            "on_error",
            Kind::OptionalWords(&["tempfail", "deliver"]),
            "default: as postmaster.on_error",
            "When this source does not answer.",
        ),
        text(
            "table",
            "customer_user",
            "name",
            "Table and columns, as OTOBO has them. With any other name the source is read only.",
        ),
        text("key", "login", "name", "CustomerKey, CustomerID, and CustomerValid (1 is valid; empty: all are)."),
        text("customer_id", "customer_id", "name", ""),
        text("valid", "valid_id", "name", ""),
        text(
            "email",
            "email",
            "name",
            "Where mails are sent to, and CustomerUserPostMasterSearchFields: where senders are looked for.",
        ),
        list("search_fields", &["email"], "list of names", ""),
        text("first_name", "first_name", "name", ""),
        text("last_name", "last_name", "name", ""),
        text(
            "password_column",
            "pw",
            "name",
            "The password's hash; otab asks only whether there is one. Empty: there is no such column.",
        ),
        text(
            "time_zone",
            "UTC",
            "name",
            "OTOBO's OTOBOTimeZone: the zone of the times that are written into its tables.",
        ),
        optional(
            "base",
            "ou=people,dc=example,dc=org",
            "DN, required in a directory",
            "A source may be an LDAP directory instead, url = \"ldap://…\" or \"ldaps://…\", which is only read. Attributes then \
             take the place of columns (key = \"uid\", the addresses and the customer id \"mail\", givenName and sn; no valid: \
             all are), and these belong to it: BaseDN, AlwaysFilter and UserDN, whose password is one of the three above.",
        ),
        optional("filter", "(objectClass=inetOrgPerson)", "LDAP filter", ""),
        optional("bind_dn", "cn=otab,dc=example,dc=org", "DN", ""),
        setting(
            "tls",
            Kind::OptionalWords(&["starttls", "none"]),
            "",
            "With ldap:// on another machine: \"starttls\", or \"none\", which believes everything that comes.",
        ),
        optional(
            "ca_file",
            "/etc/otab/ca.pem",
            "path, default: the system's authorities",
            "The authorities that the server's certificate is checked with, in PEM.",
        ),
        number("page_size", [500, 1, 10_000], "", "How many entries come at once where all are listed."),
    ],
};

pub(super) const TICKETS: Section = Section {
    path: "tickets",
    heading: "",
    why: "",
    is_free: false,
    settings: &[
        words(
            "source",
            &["embedded", "otobo"],
            "Where ticket numbers and states come from: \"embedded\" is otab's own table, see `otab ticket`; \"otobo\" are the \
             helpdesk's own tables, which are only read.",
        ),
        optional(
            "url",
            "postgresql://otab@db.example.org/otobo",
            "text",
            "For \"otobo\": the helpdesk's database, as for a [[customer_user]]. It has to be the primary, or a replica that \
             never lags: where a new ticket is not there yet it looks gone, and its tokens end.",
        ),
        optional("password_file", "tickets.secret", "path", PASSWORD),
        optional("password_env", "OTAB_TICKETS", "name of a variable", ""),
        optional("password", "the password", "text", ""),
        text("time_zone", "UTC", "name", "OTOBO's OTOBOTimeZone: the zone of the times in its tables."),
        words(
            "closed_since",
            &["history", "change_time"],
            "Since when a ticket counts as closed: \"history\" (since it came into its present state) or \"change_time\" (since \
             its last change of any kind, as the package has it).",
        ),
    ],
};
