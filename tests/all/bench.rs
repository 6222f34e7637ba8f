//! The benchmark's own sums, and that the README names it. What it measures is never judged here.

#[path = "../../benches/figures.rs"]
mod figures;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use figures::{Spread, median, percentile, ratios};

/// Nothing here is a rounded number.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

#[test]
fn the_median_of_an_even_number_is_between_two() {
    for (values, expected) in
        [(&[7.0][..], 7.0), (&[9.0, 1.0], 5.0), (&[3.0, 100.0, 2.0], 3.0), (&[4.0, 1.0, 3.0, 2.0], 2.5)]
    {
        assert!(same(median(values).unwrap(), expected), "{values:?}");
    }
    assert!(median(&[]).is_none() && Spread::of(&[]).is_none() && percentile(&[], 99).is_none());
}

#[test]
fn half_of_all_values_lie_between_the_quartiles() {
    let hundred: Vec<f64> = (0..=100).rev().map(f64::from).collect();
    assert_eq!(Spread::of(&hundred), Some(Spread { low: 25.0, median: 50.0, high: 75.0 }));
    let four = Spread::of(&[40.0, 10.0, 30.0, 20.0]).unwrap();
    assert!(same(four.low, 17.5) && same(four.high, 32.5), "{four:?}");
}

#[test]
fn the_slowest_in_a_hundred_is_one_that_was_measured() {
    let thousand: Vec<f64> = (1..=1000).rev().map(f64::from).collect();
    for (values, percent, expected) in [
        (&thousand[..], 99, 990.0),
        (&thousand, 100, 1000.0),
        (&thousand, 50, 500.0),
        (&thousand[..50], 99, 1000.0),
        (&[5.0], 99, 5.0),
        (&[5.0, 4.0], 0, 4.0),
    ] {
        assert!(same(percentile(values, percent).unwrap(), expected), "{percent} of {}", values.len());
    }
}

#[test]
fn ratios_are_of_the_same_round_and_not_of_the_sums() {
    // A machine that is three times as slow in the second round changes nothing.
    assert_eq!(ratios(&[1.0, 3.0], &[2.0, 6.0]), [0.5, 0.5]);
}

#[test]
fn a_program_that_is_not_like_itself_is_noise() {
    for (low, median, high, noise) in [
        (0.95, 1.0, 1.05, false),
        (0.9, 1.029, 1.1, false),
        (0.9, 1.031, 1.1, true),
        (0.9, 0.969, 1.1, true),
        (0.8, 1.0, 1.04, false),
        (0.8, 1.0, 1.06, true),
    ] {
        assert_eq!(Spread { low, median, high }.is_noise(), noise, "{low} {median} {high}");
    }
}

#[test]
fn the_readme_names_the_benchmark_that_anybody_starts() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(top.join("README.md")).unwrap();
    let section = readme.split("\n## How fast it is\n").nth(1).unwrap().split("\n## ").next().unwrap();
    assert!(section.lines().any(|line| line == "benches/run --install"), "{section}");
    assert_eq!(std::fs::metadata(top.join("benches/run")).unwrap().permissions().mode() & 0o111, 0o111);
}
