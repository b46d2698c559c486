//! The point of highest posterior density.
//!
//! Where the forecast is linear in the parameters (an additive model with a linear or flat trend), the normal equations are
//! summed once; then the parameters given `sigma` and `sigma` given the parameters are computed in turns, both exactly, from a
//! wide `sigma` down. Else the forecast is linearised anew around each point (Gauss–Newton), and the step is cut, and damped
//! as by Levenberg and Marquardt, where it would not lower the loss.
//!
//! A quasi-Newton method, as the original uses, never sets a bend to exactly 0 and needs hundreds of passes over the rows.
//!
//! Source: Lee, Sun & Saunders (2014), "Proximal Newton-type methods for minimizing composite functions"; Nocedal & Wright
//! (2006), "Numerical optimization", chapter 10.

use crate::lasso::{Solver, System};
use crate::posterior::{Point, Posterior};

/// The search ends when a step gains less than this in log density.
const TOLERANCE: f64 = 1e-7;
const MAX_TURNS: usize = 200;
const MAX_STEPS: usize = 100;
const MAX_CUTS: usize = 12;
/// Share of the gain promised by the slope that a step must keep.
const SUFFICIENT: f64 = 1e-4;
const LEAST_DAMPING: f64 = 1e-4;
const MOST_DAMPING: f64 = 1e8;

/// Finds the maximum from where the original starts.
pub(crate) fn maximise(posterior: &Posterior) -> Point {
    let point = posterior.evaluate(posterior.start());
    let system = System::new(posterior.n_parameters());
    let solver = Solver::new(posterior.n_free(), posterior.n_parameters());
    if posterior.is_linear() { take_turns(posterior, point, system, solver) } else { take_steps(posterior, point, system, solver) }
}

fn take_turns(posterior: &Posterior, mut point: Point, mut system: System, mut solver: Solver) -> Point {
    posterior.linearise(&point, &mut system);
    for _ in 0..MAX_TURNS {
        let (before, variance) = (point.loss, point.variance);
        let prior = |index: usize| (if index < posterior.n_free() { variance * posterior.precision(index) } else { 0.0 }, 0.0);
        solver.solve(&system, prior, variance / posterior.bend_scale, &mut point.parameters);
        posterior.renew(&mut point);
        if before - point.loss < TOLERANCE {
            break;
        }
    }
    point
}

fn take_steps(posterior: &Posterior, mut point: Point, mut system: System, mut solver: Solver) -> Point {
    let n_free = posterior.n_free();
    let mut there = point.clone();
    let mut pull = vec![0.0; posterior.n_parameters()];
    let mut target = point.parameters.clone();
    let mut damping = 0.0_f64;
    let mut is_stale = true;
    for _ in 0..MAX_STEPS {
        if is_stale {
            posterior.linearise(&point, &mut system);
            system.write_pull(&point.parameters, &mut pull);
        }
        let variance = point.variance;
        let added = |index: usize| {
            let ridge = if index < n_free { variance * posterior.precision(index) } else { 0.0 };
            let damped = damping * system.diagonal(index);
            (ridge + damped, damped * point.parameters[index])
        };
        target.copy_from_slice(&point.parameters);
        solver.solve(&system, added, variance / posterior.bend_scale, &mut target);
        let slope = slope(posterior, &point, &pull, &target);
        let step = search_line(posterior, &point, &target, slope, &mut there);
        is_stale = step.is_some();
        if let Some(step) = step {
            let gain = point.loss - there.loss;
            std::mem::swap(&mut point, &mut there);
            if gain < TOLERANCE && damping <= LEAST_DAMPING {
                break;
            }
            if step == 1.0 {
                damping = if damping <= LEAST_DAMPING { 0.0 } else { 0.1 * damping };
                continue;
            }
        } else if slope > -TOLERANCE || damping >= MOST_DAMPING {
            break;
        }
        damping = (10.0 * damping).max(LEAST_DAMPING);
    }
    point
}

/// Derivative of the loss on the way from `point` to `target`, the bends' prior counted in full.
fn slope(posterior: &Posterior, point: &Point, pull: &[f64], target: &[f64]) -> f64 {
    let moves = point.parameters.iter().zip(target).zip(pull).enumerate();
    moves
        .map(|(index, ((from, to), pull))| {
            let fit = -pull * (to - from) / point.variance;
            if index < posterior.n_free() {
                fit + posterior.precision(index) * from * (to - from)
            } else {
                fit + (to.abs() - from.abs()) / posterior.bend_scale
            }
        })
        .sum()
}

/// Cuts the step to `target` until it lowers the loss; returns its share, `there` being the point.
fn search_line(posterior: &Posterior, point: &Point, target: &[f64], slope: f64, there: &mut Point) -> Option<f64> {
    let mut step = 1.0;
    for _ in 0..MAX_CUTS {
        for ((there, from), to) in there.parameters.iter_mut().zip(&point.parameters).zip(target) {
            *there = if step == 1.0 { *to } else { from + step * (to - from) };
        }
        posterior.renew(there);
        if there.loss <= point.loss + SUFFICIENT * step * slope.min(0.0) {
            return Some(step);
        }
        step *= 0.5;
    }
    None
}
