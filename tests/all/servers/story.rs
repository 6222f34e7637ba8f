//! The one story that every customer source has to pass: the same body on SQLite, PostgreSQL and MariaDB.

use std::time::Duration;

use jiff::Timestamp;
use otab::customer::{Created, Directory, Error, Found, HasPassword, NewCustomer, Refusal, Source};
use otab::db::{Databases, Kind, Statements, Zone};
use otab::mail::Address;

use super::{PLACES, Place, WRITE, new_source, url};
use crate::site::{Ended, Site, mail};

/// One source, and a directory of it.
struct Bench {
    place: Place,
    folder: tempfile::TempDir,
    source: Source,
    directory: Directory,
    dbs: Databases,
}

fn benches() -> impl Iterator<Item = Bench> {
    PLACES.into_iter().map(|place| {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::new("A", url(&new_source(place, folder.path())));
        Bench {
            place,
            folder,
            directory: Directory::new(vec![source.clone()]),
            source,
            dbs: otab::store::databases(WRITE, Duration::from_mins(1)),
        }
    })
}

impl Bench {
    /// Whether the row could be stored: a database may refuse a NUL, or call it another's login.
    fn row(&mut self, login: &str, email: &str, customer_id: &str, valid: i64) -> bool {
        let sql = "INSERT INTO customer_user (login, email, customer_id, first_name, last_name, valid_id, \
                   create_time, create_by, change_time, change_by) \
                   VALUES (?, ?, ?, ' ', ' ', ?, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1)";
        let values = [login.into(), email.into(), customer_id.into(), valid.into()];
        match self.dbs.get(&self.source.url).unwrap().execute(sql, &values) {
            Ok(count) => count == 1,
            Err(error) if error.kind() == Kind::Constraint => false,
            Err(error) => panic!("{:?}: {error}", self.place),
        }
    }

    fn clear(&mut self) {
        let db = self.dbs.get(&self.source.url).unwrap();
        db.execute("DELETE FROM customer_user", &[]).unwrap();
    }

    fn count(&mut self) -> i64 {
        let db = self.dbs.get(&self.source.url).unwrap();
        db.row("SELECT COUNT(*) FROM customer_user", &[]).unwrap().unwrap().int(0).unwrap()
    }

    fn found(&mut self, address: &str) -> String {
        match self.directory.find(&mut self.dbs, &parse(address)).unwrap() {
            Found::Valid(customer) => customer.login,
            Found::Invalid(customer) => format!("invalid {}", customer.login),
            Found::Nobody => "nobody".to_owned(),
        }
    }

    fn claimed(&mut self, address: &str) -> bool {
        self.directory.claimed(&mut self.dbs, &parse(address)).unwrap().is_some()
    }

    fn create(&mut self, new: &NewCustomer) -> Result<Created, Error> {
        self.directory.create(&mut self.dbs, "A", new, Timestamp::UNIX_EPOCH)
    }
}

fn parse(address: &str) -> Address {
    Address::parse(address).unwrap()
}

fn new(address: &str) -> NewCustomer {
    NewCustomer {
        address: parse(address),
        customer_id: address.to_owned(),
        first_name: "Zoë \u{1f41f}".to_owned(),
        last_name: " ".to_owned(),
        preferences: vec![("UserTimeZone".to_owned(), "UTC".to_owned())],
    }
}

#[test]
fn an_address_finds_its_owner_and_a_valid_login_wins() {
    for mut bench in benches() {
        assert_eq!(bench.found("carol@corp.test"), "nobody", "{:?}", bench.place);
        assert!(bench.row("x-invalid", "carol@corp.test", "corp", 2));
        assert_eq!(bench.found("carol@corp.test"), "invalid x-invalid");
        assert!(bench.row("b", "Carol@Corp.test", "corp", 1));
        assert!(bench.row("C", "carol@corp.test", "corp", 1));
        assert_eq!(bench.found("cAROL@corp.test"), "C", "{:?}", bench.place);
        assert_eq!(bench.found("dave@corp.test"), "nobody");
    }
}

