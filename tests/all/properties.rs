//! The promises of [`crate::promises`], on header blocks grown from a grammar and on corpus mails that
//! were damaged at random.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::{corpus, promises};

/// Pieces that decide something for one reader or another.
const PIECES: [&[u8]; 44] = [
    b"X-OTOBO-",
    b"x-otrs-",
    b"X-OTOBO-Queue: a",
    b"X-Gate-Secret: 0123456789abcdef",
    b"X-Gate-Secret",
    b"X-",
    b"OTOBO",
    b"-",
    b":",
    b" ",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xe4",
    b"\xc2\xa0",
    b"\x0b",
    b"\x85",
    b"\xc3\x85",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\n ",
    b"\r\n\t",
    b"\n\n",
    b"\n\r",
    b"\r\r",
    b"From ",
    b"\nFrom: ",
    b"\rFrom: ",
    b"From",
    b"\nSubject: ",
    b"a@b.test",
    b"carol@corp.test",
    b"<",
    b">",
    b"(",
    b")",
    b"\"",
    b",",
    b"=?utf-8?Q?=2C?=",
    b"=?utf-8?B?",
    b"?=",
    b"\\",
];

/// A mail that shows as text when a test fails.
#[derive(Clone)]
struct Mail(Vec<u8>);

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// Most cases are cheap; there are enough of them to meet three rare things in one mail.
///
/// With `OTAB_LONG=1` there are many more.
fn config(cases: u32) -> ProptestConfig {
    let cases = if std::env::var_os("OTAB_LONG").is_some() { cases * 40 } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn word(words: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> + Clone {
    select(words).prop_map(<[u8]>::to_vec)
}

fn concat(parts: impl Strategy<Value = Vec<Vec<u8>>> + Clone) -> impl Strategy<Value = Vec<u8>> + Clone {
    parts.prop_map(|parts| parts.concat())
}

fn name() -> impl Strategy<Value = Vec<u8>> + Clone {
    let plain = word(&[b"Subject", b"To", b"Message-ID", b"X-Note", b"Received", b"Auto-Submitted", b"From", b"from"]);
    let control = word(&[
        b"X-OTOBO-Queue",
        b"x-otobo-customeruser",
        b"X-OTOBO-CustomerNo",
        b"X-OTOBO-",
        b"X-OTRS-FollowUp-State",
        b"X-Gate-Secret",
        b"X-OTOBO-DynamicField-Auto",
        b"X-\0OTOBO-Queue",
        b"X-OTOBO\r-Lock",
        b"X-OTOBO-\n Title",
        b"\xefX-OTRS-Owner",
        b"\rX-OTOBO-SLA",
        b"X-OTOBO",
        b"XX-OTOBO-Queue",
    ]);
    prop_oneof![3 => plain, 2 => control]
}

fn colon() -> impl Strategy<Value = Vec<u8>> + Clone {
    prop_oneof![
        6 => Just(b": ".to_vec()),
        3 => word(&[b":", b" :", b"\t: ", b" ", b"", b"\0:", b": :", b"\xa0:", b"\r:", b"\n :"]),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> + Clone {
    let plain = word(&[
        b"hello",
        b"a b",
        b"",
        b"0",
        b"0123456789abcdef",
        b"Gr\xc3\xbc\xc3\x9fe",
        b"\xff\xfe",
        b"=?utf-8?Q?x?=",
        b"\0",
        b"a\rb",
        b"a\rX-OTOBO-Queue: b",
        b"a\rFrom: carol@corp.test",
        b"X-OTOBO-Queue: a",
    ]);
    let fold = word(&[b"\n ", b"\r\n\t", b"\n \n ", b" ", b"\n X-OTOBO-Queue: ", b"\n\t:"]);
    let folded = concat((plain.clone(), fold, plain.clone()).prop_map(|(a, b, c)| vec![a, b, c]));
    prop_oneof![3 => plain, 1 => folded, 1 => from()]
}

/// From values of all shapes: mailboxes and pieces of them, in any order.
pub fn from() -> impl Strategy<Value = Vec<u8>> + Clone {
    let address = || {
        word(&[
            b"carol@corp.test",
            b"<carol@corp.test>",
            b"mallory@evil.test",
            b"<mallory@evil.test>",
            b"<j\xc3\xb6rg@m\xc3\xbcller.test>",
            b"carol@corp.test.",
            b"<@a.test:carol@corp.test>",
            b"<>",
            b"\"carol\"@corp.test",
            b"carol@[192.0.2.1]",
            b"a b@corp.test",
            b"<carol(x)@corp.test>",
            b"carol @corp.test",
            b"carol@corp.test\0.evil.test",
            b"caro\xcc\x81l@corp.test",
            b"0",
            b"a.b@c.test",
            b"<=?utf-8?Q?x=2Ccarol?=@corp.test>",
            b"<=?utf-8?Q?carol=40corp.test=2C?=@evil.test>",
            b"carol@=?utf-8?Q?corp?=.test",
        ])
    };
    let beside = || {
        word(&[
            b"Carol",
            b"John Q. Public",
            b"\"Corp, Carol\"",
            b"\"a\\\"b\"",
            b"\"mallory@evil.test\"",
            b"(Carol)",
            b"(x\", carol@corp.test)",
            b"(a, b)",
            b"(a (b) c)",
            b"(a",
            b"a)",
            b"\"",
            b",",
            b";",
            b":",
            b"friends:",
            b"\\",
            b"[",
            b"[a, b]",
            b"\n ",
            b"\r\n\t",
            b"\r",
            b"\t",
            b"\xe9",
            b"\xc2\xa0",
            b"'",
            b"=?utf-8?Q?M=C3=BCller=2C_Hans?=",
            b"=?utf-8?Q?carol=40corp.test?=",
            b"=?utf-8?Q?=2C_carol=40corp.test?=",
            b"=?utf-8?Q?=22?=",
            b"=?utf-8?Q?=28?=",
            b"=?utf-8?Q?a=29?=",
            b"=?utf-8?Q?=3C?=",
            b"=?utf-8?Q?a=5C?=",
            b"=?utf-8?Q?=3A?=",
            b"=?utf-8?Q?=3B?=",
            b"=?iso-8859-1?Q?Andr=E9?=",
            b"=?utf-8?B?Y2Fyb2xAY29ycC50ZXN0?=",
            b"=?utf-8?Q?=?=",
            b"=?x?Q?a=40b?=",
            b"=?utf-7?Q?+AEA-?=",
            b"=?utf-8?q?x=29=2C_carol=40corp.test_=28?=",
            b"(=?utf-8?Q?x=29=2C_carol=40corp.test_=28?=)",
            b"\"=?utf-8?Q?=22=2C?=\"",
            b"(=?utf-8?Q?Vertrieb?=)",
            b"\"=?utf-8?Q?M=C3=BCller?=\"",
            b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=",
            b"=?utf-8?Q?=E2=80=AE?=",
            b"=?utf-8?Q?a=5Bb?=",
            b"=?utf-8?Q?_?=",
            b"=?utf-8?Q??=",
            b"=?utf-8?Q?=2E?=",
            b"=?utf-8?Q?Dr=2E?=",
        ])
    };
    let blank = || word(&[b" ", b" ", b" ", b""]);
    let around = |size| concat(prop::collection::vec(concat((beside(), blank()).prop_map(|(a, b)| vec![a, b])), size));
    let one = (around(0..4), address(), blank(), around(0..2))
        .prop_map(|(before, address, blank, after)| vec![before, address, blank, after]);
    let any = concat(prop::collection::vec(prop_oneof![address(), beside(), blank()], 0..6));
    prop_oneof![4 => concat(one), 1 => any]
}

/// One field, junk line or worse, with its line end.
fn line() -> impl Strategy<Value = Vec<u8>> + Clone {
    let end = prop_oneof![6 => Just(b"\n".to_vec()), 3 => Just(b"\r\n".to_vec()), 1 => Just(b"\r\r\n".to_vec())];
    let field = concat((name(), colon(), value()).prop_map(|(a, b, c)| vec![a, b, c]));
    let sender = from().prop_map(|value| [&b"From: "[..], &value].concat());
    let junk = word(&[
        b"no colon here",
        b" leading",
        b"\tX-OTOBO-Queue: a",
        b"From mallory Fri Nov 20 09:00:00 2026",
        b": a",
        b"\0",
        b">From a",
        b" ",
        b"X-OTOBO-Queue is great",
        b"\xefX: a",
        b"\r",
        b"\rX-OTOBO-Queue: a",
        b"From : carol@corp.test",
    ]);
    concat((prop_oneof![4 => field, 3 => sender, 2 => junk], end).prop_map(|(line, end)| vec![line, end]))
}

pub fn mail() -> impl Strategy<Value = Vec<u8>> + Clone {
    let end = word(&[
        b"\n",
        b"\r\n",
        b"\r",
        b"",
        b"\n\nX-OTOBO-Queue: a\n",
        b"\r\n\xff\0\r",
        b"X: y",
        b"X-OTOBO-Queue: z",
        b"\nbody",
    ]);
    concat((prop::collection::vec(line(), 0..7), end).prop_map(|(mut lines, end)| {
        lines.push(end);
        lines
    }))
}

fn corpus() -> &'static [Vec<u8>] {
    static MAILS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    MAILS.get_or_init(|| {
        let mails = corpus::mails().into_iter().map(|(_, mail)| mail);
        // The rest of a large body teaches nothing here and takes time.
        mails.map(|mail| mail[..mail.len().min(6000)].to_vec()).collect()
    })
}

/// A corpus mail into which pieces were put, from which others were cut, mostly in its header.
fn damaged() -> impl Strategy<Value = Vec<u8>> + Clone {
    let damage = (any::<Index>(), select(&PIECES[..]), 0_usize..12);
    (any::<Index>(), prop::collection::vec(damage, 0..5)).prop_map(|(which, damages)| {
        let mut mail = which.get(corpus()).clone();
        for (place, piece, cut) in damages {
            let header = mail.windows(2).position(|pair| pair == b"\n\n").unwrap_or(mail.len());
            let at = place.index(header + 1).min(mail.len());
            let end = (at + cut).min(mail.len());
            mail.splice(at..end, piece.iter().copied());
        }
        mail
    })
}

/// A header block with one field that decides something, torn at up to five places of its name, its colon, or the
/// beginning of its value.
fn torn() -> impl Strategy<Value = Vec<u8>> + Clone {
    let front = word(&[b"", b"A: b\n", b"A: b\r\n", b"From a b\n", b"From: a@b.test\n", b"A\n", b" a\n", b"A: b\r"]);
    let field = word(&[b"X-OTOBO-Queue: a", b"x-otrs-:", b"From: carol@corp.test", b"X-Gate-Secret: a"]);
    let tear = word(&[
        b" ",
        b"\t",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n ",
        b"\r ",
        b"\n\r",
        b"\n\r ",
        b"\r\n\r",
        b"\r\r",
        b"\0",
        b"\xe4",
        b":",
        b"\x0c",
        b"\x85",
        b"\xc2\x85",
        b"\xc3\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xa9",
    ]);
    let tears = prop::collection::vec((0_usize..20, tear), 1..6);
    let end = word(&[b"\n\n", b"\r\n\r\n", b"\nTo: c\n\n", b"\n d\n\n", b"\n\r e: f\n\n", b""]);
    (front, field, tears, end).prop_map(|(front, mut field, tears, end)| {
        for (at, tear) in tears {
            let at = at.min(field.len());
            field.splice(at..at, tear);
        }
        [front, field, end].concat()
    })
}

fn check(mail: &[u8]) -> Result<(), TestCaseError> {
    promises::hold(mail).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(config(6000))]

    #[test]
    fn the_promises_hold_for_header_blocks_from_a_grammar(mail in mail().prop_map(Mail)) {
        check(&mail.0)?;
    }

    #[test]
    fn the_promises_hold_for_every_shape_of_from(value in from().prop_map(Mail)) {
        check(&[&b"From: "[..], &value.0, b"\nSubject: x\n\n"].concat())?;
    }

    #[test]
    fn the_promises_hold_for_fields_torn_anywhere(mail in torn().prop_map(Mail)) {
        check(&mail.0)?;
    }

    #[test]
    fn the_promises_hold_for_pieces_in_any_order(mail in concat(prop::collection::vec(word(&PIECES), 0..30)).prop_map(Mail)) {
        check(&mail.0)?;
    }
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn the_promises_hold_for_damaged_mails_of_the_corpus(mail in damaged().prop_map(Mail)) {
        check(&mail.0)?;
    }
}

/// Found by a long run: the letter before the name is torn, and the rest of its value with it.
#[test]
fn a_letter_before_a_guarded_name_may_lose_its_end() {
    check(b"Date: 2026\xc3\x85X-OTOBO-Queue: a\n\nHello\n").unwrap();
}
