//! What the benchmark makes of many measurements: median, quartiles, the slowest in a hundred. Pure; knows nothing of
//! what was measured. Held by `tests/all/bench.rs`.

/// The middle of many values, and the two values between which half of them lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// A quarter of all values is below.
    pub low: f64,
    /// Half of all values is below.
    pub median: f64,
    /// A quarter of all values is above.
    pub high: f64,
}

impl Spread {
    /// Of these values, in any order; nothing of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values);
        Some(Self { low: at(&sorted, 0.25)?, median: at(&sorted, 0.5)?, high: at(&sorted, 0.75)? })
    }

    /// Whether these ratios of a program to itself are too far from what they should be: the median off 1 by more than
    /// 3 %, or the quartiles apart by more than 25 % of it.
    pub fn is_noise(&self) -> bool {
        (self.median - 1.0).abs() > 0.03 || (self.high - self.low) / self.median > 0.25
    }
}

/// The value that half of these are below.
pub fn median(values: &[f64]) -> Option<f64> {
    at(&sorted(values), 0.5)
}

/// The smallest of these values that at least `percent` of a hundred do not exceed: always one that was measured.
pub fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let rank = (values.len() * percent).div_ceil(100).max(1);
    sorted(values).get(rank - 1).copied()
}

/// Each value of the one by the value of the other in the same place.
pub fn ratios(over: &[f64], under: &[f64]) -> Vec<f64> {
    over.iter().zip(under).map(|(over, under)| over / under).collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The value at a part of the way through, between its two neighbours in proportion.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few values")]
fn at(sorted: &[f64], part: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = part * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}
