//! The example configuration and otab.toml(5), made from the declarations.
//!
//! In the example `#name = value` is a setting at its default, and `# ` begins a line that explains. Defaults are
//! commented out, since a site that copied them would keep them for ever, also those that a later version has a
//! reason to change. What is longer than one line of why, and only for the manual page, is in manual.roff.

use super::super::reader::quoted;
use super::{Kind, SECTIONS, Section, Setting};

/// The widest line of the example, in characters.
const WIDTH: usize = 118;

const HEAD: &str = "The configuration of otab, the one-time auth bridge. Every setting is here, commented out, with its default \
                    or, if it has none, with something that could be written: remove the # in front of those that you \
                    change. Unknown keys are errors; all errors are reported at once. Relative paths count from the \
                    folder that this file is in. Others must not be able to write it.";

/// What the example says other than the default, and tables that count even if they are empty.
const SET: [(&str, &str); 1] = [
    // The example is for the first try, with an empty folder; the default is for later.
    ("store.create", "true"),
];

/// The commented configuration that `otab init` writes: a working one, on the embedded default.
#[must_use]
pub fn example() -> String {
    let mut parts = vec![prose(HEAD)];
    for section in SECTIONS {
        if !section.heading.is_empty() {
            let heading = format!("# --- {} ", section.heading);
            parts.push(format!("\n{heading:-<100}\n"));
        }
        // An empty entry lacks what it must have, and empty preferences are none.
        let is_off = section.is_free || section.path == "postmaster.trusted[]";
        parts.push(format!("\n{}{}\n", if is_off { "#" } else { "" }, header(section)));
        parts.push(prose(section.why));
        for setting in section.settings {
            parts.extend([prose(setting.why), line(section, setting, is_off)]);
        }
    }
    parts.concat()
}

fn line(section: &Section, setting: &Setting, is_off: bool) -> String {
    let path = format!("{}.{}", section.path, setting.name);
    let set = SET.iter().find(|(key, _)| *key == path).map(|(_, value)| (*value).to_owned());
    let is_set = !is_off && (set.is_some() || matches!(setting.kind, Kind::Required(_)));
    let value = set.unwrap_or_else(|| value(&setting.kind));
    format!("{}{} = {value}{}\n", if is_set { "" } else { "#" }, setting.name, note(setting))
}

/// What a value does not show: a number's range, and what holds if the setting is missing.
fn note(setting: &Setting) -> String {
    match setting.kind {
        Kind::Number(_, least, most) => format!("  # {}", range(setting.form, least, most)),
        Kind::OptionalWords(_) if !setting.form.is_empty() => format!("  # {}", setting.form),
        _ => String::new(),
    }
}

fn range(form: &str, least: u32, most: u32) -> String {
    if form.is_empty() { format!("{least} to {most}") } else { format!("{form}, {least} to {most}") }
}

/// A table's header, as TOML has it.
fn header(section: &Section) -> String {
    match section.path.strip_suffix("[]") {
        Some(path) => format!("[[{path}]]"),
        None => format!("[{}]", section.path),
    }
}

/// The default, or what could be written, as TOML.
fn value(kind: &Kind) -> String {
    match kind {
        Kind::Text(text) | Kind::Optional(text) | Kind::Required(text) => quoted(text),
        Kind::Words(words) | Kind::OptionalWords(words) => quoted(words.first().copied().unwrap_or_default()),
        Kind::Number(default, ..) => default.to_string(),
        Kind::Flag(default) => default.to_string(),
        Kind::List(entries) => {
            let entries: Vec<_> = entries.iter().map(|entry| quoted(entry)).collect();
            format!("[{}]", entries.join(", "))
        }
    }
}