#[test]
fn no_database_takes_a_look_alike_for_the_sender() {
    for mut bench in benches() {
        for (number, email) in [
            "caról@corp.test",
            "ｃarol@corp.test",
            "carol@corp.test ",
            " carol@corp.test",
            "carol@corp.test\0",
            "carol@corp.test\0.evil.test",
            "carol\u{200b}@corp.test",
            "c%@corp.test",
            "c_rol@corp.test",
            "'carol'@corp.test",
            "carol@corp.test' OR '1'='1",
            "carol\\@corp.test",
        ]
        .into_iter()
        .enumerate()
        {
            let stored = bench.row(&format!("l{number}"), email, "x", 1);
            assert!(stored || email.contains('\0'), "{:?} {email:?}", bench.place);
        }
        assert_eq!(bench.found("carol@corp.test"), "nobody", "{:?}", bench.place);
        assert_eq!(bench.found("'carol'@corp.test"), "l9");
        assert_eq!(bench.found("c%@corp.test"), "l7");
        assert_eq!(bench.found("c_rol@corp.test"), "l8");
        assert!(bench.row("carol", "Carol@CORP.test", "x", 1));
        assert_eq!(bench.found("carol@corp.test"), "carol", "{:?}", bench.place);
    }
}

#[test]
fn an_international_domain_is_found_on_every_server() {
    for mut bench in benches() {
        for stored in ["hans@müller.test", "hans@xn--mller-kva.test", "Hans@MÜLLER.test", "HANS@XN--MLLER-KVA.TEST"] {
            assert!(bench.row("hans", stored, "x", 1));
            assert_eq!(bench.found("hans@müller.test"), "hans", "{:?} {stored}", bench.place);
            assert_eq!(bench.found("hans@xn--mller-kva.test"), "hans", "{:?} {stored}", bench.place);
            bench.clear();
        }
    }
}

#[test]
fn what_a_database_or_an_eye_calls_equal_is_a_claim() {
    for mut bench in benches() {
        for text in [
            "carol@corp.test",
            "CAROL@Corp.Test",
            "caról@corp.test",
            "CARÓL@corp.test",
            "ｃａｒｏｌ@corp.test",
            "carol@corp.test ",
            "  carol@corp.test",
            "carol@corp.test\0",
            "ca\0rol@corp.test",
            "car\u{200b}ol@corp.test",
            "car\tol@corp.test",
            "carol\u{ff20}corp.test",
            "cárol\u{fe6b}corp.test",
        ] {
            for (login, customer_id) in [(text, "x"), ("x", text)] {
                let stored = bench.row(login, "other@corp.test", customer_id, 2);
                assert_eq!(bench.claimed("carol@corp.test"), stored, "{:?} {text:?}", bench.place);
                assert_eq!(bench.directory.knows(&mut bench.dbs, "cařol@corp.test").unwrap(), stored);
                assert!(stored || text.contains('\0'));
                assert!(!bench.claimed("dave@corp.test"));
                bench.clear();
            }
        }
        // Letters that fold to plain ones, also where a database's own regular expressions do that.
        for (login, address) in
            [("\u{212a}arl@corp.test", "karl@corp.test"), ("li\u{17f}a@corp.test", "lisa@corp.test")]
        {
            assert!(bench.row(login, "other@corp.test", "x", 1));
            assert!(bench.claimed(address), "{:?} {login}", bench.place);
        }
    }
}

#[test]
fn a_look_alike_of_a_stored_address_is_a_claim() {
    for mut bench in benches() {
        for text in [
            "caról@corp.test",
            "CARÓL@corp.test",
            "ｃａｒｏｌ@corp.test",
            "carol@corp.test ",
            "  carol@corp.test",
            "carol@corp.test\0",
            "car\u{200b}ol@corp.test",
            "car\tol@corp.test",
            "carol\u{ff20}corp.test",
            "carol@ｃorp.test",
        ] {
            let stored = bench.row("x", text, "x", 1);
            assert!(stored || text.contains('\0'), "{:?} {text:?}", bench.place);
            assert_eq!(bench.found("carol@corp.test"), "nobody", "{:?} {text:?}", bench.place);
            assert_eq!(bench.claimed("carol@corp.test"), stored, "{:?} {text:?}", bench.place);
            assert!(!bench.claimed("dave@corp.test"), "{:?} {text:?}", bench.place);
            bench.clear();
        }
        // The other way round; and several who share an address are no look-alikes of each other.
        assert!(bench.row("c", "Carol@corp.test", "x", 1) && bench.row("d", "carol@CORP.test", "y", 2));
        assert!(bench.claimed("caról@corp.test"), "{:?}", bench.place);
        assert!(!bench.claimed("carol@corp.test"), "{:?}", bench.place);
        // A customer with a look-alike beside them is a customer.
        assert!(bench.row("e", "cárol@corp.test", "z", 1));
        assert_eq!(bench.found("carol@corp.test"), "c", "{:?}", bench.place);
    }
}

