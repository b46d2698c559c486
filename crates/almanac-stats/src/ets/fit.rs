//! One form estimated on one history: free parameters to states and back, AICc.

use super::form::{EtsForm, EtsSeason};
use super::initial::{self, Start};
use super::optimise::{Objective, minimise};
use super::state_space::{Pass, Smoothing, StateSpace, States};
use super::{EtsFit, MAX_SEASON_LENGTH};
use crate::history::History;

/// R's bounds of the smoothing parameters; besides, `beta` is at most `alpha` and `gamma` at most `1 - alpha`.
const LOWEST: f64 = 1e-4;
const HIGHEST: f64 = 1.0 - 1e-4;
const PHI: (f64, f64) = (0.8, 0.98);
/// Gain in -2 log likelihood that is not worth another step.
const TOLERANCE: f64 = 1e-3;
/// Free parameters of the season that further starts are made from; a form without season takes the first only.
const LIVELY_SEASONS: [f64; 2] = [-3.0, 1.5];
/// Largest free parameter to start from: beyond it the bound's slope is too flat to come back from.
const STEEP: f64 = 4.0;

/// Estimates forms on one history.
#[derive(Debug)]
pub(crate) struct Fitter {
    space: StateSpace,
    scale: f64,
    n_scored: usize,
    is_positive: bool,
    asked_season_length: usize,
    /// Places in the season with scored rows; fewer than 2 mean no season.
    places: Vec<usize>,
}

/// An estimated form, in the units of the history.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    pub(crate) form: EtsForm,
    pub(crate) smoothing: Smoothing,
    pub(crate) season_length: usize,
    /// Rows of the history: the place in the season of the first step.
    pub(crate) n_rows: usize,
    /// Variance of the errors, with the degrees of freedom of the estimated parameters taken off.
    pub(crate) variance: f64,
    /// Objective of the state space: -2 log likelihood per scored row.
    pub(crate) objective: f64,
    pub(crate) aicc: f64,
    pub(crate) last: States,
    free: Vec<f64>,
    start: Start,
}

impl Fitter {
    /// Seasons longer than [`MAX_SEASON_LENGTH`], of which there are fewer than two, or of one place only are dropped.
    pub(crate) fn new(history: &History, season_length: usize) -> Self {
        let has_season = (2..=MAX_SEASON_LENGTH).contains(&season_length) && history.n_scored >= 2 * season_length;
        let asked_season_length = season_length;
        let season_length = if has_season { season_length } else { 1 };
        let mut has_place = [false; MAX_SEASON_LENGTH];
        for (row, _) in history.scored() {
            has_place[row % season_length] = true;
        }
        Self {
            space: StateSpace::new(&history.values, season_length),
            scale: history.scale,
            n_scored: history.n_scored,
            is_positive: history.scored().all(|(_, y)| y > 0.0),
            asked_season_length,
            places: (0..season_length).filter(|place| has_place[*place]).collect(),
        }
    }

    pub(crate) fn season_length(&self) -> usize {
        self.space.season_length()
    }

    pub(crate) fn is_positive(&self) -> bool {
        self.is_positive
    }

    /// Returns the number of estimated parameters, the error variance included.
    pub(crate) fn n_parameters(&self, form: EtsForm) -> usize {
        form.n_smoothing() + self.n_states(form) + 1
    }

    fn n_states(&self, form: EtsForm) -> usize {
        1 + usize::from(form.has_trend()) + if form.is_seasonal() { self.places.len() - 1 } else { 0 }
    }

    /// Checks that there are rows enough for the form.
    ///
    /// # Errors
    /// How many scored rows are needed; no more than there are where the season is too long or has one place only.
    pub(crate) fn check_rows(&self, form: EtsForm) -> Result<(), usize> {
        let needed = self.n_parameters(form) + 2;
        if form.is_seasonal() && self.places.len() < 2 {
            return Err(needed.max(2 * self.asked_season_length));
        }
        if self.n_scored < needed { Err(needed) } else { Ok(()) }
    }