/// A paragraph as comment lines.
fn prose(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

#[cfg(test)]
pub(in super::super) use manual::{page, uncommented};

#[cfg(test)]
mod manual {
    //! otab.toml(5).

    use super::*;

    /// A head, and then what the page says beside the declarations: `@ table` or `@ table key`, and lines for the page.
    const PROSE: &str = include_str!("manual.roff");

    /// The example with everything switched on.
    pub fn uncommented() -> String {
        let is_setting = |rest: &&str| !rest.starts_with(' ');
        let on = |line| str::strip_prefix(line, '#').filter(is_setting).unwrap_or(line);
        example().lines().flat_map(|line| [on(line), "\n"]).collect()
    }

    /// The manual page.
    pub fn page() -> String {
        let mut parts = PROSE.split("\n@ ");
        let mut page = vec![parts.next().unwrap().replace("VERSION", env!("CARGO_PKG_VERSION")) + "\n"];
        let mut more: Vec<(&str, &str)> = parts.map(|part| part.split_once('\n').unwrap()).collect();
        let mut take = |place: &str| {
            let at = more.iter().position(|(name, _)| *name == place);
            at.map(|at| format!("{}\n", more.remove(at).1.trim_end())).unwrap_or_default()
        };
        for section in SECTIONS {
            page.push(format!(".SS {}\n{}{}", header(section), roff(section.why), take(section.path)));
            let mut rest = section.settings;
            while let Some((first, others)) = rest.split_first() {
                // Those without a line of their own share it.
                let sharing = others.iter().take_while(|setting| setting.why.is_empty()).count();
                let (sharing, after) = others.split_at(sharing);
                rest = after;
                page.push(format!(".TP\n{}", tag(section, first)));
                page.extend(sharing.iter().map(|setting| format!(".TQ\n{}", tag(section, setting))));
                page.push(roff(first.why));
                for setting in [first].into_iter().chain(sharing) {
                    page.push(take(&format!("{} {}", section.path, setting.name)));
                }
            }
        }
        page.push(take("end"));
        assert!(more.is_empty(), "{more:?} is about nothing");
        page.concat()
    }

    fn tag(section: &Section, setting: &Setting) -> String {
        let words = |words: &[&str]| {
            let quoted: Vec<_> = words.iter().map(|word| quoted(word)).collect();
            let (last, others) = quoted.split_last().unwrap();
            if others.is_empty() { last.clone() } else { format!("{} or {last}", others.join(", ")) }
        };
        let form = setting.form;
        let or = |usual: &str| if form.is_empty() { usual.to_owned() } else { form.to_owned() };
        let form = match setting.kind {
            Kind::Text(_) | Kind::Optional(_) | Kind::Required(_) => or("text"),
            Kind::List(_) => or("list"),
            Kind::Flag(_) => "true or false".to_owned(),
            Kind::Words(all) => words(all),
            Kind::OptionalWords(all) if form.is_empty() => words(all),
            Kind::OptionalWords(all) => format!("{}, {form}", words(all)),
            Kind::Number(_, least, most) => range(form, least, most),
        };
        let is_prose = section.path.starts_with("one_time_auth.messages");
        let default = match setting.kind {
            Kind::Optional(_) | Kind::Required(_) | Kind::OptionalWords(_) => String::new(),
            Kind::Text(_) if is_prose => String::new(),
            _ => format!(", default {}", value(&setting.kind)),
        };
        format!(".BR {} \" ({})\"\n", setting.name, escaped(&(form + &default)))
    }

    /// A paragraph, a sentence a line. What is in backquotes becomes bold.
    fn roff(text: &str) -> String {
        let mut bold = false;
        let mut marked = String::new();
        for c in escaped(text).chars() {
            match c {
                '`' => {
                    bold = !bold;
                    marked += if bold { "\\fB" } else { "\\fR" };
                }
                c => marked.push(c),
            }
        }
        let lines = marked.replace(". ", ".\n");
        let protected = |line: &str| if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        lines.lines().flat_map(|line| [protected(line), line, "\n"]).collect()
    }

    fn escaped(text: &str) -> String {
        text.replace('\\', "\\e").replace('-', "\\-").replace('"', "\\(dq").replace('…', "...")
    }
}