#[test]
fn ones_own_row_is_no_claim_and_wildcards_are_letters() {
    for mut bench in benches() {
        assert!(bench.row("carol@corp.test", "Carol@corp.test", "carol@corp.test", 1));
        assert!(bench.row("d%@corp.test", "x@corp.test", "d___@corp.test", 1));
        assert!(!bench.claimed("carol@corp.test"), "{:?}", bench.place);
        assert!(!bench.claimed("dave@corp.test"), "{:?}", bench.place);
        assert!(!bench.directory.knows(&mut bench.dbs, "unverified-sender").unwrap());
    }
}

#[test]
fn a_login_is_compared_byte_for_byte_everywhere() {
    for mut bench in benches() {
        assert!(bench.row("Carol", "x@corp.test", "x", 1));
        for (login, there) in
            [("Carol", true), ("carol", false), ("Caról", false), ("Carol ", false), ("Carol\0", false), ("C%", false)]
        {
            let found = bench.directory.by_login_anywhere(&mut bench.dbs, login).unwrap();
            assert_eq!(found.is_some(), there, "{:?} {login:?}", bench.place);
            let now = Timestamp::UNIX_EPOCH;
            if login != "Carol" && !login.contains('\0') {
                assert!(
                    !bench.directory.disable(&mut bench.dbs, "A", login, now).unwrap(),
                    "{:?} {login}",
                    bench.place
                );
            }
        }
        assert!(bench.directory.disable(&mut bench.dbs, "A", "Carol", Timestamp::UNIX_EPOCH).unwrap());
        assert_eq!(bench.found("x@corp.test"), "invalid Carol");
    }
}

#[test]
fn a_created_customer_has_every_servers_columns() {
    for mut bench in benches() {
        let old = "INSERT INTO customer_preferences VALUES ('hans@xn--mller-kva.test', 'UserTimeZone', 'old')";
        bench.dbs.get(&bench.source.url).unwrap().execute(old, &[]).unwrap();
        let Created::New(customer) = bench.create(&new("Hans@müller.test")).unwrap() else { panic!() };
        let again = bench.directory.by_login(&mut bench.dbs, "A", &customer.login).unwrap();
        assert_eq!(again, Some(customer.clone()), "{:?}", bench.place);
        let sql = "SELECT title, phone, fax, mobile, street, zip, city, country, comments, pw, first_name, last_name, \
                   valid_id, create_by, change_by, create_time, change_time FROM customer_user";
        let row = bench.dbs.get(&bench.source.url).unwrap().row(sql, &[]).unwrap().unwrap();
        assert!((0..9).all(|column| row.opt_text(column).unwrap().as_deref() == Some("")), "{:?}", bench.place);
        assert_eq!(row.opt_text(9).unwrap(), None);
        assert_eq!((row.text(10).unwrap().as_ref(), row.text(11).unwrap().as_ref()), ("Zoë \u{1f41f}", " "));
        assert!((12..15).all(|column| row.int(column).unwrap() == 1));
        assert!((15..17).all(|column| row.text(column).unwrap() == "1970-01-01 00:00:00"), "{:?}", bench.place);
        let zone = bench.directory.preference(&mut bench.dbs, "A", &customer.login, "UserTimeZone");
        assert_eq!(zone.unwrap().as_deref(), Some("UTC"));
        assert!(matches!(bench.create(&new("hans@xn--mller-kva.test")).unwrap(), Created::Existing(_)));
        assert_eq!(bench.count(), 1);
    }
}

#[test]
fn refusals_for_good_write_nothing_anywhere() {
    for mut bench in benches() {
        assert!(bench.row("CAROL@corp.test", "other@corp.test", "x", 1));
        let refused = bench.create(&new("carol@corp.test")).unwrap_err();
        assert!(matches!(refused, Error::Refused(Refusal::Claimed { .. })), "{:?} {refused}", bench.place);
        let long = format!("a@{}.test", ["b"; 30].map(|b| b.repeat(6)).join("."));
        let refused = bench.create(&new(&long)).unwrap_err();
        assert!(matches!(refused, Error::Refused(Refusal::TooLong { .. })));
        let customer_id = "a\0b".to_owned();
        let refused = bench.create(&NewCustomer { customer_id, ..new("dave@corp.test") }).unwrap_err();
        assert!(!refused.is_transient());
        bench.directory = Directory::new(vec![Source { is_read_only: true, ..bench.source.clone() }]);
        let refused = bench.create(&new("dave@corp.test")).unwrap_err();
        assert!(matches!(refused, Error::Refused(Refusal::ReadOnly(_))));
        assert_eq!(bench.count(), 1);
    }
}

