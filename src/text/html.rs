//! Texts between the words of HTML.

/// Fit for an element and for a quoted attribute. (handlebars has such a function as well, but it writes `=` as a
/// reference too, and then a link would no longer look like itself.)
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
