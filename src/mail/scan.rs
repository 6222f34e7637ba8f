//! Looks for guarded names in a field byte by byte, wherever some reader could begin one.

use super::breaks::{NEL, is_break};
use super::protected::{Protected, Verdict};

/// A place where some reader could begin a field, and the name that it would have read so far.
#[derive(Clone)]
struct Candidate {
    /// `None` until the first letter of the name: behind a break that only ISO 8859-1 has, all before it may stay.
    start: Option<usize>,
    name: Vec<u8>,
    /// Whether the name has to follow at once and without a gap.
    is_strict: bool,
}

impl Candidate {
    fn at(start: usize) -> Self {
        Self { start: Some(start), name: Vec::new(), is_strict: false }
    }
}

/// Reads one field byte by byte. Holds only names that can still become guarded ones, so its size is
/// bounded by the rules, however long the field is.
///
/// Whether a byte 85 ends a line depends on all of the field ([`super::breaks`]). So from the first one on the field is
/// read twice: as UTF-8, and as ISO 8859-1. What the second reading alone finds is a find once the field turns out to be
/// no valid UTF-8, or to hold a guarded name in the first reading as well. A guarded name that follows a byte 85 at once
/// is a find in any text: a reader may take a whole mail for ISO 8859-1, and no ordinary letter is followed by one.
pub(super) struct Scan {
    plain: Reading,
    latin: Option<Reading>,
    /// What the second reading has found, while the field may still be valid UTF-8.
    suspended: Option<usize>,
    text: Utf8,
}

impl Scan {
    pub(super) fn new() -> Self {
        Self { plain: Reading::new(), latin: None, suspended: None, text: Utf8::default() }
    }

    /// Whether no name is open, and a colon has been seen: then only what [`Scan::is_of_interest`] matters.
    pub(super) fn is_idle(&self) -> bool {
        self.plain.is_idle()
            && self.latin.as_ref().is_none_or(Reading::is_idle)
            && self.suspended.is_none()
            && !self.text.is_within()
    }

    /// Whether an idle scan has to see this byte.
    pub(super) const fn is_of_interest(byte: u8) -> bool {
        is_break(byte) || byte >= 0x80
    }

    /// Says that so many bytes were passed over while idle.
    pub(super) fn skip(&mut self, count: usize) {
        self.plain.position += count;
        if let Some(latin) = &mut self.latin {
            latin.position += count;
        }
    }

    /// The offset from which on bytes may still belong to a guarded name.
    pub(super) fn undecided_from(&self) -> Option<usize> {
        let latin = self.latin.as_ref().and_then(Reading::undecided_from);
        [self.plain.undecided_from(), latin, self.suspended].into_iter().flatten().min()
    }

    /// Takes the next byte; says where a guarded name began, once that is sure.
    pub(super) fn push(&mut self, protected: &Protected, byte: u8) -> Option<usize> {
        self.text.push(byte);
        if byte == NEL && self.latin.is_none() {
            self.latin = Some(Reading { reads_latin: true, ..self.plain.clone() });
        }
        if self.suspended.is_none()
            && let Some(latin) = &mut self.latin
        {
            self.suspended = latin.push(protected, byte);
        }
        let found = self.plain.push(protected, byte);
        if found.is_some() || self.text.is_broken { self.suspended.into_iter().chain(found).min() } else { None }
    }

    /// The field is over: a name without a colon is one for some readers.
    pub(super) fn finish(&self, protected: &Protected) -> Option<usize> {
        let found = self.plain.finish(protected);
        let latin = || self.suspended.or_else(|| self.latin.as_ref().and_then(|latin| latin.finish(protected)));
        if found.is_some() || self.text.is_broken_at_end() { latin().or(found) } else { None }
    }

    /// Whether a guarded name may have begun, and go on behind the field; `before` says so of what is before it.
    pub(super) fn leaves_open(&self, before: bool) -> bool {
        match &self.latin {
            Some(latin) if self.text.is_broken_at_end() => latin.leaves_open(before),
            _ => self.plain.leaves_open(before),
        }
    }
}

/// Whether the bytes so far are valid UTF-8.
#[derive(Default)]
struct Utf8 {
    /// The character that has begun: its bytes so far.
    begun: Vec<u8>,
    is_broken: bool,
}

impl Utf8 {
    fn push(&mut self, byte: u8) {
        if self.is_broken || (byte < 0x80 && self.begun.is_empty()) {
            return;
        }
        self.begun.push(byte);
        match std::str::from_utf8(&self.begun) {
            Ok(_) => self.begun.clear(),
            Err(error) => self.is_broken = error.error_len().is_some(),
        }
    }

    fn is_within(&self) -> bool {
        !self.is_broken && !self.begun.is_empty()
    }

    fn is_broken_at_end(&self) -> bool {
        self.is_broken || self.is_within()
    }
}