#[test]
fn a_column_or_the_settings_say_who_has_a_password() {
    for mut bench in benches() {
        for (login, pw) in [("null", None), ("empty", Some("")), ("set", Some("x"))] {
            assert!(bench.row(login, "x@corp.test", "x", 1));
            let db = bench.dbs.get(&bench.source.url).unwrap();
            db.execute("UPDATE customer_user SET pw = ? WHERE login = ?", &[pw.into(), login.into()]).unwrap();
            for (word, wanted) in
                [(HasPassword::Column, login == "set"), (HasPassword::Always, true), (HasPassword::Never, false)]
            {
                let directory = Directory::new(vec![Source { has_password: word, ..bench.source.clone() }]);
                let found = directory.by_login_anywhere(&mut bench.dbs, login).unwrap().unwrap();
                assert_eq!(found.has_password, wanted, "{:?} {login} {word:?}", bench.place);
            }
        }
    }
}

#[test]
fn a_table_with_names_of_its_own_is_read_like_otobos() {
    for mut bench in benches() {
        let db = bench.dbs.get(&bench.source.url).unwrap();
        db.execute("CREATE TABLE people (uid VARCHAR(50), mail VARCHAR(50), mail2 VARCHAR(50), firm INTEGER, given VARCHAR(50), family VARCHAR(50))", &[])
            .unwrap();
        db.execute("INSERT INTO people VALUES ('cc', 'Carol@corp.test', 'other@corp.test', 42, 'Carol', 'C')", &[])
            .unwrap();
        let name = str::to_owned;
        let names = otab::customer::Names {
            table: name("people"),
            login: name("uid"),
            email: name("mail"),
            search: vec![name("mail"), name("mail2")],
            customer_id: name("firm"),
            valid: None,
            person: [name("given"), name("family")],
            password: None,
        };
        bench.directory = Directory::new(vec![Source { names, ..bench.source.clone() }]);
        assert_eq!(bench.found("carol@corp.test"), "cc", "{:?}", bench.place);
        assert_eq!(bench.found("other@corp.test"), "cc");
        assert_eq!(bench.found("42@corp.test"), "nobody");
        let found = bench.directory.by_login(&mut bench.dbs, "A", "cc").unwrap().unwrap();
        assert_eq!((found.customer_id.as_str(), found.email.as_str(), found.valid), ("42", "Carol@corp.test", true));
        assert!(!bench.claimed("other@corp.test") && bench.directory.knows(&mut bench.dbs, "CC").unwrap());
        assert!(bench.directory.knows(&mut bench.dbs, "42").unwrap());
    }
}

#[test]
fn times_are_written_in_the_helpdesks_zone() {
    for mut bench in benches() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        bench.directory = Directory::new(vec![Source { zone, ..bench.source.clone() }]);
        let (winter, summer) = ("2026-01-01T23:30:00Z".parse().unwrap(), "2026-07-01T12:00:00Z".parse().unwrap());
        let made = bench.directory.create(&mut bench.dbs, "A", &new("carol@corp.test"), winter);
        assert!(matches!(made, Ok(Created::New(_))), "{made:?}");
        assert!(bench.directory.disable(&mut bench.dbs, "A", "carol@corp.test", summer).unwrap());
        let sql = "SELECT create_time, change_time FROM customer_user";
        let row = bench.dbs.get(&bench.source.url).unwrap().row(sql, &[]).unwrap().unwrap();
        let times = [row.text(0).unwrap(), row.text(1).unwrap()];
        assert_eq!(times, ["2026-01-02 00:30:00", "2026-07-01 14:00:00"], "{:?}", bench.place);
    }
}

#[test]
fn twenty_filters_at_once_create_one_on_every_server() {
    for mut bench in benches() {
        let text = match &bench.source.url {
            otab::db::Url::Sqlite(path) => format!("sqlite:{}", path.display()),
            _ => new_source(bench.place, bench.folder.path()),
        };
        bench.source.url = url(&text);
        let site = Site::new(&format!(
            "[limits]\ndecide = 60\n[[customer_user]]\nname = \"CustomerUser\"\nurl = \"{text}\"\n"
        ));
        let children: Vec<_> = (0..20).map(|number| site.spawn(&["filter"], &mail(number))).collect();
        for child in children {
            let output = child.wait_with_output().unwrap().ends(0);
            assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n"), "{output:?}");
        }
        assert_eq!(bench.count(), 1, "{:?}", bench.place);
        assert_eq!((site.count("customer_user"), site.count("token")), (0, 20), "{:?}", bench.place);
        let db = bench.dbs.get(&bench.source.url).unwrap();
        let preferences = db.row("SELECT COUNT(*) FROM customer_preferences", &[]).unwrap().unwrap().int(0).unwrap();
        assert_eq!(preferences, 3);
    }
}
