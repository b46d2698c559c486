//! The recursion of the states over a history, the likelihood it gives, and the exact gradient of that likelihood.
//!
//! With `q = l + φ b` the level to come and `s` the season's place, the one-step mean is `q`, `q + s` or `q s`, and
//! ```text
//!   d = y - q,  y - q - s,  y / s - q          l' = q + α d,   b' = φ b + β d
//!   g =         d,          y / q - s          s' = s + γ g
//! ```
//! whatever the error; the error only decides the likelihood: `n ln Σ e²`, plus `2 Σ ln mean` where it is multiplicative.
//! The gradient is the recursion run backwards (adjoints), at about the price of the recursion itself, however many
//! initial states there are. Every form is compiled apart, nothing is allocated, and a NaN row moves the states with no error.
//!
//! Not here: bounds, parameter counts, where to start.

use super::MAX_SEASON_LENGTH;
use super::form::{EtsError, EtsForm, EtsSeason};

/// Smoothing parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// Of the level.
    pub alpha: f64,
    /// Of the slope, in units of the level: R's `beta`, at most `alpha`.
    pub beta: f64,
    /// Of the season.
    pub gamma: f64,
    /// Damping of the slope, 1 for none.
    pub phi: f64,
}

/// Level, slope and season at one instant. `season[place]` belongs to the rows of that place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct States {
    pub(crate) level: f64,
    pub(crate) slope: f64,
    pub(crate) season: [f64; MAX_SEASON_LENGTH],
}

/// Derivatives of the objective by smoothing parameters and initial states.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gradient {
    pub(crate) smoothing: Smoothing,
    pub(crate) initial: States,
}

/// What a pass over the history gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    /// `ln Σ e² + (2 / n) Σ ln mean`: -2 log likelihood per scored row. Infinite where the form cannot be run.
    pub(crate) objective: f64,
    /// Sum of squared errors.
    pub(crate) squares: f64,
    /// States after the last row.
    pub(crate) last: States,
}

/// A history with room for the states of one pass over it.
#[derive(Debug)]
pub(crate) struct StateSpace {
    y: Vec<f64>,
    n_scored: f64,
    season_length: usize,
    trace: Vec<Before>,
}

/// What a row was met with.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    ahead: f64,
    slope: f64,
    season: f64,
}

/// Keeps the logarithm of a perfect fit finite: errors below 1e-11 of the scale are taken for rounding.
const SQUARES_FLOOR: f64 = 1e-22;

const NONE: u8 = 0;
const ADDITIVE: u8 = 1;
const MULTIPLICATIVE: u8 = 2;

macro_rules! each_form {
    ($form:expr, $call:ident ( $($argument:expr),* ) on $self:expr) => {{
        let multiplicative_error = $form.error == EtsError::Multiplicative;
        match ($form.has_trend(), $form.season, multiplicative_error) {
            (false, EtsSeason::None, false) => $self.$call::<false, NONE, false>($($argument),*),
            (false, EtsSeason::None, true) => $self.$call::<false, NONE, true>($($argument),*),
            (true, EtsSeason::None, false) => $self.$call::<true, NONE, false>($($argument),*),
            (true, EtsSeason::None, true) => $self.$call::<true, NONE, true>($($argument),*),
            (false, EtsSeason::Additive, false) => $self.$call::<false, ADDITIVE, false>($($argument),*),
            (false, EtsSeason::Additive, true) => $self.$call::<false, ADDITIVE, true>($($argument),*),
            (true, EtsSeason::Additive, false) => $self.$call::<true, ADDITIVE, false>($($argument),*),
            (true, EtsSeason::Additive, true) => $self.$call::<true, ADDITIVE, true>($($argument),*),
            (false, EtsSeason::Multiplicative, false) => $self.$call::<false, MULTIPLICATIVE, false>($($argument),*),
            (false, EtsSeason::Multiplicative, true) => $self.$call::<false, MULTIPLICATIVE, true>($($argument),*),
            (true, EtsSeason::Multiplicative, false) => $self.$call::<true, MULTIPLICATIVE, false>($($argument),*),
            (true, EtsSeason::Multiplicative, true) => $self.$call::<true, MULTIPLICATIVE, true>($($argument),*),
        }
    }};
}

impl StateSpace {
    /// `season_length`: at most [`MAX_SEASON_LENGTH`].
    pub(crate) fn new(y: &[f64], season_length: usize) -> Self {
        assert!((1..=MAX_SEASON_LENGTH).contains(&season_length), "callers drop longer seasons");
        let n_scored = y.iter().filter(|y| !y.is_nan()).count() as f64;
        Self { y: y.to_vec(), n_scored, season_length, trace: vec![Before::default(); y.len()] }
    }

