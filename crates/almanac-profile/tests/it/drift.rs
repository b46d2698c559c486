//! What a comparison says.

use std::sync::Arc;

use almanac_profile::{Drift, DriftOptions, Method, ProfileOptions, SchemaChange, compare};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;

use crate::sample::{numbers, profile, sales, uniform, words};

fn key() -> ProfileOptions {
    ProfileOptions { key: vec!["store".to_owned(), "item".to_owned()], ..ProfileOptions::default() }
}

fn drift(before: &RecordBatch, after: &RecordBatch) -> Drift {
    compare(&profile(before, &key()), &profile(after, &key()), &DriftOptions::default())
}

#[test]
fn a_table_does_not_differ_from_itself() {
    let batch = sales(0..200, 40, 1);
    let drift = drift(&batch, &batch);
    assert!(!drift.verdict.is_drift && !drift.verdict.is_changed && drift.verdict.remarks.is_empty(), "{:?}", drift.verdict);
    assert!(drift.columns.iter().all(|column| !column.is_drift));
    assert!(drift.columns.iter().filter_map(|column| column.psi).all(|psi| psi == 0.0));
}

#[test]
fn new_days_are_no_change_of_the_past_and_altered_rows_are() {
    let (past, new) = (sales(0..100, 7, 1), sales(100..110, 7, 2));
    let grown = concat_batches(&past.schema(), [&past, &new]).unwrap();
    let periods = drift(&past, &grown).columns[2].periods.clone().unwrap();
    assert_eq!((periods.new, periods.changed, periods.vanished, periods.same), (10, 0, 0, 100));

    let altered = drift(&grown, &grown.slice(10, 760 - 10));
    let periods = altered.columns[2].periods.clone().unwrap();
    assert_eq!((periods.new, periods.changed, periods.vanished), (0, 2, 2));
    assert_eq!(periods.examples[0], ("1970-01-01".to_owned(), 7, 0));
    assert!(altered.verdict.remarks.iter().any(|remark| remark.contains("the past of `date` changed")), "{:?}", altered.verdict);
}

#[test]
fn series_that_come_and_go_are_named() {
    let change = drift(&sales(0..20, 10, 1), &sales(0..20, 8, 1)).key.unwrap().change;
    assert_eq!((change.before, change.after, change.new, change.vanished), (10, 8, Some(0), Some(2)));
    assert_eq!(change.vanished_names, ["S01/1", "S02/1"]);
}

#[test]
fn columns_that_come_go_or_change_their_type_are_told() {
    let table = |second: &str, values: ArrayRef| {
        RecordBatch::try_from_iter([("id", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef), (second, values)]).unwrap()
    };
    let old = profile(&table("a", Arc::new(StringArray::from(vec!["x", "y"]))), &ProfileOptions::default());
    let new = profile(&table("b", Arc::new(StringArray::from(vec!["x", "y"]))), &ProfileOptions::default());
    let retyped = profile(&table("a", Arc::new(Int64Array::from(vec![1, 2]))), &ProfileOptions::default());
    let drift = compare(&old, &new, &DriftOptions::default());
    let (column, data_type) = ("b".to_owned(), "text".to_owned());
    assert_eq!(
        drift.schema,
        [SchemaChange::Added { column, data_type: data_type.clone() }, SchemaChange::Removed { column: "a".to_owned(), data_type }]
    );
    let drift = compare(&old, &retyped, &DriftOptions::default());
    assert!(matches!(&drift.schema[..], [SchemaChange::Retyped { column, .. }] if column == "a"), "{:?}", drift.schema);
    assert!(drift.columns[1].method.is_none());
}

#[test]
fn new_and_vanished_categories_are_named_with_their_rows() {
    let table = |categories: &[&str]| profile(&words(categories.iter().cycle().take(2_000).copied()), &ProfileOptions::default());
    let drift = compare(&table(&["a", "b", "c", "d"]), &table(&["a", "b", "c", "e"]), &DriftOptions::default());
    let column = &drift.columns[0];
    assert_eq!(column.new_categories.as_ref().unwrap()[0].value, "e");
    assert_eq!(column.vanished_categories.as_ref().unwrap()[0].rows, 500);
    assert!(column.is_drift && column.method == Some(Method::JensenShannon));
    assert_eq!(column.bar_names.len(), column.bars.before.len());
}

#[test]
fn a_column_that_loses_its_values_drifts() {
    let full = words((0..2_000).map(|i| format!("{}", i % 9)));
    let half = RecordBatch::try_from_iter_with_nullable([(
        "x",
        Arc::new((0..2_000).map(|i| (i >= 300).then(|| format!("{}", i % 9))).collect::<StringArray>()) as ArrayRef,
        true,
    )])
    .unwrap();
    let options = ProfileOptions::default();
    let drift = compare(&profile(&full, &options), &profile(&half, &options), &DriftOptions::default());
    assert!(drift.columns[0].is_drift && drift.columns[0].is_missing_drift);
    assert_eq!(drift.verdict.remarks[0], "`x` is missing in 15.0 % of the rows, 0.0 % before");
}

#[test]
fn an_empty_table_on_either_side_gives_no_number_and_no_panic() {
    let (some, none) = (sales(0..30, 5, 1), sales(0..0, 5, 1));
    for (before, after) in [(&some, &none), (&none, &some), (&none, &none)] {
        let drift = drift(before, after);
        assert!(drift.columns.iter().all(|column| column.score.is_none_or(f64::is_finite)), "{drift:?}");
        serde_json::to_string(&drift).unwrap();
    }
}

