//! Stored look-alikes by the hundreds, in columns of all kinds: what the databases' own conditions bring is compared
//! with what a look at every row says.

use std::collections::HashMap;
use std::time::Duration;

use otab::customer::{Directory, Found, Names, Source};
use otab::db::{Database, Statements, Url, Value};
use otab::mail::{Address, fold};

use super::helpdesk::Helpdesk;
use super::{PLACES, Place, WRITE, new_source, url};
use crate::site::Ended;

/// The kinds of text columns that a helpdesk may have there.
fn columns(place: Place) -> &'static [&'static str] {
    match place {
        Place::Sqlite => &["VARCHAR(191)", "TEXT COLLATE NOCASE"],
        Place::PostgreSql => &["VARCHAR(191)", "CHAR(191)", "TEXT COLLATE folding"],
        Place::MariaDb => &[
            "VARCHAR(191)",
            "VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
            "VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_turkish_ci",
            "VARCHAR(191) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci",
            "VARCHAR(191) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
            "VARBINARY(764)",
        ],
    }
}

/// One base, and the ways in which it may be stored.
fn spellings(base: &str) -> Vec<String> {
    let (local, domain) = base.split_once('@').unwrap();
    let first: String = local.chars().take(1).collect();
    let rest: String = local.chars().skip(1).collect();
    let wide = |text: &str| {
        text.chars()
            .map(|c| if c.is_ascii_graphic() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c })
            .collect::<String>()
    };
    let within = |sign: &str| format!("{first}{sign}{rest}@{domain}");
    let mut all = vec![
        base.to_owned(),
        base.to_uppercase(),
        base.to_ascii_uppercase(),
        format!("{}@{domain}", local.to_uppercase()),
        wide(base),
        format!("{local}\u{ff20}{domain}"),
        format!("{local}\u{fe6b}{domain}"),
        base.replace('k', "\u{212a}"),
        base.replace('s', "\u{17f}"),
        base.replace('i', "ı"),
        base.replace('i', "İ"),
        base.replace('a', "ä"),
        base.replace('a', "A\u{308}"),
        base.replace('o', "ø"),
        base.replace("ss", "ß"),
        base.replace("fi", "ﬁ"),
        format!("{}\u{ff20}{}", local.to_uppercase(), wide(domain)),
    ];
    all.extend(
        [
            "\0", "\t", "\n", "\r", "\u{1}", "\u{1b}", "\u{7f}", "\u{80}", "\u{9f}", "\u{ad}", "\u{200b}", "\u{301}",
            "\u{feff}",
        ]
        .iter()
        .flat_map(|sign| [within(sign), format!("{base}{sign}"), format!("{sign}{base}")]),
    );
    all.extend([
        format!(" {base}"),
        format!("{base} "),
        format!("  {base}  "),
        format!("\u{a0}{base}"),
        format!("{base}\u{3000}"),
    ]);
    all
}

fn bases() -> impl Iterator<Item = String> {
    ["kiss.fiona", "o'hara-ki", "a+b_%k", "müller.ißo", "用户k", "a{k}~s"].into_iter().enumerate().flat_map(
        |(at, local)| {
            let domain = ["corp.test", "müller.test", "i-kiss.test"][at % 3];
            // Each spelling gets an address of its own, so that no other row answers for it.
            (0..61).map(move |number| format!("{local}{number}@{domain}"))
        },
    )
}

/// The look-alikes that the column took: the address they are like, and the row's login, email and customer id.
fn store(db: &mut Database) -> Vec<(Address, [String; 3])> {
    let mut stored = Vec::new();
    for (number, base) in bases().enumerate() {
        let all = spellings(&base);
        let mut row = [(); 3].map(|()| format!("row{number}"));
        row[number % 3].clone_from(&all[number % all.len()]);
        // Many customers have one text in several columns.
        if number % 5 == 0 {
            row[(number + 1) % 3].clone_from(&all[number % all.len()]);
        }
        let values: Vec<Value> = row.iter().map(Value::from).collect();
        // A NUL, or a letter that the character set lacks, may be refused.
        if db.execute("INSERT INTO people VALUES (?, ?, ?)", &values).is_ok() {
            stored.push((Address::parse(&base).unwrap(), row));
        }
    }
    stored
}

