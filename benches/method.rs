//! The whole method: otab and a yardstick in turns, and the yardstick a second time as a control. Only times of one round
//! are compared with each other; a row is the median of these ratios.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::Result;
use crate::figures::{Spread, median, ratios};

/// No further round begins after that, once there are [`FEWEST`]: fewer have no quartiles worth the name.
const TIME: Duration = Duration::from_mins(2);
const FEWEST: usize = 5;

/// What came of the rounds, one value each.
#[derive(Debug, Default)]
pub struct Rounds {
    /// Of the yardstick.
    pub yardstick: Vec<f64>,
    /// Of otab.
    pub ours: Vec<f64>,
    /// Of the yardstick again.
    pub control: Vec<f64>,
}

/// Runs the three in turns, behind some rounds that do not count: yardstick and otab take turns in going first, and so do yardstick and control.
pub fn alternate(
    most: usize,
    mut yardstick: impl FnMut() -> Result<f64>,
    mut ours: impl FnMut() -> Result<f64>,
) -> Result<Rounds> {
    let warm = most / 15;
    let (mut rounds, mut start) = (Rounds::default(), Instant::now());
    for round in 0..warm + most {
        if round == warm {
            (rounds, start) = (Rounds::default(), Instant::now());
        }
        if round >= warm + FEWEST && start.elapsed() > TIME {
            break;
        }
        for side in [[0, 1, 2], [1, 0, 2], [2, 0, 1], [2, 1, 0]][round % 4] {
            match side {
                0 => rounds.yardstick.push(yardstick()?),
                1 => rounds.ours.push(ours()?),
                _ => rounds.control.push(yardstick()?),
            }
        }
    }
    Ok(rounds)
}

impl Rounds {
    /// Shows the row: otab to the yardstick, and what is to be reached.
    pub fn tell(&self, work: &str, most: f64) {
        let Some(spread) = Spread::of(&ratios(&self.ours, &self.yardstick)) else { return };
        let millis = |seconds: &[f64]| median(seconds).unwrap_or_default() * 1000.0;
        let note =
            format!("{} rounds, {:.2} ms to {:.2} ms", self.ours.len(), millis(&self.ours), millis(&self.yardstick));
        let noise = Spread::of(&ratios(&self.control, &self.yardstick)).filter(Spread::is_noise);
        let noise =
            noise.map_or_else(String::new, |s| format!("; NOISE: yardstick to itself {:.2} to {:.2}", s.low, s.high));
        let quartiles = format!("{:.2} to {:.2}", spread.low, spread.high);
        tell(work, &format!("{:.2}", spread.median), &quartiles, &format!("<= {most}"), spread.median <= most);
        line(&format!("    {note}{noise}"));
    }
}

/// The first line of the table.
pub fn heading() {
    row("work, to what", "measured", "quartiles", "to reach", "");
}

/// One row of it.
pub fn tell(work: &str, value: &str, quartiles: &str, reach: &str, is_reached: bool) {
    row(work, value, quartiles, reach, if is_reached { "reached" } else { "MISSED" });
}

fn row(work: &str, value: &str, quartiles: &str, reach: &str, verdict: &str) {
    line(format!("{work:<62} {value:>10} {quartiles:>14} {reach:>12}  {verdict}").trim_end());
}

/// Any line.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
