//! The pages' texts, one TOML file a language: built in, or in the site's folder. Every key has to be there.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// By key, such as `open.button`.
pub(super) type Texts = BTreeMap<String, String>;

/// The languages that are always there.
pub(super) const BUILT_IN: [(&str, &str); 2] =
    [("en", include_str!("templates/texts.en.toml")), ("de", include_str!("templates/texts.de.toml"))];

/// Reads a file of texts. What it leaves out is taken from `base`; a key that is not there is wrong.
pub(super) fn read(text: &str, base: &Texts) -> Result<Texts, String> {
    let root = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    let mut texts = base.clone();
    for (table, entries) in root.get_ref() {
        let DeValue::Table(entries) = entries.get_ref() else {
            return Err(format!("{} is no table", table.get_ref()));
        };
        for (key, value) in entries {
            let name = format!("{}.{}", table.get_ref(), key.get_ref());
            let value = value.get_ref().as_str().ok_or_else(|| format!("{name} is no text"))?;
            if !base.is_empty() && !base.contains_key(&name) {
                return Err(format!("{name} is unknown"));
            }
            if value.trim().is_empty() {
                return Err(format!("{name} is empty"));
            }
            texts.insert(name, value.to_owned());
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_built_in_language_has_the_same_keys() {
        let all = BUILT_IN.map(|(language, text)| (language, read(text, &Texts::new()).unwrap()));
        let english: Vec<_> = all[0].1.keys().collect();
        assert!(english.len() > 20, "{english:?}");
        for (language, texts) in &all {
            assert_eq!(texts.keys().collect::<Vec<_>>(), english, "{language}");
        }
    }

    #[test]
    fn own_texts_replace_single_ones_and_nothing_unknown() {
        let base = read("[open]\nbutton = \"Open\"\nheading = \"Hello\"\n", &Texts::new()).unwrap();
        let own = read("[open]\nbutton = \"Go\"\n", &base).unwrap();
        assert_eq!((own["open.button"].as_str(), own["open.heading"].as_str()), ("Go", "Hello"));
        for (text, why) in [
            ("[open]\nbuton = \"x\"\n", "open.buton is unknown"),
            ("[open]\nbutton = 1\n", "open.button is no text"),
            ("[open]\nbutton = \" \"\n", "open.button is empty"),
            ("open = 1\n", "open is no table"),
        ] {
            assert_eq!(read(text, &base).unwrap_err(), why);
        }
    }
}
