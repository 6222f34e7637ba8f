//! Everything at once, for real: mail, door, proxy, portal. Only the portal is the test's own.

use super::front::{CAROL, Door, Places, Proxy, Start, prepare};
use super::portal::Portal;
use crate::door::Serving;
use crate::http::Client;
use crate::setups::{executable, free_port};
use crate::site::Site;

/// A helpdesk with the door, behind a proxy.
pub struct House {
    pub portal: Portal,
    pub client: Client,
    _proxy: Proxy,
    _door: Serving,
    pub site: Site,
}

fn settings(places: &Places) -> String {
    let base = format!("https://localhost:{}", places.port);
    format!(
        "[door]\nlisten = \"unix:door.sock\"\nsocket_mode = \"0666\"\nbase_url = \"{base}\"\nfastcgi = \"127.0.0.1:{}\"\n\
         requests_per_minute = 0\nwrong_tokens_per_hour = 0\n\
         [one_time_auth]\nlink_url = \"{base}/t/{{{{token}}}}\"\nportal_url = \"{base}/otobo/customer.pl\"\n\
         site_name = \"Example Helpdesk\"\n\
         [mail]\ntransport = \"file\"\nfolder = \"mails\"\nfrom = \"help@desk.test\"\nwake = false\n\
         [log]\nsyslog = false\nfile = \"otab.log\"\n",
        places.fastcgi
    )
}

impl House {
    pub fn new(start: Start) -> Self {
        let portal = Portal::start();
        let [port, plain, fastcgi] = [(); 3].map(|()| free_port());
        let mut places = Places { door: Door::Port(0), fastcgi, portal: portal.port, port, plain };
        let site = Site::new(&settings(&places));
        // The proxy's workers are somebody else.
        executable(site.folder());
        prepare(&site);
        std::fs::create_dir(site.path("mails")).unwrap();
        places.door = Door::Socket(site.path("door.sock"));
        let door = Serving::start(&site, |_| {});
        let proxy = start(&site, &places);
        let client = Client::new(port, &site.path("ca.pem"));
        Self { portal, client, _proxy: proxy, _door: door, site }
    }

    pub fn otab(&self, words: &[&str]) -> String {
        self.site.ends(0, words)
    }

    /// A mail of carol's comes in and becomes this ticket; the link in the mail that she gets.
    pub fn ticket(&self, number: &str) -> String {
        let id = format!("<{number}@corp.test>");
        let mail = format!("From: Carol <{CAROL}>\nTo: help@desk.test\nSubject: help\nMessage-ID: {id}\n\nHello\n");
        self.site.takes(mail.as_bytes());
        self.otab(&["ticket", "add", number, "--message-id", &id, "--customer", CAROL]);
        self.portal.ticket(number, CAROL);
        self.link()
    }

    /// The link in the mail that is due now; it is taken out of the folder.
    pub fn link(&self) -> String {
        self.otab(&["notify"]);
        let mut files = std::fs::read_dir(self.site.path("mails")).unwrap().map(|entry| entry.unwrap().path());
        let (file, more) = (files.next().expect("a link mail"), files.next());
        assert!(more.is_none());
        let mail = std::fs::read(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        let mail = mailparse::parse_mail(&mail).unwrap();
        let text = mail.parts().find(|part| part.ctype.mimetype == "text/plain").unwrap().get_body().unwrap();
        text.split_whitespace().find(|word| word.starts_with(&self.client.origin())).expect("a link").to_owned()
    }

    /// All that stands in the door's log and in the proxy's by now.
    pub fn logs(&self) -> String {
        let mut logs = self.site.read("otab.log");
        for file in std::fs::read_dir(self.site.path("logs")).unwrap() {
            logs += &String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap());
        }
        logs
    }

    /// The path of a link.
    pub fn path(&self, link: &str) -> String {
        link.strip_prefix(&self.client.origin()).unwrap().to_owned()
    }

    /// Carol's language, as the helpdesk has stored it.
    pub fn speaks(&self, language: &str) {
        let database = self.site.database();
        database.execute("DELETE FROM customer_preferences WHERE preferences_key = 'UserLanguage'", []).unwrap();
        let sql = "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) VALUES (?1, 'UserLanguage', ?2)";
        database.execute(sql, [CAROL, language]).unwrap();
    }
}
