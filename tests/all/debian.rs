//! `tests/debian.sh`, by which `./run-tests --install` and `benches/run --install` change the machine: with stand-ins for
//! Debian's programs, and another root than the machine's.

use crate::site::Ended;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A machine: its root, and the programs that stand in for Debian's.
struct Machine {
    folder: tempfile::TempDir,
}

/// Services that this machine has of its own.
const OWN: [&str; 3] = [
    "etc/systemd/system/multi-user.target.wants/exim4.service",
    "etc/systemd/system/sshd.service",
    "etc/rc2.d/S01exim4",
];

/// What the maintainer scripts of nginx do, and of a daemon with a socket, which masks another one.
const ENABLE: &str = "\
    mkdir -p $root/etc/systemd/system/sockets.target.wants $root/etc/systemd/user/default.target.wants $root/etc/rcS.d\n\
    ln -s /lib/systemd/system/nginx.service $root/etc/systemd/system/multi-user.target.wants/nginx.service\n\
    ln -s /lib/systemd/system/nginx.service $root/etc/systemd/system/httpd.service\n\
    ln -s /lib/systemd/system/dovecot.socket $root/etc/systemd/system/sockets.target.wants/dovecot.socket\n\
    ln -s /lib/systemd/user/agent.service $root/etc/systemd/user/default.target.wants/agent.service\n\
    ln -s /dev/null $root/etc/systemd/system/masked.service\n\
    ln -s ../init.d/nginx $root/etc/rc2.d/S02nginx\nln -s ../init.d/nginx $root/etc/rcS.d/S02nginx\n\
    ln -s ../init.d/nginx $root/etc/rc0.d/K01nginx\n";

impl Machine {
    /// `simulated`: what apt-get says of its plan. `installs`: what an install does, in shell lines.
    fn new(simulated: &str, installs: &str) -> Self {
        let this = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "root/usr/sbin", "root/run/systemd/system", "root/etc/rc0.d", "root/etc/rc2.d"] {
            fs::create_dir_all(this.path(folder)).unwrap();
        }
        fs::create_dir_all(this.path("root/etc/systemd/system/multi-user.target.wants")).unwrap();
        for own in OWN {
            symlink("/lib/own", this.path("root").join(own)).unwrap();
        }
        fs::write(this.path("simulated"), simulated).unwrap();
        let here = this.folder.path().display();
        let head = format!("#!/bin/bash\nroot={here}/root\nprintf '%s %s\\n' \"${{0##*/}}\" \"$*\" >> {here}/calls\n");
        let policy = "$root/usr/sbin/policy-rc.d nginx start; [[ $? == 101 ]] || echo 'nginx would start' >> ";
        this.program("apt-get", &format!(
            "{head}case \" $* \" in\n*' -s '*) cat {here}/simulated ;;\n*' install '*)\n{policy}{here}/calls\n{installs}\n;;\nesac\n"
        ));
        this.program("dpkg-query", "#!/bin/bash\n[[ ${!#} == bash ]] && printf installed || exit 1\n");
        this.program("systemctl", &head);
        this.program("sudo", "#!/bin/bash\nexec \"$@\"\n");
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        fs::write(self.path("bin").join(name), text).unwrap();
        fs::set_permissions(self.path("bin").join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Has the package bash, which is there, and nginx, which is not.
    fn need(&self, install: &str) -> Output {
        let script = format!(
            "set -euo pipefail\nfail() {{ printf 'trial: %s\\n' \"$*\" >&2; exit 1; }}\ndebian_root={}\n\
             source tests/debian.sh\nneed_packages {install} bash nginx\necho done\n",
            self.path("root").display()
        );
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).env("PATH", path).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        self.path("root").join(name).symlink_metadata().is_ok()
    }

    /// Nothing that the install brought starts, and all that was there does.
    fn is_as_quiet_as_before(&self) {
        for own in OWN {
            assert!(self.has(own), "{own}");
        }
        let find = "find etc -path '*/etc/*' -o -type l ! -lname /dev/null ! -name 'K*' -print | sort";
        let found = Command::new("sh").args(["-c", find]).current_dir(self.path("root")).output().unwrap();
        let mut own = OWN;
        own.sort_unstable();
        assert_eq!(String::from_utf8(found.stdout).unwrap().lines().collect::<Vec<_>>(), own);
        assert!(!self.has("usr/sbin/policy-rc.d"));
        assert!(!self.calls().contains("would start"), "{}", self.calls());
    }
}

fn said(output: &Output) -> String {
    output.err()
}

