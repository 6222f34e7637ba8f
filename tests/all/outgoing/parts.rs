//! `otab outgoing` on mails put together from parts of every kind: the placeholder's parts change by
//! exactly that, and all other bytes stay. Read back with mailparse, which takes no part in the work.

use otab::mail::replace::{Replacement, find, write};
use proptest::prelude::*;
use proptest::sample::select;

use crate::corpus;

const PLACEHOLDER: &str = "[[OTAB-LINK]]";
const URL: &str = "https://help.test/t/3b5f0c3e-6a0f-4b9e-8f3d-0123456789ab?a=1";

fn replaced(mail: &[u8]) -> Vec<u8> {
    let by = |text: &str| text.to_owned();
    let by = Replacement { words: by(URL), href: by(URL), elsewhere: by("elsewhere"), ascii: by("ascii") };
    let mut out = Vec::new();
    write(mail, &find(mail, PLACEHOLDER).replaced(&by), &mut out).unwrap();
    out
}

/// A piece of a mail: a leaf or several in a multipart.
#[derive(Debug, Clone)]
enum Piece {
    Leaf { kind: &'static str, charset: &'static str, transfer: &'static str, text: String, sealed: bool },
    Several { kind: &'static str, pieces: Vec<Piece> },
}

fn words() -> impl Strategy<Value = String> {
    let word = select(
        &["a", "Grüße", " ", " ", "\n", "=", "=3D", "x.", "From ", "--b0", "[[OTAB-", "LINK]]", "&amp;", "1 < 2"][..],
    );
    let long = Just("lorem ipsum dolor sit amet ".repeat(5));
    let one = prop_oneof![8 => word.prop_map(str::to_owned), 1 => long];
    prop::collection::vec(one, 0..12).prop_map(|words| words.concat().replace(PLACEHOLDER, "|"))
}

/// A text, in which a placeholder stands among blanks; or none.
fn text(placeholder: bool) -> BoxedStrategy<String> {
    if !placeholder {
        return words().boxed();
    }
    let with = (words(), words()).prop_map(|(before, after)| format!("{before} {PLACEHOLDER} {after}"));
    prop_oneof![3 => with, 1 => words()].boxed()
}

fn leaf(placeholder: bool) -> impl Strategy<Value = Piece> {
    let kind = select(&["text/plain", "text/html"][..]);
    let charset = select(&["utf-8", "iso-8859-1"][..]);
    let transfer = select(&["8bit", "quoted-printable", "base64"][..]);
    (kind, charset, transfer, text(placeholder), prop::bool::weighted(0.2))
        .prop_map(|(kind, charset, transfer, text, sealed)| Piece::Leaf { kind, charset, transfer, text, sealed })
}

fn piece(placeholder: bool) -> impl Strategy<Value = Piece> {
    leaf(placeholder).prop_recursive(3, 12, 4, |inner| {
        let kind = select(&["multipart/mixed", "multipart/alternative", "multipart/related", "multipart/signed"][..]);
        (kind, prop::collection::vec(inner, 1..4)).prop_map(|(kind, pieces)| Piece::Several { kind, pieces })
    })
}

/// Quoted-printable as mailers write it: some bytes that need not be encoded are, lines are broken
/// anywhere.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    let mut width = 0;
    for (number, byte) in bytes.iter().enumerate() {
        let unit = match byte {
            b'\n' => "\n".to_owned(),
            b'=' | 0x80.. => format!("={byte:02X}"),
            b' ' if bytes.get(number + 1).is_none_or(|next| *next == b'\n') => "=20".to_owned(),
            _ if number % 11 == 5 => format!("={byte:02X}"),
            _ => char::from(*byte).to_string(),
        };
        if byte != &b'\n' && width + unit.len() > 30 + number % 40 {
            out.push_str("=\n");
            width = 0;
        }
        width = if byte == &b'\n' { 0 } else { width + unit.len() };
        out.push_str(&unit);
    }
    out.into_bytes()
}

fn written(piece: &Piece, depth: usize, number: &mut usize) -> Vec<u8> {
    match piece {
        Piece::Leaf { kind, charset, transfer, text, sealed } => {
            let bytes: Vec<u8> = if *charset == "utf-8" {
                text.clone().into_bytes()
            } else {
                text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
            };
            let body = match *transfer {
                "quoted-printable" => quoted_printable(&bytes),
                "base64" => data_encoding::BASE64.encode(&bytes).as_bytes().chunks(76).collect::<Vec<_>>().join(&b'\n'),
                _ => bytes,
            };
            let attached = if *sealed { "Content-Disposition: attachment\n" } else { "" };
            let fields = format!(
                "Content-Type: {kind};\n charset=\"{charset}\"\nContent-Transfer-Encoding: {transfer}\n{attached}\n"
            );
            [fields.as_bytes(), &body].concat()
        }
        Piece::Several { kind, pieces } => {
            *number += 1;
            let boundary = format!("=_{depth}.{number}");
            let mut out = format!("Content-Type: {kind}; boundary=\"{boundary}\"\n\n").into_bytes();
            for piece in pieces {
                out.extend(format!("\n--{boundary}\n").as_bytes());
                out.extend(written(piece, depth + 1, number));
            }
            out.extend(format!("\n--{boundary}--\n").as_bytes());
            out
        }
    }
}

fn mail(piece: &Piece, crlf: bool) -> Vec<u8> {
    let text = [&b"Subject: [[OTAB-LINK]]\n"[..], &written(piece, 0, &mut 0)].concat();
    if !crlf {
        return text;
    }
    text.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..])
}

