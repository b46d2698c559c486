//! Quantiles of a forecast: noise, and bends of the trend that are still to come.
//!
//! Ahead of the history the trend bends as often as in it, `rate` times per unit of time, each bend drawn from a Laplace
//! distribution whose scale is the mean size of the bends found. The deviation of the trend a time `h` ahead is then a compound
//! Poisson sum, and with the noise it has the characteristic function
//!
//! ```text
//!   exp( rate h (arctan(a) / a - 1) - noise² xi² / 2 )        a = scale h xi
//! ```
//!
//! which is real, as the distribution is symmetric. The original simulates it; here its Fourier series is summed, and the
//! quantile found by Newton's method, so that the numbers are the limit of infinitely many simulations and never change.
//!
//! Source: Taylor & Letham (2018), section 3.1.4, for the model; Fang & Oosterlee (2008), "A novel pricing method for European
//! options based on Fourier-cosine series expansions", for the inversion.

use std::f64::consts::PI;

/// The series repeats after twice this many standard deviations.
const REACH: f64 = 20.0;
/// Noise counts as at least this share of all doubt, so that the series ends soon; it blurs the quantiles by as little.
const LEAST_NOISE: f64 = 1.0 / 12.0;
/// Terms end where noise leaves less than `exp(-END² / 2)` of them.
const END: f64 = 6.0;
const MAX_STEPS: usize = 60;

/// Doubt at one step ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doubt {
    /// Standard deviation of the noise.
    pub(crate) noise: f64,
    /// Mean size of a bend, times what a bend of 1 does to the forecast.
    pub(crate) bend: f64,
    /// Bends per unit of time.
    pub(crate) rate: f64,
    /// Time since the end of the history.
    pub(crate) ahead: f64,
}

/// Room for the terms of the series.
#[derive(Debug, Default)]
pub(crate) struct Spread {
    terms: Vec<f64>,
}

impl Spread {
    /// Appends the quantiles of the deviation from the mean, in the order of `probabilities`, which ascend.
    pub(crate) fn append(&mut self, doubt: Doubt, probabilities: &[f64], out: &mut Vec<f64>) {
        let Doubt { noise, bend, rate, ahead } = doubt;
        let jump = bend * ahead;
        let sd = (noise * noise + 2.0 / 3.0 * rate * ahead * jump * jump).sqrt();
        let from = out.len();
        if sd > 0.0 {
            self.expand(rate * ahead, jump / sd, (noise / sd).max(LEAST_NOISE));
        }
        for (place, probability) in probabilities.iter().enumerate() {
            let mirrored = probabilities[..place].iter().position(|other| (other + probability - 1.0).abs() < 1e-12);
            let value = match mirrored {
                _ if sd == 0.0 || *probability == 0.5 => 0.0,
                Some(other) => -out[from + other],
                None => sd * self.upper_quantile(probability.max(1.0 - probability)).copysign(probability - 0.5),
            };
            out.push(value);
        }
        // Where probabilities are all but the same, so may be their quantiles but for rounding.
        out[from..].sort_by(f64::total_cmp);
    }

    /// Computes the terms in units of the standard deviation.
    fn expand(&mut self, expected: f64, jump: f64, noise: f64) {
        let count = (END * REACH / (PI * noise)).ceil() as usize;
        self.terms.clear();
        self.terms.extend((1..=count).map(|k| {
            let xi = k as f64 * PI / REACH;
            let a = jump * xi;
            let bends = if a > 0.0 { expected * (a.atan() / a - 1.0) } else { 0.0 };
            (bends - 0.5 * noise * noise * xi * xi).exp() / (k as f64 * PI)
        }));
    }

    /// Probability below `x` and density there.
    fn distribution(&self, x: f64) -> (f64, f64) {
        let (sin, cos) = (PI * x / REACH).sin_cos();
        let (mut s, mut c) = (sin, cos);
        let (mut below, mut density) = (0.5 + 0.5 * x / REACH, 0.5 / REACH);
        let mut frequency = 0.0;
        for term in &self.terms {
            frequency += PI / REACH;
            below += term * s;
            density += term * frequency * c;
            (s, c) = (s * cos + c * sin, c * cos - s * sin);
        }
        (below, density)
    }

