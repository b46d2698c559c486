//! Theta: the estimate against a grid, spread against the paths of single errors.

use super::*;

/// A rising series with noise and holes.
fn values() -> Vec<f64> {
    (0..60).map(|row| if row % 11 == 5 { f64::NAN } else { 5.0 + 0.1 * f64::from(row) + f64::from(row * 37 % 17) / 10.0 }).collect()
}

/// Brute force over a fine grid of all three parameters may not find a better sum of squares.
#[test]
fn no_parameters_of_a_grid_are_better_than_the_estimate() {
    let y = values();
    for form in ThetaForm::ALL {
        let estimate = fit::fit(&y, form);
        let (lines, _) = line::lines(&y, form.is_dynamic());
        let weights: Vec<f64> = if form.is_optimized() { (0..20).map(|k| f64::from(k) / 20.0).collect() } else { vec![0.5] };
        for alpha in (0..30).map(|k| 0.1 + 0.89 * f64::from(k) / 29.0) {
            for weight in &weights {
                for initial_level in (-40..40).map(|k| f64::from(k) * 0.5) {
                    let squares = squares(&y, &lines, alpha, *weight, initial_level);
                    assert!(estimate.squares <= squares + 1e-9, "{form:?} {alpha} {weight} {initial_level}: {squares}, {estimate:?}");
                }
            }
        }
        // The sums that the search goes by are those of the recursion itself.
        let again = squares(&y, &lines, estimate.alpha, estimate.weight, estimate.initial_level);
        assert!((estimate.squares - again).abs() < 1e-9, "{form:?}");
    }
}

fn squares(y: &[f64], lines: &[line::Line], alpha: f64, weight: f64, initial_level: f64) -> f64 {
    let (mut level, mut seen, mut squares) = (initial_level, 0, 0.0);
    for (row, (y, line)) in y.iter().zip(lines).enumerate() {
        let fade = (1.0 - alpha).powi(row as i32);
        let mean = level + weight * (line.intercept * fade + line.slope * (1.0 - fade * (1.0 - alpha)) / alpha);
        level = alpha * if y.is_nan() { mean } else { *y } + (1.0 - alpha) * level;
        if !y.is_nan() {
            seen += 1;
            squares += if seen > 3 { (y - mean).powi(2) } else { 0.0 };
        }
    }
    squares
}

/// The weight of an error of one step in a later one is what the forecast moves by when the value moves by 1: the model is
/// linear, so that both ways agree to rounding.
#[test]
fn the_spread_is_that_of_all_the_errors_on_the_way() {
    let y = values();
    let steps = 12;
    for form in ThetaForm::ALL {
        let estimate = fit::fit(&y, form);
        let got = spread::predict(&estimate, y.len(), steps);
        let variance = estimate.squares / (estimate.n_errors - estimate.n_parameters) as f64;
        let mut expected = vec![variance; steps];
        for shocked in 0..steps {
            let path = path(&estimate, y.len(), steps, shocked);
            for step in shocked + 1..steps {
                expected[step] += variance * (path[step] - got.mean[step]).powi(2);
            }
        }
        for (sd, expected) in got.sd.iter().zip(expected) {
            assert!((sd - expected.sqrt()).abs() < 1e-10, "{form:?}: {sd}, expected {}", expected.sqrt());
        }
    }
}

/// Forecasts where the value of step `shocked` is 1 above its own.
fn path(estimate: &Estimate, rows: usize, steps: usize, shocked: usize) -> Vec<f64> {
    let (mut level, mut line) = (estimate.level, estimate.line);
    let mut means = Vec::new();
    for step in 0..steps {
        let fade = (1.0 - estimate.alpha).powi((rows + step) as i32);
        let now = line.line();
        let slope = (1.0 - fade * (1.0 - estimate.alpha)) / estimate.alpha;
        let mean = level + estimate.weight * (now.intercept * fade + now.slope * slope);
        let value = if step == shocked { mean + 1.0 } else { mean };
        level += estimate.alpha * (value - level);
        if estimate.is_dynamic {
            line.push((rows + step + 1) as f64, value);
        }
        means.push(mean);
    }
    means
}
