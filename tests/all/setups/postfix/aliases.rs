//! `examples/postfix-aliases`: a command in an alias file.

use std::process::Command;

use super::{Postfix, Workshop};
use crate::setups::{Shipped, give};

pub fn start(stage: &str) -> Postfix {
    let workshop = Workshop::new(stage, "");
    let place = |name: &str| workshop.place(name);
    // Postfix gives the command the user's primary group: as Znuny's user has it, that has to be the web server's.
    let cache = Command::new("chgrp").args(["nogroup", &place("cache")]).status();
    assert!(cache.unwrap().success());
    Shipped::read("postfix-aliases/aliases")
        .with("/usr/local/bin/otab", place("otab-binary"))
        .with("/etc/otab/otab.toml", place("otab.toml"))
        .with("-- /opt/otobo/bin/otobo.Console.pl", format!("-- {}", place("stage")))
        .write(&workshop.site, "etc/otab-aliases");
    let main = format!("alias_maps = hash:{}, hash:{}\n", place("etc/aliases"), place("etc/otab-aliases"));
    std::fs::write(workshop.site.path("etc/main.cf"), "").unwrap();
    let made = Command::new("postalias").arg("-c").arg(place("etc")).arg(place("etc/otab-aliases")).status();
    assert!(made.unwrap().success());
    // As the file says.
    give(&workshop.site, "etc/otab-aliases.db", "nobody");
    workshop.start(&main, "", &[])
}