/// The beginning of a break that has more than one byte, or that a following byte may make none.
#[derive(Clone, Copy, PartialEq)]
enum Begun {
    /// CR: bare, unless an LF follows.
    Cr,
    /// The first byte of NEL in UTF-8.
    Nel,
    /// The first byte of LINE SEPARATOR and PARAGRAPH SEPARATOR in UTF-8.
    Separator,
    /// The first two.
    SeparatorTwo,
}

/// One reading of a field.
#[derive(Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own about what was read")]
struct Reading {
    candidates: Vec<Candidate>,
    position: usize,
    /// Whether each byte 85 is a break.
    reads_latin: bool,
    /// The break that may have begun, and where.
    begun: Option<(usize, Begun)>,
    line_start: bool,
    colon_seen: bool,
    /// Whether a printable character has been read.
    printed: bool,
}

impl Reading {
    fn new() -> Self {
        Self {
            candidates: vec![Candidate::at(0)],
            position: 0,
            reads_latin: false,
            begun: None,
            line_start: false,
            colon_seen: false,
            printed: false,
        }
    }

    fn is_idle(&self) -> bool {
        self.candidates.is_empty() && self.begun.is_none() && self.colon_seen
    }

    fn undecided_from(&self) -> Option<usize> {
        let open = self.candidates.iter().filter_map(|candidate| candidate.start);
        open.chain(self.begun.map(|(start, _)| start)).min()
    }

    fn push(&mut self, protected: &Protected, byte: u8) -> Option<usize> {
        let here = self.position;
        self.position += 1;
        let begun = self.begun.take();
        if let Some((start, Begun::Cr)) = begun
            && byte != b'\n'
            && let Some(hit) = self.end_line(protected, start)
        {
            return Some(hit);
        }
        if std::mem::take(&mut self.line_start) && !self.colon_seen {
            // A continuation of a line without colon: a reader that knows no junk lines begins here.
            self.open(here);
        }
        self.printed |= matches!(byte, 0x21..=0x7e);
        self.candidates.retain(|candidate| !candidate.is_strict || matches!(byte, 0x21..=0x7e));
        match (byte, begun) {
            (b'\r', _) => self.begun = Some((here, Begun::Cr)),
            (NEL, Some((start, Begun::Nel))) | (0xa8 | 0xa9, Some((start, Begun::SeparatorTwo))) => {
                return self.end_line(protected, start);
            }
            (0x80, Some((start, Begun::Separator))) => self.begun = Some((start, Begun::SeparatorTwo)),
            (0xc2, _) => self.begun = Some((here, Begun::Nel)),
            (0xe2, _) => self.begun = Some((here, Begun::Separator)),
            (NEL, _) if self.reads_latin => {
                let hit = self.complete(protected);
                // Text of many such letters is not held back: what is before the name may stay.
                self.begin(Candidate { start: None, ..Candidate::at(here) });
                self.colon_seen = false;
                return hit;
            }
            (NEL, _) => self.candidates.push(Candidate { is_strict: true, ..Candidate::at(here) }),
            _ if is_break(byte) => return self.end_line(protected, here),
            (b'\n', _) => {
                self.line_start = true;
                return self.complete(protected);
            }
            (b':', _) => {
                self.colon_seen = true;
                let hit = self.complete(protected);
                self.candidates.clear();
                return hit;
            }
            (0x21..=0x7e, _) => return self.extend(protected, byte.to_ascii_uppercase()),
            _ => {}
        }
        None
    }

    /// A line ends at the break at `start`, for some: the name before it is over, and a new one begins.
    fn end_line(&mut self, protected: &Protected, start: usize) -> Option<usize> {
        let hit = self.complete(protected);
        self.open(start);
        // So that its line, which need not have a colon, can be continued by another name.
        self.colon_seen = false;
        hit
    }

    fn finish(&self, protected: &Protected) -> Option<usize> {
        self.complete(protected)
    }

    fn leaves_open(&self, before: bool) -> bool {
        if self.printed { self.candidates.iter().any(|candidate| !candidate.name.is_empty()) } else { before }
    }

    fn complete(&self, protected: &Protected) -> Option<usize> {
        self.candidates.iter().filter(|c| protected.is_name(&c.name)).filter_map(|c| c.start).min()
    }

    fn open(&mut self, start: usize) {
        self.begin(Candidate::at(start));
    }

    fn begin(&mut self, candidate: Candidate) {
        // One that has read nothing yet would read the same from here on, and begins earlier.
        if self.candidates.iter().all(|c| c.is_strict || !c.name.is_empty()) {
            self.candidates.push(candidate);
        }
    }

    fn extend(&mut self, protected: &Protected, letter: u8) -> Option<usize> {
        let (mut hit, here) = (None, self.position - 1);
        self.candidates.retain_mut(|candidate| {
            let start = *candidate.start.get_or_insert(here);
            candidate.name.push(letter);
            match protected.judge(&candidate.name) {
                Verdict::Open => true,
                Verdict::Miss => false,
                Verdict::Hit => {
                    hit = Some(hit.map_or(start, |h: usize| h.min(start)));
                    false
                }
            }
        });
        hit
    }
}
