//! The conformance suite of [`Forecaster`]: every implementor calls [`check_forecaster`] in its tests.
//!
//! It panics with a message where the contract is broken, so that it reads as a test.

use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, Quantile, RowStatus, Seed, SeriesRows};

use crate::{Forecast, Forecaster};

/// Checks the contract written on [`Forecaster`] over ordinary, short, constant, zero, gappy and huge series.
///
/// # Panics
/// Where the contract is broken.
pub fn check_forecaster(model: &dyn Forecaster) {
    let horizon = Horizon::new(14).expect("in range");
    let quantiles: Vec<Quantile> = [0.025, 0.1, 0.5, 0.9, 0.975].map(|p| Quantile::new(p).expect("in range")).into();
    let panel = sample_panel();
    let forecast = run(model, &panel, horizon, &quantiles);

    assert!(model.name().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "a lower-case name");
    assert_eq!(forecast.model, model.name());
    assert_eq!(forecast.n_series() + forecast.skipped.len(), panel.n_series(), "no series is lost without a reason");
    assert_eq!(forecast.mean.len(), forecast.n_series() * 14);
    assert!(forecast.mean.iter().chain(&forecast.quantile_values).all(|value| value.is_finite()), "no NaN, no infinity");
    if model.abilities().quantiles {
        assert_eq!(forecast.quantiles, quantiles);
        for step in forecast.quantile_values.chunks(quantiles.len()) {
            assert!(step.is_sorted(), "quantiles never cross: {step:?}");
        }
    } else {
        assert!(forecast.quantiles.is_empty());
    }
    assert!(forecast.position(&"ordinary_0".into()).is_some(), "an ordinary series is modelled");

    let again = run(model, &panel, horizon, &quantiles);
    assert_eq!(forecast, again, "the same input gives the same forecast");
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    let alone = one_thread.install(|| run(model, &panel, horizon, &quantiles));
    assert_eq!(forecast, alone, "one thread gives the same forecast as many");

    let cutoff = Period(DAYS - 30);
    let before = run(model, &panel.until(cutoff), horizon, &quantiles);
    let disturbed = run(model, &disturbed_panel(cutoff).until(cutoff), horizon, &quantiles);
    assert_eq!(before, disturbed, "nothing after the cutoff is seen");
}

fn run(model: &dyn Forecaster, panel: &Panel, horizon: Horizon, quantiles: &[Quantile]) -> Forecast {
    let fitted = model.fit(panel, horizon, Seed(7)).expect("fit fails only if nothing can be modelled");
    fitted.predict(panel, horizon, quantiles).expect("the context is the training panel")
}

const DAYS: i64 = 400;

fn sample_panel() -> Panel {
    panel_with(|_, y| y)
}

fn disturbed_panel(cutoff: Period) -> Panel {
    panel_with(|row, y| if row > cutoff.0 { y * 3.0 + 1000.0 } else { y })
}

fn panel_with(change: impl Fn(i64, f64) -> f64) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &["price".into()]);
    let mut push = |id: &str, start: i64, value: &dyn Fn(i64) -> f64, status: &dyn Fn(i64) -> RowStatus| {
        let mut rows = SeriesRows { future: vec![Vec::new()], ..SeriesRows::default() };
        for row in start..DAYS + 14 {
            let ahead = row >= DAYS;
            let kind = if ahead { RowStatus::Future } else { status(row) };
            let missing = matches!(kind, RowStatus::Future | RowStatus::Missing);
            rows.y.push(if missing { f64::NAN } else { change(row, value(row)) });
            rows.status.push(kind);
            rows.future[0].push(2.0 + f64::from(row % 11 == 0));
        }
        builder.push(id.into(), Period(start), rows).expect("columns agree");
    };
    let observed = |_: i64| RowStatus::Observed;
    // A multiplicative congruence in place of noise: the suite needs no generator.
    let noise = |row: i64| ((row * 7919 + 13) % 101) as f64 / 101.0;
    for k in 0..12 {
        let level = 10.0 + f64::from(k) * 5.0;
        let week = move |row: i64| 1.0 + 0.3 * f64::from(u8::from(row % 7 >= 5));
        push(&format!("ordinary_{k}"), 0, &move |row| level * week(row) + 3.0 * noise(row + i64::from(k)), &observed);
    }
    push("short", DAYS - 5, &|row| 4.0 + noise(row), &observed);
    push("one_row", DAYS - 1, &|_| 4.0, &observed);
    push("constant", 0, &|_| 12.0, &observed);
    push("zero", 0, &|_| 0.0, &observed);
    push("intermittent", 0, &|row| if row % 9 == 0 { 3.0 } else { 0.0 }, &observed);
    push("huge", 0, &|row| 1e15 * (1.0 + noise(row)), &observed);
    push("negative", 0, &|row| -20.0 + noise(row), &observed);
    push("gappy", 0, &|row| 8.0 + noise(row), &|row| if row % 5 == 0 { RowStatus::Missing } else { RowStatus::Observed });
    push("stockouts", 0, &|row| if row % 50 < 5 { 0.0 } else { 8.0 + noise(row) }, &|row| {
        if row % 50 < 5 { RowStatus::Censored } else { RowStatus::Observed }
    });
    builder.finish(vec![]).expect("keys are unique")
}
