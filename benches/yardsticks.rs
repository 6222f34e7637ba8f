//! The other programs, each of which sets one field of a mail from standard input to standard output.

use std::path::Path;

use anyhow::Result;

use crate::bench::Bench;
use crate::call::{Call, Expect};

/// The field that they set, by its line.
const FIELD: &str = "X-OTOBO-CustomerUser: x";

const PERL: &str = "my $m = Mail::Internet->new(\\*STDIN); $m->head->replace('X-OTOBO-CustomerUser', 'x'); \
                    $m->print(\\*STDOUT)";

const PYTHON: &str = "
import email, sys
from email.generator import BytesGenerator
mail = email.message_from_binary_file(sys.stdin.buffer)
del mail['X-OTOBO-CustomerUser']
mail['X-OTOBO-CustomerUser'] = 'x'
BytesGenerator(sys.stdout.buffer, mangle_from_=False).flatten(mail)
";

fn edits(words: &[&str], mail: &Path) -> Call {
    Call::new(words, mail, Expect::Field(FIELD))
}

/// procmail's formail.
pub fn formail(mail: &Path) -> Call {
    edits(&["/usr/bin/formail", "-f", "-I", FIELD], mail)
}

/// maildrop's reformail.
pub fn reformail(mail: &Path) -> Call {
    edits(&["/usr/bin/reformail", &format!("-I{FIELD}")], mail)
}

/// maildrop with that as an `xfilter`, and cat to deliver to: it has no standard output of its own.
pub fn maildrop(bench: &Bench, mail: &Path) -> Result<Call> {
    let rules = bench.path("maildrop");
    private(&rules, &format!("xfilter \"/usr/bin/reformail -I'{FIELD}'\"\nto \"|/bin/cat\"\n"))?;
    Ok(edits(&["/usr/bin/maildrop", &rules.to_string_lossy()], mail))
}

/// procmail with formail as a filter, and cat to deliver to. It puts its own standard output away, so there is another.
pub fn procmail(bench: &Bench, mail: &Path) -> Result<Call> {
    let rules = bench.path("procmail");
    private(&rules, &format!("SHELL=/bin/sh\n:0fhw\n| /usr/bin/formail -f -I '{FIELD}'\n:0\n| cat >&3\n"))?;
    Ok(edits(&["/bin/sh", "-c", "exec /usr/bin/procmail -m \"$1\" 3>&1", "sh", &rules.to_string_lossy()], mail))
}

/// Perl with `Mail::Internet`, by which OTOBO reads mails.
pub fn perl(mail: &Path) -> Call {
    edits(&["/usr/bin/perl", "-MMail::Internet", "-e", PERL], mail)
}

/// Python with its email package.
pub fn python(mail: &Path) -> Call {
    edits(&["/usr/bin/python3", "-c", PYTHON], mail)
}

/// maildrop and procmail want nobody else to write their rules.
fn private(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text)?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?)
}
