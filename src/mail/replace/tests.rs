use super::*;

const URL: &str = "https://help.test/t?a=1&b=0123456789";

fn by(words: &str) -> Replacement {
    Replacement {
        words: words.into(),
        href: "https://help.test/href".into(),
        elsewhere: "https://help.test/plain".into(),
        ascii: "no link".into(),
    }
}

fn replaced(mail: impl AsRef<[u8]>, words: &str) -> Vec<u8> {
    let mail = mail.as_ref();
    let mut out = Vec::new();
    write(mail, &find(mail, "[[OTAB-LINK]]").replaced(&by(words)), &mut out).unwrap();
    out
}

/// A mail of one part.
fn single(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    [format!("Subject: [[OTAB-LINK]]\n{fields}\n\n").as_bytes(), body.as_ref()].concat()
}

#[track_caller]
fn check(fields: &str, body: impl AsRef<[u8]>, words: &str, expected: impl AsRef<[u8]>) {
    let (got, expected) = (replaced(single(fields, body), words), single(fields, expected));
    assert_eq!(got.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn plain_bytes_change_only_at_the_placeholder() {
    let latin = "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit";
    let around = |middle: &str| [&b"f\xfcr: "[..], middle.as_bytes(), b"\r\n ", middle.as_bytes(), b" \0"].concat();
    check(latin, around("[[OTAB-LINK]]"), URL, around(URL));
    check("X: y", "[[OTAB-LINK]]", URL, URL);
    let html = "Content-Type: text/html; charset=utf-8";
    let escaped = URL.replace('&', "&amp;");
    check(html, "<p>ü&#91;[OTAB-LINK&#93;]</p>", URL, format!("<p>ü{escaped}</p>"));
    check(html, "<a href='%5b%5BOTAB-LINK%5D%5d'>x</a>", URL, "<a href='https://help.test/href'>x</a>");
    check(html, "<img src='[[OTAB-LINK]]'>", URL, "<img src='https://help.test/plain'>");
}

#[test]
fn letters_are_written_as_the_part_can_hold_them() {
    let text = "Ein Link für Äpfel";
    let part = |charset: &str, transfer: &str| {
        format!("Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {transfer}")
    };
    check(&part("utf-8", "8bit"), "[[OTAB-LINK]]", text, text);
    check(&part("iso-8859-1", "8bit"), "[[OTAB-LINK]]", text, b"Ein Link f\xfcr \xc4pfel");
    check(&part("iso-8859-1", "quoted-printable"), "[[OTAB-LINK]]", text, "Ein Link f=FCr =C4pfel");
    check(&part("utf-8", "7bit"), "[[OTAB-LINK]]", text, "Ein Link fuer Aepfel");
    check(&part("us-ascii", "8bit"), "[[OTAB-LINK]]", text, "Ein Link fuer Aepfel");
    check(&part("iso-8859-1", "8bit"), "[[OTAB-LINK]]", "Нет", "no link");
    check("Content-Type: text/html", "[[OTAB-LINK]]", text, "Ein Link f&#252;r &#196;pfel");
}

#[test]
fn quoted_printable_is_found_across_soft_breaks() {
    let part = "Content-Transfer-Encoding: quoted-printable";
    check(part, "=C3=BC\n[[OTAB-=\nLINK=5D] =\nx\n", "https://h.test/a", "=C3=BC\nhttps://h.test/a =\nx\n");
    check(part, "=5B[OTAB-LINK]]=20\n", URL, "https://help.test/t?a=3D1&b=3D0123456789=20\n");
}

#[test]
fn base64_is_written_anew_in_the_mails_own_line_end() {
    let text = format!("{}[[OTAB-LINK]]\n", "a".repeat(100));
    let encode = |text: &str, end: &str| {
        let lines: Vec<_> = text.as_bytes().chunks(57).map(|chunk| data_encoding::BASE64.encode(chunk)).collect();
        lines.join(end) + end
    };
    let part = "Content-Type: text/html\nContent-Transfer-Encoding: base64";
    let new = text.replace("[[OTAB-LINK]]", "x");
    check(part, encode(&text, "\n"), "x", encode(&new, "\n"));
    let crlf = |body| String::from_utf8(single(part, body)).unwrap().replace("\r\n", "\n").replace('\n', "\r\n");
    assert_eq!(replaced(crlf(encode(&text, "\r\n")), "x"), crlf(encode(&new, "\r\n")).into_bytes());
}

#[test]
fn utf_16_is_read_and_written() {
    for (name, wide) in [
        ("utf-16", Wide { big_endian: true, mark: false }),
        ("utf-16", Wide { big_endian: false, mark: true }),
        ("utf-16le", Wide { big_endian: false, mark: false }),
    ] {
        let part = format!("Content-Type: text/plain; charset={name}\nContent-Transfer-Encoding: base64");
        let encode = |text: &str| data_encoding::BASE64.encode(&wide.write(text));
        check(&part, encode("ü𝄞 [[OTAB-LINK]]"), "für", encode("ü𝄞 für"));
    }
    let odd = single("Content-Type: text/plain; charset=utf-16", "[[OTAB-LINK]]");
    assert_eq!(find(&odd, "[[OTAB-LINK]]").left, [Left::Unwritable]);
}

#[test]
fn what_is_signed_encrypted_or_broken_stays() {
    for (mail, left) in [
        (single("X: y", "[[OTAB-LINK]]\n-----BEGIN PGP SIGNED MESSAGE-----\n"), Left::Signed),
        (single("DKIM-Signature: v=1", "[[OTAB-LINK]]"), Left::Dkim),
        (single("Content-Transfer-Encoding: base64", "[[OTAB-LINK]]"), Left::Unwritable),
        (
            single("Content-Type: multipart/signed; boundary=a", "--a\n\n[[OTAB-LINK]]\n--a\n\nsignature\n--a--\n"),
            Left::Signed,
        ),
    ] {
        let found = find(&mail, "[[OTAB-LINK]]");
        assert_eq!((found.count(), found.left.as_slice()), (0, &[left][..]));
        assert_eq!(replaced(&mail, URL), mail);
    }
}

#[test]
fn a_secret_is_wanted_only_where_it_may_stand() {
    let wants = |body: &str| find(&single("X: y", body), "[[OTAB-LINK]]").wants_secret();
    assert!(wants("[[OTAB-LINK]]") && wants("https://evil.test/?[[OTAB-LINK]] [[OTAB-LINK]]"));
    assert!(!wants("https://evil.test/?[[OTAB-LINK]]") && !wants("none"));
}
