//! Examining, settling, editing and straining: what goes, what comes, and that nothing else changes.

use std::sync::LazyLock;

use otab::mail::header::{Header, Kind, Terminator};
use otab::mail::stream_filter::{MAX_HELD, StreamFilter};
use otab::mail::{Edit, edit};
use otab::policy::{self, Envelope, Examined, Person, Protect, Rules, Sender, Trusted, examine, new_marker_fields};

use super::{claim, shown};
use crate::promises::{self, Out};
use crate::{otobo, readers};

/// A way to set otab up, and the standings that make a difference to it.
struct Setup {
    name: &'static str,
    rules: Rules,
    cases: Vec<Case>,
}

/// A standing, with the login and customer id that are meant; `None` where nobody usable is.
struct Case {
    standing: Sender,
    login: Option<&'static str>,
    number: Option<&'static str>,
}

static SETUPS: LazyLock<[Setup; 4]> = LazyLock::new(|| {
    let all = promises::rules();
    let trusted = |field: &str| Trusted { field: field.into(), value: "0123456789abcdef".into() };
    let customer = Rules { protect: Protect::Customer, ..all.clone() };
    let znuny = Rules {
        prefix: "X-OTRS-".into(),
        check_box: None,
        link_field: None,
        trusted: vec![trusted("X-Gate-Secret"), trusted("X")],
        ..all.clone()
    };
    let off = Rules { protection: false, ..all.clone() };

    let nobody = |standing: Sender| Case { standing, login: None, number: None };
    let (doubtful, free) = (|| nobody(Sender::Doubtful), || nobody(Sender::Free));
    let nameless = nobody(person(" 0", "a\nb", true));
    let created = || {
        let login = "k\u{e4}the@a.very.long.login.that.takes.more.than.one.encoded-word.test";
        let number = "=?utf-8?q?x?=";
        Case { standing: person(login, number, true), login: Some(login), number: Some(number) }
    };
    let found = || Case { standing: person("carol", "corp", false), login: Some("carol"), number: Some("corp") };
    [
        Setup { name: "protect all", rules: all, cases: vec![doubtful(), free(), created(), found(), nameless] },
        Setup { name: "protect customer", rules: customer, cases: vec![free(), created()] },
        Setup { name: "Znuny, two secrets", rules: znuny, cases: vec![doubtful(), found()] },
        Setup { name: "no protection", rules: off, cases: vec![free(), created(), found()] },
    ]
});

/// `ours`: created for this mail, in the backend.
fn person(login: &str, customer_id: &str, ours: bool) -> Sender {
    Sender::Customer(Person {
        login: login.into(),
        customer_id: customer_id.into(),
        in_backend: ours,
        needs_link: ours,
        created: ours,
    })
}

/// Checks everything on one mail.
pub fn hold(mail: &[u8]) -> Result<(), String> {
    promises::hold(mail)?;
    let header = Header::parse(promises::header_of(mail).to_vec(), usize::MAX).unwrap();
    let first_line_end = Terminator::of_first_line(mail);
    let unchanged = edit::apply(&header, &[], first_line_end);
    claim(unchanged == header.bytes(), || format!("without edits nothing changes: {}", shown(mail)))?;
    for Setup { name, rules, cases } in SETUPS.iter() {
        let checked = || {
            let examined = examine(&header, &Envelope::default(), rules);
            secrets_alone_make_trust(&examined, mail, rules)?;
            a_strained_block_loses_the_same(&header, mail, rules)?;
            for case in cases {
                let standing = &case.standing;
                let out = promises::settled(mail, &header, &examined, rules, standing);
                let at_length = || {
                    cuts_are_fields_or_their_ends(&header, &out)?;
                    the_output_is_the_input_less_its_cuts(&header, mail, &out)?;
                    fields_that_are_set_stand_alone(&out, rules)?;
                    customer_fields_are_never_missing(&out, rules)?;
                    control_fields_say_what_is_meant(&examined, mail, &out, rules, case)?;
                    a_second_otab_changes_nothing(mail, &out, rules, standing)
                };
                at_length().map_err(|broken: String| {
                    format!("{broken}\n--- standing\n{standing:?}\n--- out\n{}", shown(&out.bytes))
                })?;
            }
            Ok(())
        };
        checked().map_err(|broken: String| format!("{broken}\n--- set-up\n{name}\n--- in\n{}", shown(mail)))?;
    }
    Ok(())
}

fn secrets_alone_make_trust(examined: &Examined, mail: &[u8], rules: &Rules) -> Result<(), String> {
    let states_a_secret = otobo::fields(mail).iter().any(|(name, value)| {
        rules.trusted.iter().any(|t| *name == t.field.to_ascii_lowercase() && value == t.value.as_bytes())
    });
    claim(states_a_secret || !examined.trusted, || "only a secret makes a mail trusted".into())
}

