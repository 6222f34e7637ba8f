//! The programs that hand one mail over and look at one exit status: procmail and maildrop, with each of
//! the files in `examples/`, in a site of their own. The ticket system is a stand-in.

use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use super::{Shipped, for_user, user};
use crate::site::{Site, run};

/// What the ticket system does with a mail that it takes.
pub const TAKES: &str = "cat > ../arrived.$$";

/// The ticket system's home in the site.
pub const HOME: &str = "opt/otobo";

/// A file of `examples/`, and who runs it.
#[derive(Clone, Copy)]
pub struct Agent {
    pub file: &'static str,
    pub run_by: &'static str,
    /// Whether otab itself starts the ticket system.
    pub delivers: bool,
}

const fn agent(file: &'static str, run_by: &'static str, delivers: bool) -> Agent {
    Agent { file, run_by, delivers }
}

/// All of them.
pub const AGENTS: [Agent; 5] = [
    agent("procmail/filter.procmailrc", "procmail", false),
    agent("procmail/deliver.procmailrc", "procmail", true),
    agent("procmail/otobo.procmailrc", "procmail", false),
    agent("maildrop/filter.mailfilter", "maildrop", false),
    agent("maildrop/deliver.mailfilter", "maildrop", true),
];

pub const PROCMAIL_DELIVER: Agent = AGENTS[1];
pub const OTOBO: Agent = AGENTS[2];
pub const MAILDROP_FILTER: Agent = AGENTS[3];
pub const MAILDROP_DELIVER: Agent = AGENTS[4];

/// An agent at work in a site.
pub struct Trial {
    pub site: Site,
    pub agent: Agent,
    /// The set-up, as it is run.
    pub text: String,
}

impl Trial {
    /// The shipped file with its paths changed, and a ticket system that takes what it gets.
    pub fn new(agent: Agent) -> Self {
        Self::with(agent, "", |shipped| shipped)
    }

    /// The same with more configuration, and more changes to the file.
    pub fn with(agent: Agent, config: &str, change: impl FnOnce(Shipped) -> Shipped) -> Self {
        let site = Site::new(config);
        std::fs::create_dir_all(site.path(HOME).join("var/log")).unwrap();
        std::fs::create_dir(site.path(HOME).join("bin")).unwrap();
        symlink("otobo", site.path("opt/znuny")).unwrap();
        for name in ["otobo", "znuny"] {
            stand_in(&site, &format!("{HOME}/bin/{name}.Console.pl"), "");
        }
        let shipped = change(Shipped::read(agent.file))
            .with("/usr/local/bin/otab", env!("CARGO_BIN_EXE_otab"))
            .with("/etc/otab/otab.toml", site.path("otab.toml").display());
        let shipped = match agent.file {
            "procmail/otobo.procmailrc" => shipped.with("=$HOME", format!("={}", site.path(HOME).display())),
            _ => shipped.with("/opt/", format!("{}/", site.path("opt").display())),
        };
        let trial = Self { site, agent, text: shipped.text() };
        trial.ticket_system(TAKES);
        trial
    }

    /// What the ticket system does from now on, in shell lines.
    pub fn ticket_system(&self, lines: &str) {
        let read = format!("[ \"$*\" = Maint::PostMaster::Read ] || exit 64\n{lines}\n");
        for name in ["otobo", "znuny"] {
            self.site.write(&format!("{HOME}/bin/{name}.Console.pl.sh"), &read);
        }
    }

