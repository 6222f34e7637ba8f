//! The customer id of a new customer, from the site's template.

use handlebars::Handlebars;

use crate::mail::Address;

/// The template that needs no template engine.
const ADDRESS: &str = "{{address}}";

/// Renders `create.customer_id` for an address. Where the domain is a public mail provider's, the
/// address itself is the id: the customers of a provider are no company.
///
/// Fails on a template that Handlebars refuses; the configuration has refused such a one before.
pub fn customer_id(
    template: &str,
    address: &Address,
    public_domains: &[String],
) -> Result<String, handlebars::RenderError> {
    if template == ADDRESS || public_domains.iter().any(|domain| domain == address.domain()) {
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
    fn the_id_follows_the_template_but_not_for_public_providers() {
        let id = |template: &str, address: &str| {
            customer_id(template, &Address::parse(address).unwrap(), &["gmx.test".into()]).ok()
        };
        assert_eq!(id("{{address}}", "Carol@corp.test").as_deref(), Some("carol@corp.test"));
        assert_eq!(id("{{domain}}", "carol@corp.test").as_deref(), Some("corp.test"));
        assert_eq!(id("{{domain}}", "carol@gmx.test").as_deref(), Some("carol@gmx.test"));
        assert_eq!(id("{{local_part}}&{{domain}}", "o'c@corp.test").as_deref(), Some("o'c&corp.test"));
        assert_eq!(id("{{nothing}}", "carol@corp.test"), None);
    }
}