/// What was cut, in order.
fn cuts(out: &Out) -> Vec<std::ops::Range<usize>> {
    let cut = |edit: &Edit| if let Edit::Cut(range) = edit { Some(range.clone()) } else { None };
    let mut cuts: Vec<_> = out.settled.edits.iter().filter_map(cut).collect();
    cuts.sort_by_key(|cut| (cut.start, cut.end));
    cuts
}

/// From a field's start, or from a line's start or a break within it, to its end; never the mbox line.
fn cuts_are_fields_or_their_ends(header: &Header, out: &Out) -> Result<(), String> {
    let bytes = header.bytes();
    for cut in cuts(out) {
        let field = header.fields().iter().find(|field| field.range.contains(&cut.start));
        let of_a_field = field.is_some_and(|field| {
            let whole_lines = cut.start == field.range.start || bytes[cut.start - 1] == b'\n';
            let line_end = Terminator::of(header.raw(field)).len();
            let whole = whole_lines && cut.end == field.range.end;
            let tail =
                !whole_lines && begins_with_a_break(&bytes[cut.start..]) && cut.end == field.range.end - line_end;
            field.kind != Kind::Envelope && (whole || tail)
        });
        claim(of_a_field, || format!("{cut:?} is a field or the end of one: {field:?}"))?;
    }
    Ok(())
}

fn begins_with_a_break(bytes: &[u8]) -> bool {
    let wide = |text: &char| bytes.starts_with(text.to_string().as_bytes());
    readers::PYTHON_BREAKS.contains(&bytes[0]) || bytes[0] == 0x85 || readers::WIDE_BREAKS.iter().any(wide)
}

/// Counted byte by byte: the mbox line, the new fields, all that is in no cut, the body.
fn the_output_is_the_input_less_its_cuts(header: &Header, mail: &[u8], out: &Out) -> Result<(), String> {
    let bytes = header.bytes();
    let mut stays = vec![true; bytes.len()];
    for cut in cuts(out) {
        stays[cut].fill(false);
    }
    let top = header.envelope_line().unwrap_or_default();
    let own_line: &[u8] = if top.is_empty() || top.ends_with(b"\n") || out.added.is_empty() { b"" } else { b"\n" };
    let left = bytes.iter().zip(&stays).skip(top.len()).filter(|(_, stays)| **stays).map(|(byte, _)| *byte);
    let expected = [top, own_line, &out.added, &left.collect::<Vec<u8>>(), otobo::body(mail)].concat();
    claim(out.bytes == expected, || "the output is the input less its cuts, and the new fields".into())
}

/// No reader finds a second field of a name that otab sets, nor a secret, whatever the rules.
fn fields_that_are_set_stand_alone(out: &Out, rules: &Rules) -> Result<(), String> {
    let new: Vec<String> = otobo::fields(&out.added).into_iter().map(|(name, _)| name).collect();
    let secrets: Vec<String> = rules.trusted.iter().map(|t| t.field.to_ascii_lowercase()).collect();
    for (reader, names) in readers::names(promises::header_of(&out.bytes)) {
        let found: Vec<&String> = names.iter().filter(|name| new.contains(name) || secrets.contains(name)).collect();
        let same = found.iter().copied().eq(&new);
        claim(same, || format!("{reader} finds {new:?} once each and no secret, not {found:?}"))?;
    }
    Ok(())
}

/// What a trusted mail states may be encoded in ways that no two readers decode alike; that is its own affair.
fn customer_fields_are_never_missing(out: &Out, rules: &Rules) -> Result<(), String> {
    let fields = otobo::fields(&out.bytes);
    let plain = |value: &[u8]| if out.trusted { String::from_utf8_lossy(value).into_owned() } else { text(value) };
    for name in ["customeruser", "customerno", "customer"].map(|name| rules.prefix.to_ascii_lowercase() + name) {
        let values: Vec<String> = fields.iter().filter(|(other, _)| *other == name).map(|(_, v)| plain(v)).collect();
        let value = values.join(" ");
        let missing = matches!(value.trim(), "" | "0");
        claim(!(rules.protection && missing), || format!("with protection on, {name} says something"))?;
    }
    Ok(())
}

/// A value as OTOBO decodes it.
fn text(value: &[u8]) -> String {
    otobo::decoded(&String::from_utf8_lossy(value))
}

