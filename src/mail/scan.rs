//! Looks for guarded names in a field byte by byte, wherever some reader could begin one.

use super::guard::{Guard, Verdict};
use super::header::is_break;

/// A place where some reader could begin a field, and the name that it would have read so far.
struct Candidate {
    start: usize,
    name: Vec<u8>,
}

/// Reads one field byte by byte. Holds only names that can still become guarded ones, so its size is
/// bounded by the guard's rules, however long the field is.
pub(super) struct Scan {
    candidates: Vec<Candidate>,
    position: usize,
    /// Where the last byte was a CR: bare, unless an LF follows.
    carriage_return: Option<usize>,
    line_start: bool,
    colon_seen: bool,
    /// Whether a printable character has been read.
    printed: bool,
}

impl Scan {
    pub(super) fn new() -> Self {
        Self {
            candidates: vec![Candidate { start: 0, name: Vec::new() }],
            position: 0,
            carriage_return: None,
            line_start: false,
            colon_seen: false,
            printed: false,
        }
    }

    /// Whether no name is open, and a colon has been seen: then only a break matters.
    pub(super) fn is_idle(&self) -> bool {
        self.candidates.is_empty() && self.carriage_return.is_none() && self.colon_seen
    }

    /// Tells of bytes that were passed over while idle.
    pub(super) fn skip(&mut self, count: usize) {
        self.position += count;
    }

    /// The offset from which on bytes may still belong to a guarded name.
    pub(super) fn undecided_from(&self) -> Option<usize> {
        let open = self.candidates.iter().map(|c| c.start);
        open.chain(self.carriage_return).min()
    }

    /// Takes the next byte; tells where a guarded name began, once that is sure.
    pub(super) fn push(&mut self, guard: &Guard, byte: u8) -> Option<usize> {
        let here = self.position;
        self.position += 1;
        if let Some(cr) = self.carriage_return.take()
            && byte != b'\n'
        {
            // Bare: for a reader that ends lines there, the name before it is over and a new one begins.
            if let Some(hit) = self.complete(guard) {
                return Some(hit);
            }
            self.open(cr);
            // So that its line, which need not have a colon, can be continued by another name.
            self.colon_seen = false;
        }
        if std::mem::take(&mut self.line_start) && !self.colon_seen {
            // A continuation of a line without colon: a reader that knows no junk lines begins here.
            self.open(here);
        }
        self.printed |= matches!(byte, 0x21..=0x7e);
        match byte {
            b'\r' => self.carriage_return = Some(here),
            _ if is_break(byte) => {
                let hit = self.complete(guard);
                self.open(here);
                self.colon_seen = false;
                return hit;
            }
            b'\n' => {
                self.line_start = true;
                return self.complete(guard);
            }
            b':' => {
                self.colon_seen = true;
                let hit = self.complete(guard);
                self.candidates.clear();
                return hit;
            }
            0x21..=0x7e => return self.extend(guard, byte.to_ascii_uppercase()),
            _ => {}
        }
        None
    }

    /// The field is over: a name without a colon is one for some readers.
    pub(super) fn finish(&self, guard: &Guard) -> Option<usize> {
        self.complete(guard)
    }

    /// Whether a guarded name may have begun, and go on behind the field; `before` says so of what stands before it.
    pub(super) fn leaves_open(&self, before: bool) -> bool {
        if self.printed { self.candidates.iter().any(|candidate| !candidate.name.is_empty()) } else { before }
    }

    fn complete(&self, guard: &Guard) -> Option<usize> {
        self.candidates.iter().filter(|c| guard.is_name(&c.name)).map(|c| c.start).min()
    }

    fn open(&mut self, start: usize) {
        // One that has read nothing yet would read the same from here on, and begins earlier.
        if self.candidates.iter().all(|c| !c.name.is_empty()) {
            self.candidates.push(Candidate { start, name: Vec::new() });
        }
    }

    fn extend(&mut self, guard: &Guard, letter: u8) -> Option<usize> {
        let mut hit = None;
        self.candidates.retain_mut(|candidate| {
            candidate.name.push(letter);
            match guard.judge(&candidate.name) {
                Verdict::Open => true,
                Verdict::Miss => false,
                Verdict::Hit => {
                    hit = Some(hit.map_or(candidate.start, |h: usize| h.min(candidate.start)));
                    false
                }
            }
        });
        hit
    }
}
