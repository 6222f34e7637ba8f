//! Whether the settings of the door fit those of links and portal: for `otab serve`, which refuses, and for
//! `otab check`. They are no problems of the configuration as a whole: mails go on without a door.

use crate::config::Config;

/// Without it no portal is meant.
pub const NO_BASE_URL: (&str, &str) =
    ("door.base_url is empty", "set it to what customers see, https://help.example.org");

/// What does not fit, and what to do about it.
#[must_use]
pub fn obstacles(config: &Config) -> Vec<(String, &'static str)> {
    let (door, auth) = (&config.door, &config.one_time_auth);
    let Some(base) = &door.base_url else {
        let (says, remedy) = NO_BASE_URL;
        return vec![(says.to_owned(), remedy)];
    };
    let mut found = Vec::new();
    if auth.link_url.as_deref() != Some(&format!("{base}/t/{{{{token}}}}")) {
        let says = format!("one_time_auth.link_url is not {base}/t/{{{{token}}}}: links would not lead to the door");
        found.push((says, "set it so, or correct door.base_url"));
    }
    let is_there = |portal: &str| portal.strip_prefix(base).is_some_and(|path| path.starts_with('/'));
    if !auth.portal_url.as_deref().is_some_and(is_there) {
        let says = format!("one_time_auth.portal_url is no page of {base}: its cookies would be another host's");
        found.push((says, "set it to the portal's page under the same scheme and host as door.base_url"));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn found(base: &str, link: &str, portal: &str) -> usize {
        let text = format!(
            "[door]\nbase_url = \"{base}\"\n[one_time_auth]\nlink_url = \"{link}\"\nportal_url = \"{portal}\"\n"
        );
        obstacles(&Config::parse(&text, Path::new("/")).unwrap()).len()
    }

    #[test]
    fn links_and_portal_have_the_same_scheme_and_host() {
        let (base, link, portal) = ("https://h.test", "https://h.test/t/{{token}}", "https://h.test/otobo/customer.pl");
        assert_eq!(found(base, link, portal), 0);
        assert_eq!(found("", link, portal), 1);
        for link in ["", "https://h.test/x/{{token}}", "http://h.test/t/{{token}}", "https://h.test/t/{{token}}/"] {
            assert_eq!(found(base, link, portal), 1, "{link}");
        }
        for portal in ["", "http://h.test/p", "https://h.test.evil.test/p", "https://h.test:444/p", "https://h.test"] {
            assert_eq!(found(base, link, portal), 1, "{portal}");
        }
    }
}
