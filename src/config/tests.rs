//! The reading as a whole: the example against the code, defaults, and settings that are no plain copy of the text.
//! What is refused, and why, is in tests/config/bad.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use toml::de::DeValue;

use super::reader::{join, quoted};
use super::settings::{self, Kind, SECTIONS};
use super::*;

fn parse(text: &str) -> Config {
    match Config::parse(text, Path::new("/etc/otab")) {
        Ok(config) => config,
        Err(problems) => panic!("{problems:#?}"),
    }
}

/// Every key of a text with its value as TOML; entries of arrays of tables as `[]`.
fn keys(text: &str) -> BTreeMap<String, String> {
    let root = DeTable::parse(text).unwrap();
    let mut keys = BTreeMap::new();
    flatten(root.get_ref(), "", &mut keys);
    keys
}

fn flatten(table: &DeTable<'_>, path: &str, keys: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = join(path, key.get_ref());
        match value.get_ref() {
            DeValue::Table(table) => flatten(table, &path, keys),
            DeValue::Array(array) if array.iter().any(|e| e.get_ref().is_table()) => {
                for entry in array {
                    let table = entry.get_ref().as_table().unwrap();
                    flatten(table, &format!("{path}[]"), keys);
                }
            }
            value => {
                keys.insert(path, shown(value));
            }
        }
    }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Array(array) => {
            let entries: Vec<_> = array.iter().map(|e| shown(e.get_ref())).collect();
            format!("[{}]", entries.join(", "))
        }
        other => panic!("no setting has the type {}", other.type_str()),
    }
}

#[test]
fn the_documents_are_made_of_the_declarations() {
    let mut wrong = Vec::new();
    for (name, made) in [("otab.toml.example", example()), ("man/otab.toml.5", settings::page())] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if std::env::var_os("OTAB_WRITE_SETTINGS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != made {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}: run this test with OTAB_WRITE_SETTINGS=1, and look at the difference");
}

