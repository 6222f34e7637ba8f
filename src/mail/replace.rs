//! Puts something else where a mail holds the placeholder, and changes no other byte than it must.
//!
//! Header fields are never touched, nor anything that is signed, encrypted, attached or no text.

use std::io::{self, Write};
use std::ops::Range;

use super::header::Terminator;
use super::part::{self, Left, Text, Transfer};
use super::placeholder::{Hit, Spot, hits};
use super::spell;
use super::transfer::{self, Splice};

/// What comes in the place of the placeholder. None of it holds a line break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// In running text.
    pub words: String,
    /// As the whole address of an HTML link.
    pub href: String,
    /// Where a secret would go astray: in a longer address, a picture, a form.
    pub elsewhere: String,
    /// Instead of any of them, where a part can't hold its letters. ASCII.
    pub ascii: String,
}

/// The placeholders of a mail.
#[derive(Debug)]
pub struct Found<'m> {
    mail: &'m [u8],
    texts: Vec<(Text, Vec<Hit>)>,
    /// What was not looked at.
    pub left: Vec<Left>,
}

/// Looks for the placeholder in all texts of a mail.
#[must_use]
pub fn find<'m>(mail: &'m [u8], placeholder: &str) -> Found<'m> {
    let parts = part::parts(mail);
    let mut found = Found { mail, texts: Vec::new(), left: parts.left };
    for text in parts.texts {
        match look(mail, &text, placeholder) {
            Ok(hits) if hits.is_empty() => {}
            Ok(hits) => found.texts.push((text, hits)),
            Err(left) => found.left.push(left),
        }
    }
    found
}

fn look(mail: &[u8], text: &Text, placeholder: &str) -> Result<Vec<Hit>, Left> {
    let content = Content::of(mail, text).ok_or(Left::Unwritable)?;
    let hits = hits(content.bytes(), placeholder, text.html);
    if !hits.is_empty() && memchr::memmem::find(content.bytes(), b"-----BEGIN PGP ").is_some() {
        return Err(Left::Signed);
    }
    Ok(hits)
}

impl Found<'_> {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.texts.iter().map(|(_, hits)| hits.len()).sum()
    }

    /// Whether a secret would stand in one of them.
    #[must_use]
    pub fn wants_secret(&self) -> bool {
        self.texts.iter().flat_map(|(_, hits)| hits).any(|hit| hit.spot != Spot::Unsafe)
    }

    /// The changes to the mail, in order.
    #[must_use]
    pub fn replaced(&self, by: &Replacement) -> Vec<Splice> {
        let end = Terminator::of_first_line(self.mail);
        self.texts.iter().flat_map(|(text, hits)| change(self.mail, text, hits, by, end)).collect()
    }
}

/// Writes a mail with its changes.
pub fn write(mail: &[u8], splices: &[Splice], out: &mut impl Write) -> io::Result<()> {
    let mut at = 0;
    for splice in splices {
        out.write_all(&mail[at..splice.range.start])?;
        out.write_all(&splice.bytes)?;
        at = splice.range.end;
    }
    out.write_all(&mail[at..])
}

/// A text's content, decoded as far as it takes to see ASCII in it.
enum Content<'m> {
    AsItIs(&'m [u8]),
    Decoded(Vec<u8>),
    /// UTF-16 as UTF-8.
    Wide(String, Wide),
}

impl<'m> Content<'m> {
    fn of(mail: &'m [u8], text: &Text) -> Option<Self> {
        let raw = &mail[text.body.clone()];
        let content = match text.transfer {
            Transfer::SevenBit | Transfer::EightBit => Self::AsItIs(raw),
            Transfer::QuotedPrintable => Self::Decoded(transfer::from_quoted_printable(raw)),
            Transfer::Base64 => Self::Decoded(transfer::from_base64(raw)?),
        };
        match (text.charset.as_str(), text.transfer) {
            ("utf-16" | "utf-16le" | "utf-16be", Transfer::Base64) => {
                let (decoded, wide) = Wide::read(content.bytes(), &text.charset)?;
                Some(Self::Wide(decoded, wide))
            }
            // Bytes that look like ASCII may be parts of other characters.
            (name, _) if name.starts_with("utf-16") || name.starts_with("utf-32") || name.contains("utf-7") => None,
            _ => Some(content),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::AsItIs(bytes) => bytes,
            Self::Decoded(bytes) => bytes,
            Self::Wide(text, _) => text.as_bytes(),
        }
    }
}

/// How UTF-16 is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wide {
    big_endian: bool,
    mark: bool,
}

impl Wide {
    /// RFC 2781, section 4: a byte order mark decides; without one `utf-16` is big-endian.
    fn read(bytes: &[u8], name: &str) -> Option<(String, Self)> {
        let (big_endian, mark) = match bytes {
            [0xfe, 0xff, ..] => (true, true),
            [0xff, 0xfe, ..] => (false, true),
            _ => (name != "utf-16le", false),
        };
        let pairs = bytes[if mark { 2 } else { 0 }..].chunks(2);
        let units = pairs.map(|pair| {
            let pair = <[u8; 2]>::try_from(pair).ok()?;
            Some(if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
        });
        let text = String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()?;
        Some((text, Self { big_endian, mark }))
    }

    fn write(self, text: &str) -> Vec<u8> {
        let mark = self.mark.then_some('\u{feff}');
        let units = mark.into_iter().chain(text.chars()).flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec());
        units.flat_map(|unit| if self.big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }
}

/// The changes to one text.
fn change(mail: &[u8], text: &Text, hits: &[Hit], by: &Replacement, end: Terminator) -> Vec<Splice> {
    let Some(content) = Content::of(mail, text) else { return Vec::new() };
    let wide = matches!(content, Content::Wide(..));
    let changes: Vec<Splice> =
        hits.iter().map(|hit| Splice { range: hit.range.clone(), bytes: spelled(text, hit.spot, by, wide) }).collect();
    let raw = &mail[text.body.clone()];
    let splices = match (&content, text.transfer) {
        (Content::Wide(decoded, how), _) => {
            let new = transfer::spliced(decoded.as_bytes(), &changes);
            vec![transfer::in_base64(raw, &how.write(&String::from_utf8_lossy(&new)), end)]
        }
        (content, Transfer::Base64) => {
            vec![transfer::in_base64(raw, &transfer::spliced(content.bytes(), &changes), end)]
        }
        (_, Transfer::QuotedPrintable) => transfer::in_quoted_printable(raw, &changes, end),
        (_, Transfer::SevenBit | Transfer::EightBit) => changes,
    };
    let moved = |range: Range<usize>| text.body.start + range.start..text.body.start + range.end;
    splices.into_iter().map(|splice| Splice { range: moved(splice.range), bytes: splice.bytes }).collect()
}

/// What comes in one place, in the part's own charset, HTML or not. A part of seven bits keeps to them.
fn spelled(text: &Text, spot: Spot, by: &Replacement, wide: bool) -> Vec<u8> {
    let stated = match spot {
        Spot::Words => &by.words,
        Spot::Href => &by.href,
        Spot::Unsafe => &by.elsewhere,
    };
    if text.html {
        return spell::html(stated).into_bytes();
    }
    let charset = match text.transfer {
        _ if wide => "utf-8",
        Transfer::SevenBit => "us-ascii",
        _ => text.charset.as_str(),
    };
    let spelled = spell::in_charset(stated, charset).or_else(|| Some(spell::in_ascii(stated)?.into_bytes()));
    spelled.unwrap_or_else(|| by.ascii.clone().into_bytes())
}

#[cfg(test)]
mod tests;
