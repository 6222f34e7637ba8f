//! `[door]`, `[limits]` and `[log]`: the web server, and what holds for all of otab.

use super::{Section, flag, list, number, text, words};

/// Most of anything that is counted by address; more is no limit.
const MOST: u32 = 1_000_000;

pub(super) const DOOR: Section = Section {
    path: "door",
    heading: "The web server behind the link: `otab serve`",
    why: "",
    is_free: false,
    settings: &[
        text(
            "listen",
            "127.0.0.1:8421",
            "address and port, or unix: and a path",
            "Where it listens: on this machine's loopback, or \"unix:/run/otab/door.sock\". A socket that systemd hands over wins.",
        ),
        text("socket_mode", "0660", "octal digits", ""),
        text(
            "base_url",
            "",
            "https and host",
            "What customers see of your site: scheme and host, \"https://help.example.org\". Needed by `otab serve`; \
             one_time_auth.link_url is then this and /t/{{token}}, and portal_url a page of the same host.",
        ),
        number(
            "session_minutes",
            [30, 1, 1440],
            "",
            "When a session ends: after so many minutes without a request, and after so many hours in any case.",
        ),
        number("session_hours", [8, 1, 168], "", ""),
        list(
            "trusted_proxies",
            &["127.0.0.1", "::1"],
            "addresses and networks",
            "Whose X-Forwarded-For is believed: addresses or networks. What comes by the Unix socket always is.",
        ),
        text(
            "hand_over",
            "Action=Login;RequestedURL={{page}}",
            "query",
            "The query with which the portal logs a customer in, with {{page}} where the page that they want comes.",
        ),
        text("user_header", "Remote-User", "field", "The field in which the proxy hears who it is."),
        number(
            "requests_per_minute",
            [120, 0, MOST],
            "",
            "Most pages within a minute, and most links that open nothing within an hour, by address. 0: any number.",
        ),
        number("wrong_tokens_per_hour", [30, 0, MOST], "", ""),
        text("logo", "", "path", "Your logo (SVG or PNG, at most 256 KiB), and the colour of the button."),
        text("accent", "#1f5fa8", "colour", ""),
        text(
            "templates",
            "",
            "path",
            "A folder with a page.html and texts of your own; see otab.toml(5). Empty: the built-in ones.",
        ),
        flag(
            "notify",
            false,
            "Send link mails as `otab notify --watch` does, and delete what is over each day at a time, \"04:00\": then no cron \
             is needed.",
        ),
        text("purge", "", "time of day", ""),
        text(
            "metrics",
            "",
            "address and port",
            "Numbers for Prometheus, on loopback: \"127.0.0.1:8422\". Empty: none.",
        ),
        text(
            "fastcgi",
            "",
            "address and port",
            "For Apache as the proxy, which asks by FastCGI, on loopback: \"127.0.0.1:8423\". Empty: nothing listens there.",
        ),
    ],
};

pub(super) const LIMITS: Section = Section {
    path: "limits",
    heading: "How long otab takes at most, in seconds",
    why: "",
    is_free: false,
    settings: &[
        number(
            "decide",
            [8, 1, 60],
            "seconds",
            "To the first byte out. Mail servers give up on a filter after some time, and may then bounce.",
        ),
        number("idle", [300, 1, 3600], "seconds", "Without a byte of the mail's body."),
        number(
            "command",
            [900, 1, 86_400],
            "seconds, more than decide",
            "For the command of `otab deliver`. Less than the caller's own limit (Postfix: 1000, procmail: 960, maildrop: 300).",
        ),
        number(
            "stop_seconds",
            [10, 1, 3600],
            "seconds",
            "For what `otab serve` has under way when it is stopped; the rest is cut off, and the log says what it was.",
        ),
    ],
};

pub(super) const LOG: Section = Section {
    path: "log",
    heading: "Where otab logs what it did and why",
    why: "Every place that is set gets every entry.",
    is_free: false,
    settings: &[
        flag("stderr", false, "Off in the mail path: mail servers copy standard error into bounces."),
        flag(
            "syslog",
            true,
            "One line a mail, to the facility \"mail\", \"user\", \"daemon\", \"auth\" or \"local0\" to \"local7\".",
        ),
        text("syslog_socket", "/dev/log", "path", ""),
        words(
            "facility",
            &[
                "mail", "user", "daemon", "auth", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
                "local7",
            ],
            "",
        ),
        flag("journald", false, "systemd's journal. Where it collects syslog as well, one of the two is enough."),
        text("journald_socket", "/run/systemd/journal/socket", "path", ""),
        text(
            "file",
            "",
            "path",
            "A file that is appended to, and may be rotated at any time, in a folder that only root or otab's user can write: no \
             link is followed. Empty: none.",
        ),
    ],
};
