//! The documents, held against the code: the manual page, the README, the changelog, the architecture
//! page, and what no file of the project may say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::site::Ended;
use otab::config::Config;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(top().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

// --- The manual page ----------------------------------------------------------------------------

/// The manual page's source as a reader sees its words: without escapes.
fn manual() -> String {
    page("man/otab.1").replace("\\-", "-").replace("\\(dq", "\"")
}

/// One section of the manual page, without its heading.
fn section(manual: &str, heading: &str) -> Option<String> {
    let at = manual.find(&format!("\n.SS {heading}\n"))?;
    let rest = manual[at + 1..].split_once('\n')?.1;
    let ends = ["\n.SS ", "\n.SH "].iter().filter_map(|end| rest.find(end));
    Some(rest[..ends.min().unwrap_or(rest.len())].to_owned())
}

/// A whole option, and not the beginning of a longer one.
fn names_option(text: &str, option: &str) -> bool {
    text.match_indices(option).any(|(at, _)| {
        let next = text[at + option.len()..].chars().next();
        next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-')
    })
}

/// Every command that does something, with the words that call it.
fn commands(command: &clap::Command, words: &str, all: &mut Vec<(String, clap::Command)>) {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let words = format!("{words} {}", sub.get_name());
        if sub.has_subcommands() {
            commands(sub, &words, all);
        } else {
            all.push((words, sub.clone()));
        }
    }
}

fn every_command() -> Vec<(String, clap::Command)> {
    let mut all = Vec::new();
    commands(&otab::cli::command_line(), "otab", &mut all);
    assert!(all.len() > 10, "{all:?}");
    all
}

#[test]
fn the_manual_page_has_exactly_the_options_there_are() {
    let manual = manual();
    let mut wrong = Vec::new();
    for (words, command) in every_command() {
        let Some(text) = section(&manual, &words) else {
            wrong.push(format!("no section `{words}`"));
            continue;
        };
        // Those of all commands have a section of their own.
        let own = command.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
        let options: Vec<_> = own.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
        wrong.extend(options.iter().filter(|o| !names_option(&text, o)).map(|o| format!("{words}: no {o}")));
        // An option is documented in the line after .TP; elsewhere it is only mentioned.
        let tags = text.split("\n.TP\n").skip(1).filter_map(|entry| entry.lines().next());
        let documented = tags.filter_map(|line| line.split_once("--"));
        for (_, name) in documented {
            let name: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            if !options.contains(&format!("--{name}")) {
                wrong.push(format!("{words}: --{name} is no option"));
            }
        }
        for value in command.get_positionals().map(|arg| arg.get_id().as_str().to_uppercase()) {
            if !text.contains(&value) {
                wrong.push(format!("{words}: no {value}"));
            }
        }
    }
    let known: BTreeSet<_> = every_command().into_iter().map(|(words, _)| words).collect();
    let documented = manual.lines().filter_map(|line| line.strip_prefix(".SS otab "));
    let gone = documented.map(|words| format!("otab {words}")).filter(|words| !known.contains(words));
    wrong.extend(gone.map(|words| format!("`{words}` is no command")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_options_of_all_commands_are_in_the_manual_page() {
    let manual = manual();
    let options = manual.split(".SH OPTIONS\n").nth(1).unwrap().split("\n.SH ").next().unwrap().to_owned();
    for argument in otab::cli::command_line().get_arguments().filter_map(clap::Arg::get_long) {
        assert!(names_option(&options, &format!("--{argument}")), "{argument}");
    }
}

#[test]
fn every_exit_status_is_in_manual_page_and_readme() {
    let source = page("src/exit.rs");
    let numbers = source.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => "));
    let codes: Vec<_> = numbers.filter_map(|(_, code)| code.trim_end_matches(',').parse::<u8>().ok()).collect();
    assert!(codes.len() >= 16, "{codes:?}");
    for code in codes {
        assert!(manual().contains(&format!("\n.B {code}\n")), "{code} in the manual page");
        assert!(page("README.md").contains(&format!("| {code} |")), "{code} in the README");
    }
}

// --- The README ---------------------------------------------------------------------------------

/// The code blocks of the README in one language, without the indentation of the list around them.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    let readme = page("README.md");
    for line in readme.lines().map(str::trim) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(_)) if line == format!("```{language}") => open = Some(String::new()),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.extend([line, "\n"]),
            _ => {}
        }
    }
    assert!(!blocks.is_empty(), "{language}");
    blocks
}