#[test]
fn the_example_pins_nothing_but_what_differs() {
    let example = example();
    let name = quoted("CustomerUser");
    let set = [("customer_user[].name", name.as_str()), ("store.create", "true")];
    assert_eq!(keys(&example), set.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(format!("{:?}", parse(&example)), format!("{:?}", parse("[store]\ncreate = true\n")));
    // Each setting is there, to be switched on.
    let all = keys(&settings::uncommented());
    for section in SECTIONS {
        for setting in section.settings {
            let key = join(section.path, setting.name);
            assert!(all.contains_key(&key), "{key}");
        }
    }
    assert_eq!(all.len(), SECTIONS.iter().map(|section| section.settings.len()).sum::<usize>());
}

#[test]
fn a_default_that_is_written_changes_nothing() {
    let all = keys(&settings::uncommented());
    let mut text = String::new();
    for section in SECTIONS.into_iter().filter(|section| section.path != "postmaster.trusted[]") {
        let name = section.path.strip_suffix("[]").map(|path| format!("[[{path}]]"));
        writeln!(text, "{}", name.unwrap_or_else(|| format!("[{}]", section.path))).unwrap();
        for setting in section.settings {
            // What belongs to directories alone is a problem elsewhere.
            let is_for_others = setting.name == "page_size";
            if !is_for_others && !matches!(setting.kind, Kind::Optional(_) | Kind::OptionalWords(_)) {
                let value = &all[&join(section.path, setting.name)];
                writeln!(text, "{} = {value}", setting.name).unwrap();
            }
        }
    }
    // The example's one difference.
    let (written, nothing) = (parse(&text), parse("[store]\ncreate = true\n"));
    assert_eq!(format!("{written:?}"), format!("{nothing:?}"));
    assert_eq!(written.customer_user[0].names, crate::customer::Names::default());
}

#[test]
fn every_setting_that_is_declared_is_read() {
    for section in SECTIONS {
        for setting in section.settings {
            let (table, entry) = match section.path.strip_suffix("[]") {
                Some(path) => (format!("[[{path}]]"), format!("{path}[1]")),
                None => (format!("[{}]", section.path), section.path.to_owned()),
            };
            let text = format!("{table}\n{} = 2026-11-29\n", setting.name);
            let problems = Config::parse(&text, Path::new("/")).unwrap_err();
            let key = join(&entry, setting.name);
            assert!(problems.iter().any(|p| p.key == key && p.what.contains("wrong type")), "{key}: {problems:?}");
        }
    }
}

#[test]
fn nothing_at_all_is_a_configuration_too() {
    let config = parse("");
    assert!(!config.store.create);
    assert_eq!(config.store.url, "sqlite:otab.db");
    assert_eq!(config.customer_user[0].name, "CustomerUser");
    assert_eq!(config.customer_user[0].url, config.store.place);
    assert_eq!(config.limits.decide, Duration::from_secs(8));
    assert_eq!(config.log.file, None);
    assert_eq!(config.postmaster.set_check_box_name, None);
    assert_eq!(config.create.preferences.len(), 3);
    assert!(config.create.company_domains.is_empty());
    // With a byte order mark, and with Windows' line ends.
    parse("\u{feff}[store]\r\ncreate = true\r\n");
}

#[test]
fn given_preferences_replace_the_default() {
    let config = parse("[create.preferences]\nUserLanguage = \"de\"\n");
    let expected = BTreeMap::from([("UserLanguage".to_owned(), "de".to_owned())]);
    assert_eq!(config.create.preferences, expected);
    assert!(parse("[create.preferences]\n").create.preferences.is_empty());
}

#[test]
fn messages_fall_back_step_by_step() {
    let config = parse(
        "[one_time_auth]\nlanguage = \"fr\"\n\
         [one_time_auth.messages.de]\ncustomer_error_message_new_link = \"Neu\"\n\
         [one_time_auth.messages.fr]\ncustomer_error_message_new_link = \"Nouveau\"\n",
    );
    let auth = &config.one_time_auth;
    assert_eq!(auth.messages_for("de_AT").new_link, "Neu");
    assert!(auth.messages_for("de").wrong_link.starts_with("Dieser Link"));
    assert_eq!(auth.messages_for("FR-ca").new_link, "Nouveau");
    assert!(auth.messages_for("fr").wrong_link.starts_with("This link"));
    assert_eq!(auth.messages_for("ja").new_link, "Nouveau");
    assert!(auth.messages_for("en").new_link.starts_with("This link"));
}

#[test]
fn secrets_come_from_three_places_and_show_in_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "from a file 0123456789\r\n").unwrap();
    let text = "[store]\nurl = \"mysql://otab:hunter2@db/otab\"\n\
        [[customer_user]]\nname = \"CustomerUser\"\nurl = \"postgresql://u:hunter2@db/c\"\n\
        [[postmaster.trusted]]\nfield = \"X-A\"\nvalue = \"hunter2 hunter2 hunter2\"\n\
        [[postmaster.trusted]]\nfield = \"X-B\"\nvalue_file = \"secret\"\n\
        [[postmaster.trusted]]\nfield = \"X-C\"\nvalue_env = \"CARGO_PKG_DESCRIPTION\"\n";
    let config = Config::parse(text, folder.path()).unwrap();
    let values: Vec<_> = config.postmaster.trusted.iter().map(|t| t.value.as_str()).collect();
    assert_eq!(values[..2], ["hunter2 hunter2 hunter2", "from a file 0123456789"]);
    assert_eq!(values[2], std::env::var("CARGO_PKG_DESCRIPTION").unwrap());
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("0123456789"), "{shown}");
    assert!(shown.contains("mysql://otab:***@db/otab"), "{shown}");
}

#[test]
fn relative_paths_count_from_the_folder() {
    let config = parse("[log]\nfile = \"otab.log\"\njournald_socket = \"/run/j\"\n");
    assert_eq!(config.log.file.as_deref(), Some(Path::new("/etc/otab/otab.log")));
    assert_eq!(config.log.journald_socket, Path::new("/run/j"));
    assert_eq!(config.log.syslog_socket, Path::new("/dev/log"));
}

#[test]
fn the_option_beats_the_environment_and_that_the_rest() {
    let env = || Some(OsString::from("/env.toml"));
    let option = Path::new("/option.toml");
    assert_eq!(locate(Some(option), env()), option);
    assert_eq!(locate(None, env()), Path::new("/env.toml"));
    assert_eq!(locate(None, Some(OsString::new())), Path::new(SYSTEM));
    assert_eq!(locate(None, None), Path::new(SYSTEM));
}

/// Whatever is in the file, reading it ends in settings or in problems.
mod anything {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ends_in_settings_or_problems(text in "[\\[\\]a-z_.=\"'{}# \n0-9,-]{0,200}") {
            if let Err(problems) = Config::parse(&text, Path::new("/")) {
                prop_assert!(!problems.is_empty());
            }
        }

        #[test]
        fn the_example_with_a_hole_ends_in_either(from in 0..settings::uncommented().len(), length in 0..60usize) {
            let mut bytes = settings::uncommented().into_bytes();
            bytes.drain(from..(from + length).min(bytes.len()));
            let _ = Config::parse(&String::from_utf8_lossy(&bytes), Path::new("/"));
        }
    }
}
