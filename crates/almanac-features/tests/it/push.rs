//! Values appended to a history give the bits that the longer history gives.

use almanac_features::{AdvanceError, Calendar, FeaturePlan, SeriesFeatures};
use almanac_series::{Freq, Panel, PanelBuilder, Period, RowStatus, SeriesRows};
use proptest::prelude::*;

use crate::{bits, spec_of};

/// What a random history is made of: the target with gaps, and what the columns hold.
#[derive(Debug, Clone)]
struct History {
    y: Vec<f64>,
    visitors: Vec<f64>,
    breakdown: Vec<f64>,
    price: Vec<f64>,
    promo: Vec<f64>,
    event: Vec<f64>,
}

/// A panel of the first `rows` rows, with what is known ahead up to row `known`.
fn panel(freq: Freq, history: &History, rows: usize, known: usize) -> Panel {
    let future = ["price", "promo", "event"].map(str::to_owned);
    let mut builder = PanelBuilder::new(freq, &["visitors".into(), "breakdown".into()], &future);
    let total = rows.max(known);
    let upto = |values: &[f64], last: usize| (0..total).map(|row| if row < last { values[row] } else { f64::NAN }).collect::<Vec<_>>();
    let y = upto(&history.y, rows);
    let status = y.iter().enumerate().map(|(row, y)| match row {
        row if row >= rows => RowStatus::Future,
        row if y.is_nan() && row % 2 == 0 => RowStatus::Censored,
        _ if y.is_nan() => RowStatus::Missing,
        _ => RowStatus::Observed,
    });
    let status = status.collect();
    let future = [&history.price, &history.promo, &history.event].map(|values| upto(values, known));
    let rows =
        SeriesRows { status, y, historic: vec![upto(&history.visitors, rows), upto(&history.breakdown, rows)], future: future.into() };
    builder.push("a".into(), Period(16_000), rows).expect("columns agree");
    builder.finish(vec![]).expect("one key")
}

fn history(rows: usize) -> impl Strategy<Value = History> {
    let value = || prop_oneof![5 => 0.0..200.0_f64, 2 => Just(0.0), 1 => Just(f64::NAN)];
    let flag = || prop_oneof![3 => Just(0.0), 1 => Just(1.0), 1 => Just(f64::NAN)];
    let columns = (
        prop::collection::vec(value(), rows),
        prop::collection::vec(value(), rows),
        prop::collection::vec(prop_oneof![4 => 1.0..9.0_f64, 1 => Just(f64::NAN)], rows),
        prop::collection::vec(flag(), rows),
        prop::collection::vec(prop_oneof![9 => Just(0.0), 1 => Just(3.0)], rows),
        prop::collection::vec(prop_oneof![9 => Just(0.0), 1 => Just(1.0), 1 => Just(f64::NAN)], rows),
    );
    columns.prop_map(|(y, visitors, price, promo, event, breakdown)| History { y, visitors, breakdown, price, promo, event })
}

/// Everything that can be read of a row: all features for each step, the usual effect, the level and the count.
fn read(features: &SeriesFeatures<'_>, origin: usize, horizon: usize) -> Vec<u32> {
    let mut row = Vec::new();
    for target in origin + 1..=origin + horizon {
        features.row(origin, target, 1.0, &mut row);
        row.push(features.effect(origin, target));
    }
    row.push(features.levels()[origin]);
    row.push(features.counts()[origin] as f32);
    bits(&row)
}

#[track_caller]
fn check(freq: Freq, history: &History, rows: usize, known: usize) {
    let total = history.y.len();
    let whole = panel(freq, history, total, known);
    // What other series tell stays as it was: there are none, and no group.
    let plan = FeaturePlan::new(&whole, spec_of(freq, 9)).expect("known country");
    let cut = panel(freq, history, rows, known);
    let calendar = Calendar::new(&cut, &plan).expect("known country");
    let mut pushed = SeriesFeatures::new(&cut.view(0), &plan, &plan.bind(&cut), &calendar);
    for row in rows..total {
        pushed.push_with(history.y[row], &[history.visitors[row], history.breakdown[row]]);
        let longer = panel(freq, history, row + 1, known);
        let anew = SeriesFeatures::new(&longer.view(0), &plan, &plan.bind(&longer), &calendar);
        let names: Vec<_> = plan.row().map(|feature| feature.name.as_str()).chain(["effect"]).collect();
        for (at, (a, b)) in read(&pushed, row, 9).iter().zip(read(&anew, row, 9)).enumerate() {
            assert_eq!(*a, b, "row {row}: {}", names[at % names.len()]);
        }
    }
    // What was known at older rows stays as it was.
    let anew = SeriesFeatures::new(&whole.view(0), &plan, &plan.bind(&whole), &calendar);
    for origin in [0, rows / 2, rows, total - 1].into_iter().filter(|origin| *origin < total) {
        assert_eq!(read(&pushed, origin, 9), read(&anew, origin, 9), "origin {origin}");
    }
}

