//! What came of a run. Nobody says more than they have to: who succeeds is silent on standard error, who fails prints
//! nothing, unless the test says otherwise.

use std::process::Output;

use serde_json::Value;

pub trait Ended: Sized {
    /// It has ended with this status, in silence: with 0 nothing on standard error, with an error nothing on
    /// standard output.
    fn ends(self, status: i32) -> Self;
    /// It has ended with this status, whatever it said.
    fn says(self, status: i32) -> Self;
    /// 75, nothing on standard output, one harmless line on standard error.
    fn is_deferred(&self, what: &str);
    fn out(&self) -> String;
    fn err(&self) -> String;
    /// Both.
    fn said(&self) -> String {
        self.out() + &self.err()
    }
    fn json(&self) -> Value;
}

impl Ended for Output {
    #[track_caller]
    fn ends(self, status: i32) -> Self {
        let silent = match status {
            0 => &self.stderr,
            64.. => &self.stdout,
            _ => &Vec::new(),
        };
        assert_eq!((self.status.code(), silent.is_empty()), (Some(status), true), "{self:?}");
        self
    }

    #[track_caller]
    fn says(self, status: i32) -> Self {
        assert_eq!(self.status.code(), Some(status), "{self:?}");
        self
    }

    #[track_caller]
    fn is_deferred(&self, what: &str) {
        assert_eq!((self.status.code(), self.out().as_str()), (Some(75), ""), "{what}: {self:?}");
        is_one_harmless_line(&self.err(), what);
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// What a stranger may read.
#[track_caller]
pub fn is_one_harmless_line(text: &str, what: &str) {
    assert!(text.starts_with("4.3.0 ") && text.matches('\n').count() == 1, "{what}: {text:?}");
    for secret in ["@", "/", "://", "carol", "otab.db", "otab.toml"] {
        assert!(!text.contains(secret), "{what}: {text:?}");
    }
}
