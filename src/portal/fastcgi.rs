//! As much of `FastCGI` 1.0 as Apache's `mod_authnz_fcgi` speaks to an authorizer: bytes in, a question out; an
//! answer in, bytes out. Pure.
//!
//! Apache has nothing like nginx's `auth_request`. What it has for asking another program who somebody is, on each request
//! and with its status, is this module and this protocol (sections 3, 5 and 6.3 of the `FastCGI` Specification). It opens a
//! connection for each question, and sends one `FCGI_BEGIN_REQUEST` and `FCGI_PARAMS` to their end.
//!
//! It never answers what it does not understand in full, and never holds more than [`MOST_BYTES`].

use std::collections::BTreeMap;

/// Bytes that a question may have, framing included: more than Apache's own limits on a request let through.
pub const MOST_BYTES: usize = 256 * 1024;

const VERSION: u8 = 1;
const HEADER: usize = 8;
const AUTHORIZER: u16 = 2;

// The types of records.
const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;

/// A question: the variables of CGI, by their names.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    id: u16,
    variables: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Question {
    /// A variable; `None` where it is not there, or no text.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name.as_bytes()).and_then(|value| std::str::from_utf8(value).ok())
    }
}

/// What the bytes so far come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// The question is not whole yet.
    More,
    /// It is.
    Whole(Question),
}

/// Why bytes are no question to an authorizer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Nonsense(&'static str);

/// Reads all bytes that have come so far.
pub fn read(bytes: &[u8]) -> Result<Progress, Nonsense> {
    if bytes.len() > MOST_BYTES {
        return Err(Nonsense("the question is too long"));
    }
    let (mut rest, mut id, mut params) = (bytes, None, Vec::new());
    while let Some((record, behind)) = record(rest)? {
        rest = behind;
        match (record.kind, id) {
            (BEGIN_REQUEST, None) if record.id != 0 => {
                if record.content.len() != HEADER
                    || u16::from_be_bytes([record.content[0], record.content[1]]) != AUTHORIZER
                {
                    return Err(Nonsense("the question is none to an authorizer"));
                }
                id = Some(record.id);
            }
            (PARAMS, Some(id)) if record.id == id && record.content.is_empty() => {
                return Ok(Progress::Whole(Question { id, variables: pairs(&params)? }));
            }
            (PARAMS, Some(id)) if record.id == id => params.extend_from_slice(record.content),
            // An authorizer gets none; an empty one does no harm.
            (STDIN, Some(id)) if record.id == id && record.content.is_empty() => {}
            _ => return Err(Nonsense("a record that does not belong here")),
        }
    }
    Ok(Progress::More)
}

struct Record<'a> {
    kind: u8,
    id: u16,
    content: &'a [u8],
}

/// The next whole record, and what is behind it.
fn record(bytes: &[u8]) -> Result<Option<(Record<'_>, &[u8])>, Nonsense> {
    if bytes.first().is_some_and(|&version| version != VERSION) {
        return Err(Nonsense("not FastCGI 1.0"));
    }
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let [_, kind, id1, id0, length1, length0, padding, _] = *header;
    let length = usize::from(u16::from_be_bytes([length1, length0]));
    let (Some(content), Some(behind)) = (rest.get(..length), rest.get(length + usize::from(padding)..)) else {
        return Ok(None);
    };
    Ok(Some((Record { kind, id: u16::from_be_bytes([id1, id0]), content }, behind)))
}

/// Names and values (section 3.4). A name that comes twice makes the question doubtful.
fn pairs(mut bytes: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Nonsense> {
    const CUT: Nonsense = Nonsense("a variable that is cut off");
    let mut pairs = BTreeMap::new();
    while !bytes.is_empty() {
        let (name, rest) = length(bytes).ok_or(CUT)?;
        let (value, rest) = length(rest).ok_or(CUT)?;
        let (name, rest) = rest.split_at_checked(name).ok_or(CUT)?;
        let (value, rest) = rest.split_at_checked(value).ok_or(CUT)?;
        if pairs.insert(name.to_vec(), value.to_vec()).is_some() {
            return Err(Nonsense("a variable that comes twice"));
        }
        bytes = rest;
    }
    Ok(pairs)
}

/// One byte, or four whose first bit is set.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short, rest @ ..] if *short < 0x80 => Some((usize::from(*short), rest)),
        [a, b, c, d, rest @ ..] => {
            let long = u32::from_be_bytes([a & 0x7f, *b, *c, *d]);
            Some((usize::try_from(long).ok()?, rest))
        }
        _ => None,
    }
}

