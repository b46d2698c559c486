//! Features of whole panels: no look-ahead, and plans that survive being stored.

use almanac_features::{
    Calendar, FeaturePlan, FeatureSpec, FourierSpec, FutureKind, PlanError, QuantileSpec, SeriesFeatures, WindowSpec, asof, known,
};
use almanac_series::{Freq, Hint, Horizon, Panel, PanelBuilder, Period, RowStatus, SeriesRows, StaticColumn, StaticValues};

mod groups;
mod push;
mod transform;

const HISTORY: i64 = 800;
const HORIZON: i64 = 14;

/// Three series with every kind of column; `after` changes what lies after `cutoff`, in days from the first series' start.
fn panel(cutoff: i64, after: impl Fn(f64) -> f64) -> Panel {
    let future = ["price", "promo", "event", "school", "temperature"].map(str::to_owned);
    let mut builder = PanelBuilder::new(Freq::Day, &["visitors".into(), "breakdown".into()], &future);
    for (id, phase) in [("b/2", 3), ("a/1", 0), ("c/1", 40)] {
        let mut rows = SeriesRows { historic: vec![vec![]; 2], future: vec![vec![]; 5], ..SeriesRows::default() };
        for row in 0..HISTORY + HORIZON {
            let noise = ((row * 7919 + phase * 31) % 101) as f64;
            let value = if row > 420 && row % 29 == 7 { 0.0 } else { 20.0 + 5.0 * (row % 7) as f64 + noise / 10.0 };
            let change = |value: f64| if row + phase > cutoff { after(value) } else { value };
            let status = match row {
                row if row >= HISTORY => RowStatus::Future,
                row if row % 41 == 0 => RowStatus::Missing,
                row if row % 53 == 0 => RowStatus::Censored,
                _ => RowStatus::Observed,
            };
            rows.y.push(if matches!(status, RowStatus::Future | RowStatus::Missing) { f64::NAN } else { change(value) });
            rows.status.push(status);
            rows.historic[0].push(change(noise));
            rows.historic[1].push(change(f64::from(u8::from(row % 37 == 3))));
            rows.future[0].push(3.0 + ((row + 9 * phase) / 50 % 3) as f64);
            rows.future[1].push(f64::from(u8::from(row % 28 < 5)));
            rows.future[2].push(if row % 90 == 4 { 7.0 } else { 0.0 });
            rows.future[3].push(if row % 20 < 3 { (1 + row / 20 % 3) as f64 } else { 0.0 });
            rows.future[4].push(noise / 5.0 - 8.0);
        }
        builder.push(id.into(), Period(16_000 + phase), rows).expect("columns agree");
    }
    let statics = vec![
        StaticColumn {
            name: "region".into(),
            values: StaticValues::Category { codes: vec![1, 0, 0].into(), categories: vec!["north".to_owned(), "south".to_owned()].into() },
        },
        StaticColumn { name: "size".into(), values: StaticValues::Number(vec![10.0, 20.0, 20.0].into()) },
    ];
    builder.finish(statics).expect("keys are unique")
}

fn spec() -> FeatureSpec {
    let mut spec = spec_of(Freq::Day, HORIZON as usize);
    spec.categorical_future = vec!["school".into()];
    spec.parents = vec![vec![], vec!["region".into()], vec!["region".into(), "size".into()]];
    spec
}

