//! Coverage on simulated data, where the truth is known.

use almanac_model::ForecastSpan;
use almanac_series::{Freq, Level, Period};

use super::*;
use crate::simulate::{Noise, horizon, panel_of, season};
use crate::{Fold, ScoreConfig, cross_coverage, empirical_coverage};

const H: usize = 14;
const ROWS: usize = 200;

struct World {
    hierarchy: Hierarchy,
    truths: Vec<FoldTruth>,
    forecasts: Vec<Forecast>,
}

/// Series drawn from `draw` around `rate(series, row)`; the forecast knows the rate, so that what is left is noise.
fn world(n: usize, rate: impl Fn(usize, usize) -> f64, mut draw: impl FnMut(usize, usize, f64) -> f64) -> World {
    let names: Vec<String> = (0..n).map(|k| format!("s{k:04}")).collect();
    let series: Vec<(&str, Vec<f64>)> =
        names.iter().enumerate().map(|(k, name)| (name.as_str(), (0..ROWS).map(|t| draw(k, t, rate(k, t))).collect())).collect();
    let panel = panel_of(&series);
    let hierarchy = Hierarchy::new(&panel, &[]).expect("no specs");
    let config = ScoreConfig { season_length: season(7), price: None };
    let cutoffs = (0..3).map(|index| (index, ROWS - H * (3 - index) - 1));
    let truths: Vec<FoldTruth> = cutoffs
        .clone()
        .map(|(index, at)| FoldTruth::new(&panel, &hierarchy, Fold { index, cutoff: Period(at as i64) }, horizon(H), &config))
        .collect();
    let forecasts = cutoffs
        .map(|(_, at)| {
            let mut forecast = Forecast::empty("oracle", Freq::Day, horizon(H), &[]);
            for (k, name) in names.iter().enumerate() {
                let mean: Vec<f64> = (1..=H).map(|step| rate(k, at + step)).collect();
                forecast.push(ForecastSpan { id: name.as_str().into(), cutoff: Period(at as i64) }, &mean, &[]);
            }
            forecast
        })
        .collect();
    World { hierarchy, truths, forecasts }
}

impl World {
    fn folds(&self) -> Vec<(&FoldTruth, &Forecast)> {
        self.truths.iter().zip(&self.forecasts).collect()
    }

    /// Shares of the newest fold's bottom rows that lie within the interval, of those that `keep` picks by rate.
    fn conditional(&self, level: f64, keep: impl Fn(f64) -> bool) -> (f64, usize) {
        let folds = self.folds();
        let calibrator = Calibrator::fit(&self.hierarchy, &folds[..2]);
        let (low, high) = Level::new(level).expect("in range").bounds();
        let (truth, mut forecast) = (folds[2].0, folds[2].1.clone());
        calibrator.apply("bottom", &mut forecast, &truth.bottom().scales, &[low, high]).expect("known level");
        let (mut within, mut n) = (0, 0);
        for (row, y) in truth.bottom().actual.iter().enumerate().filter(|(row, _)| keep(forecast.mean[*row])) {
            n += 1;
            within += usize::from(forecast.quantile_values[row * 2] <= *y && *y <= forecast.quantile_values[row * 2 + 1]);
        }
        (within as f64 / n as f64, n)
    }
}

#[track_caller]
fn near(what: &str, (got, n): (f64, usize), nominal: f64, tolerance: f64) {
    assert!((got - nominal).abs() <= tolerance, "{what}: {got:.4} of {n}, nominal {nominal}");
}

fn weekly(size: f64, row: usize) -> f64 {
    size * if row % 7 >= 5 { 3.0 } else { 0.6 }
}

#[test]
fn intervals_hold_where_noise_grows_with_the_forecast() {
    let mut noise = Noise(11);
    let size = |k: usize| 10.0 * 1.03_f64.powi(k as i32 % 200);
    let world = world(400, |k, t| weekly(size(k), t), |_, _, rate| rate * (1.0 + 0.15 * noise.normal()));
    for level in [0.5, 0.8, 0.95] {
        near("all", world.conditional(level, |_| true), level, 0.02);
        near("large", world.conditional(level, |f| f > 500.0), level, 0.03);
        near("small", world.conditional(level, |f| f < 30.0), level, 0.03);
    }
}

#[test]
fn intervals_hold_where_series_differ_in_noise() {
    let mut noise = Noise(12);
    let world = world(400, |_, t| 1000.0 + weekly(10.0, t), |k, _, rate| rate + (1.0 + k as f64) * noise.normal());
    for level in [0.8, 0.95] {
        near("all", world.conditional(level, |_| true), level, 0.02);
    }
}

#[test]
fn intervals_of_counts_hold_on_busy_and_quiet_days() {
    let mut noise = Noise(13);
    let world = world(500, |k, t| weekly(4.0 * 1.01_f64.powi(k as i32), t), |_, _, rate| noise.poisson(rate));
    for level in [0.8, 0.95] {
        // Closed intervals of whole numbers hold a little more than asked, the more the smaller the count.
        near("all", world.conditional(level, |_| true), level, 0.02);
        near("busy", world.conditional(level, |f| f > 100.0), level, 0.03);
        near("quiet", world.conditional(level, |f| f < 20.0), level, 0.04);
    }
}

