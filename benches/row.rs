//! One row of the table: what was measured, what is to be reached, and whether it is.

use serde_json::{Value, json};

use crate::figures::Spread;

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// So many times the yardstick.
    Ratio,
    /// Things.
    Count,
    /// Bytes in KiB.
    Kibibytes,
    /// Milliseconds.
    Millis,
}

impl Unit {
    /// A value as people read it.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Ratio => format!("{value:.2}"),
            Self::Count => format!("{value:.0}"),
            Self::Kibibytes if value >= 1024.0 => format!("{:.1} MiB", value / 1024.0),
            Self::Kibibytes => format!("{value:.0} KiB"),
            Self::Millis => format!("{value:.1} ms"),
        }
    }
}

/// What is to be reached, and what is aimed for.
#[derive(Debug, Clone, Copy)]
struct Goal {
    reach: f64,
    aim: f64,
    more_is_better: bool,
}

/// A row. Rows without a goal are for information.
#[derive(Debug, Clone)]
pub struct Row {
    work: String,
    unit: Unit,
    value: f64,
    spread: Option<Spread>,
    goal: Option<Goal>,
    noise: Option<String>,
    note: Option<String>,
}

impl Row {
    /// One value.
    pub fn new(work: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self { work: work.into(), unit, value, spread: None, goal: None, noise: None, note: None }
    }

    /// The median of many ratios, with its quartiles.
    pub fn ratio(work: impl Into<String>, spread: Spread) -> Self {
        Self { spread: Some(spread), ..Self::new(work, Unit::Ratio, spread.median) }
    }

    /// At most `reach`, better `aim`.
    #[must_use]
    pub fn below(self, reach: f64, aim: f64) -> Self {
        Self { goal: Some(Goal { reach, aim, more_is_better: false }), ..self }
    }

    /// At least `reach`, better `aim`.
    #[must_use]
    pub fn above(self, reach: f64, aim: f64) -> Self {
        Self { goal: Some(Goal { reach, aim, more_is_better: true }), ..self }
    }

    /// What made the measurement doubtful, if anything.
    #[must_use]
    pub fn noise(self, noise: Option<String>) -> Self {
        Self { noise, ..self }
    }

    /// What to know about the value.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// `aimed`, `reached` or `missed`; nothing where there is no goal.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        let Some(goal) = self.goal else { return "" };
        let holds = |limit: f64| if goal.more_is_better { self.value >= limit } else { self.value <= limit };
        match (holds(goal.aim), holds(goal.reach)) {
            (true, _) => "aimed",
            (false, true) => "reached",
            (false, false) => "missed",
        }
    }

    /// The heading of [`Row::lines`].
    #[must_use]
    pub fn heading() -> String {
        line("work: measure", "measured", "quartiles", "to reach", "to aim for", "verdict")
    }

    /// The row as text of at most 120 columns, and what is to be said of it below.
    #[must_use]
    pub fn lines(&self) -> String {
        let quartiles = self
            .spread
            .map_or_else(String::new, |s| format!("{} to {}", self.unit.text(s.low), self.unit.text(s.high)));
        let goal = |limit: fn(&Goal) -> f64| {
            self.goal.as_ref().map_or_else(String::new, |goal| {
                format!("{} {}", if goal.more_is_better { ">=" } else { "<=" }, self.unit.text(limit(goal)))
            })
        };
        let [value, reach, aim] = [self.unit.text(self.value), goal(|g| g.reach), goal(|g| g.aim)];
        let row = line(&self.work, &value, &quartiles, &reach, &aim, self.verdict());
        let note = self.note.as_ref().map(|note| format!("    {note}"));
        let noise = self.noise.as_ref().map(|noise| format!("    the machine was too noisy for this row: {noise}"));
        [Some(row), note, noise].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// The row for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "work": self.work,
            "unit": format!("{:?}", self.unit).to_lowercase(),
            "value": self.value,
            "quartiles": self.spread.map(|s| [s.low, s.high]),
            "reach": self.goal.map(|goal| goal.reach),
            "aim": self.goal.map(|goal| goal.aim),
            "more_is_better": self.goal.map(|goal| goal.more_is_better),
            "verdict": self.verdict(),
            "noise": self.noise,
            "note": self.note,
        })
    }
}

fn line(work: &str, value: &str, quartiles: &str, reach: &str, aim: &str, verdict: &str) -> String {
    format!("{work:<57} {value:>9} {quartiles:>14} {reach:>11} {aim:>11}  {verdict}").trim_end().to_owned()
}