    /// Estimates a form, from the estimates of a form with the same trend and season where given.
    /// `None` where the form cannot be run on these values. The caller has checked the rows.
    pub(crate) fn fit(&mut self, form: EtsForm, like: Option<&Fitted>) -> Option<Fitted> {
        if form.needs_positive() && !self.is_positive {
            return None;
        }
        let season_length = self.season_length();
        let (start, mut free) = if let Some(like) = like {
            let mut free = like.free.clone();
            free.iter_mut().take(form.n_smoothing()).for_each(|value| *value = value.clamp(-STEEP, STEEP));
            (like.start, free)
        } else {
            let start = initial::start(self.space.y(), form, season_length, &self.places);
            (start, first_smoothing(form, if form.is_seasonal() { season_length } else { 1 }))
        };
        free.resize(form.n_smoothing() + self.n_states(form), 0.0);
        let tolerance = TOLERANCE / self.n_scored as f64;
        let n_parameters = self.n_parameters(form) as f64;
        let mut problem = Problem { space: &mut self.space, places: &self.places, form, start: &start, latest: None };
        let mut objective = minimise(&mut problem, &mut free, tolerance);
        if like.is_none() || !form.is_seasonal() {
            for season in LIVELY_SEASONS.into_iter().take(if form.is_seasonal() { 2 } else { 1 }) {
                let mut lively = lively_smoothing(form, season);
                lively.resize(free.len(), 0.0);
                let other = minimise(&mut problem, &mut lively, tolerance);
                if other < objective {
                    (objective, free) = (other, lively);
                }
            }
        }
        if !objective.is_finite() {
            return None;
        }
        problem.value(&free);
        let Latest { smoothing, pass, .. } = problem.latest.expect("the problem was just evaluated");
        let n = self.n_scored as f64;
        let aic = n * objective + 2.0 * n * self.scale.ln() + 2.0 * n_parameters;
        Some(Fitted {
            form,
            smoothing,
            season_length,
            n_rows: self.space.y().len(),
            variance: pass.squares / (n - n_parameters + 1.0),
            objective,
            aicc: aic + 2.0 * n_parameters * (n_parameters + 1.0) / (n - n_parameters - 1.0),
            last: pass.last,
            free,
            start,
        })
    }

    /// Returns what was estimated, in the units of `y`.
    pub(crate) fn describe(&self, fitted: &Fitted) -> EtsFit {
        let n = self.n_scored as f64;
        EtsFit {
            form: fitted.form,
            smoothing: fitted.smoothing,
            minus_two_log_likelihood: n * fitted.objective + 2.0 * n * self.scale.ln(),
            aicc: fitted.aicc,
            n_parameters: self.n_parameters(fitted.form),
        }
    }
}

/// R's `initparam`, with a calmer season, as free parameters.
fn first_smoothing(form: EtsForm, season_length: usize) -> Vec<f64> {
    let alpha = LOWEST + 0.2 * (HIGHEST - LOWEST) / season_length as f64;
    let mut free = vec![logit((alpha - LOWEST) / (HIGHEST - LOWEST))];
    if form.has_trend() {
        free.push(logit(0.1));
    }
    if form.is_seasonal() {
        free.push(logit(0.01));
    }
    if form.is_damped() {
        free.push(logit(0.9));
    }
    free
}

/// Places to start from far from the first, a calm and a lively season: the likelihood often has several minima.
fn lively_smoothing(form: EtsForm, season: f64) -> Vec<f64> {
    let mut free = vec![0.0];
    free.extend(form.has_trend().then_some(-3.0));
    free.extend(form.is_seasonal().then_some(season));
    free.extend(form.is_damped().then_some(0.0));
    free
}

fn logit(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

fn logistic(free: f64) -> f64 {
    1.0 / (1.0 + (-free).exp())
}

/// The likelihood of a form as a function of free parameters: smoothing through the logistic function between its bounds,
/// then initial states as multiples of the start's unit away from the start. The last place of the season follows from the
/// others, so that the season adds up to nothing.
struct Problem<'a> {
    space: &'a mut StateSpace,
    places: &'a [usize],
    form: EtsForm,
    start: &'a Start,
    latest: Option<Latest>,
}

struct Latest {
    smoothing: Smoothing,
    shares: Shares,
    pass: Pass,
}

/// Where each smoothing parameter lies between its bounds, 0 to 1.
#[derive(Clone, Copy)]
struct Shares {
    alpha: f64,
    beta: f64,
    gamma: f64,
    phi: f64,
}