/// A spec with everything on. Every field is named, so that a new one is turned on here, and so comes under the tests.
fn spec_of(freq: Freq, horizon: usize) -> FeatureSpec {
    let usual = FeatureSpec::for_freq(freq, Horizon::new(horizon).expect("in range"));
    let mut windows = usual.windows;
    windows.iter_mut().for_each(|window| *window = WindowSpec { zero_share: true, ..WindowSpec::full(window.rows) });
    FeatureSpec {
        horizon,
        lags: usual.lags,
        windows,
        ewm: usual.ewm,
        season_lengths: usual.season_lengths,
        season_means: usual.season_means,
        year: usual.year,
        level_rows: usual.level_rows,
        calendar: true,
        trend: true,
        country: Some("DE".into()),
        categorical_future: vec![],
        quantiles: vec![QuantileSpec { rows: 28, levels: vec![0.1, 0.5, 0.9] }, QuantileSpec { rows: 5, levels: vec![0.5] }],
        expanding: true,
        differences: vec![1, 7],
        historic_events: true,
        fourier: vec![FourierSpec { period: 7.0, order: 2 }, FourierSpec { period: 365.25, order: 1 }],
        price_history: true,
        target_encoding: true,
        encoding_half_life: Some(100.0),
        parents: vec![],
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// All that is said of a row: its features by name, the usual effect, the level.
fn said(features: &SeriesFeatures<'_>, plan: &FeaturePlan, origin: usize, target: usize) -> Vec<(String, f32)> {
    let mut row = Vec::new();
    features.row(origin, target, 1.0, &mut row);
    let extra = [("effect", features.effect(origin, target)), ("level", features.levels()[origin])];
    let names = plan.row().map(|feature| feature.name.clone());
    names.zip(row).chain(extra.map(|(name, value)| (name.to_owned(), value))).collect()
}

/// The promise of the crate, for every feature there is: `spec` turns all of them on.
#[test]
fn nothing_after_the_origin_moves_a_feature() {
    for cutoff in [60, 250, 400] {
        let (calm, wild) = (panel(HISTORY, |v| v), panel(cutoff, |v| v * -1e6 + 3.0));
        let plan = FeaturePlan::new(&calm, spec()).expect("known country");
        let calendar = Calendar::new(&calm, &plan).expect("known country");
        let bindings = [&calm, &wild].map(|panel| plan.bind(panel));
        for index in 0..calm.n_series() {
            let origin = Period(16_000 + cutoff).since(calm.view(index).start()) as usize;
            let gold: Vec<_> =
                [&calm, &wild].iter().zip(&bindings).map(|(panel, binding)| asof(&panel.view(index), &plan, binding)).collect();
            for (column, feature) in plan.asof().iter().enumerate() {
                assert_eq!(bits(&gold[0].column(column)[..=origin]), bits(&gold[1].column(column)[..=origin]), "{}", feature.name);
            }
            let made = [(&calm, &bindings[0]), (&wild, &bindings[1])]
                .map(|(panel, binding)| SeriesFeatures::new(&panel.view(index), &plan, binding, &calendar));
            for target in origin + 1..=origin + HORIZON as usize {
                let [calm, wild] = [&made[0], &made[1]].map(|features| said(features, &plan, origin, target));
                for ((name, calm), (_, wild)) in calm.iter().zip(&wild) {
                    assert_eq!(calm.to_bits(), wild.to_bits(), "{name} of row {target} as of {origin}: {calm} became {wild}");
                }
            }
        }
    }
}

/// What never says anything cannot be caught looking ahead either.
#[test]
fn every_feature_says_something_in_the_test_of_looking_ahead() {
    let panel = panel(HISTORY, |v| v);
    let plan = FeaturePlan::new(&panel, spec()).expect("known country");
    let kinds: Vec<FutureKind> = plan.future().iter().map(|role| role.kind).collect();
    for kind in [FutureKind::Flag, FutureKind::Amount, FutureKind::Event, FutureKind::Category, FutureKind::Number] {
        assert!(kinds.contains(&kind), "no column is a {kind:?}");
    }
    let calendar = Calendar::new(&panel, &plan).expect("known country");
    let binding = plan.bind(&panel);
    let mut seen: std::collections::BTreeMap<String, std::collections::BTreeSet<u32>> = std::collections::BTreeMap::new();
    for view in panel.views() {
        let features = SeriesFeatures::new(&view, &plan, &binding, &calendar);
        for target in 1..HISTORY as usize + HORIZON as usize {
            let origin = (target - 1 - target % 5 * usize::from(target > 5)).min(HISTORY as usize - 1);
            for (name, value) in said(&features, &plan, origin, target) {
                let values = seen.entry(name).or_default();
                if !value.is_nan() {
                    values.insert(value.to_bits());
                }
            }
        }
    }
    let silent: Vec<_> = seen.iter().filter(|(_, values)| values.len() < 2).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "always the same: {silent:?}");
}

#[test]
fn a_cut_panel_gives_the_rows_that_the_whole_one_gave() {
    let whole = panel(HISTORY, |v| v);
    let cut = whole.until(Period(16_000 + 380));
    let plan = FeaturePlan::new(&whole, spec()).expect("known country");
    let calendar = Calendar::new(&whole, &plan).expect("known country");
    let view = cut.view(0);
    let features = [&whole, &cut].map(|panel| SeriesFeatures::new(&panel.view(0), &plan, &plan.bind(panel), &calendar));
    let rows = features.map(|features| {
        let mut row = Vec::new();
        features.row(view.len() - 1, view.len() + 4, 2.0, &mut row);
        row
    });
    assert_eq!(bits(&rows[0]), bits(&rows[1]));
    assert_eq!(rows[0].len(), plan.row().count());
}

/// One series with an event every 30 days, whose code is its place among `texts`.
fn eventful(texts: &[&str], event: &str) -> Panel {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let code = texts.iter().position(|text| text == event).expect("listed") as f64;
    let mut builder = PanelBuilder::new(Freq::Day, &[], &["event".into()]).categories("event", &texts);
    let rows = SeriesRows {
        y: (0..200).map(|row| 10.0 + f64::from(row % 7)).chain([f64::NAN; 14]).collect(),
        status: std::iter::repeat_n(RowStatus::Observed, 200).chain([RowStatus::Future; 14]).collect(),
        historic: vec![],
        future: vec![(0..214).map(|row| if row % 30 == 4 { code } else { 0.0 }).collect()],
    };
    builder.push("a".into(), Period(16_000), rows).expect("columns agree");
    builder.finish(vec![]).expect("one key")
}

#[test]
fn a_new_text_does_not_change_what_the_known_ones_say() {
    let (then, now) = (eventful(&["", "fair"], "fair"), eventful(&["", "advent", "fair"], "fair"));
    let plan = FeaturePlan::new(&then, spec_of(Freq::Day, 14)).expect("known country");
    let calendar = Calendar::new(&then, &plan).expect("known country");
    let rows = [&then, &now].map(|panel| {
        let mut row = Vec::new();
        SeriesFeatures::new(&panel.view(0), &plan, &plan.bind(panel), &calendar).row(199, 213, 1.0, &mut row);
        row
    });
    assert_eq!(bits(&rows[0]), bits(&rows[1]));
}

#[test]
fn names_are_unique_and_as_many_as_columns() {
    let panel = panel(HISTORY, |v| v);
    let plan = FeaturePlan::new(&panel, spec()).expect("known country");
    let mut names: Vec<&str> = plan.row().map(|feature| feature.name.as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let calendar = Calendar::new(&panel, &plan).expect("known country");
    let columns = known(&panel.view(0), &plan, &plan.bind(&panel), &calendar);
    assert_eq!((columns.n_columns(), columns.n_rows()), (plan.known().len(), (HISTORY + HORIZON) as usize));
    // By column they are what rows hold.
    let binding = plan.bind(&panel);
    let features = SeriesFeatures::new(&panel.view(0), &plan, &binding, &calendar);
    for target in [1, 99, (HISTORY + HORIZON - 1) as usize] {
        let (mut row, mut column_wise) = (Vec::new(), Vec::new());
        features.row(0, target, 1.0, &mut row);
        columns.gather(target, &mut column_wise);
        assert_eq!(bits(&row[plan.asof().len()..][..plan.known().len()]), bits(&column_wise), "row {target}");
    }
}

#[test]
fn a_stored_plan_reads_back_as_it_was() {
    let plan = FeaturePlan::new(&panel(HISTORY, |v| v), spec()).expect("known country");
    let text = serde_json::to_string(&plan).expect("plain data");
    assert_eq!(serde_json::from_str::<FeaturePlan>(&text).expect("as written"), plan);
}

#[test]
fn a_plan_that_asks_for_nothing_optional_is_stored_as_it_always_was() {
    let plan =
        FeaturePlan::new(&panel(HISTORY, |v| v), FeatureSpec::for_freq(Freq::Day, Horizon::new(7).expect("in range"))).expect("usual");
    let stored = serde_json::to_value(&plan).expect("plain data");
    let keys = |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&stored), ["freq", "future", "historic", "holidays", "spec", "statics"]);
    let spec = [
        "calendar",
        "categorical_future",
        "country",
        "ewm",
        "horizon",
        "lags",
        "level_rows",
        "season_lengths",
        "season_means",
        "trend",
        "windows",
        "year",
    ];
    assert_eq!(keys(&stored["spec"]), spec);
    assert_eq!(serde_json::from_value::<FeaturePlan>(stored).expect("an older plan"), plan);
}

