//! What holds for every mail, whatever is in it. Checked on mails from everywhere by `fixtures` and
//! `properties`.

use otab::mail::edit;
use otab::mail::from::sender;
use otab::mail::header::{EndFinder, Header, Terminator, is_envelope};
use otab::mail::{Address, Edit};
use otab::policy::{
    Envelope, Examined, Person, Protect, Rules, Sender, Settled, TicketNumbers, Trusted, examine, settle,
};

use crate::{otobo, readers};

/// Everything that adds fields is on.
pub fn rules() -> Rules {
    Rules {
        protection: true,
        protect: Protect::All,
        prefix: "X-OTOBO-".into(),
        check_box: Some("Auto".into()),
        link_field: Some("Link".into()),
        link_placeholder: "[[OTAB-LINK]]".into(),
        marker: "unverified-sender".into(),
        trusted: vec![Trusted { field: "X-Gate-Secret".into(), value: "0123456789abcdef".into() }],
        own_addresses: Vec::new(),
        ticket_numbers: TicketNumbers { hook: "Ticket#".into(), divider: String::new(), system_id: "10".into() },
        allow: Vec::new(),
        deny: Vec::new(),
    }
}

fn customer() -> Sender {
    Sender::Customer(Person {
        login: "käthe".into(),
        customer_id: "=?utf-8?q?x?=".into(),
        in_backend: true,
        needs_link: true,
        created: true,
    })
}

/// A mail on its way out.
pub struct Out {
    pub bytes: Vec<u8>,
    /// What was put on top.
    pub added: Vec<u8>,
    pub trusted: bool,
    pub settled: Settled,
}

/// What `otab filter` does with a mail, less the directory.
pub fn filtered(mail: &[u8], rules: &Rules, standing: &Sender) -> Out {
    let length = EndFinder::length(mail);
    let header = Header::parse(mail[..length].to_vec(), usize::MAX).unwrap();
    let examined = examine(&header, &Envelope::default(), rules);
    settled(mail, &header, &examined, rules, standing)
}

/// The same from the second step on.
pub fn settled(mail: &[u8], header: &Header, examined: &Examined, rules: &Rules, standing: &Sender) -> Out {
    let settled = settle(header, examined, rules, standing);
    let length = header.bytes().len();
    let first_line_end = Terminator::of_first_line(if length == 0 { mail } else { &mail[..length] });
    let mut bytes = edit::apply(header, &settled.edits, first_line_end);
    bytes.extend_from_slice(&mail[length..]);
    let new: Vec<_> =
        settled.edits.iter().filter_map(|e| if let Edit::Add(field) = e { Some(field) } else { None }).collect();
    let added = edit::lines(new.iter().copied(), first_line_end);
    Out { bytes, added, trusted: examined.trusted, settled }
}

/// Checks every promise on one mail; the error says which one broke.
pub fn hold(mail: &[u8]) -> Result<(), String> {
    for standing in [Sender::Doubtful, customer()] {
        let rules = rules();
        let out = filtered(mail, &rules, &standing);
        let broken = [
            ("the body is the same", otobo::body(mail) == otobo::body(&out.bytes)),
            (
                "OTOBO's reader finds no control field that otab did not write",
                out.trusted || otobo_finds_only_new(&out),
            ),
            ("mailparse finds no control field that otab did not write", out.trusted || mailparse_finds_only_new(&out)),
            ("OTOBO reads all other fields as before", out.trusted || others_are_the_same(mail, &out)),
            (
                "with nothing to remove, new fields are all that changes",
                is_plain(mail).is_none_or(|top| only_added(mail, top, &out)),
            ),
        ];
        let promise = broken.iter().find(|(_, holds)| !holds).map(|(promise, _)| (*promise).to_owned());
        if let Some(promise) = promise.or_else(|| what_a_lax_reader_finds(&out)) {
            return Err(format!(
                "not so: {promise}\n--- in\n{}\n--- out\n{}",
                mail.escape_ascii(),
                out.bytes.escape_ascii()
            ));
        }
    }
    the_certain_sender_is_otobos(mail)
}

/// With their values: nothing that stood in the mail may be read as a part of a new field.
fn otobo_finds_only_new(out: &Out) -> bool {
    let mut found = otobo::fields(&out.bytes);
    found.retain(|(name, _)| otobo::is_control(name));
    found == otobo::fields(&out.added)
}

/// mailparse gives up on mails that OTOBO reads; then it has nothing to find.
fn mailparse_finds_only_new(out: &Out) -> bool {
    let Ok((fields, _)) = mailparse::parse_headers(&out.bytes) else {
        return true;
    };
    let names = fields.iter().map(|field| field.get_key().to_ascii_lowercase());
    only_new(names, out)
}

