//! Every crate that is built in may be used by anybody: held to the list in `deny.toml`, which
//! `cargo deny check` reads, too.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::site::Ended;
use toml::de::{DeTable, DeValue};

/// The licences that `deny.toml` allows.
fn allowed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
    let table = DeTable::parse(&text).unwrap();
    let list = table.get_ref()["licenses"].get_ref()["allow"].get_ref().as_array().unwrap().clone();
    list.iter()
        .map(|entry| if let DeValue::String(name) = entry.get_ref() { name.to_string() } else { String::new() })
        .collect()
}

/// The licences of crates whose manifest names none, as `deny.toml` has them.
fn clarified() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
    let table = DeTable::parse(&text).unwrap();
    let entries = table.get_ref()["licenses"].get_ref()["clarify"].get_ref().as_array().unwrap().clone();
    let text = |entry: &DeValue<'_>, key: &str| entry[key].get_ref().as_str().unwrap().to_owned();
    entries.iter().map(|entry| (text(entry.get_ref(), "crate"), text(entry.get_ref(), "expression"))).collect()
}

#[test]
fn every_dependency_has_a_licence_that_allows_any_use() {
    let (allowed, clarified) = (allowed(), clarified());
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output.err());
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "only {} packages", packages.len());
    let mut refused = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().or(clarified.get(name).map(String::as_str)).unwrap_or_default();
        // Old manifests separate alternatives by a slash.
        let licence = licence.replace('/', " OR ");
        let fits = spdx::Expression::parse(&licence)
            .is_ok_and(|expression| expression.evaluate(|requirement| allowed.contains(&requirement.to_string())));
        if !fits {
            refused.push(format!("{name}: {licence:?}"));
        }
    }
    assert!(refused.is_empty(), "licences that deny.toml does not allow: {refused:#?}");
}
