//! OTOBO's reading of a mail (`Mail::Header`, `Mail::Address`), written down once more and independently
//! of src, so that two different hands have to agree.

use data_encoding::BASE64;

/// A field as OTOBO sees it: its name in lower case, its value without CR, LF and outer blanks.
pub type Field = (String, Vec<u8>);

/// The lines of a mail with their ends; only LF ends one.
pub fn lines(mail: &[u8]) -> impl Iterator<Item = &[u8]> {
    mail.split_inclusive(|byte| *byte == b'\n')
}

/// Whether a line ends the header: nothing on it but a line end or, as the very last, a CR.
pub fn ends_header(line: &[u8]) -> bool {
    [&b"\n"[..], b"\r\n", b"\r"].contains(&line)
}

/// The mail from the line on that ends its header.
pub fn body(mail: &[u8]) -> &[u8] {
    let header: usize = lines(mail).take_while(|line| !ends_header(line)).map(<[u8]>::len).sum();
    &mail[header..]
}

/// All fields, in order. The mbox line is a field called `from ` for OTOBO, and is left out.
pub fn fields(mail: &[u8]) -> Vec<Field> {
    let mut found: Vec<Field> = Vec::new();
    // Whether continuation lines belong to the last of `found`.
    let mut open = false;
    for line in lines(mail).take_while(|line| !ends_header(line)) {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if open && let Some((_, value)) = found.last_mut() {
                value.extend_from_slice(line);
            }
            continue;
        }
        let colon = line.iter().position(|byte| !matches!(byte, b'!'..=b'~') || *byte == b':');
        open = match colon {
            Some(colon) if colon > 0 && line[colon] == b':' => {
                let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
                found.push((name, line[colon + 1..].to_vec()));
                true
            }
            _ => false,
        };
    }
    for (_, value) in &mut found {
        value.retain(|byte| !matches!(byte, b'\r' | b'\n'));
        *value = value.trim_ascii().to_vec();
    }
    found
}

/// Whether the ticket system obeys a field of this name.
pub fn is_control(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    name.starts_with("x-otobo-") || name.starts_with("x-otrs-")
}

/// Decodes encoded-words wherever they stand, as leniently as a decoder can: whatever can't be decoded
/// stays, in charsets that nobody knows bytes are Latin-1.
pub fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut after_word = false;
    while let Some(at) = rest.find("=?") {
        let (before, from_here) = rest.split_at(at);
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        if let Some((word, length)) = word(from_here) {
            out.push_str(&word);
            rest = &from_here[length..];
            after_word = true;
        } else {
            out.push_str("=?");
            rest = &from_here[2..];
            after_word = false;
        }
    }
    out + rest
}