#[test]
fn the_upper_quantile_of_rare_sales_holds_though_the_lower_is_near_zero() {
    let mut noise = Noise(14);
    let world = world(500, |k, _| 0.05 + 0.002 * k as f64, |_, _, rate| noise.poisson(rate));
    let folds = world.folds();
    let rows = empirical_coverage(&world.hierarchy, &folds, &[Level::new(0.8).expect("in range")]);
    let bottom = rows.iter().find(|row| row.level == "bottom").expect("measured");
    // Bins pool forecasts of like size, so a lower bound can lie a hair above 0 where a single rate would give 0.
    assert!(bottom.below < 0.05, "{bottom:?}");
    assert!((bottom.above - 0.1).abs() < 0.02, "{bottom:?}");
}

#[test]
fn every_level_is_measured_and_a_total_with_few_residuals_is_not_too_narrow() {
    let mut noise = Noise(15);
    let mut covered = Vec::new();
    for _ in 0..40 {
        let world = world(20, |_, t| weekly(50.0, t), |_, _, rate| rate + 5.0 * noise.normal());
        let rows = cross_coverage(&world.hierarchy, &world.folds(), &[Level::new(0.8).expect("in range")]);
        assert_eq!(rows.iter().map(|row| (row.level.as_str(), row.n)).collect::<Vec<_>>(), [("total", 3 * H), ("bottom", 3 * H * 20)]);
        covered.push(rows[0].empirical);
    }
    let mean = covered.iter().sum::<f64>() / covered.len() as f64;
    assert!((0.78..0.88).contains(&mean), "{mean}");
}

#[test]
fn quantiles_do_not_cross_and_are_not_negative_and_survive_json() {
    let mut noise = Noise(16);
    let world = world(30, |k, t| weekly(0.2 + k as f64, t), |_, _, rate| noise.poisson(rate));
    let calibrator = Calibrator::fit(&world.hierarchy, &world.folds());
    let quantiles: Vec<Quantile> = [0.975, 0.001, 0.5, 0.33, 0.1, 0.9999].map(|p| Quantile::new(p).expect("in range")).into();
    let mut forecast = world.forecasts[2].clone();
    forecast.mean[0] = -1.0;
    calibrator.apply("bottom", &mut forecast, &world.truths[2].bottom().scales, &quantiles).expect("known level");
    assert!(forecast.quantiles.is_sorted());
    for step in forecast.quantile_values.chunks(6) {
        assert!(step.is_sorted() && step[0] >= 0.0 && step[5].is_finite(), "{step:?}");
    }
    let text = serde_json::to_string(&calibrator).expect("plain data");
    let read: Calibrator = serde_json::from_str(&text).expect("what was written");
    assert_eq!(read, calibrator);
    assert!(matches!(read.apply("store", &mut forecast, &[], &quantiles), Err(CalibrateError::UnknownLevel { .. })));
    assert!(matches!(read.apply("bottom", &mut forecast, &[], &quantiles), Err(CalibrateError::Scales { got: 0, .. })));
}

#[test]
fn histories_without_any_sale_or_change_still_get_finite_intervals() {
    let world = world(3, |_, _| 0.0, |k, _, _| if k == 0 { 0.0 } else { -5.0 });
    let calibrator = Calibrator::fit(&world.hierarchy, &world.folds());
    let mut forecast = world.forecasts[2].clone();
    let quantiles = [Quantile::new(0.1).expect("in range"), Quantile::new(0.9).expect("in range")];
    calibrator.apply("bottom", &mut forecast, &world.truths[2].bottom().scales, &quantiles).expect("known level");
    assert!(forecast.quantile_values.iter().all(|value| value.is_finite()));
}

#[test]
fn one_thread_calibrates_as_many_do() {
    let mut noise = Noise(17);
    let world = world(60, |k, t| weekly(1.0 + k as f64, t), |_, _, rate| noise.poisson(rate));
    let many = Calibrator::fit(&world.hierarchy, &world.folds());
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    assert_eq!(one.install(|| Calibrator::fit(&world.hierarchy, &world.folds())), many);
}

#[test]
fn a_series_without_a_history_is_far_less_certain_than_the_others() {
    let mut noise = Noise(3);
    let world = world(20, |_, _| 100.0, |_, _, rate| rate + noise.normal());
    let folds = world.folds();
    let calibrator = Calibrator::fit(&world.hierarchy, &folds[..2]);
    let (truth, mut forecast) = (folds[2].0, folds[2].1.clone());
    forecast.cold = vec!["s0003".into()];
    let quantiles = [0.1, 0.9].map(|p| Quantile::new(p).expect("in range"));
    calibrator.apply("bottom", &mut forecast, &truth.bottom().scales, &quantiles).expect("calibrated");
    let width = |series: usize| forecast.quantiles_of(series)[1] - forecast.quantiles_of(series)[0];
    assert!(width(2) < 5.0, "noise of 1: {}", width(2));
    assert!(width(3) > 60.0, "half the mean either way: {}", width(3));
    assert!(forecast.quantiles_of(3)[0] >= 0.0);
}
