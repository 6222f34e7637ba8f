//! Filters (RFC 4515). Values come from strangers' mails, so no byte of one is ever more than a byte.

/// A value as it may stand in a filter: all but letters, digits and a few harmless signs as `\` and two hex digits.
fn escaped(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-_+".contains(&byte);
    let one = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("\\{byte:02x}") };
    value.bytes().map(one).collect()
}

/// Holds for entries that the filter lets in and in which one of the attributes has one of the values, as the
/// directory compares. An attribute that it does not know is no match, and no error.
#[must_use]
pub fn any_equal(filter: &str, attributes: &[&str], values: &[&str]) -> String {
    let mut any = String::new();
    for attribute in attributes {
        any.extend(values.iter().map(|value| format!("({attribute}={})", escaped(value))));
    }
    format!("(&{filter}(|{any}))")
}

/// Holds for entries that the filter lets in and that have the attribute.
#[must_use]
pub fn present(filter: &str, attribute: &str) -> String {
    format!("(&{filter}({attribute}=*))")
}

/// Whether a site's own filter stands in parentheses that fit: it is put beside otab's, and must not reach into it.
#[must_use]
pub fn checked(filter: &str) -> bool {
    let mut depth = 0_usize;
    for (at, byte) in filter.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return false,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 && at + 1 < filter.len() {
            return false;
        }
    }
    depth == 0 && filter.len() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_more_than_a_value() {
        assert_eq!(escaped("a*(b)\\c\0é"), "a\\2a\\28b\\29\\5cc\\00\\c3\\a9");
        let filter = any_equal("(x=1)", &["mail", "uid"], &["*)(uid=*"]);
        assert_eq!(filter, "(&(x=1)(|(mail=\\2a\\29\\28uid\\3d\\2a)(uid=\\2a\\29\\28uid\\3d\\2a)))");
        for byte in 0..=0x7f_u8 {
            let text = escaped(&char::from(byte).to_string());
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"@.-_+\\".contains(&b)), "{byte}");
        }
    }

    #[test]
    fn a_filter_of_the_sites_own_is_one_filter() {
        for good in ["(objectClass=person)", "(&(a=1)(!(b=2)))", "(uid=*)"] {
            assert!(checked(good), "{good}");
        }
        for bad in ["", "()", "objectClass=person", "(a=1)(b=2)", "(a=1))", "((a=1)", "a(b)", "(a=1) "] {
            assert!(!checked(bad), "{bad}");
        }
    }
}