fn word(text: &str) -> Option<(String, usize)> {
    let mut parts = text[2..].splitn(3, '?');
    let (label, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let encoded = &rest[..rest.find("?=")?];
    let bytes = match encoding {
        "Q" | "q" => quoted(encoded.as_bytes()),
        "B" | "b" => {
            let letters: String = encoded.chars().filter(char::is_ascii_alphanumeric).collect();
            let letters = &letters[..letters.len() / 4 * 4];
            BASE64.decode(encoded.as_bytes()).or_else(|_| BASE64.decode(letters.as_bytes())).ok()?
        }
        _ => return None,
    };
    let length = 2 + label.len() + 1 + encoding.len() + 1 + encoded.len() + 2;
    let label = label.split('*').next()?;
    let text = match charset::Charset::for_label(label.as_bytes()) {
        Some(charset) => charset.decode(&bytes).0.into_owned(),
        None => charset::decode_latin1(&bytes).into_owned(),
    };
    Some((text, length))
}

fn quoted(encoded: &[u8]) -> Vec<u8> {
    let hex = |byte: Option<&u8>| char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::new();
    let mut at = 0;
    while at < encoded.len() {
        match (encoded[at], hex(encoded.get(at + 1)), hex(encoded.get(at + 2))) {
            (b'=', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 2;
            }
            (b'_', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    out
}

/// One mailbox as `Mail::Address` takes it apart.
#[derive(Debug, Default, Clone)]
pub struct Mailbox {
    phrase: Vec<String>,
    address: String,
    comments: Vec<String>,
}

impl Mailbox {
    fn is_empty(&self) -> bool {
        self.phrase.is_empty() && self.address.is_empty() && self.comments.is_empty()
    }

    /// Decodes each part and writes the mailbox down again.
    fn rewritten(&self) -> String {
        let phrase = decoded(&self.phrase.join(" "));
        let plain = |c: char| c.is_alphanumeric() || " \t!#$%&'*+-/=?^_`{|}~".contains(c);
        let phrase = if phrase.chars().all(plain) || phrase.contains('"') { phrase } else { format!("\"{phrase}\"") };
        let address = decoded(&self.address);
        let address = if phrase.is_empty() { address } else { format!("{phrase} <{address}>") };
        let comment = decoded(&self.comments.join(" "));
        if comment.is_empty() { address } else { format!("{address} {comment}") }
    }
}

/// The mailboxes in a text.
pub fn mailboxes(text: &str) -> Vec<Mailbox> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut current = Mailbox::default();
    let mut in_angle = false;
    let mut last = String::new();
    // Whether an angle bracket comes before the next separator: until then all is phrase.
    let angle_ahead =
        |from: usize| tokens[from..].iter().find(|t| matches!(t.as_str(), "," | ";" | "<")).is_some_and(|t| t == "<");
    let mut phrase_follows = angle_ahead(0);
    for (at, token) in tokens.iter().enumerate() {
        let joins = |text: &str| matches!(text, "." | "@" | ":" | ";");
        match token.as_str() {
            comment if comment.starts_with('(') => current.comments.push(comment.to_owned()),
            "<" => in_angle = true,
            ">" => in_angle = false,
            "," | ";" => {
                found.push(std::mem::take(&mut current));
                (in_angle, phrase_follows) = (false, angle_ahead(at + 1));
                last.clear();
            }
            part if in_angle || (!phrase_follows && (joins(part) || current.address.is_empty() || joins(&last))) => {
                current.address.push_str(part);
                part.clone_into(&mut last);
            }
            part if phrase_follows => current.phrase.push(part.to_owned()),
            part => {
                found.push(std::mem::take(&mut current));
                current.address.push_str(part);
                part.clone_into(&mut last);
            }
        }
    }
    found.push(current);
    found.retain(|mailbox| !mailbox.is_empty());
    found
}

/// Comments, quoted strings, bracketed texts, special characters and atoms.
fn tokens(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' => comment(rest),
            '"' => enclosed(rest, '"').unwrap_or(1),
            '[' => enclosed(rest, ']').unwrap_or(1),
            ')' | '<' | '>' | '@' | ',' | ';' | ':' | '\\' | '.' | ']' => 1,
            _ => rest.find(|c: char| c.is_whitespace() || "()<>@,;:\\\".[]".contains(c)).unwrap_or(rest.len()),
        };
        out.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    out
}

/// The length of a comment, nested ones included; to the end of the text where it stays open.
fn comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '(' => depth += 1,
            ')' if depth == 1 => return at + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn enclosed(text: &str, end: char) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            c if c == end => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The addresses that OTOBO, or an OTOBO of a slightly different version, could take for the sender's:
/// the last of the value as it stands, of the value decoded as a whole, and of the value decoded part
/// by part and written down again.
pub fn senders(mail: &[u8]) -> Vec<String> {
    let values: Vec<String> = fields(mail)
        .into_iter()
        .filter(|(name, _)| name == "from")
        .map(|(_, value)| {
            String::from_utf8(value).unwrap_or_else(|e| charset::decode_latin1(e.as_bytes()).into_owned())
        })
        .collect();
    let value = values.join(" ");
    let rewritten: Vec<String> = mailboxes(&value).iter().map(Mailbox::rewritten).collect();
    let last = |text: &str| mailboxes(text).pop().map(|mailbox| mailbox.address).unwrap_or_default();
    vec![last(&value), last(&decoded(&value)), last(&rewritten.join(", "))]
}