/// Every part of a mail: its header and body as bytes, its decoded text, and whether it may change.
fn parts<'m>(mail: &'m mailparse::ParsedMail<'m>, free: bool, out: &mut Vec<(Vec<u8>, String, bool)>) {
    let kind = &mail.ctype.mimetype;
    let attached = mail.get_content_disposition().disposition == mailparse::DispositionType::Attachment;
    if mail.subparts.is_empty() {
        let text = mail.get_body().unwrap();
        out.push((mail.raw_bytes.to_vec(), text, free && !attached && kind.starts_with("text/")));
    }
    for part in &mail.subparts {
        parts(part, free && kind != "multipart/signed", out);
    }
}

fn parsed(mail: &[u8]) -> Vec<(Vec<u8>, String, bool)> {
    let mut out = Vec::new();
    parts(&mailparse::parse_mail(mail).unwrap(), true, &mut out);
    out
}

/// Pieces that mean something for one reader or another.
const PIECES: &[&[u8]] = &[
    b"Content-Type: multipart/mixed; boundary=a\n",
    b"Content-Type: text/html\n",
    b"--a",
    b"--a--",
    b"\n",
    b"\r\n",
    b"\r",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b"[[OTAB-LINK]]",
    b"=",
    b"=5B",
    b"[OTAB-=\nLINK]]",
    b"W1tPVEFCLUxJTktdXQ==",
    b"<",
    b"<a href=",
    b"\"",
    b"'",
    b">",
    b"<!--",
    b"-->",
    b"<style",
    b"</style",
    b"/",
    b"&#91;",
    b"%5B",
    b"&",
    b"%",
    b" ",
    b"\0",
    b"\xff",
    b"charset=utf-16\n",
    b"Content-Type: text/plain; ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("OTAB_LONG").is_some() { 40_000 } else { 1000 }))]

    #[test]
    fn only_the_placeholders_parts_change(piece in piece(true), crlf: bool) {
        let before = mail(&piece, crlf);
        let after = replaced(&before);
        let (old, new) = (parsed(&before), parsed(&after));
        prop_assert_eq!(old.len(), new.len());
        for ((old_bytes, old_text, free), (new_bytes, new_text, _)) in old.into_iter().zip(new) {
            if free && old_text.contains(PLACEHOLDER) {
                prop_assert_eq!(new_text, old_text.replace(PLACEHOLDER, URL));
            } else {
                prop_assert_eq!(old_bytes.escape_ascii().to_string(), new_bytes.escape_ascii().to_string());
            }
        }
        prop_assert!(after.starts_with(b"Subject: [[OTAB-LINK]]"));
    }

    #[test]
    fn without_a_placeholder_no_byte_changes(piece in piece(false), crlf: bool) {
        let before = mail(&piece, crlf);
        prop_assert_eq!(replaced(&before).escape_ascii().to_string(), before.escape_ascii().to_string());
    }

    #[test]
    fn no_bytes_whatever_make_it_panic(mail in prop::collection::vec(select(PIECES), 0..30)) {
        let mail = mail.concat();
        let after = replaced(&mail);
        if find(&mail, PLACEHOLDER).count() == 0 {
            prop_assert_eq!(after, mail);
        }
    }
}

#[test]
fn a_signed_mail_stays_as_it_came() {
    let signed = b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/signed; boundary=b\n\n--b\n\n[[OTAB-LINK]]\n\
        --b\nContent-Type: application/pgp-signature\n\nx\n--b--\n--a\n\n-----BEGIN PGP SIGNED MESSAGE-----\n[[OTAB-LINK]]\n--a--\n";
    assert_eq!(replaced(signed), signed);
    assert_eq!(find(signed, PLACEHOLDER).left.len(), 2);
}

#[test]
fn no_mail_of_the_corpus_changes() {
    for (path, mail) in corpus::mails() {
        assert!(replaced(&mail) == mail, "{}", path.display());
    }
}
