//! Which fields have to go, by their names as the laxest reader would read them.
//!
//! OTOBO takes a name only when it is printable ASCII straight up to the colon. Other readers allow
//! blanks before the colon, delete control characters, unfold before they look for the colon, end a
//! line at a bare CR or a form feed, or take a line without a colon for a name. Protection has to match
//! them all, so a name here is every printable ASCII character between a place where some reader could
//! begin a field and the next colon, whatever stands between. Too much may go this way (`X-OTOBO- is great`
//! as a junk line); too little may not.

use super::breaks::may_hide_a_name;
use super::header::{Field, Header, Terminator};
use super::scan::Scan;

/// A list of names: whole ones and prefixes, all compared without case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protected {
    prefixes: Vec<Vec<u8>>,
    names: Vec<Vec<u8>>,
}

/// What is known of a name that has been read so far.
#[derive(PartialEq)]
pub(super) enum Verdict {
    /// It is guarded, whatever follows.
    Hit,
    /// It may become so.
    Open,
    /// It cannot.
    Miss,
}

/// What a look at a field's name says.
#[derive(Debug, PartialEq)]
enum Look {
    /// It is guarded.
    Named,
    /// It is not.
    Other,
    /// Readers may differ: every byte counts.
    Odd,
}

impl Protected {
    /// No name yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all names that begin so.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefixes.push(prefix.to_ascii_uppercase().into_bytes());
        self
    }

    /// Adds one whole name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.names.push(name.to_ascii_uppercase().into_bytes());
        self
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty() && self.names.is_empty()
    }

    /// Where in one field (with its continuation lines and line ends) the first guarded name begins:
    /// 0, or the offset of a break ([`super::breaks`]) or of a continuation line.
    #[must_use]
    pub fn find(&self, field: &[u8]) -> Option<usize> {
        match self.look(field) {
            Look::Named => Some(0),
            Look::Other => None,
            Look::Odd => self.find_by_scan(field),
        }
    }

    /// As [`Protected::find`], for a field of this block: where all readers take the same name, that alone is looked at.
    #[must_use]
    pub fn find_in(&self, header: &Header, field: &Field) -> Option<usize> {
        match header.name(field) {
            Some(name) if !header.has_odd_break() => self.guards(name).then_some(0),
            _ => self.find(header.raw(field)),
        }
    }

    /// All fields of this block that have a guarded name for some reader, in order.
    #[must_use]
    pub fn fields_in<'h>(&self, header: &'h Header) -> Vec<&'h Field> {
        let has_hit = |field: &&Field| self.find_in(header, field).is_some();
        if header.has_odd_break() {
            return header.fields().iter().filter(has_hit).collect();
        }
        let mut found: Vec<&Field> = header.nameless().filter(has_hit).collect();
        found.extend(self.names.iter().flat_map(|name| header.named_by_bytes(name)));
        if !self.prefixes.is_empty() {
            let begins = |field: &&Field| header.name(field).is_some_and(|name| self.has_prefix(name));
            found.extend(header.fields().iter().filter(begins));
        }
        found.sort_unstable_by_key(|field| field.range.start);
        found.dedup_by_key(|field| field.range.start);
        found
    }

    /// Whether this is a guarded name, where all readers take the same one: printable characters up to the first colon,
    /// and no odd break in the whole block.
    #[must_use]
    pub fn guards(&self, name: &[u8]) -> bool {
        self.has_prefix(name) || self.names.iter().any(|guarded| name.eq_ignore_ascii_case(guarded))
    }

    fn has_prefix(&self, name: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| begins(name, prefix))
    }

    /// What the name says of nearly all fields: printable characters up to a colon, which all readers take alike, and
    /// no odd break behind it.
    fn look(&self, field: &[u8]) -> Look {
        let Some(colon) = memchr::memchr(b':', field) else {
            return Look::Odd;
        };
        let (name, rest) = field.split_at(colon);
        if !name.iter().all(|byte| matches!(byte, 0x21..=0x7e)) {
            return Look::Odd;
        }
        if self.guards(name) {
            return Look::Named;
        }
        if may_hide_a_name(rest) { Look::Odd } else { Look::Other }
    }

    fn find_by_scan(&self, field: &[u8]) -> Option<usize> {
        self.scan(field, false).0
    }

    /// Where the first guarded name begins in a field, as [`Protected::find`]; and whether one may be open at the field's
    /// end, for a reader that finds more of it behind: if so many bytes of one stand there, or if it was open before
    /// and the field has nothing to read.
    pub(super) fn scan(&self, field: &[u8], open: bool) -> (Option<usize>, bool) {
        let mut scan = Scan::new();
        let mut at = 0;
        while at < field.len() {
            if scan.is_idle() {
                // Nothing is open: only a break can begin a name now, and 8-bit bytes say what is one.
                let Some(passed) = field[at..].iter().position(|byte| Scan::is_of_interest(*byte)) else {
                    return (None, false);
                };
                scan.skip(passed);
                at += passed;
            }
            if let Some(hit) = scan.push(self, field[at]) {
                return (Some(hit), true);
            }
            at += 1;
        }
        (scan.finish(self), scan.leaves_open(open))
    }

    /// The part of a field that has to go where a guarded name begins there: from it to the field's end. What stands
    /// before a break stays, and then keeps the line's end.
    pub(super) fn cut_from(start: usize, field: &[u8]) -> std::ops::Range<usize> {
        let whole_line = start == 0 || field[start - 1] == b'\n';
        let end = if whole_line { field.len() } else { field.len() - Terminator::of(field).len() };
        start..end
    }

    pub(super) fn judge(&self, name: &[u8]) -> Verdict {
        if self.prefixes.iter().any(|p| name.starts_with(p)) {
            return Verdict::Hit;
        }
        let open = self.prefixes.iter().chain(&self.names).any(|rule| rule.starts_with(name));
        if open { Verdict::Open } else { Verdict::Miss }
    }

    pub(super) fn is_name(&self, name: &[u8]) -> bool {
        self.names.iter().any(|n| n == name)
    }
}