    fn upper_quantile(&self, probability: f64) -> f64 {
        let (mut low, mut high) = (0.0, REACH);
        let mut x = rough_normal_quantile(probability);
        for _ in 0..MAX_STEPS {
            let (below, density) = self.distribution(x);
            let error = below - probability;
            if error > 0.0 {
                high = x;
            } else {
                low = x;
            }
            let newton = x - error / density;
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            let is_near = (next - x).abs() < 1e-9 * (1.0 + x);
            x = next;
            if is_near {
                break;
            }
        }
        x
    }
}

/// Quantile of the normal distribution above its median, to 5e-4: where Newton's method starts.
///
/// Source: Abramowitz & Stegun (1964), formula 26.2.23.
fn rough_normal_quantile(probability: f64) -> f64 {
    let depth = (-2.0 * (1.0 - probability).max(1e-300).ln()).sqrt();
    let above = 2.515_517 + depth * (0.802_853 + depth * 0.010_328);
    let below = 1.0 + depth * (1.432_788 + depth * (0.189_269 + depth * 0.001_308));
    (depth - above / below).clamp(0.0, REACH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(doubt: Doubt, probabilities: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        Spread::default().append(doubt, probabilities, &mut out);
        out
    }

    /// SciPy 1.16, `norm.ppf`. The series ends at a relative 1e-8 and wraps around at 20 standard deviations.
    #[test]
    fn without_bends_the_quantiles_are_normal() {
        let doubt = Doubt { noise: 2.0, bend: 0.0, rate: 25.0, ahead: 0.1 };
        let got = quantiles(doubt, &[0.005, 0.1, 0.5, 0.9, 0.975]);
        for (got, expected) in
            got.iter().zip([-2.575_829_303_548_901, -1.281_551_565_544_600_4, 0.0, 1.281_551_565_544_600_4, 1.959_963_984_540_054])
        {
            assert!((got - 2.0 * expected).abs() < 1e-6, "{got} {expected}");
        }
    }

    /// Draws of the same sum by a plain generator: 200 000 of them put the quantiles within about 1 %.
    #[test]
    fn with_bends_the_quantiles_are_those_of_a_simulation() {
        let doubt = Doubt { noise: 0.3, bend: 0.8, rate: 25.0, ahead: 0.2 };
        let mut state = 11_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        let mut draws: Vec<f64> = (0..200_000)
            .map(|_| {
                let (mut time, mut sum) = (0.0, 0.0);
                loop {
                    time -= uniform().ln() / doubt.rate;
                    if time > doubt.ahead {
                        break;
                    }
                    let size = -uniform().ln() * doubt.bend;
                    sum += (doubt.ahead - time) * if uniform() < 0.5 { size } else { -size };
                }
                sum + doubt.noise * (-2.0 * uniform().ln()).sqrt() * (2.0 * PI * uniform()).cos()
            })
            .collect();
        draws.sort_by(f64::total_cmp);
        let probabilities = [0.01, 0.1, 0.3, 0.7, 0.9, 0.99];
        for (got, p) in quantiles(doubt, &probabilities).iter().zip(probabilities) {
            let simulated = draws[(p * draws.len() as f64) as usize];
            assert!((got - simulated).abs() < 0.015 * simulated.abs() + 0.002, "{p}: {got} {simulated}");
        }
    }

    #[test]
    fn many_small_bends_and_few_large_ones_give_ascending_quantiles() {
        let probabilities: Vec<f64> = (1..100).map(|percent| f64::from(percent) / 100.0).collect();
        for (noise, rate) in [(0.0, 25.0), (1e-9, 0.01), (1.0, 1e4), (1e-3, 25.0)] {
            for ahead in [1e-6, 0.01, 1.0, 30.0] {
                let got = quantiles(Doubt { noise, bend: 1.0, rate, ahead }, &probabilities);
                assert!(got.is_sorted() && got.iter().all(|value| value.is_finite()) && got[49] == 0.0, "{noise} {rate} {ahead}");
            }
        }
    }
}