impl Problem<'_> {
    fn smoothing(&self, x: &[f64]) -> (Smoothing, Shares) {
        let mut free = x.iter().copied();
        let mut next = |used: bool| if used { logistic(free.next().expect("one per parameter")) } else { 0.0 };
        let shares = Shares {
            alpha: next(true),
            beta: next(self.form.has_trend()),
            gamma: next(self.form.is_seasonal()),
            phi: next(self.form.is_damped()),
        };
        let alpha = LOWEST + (HIGHEST - LOWEST) * shares.alpha;
        let smoothing = Smoothing {
            alpha,
            beta: if self.form.has_trend() { LOWEST + (alpha - LOWEST) * shares.beta } else { 0.0 },
            gamma: if self.form.is_seasonal() { LOWEST + (1.0 - alpha - LOWEST) * shares.gamma } else { 0.0 },
            phi: if self.form.is_damped() { PHI.0 + (PHI.1 - PHI.0) * shares.phi } else { 1.0 },
        };
        (smoothing, shares)
    }

    /// Value of one unit of a seasonal parameter.
    fn season_unit(&self) -> f64 {
        if self.form.season == EtsSeason::Multiplicative {
            self.start.unit / self.start.states.level.abs().max(1e-9)
        } else {
            self.start.unit
        }
    }

    fn initial(&self, x: &[f64]) -> States {
        let mut free = x[self.form.n_smoothing()..].iter();
        let mut states = self.start.states;
        states.level += self.start.unit * free.next().expect("one per state");
        if self.form.has_trend() {
            states.slope += self.start.unit * SLOPE_UNIT * free.next().expect("one per state");
        }
        if self.form.is_seasonal() {
            let [others @ .., last] = self.places else { unreachable!("a season has two places or more") };
            let unit = self.season_unit();
            for (place, free) in others.iter().zip(free) {
                states.season[*place] += unit * free;
                states.season[*last] -= unit * free;
            }
        }
        states
    }
}

/// A slope matters by what it adds up to over several rows.
const SLOPE_UNIT: f64 = 0.1;

impl Objective for Problem<'_> {
    fn value(&mut self, x: &[f64]) -> f64 {
        let (smoothing, shares) = self.smoothing(x);
        let initial = self.initial(x);
        if self.form.season == EtsSeason::Multiplicative && self.places.iter().any(|place| initial.season[*place] <= 1e-3) {
            return f64::INFINITY;
        }
        let pass = self.space.run(self.form, smoothing, &initial);
        self.latest = Some(Latest { smoothing, shares, pass });
        pass.objective
    }

    fn gradient(&mut self, _x: &[f64], gradient: &mut [f64]) {
        let Latest { smoothing, shares, pass } = self.latest.as_ref().expect("a value comes before its gradient");
        let by = self.space.gradient(self.form, *smoothing, pass);
        let (smooth, states) = gradient.split_at_mut(self.form.n_smoothing());
        let mut smooth = smooth.iter_mut();
        let mut put = |value: f64| *smooth.next().expect("one per parameter") = value;
        let steepness = |share: f64| share * (1.0 - share);
        let mut by_alpha = by.smoothing.alpha;
        if self.form.has_trend() {
            by_alpha += by.smoothing.beta * shares.beta;
        }
        if self.form.is_seasonal() {
            by_alpha -= by.smoothing.gamma * shares.gamma;
        }
        put(by_alpha * (HIGHEST - LOWEST) * steepness(shares.alpha));
        if self.form.has_trend() {
            put(by.smoothing.beta * (smoothing.alpha - LOWEST) * steepness(shares.beta));
        }
        if self.form.is_seasonal() {
            put(by.smoothing.gamma * (1.0 - smoothing.alpha - LOWEST) * steepness(shares.gamma));
        }
        if self.form.is_damped() {
            put(by.smoothing.phi * (PHI.1 - PHI.0) * steepness(shares.phi));
        }
        let mut states = states.iter_mut();
        let mut put = |value: f64| *states.next().expect("one per state") = value;
        put(by.initial.level * self.start.unit);
        if self.form.has_trend() {
            put(by.initial.slope * self.start.unit * SLOPE_UNIT);
        }
        if self.form.is_seasonal() {
            let [others @ .., last] = self.places else { unreachable!("a season has two places or more") };
            let unit = self.season_unit();
            for place in others {
                put((by.initial.season[*place] - by.initial.season[*last]) * unit);
            }
        }
    }
}
