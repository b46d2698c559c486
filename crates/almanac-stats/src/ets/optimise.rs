//! A quasi-Newton minimiser (BFGS) for a handful of free parameters with an exact gradient.
//!
//! Bounds are not its business: callers map bounded parameters to free ones. An infinite value marks a point that cannot be
//! evaluated and is stepped back from. Deterministic.
//!
//! Source: Nocedal & Wright (2006), "Numerical optimization", algorithms 3.1 and 6.1.

/// A smooth function of free parameters.
pub(crate) trait Objective {
    /// Returns the value at `x`; infinite where it cannot be evaluated.
    fn value(&mut self, x: &[f64]) -> f64;

    /// Writes the gradient at the `x` of the last [`Self::value`].
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]);
}

const MAX_STEPS: usize = 120;
const MAX_BACKTRACKS: usize = 12;
/// Longest move of any one parameter in a step, in units that callers scale to about 1.
const LONGEST_MOVE: f64 = 2.0;

/// Moves `x` to a local minimum and returns the value there. Stops when two steps running gain less than `tolerance`.
pub(crate) fn minimise(objective: &mut impl Objective, x: &mut [f64], tolerance: f64) -> f64 {
    let n = x.len();
    let mut value = objective.value(x);
    if !value.is_finite() {
        return value;
    }
    let mut room = vec![0.0; n * (n + 5)];
    let (inverse, vectors) = room.split_at_mut(n * n);
    let (gradient, vectors) = vectors.split_at_mut(n);
    let (direction, vectors) = vectors.split_at_mut(n);
    let (moved, vectors) = vectors.split_at_mut(n);
    let (change, product) = vectors.split_at_mut(n);
    objective.gradient(x, gradient);
    let mut is_fresh = true;
    let mut small_gains = 0;
    for _ in 0..MAX_STEPS {
        if is_fresh {
            set_diagonal(inverse, n, 1.0 / norm(gradient).max(1e-12));
        }
        multiply(inverse, gradient, direction);
        scale(direction, -1.0);
        let slope = dot(direction, gradient);
        if !slope.is_finite() || slope > -1e-3 * tolerance {
            if is_fresh || !slope.is_finite() {
                break;
            }
            is_fresh = true;
            continue;
        }
        let longest = direction.iter().fold(0.0_f64, |longest, value| longest.max(value.abs()));
        let Some((step, at_step)) = search_line(objective, x, direction, moved, value, slope, (LONGEST_MOVE / longest).min(1.0)) else {
            if is_fresh {
                break;
            }
            is_fresh = true;
            continue;
        };
        change.copy_from_slice(gradient);
        objective.gradient(moved, gradient);
        for (change, gradient) in change.iter_mut().zip(gradient.iter()) {
            *change = gradient - *change;
        }
        x.copy_from_slice(moved);
        scale(direction, step);
        update(inverse, direction, change, product, is_fresh);
        is_fresh = false;
        let gain = value - at_step;
        value = at_step;
        small_gains = if gain < tolerance { small_gains + 1 } else { 0 };
        if small_gains == 2 {
            break;
        }
    }
    value
}

/// Halves a step until it gains enough; returns the step and the value there, `moved` being the point.
fn search_line(
    objective: &mut impl Objective,
    x: &[f64],
    direction: &[f64],
    moved: &mut [f64],
    value: f64,
    slope: f64,
    first: f64,
) -> Option<(f64, f64)> {
    let mut step = first;
    for _ in 0..MAX_BACKTRACKS {
        for ((moved, x), direction) in moved.iter_mut().zip(x).zip(direction) {
            *moved = x + step * direction;
        }
        let there = objective.value(moved);
        if there <= value + 1e-4 * step * slope {
            return Some((step, there));
        }
        // Minimum of the parabola through the value, the slope and the value there.
        let parabola = -slope * step * step / (2.0 * (there - value - slope * step));
        step = if parabola.is_finite() { parabola.clamp(0.1 * step, 0.5 * step) } else { 0.25 * step };
    }
    None
}

/// Teaches the inverse Hessian what the last step showed.
fn update(inverse: &mut [f64], step: &[f64], change: &[f64], product: &mut [f64], is_fresh: bool) {
    let n = step.len();
    let curvature = dot(step, change);
    if curvature <= 1e-10 * norm(step) * norm(change) {
        return;
    }
    if is_fresh {
        set_diagonal(inverse, n, curvature / dot(change, change));
    }
    multiply(inverse, change, product);
    let rho = 1.0 / curvature;
    let factor = rho * (1.0 + rho * dot(change, product));
    for row in 0..n {
        for column in 0..n {
            inverse[row * n + column] +=
                factor * step[row] * step[column] - rho * (product[row] * step[column] + step[row] * product[column]);
        }
    }
}

fn set_diagonal(matrix: &mut [f64], n: usize, value: f64) {
    matrix.fill(0.0);
    for entry in matrix.iter_mut().step_by(n + 1) {
        *entry = value;
    }
}

fn multiply(matrix: &[f64], vector: &[f64], product: &mut [f64]) {
    for (row, product) in matrix.chunks(vector.len()).zip(product) {
        *product = dot(row, vector);
    }
}

fn scale(vector: &mut [f64], factor: f64) {
    for value in vector {
        *value *= factor;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rosenbrock;

    impl Objective for Rosenbrock {
        fn value(&mut self, x: &[f64]) -> f64 {
            (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)
        }

        fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) {
            let valley = x[1] - x[0] * x[0];
            gradient[0] = -2.0 * (1.0 - x[0]) - 400.0 * x[0] * valley;
            gradient[1] = 200.0 * valley;
        }
    }

    #[test]
    fn the_minimum_of_a_curved_valley_is_found() {
        let mut x = [-1.2, 1.0];
        minimise(&mut Rosenbrock, &mut x, 1e-14);
        assert!((x[0] - 1.0).abs() < 1e-5 && (x[1] - 1.0).abs() < 1e-5, "{x:?}");
    }
}
