//! Protection for a header block that is too large to be held: guarded fields are dropped as the block streams
//! through, and new fields are put on top.
//!
//! Without it a header block without end would fill the memory; refusing it would have the mail server try for
//! days.
//!
//! Dropped is exactly what [`super::edit::cuts`] would cut, and orphans; a test compares the two. The one
//! difference: a name that is still undecided after [`MAX_HELD`] bytes (blanks, controls and 8-bit bytes without
//! end) is dropped, since no more may be held.

use super::breaks::may_be_break;
use super::header::{self, Terminator};
use super::protected::Protected;
use super::scan::Scan;

/// How many undecided bytes are held at most.
pub const MAX_HELD: usize = 4096;

/// Drops guarded fields from a header block that comes in pieces.
pub struct StreamFilter<'g> {
    protected: &'g Protected,
    new_fields: Vec<u8>,
    /// What becomes of continuation lines at the top: under new fields they may not stay.
    orphans: Fate,
    state: State,
    scan: Scan,
    /// Offset, in the present field, of the first byte in `held`.
    held_from: usize,
    held: Vec<u8>,
    /// Whether no field has begun yet, only orphans.
    is_top: bool,
    place: Place,
    /// Where in the present field that which is dropped begins.
    dropped_from: usize,
    /// Whether a guarded name may be open before the present field, as in [`super::edit::cuts`].
    open: bool,
    dropped: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// In the first line, while it can still be the mbox line.
    Start,
    /// At the start of a line; a continuation belongs to what is passed on or dropped.
    LineStart(Fate),
    /// A CR stands at the start of a line: an empty line, or the start of a junk line.
    LineStartCr(Fate),
    /// Within a line.
    Within(Fate),
    /// The empty line has been seen.
    Over,
}

/// Where the present field stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Under new fields, or below what is nothing but breaks or continues something for some reader
    /// ([`header::Header::continues`]): if it does so, too, it goes.
    Top,
    /// The same, and so far it is nothing but breaks and line ends.
    TopBreaks,
    /// Elsewhere.
    Below,
}

/// What becomes of the present field.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Pass,
    /// Dropped, from the start of one of its lines.
    Drop,
    /// The same, since it may not stay under new fields; it is read on, for what may be open behind it.
    DropOrphan,
    /// Dropped from a break on: the line end of its last line still has to come.
    DropTail(Terminator, bool),
}

impl<'g> StreamFilter<'g> {
    /// A filter that puts `new_fields` (whole lines, or nothing) on top, behind an mbox line.
    #[must_use]
    pub fn new(protected: &'g Protected, new_fields: Vec<u8>) -> Self {
        let scan = Scan::new();
        let orphans = if new_fields.is_empty() { Fate::Pass } else { Fate::Drop };
        let (state, held) = (State::Start, Vec::new());
        let place = if orphans == Fate::Drop { Place::Top } else { Place::Below };
        Self {
            protected,
            new_fields,
            orphans,
            state,
            scan,
            held_from: 0,
            held,
            is_top: true,
            place,
            dropped_from: 0,
            open: false,
            dropped: 0,
        }
    }