/// Goes on with panels that grow in history and in what is known ahead.
#[track_caller]
fn check_advancing(history: &History, rows: usize, ahead: usize, by: usize) {
    let total = history.y.len();
    let panels: Vec<Panel> = (rows..total).step_by(by).map(|rows| panel(Freq::Day, history, rows, (rows + ahead).min(total))).collect();
    let Some(first) = panels.first() else { return };
    let plan = FeaturePlan::new(panels.last().unwrap_or(first), spec_of(Freq::Day, 9)).expect("known country");
    let calendar = Calendar::new(first, &plan).expect("known country");
    let mut grown = SeriesFeatures::new(&first.view(0), &plan, &plan.bind(first), &calendar);
    let names: Vec<_> = plan.row().map(|feature| feature.name.as_str()).chain(["effect"]).collect();
    for panel in &panels {
        let binding = plan.bind(panel);
        grown.advance(&panel.view(0), &binding).expect("the same series, longer");
        let anew = SeriesFeatures::new(&panel.view(0), &plan, &binding, &calendar);
        assert_eq!(grown.len(), anew.len());
        let Some(origin) = grown.len().checked_sub(1) else { continue };
        for (at, (a, b)) in read(&grown, origin, 9).iter().zip(read(&anew, origin, 9)).enumerate() {
            assert_eq!(*a, b, "origin {origin}: {}", names[at % names.len()]);
        }
        // An older origin can still be read.
        assert_eq!(read(&grown, 0, 9).len(), read(&anew, 0, 9).len());
    }
}

#[test]
fn another_series_or_a_shorter_one_is_refused() {
    let noise: Vec<f64> = (0..60).map(|row| f64::from(row * 7919 % 101)).collect();
    let history = History {
        y: noise.clone(),
        visitors: noise.clone(),
        breakdown: noise.clone(),
        price: noise.clone(),
        promo: noise.clone(),
        event: noise,
    };
    let (long, short) = (panel(Freq::Day, &history, 50, 60), panel(Freq::Day, &history, 40, 60));
    let plan = FeaturePlan::new(&long, spec_of(Freq::Day, 9)).expect("known country");
    let calendar = Calendar::new(&long, &plan).expect("known country");
    let (binding, shorter) = (plan.bind(&long), long.tail(45));
    let mut features = SeriesFeatures::new(&long.view(0), &plan, &binding, &calendar);
    let error = features.advance(&short.view(0), &binding).unwrap_err();
    assert_eq!(error.to_string(), "series `a` has 40 rows of history, 50 are known already");
    assert!(matches!(features.advance(&shorter.view(0), &binding), Err(AdvanceError::OtherSeries { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn appended_values_give_the_bits_of_the_longer_history(history in history(150), rows in 0_usize..150, known in 100_usize..=150) {
        check(Freq::Day, &history, rows, known);
    }

    #[test]
    fn a_grown_panel_gives_the_bits_of_one_read_anew(history in history(150), rows in 0_usize..150, ahead in 0_usize..30, by in 1_usize..9) {
        check_advancing(&history, rows, ahead, by);
    }
}

#[test]
fn appending_works_at_every_frequency() {
    let noise = |row: usize, by: usize| ((row * 7919 + by * 31) % 101) as f64;
    let rows = 130;
    let column = |by: usize| (0..rows).map(|row| if row % 17 == by { f64::NAN } else { noise(row, by) }).collect::<Vec<_>>();
    let history = History {
        y: column(1),
        visitors: column(2),
        breakdown: (0..rows).map(|row| f64::from(u8::from(row % 13 == 4))).collect(),
        price: column(3),
        promo: (0..rows).map(|row| f64::from(u8::from(row % 9 < 2))).collect(),
        event: (0..rows).map(|row| if row % 31 == 5 { 2.0 } else { 0.0 }).collect(),
    };
    for alias in ["1", "15min", "h", "D", "B", "W-FRI", "MS", "QE"] {
        check(alias.parse().expect(alias), &history, 70, 120);
    }
}
