//! In which language a page is: the customer's stored one, else what their browser asks for, else the site's.
//!
//! Pure.

use crate::text::language::choices;

/// Longest Accept-Language that is read, in bytes.
const LONGEST: usize = 500;

/// The best of the languages there are (in lower case, never none): by the stored tag, by Accept-Language (RFC 9110,
/// section 12.5.4), or the default, which is one of them.
pub(super) fn choose<'a>(
    available: &[&'a str],
    stored: Option<&str>,
    accepted: Option<&str>,
    default: &'a str,
) -> &'a str {
    let stored = stored.and_then(|tag| find(available, tag));
    stored.or_else(|| by_browser(available, accepted?)).unwrap_or(default)
}

fn by_browser<'a>(available: &[&'a str], accepted: &str) -> Option<&'a str> {
    let accepted = accepted.get(..LONGEST).unwrap_or(accepted);
    let mut wishes: Vec<(u16, &str)> = accepted.split(',').filter_map(wish).collect();
    // Stable: of equals the first.
    wishes.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wishes.iter().find_map(|(_, tag)| find(available, tag))
}

/// A tag and its weight in thousandths; none where it is unwanted.
fn wish(entry: &str) -> Option<(u16, &str)> {
    let (tag, weight) = entry.split_once(';').map_or((entry, None), |(tag, weight)| (tag, Some(weight)));
    let weight = match weight {
        None => 1.0,
        Some(weight) => weight.trim().strip_prefix("q=")?.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q))?,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    let weight = (weight * 1000.0) as u16;
    (weight > 0).then_some((weight, tag.trim()))
}

/// A tag (`de-AT`, `de_AT`) or its primary language.
fn find<'a>(available: &[&'a str], tag: &str) -> Option<&'a str> {
    choices(tag).iter().find_map(|tag| available.iter().copied().find(|known| known == tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_language_then_the_browsers_then_the_sites() {
        let all = ["de", "en", "pt-br"];
        for (stored, accepted, wanted) in [
            (Some("de"), Some("en"), "de"),
            (Some("de_AT"), None, "de"),
            (Some("ja"), Some("en"), "en"),
            (None, Some("fr, de;q=0.8, en;q=0.9"), "en"),
            (None, Some("de-CH"), "de"),
            (None, Some("PT-br"), "pt-br"),
            (None, Some("en;q=0, de;q=0.1"), "de"),
            (None, Some("*"), "en"),
            (None, Some("de;q=2,;;,=;q=x"), "en"),
            (None, None, "en"),
        ] {
            assert_eq!(choose(&all, stored, accepted, "en"), wanted, "{stored:?} {accepted:?}");
        }
    }
}
