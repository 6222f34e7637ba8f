//! The customer id of a new customer, from the site's template.

use handlebars::template::TemplateElement;
use handlebars::{Handlebars, Template};

use crate::mail::Address;

/// The template that needs no template engine.
const ADDRESS: &str = "{{address}}";

/// Whether customers whose addresses have one domain may get one id by this template.
#[must_use]
pub fn uses_domain(template: &str) -> bool {
    if template == ADDRESS {
        return false;
    }
    let is_domain = |element: &TemplateElement| match element {
        TemplateElement::Expression(e) | TemplateElement::HtmlExpression(e) => e.name.as_name() == Some("domain"),
        _ => false,
    };
    Template::compile(template).is_ok_and(|template| template.elements.iter().any(is_domain))
}

/// Renders `create.customer_id` for an address. Whether its domain may be shared as an id is the caller's question.
///
/// Fails on a template that Handlebars refuses; the configuration has refused such a one before.
pub fn customer_id(template: &str, address: &Address) -> Result<String, handlebars::RenderError> {
    if template == ADDRESS {
        return Ok(address.to_string());
    }
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    // The id is no HTML.
    engine.register_escape_fn(handlebars::no_escape);
    let values = serde_json::json!({
        "address": address.to_string(), "local_part": address.local(), "domain": address.domain(),
    });
    Ok(engine.render_template(template, &values)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_follows_the_template() {
        let id = |template: &str, address: &str| customer_id(template, &Address::parse(address).unwrap()).ok();
        assert_eq!(id("{{address}}", "Carol@corp.test").as_deref(), Some("carol@corp.test"));
        assert_eq!(id("{{domain}}", "carol@corp.test").as_deref(), Some("corp.test"));
        assert_eq!(id("{{local_part}}&{{domain}}", "o'c@corp.test").as_deref(), Some("o'c&corp.test"));
        assert_eq!(id("{{nothing}}", "carol@corp.test"), None);
    }

    #[test]
    fn a_domain_in_a_template_is_seen() {
        for (template, uses) in [
            ("{{domain}}", true),
            ("{{{domain}}}", true),
            ("kd-{{ domain }}", true),
            ("{{~domain~}}", true),
            ("{{&domain}}", true),
            ("{{local_part}}@{{domain}}", true),
            ("{{address}}", false),
            ("{{ address }}", false),
            ("{{local_part}}", false),
            ("domain", false),
        ] {
            assert_eq!(uses_domain(template), uses, "{template}");
        }
    }
}
