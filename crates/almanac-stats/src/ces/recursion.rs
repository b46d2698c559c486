//! The recursion of complex smoothing over a history, with the derivatives by the smoothing parameters carried along.
//!
//! Lane 0 of every number is its value, lane `1 + k` its derivative by parameter `k`; where there is one lane there are no
//! derivatives. The parameters are `α₀, α₁` of what comes first, level or season, then `β` of the season beside a level.

/// Value and derivatives.
pub(super) type Lanes<const L: usize> = [f64; L];

/// A level and its potential, or a place in the season.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Complex<const L: usize> {
    pub(super) real: Lanes<L>,
    pub(super) imaginary: Lanes<L>,
}

/// A state that does not depend on the parameters, its hidden part as statsforecast starts it.
pub(super) fn first_state<const L: usize>(value: f64) -> Complex<L> {
    let mut state = Complex { real: [0.0; L], imaginary: [0.0; L] };
    state.real[0] = value;
    state.imaginary[0] = value / 1.1;
    state
}

impl<const L: usize> Complex<L> {
    /// Moves on by a step with an error. `first`: index of the first of the two parameters.
    #[inline(always)]
    pub(super) fn step(&mut self, [p0, p1]: [f64; 2], first: usize, error: &Lanes<L>) {
        let Self { real, imaginary } = *self;
        for lane in 0..L {
            self.real[lane] = real[lane] - (1.0 - p1) * imaginary[lane] + (p0 - p1) * error[lane];
            self.imaginary[lane] = real[lane] + (1.0 - p0) * imaginary[lane] + (p0 + p1) * error[lane];
        }
        if L > 1 {
            self.real[1 + first] += error[0];
            self.real[2 + first] += imaginary[0] - error[0];
            self.imaginary[1 + first] += error[0] - imaginary[0];
            self.imaginary[2 + first] += error[0];
        }
    }

    /// Moves a mere figure on by a step with an error. `first`: index of its parameter.
    #[inline(always)]
    pub(super) fn step_real(&mut self, p0: f64, first: usize, error: &Lanes<L>) {
        for (real, error) in self.real.iter_mut().zip(error) {
            *real += p0 * error;
        }
        if L > 1 {
            self.real[1 + first] += error[0];
        }
    }
}

/// Seasons as types: no branch in the loop.
pub(super) const NONE: u8 = 0;
pub(super) const REAL: u8 = 1;
pub(super) const COMPLEX: u8 = 2;

/// States of one form: a level or none, and one number per place in the season or none.
#[derive(Debug, Clone)]
pub(super) struct States<const LEVEL: bool, const SEASON: u8, const L: usize> {
    pub(super) level: Complex<L>,
    pub(super) season: Vec<Complex<L>>,
    spare: Vec<Complex<L>>,
}

impl<const LEVEL: bool, const SEASON: u8, const L: usize> States<LEVEL, SEASON, L> {
    /// Index of the first parameter of the season.
    const SEASON_FIRST: usize = if LEVEL { 2 } else { 0 };

    pub(super) fn new(level: f64, season: &[f64]) -> Self {
        let season: Vec<Complex<L>> = season.iter().map(|value| first_state(*value)).collect();
        Self { level: first_state(level), spare: season.clone(), season }
    }

    pub(super) fn set(&mut self, level: f64, season: &[f64]) {
        self.level = first_state(level);
        for (state, value) in self.season.iter_mut().zip(season) {
            *state = first_state(*value);
        }
    }

    /// Goes over rows, the first of which is at place 0. Where asked for, returns the sums of the products of errors and their
    /// derivatives, each with each.
    pub(super) fn pass<const PRODUCTS: bool>(&mut self, rows: impl Iterator<Item = f64>, p: &[f64; 4]) -> [Lanes<L>; L] {
        let mut products = [[0.0; L]; L];
        let mut place = 0;
        for y in rows {
            let mut error = self.ahead(place).map(|lane| -lane);
            error[0] += y;
            if y.is_nan() {
                error = [0.0; L];
            }
            if PRODUCTS {
                for (products, one) in products.iter_mut().zip(error) {
                    for (product, other) in products.iter_mut().zip(error) {
                        *product += one * other;
                    }
                }
            }
            self.step(place, p, &error);
            if SEASON != NONE {
                place = if place + 1 == self.season.len() { 0 } else { place + 1 };
            }
        }
        products
    }

    /// What a row at a place in the season is expected to be.
    #[inline(always)]
    pub(super) fn ahead(&self, place: usize) -> Lanes<L> {
        match (LEVEL, SEASON) {
            (true, NONE) => self.level.real,
            (false, _) => self.season[place].real,
            (true, _) => {
                let season = &self.season[place];
                std::array::from_fn(|lane| self.level.real[lane] + season.real[lane])
            }
        }
    }

    /// Moves the level and a place on by a row with an error.
    #[inline(always)]
    pub(super) fn step(&mut self, place: usize, p: &[f64; 4], error: &Lanes<L>) {
        if LEVEL {
            self.level.step([p[0], p[1]], 0, error);
        }
        let first = Self::SEASON_FIRST;
        match SEASON {
            REAL => self.season[place].step_real(p[first], first, error),
            COMPLEX => self.season[place].step([p[first], p[first + 1]], first, error),
            _ => {}
        }
    }

    /// After a pass over `rows` rows: the states from which to go over them the other way. They are those of the rows beyond
    /// the end, one season of them, in reverse.
    pub(super) fn turn(&mut self, rows: usize, p: &[f64; 4]) {
        let no_error = [0.0; L];
        let first = Self::SEASON_FIRST;
        if LEVEL {
            self.level.step([p[0], p[1]], 0, &no_error);
        }
        let length = self.season.len();
        for place in 0..length {
            let mut state = self.season[(rows + length - 1 - place) % length];
            if SEASON == COMPLEX {
                state.step([p[first], p[first + 1]], first, &no_error);
            }
            self.spare[place] = state;
        }
        std::mem::swap(&mut self.season, &mut self.spare);
    }
}
