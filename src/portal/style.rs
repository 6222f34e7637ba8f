//! The style sheet with the site's colour, and the site's logo: made once, at the start.
//!
//! Whatever the colour is, the button's text can be read on it, and its edge be seen (WCAG 2.2, 1.4.3 and 1.4.11).

use std::io::Read;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

const SHEET: &str = include_str!("templates/style.css");
/// Longest logo, in bytes.
const LONGEST: u64 = 256 << 10;
/// The cards that the button stands on, and the texts on them, as in the sheet: light, dark.
const CARDS: [[u8; 3]; 2] = [[0xff, 0xff, 0xff], [0x1c, 0x22, 0x29]];
const TEXTS: [&str; 2] = ["#1c2430", "#eef1f5"];
const WHITE: [u8; 3] = [0xff; 3];
/// With one of these two, every colour has a contrast of 4.58 or more.
const BLACK: [u8; 3] = [0; 3];
/// The contrasts that text and that edges need.
const READABLE: f64 = 4.5;
const VISIBLE: f64 = 3.0;

/// A file that browsers may keep.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) content_type: &'static str,
    pub(super) etag: String,
    pub(super) bytes: Vec<u8>,
}

impl Kept {
    fn new(content_type: &'static str, bytes: Vec<u8>) -> Self {
        let sum = HEXLOWER.encode(&Sha256::digest(&bytes));
        Self { content_type, etag: format!("\"{}\"", &sum[..16]), bytes }
    }
}

/// The style sheet of a site.
#[derive(Debug, Clone)]
pub struct Style(pub(super) Kept);

impl Style {
    /// With this colour for what can be pressed.
    #[must_use]
    pub fn new(accent: [u8; 3]) -> Self {
        let text = if contrast(accent, WHITE) >= READABLE { WHITE } else { BLACK };
        let edge = |at: usize| {
            if contrast(accent, CARDS[at]) >= VISIBLE { hex(accent) } else { TEXTS[at].to_owned() }
        };
        let sheet = SHEET
            .replace("{{accent}}", &hex(accent))
            .replace("{{on_accent}}", &hex(text))
            .replace("{{edge_light}}", &edge(0))
            .replace("{{edge_dark}}", &edge(1));
        Self(Kept::new("text/css; charset=utf-8", sheet.into_bytes()))
    }

    /// The sheet: to look at in tests, and no promise.
    #[doc(hidden)]
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.bytes).into_owned()
    }
}

/// A site's logo.
#[derive(Debug, Clone)]
pub struct Logo(pub(super) Kept);

impl Logo {
    /// Reads a file: SVG or PNG, at most 256 KiB. The error says what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
        let file = std::fs::File::open(path).map_err(|error| wrong(&error))?;
        let mut bytes = Vec::new();
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
        if bytes.len() as u64 > LONGEST {
            return Err(wrong(&"longer than 256 KiB; use a smaller picture"));
        }
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Ok(Self(Kept::new("image/png", bytes)));
        }
        let is_svg = std::str::from_utf8(&bytes).is_ok_and(|text| text.contains("<svg"));
        if is_svg {
            return Ok(Self(Kept::new("image/svg+xml", bytes)));
        }
        Err(wrong(&"neither SVG nor PNG; use one of these"))
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// WCAG 2.2's contrast ratio, from 1 to 21.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(color: [u8; 3]) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126f64.mul_add(linear(color[0]), 0.7152f64.mul_add(linear(color[1]), 0.0722 * linear(color[2])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(sheet: &str, name: &str, nth: usize) -> [u8; 3] {
        let line = sheet.lines().filter_map(|line| line.trim().strip_prefix(name)).nth(nth).unwrap();
        let digits = line.trim_start_matches([':', ' ', '#']).trim_end_matches(';');
        let number = u32::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{name}{line}"));
        let [_, red, green, blue] = number.to_be_bytes();
        [red, green, blue]
    }

    #[test]
    fn any_colour_is_readable_in_light_and_dark() {
        let steps = [0x00, 0x20, 0x40, 0x60, 0x80, 0xa0, 0xc0, 0xe0, 0xff];
        let colors = steps.iter().flat_map(|r| steps.iter().flat_map(move |g| steps.map(|b| [*r, *g, b])));
        for accent in colors.chain([[0x1f, 0x5f, 0xa8], [0x76, 0x76, 0x76], [0x77, 0x77, 0x77]]) {
            let sheet = String::from_utf8(Style::new(accent).0.bytes).unwrap();
            assert!(!sheet.contains("{{"), "{sheet}");
            assert!(contrast(value(&sheet, "--on-accent", 0), accent) >= READABLE, "{accent:?}");
            for (theme, card) in CARDS.into_iter().enumerate() {
                assert_eq!(value(&sheet, "--card", theme), card, "the sheet's card is another");
                assert!(contrast(value(&sheet, "--edge", theme), card) >= VISIBLE, "{accent:?} {theme}");
                for name in ["--text", "--soft"] {
                    for ground in ["--card", "--ground"] {
                        let seen = contrast(value(&sheet, name, theme), value(&sheet, ground, theme));
                        assert!(seen >= READABLE, "{name} on {ground}: {seen}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_logo_is_a_picture_of_a_known_kind_and_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Logo::read(&path).map(|logo| logo.0.content_type)
        };
        assert_eq!(read(b"\x89PNG\r\n\x1a\nrest"), Ok("image/png"));
        assert_eq!(read(b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"), Ok("image/svg+xml"));
        assert!(read(b"GIF89a").unwrap_err().contains("neither SVG nor PNG"));
        assert!(read(&vec![b' '; 256 * 1024 + 1]).unwrap_err().contains("256 KiB"));
        assert!(Logo::read(&folder.path().join("none")).is_err());
    }
}