/// The answer to a question: 200 with the variable `OTAB_LOGIN`, or 401. The login holds no control character; one that
/// does is 401.
#[must_use]
pub fn answer(question: &Question, login: Option<&str>) -> Vec<u8> {
    let text = match login.filter(|login| !login.is_empty() && !login.chars().any(char::is_control)) {
        Some(login) => format!("Status: 200 OK\r\nVariable-OTAB_LOGIN: {login}\r\n\r\n"),
        None => "Status: 401 Unauthorized\r\n\r\n".to_owned(),
    };
    // A login has at most a few hundred bytes; one that fits no record is cut off by the check below.
    let Ok(length) = u16::try_from(text.len()) else {
        return answer(question, None);
    };
    let mut bytes = header(STDOUT, question.id, length);
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend(header(STDOUT, question.id, 0));
    bytes.extend(header(END_REQUEST, question.id, 8));
    // Status 0 of the program, and FCGI_REQUEST_COMPLETE.
    bytes.extend([0; 8]);
    bytes
}

fn header(kind: u8, id: u16, length: u16) -> Vec<u8> {
    let ([id1, id0], [length1, length0]) = (id.to_be_bytes(), length.to_be_bytes());
    vec![VERSION, kind, id1, id0, length1, length0, 0, 0]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn framed(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap();
        [header(kind, 1, length), content.to_vec()].concat()
    }

    const BEGIN: &[u8] = &[0, 2, 0, 0, 0, 0, 0, 0];

    fn question(params: &[u8]) -> Vec<u8> {
        [framed(BEGIN_REQUEST, BEGIN), framed(PARAMS, params), framed(PARAMS, b"")].concat()
    }

    fn whole(bytes: &[u8]) -> Question {
        match read(bytes).unwrap() {
            Progress::Whole(question) => question,
            Progress::More => panic!("not whole"),
        }
    }

    #[test]
    fn variables_of_a_question_are_read_short_and_long() {
        let long = "x".repeat(200);
        let mut params = b"\x0b\x0cREQUEST_URI/otab/enter?".to_vec();
        params.extend([11, 0x80, 0, 0, 200]);
        params.extend(format!("HTTP_COOKIE{long}").bytes());
        let question = whole(&question(&params));
        assert_eq!(question.variable("REQUEST_URI"), Some("/otab/enter?"));
        assert_eq!(question.variable("HTTP_COOKIE"), Some(long.as_str()));
        assert_eq!(question.variable("HTTP_OTHER"), None);
    }

    #[test]
    fn a_question_is_whole_at_its_last_byte() {
        let bytes = question(b"\x01\x01ab");
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]).unwrap(), Progress::More, "{end}");
        }
        assert_eq!(whole(&bytes).variable("a"), Some("b"));
    }

    #[test]
    fn variables_may_be_cut_by_records_anywhere() {
        let params = b"\x03\x03abcdef";
        for at in 1..params.len() {
            let parts = [
                framed(BEGIN_REQUEST, BEGIN),
                framed(PARAMS, &params[..at]),
                framed(PARAMS, &params[at..]),
                framed(PARAMS, b""),
            ];
            assert_eq!(whole(&parts.concat()).variable("abc"), Some("def"), "{at}");
        }
    }

    #[test]
    fn what_is_no_question_to_an_authorizer_is_refused() {
        let begin = framed(BEGIN_REQUEST, BEGIN);
        let other = |kind, id| [header(kind, id, 0)].concat();
        for (bytes, what) in [
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "HTTP"),
            (framed(BEGIN_REQUEST, &[0, 1, 0, 0, 0, 0, 0, 0]), "a responder"),
            (framed(BEGIN_REQUEST, &[0, 2]), "short"),
            (framed(PARAMS, b""), "no beginning"),
            ([begin.clone(), begin.clone()].concat(), "two beginnings"),
            ([begin.clone(), other(PARAMS, 2)].concat(), "another's"),
            ([begin.clone(), framed(STDIN, b"x")].concat(), "a body"),
            ([begin, other(9, 0)].concat(), "about the program"),
            (question(b"\x05\x01ab"), "cut name"),
            (question(b"\x01\x05ab"), "cut value"),
            (question(b"\x01"), "cut length"),
            (question(b"\x84\0\0"), "cut long length"),
            (question(b"\xff\xff\xff\xff\xff\xff\xff\xffab"), "two gigabytes"),
            (question(b"\x01\x01ab\x01\x01ac"), "twice"),
            (vec![VERSION; MOST_BYTES + 1], "too long"),
        ] {
            assert!(read(&bytes).is_err(), "{what}");
        }
    }

    #[test]
    fn an_answer_names_the_login_or_nobody() {
        let question = whole(&question(b""));
        let text = |login| String::from_utf8_lossy(&answer(&question, login)).into_owned();
        assert!(text(Some("carol")).contains("Status: 200 OK\r\nVariable-OTAB_LOGIN: carol\r\n\r\n"));
        let long = "x".repeat(70_000);
        for login in [None, Some(""), Some("carol\r\nStatus: 200"), Some("carol\0"), Some(long.as_str())] {
            assert!(text(login).contains("Status: 401 Unauthorized\r\n\r\n"), "{login:?}");
            assert!(!text(login).contains("Variable"), "{login:?}");
        }
    }
}