fn directory(url: &Url) -> Directory {
    let name = str::to_owned;
    let names = Names {
        table: name("people"),
        login: name("login"),
        email: name("email"),
        search: vec![name("email")],
        customer_id: name("firm"),
        valid: None,
        person: [name("login"), name("login")],
        password: None,
    };
    Directory::new(vec![Source { names, ..Source::new("A", url.clone()) }])
}

#[test]
fn no_stored_look_alike_is_overlooked_in_any_column() {
    for (place, column) in PLACES.into_iter().flat_map(|place| columns(place).iter().map(move |column| (place, column)))
    {
        let folder = tempfile::tempdir().unwrap();
        let url = url(&new_source(place, folder.path()));
        let mut dbs = otab::store::databases(WRITE, Duration::from_mins(1));
        let db = dbs.get(&url).unwrap();
        if column.contains("folding") {
            let sql = "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level1', deterministic = false)";
            db.execute(sql, &[]).unwrap();
        }
        db.execute(&format!("CREATE TABLE people (login {column}, email {column}, firm {column})"), &[]).unwrap();
        let stored = store(db);
        assert!(stored.len() > 150, "{place:?} {column}");
        // As the column has kept them.
        let rows = db.rows("SELECT login, email, firm FROM people", &[]).unwrap();
        let emails: Vec<String> = rows.iter().map(|row| row.lossy(1).into_owned()).collect();
        // In SQLite's files, which are otab's own, an address ends at a NUL inside of it.
        let is_seen = |email: &str| place != Place::Sqlite || !email.trim_matches('\0').contains('\0');
        let mut claims: HashMap<String, Vec<&String>> = HashMap::new();
        for (row, email) in rows.iter().zip(&emails) {
            let texts = [(0, true), (1, is_seen(email)), (2, true)];
            for (column, _) in texts.into_iter().filter(|(_, is_seen)| *is_seen) {
                claims.entry(fold(&row.lossy(column))).or_default().push(email);
            }
        }
        let directory = directory(&url);
        for (address, row) in stored {
            let what = format!("{place:?} {column}: {address} in {row:?}");
            let is_stated = emails.iter().any(|email| address.is_stated_by(email));
            let found = directory.find(&mut dbs, &address).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(!matches!(found, Found::Nobody), is_stated, "{what}");
            let forms = address.forms();
            let mut alike = forms.iter().filter_map(|form| claims.get(&fold(form))).flatten();
            let is_claim = alike.any(|email| !address.is_stated_by(email));
            assert!(!is_claim || directory.claimed(&mut dbs, &address).unwrap().is_some(), "{what}");
        }
    }
}

#[test]
fn a_look_alike_gets_the_marker_and_no_customer() {
    for desk in PLACES.map(Helpdesk::new) {
        desk.append(&format!("[[customer_user]]\nname = \"CustomerUser\"\nurl = \"{}\"\n", desk.url));
        desk.sql(
            "INSERT INTO customer_user (login, email, customer_id, first_name, last_name, valid_id, create_time, \
             create_by, change_time, change_by) VALUES ('carol', 'carol@rig.test', 'rig', ' ', ' ', 1, \
             '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1)",
        );
        for (from, user) in [
            ("caról@rig.test", "unverified-sender"),
            ("CAROL@rig.test", "carol"),
            ("carola@rig.test", "carola@rig.test"),
            ("carol@rig.test", "carol"),
        ] {
            let mail = format!("From: {from}\nTo: help@desk.test\nSubject: x\n\nx\n");
            let output = desk.takes(mail.as_bytes());
            let text = output.out();
            assert!(text.contains(&format!("X-OTOBO-CustomerUser: {user}\n")), "{:?} {from}: {text}", desk.place);
        }
        let row = desk.db().row("SELECT COUNT(*) FROM customer_user", &[]).unwrap().unwrap();
        assert_eq!(row.int(0).unwrap(), 2, "{:?}", desk.place);
    }
}
