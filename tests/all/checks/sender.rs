//! The reading of From: whoever is certain is so for every reader, and stays so.

use otab::mail::Address;
use otab::mail::from::{Doubt, Mailbox, sender};
use otab::mail::header::Header;

use super::{claim, shown};
use crate::{otobo, promises, readers};

/// Checks everything, once with the bytes as a mail, once with them as the value of From.
pub fn hold(bytes: &[u8]) -> Result<(), String> {
    in_mail(bytes)?;
    in_mail(&[b"Subject: s\nFrom: ", bytes, b"\nTo: help@desk.test\n\n"].concat())
}

fn in_mail(mail: &[u8]) -> Result<(), String> {
    promises::the_certain_sender_is_otobos(mail)?;
    let block = promises::header_of(mail);
    let read = read(block);
    let checked = || {
        line_ends_do_not_matter(block, &read)?;
        let Ok(certain) = &read else {
            return Ok(());
        };
        let value = the_only_value(mail, block)?;
        the_address_is_plain(&certain.address)?;
        the_address_stands_in_the_value(&certain.address, &value)?;
        nothing_else_stands_in_the_value(&value)?;
        mailparse_reads_the_same(&certain.address, &value)?;
        the_written_address_reads_the_same(&certain.address)?;
        the_name_is_text(certain)?;
        folds_do_not_matter(certain, &value)?;
        a_second_sender_makes_doubt(block, &value)
    };
    checked().map_err(|broken: String| format!("{broken}\n--- read\n{read:?}\n--- in\n{}", shown(mail)))
}

fn read(block: &[u8]) -> Result<Mailbox, Doubt> {
    sender(&Header::parse(block.to_vec(), usize::MAX).unwrap())
}

fn read_value(value: &str) -> Result<Mailbox, Doubt> {
    read(format!("From: {value}\n").as_bytes())
}

/// The value of the one field that any reader calls From, as OTOBO unfolds it.
fn the_only_value(mail: &[u8], block: &[u8]) -> Result<String, String> {
    let mut values: Vec<Vec<u8>> =
        otobo::fields(mail).into_iter().filter(|(name, _)| name == "from").map(|(_, value)| value).collect();
    claim(values.len() == 1, || format!("OTOBO reads {} From fields", values.len()))?;
    for (reader, names) in readers::names(block) {
        let count = names.iter().filter(|name| *name == "from").count();
        claim(count == 1, || format!("{reader} finds one From, not {count}"))?;
    }
    let value = values.remove(0);
    let is_text = value.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control());
    claim(is_text, || "there is no control character in the value".into())?;
    // Where it is not UTF-8, the address has to be ASCII, and then stands there in any charset.
    Ok(String::from_utf8(value).unwrap_or_else(|error| error.as_bytes().iter().map(|b| char::from(*b)).collect()))
}

/// A dot-atom at a domain name, in canonical form.
fn the_address_is_plain(address: &Address) -> Result<(), String> {
    let (local, domain) = (address.local(), address.domain());
    let atext = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let marks = ['\u{ad}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{feff}'];
    let invisible = |c: char| c.is_control() || c.is_whitespace() || marks.contains(&c);
    let is_local = |c: char| atext(c) || (!c.is_ascii() && !invisible(c));
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_local);
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(is_letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let plain = local.len() <= 64
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
        && local.len() + 1 + domain.len() <= 254;
    claim(plain, || format!("the address is a plain one: {address}"))
}

/// Letter by letter, but for their case and the form of an international domain.
fn the_address_stands_in_the_value(address: &Address, value: &str) -> Result<(), String> {
    let is_end = |c: char| c.is_ascii_whitespace() || "<>()".contains(c);
    let spellings = [address.to_string().to_uppercase(), address.unicode().to_uppercase()];
    let stands = value.split(is_end).any(|part| spellings.contains(&part.to_uppercase()));
    claim(stands, || format!("{address} stands in the value as it is"))
}

/// Less quoted strings, comments and encoded-words there is one at sign and nothing that separates.
fn nothing_else_stands_in_the_value(value: &str) -> Result<(), String> {
    let bare = bare(value);
    let count = |c: char| bare.matches(c).count();
    let one = count('@') == 1 && count('<') <= 1 && count('<') == count('>');
    claim(one && !bare.contains([',', ';', ':', '\\', '[', ']']), || format!("there is one mailbox in {bare:?}"))
}

