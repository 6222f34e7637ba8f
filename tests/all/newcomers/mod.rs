//! Customers that otab has made: the helpdesk is told of each before his first link mail goes out, whoever dies when.

mod death;
mod failures;
mod story;

use std::process::Child;

use crate::servers::{Place, new_store};
use crate::site::{Site, spawn};

/// Tells of each newcomer: `told`, where he is there and has no mail yet; `late` where he has one; `early` where
/// he is not there yet. Then does what the file `then` says.
const TELL: &str = r#"
cd "$1" && while read -r login; do
    if ! "$2" --config otab.toml customer show "$login" > /dev/null 2>&1; then echo "early $login"
    elif grep -qs "^To: $login" mails/*; then echo "late $login"
    else echo "told $login"
    fi >> events
done
echo run >> events
. ./then
"#;

/// A site that tells the helpdesk of its new customers.
pub struct Desk {
    pub place: Place,
    site: Site,
}

impl std::ops::Deref for Desk {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Desk {
    /// `mail` is the rest of `[mail]`.
    pub fn new(place: Place, mail: &str) -> Self {
        let site = Site::at(&new_store(place), "[log]\nsyslog = false\nfile = \"otab.log\"\n[limits]\ndecide = 60\n");
        let tell = site.write("tell", TELL);
        site.write("then", "");
        let command = ["/bin/sh", tell.to_str().unwrap(), site.folder().to_str().unwrap(), env!("CARGO_BIN_EXE_otab")];
        site.append(&format!(
            "[one_time_auth]\nlink_url = \"https://help.test/t/{{{{token}}}}\"\n\
             [create]\nafter_create = {command:?}\nafter_create_timeout = 30\n\
             [mail]\nfrom = \"help@desk.test\"\nper_domain = 0\n{mail}"
        ));
        if place != Place::Sqlite {
            site.ends(0, &["store", "migrate"]);
        }
        Self { place, site }
    }

    /// Link mails leave as files, when `otab notify` is called.
    pub fn quiet(place: Place) -> Self {
        Self::new(place, "wake = false\ntransport = \"file\"\n")
    }

    /// What the command does once it has told of all.
    pub fn then(&self, shell: &str) {
        self.site.write("then", shell);
    }

    pub fn mail_of(&self, name: &str) {
        self.takes(&mail_of(name));
    }

    /// A filter that has the mail, and goes on or not as `environment` says.
    pub fn go(&self, name: &str, environment: &[(&str, &str)]) -> Child {
        spawn(self.command(&["filter"]).envs(environment.iter().copied()), &mail_of(name))
    }

    pub fn events(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.site.path("events")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Each of these was told of when he was there and had no mail.
    pub fn assert_told(&self, names: &[&str]) {
        let events = self.events();
        for name in names {
            let of_his = events.iter().filter(|event| event.ends_with(&format!(" {name}@corp.test")));
            let first = of_his.map(|event| event.split(' ').next().unwrap()).find(|word| *word != "early");
            assert_eq!(first, Some("told"), "{:?} {name}: {events:?} {}", self.place, self.log());
        }
    }
}

pub fn mail_of(name: &str) -> Vec<u8> {
    format!("From: <{name}@corp.test>\nTo: help@desk.test\nSubject: help\nMessage-ID: <{name}@corp.test>\n\nHello\n")
        .into_bytes()
}