#[test]
fn an_unknown_country_is_refused_with_a_suggestion() {
    let mut spec = spec();
    spec.country = Some("Germny".into());
    let error = FeaturePlan::new(&panel(HISTORY, |v| v), spec).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean `DE` (germany)?"));
}

#[test]
fn a_window_of_no_rows_is_refused() {
    let mut spec = spec();
    spec.windows.push(WindowSpec::mean(0));
    assert_eq!(FeaturePlan::new(&panel(HISTORY, |v| v), spec), Err(PlanError::ZeroRows { field: "windows" }));
}

#[test]
fn numbers_out_of_range_are_refused() {
    let mut waves = spec();
    waves.fourier[0].period = 1.0;
    let mut quantiles = spec();
    quantiles.quantiles[0].levels.push(50.0);
    for (spec, wanted) in [
        (waves, "`fourier` must hold periods above 1 row, and 1 to 100 waves each"),
        (quantiles, "`quantiles` must hold probabilities from 0 to 1"),
    ] {
        assert_eq!(FeaturePlan::new(&panel(HISTORY, |v| v), spec).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn every_frequency_has_features() {
    for alias in ["1", "s", "15min", "h", "D", "B", "W-FRI", "MS", "QE", "YS"] {
        let freq: Freq = alias.parse().expect(alias);
        let mut builder = PanelBuilder::new(freq, &[], &[]);
        let rows = SeriesRows { y: (0..60).map(f64::from).collect(), status: vec![RowStatus::Observed; 60], ..SeriesRows::default() };
        builder.push("a".into(), Period(30), rows).expect("no columns");
        let panel = builder.finish(vec![]).expect("one series");
        let plan = FeaturePlan::new(&panel, spec_of(freq, 6)).expect(alias);
        let calendar = Calendar::new(&panel, &plan).expect(alias);
        let mut row = Vec::new();
        SeriesFeatures::new(&panel.view(0), &plan, &plan.bind(&panel), &calendar).row(59, 65, 1.0, &mut row);
        assert_eq!(row.len(), plan.row().count(), "{alias}");
    }
}