#[test]
fn every_configuration_in_the_readme_is_a_good_one() {
    for block in blocks("toml") {
        let block = block.replace("replace-me-with-32-random-characters", &"0123456789abcdef".repeat(2));
        if let Err(problems) = Config::parse(&block, Path::new("/etc/otab")) {
            panic!("{block}\n{problems:?}");
        }
    }
}

/// The calls of otab in a line of a shell: the words after `otab`, without redirections.
fn call(line: &str) -> Option<Vec<String>> {
    let line =
        line.strip_prefix("cargo run --release --").map_or_else(|| line.to_owned(), |rest| format!("otab{rest}"));
    let line = line.strip_prefix("sudo ").unwrap_or(&line);
    let words: Vec<String> = line.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect();
    let is_otab = words.first().is_some_and(|word| word == "otab" || word.ends_with("/otab"));
    let is_redirection = |word: &String| ["<", ">", "|", "2>"].contains(&word.as_str());
    let end = words.iter().position(is_redirection).unwrap_or(words.len());
    is_otab.then(|| words[..end].to_vec())
}

/// The calls inside code blocks, pipes of procmail and lines of cron.
fn calls() -> Vec<Vec<String>> {
    let shell = blocks("sh").concat();
    let pipes = blocks("procmail").concat();
    let cron = blocks("cron").concat();
    let mut lines: Vec<String> = shell.lines().map(str::to_owned).collect();
    lines.extend(pipes.lines().filter_map(|line| line.strip_prefix("| ")).map(str::to_owned));
    // Five fields of time, and the user.
    lines.extend(cron.lines().map(|line| line.splitn(7, ' ').nth(6).unwrap_or_default().to_owned()));
    lines.iter().filter_map(|line| call(line)).collect()
}

#[test]
fn otab_understands_every_call_in_the_readme() {
    let calls = calls();
    assert!(calls.len() >= 8, "{calls:?}");
    for words in calls {
        let parsed = otab::cli::command_line().try_get_matches_from(&words);
        assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
    }
}

#[test]
fn commands_named_in_the_readme_exist_or_are_planned() {
    let readme = page("README.md");
    let (present, missing) = readme.split_once("## What is not there yet").unwrap();
    let line = otab::cli::command_line();
    let known: BTreeSet<_> = line.get_subcommands().map(clap::Command::get_name).collect();
    let named = |text: &str| -> BTreeSet<String> {
        let after = text.split("`otab ").skip(1);
        after.filter_map(|rest| rest.split([' ', '`']).next()).map(str::to_owned).collect()
    };
    let is_word = |name: &&String| name.bytes().all(|b| b.is_ascii_lowercase());
    for name in named(present).iter().filter(is_word) {
        assert!(known.contains(name.as_str()), "otab {name} does not exist");
    }
    for name in named(missing).iter().filter(|name| !["redeem", "refresh"].contains(&name.as_str())) {
        assert!(!known.contains(name.as_str()), "otab {name} exists by now");
    }
}

#[test]
fn the_readmes_first_two_commands_can_be_run() {
    let first = blocks("sh").remove(0);
    let mut lines = first.lines();
    let (call, mail) = lines.next().unwrap().split_once(" < ").unwrap();
    assert_eq!(call, "cargo run --release -- --config otab.toml.example filter");
    assert!(top().join("otab.toml.example").is_file());
    assert!(top().join(mail).is_file(), "{mail} is missing");
    assert_eq!(lines.next(), Some("./run-tests --install"));
    assert_eq!(lines.next(), None);
}

