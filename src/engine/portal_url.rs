//! The addresses that customers are sent: links with a token, and the portal's own pages.
//!
//! Pure; the only place where a secret becomes part of a URL.

use crate::config::Config;
use crate::text::percent;
use crate::ticket;
use crate::token::Secret;

/// Where the token comes in `one_time_auth.link_url`.
const TOKEN: &str = "{{token}}";

/// The one-time link; `None` where no `one_time_auth.link_url` is set.
#[must_use]
pub fn link(config: &Config, secret: &Secret) -> Option<String> {
    let url = config.one_time_auth.link_url.as_deref()?;
    Some(url.replace(TOKEN, &percent::encoded(secret.expose())))
}

/// A ticket's page in the customer portal, which asks for a password; `None` where no
/// `one_time_auth.portal_url` is set.
#[must_use]
pub fn ticket_page(config: &Config, number: &str) -> Option<String> {
    let portal = config.one_time_auth.portal_url.as_deref()?;
    let separator = if portal.contains('?') { ';' } else { '?' };
    Some(format!("{portal}{separator}{}", ticket::page(number)))
}

/// The customer portal itself; `None` where no `one_time_auth.portal_url` is set.
#[must_use]
pub fn overview(config: &Config) -> Option<String> {
    config.one_time_auth.portal_url.clone()
}

/// Where the portal logs a customer out; `None` where no `one_time_auth.portal_url` is set.
#[cfg(feature = "door")]
#[must_use]
pub fn logout(config: &Config) -> Option<String> {
    let portal = config.one_time_auth.portal_url.as_deref()?;
    let separator = if portal.contains('?') { ';' } else { '?' };
    Some(format!("{portal}{separator}Action=Logout"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(one_time_auth: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.toml");
        std::fs::write(&path, format!("[one_time_auth]\n{one_time_auth}")).unwrap();
        Config::load(&path).unwrap()
    }

    #[test]
    fn addresses_are_built_from_the_settings_alone() {
        let config =
            config("link_url = \"https://h.test/t/{{token}}\"\nportal_url = \"https://h.test/otobo/customer.pl\"\n");
        let secret = Secret::parse("a-b+c/d").unwrap();
        assert_eq!(link(&config, &secret).as_deref(), Some("https://h.test/t/a-b%2Bc%2Fd"));
        let page = "https://h.test/otobo/customer.pl?Action=CustomerTicketZoom;TicketNumber=20261120%3Bä";
        assert_eq!(ticket_page(&config, "20261120;ä"), Some(page.replace('ä', "%C3%A4")));
        assert_eq!(overview(&config).as_deref(), Some("https://h.test/otobo/customer.pl"));
    }

    #[test]
    fn without_a_setting_there_is_no_address() {
        let config = config("");
        assert_eq!(link(&config, &Secret::generate()), None);
        assert_eq!((ticket_page(&config, "1"), overview(&config)), (None, None));
    }
}