    /// How many fields were dropped, in whole or in part.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Takes the next piece and appends what may pass to `out`. Once the empty line has come, returns
    /// how many bytes of the piece belonged to the block; the empty line and the body are the caller's.
    ///
    /// (A CR of an empty CRLF line that ended the piece before is passed on here.)
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        for (at, &byte) in piece.iter().enumerate() {
            self.step(byte, out);
            if self.state == State::Over {
                return Some(at);
            }
        }
        None
    }

    /// The mail ended within the block.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        match self.state {
            State::Start if header::is_envelope(&self.held) => {
                out.append(&mut self.held);
                // New fields need a line of their own.
                if !self.new_fields.is_empty() {
                    out.push(b'\n');
                }
                out.append(&mut self.new_fields);
            }
            State::Start => {
                self.no_envelope(out);
                self.finish(out);
            }
            State::Over => {}
            State::LineStartCr(fate) => {
                self.end_field(fate, out);
                out.push(b'\r');
            }
            State::LineStart(fate) | State::Within(fate) => self.end_field(fate, out),
        }
        self.state = State::Over;
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.state {
            State::Start => self.first(byte, out),
            State::LineStart(fate) => self.line_start(byte, fate, out),
            State::LineStartCr(fate) => {
                self.end_field(fate, out);
                if byte == b'\n' {
                    out.push(b'\r');
                    self.state = State::Over;
                } else {
                    let fate = self.begin_field(b'\r');
                    self.within(b'\r', fate, out);
                    self.step(byte, out);
                }
            }
            State::Within(fate) => self.within(byte, fate, out),
            State::Over => {}
        }
    }

    /// The whole first line tells an mbox line.
    fn first(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.held.push(byte);
        let start = &self.held[..self.held.len().min(5)];
        if !b"From ".starts_with(start) || self.held.len() > header::MAX_ENVELOPE {
            self.no_envelope(out);
        } else if byte == b'\n' && header::is_envelope(&self.held) {
            out.append(&mut self.held);
            out.append(&mut self.new_fields);
            self.state = State::LineStart(self.orphans);
        } else if byte == b'\n' {
            self.no_envelope(out);
        }
    }

    fn no_envelope(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.new_fields);
        self.state = State::LineStart(self.orphans);
        for byte in std::mem::take(&mut self.held) {
            self.step(byte, out);
        }
    }

    fn line_start(&mut self, byte: u8, fate: Fate, out: &mut Vec<u8>) {
        match byte {
            b' ' | b'\t' => self.within(byte, fate, out),
            b'\n' => {
                self.end_field(fate, out);
                self.state = State::Over;
            }
            b'\r' => self.state = State::LineStartCr(fate),
            _ => {
                self.end_field(fate, out);
                let fate = self.begin_field(byte);
                self.within(byte, fate, out);
            }
        }
    }

    fn within(&mut self, byte: u8, fate: Fate, out: &mut Vec<u8>) {
        self.open |= self.is_top;
        let continues = self.place == Place::TopBreaks && matches!(byte, b' ' | b'\t');
        if self.place == Place::TopBreaks && !may_be_break(byte) && byte != b'\n' {
            self.place = if continues { Place::Top } else { Place::Below };
        }
        let fate = match fate {
            Fate::Pass if continues => {
                self.held.clear();
                self.drop_orphan(byte)
            }
            Fate::DropOrphan => self.drop_orphan(byte),
            Fate::Pass => self.pass(byte, out),
            Fate::Drop => Fate::Drop,
            Fate::DropTail(_, after_cr) if byte == b'\n' => {
                Fate::DropTail(if after_cr { Terminator::CrLf } else { Terminator::Lf }, false)
            }
            Fate::DropTail(..) => Fate::DropTail(Terminator::None, byte == b'\r'),
        };
        self.state = if byte == b'\n' { State::LineStart(fate) } else { State::Within(fate) };
    }

    /// A byte of a field that passes so far.
    fn pass(&mut self, byte: u8, out: &mut Vec<u8>) -> Fate {
        if self.scan.is_idle() && !Scan::is_of_interest(byte) {
            self.scan.skip(1);
            self.held_from += 1;
            out.push(byte);
            return Fate::Pass;
        }
        self.held.push(byte);
        if let Some(hit) = self.scan.push(self.protected, byte) {
            return self.drop_from(hit, byte, out);
        }
        let decided = self.scan.undecided_from().map_or(self.held.len(), |from| from - self.held_from);
        out.extend(self.held.drain(..decided));
        self.held_from += decided;
        if self.held.len() > MAX_HELD { self.drop_from(self.held_from, byte, out) } else { Fate::Pass }
    }

    fn drop_from(&mut self, start: usize, byte: u8, out: &mut Vec<u8>) -> Fate {
        self.dropped += 1;
        self.dropped_from = start;
        let kept = start - self.held_from;
        out.extend(self.held.drain(..kept));
        // A name begins at a break, or at the blank of a continuation line.
        let mid_line = start > 0 && !matches!(self.held.first(), Some(b' ' | b'\t'));
        let after_cr = self.held.len() > 1 && self.held[self.held.len() - 2] == b'\r';
        self.held.clear();
        match (mid_line, byte) {
            (false, _) => Fate::Drop,
            (true, b'\n') => Fate::DropTail(if after_cr { Terminator::CrLf } else { Terminator::Lf }, false),
            (true, _) => Fate::DropTail(Terminator::None, byte == b'\r'),
        }
    }

    fn drop_orphan(&mut self, byte: u8) -> Fate {
        match self.scan.push(self.protected, byte) {
            Some(start) => {
                self.dropped_from = start;
                Fate::Drop
            }
            None => Fate::DropOrphan,
        }
    }

    fn begin_field(&mut self, byte: u8) -> Fate {
        self.is_top = false;
        self.place = if self.place != Place::Below && may_be_break(byte) { Place::TopBreaks } else { Place::Below };
        self.scan = Scan::new();
        self.held_from = 0;
        self.dropped_from = 0;
        if self.open && !self.protected.is_empty() && !matches!(byte, 0x21..=0x7e) {
            self.dropped += 1;
            return Fate::Drop;
        }
        Fate::Pass
    }

    fn end_field(&mut self, fate: Fate, out: &mut Vec<u8>) {
        if !self.is_top {
            let is_read = matches!(fate, Fate::Pass | Fate::DropOrphan);
            self.open = match self.scan.finish(self.protected).filter(|_| is_read) {
                Some(start) => self.open || start > 0,
                None if is_read => self.scan.leaves_open(self.open),
                None => self.open || self.dropped_from > 0,
            };
        }
        match fate {
            Fate::Drop | Fate::DropOrphan => {}
            Fate::DropTail(terminator, _) => out.extend_from_slice(terminator.bytes()),
            Fate::Pass => {
                let hit = self.scan.finish(self.protected);
                if let Some(start) = hit {
                    let last = self.held.last().copied().unwrap_or_default();
                    if let Fate::DropTail(terminator, _) = self.drop_from(start, last, out) {
                        out.extend_from_slice(terminator.bytes());
                    }
                }
                out.append(&mut self.held);
            }
        }
    }
}
