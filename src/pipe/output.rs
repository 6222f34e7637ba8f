//! Writes the mail: the header block at once, then the rest as it comes, in constant memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use rustix::fs::OFlags;

use super::deadline::Deadline;
use super::intake::{self, CHUNK};
use super::splice;
use crate::mail::Protected;
use crate::mail::stream_filter::StreamFilter;

/// Up to so many bytes are written together.
const SHORT: usize = 16 * 1024;

/// Standard output as a plain file: without the line buffering that Rust puts on it.
///
/// Fails where it is closed. Rust's runtime opens `/dev/null` for reading and writing in the place of
/// a standard stream that is closed, and the mail would vanish there with status 0. A shell's
/// `> /dev/null`, of somebody who wants just that, is open for writing only.
pub fn standard_output() -> std::io::Result<File> {
    let output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    let mode = rustix::fs::fcntl_getfl(&output)?.intersection(OFlags::RWMODE);
    let null = std::fs::metadata("/dev/null")?.rdev();
    if mode == OFlags::RDWR && output.metadata()?.rdev() == null {
        return Err(std::io::Error::other("standard output is closed"));
    }
    Ok(output)
}

/// Standard input as a plain file.
pub fn standard_input() -> std::io::Result<File> {
    Ok(File::from(std::io::stdin().as_fd().try_clone_to_owned()?))
}

/// Writes all of these. Short ones go out together, and no second copy of a long one is held.
pub fn write(output: &mut impl Write, pieces: &[&[u8]]) -> std::io::Result<()> {
    let mut buffered = BufWriter::with_capacity(SHORT, output);
    let written = pieces.iter().try_for_each(|piece| buffered.write_all(piece));
    let written = written.and_then(|()| buffered.flush());
    // Dropped, it would try once more what could not be written.
    drop(buffered.into_parts());
    written
}

/// Copies what is left of the mail. Every piece that went on counts as progress.
pub fn copy(input: &File, output: &mut File, deadline: &Deadline) -> Result<(), CopyError> {
    if splice::rest(input, output, || deadline.progress()) {
        return Ok(());
    }
    pieces(input, |piece| {
        output.write_all(piece)?;
        deadline.progress();
        Ok(())
    })
}

/// Copies a mail whose header block is too large to be held: guarded fields are dropped on the way.
/// `read` are the bytes that were read already. Returns how many fields were dropped.
pub fn strain(
    read: &[u8],
    input: &File,
    output: &mut impl Write,
    protected: &Protected,
    new_fields: Vec<u8>,
    deadline: &Deadline,
) -> Result<usize, CopyError> {
    let mut stream_filter = StreamFilter::new(protected, new_fields);
    let mut in_body = false;
    let mut passed = Vec::with_capacity(CHUNK);
    let mut piece_by_piece = |piece: &[u8]| -> std::io::Result<()> {
        if in_body {
            output.write_all(piece)?;
        } else {
            let used = stream_filter.push(piece, &mut passed);
            output.write_all(&passed)?;
            passed.clear();
            if let Some(used) = used {
                in_body = true;
                output.write_all(&piece[used..])?;
            }
        }
        deadline.progress();
        Ok(())
    };
    for piece in read.chunks(CHUNK) {
        piece_by_piece(piece).map_err(CopyError::Write)?;
    }
    pieces(input, piece_by_piece)?;
    if !in_body {
        stream_filter.finish(&mut passed);
        output.write_all(&passed).map_err(CopyError::Write)?;
    }
    Ok(stream_filter.dropped())
}

/// Which side failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Standard input.
    #[error("reading the mail: {0}")]
    Read(std::io::Error),
    /// Standard output.
    #[error("writing the mail: {0}")]
    Write(std::io::Error),
}

fn pieces(input: &File, mut each: impl FnMut(&[u8]) -> std::io::Result<()>) -> Result<(), CopyError> {
    let mut chunk = Vec::with_capacity(CHUNK);
    while intake::more(input, &mut chunk).map_err(CopyError::Read)? > 0 {
        each(&chunk).map_err(CopyError::Write)?;
        chunk.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes whole pieces, but the first few writes fail.
    struct Failing {
        fails: usize,
        taken: Vec<Vec<u8>>,
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if let Some(left) = self.fails.checked_sub(1) {
                self.fails = left;
                return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
            }
            self.taken.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn short_pieces_are_joined_and_long_ones_are_not() {
        let long = vec![b'x'; SHORT];
        let mut output = Failing { fails: 0, taken: Vec::new() };
        write(&mut output, &[b"a", b"", b"bc", &long, b"d"]).unwrap();
        assert_eq!(output.taken, [b"abc".to_vec(), long, b"d".to_vec()]);
    }

    #[test]
    fn after_a_write_that_failed_nothing_more_is_written() {
        let mut output = Failing { fails: 1, taken: Vec::new() };
        let error = write(&mut output, &[b"a", b"b"]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(output.taken, Vec::<Vec<u8>>::new());
    }
}
