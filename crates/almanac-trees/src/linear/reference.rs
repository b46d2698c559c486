//! Coefficients beside those of scikit-learn, on the same rows and with the same penalties: see the fixture's script.

use ndarray::Array2;
use serde::Deserialize;

use super::logistic::Outcomes;
use super::moments::{Line, Moments, Table};

#[derive(Deserialize)]
struct Fixture {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    weights: Vec<f64>,
    came: Vec<bool>,
    lines: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    kind: String,
    penalty: f64,
    intercept: f64,
    coefficients: Vec<f64>,
    l1_ratio: Option<f64>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../tests/it/python_sklearn.json")).expect("the script wrote it")
}

fn moments(fixture: &Fixture) -> Moments {
    let mut table = Table::new(fixture.x.len(), fixture.x[0].len());
    for (row, values) in fixture.x.iter().enumerate() {
        table.set(row, fixture.weights[row], fixture.y[row], |out| out.copy_from_slice(values));
    }
    table.moments()
}

#[track_caller]
fn check(kind: &str, tolerance: f64, learn: impl Fn(&Fixture, &Told) -> Line) {
    let fixture = fixture();
    let of_kind: Vec<&Told> = fixture.lines.iter().filter(|told| told.kind == kind).collect();
    assert!(of_kind.len() >= 3);
    for told in of_kind {
        let line = learn(&fixture, told);
        for (ours, theirs) in line.weights.iter().zip(&told.coefficients).chain([(&line.intercept, &told.intercept)]) {
            assert!((ours - theirs).abs() < tolerance, "{kind} at {}: {ours} for {theirs}", told.penalty);
        }
    }
}

/// Both solve the same equations exactly; those of the smallest penalty have a condition of some thousand.
#[test]
fn ridge_is_that_of_scikit_learn() {
    check("ridge", 1e-10, |fixture, told| moments(fixture).system().ridge(told.penalty).expect("a system"));
}

/// The rows that stand in for all have a jitter of 1e-8, on columns of which two nearly repeat one another.
#[test]
fn lasso_and_elastic_net_are_those_of_scikit_learn() {
    check("mixed", 1e-5, |fixture, told| {
        let system = moments(fixture).system();
        let rows = system.stand_in().expect("a system");
        rows.elastic_net_to(told.penalty, told.l1_ratio.expect("of both kinds"), 1e-14).expect("rows")
    });
}

/// Newton's method squares its error with each step, and the last one gains less than 1e-8.
#[test]
fn the_log_odds_are_those_of_scikit_learn() {
    check("logistic", 1e-6, |fixture, told| {
        let rows = Array2::from_shape_fn((fixture.x.len(), 6), |(row, column)| fixture.x[row][column]);
        let start = Line { intercept: 0.0, weights: vec![0.0; 6] };
        Outcomes { rows, came: fixture.came.clone() }.learn(told.penalty, &start).expect("a system")
    });
}

#[test]
fn errors_are_those_of_the_rows() {
    let fixture = fixture();
    let line = moments(&fixture).system().ridge(0.1).expect("a system");
    let (mut sum, mut weight) = (0.0, 0.0);
    for ((row, y), w) in fixture.x.iter().zip(&fixture.y).zip(&fixture.weights) {
        sum += w * (line.at(row) - y).powi(2);
        weight += w;
    }
    assert!((moments(&fixture).error(&line) - sum / weight).abs() < 1e-12);
}