fn bare(value: &str) -> String {
    let mut bare = String::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => quoted(rest),
            '(' => rest.find(')').map_or(rest.len(), |end| end + 1),
            '=' if rest.starts_with("=?") => word(rest).unwrap_or(0),
            _ => 0,
        };
        if length == 0 {
            bare.push(first);
        }
        rest = &rest[if length == 0 { first.len_utf8() } else { length }..];
    }
    bare
}

fn quoted(text: &str) -> usize {
    let mut escaped = true;
    let end = text.find(|c: char| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |end| end + 1)
}

fn word(text: &str) -> Option<usize> {
    let mut marks = text.match_indices('?').map(|(at, _)| at);
    let end = marks.nth(3)?;
    text[end..].starts_with("?=").then_some(end + 2)
}

/// Where mailparse reads anything at all.
fn mailparse_reads_the_same(address: &Address, value: &str) -> Result<(), String> {
    let line = format!("From: {value}");
    let Ok((field, _)) = mailparse::parse_header(line.as_bytes()) else {
        return Ok(());
    };
    let Ok(list) = mailparse::addrparse_header(&field) else {
        return Ok(());
    };
    let same = list.clone().extract_single_info().is_some_and(|single| address.is_stated_by(&single.addr));
    claim(same, || format!("mailparse reads {address}, too, not {list:?}"))
}

fn the_written_address_reads_the_same(address: &Address) -> Result<(), String> {
    let alone = Ok(Mailbox { address: address.clone(), display: None });
    for text in [address.to_string(), address.unicode()] {
        claim(Address::parse(&text).as_ref() == Some(address), || format!("{text} states {address}"))?;
        for value in [text.clone(), format!("<{text}>"), format!("\"Carol\" <{text}>"), format!("{text} (Carol)")] {
            let read = read_value(&value);
            let named = value.contains("Carol").then(|| "Carol".to_owned());
            let expected = alone.clone().map(|mailbox: Mailbox| Mailbox { display: named, ..mailbox });
            claim(read == expected, || format!("{value} reads as {address}, not {read:?}"))?;
        }
    }
    Ok(())
}

fn the_name_is_text(certain: &Mailbox) -> Result<(), String> {
    let Some(name) = &certain.display else {
        return Ok(());
    };
    let is_text = !name.trim().is_empty() && name.chars().all(|c| c == '\t' || !c.is_control());
    claim(is_text, || format!("the name is text: {name:?}"))
}

/// The same on one line, and with each blank folded.
fn folds_do_not_matter(certain: &Mailbox, value: &str) -> Result<(), String> {
    for folded in [value.to_owned(), value.replace(' ', "\n "), value.replace(' ', "\r\n ")] {
        let read = read_value(&folded);
        claim(read.as_ref() == Ok(certain), || format!("folds do not matter: {folded:?} reads as {read:?}"))?;
    }
    Ok(())
}

/// The same verdict with CRLF.
fn line_ends_do_not_matter(block: &[u8], read_before: &Result<Mailbox, Doubt>) -> Result<(), String> {
    let mut other = Vec::new();
    for line in otobo::lines(block) {
        match line.strip_suffix(b"\n") {
            Some(text) if !text.ends_with(b"\r") => other.extend_from_slice(&[text, b"\r\n"].concat()),
            _ => other.extend_from_slice(line),
        }
    }
    claim(read(&other) == *read_before, || "line ends do not matter".into())
}

/// In another field before or behind it, or in the same value.
fn a_second_sender_makes_doubt(block: &[u8], value: &str) -> Result<(), String> {
    let second = b"From: mallory@evil.test\n";
    let own_line: &[u8] = if block.ends_with(b"\n") { b"" } else { b"\n" };
    let before = read(&[second, block].concat());
    let behind = read(&[block, own_line, second].concat());
    let several = Err(Doubt::SeveralFields);
    claim(before == several && behind == several, || format!("two fields: {before:?}, {behind:?}"))?;
    for both in [
        format!("mallory@evil.test, {value}"),
        format!("{value}, mallory@evil.test"),
        format!("<mallory@evil.test> {value}"),
        format!("{value} <mallory@evil.test>"),
        format!("{value} mallory@evil.test"),
        format!("mallory@evil.test {value}"),
    ] {
        let read = read_value(&both);
        claim(read.is_err(), || format!("{both} is nobody's, not {read:?}"))?;
    }
    Ok(())
}