/// Whether the name begins so, case aside. Most names begin alike (`X-`): the last byte is looked at first.
#[inline]
fn begins(name: &[u8], prefix: &[u8]) -> bool {
    let Some((last, front)) = prefix.split_last() else {
        return true;
    };
    name.get(front.len()).is_some_and(|byte| byte.to_ascii_uppercase() == *last)
        && name[..front.len()].eq_ignore_ascii_case(front)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected() -> Protected {
        Protected::new().prefix("X-OTOBO-").prefix("X-OTRS-").name("X-Gate-Secret")
    }

    fn cut(field: &[u8]) -> Option<std::ops::Range<usize>> {
        protected().find(field).map(|start| Protected::cut_from(start, field))
    }

    proptest::proptest! {
        #[test]
        fn a_plain_field_is_judged_as_the_scan_judges_it(
            field in "(X-OTOBO-|x-otrs-Q|X-Gate-|Secret|From|:|: |\\r|\\n|\\r\\n| |\\x00|é|[!-~]){0,12}",
        ) {
            let field = field.as_bytes();
            let scanned = protected().find_by_scan(field);
            match protected().look(field) {
                Look::Named => proptest::prop_assert_eq!(scanned, Some(0)),
                Look::Other => proptest::prop_assert_eq!(scanned, None),
                Look::Odd => {}
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_blocks_fields_are_those_found_one_by_one(
            block in "((X-OTOBO-|x-otrs-Q|X-Gate-Secret|x-gate-SECRET|X-Gate-|Secret|To|no colon)(: a|:| |)(\n|\n b\n|\r\n|\ra\n)){0,9}",
        ) {
            let header = Header::parse(block.into_bytes(), 100).unwrap();
            let alone = header.fields().iter().filter(|field| protected().find_in(&header, field).is_some());
            let starts = |field: &Field| field.range.start;
            let together: Vec<usize> = protected().fields_in(&header).into_iter().map(starts).collect();
            proptest::prop_assert_eq!(together, alone.map(starts).collect::<Vec<usize>>());
        }
    }

    #[test]
    fn every_spelling_that_a_reader_could_accept_is_found() {
        for field in [
            "X-OTOBO-Queue: a\n",
            "x-otobo-queue:a\r\n",
            "X-OTOBO-Queue : a\n",
            "X-OTOBO-Queue\t: a\n",
            "X-OTRS-Queue: a\n",
            "X-OTOBO\0-Queue: a\n",
            "X- OTOBO-Queue: a\n",
            "\u{feff}X-OTOBO-Queue: a\n",
            "X-OTOBO-\u{a0}Queue: a\n",
            "\x7fX-OTOBO-Queue: a",
            "X-OTOBO-\n Queue: a\n",
            "X-\n OTOBO-Queue: a\n",
            "X-OTOBO-Queue\n",
            "\rX-OTOBO-Queue: a\n",
            "X-OTOBO\r-Queue: a\n",
            "X-Gate-Secret: b\n",
            "x-gate-secret : b\n",
            "X-Gate-Secret\n",
            "X-Gate-Secret\r\n",
        ] {
            assert_eq!(cut(field.as_bytes()), Some(0..field.len()), "{field:?}");
        }
    }

    #[test]
    fn other_fields_are_left_alone() {
        for field in [
            "Subject: X-OTOBO-Queue: a\n",
            "Subject: a\n X-OTOBO-Queue: a\n",
            "X-OTOB-Queue: a\n",
            "XX-OTOBO-Queue: a\n",
            "X-OTOBO: a\n",
            "X-Gate-Secrets: a\n",
            "X-Gate: Secret\n",
            "Xotobo-Queue: a\n",
            "Subject: a\r\n\tX-OTRS-: b\r\n",
        ] {
            assert_eq!(cut(field.as_bytes()), None, "{field:?}");
        }
    }

    #[test]
    fn after_a_break_the_rest_goes_and_the_line_end_stays() {
        for (field, kept) in [
            ("Subject: a\rX-OTOBO-Queue: b\n", "Subject: a\n"),
            ("Subject: a\rX-OTOBO-Queue: b\r\n", "Subject: a\r\n"),
            ("Subject: a\rX-OTOBO-Queue: b", "Subject: a"),
            ("Subject: a\r\rX-OTOBO-Queue: b\rTo: c\n d\n", "Subject: a\n"),
            ("Subject: a\rX-Gate-Secret\r: b\n", "Subject: a\n"),
            ("Subject: a\x0cX-OTOBO-Queue: b\r\n", "Subject: a\r\n"),
            ("Subject: a\x1e\x0b X-Gate-Secret\n", "Subject: a\n"),
            ("Subject: \u{e9}\u{85}X-OTOBO-Queue: b\r\n", "Subject: \u{e9}\r\n"),
            ("Subject: a\u{2028} X-OTOBO-Queue: b\n c\n", "Subject: a\n"),
            ("Subject: a\n b\u{2029}X-Gate-Secret\n", "Subject: a\n b\n"),
            // NEL within a letter counts where a name is found anyway.
            ("Subject: a\u{c5} X-OTOBO-\u{2028}X-OTOBO-A: b\n", "Subject: a\u{c5} \n"),
            ("a b\n X-OTOBO-Queue: b\n", "a b\n"),
            ("Subject: a\rb\n X-OTOBO-Queue: c\n", "Subject: a\rb\n"),
        ] {
            let range = cut(field.as_bytes()).unwrap();
            let mut left = field.as_bytes().to_vec();
            left.drain(range);
            assert_eq!(String::from_utf8_lossy(&left), kept, "{field:?}");
        }
    }

    #[test]
    fn a_lone_nel_counts_only_in_text_that_is_no_utf_8() {
        let left = |field: &[u8]| {
            let mut left = field.to_vec();
            if let Some(range) = cut(field) {
                left.drain(range);
            }
            left
        };
        for (field, kept) in [
            (&b"Subject: W\xe4rme\x85X-OTOBO-Queue: b\n"[..], &b"Subject: W\xe4rme\n"[..]),
            (b"Subject: a\xc3\x85 X-OTOBO-Queue: b \xff\n", b"Subject: a\xc3\x85 \n"),
            (b"Subject: a\xc3\x85\0X-OTOBO-Queue: b \xc3\n", b"Subject: a\xc3\x85\0\n"),
            // At once behind the byte, in any text.
            (b"Subject: a\xc3\x85X-OTOBO-Queue: b\n", b"Subject: a\xc3\n"),
            (b"X-OT\x85OBO-Queue: b\n", b""),
        ] {
            assert_eq!(left(field), kept, "{}", field.escape_ascii());
        }
        for ordinary in [
            "Subject: \u{c5} X-OTOBO-Queue\n".as_bytes(),
            "Subject: \u{445} X-OTOBO-Queue: a\n \u{445} X-OTRS-: b\r\n".as_bytes(),
            b"Subject: W\xe4rme\x85 und X-OTOBO-Queue: a\n",
            "Subject: \u{201e}X-OTOBO-\u{201c}\u{2026}\n".as_bytes(),
        ] {
            assert_eq!(left(ordinary), ordinary, "{}", ordinary.escape_ascii());
        }
    }

    #[test]
    fn a_field_of_bare_crs_costs_no_more_than_its_length() {
        let field = b"\r".repeat(1 << 20);
        assert_eq!(cut(&field), None);
        let field = b"\rX".repeat(1 << 19);
        assert_eq!(cut(&field), None);
    }
}
