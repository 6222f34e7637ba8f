//! Runs two programs in turns, and the yardstick a second time as a control: times of one moment are compared with
//! each other only.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::call::Call;
use crate::figures::{Spread, ratios};
use crate::machine::Watch;

/// How often, and for how long at most.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rounds before those that count.
    pub warm: usize,
    /// Rounds that count.
    pub pairs: usize,
    /// No further round begins after that, once there are [`FEWEST`].
    pub time: Duration,
}

/// Fewer rounds have no quartiles worth the name.
const FEWEST: usize = 5;

/// Does its work for a round, and says how many seconds it took.
pub type Side<'a> = &'a mut dyn FnMut(usize) -> Result<f64>;

/// What came of the rounds: seconds, one a round.
#[derive(Debug)]
pub struct Pairs {
    /// Of the yardstick.
    pub yardstick: Vec<f64>,
    /// Of the program that is measured.
    pub ours: Vec<f64>,
    control: Vec<f64>,
    others: Option<String>,
}

/// Who runs when: yardstick (0) and ours (1) take turns in going first, and so do yardstick and control (2).
const ORDERS: [[usize; 3]; 4] = [[0, 1, 2], [1, 0, 2], [2, 0, 1], [2, 1, 0]];

/// Runs the three in turns.
pub fn alternate<'a>(plan: Plan, yardstick: Side<'a>, ours: Side<'a>, control: Side<'a>) -> Result<Pairs> {
    let sides = [yardstick, ours, control];
    let mut seconds = [Vec::new(), Vec::new(), Vec::new()];
    let (mut start, mut watch) = (Instant::now(), Watch::start()?);
    for round in 0..plan.warm + plan.pairs {
        if round == plan.warm {
            (start, watch) = (Instant::now(), Watch::start()?);
        }
        if round >= plan.warm + FEWEST && start.elapsed() > plan.time {
            break;
        }
        for side in ORDERS[round % ORDERS.len()] {
            let took = sides[side](round)?;
            if round >= plan.warm {
                seconds[side].push(took);
            }
        }
    }
    let [yardstick, ours, control] = seconds;
    Ok(Pairs { yardstick, ours, control, others: watch.noise()? })
}

impl Pairs {
    /// Ours to the yardstick.
    pub fn ratio(&self) -> Result<Spread> {
        Spread::of(&ratios(&self.ours, &self.yardstick)).context("no pair was measured")
    }

    /// The yardstick's usual seconds and ours, and the number of pairs.
    pub fn note(&self) -> String {
        let millis = |seconds: &[f64]| crate::figures::median(seconds).unwrap_or(f64::NAN) * 1000.0;
        format!("{} pairs; {:.2} ms against {:.2} ms", self.ours.len(), millis(&self.ours), millis(&self.yardstick))
    }

    /// What made the measurement doubtful: the yardstick is not like itself, or others were at work.
    pub fn noise(&self) -> Option<String> {
        let doubt = doubt(&self.control, &self.yardstick);
        let doubts: Vec<String> = [doubt, self.others.clone()].into_iter().flatten().collect();
        (!doubts.is_empty()).then(|| doubts.join("; "))
    }

    /// The same where others have to work, as database servers do.
    pub fn noise_beside_servers(&self) -> Option<String> {
        doubt(&self.control, &self.yardstick)
    }
}

/// What is wrong between two runs of the same.
fn doubt(control: &[f64], yardstick: &[f64]) -> Option<String> {
    let spread = Spread::of(&ratios(control, yardstick)).filter(Spread::is_noise)?;
    Some(format!("the yardstick to itself: {:.2} ({:.2} to {:.2})", spread.median, spread.low, spread.high))
}

/// A side that runs a program; what comes out is held against what is expected in the first round.
pub fn program<'a>(mut next: impl FnMut(usize) -> Result<Call> + 'a) -> impl FnMut(usize) -> Result<f64> + 'a {
    let mut first = true;
    move |round| {
        let call = next(round)?;
        if std::mem::take(&mut first) {
            let start = Instant::now();
            call.check()?;
            return Ok(start.elapsed().as_secs_f64());
        }
        call.time()
    }
}