/// What follows a word of the README's shell blocks, up to the next space, wherever it stands.
fn after(word: &str) -> BTreeSet<String> {
    let blocks = blocks("sh").join("\n");
    let found = blocks.split(word).skip(1).filter_map(|rest| rest.split_whitespace().next());
    found.map(str::to_owned).collect()
}

#[test]
fn the_static_build_is_the_targets_own() {
    // No target has flags of its own: an address-space layout that is random is the default of the static build, too.
    let set_up = page(".cargo/config.toml");
    let settings: Vec<_> = set_up.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let ["[env]", sqlite] = settings[..] else { panic!("{settings:?}") };
    let flags = sqlite.strip_prefix("LIBSQLITE3_FLAGS = \"").and_then(|rest| rest.strip_suffix('"')).unwrap();
    assert!(flags.split(' ').all(|flag| flag.starts_with("-USQLITE_ENABLE_")), "{flags}");

    let target = "x86_64-unknown-linux-musl";
    let one = BTreeSet::from([target.to_owned()]);
    assert_eq!(after("rustup target add "), one);
    assert_eq!(after("cargo build --release --locked --target "), one);
    assert_eq!(after("--target "), one);
    assert!(after("install -m 755 ").contains(&format!("target/{target}/release/otab")));
}

// --- The others ---------------------------------------------------------------------------------

#[test]
fn changelog_and_manual_page_know_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let changelog = page("CHANGELOG.md");
    assert!(changelog.lines().any(|line| line.starts_with(&format!("## {version}"))));
    assert!(manual().contains(&format!("otab {version}\"")));
}

#[test]
fn the_tests_that_the_architecture_page_names_exist() {
    let files = ["src", "tests"].map(super::rooms::files).concat();
    let code: String = files.iter().map(|(_, text)| text.as_str()).collect();
    let page = page("ARCHITECTURE.md");
    let names: Vec<_> = page.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() >= 4).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(code.contains(&format!("fn {name}(")), "no test is called {name}");
    }
}

#[test]
fn the_documents_name_files_that_exist() {
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = page(name);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with('#') && !link.contains(':')) {
            assert!(top().join(link).exists(), "{name}: {link}");
        }
        let headings: BTreeSet<_> = text.lines().filter(|l| l.starts_with("##")).map(anchor).collect();
        let within = text.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
        for link in within {
            assert!(headings.contains(link), "{name}: #{link}");
        }
    }
}

/// A heading's anchor, as forges make it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The tracked files that are text. Outside a repository, as in a package, there are none to look at.
fn tracked() -> Vec<(String, String)> {
    if !top().join(".git").exists() {
        return Vec::new();
    }
    // A clone may belong to another user than the one who runs the tests.
    let arguments = ["-c", "safe.directory=*", "ls-files", "-z"];
    let output = Command::new("git").args(arguments).current_dir(top()).output().unwrap().says(0);
    let names = output.out();
    let names = names.split('\0').filter(|name| !name.is_empty() && !name.starts_with("target/"));
    names.filter_map(|name| Some((name.to_owned(), fs::read_to_string(top().join(name)).ok()?))).collect()
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    // Put together here, so that this file does not find itself.
    let needles =
        [["/ro", "ot/"], ["/ho", "me/"], ["/wo", "rk/"], ["/Us", "ers/"], ["/tmp/", "otab"], [".car", "go/reg"]];
    for (name, text) in tracked() {
        for needle in needles.map(|parts| parts.concat()) {
            let line = text.lines().position(|line| line.contains(&needle));
            assert!(line.is_none(), "{name}:{}: {needle}", line.unwrap_or_default() + 1);
        }
    }
}
