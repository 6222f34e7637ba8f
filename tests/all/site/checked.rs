//! What `otab check --json` has found.

use std::process::Output;

use serde_json::Value;

use super::Ended;

#[derive(Debug)]
pub struct Checked {
    pub status: Option<i32>,
    pub findings: Vec<Value>,
}

impl Checked {
    #[track_caller]
    pub fn of(output: &Output) -> Self {
        let Value::Array(findings) = output.json() else { panic!("{output:?}") };
        Self { status: output.status.code(), findings }
    }

    fn found(&self, grade: &str, what: &str, says: &str) -> Vec<&Value> {
        let is_it = |finding: &&Value| {
            finding["grade"] == grade && finding["what"] == what && finding["says"].as_str().unwrap().contains(says)
        };
        self.findings.iter().filter(is_it).collect()
    }

    pub fn has(&self, grade: &str, what: &str, says: &str) -> bool {
        self.count(grade, what, says) > 0
    }

    pub fn count(&self, grade: &str, what: &str, says: &str) -> usize {
        self.found(grade, what, says).len()
    }

    /// The remedy of what was found with these words; it holds these.
    #[track_caller]
    pub fn finds(&self, grade: &str, what: &str, says: &str, remedy: &str) -> String {
        let found = self.found(grade, what, says);
        let text = found.first().map(|finding| finding["remedy"].as_str().unwrap().to_owned());
        let text = text.filter(|text| text.contains(remedy));
        text.unwrap_or_else(|| panic!("{grade} {what} {says} {remedy}: {:#?}", self.findings))
    }

    pub fn bad(&self) -> Vec<&Value> {
        self.findings.iter().filter(|finding| finding["grade"] == "bad").collect()
    }

    /// The check has ended with this status.
    #[track_caller]
    pub fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{:#?}", self.findings);
        self
    }

    #[track_caller]
    pub fn clean(self) -> Self {
        assert_eq!((self.status, self.bad().len()), (Some(0), 0), "{:#?}", self.findings);
        self
    }
}