/// Names only: in values that they fold, lax readers differ too much.
fn what_a_lax_reader_finds(out: &Out) -> Option<String> {
    let readers = readers::names(header_of(&out.bytes)).into_iter();
    let mut wrong = readers.filter(|(_, names)| {
        let secret = names.iter().any(|name| name == "x-gate-secret");
        secret || !(out.trusted || only_new(names.iter().cloned(), out))
    });
    let (reader, names) = wrong.next()?;
    Some(format!("{reader} finds no secret, and no control field that otab did not write, among {names:?}"))
}

/// The header block of a mail.
pub fn header_of(mail: &[u8]) -> &[u8] {
    &mail[..mail.len() - otobo::body(mail).len()]
}

fn only_new(names: impl Iterator<Item = String>, out: &Out) -> bool {
    let found: Vec<_> = names.filter(|name| otobo::is_control(name)).collect();
    let new: Vec<_> = otobo::fields(&out.added).into_iter().map(|(name, _)| name).collect();
    found == new
}

/// All fields but control fields and secrets; behind a bare CR a value may have lost its end.
fn others_are_the_same(mail: &[u8], out: &Out) -> bool {
    let others = |mail: &[u8]| {
        let mut fields = otobo::fields(mail);
        fields.retain(|(name, _)| !otobo::is_control(name) && name != "x-gate-secret");
        fields
    };
    let (before, after) = (others(mail), others(&out.bytes));
    let has_odd_break = has_odd_break(mail);
    before.len() == after.len()
        && before.iter().zip(&after).all(|((name, value), (name_after, value_after))| {
            name == name_after && (value == value_after || (has_odd_break && value.starts_with(value_after)))
        })
}

/// Whether some reader ends lines elsewhere than at LF and CRLF: all that `str.splitlines` does in Python, of bytes, of
/// UTF-8, and of ISO 8859-1 where the text is not valid UTF-8, or where a guarded name (or a secret's) may follow the byte
/// at once: they all begin with an X.
pub fn has_odd_break(mail: &[u8]) -> bool {
    let is_odd = |(at, byte): (usize, &u8)| match byte {
        b'\r' => mail.get(at + 1) != Some(&b'\n'),
        _ => readers::PYTHON_BREAKS.contains(byte),
    };
    let wide = |text: &str| text.contains(readers::WIDE_BREAKS);
    let in_text = mail.utf8_chunks().any(|chunk| wide(chunk.valid()));
    let in_latin = std::str::from_utf8(mail).is_err() && mail.contains(&0x85);
    let before_a_name = mail.windows(2).any(|pair| matches!(pair, [0x85, b'x' | b'X']));
    mail.iter().enumerate().any(is_odd) || in_text || in_latin || before_a_name
}

/// Whether nothing in the header could be taken for something to remove, however it is spelled; then
/// the length of its mbox line.
fn is_plain(mail: &[u8]) -> Option<usize> {
    let header = header_of(mail);
    let letters: String =
        header.iter().filter(|b| b.is_ascii_graphic()).map(|b| char::from(b.to_ascii_lowercase())).collect();
    let top = otobo::lines(header).next().filter(|line| is_envelope(line)).map_or(0, <[u8]>::len);
    // What does not begin with a printable character may continue something, for one or another.
    let orphan = otobo::lines(&header[top..])
        .any(|line| !line[0].is_ascii_graphic() && !matches!(line[0], b' ' | b'\t'))
        || matches!(header.get(top), Some(b' ' | b'\t'));
    let own_line = top == 0 || header[..top].ends_with(b"\n");
    let suspicious = ["x-otobo-", "x-otrs-", "x-gate-secret"].iter().any(|name| letters.contains(name));
    (!suspicious && !orphan && own_line).then_some(top)
}

fn only_added(mail: &[u8], top: usize, out: &Out) -> bool {
    out.bytes == [&mail[..top], &out.added, &mail[top..]].concat()
}

/// Where otab is certain of the sender, OTOBO reads the same one.
pub fn the_certain_sender_is_otobos(mail: &[u8]) -> Result<(), String> {
    let header = Header::parse(header_of(mail).to_vec(), usize::MAX).unwrap();
    let Ok(certain) = sender(&header) else {
        return Ok(());
    };
    let read = otobo::senders(mail);
    if read.iter().all(|text| Address::parse(text).as_ref() == Some(&certain.address)) {
        return Ok(());
    }
    Err(format!("otab is certain of {}, OTOBO reads {read:?}:\n{}", certain.address, mail.escape_ascii()))
}