/// From mail that nobody vouches for: first the fields that are meant, decoded; of others only those
/// that are not protected, as they were.
fn control_fields_say_what_is_meant(
    examined: &Examined,
    mail: &[u8],
    out: &Out,
    rules: &Rules,
    Case { standing, login, number }: &Case,
) -> Result<(), String> {
    if out.trusted || !rules.protection {
        return Ok(());
    }
    let own =
        examined.sender.as_ref().ok().map(|mailbox| mailbox.address.to_string()).filter(|address| address.len() <= 150);
    let own = own.filter(|_| *standing == Sender::Free);
    let marker = rules.marker.as_str();
    let login = login.or(own.as_deref()).unwrap_or(marker);
    let number = number.or(own.as_deref()).unwrap_or(marker);
    let mut meant = vec![("CustomerUser", login), ("CustomerNo", number), ("Customer", login)];
    if matches!(standing, Sender::Customer(person) if person.in_backend) && rules.check_box.is_some() {
        meant.push(("DynamicField-Auto", "1"));
    }
    let is_new = examined.kind == policy::Kind::New;
    if matches!(standing, Sender::Customer(_)) && is_new && rules.link_field.is_some() {
        meant.push(("DynamicField-Link", "[[OTAB-LINK]]"));
    }
    let meant = meant.into_iter().map(|(name, value)| ((rules.prefix.clone() + name).to_ascii_lowercase(), value));

    let control = |mail: &[u8]| -> Vec<_> {
        otobo::fields(mail).into_iter().filter(|(name, _)| otobo::is_control(name)).collect()
    };
    let found = control(&out.bytes);
    let (first, others) = found.split_at(meant.len().min(found.len()));
    let same = first.iter().map(|(name, value)| (name.clone(), text(value))).eq(meant.map(|(n, v)| (n, v.to_owned())));
    claim(same, || format!("the control fields say what is meant, not {first:?}"))?;

    let mut before = control(mail);
    before.retain(|(name, _)| rules.protect == Protect::Customer && !is_customer_field(name));
    let odd_break = promises::has_odd_break(mail);
    let kept = before.len() == others.len()
        && before.iter().zip(others).all(|((name, value), (name_left, value_left))| {
            name == name_left && (value == value_left || (odd_break && value.starts_with(value_left)))
        });
    claim(kept, || format!("of other control fields {before:?} are left, not {others:?}"))
}

/// The names that stay protected where `protect` is `customer`.
fn is_customer_field(name: &str) -> bool {
    let bare = ["x-otobo-", "x-otrs-"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or_default();
    let bare = bare.strip_prefix("followup-").unwrap_or(bare);
    ["customeruser", "customerno", "customer", "dynamicfield-auto", "dynamicfield-link"].contains(&bare)
}

/// otab fed with its own output takes its fields away and puts the same there. A bare CR may have hidden
/// the end of a value from the first otab that the second one reads; the third finds nothing more.
fn a_second_otab_changes_nothing(mail: &[u8], out: &Out, rules: &Rules, standing: &Sender) -> Result<(), String> {
    if out.trusted {
        return Ok(());
    }
    let second = promises::filtered(&out.bytes, rules, standing);
    let (first, second) = if promises::has_odd_break(promises::header_of(mail)) {
        let third = promises::filtered(&second.bytes, rules, standing);
        (second, third)
    } else {
        claim(out.settled.token == second.settled.token, || "a second otab wants a token, too".into())?;
        claim(out.settled.link_mail == second.settled.link_mail, || "a second otab wants a link mail, too".into())?;
        return claim(second.bytes == out.bytes, || {
            format!("a second otab writes the same, not {}", shown(&second.bytes))
        });
    };
    claim(first.bytes == second.bytes, || format!("a third otab writes the same, not {}", shown(&second.bytes)))
}

/// As long as the strainer need not give up on a name that has no end.
fn a_strained_block_loses_the_same(header: &Header, mail: &[u8], rules: &Rules) -> Result<(), String> {
    if header.fields().iter().any(|field| field.range.len() > MAX_HELD) {
        return Ok(());
    }
    let protected = policy::stream_protected(rules);
    let marks = new_marker_fields(rules);
    let first_line_end = Terminator::of_first_line(mail);
    let gone = edit::cuts(header, &protected, !marks.is_empty());
    let (count, has_orphans) = (gone.len(), header.fields().iter().any(|field| header.continues(field)));
    let edits: Vec<Edit> = gone.into_iter().map(Edit::Cut).chain(marks.iter().cloned().map(Edit::Add)).collect();
    let mut expected = edit::apply(header, &edits, first_line_end);
    expected.extend_from_slice(otobo::body(mail));

    for size in [1, 13, mail.len().max(1)] {
        let mut stream_filter = StreamFilter::new(&protected, edit::lines(&marks, first_line_end));
        let mut out = Vec::new();
        let mut pieces = mail.chunks(size);
        let over = pieces.by_ref().any(|piece| {
            let used = stream_filter.push(piece, &mut out);
            out.extend_from_slice(&piece[used.unwrap_or(piece.len())..]);
            used.is_some()
        });
        if !over {
            stream_filter.finish(&mut out);
        }
        out.extend(pieces.flatten());
        let same = out == expected && (has_orphans || stream_filter.dropped() == count);
        claim(same, || format!("strained in pieces of {size}, {count} fields go: {}", shown(&out)))?;
    }
    Ok(())
}