    pub(crate) fn y(&self) -> &[f64] {
        &self.y
    }

    pub(crate) fn season_length(&self) -> usize {
        self.season_length
    }

    /// Runs the recursion from the initial states.
    pub(crate) fn run(&mut self, form: EtsForm, smoothing: Smoothing, initial: &States) -> Pass {
        each_form!(form, forward(smoothing, initial) on self)
    }

    /// Returns the gradient of the objective of the last [`Self::run`], which must have had the same arguments.
    pub(crate) fn gradient(&self, form: EtsForm, smoothing: Smoothing, pass: &Pass) -> Gradient {
        each_form!(form, backward(smoothing, pass) on self)
    }

    fn forward<const TREND: bool, const SEASON: u8, const MULTIPLICATIVE_ERROR: bool>(
        &mut self,
        Smoothing { alpha, beta, gamma, phi }: Smoothing,
        initial: &States,
    ) -> Pass {
        let mut season = initial.season;
        let (mut level, mut slope) = (initial.level, initial.slope);
        let mut place = 0;
        let (mut squares, mut logs, mut product) = (0.0, 0.0, 1.0);
        let mut can_run = true;
        for (y, before) in self.y.iter().zip(&mut self.trace) {
            let ahead = if TREND { level + phi * slope } else { level };
            let current = if SEASON == NONE { 0.0 } else { season[place] };
            *before = Before { ahead, slope, season: current };
            if TREND {
                slope *= phi;
            }
            level = ahead;
            if !y.is_nan() {
                let mean = one_step_mean::<SEASON>(ahead, current);
                if MULTIPLICATIVE_ERROR || SEASON == MULTIPLICATIVE {
                    can_run &= mean > 0.0 && ahead > 0.0;
                }
                let error = if MULTIPLICATIVE_ERROR { y / mean - 1.0 } else { y - mean };
                squares += error * error;
                if MULTIPLICATIVE_ERROR {
                    product *= mean;
                    if !(1e-150..1e150).contains(&product) {
                        logs += product.ln();
                        product = 1.0;
                    }
                }
                let surprise = surprise::<SEASON>(*y, ahead, current);
                level = ahead + alpha * surprise;
                if TREND {
                    slope += beta * surprise;
                }
                if SEASON == ADDITIVE {
                    season[place] = current + gamma * surprise;
                } else if SEASON == MULTIPLICATIVE {
                    season[place] = current + gamma * (y / ahead - current);
                }
            }
            if SEASON != NONE {
                place = if place + 1 == self.season_length { 0 } else { place + 1 };
            }
        }
        let mut objective = (squares + SQUARES_FLOOR * self.n_scored).ln();
        if MULTIPLICATIVE_ERROR {
            objective += 2.0 / self.n_scored * (logs + f64::ln(product));
        }
        if !can_run || !objective.is_finite() {
            objective = f64::INFINITY;
        }
        Pass { objective, squares, last: States { level, slope, season } }
    }

    fn backward<const TREND: bool, const SEASON: u8, const MULTIPLICATIVE_ERROR: bool>(
        &self,
        Smoothing { alpha, beta, gamma, phi }: Smoothing,
        pass: &Pass,
    ) -> Gradient {
        let weight = 2.0 / (pass.squares + SQUARES_FLOOR * self.n_scored);
        let log_weight = 2.0 / self.n_scored;
        let mut season_bar = [0.0; MAX_SEASON_LENGTH];
        let (mut level_bar, mut slope_bar) = (0.0, 0.0);
        let mut bar = Smoothing { alpha: 0.0, beta: 0.0, gamma: 0.0, phi: 0.0 };
        let mut place = (self.y.len() - 1) % self.season_length;
        for (y, before) in self.y.iter().zip(&self.trace).rev() {
            let Before { ahead, slope, season } = *before;
            let mut ahead_bar = level_bar;
            if !y.is_nan() {
                let mean = one_step_mean::<SEASON>(ahead, season);
                let surprise = surprise::<SEASON>(*y, ahead, season);
                let incoming = if SEASON == NONE { 0.0 } else { season_bar[place] };
                bar.alpha += level_bar * surprise;
                let mut surprise_bar = alpha * level_bar;
                if TREND {
                    bar.beta += slope_bar * surprise;
                    surprise_bar += beta * slope_bar;
                }
                let mean_bar = if MULTIPLICATIVE_ERROR {
                    let share = y / mean;
                    (log_weight - weight * (share - 1.0) * share) / mean
                } else {
                    -weight * (y - mean)
                };
                match SEASON {
                    ADDITIVE => {
                        bar.gamma += incoming * surprise;
                        surprise_bar += gamma * incoming;
                        season_bar[place] = incoming - surprise_bar + mean_bar;
                        ahead_bar += mean_bar;
                    }
                    MULTIPLICATIVE => {
                        let share = y / ahead;
                        bar.gamma += incoming * (share - season);
                        ahead_bar -= gamma * incoming * share / ahead;
                        season_bar[place] = incoming * (1.0 - gamma) - surprise_bar * y / (season * season) + mean_bar * ahead;
                        ahead_bar += mean_bar * season;
                    }
                    _ => ahead_bar += mean_bar,
                }
                ahead_bar -= surprise_bar;
            }
            if TREND {
                bar.phi += (slope_bar + ahead_bar) * slope;
                slope_bar = phi * (slope_bar + ahead_bar);
            }
            level_bar = ahead_bar;
            if SEASON != NONE {
                place = if place == 0 { self.season_length - 1 } else { place - 1 };
            }
        }
        Gradient { smoothing: bar, initial: States { level: level_bar, slope: slope_bar, season: season_bar } }
    }
}

