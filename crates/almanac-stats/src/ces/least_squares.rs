//! Least squares of up to four parameters between bounds, from the errors' derivatives (Levenberg and Marquardt).
//!
//! A parameter at its bound stays there while the slope leads out. An infinite sum marks a point that cannot be evaluated and
//! is stepped back from. Deterministic.
//!
//! Source: Nocedal & Wright (2006), "Numerical optimization", section 10.3; bounds by projection.

/// Parameters at most.
pub(super) const MAX_PARAMETERS: usize = 4;
const MAX_STEPS: usize = 60;
/// Damping at the start, and beyond which there is nothing left to gain.
const DAMPING: (f64, f64) = (1e-3, 1e8);

pub(super) type Vector = [f64; MAX_PARAMETERS];
pub(super) type Matrix = [Vector; MAX_PARAMETERS];

/// Sum of squared errors at a point with half its gradient, and the products of the errors' derivatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Squares {
    pub(super) sum: f64,
    pub(super) gradient: Vector,
    pub(super) products: Matrix,
}

/// Between what each of the parameters lies; those that are not free have one value.
pub(super) type Bounds = [(f64, f64); MAX_PARAMETERS];

/// Moves `x` to a local minimum and returns the sum there. Stops when two steps running lessen the sum by a share below `tolerance` each.
pub(super) fn minimise(mut squares: impl FnMut(&Vector) -> Squares, x: &mut Vector, bounds: &Bounds, tolerance: f64) -> f64 {
    let mut here = squares(x);
    let mut damping = DAMPING.0;
    let mut small_gains = 0;
    for _ in 0..MAX_STEPS {
        let is_free = std::array::from_fn(|k| {
            let (low, high) = bounds[k];
            low < high && !(x[k] <= low && here.gradient[k] > 0.0) && !(x[k] >= high && here.gradient[k] < 0.0)
        });
        let tried = step(&here, is_free, damping).map(|step| {
            let moved = std::array::from_fn(|k| (x[k] + step[k]).clamp(bounds[k].0, bounds[k].1));
            (moved, squares(&moved))
        });
        match tried {
            Some((moved, there)) if there.sum < here.sum => {
                let gain = 1.0 - there.sum / here.sum;
                (*x, here) = (moved, there);
                damping *= 0.1;
                small_gains = if gain < tolerance { small_gains + 1 } else { 0 };
            }
            _ => damping *= 10.0,
        }
        if small_gains == 2 || damping > DAMPING.1 {
            break;
        }
    }
    here.sum
}

/// Solves `(products + damping · their diagonal) step = -gradient` for the free parameters by Cholesky's method; `None` where
/// the matrix is not positive definite.
fn step(here: &Squares, is_free: [bool; MAX_PARAMETERS], damping: f64) -> Option<Vector> {
    let mut factor: Matrix = [[0.0; MAX_PARAMETERS]; MAX_PARAMETERS];
    let mut step: Vector = [0.0; MAX_PARAMETERS];
    for row in 0..MAX_PARAMETERS {
        if !is_free[row] {
            factor[row][row] = 1.0;
            continue;
        }
        let mut right = -here.gradient[row];
        for column in 0..row {
            if is_free[column] {
                let inner: f64 = (0..column).map(|k| factor[row][k] * factor[column][k]).sum();
                factor[row][column] = (here.products[row][column] - inner) / factor[column][column];
                right -= factor[row][column] * step[column];
            }
        }
        let diagonal = here.products[row][row] * (1.0 + damping);
        let pivot = diagonal - factor[row][..row].iter().map(|value| value * value).sum::<f64>();
        if !(pivot > 1e-14 * diagonal && pivot.is_finite()) {
            return None;
        }
        factor[row][row] = pivot.sqrt();
        step[row] = right / factor[row][row];
    }
    for row in (0..MAX_PARAMETERS).rev() {
        let known: f64 = (row + 1..MAX_PARAMETERS).map(|k| factor[k][row] * step[k]).sum();
        step[row] = (step[row] - known) / factor[row][row];
    }
    step.iter().all(|value| value.is_finite()).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's function as two errors, `10 (y - x²)` and `1 - x`.
    fn valley(x: &Vector) -> Squares {
        let (across, along) = (10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]);
        let derivatives = [[-20.0 * x[0], 10.0], [-1.0, 0.0]];
        let mut squares = Squares { sum: across * across + along * along, gradient: [0.0; 4], products: [[0.0; 4]; 4] };
        for row in 0..2 {
            squares.gradient[row] = across * derivatives[0][row] + along * derivatives[1][row];
            for column in 0..2 {
                squares.products[row][column] = derivatives.iter().map(|of| of[row] * of[column]).sum();
            }
        }
        squares
    }

    #[test]
    fn the_minimum_of_a_curved_valley_is_found() {
        let mut x = [-1.2, 1.0, 0.0, 0.0];
        minimise(valley, &mut x, &[(-2.0, 2.0), (-2.0, 2.0), (0.0, 0.0), (0.0, 0.0)], 1e-14);
        assert!((x[0] - 1.0).abs() < 1e-6 && (x[1] - 1.0).abs() < 1e-6, "{x:?}");
    }

    /// On the edge `x = 0.5` the least is at `y = 0.25`.
    #[test]
    fn a_bound_is_kept_and_the_others_make_the_best_of_it() {
        let mut x = [-1.2, 1.0, 0.0, 0.0];
        minimise(valley, &mut x, &[(-2.0, 0.5), (-2.0, 2.0), (0.0, 0.0), (0.0, 0.0)], 1e-14);
        assert!(x[0] == 0.5 && (x[1] - 0.25).abs() < 1e-6, "{x:?}");
    }
}
