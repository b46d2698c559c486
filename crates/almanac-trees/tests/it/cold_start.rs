//! Series without a history to go by: forecast from their attributes and from series like them, and said to be so.

use almanac_model::Forecaster;
use almanac_series::{Freq, Panel, PanelBuilder, Period, RowStatus, Seed, SeriesRows, StaticColumn, StaticValues};
use almanac_trees::{GlobalConfig, GlobalLightGbm, LightGbmConfig};

use crate::panels::horizon;

const HISTORY: i64 = 280;

/// Series by key, category, level and first day of sale; days before that are no rows. All sell half as much again on one day of the week,
/// and twice as much when on promotion.
fn panel(series: &[(&str, &str, f64, i64)], zeros: &[(&str, &str, i64)]) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &["promo".into()]);
    let mut texts = Vec::new();
    let all = series.iter().map(|(id, category, level, start)| (id, category, *level, *start));
    for (id, category, level, start) in all.chain(zeros.iter().map(|(id, category, start)| (id, category, 0.0, *start))) {
        let mut rows = SeriesRows { future: vec![vec![]], ..SeriesRows::default() };
        for row in start..HISTORY + 14 {
            rows.y.push(if row < HISTORY { level * shape(row) } else { f64::NAN });
            rows.status.push(if row < HISTORY { RowStatus::Observed } else { RowStatus::Future });
            rows.future[0].push(promo(row));
        }
        builder.push((*id).into(), Period(start), rows).expect("columns agree");
        texts.push((*category).to_owned());
    }
    let mut categories = texts.clone();
    categories.sort();
    categories.dedup();
    let codes = texts.iter().map(|text| categories.iter().position(|known| known == text).expect("listed") as u32).collect();
    let column = StaticColumn { name: "category".into(), values: StaticValues::Category { codes, categories: categories.into() } };
    builder.finish(vec![column]).expect("keys are unique")
}

fn promo(row: i64) -> f64 {
    f64::from(u8::from(row % 19 < 3))
}

fn shape(row: i64) -> f64 {
    (1.0 + 0.5 * f64::from(u8::from(row % 7 == 4))) * (1.0 + promo(row)) * (1.0 + 0.02 * ((row * 37 % 11) as f64 - 5.0) / 5.0)
}

fn train() -> Panel {
    let series: Vec<(String, &str, f64, i64)> = (0..12)
        .map(|k| (format!("s{k:02}"), if k % 2 == 0 { "drinks" } else { "tools" }, if k % 2 == 0 { 90.0 + f64::from(k) } else { 3.0 }, 0))
        .collect();
    let series: Vec<(&str, &str, f64, i64)> =
        series.iter().map(|(id, category, level, start)| (id.as_str(), *category, *level, *start)).collect();
    panel(&series, &[])
}

fn model() -> GlobalLightGbm {
    let global = GlobalConfig { bag: Some(1), ..GlobalConfig::default() };
    GlobalLightGbm::new(LightGbmConfig { global, trees: Some(60), learning_rate: Some(0.1), ..LightGbmConfig::default() })
}

#[test]
fn a_series_without_history_sells_what_its_like_sell() {
    let fitted = model().fit(&train(), horizon(), Seed(1)).expect("enough rows");
    let ids = [("new_drink", "drinks", 95.0), ("new_tool", "tools", 3.0)];
    let context = panel(&ids.map(|(id, category, level)| (id, category, level, HISTORY)), &[]);
    let forecast = fitted.predict(&context, horizon(), &[]).expect("forecast");
    assert_eq!(forecast.cold, ["new_drink".into(), "new_tool".into()]);
    assert!(forecast.skipped.is_empty());
    for (index, (id, _, level)) in ids.iter().enumerate() {
        assert_eq!(forecast.series[index].cutoff, Period(HISTORY - 1));
        for (step, mean) in forecast.mean_of(index).iter().enumerate() {
            let actual = level * shape(HISTORY + step as i64);
            assert!((mean / actual - 1.0).abs() < 0.3, "{id} {step}: {mean} for {actual}");
        }
    }
}

#[test]
fn some_zeros_are_cold_and_many_are_zero() {
    let fitted = model().fit(&train(), horizon(), Seed(1)).expect("enough rows");
    let context = panel(&[("known", "tools", 3.0, 0)], &[("dead", "drinks", 0), ("young", "drinks", HISTORY - 3)]);
    let forecast = fitted.predict(&context, horizon(), &[]).expect("forecast");
    assert_eq!(forecast.cold, ["young".into()]);
    let of = |id: &str| forecast.mean_of(forecast.position(&id.into()).expect("forecast"));
    assert!(of("dead").iter().all(|mean| *mean == 0.0));
    assert!(of("young").iter().all(|mean| *mean > 50.0), "{:?}", of("young"));
    let alone = panel(&[("known", "tools", 3.0, 0)], &[]);
    let alone = fitted.predict(&alone, horizon(), &[]).expect("forecast");
    assert_eq!(alone.mean_of(0), of("known"), "others are forecast as without them");
}

#[test]
fn a_category_never_seen_takes_the_level_of_all() {
    let fitted = model().fit(&train(), horizon(), Seed(1)).expect("enough rows");
    let forecast = fitted.predict(&panel(&[("new", "garden", 1.0, HISTORY)], &[]), horizon(), &[]).expect("forecast");
    assert_eq!(forecast.cold, ["new".into()]);
    assert!(forecast.mean.iter().all(|mean| *mean > 1.0 && *mean < 400.0), "{:?}", forecast.mean);
}

#[test]
fn a_part_of_a_forecast_keeps_what_is_said_of_its_series() {
    let fitted = model().fit(&train(), horizon(), Seed(1)).expect("enough rows");
    let context = panel(&[("a", "drinks", 1.0, HISTORY), ("b", "drinks", 1.0, HISTORY)], &[]);
    let forecast = fitted.predict(&context, horizon(), &[]).expect("forecast");
    assert_eq!(forecast.part(horizon(), |position| position == 1).cold, ["b".into()]);
    let again = GlobalLightGbm::load(&fitted.state()).expect("its own state");
    assert_eq!(again.predict(&context, horizon(), &[]).expect("forecast"), forecast);
}
