//! Header blocks in which all that readers disagree about is mixed, and what no reader may find behind otab.
//!
//! Grown from any bytes, so that chance and the fuzzer write the same mails: fields, control fields, customer fields and
//! secrets, torn anywhere by form feed, VT, FS, GS, RS, NEL, LS, PS, bare CR, NUL, continuation lines, blanks and 8-bit
//! bytes, with junk lines between them. The body begins with a control field of its own.

use otab::mail::edit;
use otab::mail::header::{EndFinder, Header, Terminator};
use otab::mail::last_look;
use otab::mail::stream_filter::StreamFilter;
use otab::policy::{self, Person, Protect, Rules, Sender, examine, settle};

use crate::{otobo, promises, readers};

/// A field that only the bodies have.
const IN_BODY: &str = "x-otobo-in-the-body";
const BODY: &[u8] = b"X-OTOBO-In-The-Body: a\nX-OTOBO-CustomerUser: carol\n\nthe body\n";

const NAMES: [&[u8]; 24] = [
    b"X-OTOBO-Queue",
    b"X-OTOBO-",
    b"x-otobo-customeruser",
    b"X-OTOBO-CustomerNo",
    b"X-OTOBO-Customer",
    b"X-OTRS-CustomerUser",
    b"X-OTRS-Owner",
    b"X-OTRS-",
    b"X-OTOBO-FollowUp-CustomerUser",
    b"X-OTOBO-DynamicField-Auto",
    b"X-OTRS-DynamicField-Link",
    b"X-Gate-Secret",
    b"x-gate-secret",
    b"X-OTOBO",
    b"X-",
    b"X",
    b"OTOBO-",
    b"A",
    b"Subject",
    b"From",
    b"To",
    b"no colon",
    b"",
    b"From a b",
];
const TEARS: [&[u8]; 30] = [
    b"\x0c",
    b"\x0b",
    b"\x1c",
    b"\x1d",
    b"\x1e",
    b"\xc2\x85",
    b"\x85",
    b"\xe2\x80\xa8",
    b"\xe2\x80\xa9",
    b"\r",
    b"\0",
    b"\n ",
    b"\r\n\t",
    b"\n",
    b"\r\n",
    b"\n\r",
    b" ",
    b"\t",
    b":",
    b" :",
    b"\xff",
    b"\xc3\x85",
    b"\xc2",
    b"\xe2\x80",
    b"\n \x0c",
    b"\n\t\r",
    b"\r\r",
    b"\n\x0c",
    b"-",
    b"\n \x85",
];
const COLONS: [&[u8]; 8] = [b": ", b":", b" : ", b"\t:", b": ", b"", b"\x0c:", b"\n : "];
const VALUES: [&[u8]; 12] = [
    b"b",
    b"",
    b"0",
    b"carol",
    b"0123456789abcdef",
    b"mallory@evil.test",
    b"b\n c",
    b"b\r\n\tc",
    b"\xd1\x85\xd0\xbe",
    b"W\xe4rme",
    b"X-OTOBO-Queue: c",
    b"=?utf-8?Q?c?=",
];
const ENDS: [&[u8]; 6] = [b"\n", b"\n", b"\r\n", b"\n", b"\r\r\n", b"\n\n"];

/// A mail out of any bytes.
pub fn mail(choices: &[u8]) -> Vec<u8> {
    let mut bytes = choices.iter().copied();
    let mut choose = |of: usize| usize::from(bytes.next().unwrap_or_default()) % of;
    let mut out = Vec::new();
    if choose(3) == 0 {
        out.extend_from_slice(b"From: mallory@evil.test\n");
    }
    for _ in 0..=choose(5) {
        let mut line = Vec::new();
        for _ in 0..=choose(3) {
            let start = line.len();
            line.extend_from_slice(NAMES[choose(NAMES.len())]);
            line.extend_from_slice(COLONS[choose(COLONS.len())]);
            line.extend_from_slice(VALUES[choose(VALUES.len())]);
            for _ in 0..choose(4) {
                let at = start + choose(line.len() - start + 1);
                line.splice(at..at, TEARS[choose(TEARS.len())].iter().copied());
            }
            if choose(2) == 0 {
                break;
            }
            line.extend_from_slice(TEARS[choose(TEARS.len())]);
        }
        out.extend_from_slice(&line);
        out.extend_from_slice(ENDS[choose(ENDS.len())]);
    }
    if choose(8) > 0 {
        out.extend_from_slice(if choose(2) == 0 { b"\n" } else { b"\r\n" });
        out.extend_from_slice(BODY);
    }
    out
}

/// A mail that has passed otab, and what a reader may find in it.
pub struct Passed {
    pub input: Vec<u8>,
    pub output: Vec<u8>,
    /// What otab wrote, in lower case.
    own: Vec<String>,
    rules: Rules,
    trusted: bool,
}

/// How many ways [`Passed::through`] knows.
pub const WAYS: usize = 12;

