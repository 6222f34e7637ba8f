//! `[create]`: for whom customer users are created, and with what.
//!
//! This file only reads and checks settings; it never creates anybody.

use std::collections::BTreeMap;
use std::time::Duration;

use handlebars::Template;
use handlebars::template::{HelperTemplate, TemplateElement};

use crate::db::Zone;
use crate::mail::Pattern;

use super::names;
use super::pattern;
use super::problem::{Complaint, complaint};
use super::reader::Table;

/// The plain template, which needs no template engine.
pub const CUSTOMER_ID_IS_ADDRESS: &str = "{{address}}";
/// The names that a `customer_id` template may use.
const VARIABLES: [&str; 3] = ["address", "local_part", "domain"];

/// Widths of OTOBO's columns, in characters.
const KEY_WIDTH: usize = 150;
const VALUE_WIDTH: usize = 250;

/// `[create]`.
#[derive(Debug, Clone)]
pub struct Create {
    /// Whom customer users are created for; empty: for all.
    pub allow: Vec<Pattern>,
    /// Whom none are created for, even when allowed.
    pub deny: Vec<Pattern>,
    /// A Handlebars template that compiles, of plain text and the variables `address`,
    /// `local_part` and `domain`. To be rendered without HTML escaping.
    pub customer_id: String,
    /// The domains that are companies: by their name alone, customers may share an id (and each other's tickets).
    pub company_domains: Vec<Pattern>,
    /// `customer_preferences` of a new customer user.
    pub preferences: BTreeMap<String, String>,
    /// The command that tells the helpdesk of new customer users: the absolute path of a program, and its
    /// arguments. Empty: none.
    pub after_create: Vec<String>,
    /// How long it may take.
    pub after_create_timeout: Duration,
}

pub(super) fn read(table: &Table<'_, '_>) -> Create {
    Create {
        allow: table.list("allow", pattern::read),
        deny: table.list("deny", pattern::read),
        customer_id: table.string("customer_id", template),
        company_domains: table.list("company_domains", pattern::domains),
        preferences: table.map("preferences", preference),
        after_create: command(table),
        after_create_timeout: Duration::from_secs(table.integer("after_create_timeout")),
    }
}

/// It is run from folders that nobody chose, without a shell: so its program has to be named by its whole path.
fn command(table: &Table<'_, '_>) -> Vec<String> {
    let words = table.list("after_create", |word| Ok(word.to_owned()));
    if words.first().is_some_and(|program| !program.starts_with('/')) {
        let remedy = "write the program's whole path first, such as \"/usr/bin/su\", and each argument by itself";
        table.problem("after_create", complaint("does not begin with an absolute path", remedy));
    }
    words
}

fn preference(key: &str, value: &str) -> Result<(), Complaint> {
    if key.is_empty() || key.chars().count() > KEY_WIDTH || value.chars().count() > VALUE_WIDTH {
        return Err(complaint(
            "does not fit into OTOBO's table",
            format!("write a key of 1 to {KEY_WIDTH} and a value of at most {VALUE_WIDTH} characters"),
        ));
    }
    // The helpdesk reads it, and otab never does: a system without any zones can say nothing against it.
    if key == "UserTimeZone" && Zone::has_tables() {
        return names::time_zone(value);
    }
    Ok(())
}

fn template(text: &str) -> Result<(), Complaint> {
    if text == CUSTOMER_ID_IS_ADDRESS {
        return Ok(());
    }
    names::not_empty(text)?;
    let template = Template::compile(text).map_err(|_| {
        complaint("is no Handlebars template", "write plain text and {{address}}, {{local_part}} or {{domain}}")
    })?;
    template.elements.iter().try_for_each(element)
}

/// Only text and plain variables: a helper or partial would fail, or do something nobody meant,
/// with the first mail instead of now.
fn element(element: &TemplateElement) -> Result<(), Complaint> {
    match element {
        TemplateElement::RawString(_) | TemplateElement::Comment(_) => Ok(()),
        TemplateElement::Expression(e) | TemplateElement::HtmlExpression(e) if is_variable(e) => Ok(()),
        _ => Err(complaint(
            "uses something other than its variables",
            "use {{address}}, {{local_part}} and {{domain}} only, without helpers and partials",
        )),
    }
}

fn is_variable(expression: &HelperTemplate) -> bool {
    let name = expression.name.as_name();
    name.is_some_and(|name| VARIABLES.contains(&name))
        && expression.params.is_empty()
        && expression.hash.is_empty()
        && expression.block_param.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_text_and_variables() {
        for good in ["{{address}}", "{{{domain}}}", "kd-{{local_part}}@{{domain}}", "acme", "{{! why }}x"] {
            assert_eq!(template(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            " ",
            "{{",
            "{{adress}}",
            "{{#if address}}x{{/if}}",
            "{{> partial}}",
            "{{log address}}",
            "{{address x=1}}",
            "{{lookup . 'address'}}",
            "{{this}}",
            "{{address.x}}",
            "{{../address}}",
            "{{*inline}}",
            "{{#each domain}}{{/each}}",
            "{{domain",
        ] {
            assert!(template(bad).is_err(), "{bad}");
        }
    }
}
