//! Runs a program with a mail on its standard input: with a time limit and an ear for what it says, or
//! in otab's own place. And one that is no mail server's, with a limit for all that it starts.
//!
//! No shell is involved.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, getrlimit, kill_process_group, pidfd_open, pidfd_send_signal, setrlimit,
};
use signal_hook::consts::SIGCHLD;

/// How much of a program's output is kept, in bytes.
const KEPT: u64 = 1500;
/// How long a command that was told to end may take before it is killed.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long the rest of the output is waited for, once the command has ended: what it started in the
/// background may hold the pipe open for ever.
const REST: Duration = Duration::from_millis(200);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Status(u8),
    /// By a signal of somebody else's.
    Signal(i32),
    /// By otab's, since the limit had passed.
    TimedOut,
    /// It was started, and cannot be waited for: it may have done all that it was to do. With the system's error.
    Unknown(Option<i32>),
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "it ended with status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal} ended it"),
            Self::TimedOut => f.write_str("its time limit has passed"),
            Self::Unknown(error) => {
                let error = error.map(|code| format!(": {}", std::io::Error::from_raw_os_error(code)));
                write!(f, "it was started, and how it ended is unknown{}", error.unwrap_or_default())
            }
        }
    }
}

/// What became of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// The start of what it said, at most 1500 bytes, trimmed; for the log alone.
    pub said: String,
}

/// Lets this process wait for the programs that it starts, whatever its parent has left it with.
///
/// Where a parent ignores SIGCHLD, so do its children, and the system forgets how theirs end: a mail that was taken
/// would be deferred, and delivered again, for ever. A handler that does nothing ends that, and what is started by
/// this process has the signal's default again (execve(2)).
pub fn wait_for_children() -> std::io::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    // proc(5): a mask of the ignored signals, in hex; signal 1 is its lowest bit. Where it cannot be read, they may be.
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    if ignored.is_some_and(|mask| mask >> (SIGCHLD - 1) & 1 == 0) {
        return Ok(());
    }
    signal_hook::flag::register(SIGCHLD, Arc::default()).map(drop)
}

/// Lets this process leave no core file: it holds secrets. What it starts inherits that, and may raise the limit again.
pub fn leave_no_core() -> std::io::Result<()> {
    let limit = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    Ok(setrlimit(Resource::Core, limit)?)
}

/// A command that does not inherit the variables named in `without`: secrets of otab's are no business of others.
fn prepared(command: &[OsString], without: &[String]) -> std::io::Result<Command> {
    let (program, arguments) = command.split_first().ok_or_else(|| std::io::Error::other("no command is given"))?;
    let mut prepared = Command::new(program);
    prepared.args(arguments);
    for name in without {
        prepared.env_remove(name);
    }
    Ok(prepared)
}

/// Runs a command, without the variables of these names, and waits for its end, at most `limit` (then TERM, then KILL).
/// Fails only where it cannot be started.
pub fn run(command: &[OsString], without: &[String], mail: File, limit: Duration) -> std::io::Result<Finished> {
    let (reader, writer) = std::io::pipe()?;
    let mut stage = prepared(command, without)?;
    stage.stdin(mail).stdout(writer.try_clone()?).stderr(writer);
    let mut child = stage.spawn()?;
    // The command's ends of the pipe and of the file live in `stage`; ours have to go.
    drop(stage);
    let said = collect(reader);
    let ended = end_of(&mut child, limit, Whom::Itself);
    let said = said.recv_timeout(REST).unwrap_or_default().trim().to_owned();
    Ok(Finished { ended, said })
}

/// Runs a command, without the variables of these names, as the leader of a process group of its own, which ends with it where the limit passes: `limit`,
/// then TERM, then KILL. Only what it says on standard error is kept. Fails as [`run`] does.
pub fn run_apart(command: &[OsString], without: &[String], input: File, limit: Duration) -> std::io::Result<Finished> {
    let (reader, writer) = std::io::pipe()?;
    let mut stage = prepared(command, without)?;
    stage.stdin(input).stdout(Stdio::null()).stderr(writer).process_group(0);
    let mut child = stage.spawn()?;
    drop(stage);
    let said = collect(reader);
    let ended = end_of(&mut child, limit, Whom::Group);
    let said = said.recv_timeout(REST).unwrap_or_default().trim().to_owned();
    Ok(Finished { ended, said })
}

/// Runs a command, without the variables of these names, in otab's own place: what it says goes where otab's own output goes, and it may take
/// as long as it likes. Fails where it cannot be started.
pub fn stand_aside(command: &[OsString], without: &[String], mail: File) -> std::io::Result<Ended> {
    let mut child = prepared(command, without)?.stdin(mail).spawn()?;
    Ok(child.wait().map_or_else(|error| Ended::Unknown(error.raw_os_error()), by_itself))
}

/// How a command ended that nobody was to end.
fn by_itself(status: ExitStatus) -> Ended {
    match status.code() {
        Some(code) => Ended::Status(u8::try_from(code).unwrap_or(u8::MAX)),
        None => Ended::Signal(status.signal().unwrap_or_default()),
    }
}

/// Reads all that the command says, keeps the start, and hands it over at the end.
fn collect(mut reader: std::io::PipeReader) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    // Without a thread nothing is kept; a command that says much then gets a closed pipe.
    let _ = std::thread::Builder::new().spawn(move || {
        let mut kept = Vec::new();
        let _ = reader.by_ref().take(KEPT).read_to_end(&mut kept);
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
        let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
    });
    receiver
}

/// How a command that runs ends. That it cannot be watched does not undo what it does.
fn end_of(child: &mut Child, limit: Duration, whom: Whom) -> Ended {
    wait(child, limit, whom).unwrap_or_else(|error| Ended::Unknown(error.raw_os_error()))
}

/// Waits by a file descriptor of the process, which no other process can take over, as a number can.
fn wait(child: &mut Child, limit: Duration, whom: Whom) -> std::io::Result<Ended> {
    let pid =
        i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| std::io::Error::other("no process"))?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let in_time = ends_within(&process, limit)?;
    if !in_time {
        end(&process, pid, whom, Signal::TERM);
        let is_gone = ends_within(&process, GRACE)?;
        // What the leader has started may stay when it goes.
        if !is_gone || matches!(whom, Whom::Group) {
            end(&process, pid, whom, Signal::KILL);
        }
    }
    let status = child.wait()?;
    Ok(if in_time { by_itself(status) } else { Ended::TimedOut })
}

/// Who is ended when the limit has passed.
#[derive(Clone, Copy)]
enum Whom {
    Itself,
    /// All of its process group: its number is nobody else's as long as the leader has not been waited for.
    Group,
}

fn end(process: &OwnedFd, pid: Pid, whom: Whom, signal: Signal) {
    let _ = match whom {
        Whom::Itself => pidfd_send_signal(process, signal),
        Whom::Group => kill_process_group(pid, signal),
    };
}

fn ends_within(process: &OwnedFd, limit: Duration) -> std::io::Result<bool> {
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_cannot_be_waited_for_is_unknown() {
        let mut child = Command::new("true").spawn().unwrap();
        // Somebody else has waited for it, as the system does where SIGCHLD is ignored.
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        rustix::process::waitpid(pid, rustix::process::WaitOptions::empty()).unwrap();
        let ended = end_of(&mut child, Duration::from_mins(1), Whom::Itself);
        assert!(matches!(ended, Ended::Unknown(Some(_))), "{ended:?}");
        let told = ended.to_string();
        assert!(told.starts_with("it was started, and how it ended is unknown: "), "{told}");
    }
}
