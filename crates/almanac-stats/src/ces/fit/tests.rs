//! Complex smoothing: derivatives against differences, spread against the paths of single errors.

use super::*;

fn values() -> Vec<f64> {
    (0..60)
        .map(
            |row| if row % 11 == 5 { f64::NAN } else { 5.0 + 0.02 * f64::from(row) + f64::from(row % 4) + f64::from(row * 37 % 17) / 10.0 },
        )
        .collect()
}

fn history() -> History {
    let values = values();
    let n_scored = values.iter().filter(|value| !value.is_nan()).count();
    History { values, scale: 1.0, gap: 0, n_scored }
}

/// Central differences with step 1e-6 are good to about 1e-9 here; 1e-6 leaves room.
#[test]
fn the_gradient_of_every_form_is_that_of_finite_differences() {
    let y = values();
    let season = [0.5, -0.5, 0.2, -0.2];
    check(&y, States::<true, NONE, 4>::new(0.0, &[]), 6.0, &[], CesForm::None);
    check(&y, States::<false, COMPLEX, 4>::new(0.0, &season), 0.0, &season, CesForm::Simple);
    check(&y, States::<true, REAL, 4>::new(0.0, &season), 6.0, &season, CesForm::Partial);
    check(&y, States::<true, COMPLEX, 6>::new(0.0, &season), 6.0, &season, CesForm::Full);
}

fn check<const LEVEL: bool, const SEASON: u8, const L: usize>(
    y: &[f64],
    states: States<LEVEL, SEASON, L>,
    level: f64,
    season: &[f64],
    form: CesForm,
) {
    let n_free = form.n_smoothing();
    let mut problem = Problem { y, level, season, states };
    let at = [1.2, 0.9, 0.7, 0.8];
    let exact = problem.squares(&at);
    for k in 0..n_free {
        let mut moved = |step: f64| {
            let mut x = at;
            x[k] += step;
            problem.squares(&x).sum
        };
        let numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        let twice = 2.0 * exact.gradient[k];
        assert!((twice - numeric).abs() < 1e-6 * (exact.sum + twice.abs()), "{form:?} {k}: {twice} and {numeric}");
    }
}

/// The weight of an error in a later step is what the forecast moves by when the value moves by 1: the model is linear, so
/// that both ways agree to rounding.
#[test]
fn the_spread_is_that_of_all_the_errors_on_the_way() {
    let history = history();
    let fitter = Fitter::new(&history, 4);
    for form in CesForm::ALL {
        let fitted = fitter.fit(form).expect("long enough");
        let got = crate::ces::spread::predict(&fitted, 12);
        let mut expected = vec![fitted.variance; 12];
        for shocked in 0..12 {
            for (step, value) in path(&fitted, shocked).into_iter().enumerate().skip(shocked + 1) {
                expected[step] += fitted.variance * (value - got.mean[step]).powi(2);
            }
        }
        for (sd, expected) in got.sd.iter().zip(expected) {
            assert!((sd - expected.sqrt()).abs() < 1e-10, "{form:?}: {sd}, expected {}", expected.sqrt());
        }
    }
}

/// Forecasts where the value of step `shocked` is 1 above its own.
fn path(fitted: &Fitted, shocked: usize) -> Vec<f64> {
    let p = fitted.parameters;
    match fitted.form {
        CesForm::None => walk(States::<true, NONE, 1>::new(0.0, &[]), fitted, shocked, &p),
        CesForm::Simple => walk(States::<false, COMPLEX, 1>::new(0.0, &[0.0; 4]), fitted, shocked, &p),
        CesForm::Partial => walk(States::<true, REAL, 1>::new(0.0, &[0.0; 4]), fitted, shocked, &p),
        CesForm::Full => walk(States::<true, COMPLEX, 1>::new(0.0, &[0.0; 4]), fitted, shocked, &p),
    }
}

fn walk<const LEVEL: bool, const SEASON: u8>(
    mut states: States<LEVEL, SEASON, 1>,
    fitted: &Fitted,
    shocked: usize,
    p: &[f64; 4],
) -> Vec<f64> {
    let state = |[real, imaginary]: [f64; 2]| Complex { real: [real], imaginary: [imaginary] };
    states.level = state(fitted.level);
    states.season = fitted.season.iter().map(|pair| state(*pair)).collect();
    let mut means = Vec::new();
    for step in 0..12 {
        let place = step % states.season.len().max(1);
        means.push(states.ahead(place)[0]);
        states.step(place, p, &[f64::from(u8::from(step == shocked))]);
    }
    means
}
