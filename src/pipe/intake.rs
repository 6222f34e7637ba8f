//! Reads a mail's header block from standard input, and nothing more than needs to be held.

use std::fs::File;

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use crate::mail::header::EndFinder;

/// Bytes read at a time.
pub const CHUNK: usize = 32 * 1024;

/// What was read so far.
#[derive(Debug)]
pub enum Intake {
    /// Not one byte.
    Empty,
    /// The whole header block, and what came with it of the rest.
    Block {
        /// The header block, without the empty line.
        header: Vec<u8>,
        /// The empty line and the start of the body.
        rest: Vec<u8>,
    },
    /// The header block has more bytes than the limit; these were read.
    TooLarge(Vec<u8>),
}

/// Reads up to the end of the header block, at most a chunk more than `max_bytes`.
pub fn read(input: &File, max_bytes: usize) -> std::io::Result<Intake> {
    let mut buffer = Vec::new();
    let mut finder = EndFinder::default();
    loop {
        if buffer.len() == buffer.capacity() {
            // Eight times as much as there is: a long header block is moved few times, and room that stays empty takes
            // no memory.
            let more = buffer.len().saturating_mul(7).min(max_bytes.saturating_sub(buffer.len()));
            buffer.reserve_exact(more.max(CHUNK));
        }
        let count = more(input, &mut buffer)?;
        let end = if count == 0 { Some(EndFinder::finish(&buffer)) } else { finder.find(&buffer) };
        match end {
            _ if buffer.is_empty() => return Ok(Intake::Empty),
            Some(end) if end <= max_bytes => {
                // The larger part stays where it is.
                let (header, rest) = if end > buffer.len() / 2 {
                    let rest = buffer.split_off(end);
                    (buffer, rest)
                } else {
                    let header = buffer[..end].to_vec();
                    buffer.drain(..end);
                    (header, buffer)
                };
                return Ok(Intake::Block { header, rest });
            }
            None if buffer.len() <= max_bytes => {}
            _ => return Ok(Intake::TooLarge(buffer)),
        }
    }
}

/// Reads once, into the room that `buffer` has beyond its end; how many bytes came, 0 at the end of the input.
pub fn more(input: &File, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    loop {
        match rustix::io::read(input, spare_capacity(buffer)) {
            Err(Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn input(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn the_block_is_told_from_the_rest() {
        let Intake::Block { header, rest } = read(&input(b"A: b\n\nbody"), 100).unwrap() else { panic!() };
        assert_eq!((header.as_slice(), rest.as_slice()), (&b"A: b\n"[..], &b"\nbody"[..]));
    }

    #[test]
    fn a_block_over_the_limit_is_not_read_on() {
        let mail = b"A: b\n".repeat(100_000);
        for max in [4096, CHUNK, 100_000, 300_000] {
            let Intake::TooLarge(read_so_far) = read(&input(&mail), max).unwrap() else { panic!() };
            assert!((max + 1..=max + CHUNK).contains(&read_so_far.len()), "{max}: {}", read_so_far.len());
        }
        assert!(matches!(read(&input(&mail[..4095]), 4096), Ok(Intake::Block { .. })));
    }

    #[test]
    fn nothing_is_empty() {
        assert!(matches!(read(&input(b""), 4096), Ok(Intake::Empty)));
    }
}
