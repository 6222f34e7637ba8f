//! One run of a program: its words, its standard input, what has to come out; and how long it takes from the spawn to
//! the end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Result;

/// What a program has to put out.
#[derive(Debug, Clone)]
pub enum Expect {
    /// The mail, with otab's three fields for this customer on top.
    Customer(String),
    /// The mail's body unchanged, and this field's line in its header block, in any case.
    Field(&'static str),
    /// Whatever it likes.
    Anything,
}

/// A run of a program.
#[derive(Debug, Clone)]
pub struct Call {
    words: Vec<OsString>,
    stdin: PathBuf,
    expect: Expect,
}

/// How a mail filter ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With 0: the mail went on.
    Passed,
    /// With 75: the mail server tries again.
    Deferred,
    /// Otherwise.
    Failed,
}

impl Call {
    /// These words, the first of which is the program, with that file as standard input.
    pub fn new<W: Into<OsString>>(words: impl IntoIterator<Item = W>, stdin: &Path, expect: Expect) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), stdin: stdin.to_owned(), expect }
    }

    /// The same behind other words.
    pub fn behind<W: Into<OsString>>(&self, words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(Into::into).chain(self.words.iter().cloned()).collect();
        Self { words, ..self.clone() }
    }

    /// The program with the environment that all have: a child by `posix_spawn`, whoever calls.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env_clear();
        command.envs([("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", "/nonexistent"), ("LC_ALL", "C")]);
        command
    }

    /// Seconds from the spawn to the end, with `/dev/null` as standard output, and how it ended.
    pub fn end(&self) -> Result<(f64, End)> {
        let mut command = self.command();
        command.stdin(File::open(&self.stdin)?).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.spawn()?.wait()?;
        let end = match status.code() {
            Some(0) => End::Passed,
            Some(75) => End::Deferred,
            _ => End::Failed,
        };
        Ok((start.elapsed().as_secs_f64(), end))
    }

    /// The seconds; another status than 0 is an error.
    pub fn time(&self) -> Result<f64> {
        match self.end()? {
            (seconds, End::Passed) => Ok(seconds),
            (_, end) => Err(format!("{}: {end:?}", self.name()).into()),
        }
    }

    /// Runs it once and holds what comes out against what is expected.
    pub fn check(&self) -> Result<()> {
        let output = self.command().stdin(File::open(&self.stdin)?).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() && self.holds(&output.stdout)? {
            return Ok(());
        }
        Err(format!("{}: {}, or what came out is not what had to: {said}", self.name(), output.status).into())
    }

    /// Whether this came out that had to.
    pub fn holds(&self, out: &[u8]) -> Result<bool> {
        let mail = fs::read(&self.stdin)?;
        Ok(match &self.expect {
            Expect::Anything => true,
            Expect::Customer(login) => {
                let fields = ["CustomerUser", "CustomerNo", "Customer"];
                let top = fields.map(|name| format!("X-OTOBO-{name}: {login}\n")).concat();
                out.strip_prefix(top.as_bytes()) == Some(&mail)
            }
            Expect::Field(field) => {
                let (Some((_, body)), Some((head, rest))) = (halves(&mail), halves(out)) else { return Ok(false) };
                head.lines().any(|line| line.eq_ignore_ascii_case(field)) && rest.starts_with(body)
            }
        })
    }

    /// Seconds for `cat MAIL | PROGRAM | cat > out`.
    pub fn time_in_pipes(&self, out: &Path) -> Result<f64> {
        let out = fs::OpenOptions::new().create(true).write(true).truncate(true).open(out)?;
        let start = Instant::now();
        let mut writer = Command::new("/bin/cat").stdin(File::open(&self.stdin)?).stdout(Stdio::piped()).spawn()?;
        let input = writer.stdout.take().ok_or("no pipe")?;
        let mut middle = self.command().stdin(input).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let input = middle.stdout.take().ok_or("no pipe")?;
        let mut reader = Command::new("/bin/cat").stdin(input).stdout(out).spawn()?;
        let mut whole = true;
        for child in [&mut writer, &mut middle, &mut reader] {
            whole &= child.wait()?.success();
        }
        if whole { Ok(start.elapsed().as_secs_f64()) } else { Err(format!("{} failed in pipes", self.name()).into()) }
    }

    fn name(&self) -> String {
        self.words.join(" ".as_ref()).to_string_lossy().into_owned()
    }
}

/// Header block and body.
fn halves(mail: &[u8]) -> Option<(String, &[u8])> {
    let at = mail.windows(2).position(|two| two == b"\n\n")?;
    Some((String::from_utf8_lossy(&mail[..at]).into_owned(), &mail[at + 2..]))
}
