//! What other series tell: numbers small enough to check by hand, and nothing that depends on the order of series.

use almanac_features::{Calendar, FeaturePlan, FeatureSpec, PlanError, SeriesFeatures};
use almanac_series::{Freq, Hint, Horizon, Panel, PanelBuilder, Period, RowStatus, SeriesRows, StaticColumn, StaticValues};

use crate::bits;

/// A series: key, first period, department, values, prices (one row further than the values).
type Given<'a> = (&'a str, i64, u32, &'a [f64], &'a [f64]);

const SERIES: [Given<'_>; 3] = [
    ("a", 0, 0, &[2.0, 4.0, f64::NAN, 4.0], &[1.0, 1.0, 2.0, 2.0, 4.0]),
    ("b", 1, 0, &[6.0, 6.0, 12.0], &[3.0, 2.0, 2.0, 2.0]),
    ("c", 0, 1, &[10.0, 10.0, 10.0, 20.0], &[5.0, 5.0, 6.0, 7.0, 8.0]),
];

fn panel(series: &[Given<'_>]) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &["price".into()]);
    for (id, start, _, y, prices) in series {
        let status = y.iter().map(|y| if y.is_nan() { RowStatus::Missing } else { RowStatus::Observed });
        let rows = SeriesRows {
            y: y.iter().copied().chain([f64::NAN]).collect(),
            status: status.chain([RowStatus::Future]).collect(),
            historic: vec![],
            future: vec![prices.to_vec()],
        };
        builder.push((*id).into(), Period(*start), rows).expect("columns agree");
    }
    let codes = series.iter().map(|(_, _, department, ..)| *department).collect();
    let categories: Vec<String> = vec!["food".into(), "tools".into()];
    let statics = StaticColumn { name: "department".into(), values: StaticValues::Category { codes, categories: categories.into() } };
    builder.finish(vec![statics]).expect("keys are unique")
}

fn spec() -> FeatureSpec {
    let mut spec = FeatureSpec::for_freq(Freq::Day, Horizon::new(1).expect("in range"));
    spec.level_rows = 2;
    spec.target_encoding = true;
    spec.parents = vec![vec!["department".into()], vec![]];
    spec
}

/// Values of some features of the row after `origin`.
fn read(panel: &Panel, plan: &FeaturePlan, series: &str, origin: usize, wanted: &[&str]) -> Vec<f32> {
    let calendar = Calendar::new(panel, plan).expect("no country");
    let index = panel.position(series).expect("a key");
    let mut row = Vec::new();
    SeriesFeatures::new(&panel.view(index), plan, &plan.bind(panel), &calendar).row(origin, origin + 1, 1.0, &mut row);
    let at = |name: &str| plan.row().position(|feature| feature.name == name).expect(name);
    wanted.iter().map(|name| row[at(name)]).collect()
}

#[test]
fn a_parent_is_the_sum_of_its_series() {
    let panel = panel(&SERIES);
    let plan = FeaturePlan::new(&panel, spec()).expect("known columns");
    let wanted = ["parent_department_sum", "parent_department_mean", "parent_department_mean2", "parent_department_change"];
    // Food sold 2, then 4 + 6, then 6 alone (the other row is missing), then 4 + 12.
    assert_eq!(read(&panel, &plan, "a", 1, &wanted), [10.0, 5.0, 3.5, 5.0 / 3.5]);
    assert_eq!(read(&panel, &plan, "a", 2, &wanted), [6.0, 6.0, 5.5, 6.0 / 5.5]);
    // `b` starts a day later: its row 1 is the same day.
    assert_eq!(read(&panel, &plan, "b", 1, &wanted), [6.0, 6.0, 5.5, 6.0 / 5.5]);
    assert_eq!(read(&panel, &plan, "a", 3, &["parent_all_sum"]), [36.0]);
}

#[test]
fn a_share_is_that_of_levels() {
    let panel = panel(&SERIES);
    let plan = FeaturePlan::new(&panel, spec()).expect("known columns");
    // Levels on the second day: mean of 2 and 4; 6.
    assert_eq!(read(&panel, &plan, "a", 1, &["parent_department_share"]), [3.0 / 9.0]);
    assert_eq!(read(&panel, &plan, "c", 1, &["parent_department_share"]), [1.0]);
}

#[test]
fn a_price_is_compared_with_those_of_its_day() {
    let panel = panel(&SERIES);
    let plan = FeaturePlan::new(&panel, spec()).expect("known columns");
    // The row after the last: 4 against 4 and 2.
    assert_eq!(read(&panel, &plan, "a", 3, &["price_to_parent_department"]), [(4.0 / 3.0) as f32]);
    assert_eq!(read(&panel, &plan, "b", 0, &["price_to_parent_department"]), [1.0]);
}

#[test]
fn a_category_is_told_by_what_came_of_its_series_so_far() {
    let panel = panel(&SERIES);
    let plan = FeaturePlan::new(&panel, spec()).expect("known columns");
    // Day 1: 4 over level 2. Day 2: 6 over level 6. Day 3: 4 over level 4 (the newest two rows hold it), 12 over level 6.
    assert!(read(&panel, &plan, "a", 0, &["department_encoded"])[0].is_nan());
    assert_eq!(read(&panel, &plan, "a", 1, &["department_encoded"]), [2.0]);
    assert_eq!(read(&panel, &plan, "a", 2, &["department_encoded"]), [1.5]);
    assert_eq!(read(&panel, &plan, "b", 2, &["department_encoded"]), [(2.0 + 1.0 + 1.0 + 2.0) / 4.0]);
    let mut fading = spec();
    fading.encoding_half_life = Some(1.0);
    let plan = FeaturePlan::new(&panel, fading).expect("known columns");
    assert_eq!(read(&panel, &plan, "a", 2, &["department_encoded"]), [(2.0 * 0.5 + 1.0) / 1.5]);
}

/// Many series whose sums do not come out even, so that another order of adding would show.
fn uneven(order: impl Iterator<Item = usize>) -> Panel {
    let noise = |k: usize, row: usize| ((k * 7919 + row * 104_729) % 1009) as f64 / 7.0;
    let made: Vec<(String, Vec<f64>, Vec<f64>)> = order
        .map(|k| (format!("s{k:04}"), (0..9).map(|row| noise(k, row)).collect(), (0..10).map(|row| 1.0 + noise(row, k)).collect()))
        .collect();
    let series: Vec<Given<'_>> = made
        .iter()
        .map(|(id, y, prices)| {
            let k: usize = id[1..].parse().expect("a number");
            (id.as_str(), (k % 5) as i64, (k % 2) as u32, y.as_slice(), prices.as_slice())
        })
        .collect();
    panel(&series)
}

/// Bits of what other series tell of some rows of some series.
fn told(panel: &Panel, plan: &FeaturePlan) -> Vec<u32> {
    let names: Vec<&str> = plan.groups().iter().map(|feature| feature.name.as_str()).collect();
    let rows = [("s0000", 3), ("s0511", 8), ("s0699", 6)];
    rows.iter().flat_map(|(series, origin)| bits(&read(panel, plan, series, *origin, &names))).collect()
}

#[test]
fn neither_the_order_of_series_nor_threads_change_a_bit() {
    const MANY: usize = 700;
    let panel = uneven(0..MANY);
    let plan = FeaturePlan::new(&panel, spec()).expect("known columns");
    let wanted = told(&panel, &plan);
    assert_eq!(told(&uneven((0..MANY).rev()), &plan), wanted);
    assert_eq!(told(&uneven((0..MANY).map(|k| k * 37 % MANY)), &plan), wanted);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(pool.install(|| told(&panel, &plan)), wanted, "{threads} threads");
    }
}

#[test]
fn a_group_of_a_column_that_is_not_there_is_refused() {
    let mut spec = spec();
    spec.parents = vec![vec!["departement".into()]];
    let error = FeaturePlan::new(&panel(&SERIES), spec).unwrap_err();
    assert!(matches!(error, PlanError::UnknownStatic { .. }));
    assert_eq!(error.to_string(), "`parents` names `departement`, which is no static column");
    assert_eq!(error.hint().as_deref(), Some("it has department"));
}
