//! Parents that hand their children more than an environment.

use std::process::Command;

/// The same command by a parent that changes what its children inherit, and becomes the command.
fn inheriting(python: &str, command: &Command) -> Command {
    let mut parent = Command::new("/usr/bin/python3");
    parent.arg("-c").arg(format!("import os, resource, signal, sys\n{python}\nos.execv(sys.argv[1], sys.argv[1:])"));
    parent.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => parent.env(name, value),
            None => parent.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        parent.current_dir(folder);
    }
    parent
}

/// By a parent that ignores SIGCHLD, as some supervisors do.
pub fn ignoring_sigchld(command: &Command) -> Command {
    inheriting("signal.signal(signal.SIGCHLD, signal.SIG_IGN)", command)
}

/// By a parent that lets it leave core files.
pub fn with_cores(command: &Command) -> Command {
    let python = "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]\nassert hard != 0\n\
                  resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))";
    inheriting(python, command)
}
