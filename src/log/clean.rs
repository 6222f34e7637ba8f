//! Makes any text fit for one line of a log, and for a terminal.
//!
//! Pure. Senders write much of what is logged: nothing of theirs may start a line of its own, move a cursor or turn
//! the reading direction. This file never judges what a text says.

use crate::text::is_invisible;

/// Longest entry, in bytes, after escaping. RFC 3164 has 1024 for the whole packet, but the daemons
/// in use take 8 KiB, and a Message-ID alone may be 990.
const MAX: usize = 2000;
/// What stands at the end of an entry that was cut.
const CUT: &str = "…";

/// Escapes control characters, line breaks and all that shows nothing, and cuts the text to
/// 2000 bytes on a character's boundary.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX));
    for c in text.chars() {
        let before = line.len();
        push(&mut line, c);
        if line.len() > MAX {
            line.truncate(before);
            cut(&mut line);
            break;
        }
    }
    line
}

fn push(line: &mut String, c: char) {
    if is_invisible(c) {
        line.extend(c.escape_default());
    } else {
        line.push(c);
    }
}

fn cut(line: &mut String) {
    while line.len() + CUT.len() > MAX {
        line.pop();
    }
    line.push_str(CUT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_in_any_script_stays() {
        for text in ["", "from=carol@corp.test status=ok", "Jürgen Müller 日本 \\ \""] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn nothing_starts_a_line_or_steers_a_terminal() {
        assert_eq!(clean("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(clean("\0\u{1b}[2J\u{7f}\u{9b}"), "\\u{0}\\u{1b}[2J\\u{7f}\\u{9b}");
        assert_eq!(clean("\u{202e}gpj\u{2028}x\u{85}"), "\\u{202e}gpj\\u{2028}x\\u{85}");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(clean(&"a".repeat(2000)), "a".repeat(2000));
        assert_eq!(clean(&"a".repeat(2001)), format!("{}…", "a".repeat(1997)));
        for text in ["ü".repeat(3000), "\0".repeat(3000), "x日".repeat(3000)] {
            let line = clean(&text);
            assert!(line.len() <= 2000 && line.ends_with('…'), "{}", line.len());
        }
    }
}