#[test]
fn the_test_and_its_threshold_can_be_chosen() {
    let table = |shift: f64| profile(&numbers((0..5_000).map(|i| uniform(3, i) + shift).collect()), &ProfileOptions::default());
    let with = |method, threshold| {
        let options = DriftOptions { number_method: Some(method), threshold, ..DriftOptions::default() };
        let drift = compare(&table(0.0), &table(0.05), &options);
        (drift.columns[0].method, drift.columns[0].is_drift)
    };
    assert_eq!(with(Method::Psi, Some(10.0)), (Some(Method::Psi), false));
    assert_eq!(with(Method::Ks, None), (Some(Method::Ks), true));
    assert_eq!(with(Method::Wasserstein, None), (Some(Method::Wasserstein), true));
}

/// The drift of a single column named `x`.
fn of_one(before: &RecordBatch, after: &RecordBatch, options: &DriftOptions) -> almanac_profile::ColumnDrift {
    let look = ProfileOptions::default();
    compare(&profile(before, &look), &profile(after, &look), options).columns[0].clone()
}

#[test]
fn columns_that_name_rows_have_no_test_and_measures_that_are_all_different_have_one() {
    let ids = |from: u64| words((from..from + 2_000).map(|id| format!("order-{id}")));
    let numbered = |from: u64| numbers((from..from + 2_000).map(|id| id as f64).collect());
    // Amounts in cents: whole, nearly all different, far from each other.
    let cents = |seed: u64, scale: f64| numbers((0..2_000).map(|row| (uniform(seed, row) * 1e9 * scale).floor()).collect());
    for (before, after) in [(ids(0), ids(2_000)), (numbered(0), numbered(2_000))] {
        let column = of_one(&before, &after, &DriftOptions::default());
        assert!(column.is_identifier && column.method.is_none() && !column.is_drift, "{column:?}");
        let asked = DriftOptions { category_method: Some(Method::Psi), number_method: Some(Method::Psi), ..DriftOptions::default() };
        assert_eq!(of_one(&before, &after, &asked).method, Some(Method::Psi), "a test that is asked for is made");
    }
    let column = of_one(&cents(1, 1.0), &cents(2, 1.5), &DriftOptions::default());
    assert!(!column.is_identifier && column.is_drift, "{column:?}");
}

#[test]
fn many_categories_in_few_rows_are_no_drift_until_they_differ_by_more_than_chance() {
    let draw = |seed: u64, skew: f64| words((0..1_500).map(|row| format!("c{:.0}", uniform(seed, row).powf(skew) * 300.0)));
    let same = of_one(&draw(1, 1.0), &draw(2, 1.0), &DriftOptions::default());
    // Evidently's limit of 0.1 would call this drift.
    assert!(same.score > Some(0.1) && !same.is_drift && same.is_threshold_raised, "{same:?}");
    let other = of_one(&draw(1, 1.0), &draw(2, 2.0), &DriftOptions::default());
    assert!(other.is_drift, "{other:?}");
    let limits = std::collections::BTreeMap::from([(Method::JensenShannon, 0.1)]);
    let asked = of_one(&draw(1, 1.0), &draw(2, 1.0), &DriftOptions { limits, ..DriftOptions::default() });
    assert!(asked.is_drift && !asked.is_threshold_raised && asked.threshold == Some(0.1), "{asked:?}");
}

#[test]
fn bars_of_whole_numbers_have_no_blanks_between() {
    for values in [13, 21, 37, 100] {
        let table = numbers((0..5_000).map(|row| (uniform(3, row) * f64::from(values)).floor()).collect());
        let bars = profile(&table, &ProfileOptions::default()).summary().columns[0].number.clone().unwrap().bars;
        assert!(bars.len() <= 20 && bars.iter().all(|rows| *rows > 0), "{values}: {bars:?}");
        assert_eq!(bars.iter().sum::<u64>(), 5_000);
    }
}

#[test]
fn series_that_are_gone_are_told_once() {
    let drift = drift(&sales(0..20, 10, 1), &sales(0..20, 8, 1));
    assert!(drift.verdict.remarks.iter().all(|remark| !remark.contains("series")), "{:?}", drift.verdict);
}

#[test]
fn huge_values_of_one_distribution_do_not_drift() {
    let huge = |seed: u64| numbers((0..2_000).map(|row| (uniform(seed, row) - 0.5) * 1e300).collect());
    let column = of_one(&huge(1), &huge(2), &DriftOptions::default());
    assert!(!column.is_drift && column.score < Some(0.1), "{column:?}");
}

#[test]
fn one_row_that_is_missing_is_no_drift_and_many_are() {
    let with = |missing: usize, rows: usize| numbers((0..rows).map(|row| if row < missing { f64::NAN } else { row as f64 }).collect());
    assert!(!of_one(&with(0, 1), &with(1, 1), &DriftOptions::default()).is_drift);
    assert!(!of_one(&with(1, 20), &with(3, 20), &DriftOptions::default()).is_missing_drift);
    assert!(of_one(&with(0, 200), &with(20, 200), &DriftOptions::default()).is_missing_drift);
}