#[test]
fn a_package_that_would_be_removed_ends_the_install() {
    let plan = "Remv exim4-daemon-light [4.96] [exim4-base:amd64 ]\nRemv exim4-base [4.96]\nInst nginx (1.22 Debian)\n";
    let machine = Machine::new(plan, ENABLE);
    let output = machine.need("yes");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("nginx would remove exim4-base exim4-daemon-light") && text.contains("throw-away"), "{text}");
    assert!(output.stdout.is_empty() && !machine.calls().contains("install -q -y"), "{}", machine.calls());
    machine.is_as_quiet_as_before();
}

#[test]
fn services_that_the_install_brought_are_disabled() {
    let machine = Machine::new("Inst nginx (1.22 Debian)\n", ENABLE);
    let output = machine.need("yes");
    let text = said(&output);
    assert!(output.status.success() && output.stdout == b"done\n", "{text}");
    assert!(
        text.contains(
            "disabled again, since the install enabled them: agent.service dovecot.socket httpd.service nginx"
        )
    );
    let calls = machine.calls();
    assert!(calls.contains("apt-get install -q -y --no-remove --no-install-recommends nginx\n"), "{calls}");
    assert!(calls.ends_with("systemctl daemon-reload\n"), "{calls}");
    machine.is_as_quiet_as_before();
    for kept in ["etc/systemd/system/masked.service", "etc/rc2.d/K02nginx", "etc/rcS.d/K02nginx", "etc/rc0.d/K01nginx"]
    {
        assert!(machine.has(kept), "{kept}");
    }
}

#[test]
fn without_systemd_it_is_the_same() {
    let machine = Machine::new("", ENABLE);
    fs::remove_dir(machine.path("root/run/systemd/system")).unwrap();
    assert!(machine.need("yes").status.success());
    assert!(!machine.calls().contains("systemctl"));
    machine.is_as_quiet_as_before();
    // Where no service comes, nothing is said of any.
    let quiet = Machine::new("", "");
    let output = quiet.need("yes");
    assert!(output.status.success() && !said(&output).contains("disabled"), "{}", said(&output));
}

#[test]
fn an_install_that_fails_leaves_nothing_that_starts() {
    // apt-get fails, or somebody ends the shell that waits for it.
    for ends in ["exit 100", "kill -TERM $PPID"] {
        let machine = Machine::new("", &format!("{ENABLE}{ends}"));
        let output = machine.need("yes");
        let text = said(&output);
        assert!(!output.status.success() && output.stdout.is_empty(), "{ends}: {text}");
        assert_eq!(text.contains("apt-get could not install nginx"), ends == "exit 100", "{text}");
        assert!(text.contains("disabled again"), "{ends}: {text}");
        machine.is_as_quiet_as_before();
    }
}

#[test]
fn the_machines_own_policy_stays_and_has_to_forbid() {
    let machine = Machine::new("", ENABLE);
    let policy = machine.path("root/usr/sbin/policy-rc.d");
    let own = |status: u8| {
        fs::write(&policy, format!("#!/bin/sh\nexit {status}\n")).unwrap();
        fs::set_permissions(&policy, PermissionsExt::from_mode(0o755)).unwrap();
    };
    own(0);
    let output = machine.need("yes");
    assert!(output.status.code() == Some(1) && said(&output).contains("lets new services start"), "{}", said(&output));
    assert!(policy.exists() && !machine.calls().contains("install -q -y"));
    own(101);
    assert!(machine.need("yes").status.success());
    assert_eq!(fs::read_to_string(&policy).unwrap(), "#!/bin/sh\nexit 101\n");
    fs::remove_file(&policy).unwrap();
    machine.is_as_quiet_as_before();
}

#[test]
fn without_install_only_what_is_missing_is_named() {
    let machine = Machine::new("", ENABLE);
    let output = machine.need("no");
    let text = said(&output);
    assert!(output.status.code() == Some(1) && text.contains("missing Debian packages: nginx ("), "{text}");
    assert!(machine.calls().is_empty());
    machine.is_as_quiet_as_before();
}

#[test]
fn nothing_else_installs_packages() {
    let read = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    for name in ["run-tests", "benches/run"] {
        let text = read(name);
        assert!(!text.contains("apt-get") && text.contains("source tests/debian.sh"), "{name}");
        assert!(text.contains("throw-away machine"), "{name}");
    }
    let readme = read("README.md");
    for command in ["./run-tests --install", "benches/run --install"] {
        let after = readme.split(command).nth(1).unwrap();
        assert!(after.chars().take(1500).collect::<String>().contains("throw-away machine"), "{command}");
    }
}
