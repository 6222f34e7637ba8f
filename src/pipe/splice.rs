//! Moves the rest of a mail from descriptor to descriptor within the kernel, where one of them is a pipe.
//!
//! Linux's splice(2): the bytes are never copied into this process. It judges no failure: whatever it cannot do
//! is left for plain reading and writing, which finds out which side is to blame.

use std::fs::File;

use rustix::io::Errno;
use rustix::pipe::{SpliceFlags, fcntl_setpipe_size, splice};

/// Bytes asked for at a time, and the room that pipes are given once a mail turns out to be long: as much as
/// Linux gives to everybody (`/proc/sys/fs/pipe-max-size`).
const ROOM: usize = 1 << 20;
/// What a pipe holds by default; a mail of which so much came at once is long.
const LONG: usize = 64 * 1024;

/// Moves what it can and calls `progress` after each piece. True: up to the end of the input. False: the rest,
/// from where this stopped, has to be read and written.
pub fn rest(input: &File, output: &File, mut progress: impl FnMut()) -> bool {
    let mut has_room = false;
    loop {
        match splice(input, None, output, None, ROOM, SpliceFlags::MOVE) {
            Ok(0) => return true,
            Ok(count) => {
                progress();
                if count >= LONG && !has_room {
                    // Not allowed, or no pipe: then it goes on as it is.
                    let _ = (fcntl_setpipe_size(input, ROOM), fcntl_setpipe_size(output, ROOM));
                    has_room = true;
                }
            }
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    use super::*;

    /// A megabyte and a bit in which no two places look alike.
    fn bytes() -> Vec<u8> {
        (0..300_000u32).flat_map(u32::to_be_bytes).collect()
    }

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.rewind().unwrap();
        file
    }

    fn into_pipe(input: &File) -> (bool, Vec<u8>) {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let (mut reader, writer) = (File::from(reader), File::from(writer));
        std::thread::scope(|scope| {
            let read = scope.spawn(move || {
                let mut all = Vec::new();
                reader.read_to_end(&mut all).map(|_| all).unwrap()
            });
            let is_whole = rest(input, &writer, || ());
            drop(writer);
            (is_whole, read.join().unwrap())
        })
    }

    #[test]
    fn files_and_pipes_go_into_pipes_whole() {
        assert_eq!(into_pipe(&file(&bytes())), (true, bytes()));
        assert_eq!(into_pipe(&file(b"")), (true, Vec::new()));
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let written = std::thread::spawn(move || File::from(writer).write_all(&bytes()).unwrap());
        assert_eq!(into_pipe(&File::from(reader)), (true, bytes()));
        written.join().unwrap();
    }

    #[test]
    fn a_file_is_gone_on_with_from_where_it_was_read_to() {
        let mut input = file(b"headerbody");
        input.read_exact(&mut [0; 6]).unwrap();
        assert_eq!(into_pipe(&input), (true, b"body".to_vec()));
    }

    #[test]
    fn what_no_side_can_is_left_to_others() {
        let (input, output) = (file(b"mail"), file(b""));
        assert!(!rest(&input, &output, || ()));
        assert_eq!(std::io::read_to_string(&input).unwrap(), "mail");
        assert_eq!(output.metadata().unwrap().len(), 0);
    }

    #[test]
    fn a_reader_that_is_gone_leaves_its_failure() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        drop(reader);
        assert!(!rest(&file(b"mail"), &File::from(writer), || ()));
    }
}
