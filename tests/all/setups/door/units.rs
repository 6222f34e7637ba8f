//! `examples/systemd/otab.service`, `otab.socket` and `otab-worker.service`, `examples/otobo` and `examples/znuny`. systemd itself does not run here: its own
//! checker reads the units, and weighs what the service may still do.

use std::process::{Command, Output};

use super::portal::PROXY_SECRET;
use crate::setups::Shipped;
use crate::site::{Ended, Site};

/// What systemd calls the exposure, in tenths; the worst is 100.
const MOST_EXPOSURE: &str = "15";

/// The shipped units in the site, with their paths changed.
fn units(site: &Site) {
    for service in ["otab.service", "otab-worker.service"] {
        Shipped::read(&format!("systemd/{service}"))
            .with("/usr/local/bin/otab", env!("CARGO_BIN_EXE_otab"))
            .with("/etc/otab/otab.toml", site.path("otab.toml").display())
            .write(site, service);
    }
    Shipped::read("systemd/otab.socket").write(site, "otab.socket");
}

fn analyze(site: &Site, words: &[&str]) -> Output {
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(words).arg(site.path("otab.service"));
    if words[0] == "verify" {
        analyze.arg(site.path("otab.socket")).arg(site.path("otab-worker.service"));
    }
    analyze.output().unwrap()
}

const VERIFY: [&str; 2] = ["verify", "--man=no"];
const SECURITY: [&str; 4] = ["security", "--offline=yes", "--no-pager", "--threshold"];

#[test]
fn systemd_has_nothing_to_say_against_the_doors_units() {
    let site = Site::new("");
    units(&site);
    let output = analyze(&site, &VERIFY);
    assert!(output.status.success() && output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
    for (unit, right, wrong) in [
        ("otab.service", "ProtectSystem=", "ProtectSytem="),
        ("otab.service", "Type=notify", "Type=notified"),
        ("otab.service", "SystemCallFilter=@system-service", "SystemCallFilter=@system-servant"),
        ("otab.service", "ExecStart=/", "ExecStart=/no/such"),
        ("otab.service", "ExecReload=/bin/kill", "ExecReload=/no/such"),
        ("otab-worker.service", "KillMode=process", "KillMode=processes"),
        ("otab.socket", "SocketMode=0660", "SocketMode=group"),
        ("otab.socket", "ListenStream=", "ListenSteam="),
    ] {
        units(&site);
        let text = std::fs::read_to_string(site.path(unit)).unwrap();
        assert!(text.contains(right), "{right}");
        site.write(unit, &text.replace(right, wrong));
        assert!(!analyze(&site, &VERIFY).stderr.is_empty(), "{wrong}");
    }
}

#[test]
fn the_units_call_serve_with_one_part_each() {
    for (unit, part) in [("otab.service", "portal"), ("otab-worker.service", "worker")] {
        let text = Shipped::read(&format!("systemd/{unit}")).text();
        let call = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        assert!(call.ends_with(&format!(" serve {part}")), "{call}");
        assert!(otab::cli::command_line().try_get_matches_from(call.split_whitespace()).is_ok(), "{call}");
        // Else a reload would end it.
        assert!(text.contains("\nType=notify\n") && text.contains("\nExecReload=/bin/kill -HUP $MAINPID\n"), "{text}");
    }
    // As with otab-notify.service: Postfix's sendmail is set-group-ID, and others go on in the background.
    let worker = Shipped::read("systemd/otab-worker.service").text();
    for implies in ["NoNewPrivileges=y", "RestrictAddressFamilies", "PrivateDevices", "SystemCallFilter"] {
        assert!(!worker.lines().any(|line| line.starts_with(implies)), "{implies}");
    }
    assert!(worker.contains("\nKillMode=process\n"));
}

#[test]
fn the_door_may_do_little_besides_its_work() {
    let site = Site::new("");
    units(&site);
    let output = analyze(&site, &[&SECURITY[..], &[MOST_EXPOSURE]].concat());
    assert!(output.status.success(), "{}", output.out());
    let text = site.read("otab.service");
    for line in
        ["NoNewPrivileges=yes", "SystemCallFilter=@system-service", "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"]
    {
        site.write("otab.service", &text.replace(line, ""));
        let output = analyze(&site, &[&SECURITY[..], &["1"]].concat());
        assert!(!output.status.success(), "{line}");
    }
}

/// A helpdesk's `sub Load` with these lines: what they set, or what Perl says against them.
fn set_by(lines: &str) -> Result<String, String> {
    let site = Site::new("");
    let program = format!(
        "use strict; use warnings; sub Load {{ my $Self = shift;\n{lines}\n}} my %S; Load(\\%S); print \"$_=$S{{$_}}\\n\" for sort keys %S;\n"
    );
    let output = Command::new("perl").arg(site.write("load.pl", &program)).output().unwrap();
    if !output.status.success() {
        return Err(output.err());
    }
    assert!(output.stderr.is_empty(), "{output:?}");
    Ok(output.out())
}

fn shipped(name: &str) -> String {
    Shipped::read(name).text()
}

const MODULES: &str = "Customer::AuthModule=Kernel::System::CustomerAuth::DB\n\
                       Customer::AuthModule1=Kernel::System::CustomerAuth::HTTPBasicAuth\n";
const LOGOUT: &str = "CustomerPanelLogoutURL=/otab/logout\n";

#[test]
fn the_lines_for_otobo_set_this_and_nothing_else() {
    let lines = shipped("otobo/Config.pm");
    assert_eq!(set_by(&lines).unwrap(), format!("{MODULES}{LOGOUT}"));
    // No secret is shipped: one that everybody can read would be none, and neither would an empty one.
    let taken_in = lines.replace("# $Self", "$Self");
    assert!(set_by(&taken_in).unwrap_err().contains("syntax error"));
    let ours = taken_in.replace("64 digits of openssl rand -hex 32, between quotes", &format!("'{PROXY_SECRET}'"));
    let trust = "Customer::AuthModule::HTTPBasicAuth::TrustProxyHeader1=1\n";
    let expected = format!("{MODULES}{trust}{LOGOUT}WebServer::ProxySecret={PROXY_SECRET}\n");
    assert_eq!(set_by(&ours).unwrap(), expected);
}

#[test]
fn the_lines_for_znuny_set_this_and_nothing_else() {
    assert_eq!(set_by(&shipped("znuny/Config.pm")).unwrap(), format!("{MODULES}{LOGOUT}"));
}