impl Passed {
    /// Both prefixes, both kinds of protection, each as a header that is held and as one that is over the limits; and
    /// mails that trust themselves by the secret. Then who sent it: nobody certain, a customer, one just created.
    pub fn through(input: Vec<u8>, way: usize) -> Result<Self, String> {
        let rules = Rules {
            prefix: if way & 1 == 0 { "X-OTOBO-" } else { "X-OTRS-" }.into(),
            protect: if way & 2 == 0 { Protect::All } else { Protect::Customer },
            ..promises::rules()
        };
        let (output, added, trusted) = match way / 4 % 3 {
            0 => Self::held(&input, &rules, &standing(way))?,
            1 => Self::held(&input, &Rules { trusted: vec![trusting(&input)], ..rules.clone() }, &standing(way))?,
            _ => Self::strained(&input, &rules),
        };
        let own = otobo::fields(&added).into_iter().map(|(name, _)| name).collect();
        Ok(Self { input, output, own, rules, trusted })
    }

    fn held(input: &[u8], rules: &Rules, standing: &Sender) -> Result<(Vec<u8>, Vec<u8>, bool), String> {
        let (block, rest) = input.split_at(EndFinder::length(input));
        let header = Header::parse(block.to_vec(), usize::MAX).unwrap();
        let examined = examine(&header, &policy::Envelope::default(), rules);
        let settled = settle(&header, &examined, rules, standing);
        last_look(&header, &settled.edits, &settled.protected, rest)
            .map_err(|fault| format!("the last look says: {fault}\n{}", input.escape_ascii()))?;
        let out = promises::settled(input, &header, &examined, rules, standing);
        Ok((out.bytes, out.added, out.trusted))
    }

    fn strained(input: &[u8], rules: &Rules) -> (Vec<u8>, Vec<u8>, bool) {
        let protected = policy::stream_protected(rules);
        let added = edit::lines(&policy::new_marker_fields(rules), Terminator::of_first_line(input));
        let mut stream_filter = StreamFilter::new(&protected, added.clone());
        let mut output = Vec::new();
        match stream_filter.push(input, &mut output) {
            Some(used) => output.extend_from_slice(&input[used..]),
            None => stream_filter.finish(&mut output),
        }
        (output, added, false)
    }

    /// What is wrong with the names that a reader finds in the output, if anything.
    pub fn complaint(&self, reader: &str, names: &[String]) -> Option<String> {
        let is_protected = |name: &str| match self.rules.protect {
            _ if self.trusted => self.own.iter().any(|own| own == name),
            Protect::All => otobo::is_control(name),
            Protect::Customer => is_customer_field(name),
        };
        let found: Vec<&String> = names.iter().filter(|name| is_protected(name)).collect();
        // A reader that ends the header sooner finds fewer.
        let only_own = found.iter().copied().eq(self.own.iter().take(found.len()));
        let secret = names.iter().any(|name| name == "x-gate-secret");
        let from_body = names.iter().any(|name| name == IN_BODY);
        (!only_own || secret || from_body).then(|| {
            format!(
                "{reader} finds {names:?}, otab wrote {:?} ({:?}, {})\n--- in\n{}\n--- out\n{}",
                self.own,
                self.rules.protect,
                if self.trusted { "trusted" } else { "not trusted" },
                self.input.escape_ascii(),
                self.output.escape_ascii()
            )
        })
    }

    /// The body, and what readers that were written for these tests find.
    pub fn hold(&self) -> Result<(), String> {
        if otobo::body(&self.input) != otobo::body(&self.output) {
            return Err(format!("another body:\n{}\n{}", self.input.escape_ascii(), self.output.escape_ascii()));
        }
        let strict = otobo::fields(&self.output).into_iter().map(|(name, _)| name).collect();
        let lax = readers::names(promises::header_of(&self.output));
        let mut all = std::iter::once(("OTOBO's reader".to_owned(), strict)).chain(lax);
        all.find_map(|(reader, names)| self.complaint(&reader, &names)).map_or(Ok(()), Err)
    }
}

/// The secret is whatever the mail says first in the field.
fn trusting(input: &[u8]) -> policy::Trusted {
    let stated = otobo::fields(input).into_iter().find(|(name, _)| name == "x-gate-secret");
    let value = stated.map(|(_, value)| String::from_utf8_lossy(&value).into_owned());
    let value = value.filter(|value| !value.is_empty()).unwrap_or_else(|| "0123456789abcdef".into());
    policy::Trusted { field: "X-Gate-Secret".into(), value }
}

fn standing(way: usize) -> Sender {
    let person = |created: bool| Person {
        login: "k\u{e4}the".into(),
        customer_id: "corp".into(),
        in_backend: true,
        needs_link: true,
        created,
    };
    match way % 3 {
        0 => Sender::Doubtful,
        1 => Sender::Customer(person(false)),
        _ => Sender::Customer(person(true)),
    }
}

fn is_customer_field(name: &str) -> bool {
    let bare = ["x-otobo-", "x-otrs-"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or_default();
    let bare = bare.strip_prefix("followup-").unwrap_or(bare);
    ["customeruser", "customerno", "customer", "dynamicfield-auto", "dynamicfield-link"].contains(&bare)
}

/// Everything on one mail, in the way that the first byte chooses.
pub fn hold(choices: &[u8]) -> Result<(), String> {
    let (way, choices) = choices.split_first().unwrap_or((&0, &[]));
    Passed::through(mail(choices), usize::from(*way) % WAYS)?.hold()
}