    /// Hands a mail over, as a mail server does, and waits.
    pub fn hand_over(&self, sender: &str, mail: &[u8]) -> Output {
        let mut command = Command::new(self.agent.run_by);
        command.current_dir(self.site.folder()).env_remove("OTAB_CONFIG");
        if self.agent.run_by == "procmail" {
            let recipes = self.site.write("procmailrc", &self.text);
            let place = |name: &str| format!("{}={}", name.to_uppercase(), self.site.path(name).display());
            command.args(["-m", &place("default"), &place("orgmail")]).arg(recipes);
            let sender = if sender.is_empty() { "MAILER-DAEMON" } else { sender };
            let line = format!("From {sender}  Fri Nov 20 20:20:20 2026\n");
            return run(&mut command, &[line.as_bytes(), mail].concat());
        }
        // maildrop knows no other way to say where mail goes that no rule has taken.
        let default = format!("DEFAULT=\"{}\"\n", self.site.path("default").display());
        command.args(["-f", sender]).arg(self.site.write("mailfilter", &(default + &self.text)));
        run(&mut command, mail)
    }

    /// Hands a mail over as a mail server does that runs as root: the user nobody, at home in the ticket
    /// system's folder, has the shipped file as his own. Only the path of otab and its configuration is changed.
    pub fn hand_over_to_nobody(&self, command: &str, name: &str, mail: &[u8]) -> Output {
        let site = &self.site;
        for_user(site, "nobody");
        Shipped::read(self.agent.file)
            .with("/usr/local/bin/otab", site.path("otab-binary").display())
            .with("/etc/otab/otab.toml", site.path("otab.toml").display())
            .write(site, &format!("{HOME}/{name}"));
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let others = passwd.lines().filter(|line| !line.starts_with("nobody:"));
        let (uid, gid) = user("nobody");
        let home = format!("nobody:x:{uid}:{gid}::{}:/usr/sbin/nologin", site.path(HOME).display());
        site.write("passwd", &(others.collect::<Vec<_>>().join("\n") + "\n" + &home + "\n"));
        // Where mail would go that no rule has taken.
        std::fs::create_dir(site.path("mail")).unwrap();
        let script = "chown -R nobody . && mount --bind passwd /etc/passwd && mount --bind opt /opt \
            && mount --bind mail /var/mail || exit 111; exec ";
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-c", &format!("{script}{command}")]).current_dir(site.folder());
        let output = run(&mut unshare, mail);
        // procmail makes the mailbox, in case it is needed.
        let mailbox = std::fs::metadata(site.path("mail/nobody")).map_or(0, |mailbox| mailbox.len());
        assert_eq!(mailbox, 0, "{output:?}");
        output
    }

    /// The mails that have arrived, and those that lie anywhere else.
    pub fn arrived(&self) -> Vec<Vec<u8>> {
        for place in ["default", "orgmail"] {
            assert!(!self.site.path(place).exists(), "{}: {place}", self.agent.file);
        }
        let names = std::fs::read_dir(self.site.path(HOME)).unwrap().map(|entry| entry.unwrap().path());
        let names = names.filter(|path| path.to_string_lossy().contains("/arrived"));
        names.map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// Hands over a mail that arrives, and is the only one so far.
    pub fn the_one(&self, sender: &str, mail: &[u8]) -> String {
        let output = self.hand_over(sender, mail);
        assert!(output.status.success(), "{}: {output:?}", self.agent.file);
        let arrived = self.arrived();
        assert_eq!(arrived.len(), 1, "{}", self.agent.file);
        String::from_utf8_lossy(&arrived[0]).into_owned()
    }

    /// Hands over a mail that has to be kept by the mail server, and is delivered nowhere.
    pub fn deferred(&self, mail: &[u8]) {
        let output = self.hand_over("carol@corp.test", mail);
        assert_eq!(output.status.code(), Some(75), "{}: {output:?}", self.agent.file);
        assert!(self.arrived().is_empty(), "{}", self.agent.file);
    }

    /// How many customers and tokens there are.
    pub fn counts(&self) -> (i64, i64) {
        self.site.counts()
    }
}

/// A program that runs shell lines, in the folder that it stands in. A child copies it: a program that
/// this process has open for writing cannot be run, and neither while a fork of another thread has.
pub fn stand_in(site: &Site, name: &str, lines: &str) {
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/setups/stand-in");
    assert!(Command::new("cp").arg(from).arg(site.path(name)).status().unwrap().success());
    site.write(&format!("{name}.sh"), lines);
}
