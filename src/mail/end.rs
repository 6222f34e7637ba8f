//! Where a header block ends.

/// Finds the end of a header block in a buffer that grows.
#[derive(Debug, Default)]
pub struct EndFinder {
    /// How many bytes are known to hold no end.
    seen: usize,
}

impl EndFinder {
    /// The length of the header block, once the empty line is there. Looks at each byte once over all calls, but for
    /// two or three of each.
    pub fn find(&mut self, buffer: &[u8]) -> Option<usize> {
        if self.seen < b"\r\n".len() && matches!(buffer, [b'\n', ..] | [b'\r', b'\n', ..]) {
            return Some(0);
        }
        // What was there before may be the beginning of an end.
        let from = self.seen.saturating_sub(b"\n\r".len());
        let new = &buffer[from..];
        let empty = memchr::memmem::find(new, b"\n\n");
        // Of one that ends where the other begins, the first LF is the end.
        let until = empty.map_or(new.len(), |at| at + 1);
        let empty = memchr::memmem::find(&new[..until], b"\n\r\n").or(empty);
        self.seen = buffer.len();
        empty.map(|at| from + at + 1)
    }

    /// The same for a whole mail.
    #[must_use]
    pub fn length(mail: &[u8]) -> usize {
        Self::default().find(mail).unwrap_or_else(|| Self::finish(mail))
    }

    /// As [`EndFinder::find`], which has found nothing, once the mail is over: then a lone CR as the last line is an empty line, too.
    #[must_use]
    pub fn finish(buffer: &[u8]) -> usize {
        match buffer {
            [b'\r'] | [.., b'\n', b'\r'] => buffer.len() - 1,
            _ => buffer.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads line by line.
    fn end_of(mail: &[u8]) -> usize {
        let mut at = 0;
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            let is_last = at + line.len() == mail.len();
            if matches!(line, b"\n" | b"\r\n") || (line == b"\r" && is_last) {
                break;
            }
            at += line.len();
        }
        at
    }

    proptest::proptest! {
        #[test]
        fn the_header_ends_at_the_first_empty_line(
            mail in "(A: b|\r|\n|\r\n|\n\r){0,9}", size in 1_usize..5,
        ) {
            let mail = mail.as_bytes();
            let mut finder = EndFinder::default();
            let found = (0..=mail.len().div_ceil(size)).find_map(|n| finder.find(&mail[..(n * size).min(mail.len())]));
            proptest::prop_assert_eq!(found.unwrap_or_else(|| EndFinder::finish(mail)), end_of(mail));
        }
    }

    #[test]
    fn only_an_empty_line_ends_the_block() {
        for (mail, length) in [
            ("A: b\n\nbody", Some(5)),
            ("A: b\r\n\r\nbody", Some(6)),
            ("A: b\n\r\nbody", Some(5)),
            ("\nbody", Some(0)),
            ("\r\nbody", Some(0)),
            ("A: b\n \nC: d\n", None),
            ("A: b\n\rC: d\n", None),
            ("A: b\n\r", None),
            ("", None),
        ] {
            assert_eq!(EndFinder::default().find(mail.as_bytes()), length, "{mail:?}");
            // Byte by byte the answer is the same.
            let mut finder = EndFinder::default();
            let found = (0..=mail.len()).find_map(|n| finder.find(&mail.as_bytes()[..n]));
            assert_eq!(found, length, "{mail:?}");
        }
    }

    #[test]
    fn at_the_end_of_the_mail_a_lone_cr_is_an_empty_line() {
        for (mail, length) in [("A: b\n\r", 5), ("\r", 0), ("A: b", 4), ("A: b\r", 5), ("", 0)] {
            let mut finder = EndFinder::default();
            assert_eq!(finder.find(mail.as_bytes()), None);
            assert_eq!(EndFinder::finish(mail.as_bytes()), length, "{mail:?}");
        }
    }
}