#[inline(always)]
fn one_step_mean<const SEASON: u8>(ahead: f64, season: f64) -> f64 {
    match SEASON {
        ADDITIVE => ahead + season,
        MULTIPLICATIVE => ahead * season,
        _ => ahead,
    }
}

/// What the row says about the level beyond what was expected.
#[inline(always)]
fn surprise<const SEASON: u8>(y: f64, ahead: f64, season: f64) -> f64 {
    match SEASON {
        ADDITIVE => y - ahead - season,
        MULTIPLICATIVE => y / season - ahead,
        _ => y - ahead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central differences with step 1e-6 are good to about 1e-9 here; 1e-6 leaves room.
    #[test]
    fn the_gradient_of_every_form_is_that_of_finite_differences() {
        let season_length = 4;
        let y: Vec<f64> = (0..40)
            .map(|row| if row % 11 == 5 { f64::NAN } else { 5.0 + 0.1 * f64::from(row) + f64::from(row * 37 % 17) / 10.0 })
            .collect();
        for form in EtsForm::ALL {
            let mut space = StateSpace::new(&y, season_length);
            let phi = if form.is_damped() { 0.9 } else { 1.0 };
            let centre = if form.season == EtsSeason::Multiplicative { 1.0 } else { 0.0 };
            let mut season = [0.0; MAX_SEASON_LENGTH];
            for (place, value) in season.iter_mut().take(season_length).enumerate() {
                *value = centre + 0.1 * (place as f64 - 1.5);
            }
            let at = [0.3, 0.1, 0.2, phi, 5.0, 0.08];
            let split = |at: &[f64; 6], season: &[f64; MAX_SEASON_LENGTH]| {
                let smoothing = Smoothing { alpha: at[0], beta: at[1], gamma: at[2], phi: at[3] };
                (smoothing, States { level: at[4], slope: at[5], season: *season })
            };
            let (smoothing, initial) = split(&at, &season);
            let pass = space.run(form, smoothing, &initial);
            let gradient = space.gradient(form, smoothing, &pass);
            let mut difference = |change: &dyn Fn(f64) -> ([f64; 6], [f64; MAX_SEASON_LENGTH])| {
                let mut value = |step: f64| {
                    let (at, season) = change(step);
                    let (smoothing, initial) = split(&at, &season);
                    space.run(form, smoothing, &initial).objective
                };
                (value(1e-6) - value(-1e-6)) / 2e-6
            };
            let exact = [
                (0, gradient.smoothing.alpha, true),
                (1, gradient.smoothing.beta, form.has_trend()),
                (2, gradient.smoothing.gamma, form.is_seasonal()),
                (3, gradient.smoothing.phi, form.has_trend()),
                (4, gradient.initial.level, true),
                (5, gradient.initial.slope, form.has_trend()),
            ];
            for (index, exact, _) in exact.into_iter().filter(|(_, _, used)| *used) {
                let numeric = difference(&|step| {
                    let mut moved = at;
                    moved[index] += step;
                    (moved, season)
                });
                assert!((exact - numeric).abs() < 1e-6 * (1.0 + exact.abs()), "{form} {index}: {exact} and {numeric}");
            }
            for place in (0..season_length).filter(|_| form.is_seasonal()) {
                let numeric = difference(&|step| {
                    let mut moved = season;
                    moved[place] += step;
                    (at, moved)
                });
                let exact = gradient.initial.season[place];
                assert!((exact - numeric).abs() < 1e-6 * (1.0 + exact.abs()), "{form} season {place}: {exact} and {numeric}");
            }
        }
    }
}
