//! Addresses as a page shows them.

/// An address that who has it knows again: of a local part over three characters the first and the last, else the
/// first, and the domain.
pub(super) fn masked(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else { return "…".to_owned() };
    let letters: Vec<char> = local.chars().collect();
    match letters.as_slice() {
        [first, _, _, .., last] => format!("{first}…{last}@{domain}"),
        [first, ..] => format!("{first}…@{domain}"),
        [] => format!("…@{domain}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_masked_so_that_its_owner_knows_it() {
        for (address, shown) in [
            ("carol@corp.example", "c…l@corp.example"),
            ("carl@corp.example", "c…l@corp.example"),
            ("cat@corp.example", "c…@corp.example"),
            ("c@corp.example", "c…@corp.example"),
            ("ömerß@müller.example", "ö…ß@müller.example"),
            ("\"a@b\"@corp.example", "\"…\"@corp.example"),
            ("nobody", "…"),
        ] {
            assert_eq!(masked(address), shown);
        }
    }
}
