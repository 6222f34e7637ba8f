//! One run of a program: its words, its standard input, what has to come out; and how long it takes from the spawn to
//! the end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

/// What a program has to put out.
#[derive(Debug, Clone)]
pub enum Expect {
    /// The mail, with otab's three fields for this customer on top.
    Customer(String),
    /// The mail's body unchanged, and this field's line in its header block, in any case.
    Field(&'static str),
    /// This text somewhere.
    Text(String),
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

impl Call {
    /// These words, the first of which is the program, with that file as standard input.
    pub fn new<W: Into<OsString>>(words: impl IntoIterator<Item = W>, stdin: &Path, expect: Expect) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), stdin: stdin.to_owned(), expect }
    }

    /// The same behind other words: `strace -o FILE` and the like.
    #[must_use]
    pub fn behind<W: Into<OsString>>(&self, words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(Into::into).chain(self.words.iter().cloned()).collect();
        Self { words, ..self.clone() }
    }

    /// The program with the environment that all have: a child by `posix_spawn`, whoever calls.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env_clear();
        command.envs([("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", "/nonexistent"), ("LC_ALL", "C")]);
        command
    }

    /// Seconds from the spawn to the end, with `/dev/null` as standard output. Another status than 0 is an error.
    pub fn time(&self) -> Result<f64> {
        let mut command = self.command();
        command.stdin(self.open()?).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| self.name())?;
        let status = child.wait()?;
        let seconds = start.elapsed().as_secs_f64();
        ensure!(status.success(), "{}: {status}", self.name());
        Ok(seconds)
    }

    /// Runs it once and holds what comes out against what is expected: what it wrote.
    pub fn check(&self) -> Result<Vec<u8>> {
        let output = self.command().stdin(self.open()?).output().with_context(|| self.name())?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {}: {said}", self.name(), output.status);
        self.holds(&output.stdout).with_context(|| format!("{}: {said}", self.name()))?;
        Ok(output.stdout)
    }

    /// Whether this came out that had to.
    pub fn holds(&self, out: &[u8]) -> Result<()> {
        match &self.expect {
            Expect::Anything => Ok(()),
            Expect::Text(text) => {
                ensure!(memchr::memmem::find(out, text.as_bytes()).is_some(), "{text} did not come out");
                Ok(())
            }
            Expect::Customer(login) => {
                let fields = ["CustomerUser", "CustomerNo", "Customer"];
                let top = fields.map(|name| format!("X-OTOBO-{name}: {login}\n")).concat();
                let Some(rest) = out.strip_prefix(top.as_bytes()) else { bail!("{login} is not on top") };
                ensure!(rest == fs::read(&self.stdin)?, "the mail came out changed");
                Ok(())
            }
            Expect::Field(field) => {
                let mail = fs::read(&self.stdin)?;
                let (_, body) = halves(&mail)?;
                let (head, rest) = halves(out)?;
                let is_there = head.lines().any(|line| line.eq_ignore_ascii_case(field));
                ensure!(is_there, "the field did not come out");
                ensure!(rest.starts_with(body), "the body came out changed");
                Ok(())
            }
        }
    }

    /// Seconds for `cat MAIL | PROGRAM | cat > out`, with the pipes as the system makes them.
    pub fn time_in_pipes(&self, out: &Path) -> Result<f64> {
        let mut writer = Command::new("/bin/cat");
        let mut reader = Command::new("/bin/cat");
        let mut middle = self.command();
        writer.stdin(self.open()?).stdout(Stdio::piped());
        reader.stdout(fs::OpenOptions::new().create(true).write(true).truncate(true).open(out)?);
        let start = Instant::now();
        let mut writer = writer.spawn()?;
        middle.stdin(writer.stdout.take().context("no pipe")?).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut middle_child = middle.spawn().with_context(|| self.name())?;
        // The command keeps its ends open; a reader would wait for them.
        drop(middle);
        let mut reader = reader.stdin(middle_child.stdout.take().context("no pipe")?).spawn()?;
        let all: Vec<bool> =
            [&mut writer, &mut middle_child, &mut reader].into_iter().map(ended).collect::<Result<_>>()?;
        let seconds = start.elapsed().as_secs_f64();
        ensure!(all == [true; 3], "{}: writer, program, reader: {all:?}", self.name());
        Ok(seconds)
    }

    fn open(&self) -> Result<File> {
        File::open(&self.stdin).with_context(|| format!("cannot open {}", self.stdin.display()))
    }

    fn name(&self) -> String {
        self.words.join(" ".as_ref()).to_string_lossy().into_owned()
    }
}

fn ended(child: &mut Child) -> Result<bool> {
    Ok(child.wait()?.success())
}

/// Header block and body.
fn halves(mail: &[u8]) -> Result<(std::borrow::Cow<'_, str>, &[u8])> {
    let at = memchr::memmem::find(mail, b"\n\n").context("no empty line")?;
    Ok((String::from_utf8_lossy(&mail[..at]), &mail[at + 2..]))
}
