//! Tables of any size and shape: memory, spread over parts, hidden values, rows taken out.

use std::collections::BTreeMap;
use std::sync::Arc;

use almanac_expect::{Options, Origin, ResultFormat, Suite, Table, Validation, check, take_out};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Schema;
use serde_json::{Map, Value as Json, json};

pub(crate) const DAY: i64 = 86_400_000_000;

pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

pub(crate) fn table(batches: Vec<RecordBatch>) -> Table {
    Table::from_batches(batches[0].schema(), batches).unwrap()
}

pub(crate) fn judged(table: &Table, yaml: &str, options: &Options) -> Validation {
    check(table, &Suite::parse(yaml, "suite.yaml").unwrap()[0], options).unwrap()
}

/// Series `0..series`, each with a row a day.
pub(crate) fn panel(series: usize, days: usize) -> RecordBatch {
    let rows = series * days;
    batch(vec![
        ("id", Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("s{}", row / days)))) as ArrayRef),
        ("ds", Arc::new(TimestampMicrosecondArray::from_iter_values((0..rows).map(|row| (row % days) as i64 * DAY)))),
        ("y", Arc::new(Float64Array::from_iter_values((0..rows).map(|row| ((row * 7919) % 1013) as f64)))),
    ])
}

const KEYS: &str = "expectations:\n- type: expect_compound_columns_to_be_unique\n  column_list: [id, ds]\n";

#[test]
fn keys_in_any_order_are_judged_alike() {
    let sorted = panel(40, 50);
    let rows = sorted.num_rows();
    let shuffled: Vec<u64> = (0..rows as u64).map(|row| (row * 1087) % rows as u64).collect();
    let take = |rows: Vec<u64>| {
        let places = arrow::array::UInt64Array::from(rows);
        let columns = sorted.columns().iter().map(|column| arrow::compute::take(column, &places, None).unwrap()).collect();
        RecordBatch::try_new(sorted.schema(), columns).unwrap()
    };
    let twice: Vec<u64> = shuffled.iter().copied().chain([5, 5]).collect();
    let options = Options::default();
    assert!(judged(&table(vec![sorted.clone()]), KEYS, &options).is_ok());
    assert!(judged(&table(vec![take(shuffled)]), KEYS, &options).is_ok());
    let found = judged(&table(vec![take(twice.clone())]), KEYS, &options);
    assert_eq!(found.outcomes[0].failed_rows, 3);
    // A budget that holds no hash: the table is looked at in shares, and the verdict is the same.
    let small = Options { memory: 1 << 16, ..Options::default() };
    assert_eq!(judged(&table(vec![take(twice)]), KEYS, &small).outcomes, found.outcomes);
}

#[test]
fn more_distinct_values_than_memory_holds_are_counted_in_shares() {
    let rows = 40_000;
    let many = batch(vec![("v", Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row / 2))) as ArrayRef)]);
    let yaml = "expectations:\n- type: expect_column_unique_value_count_to_be_between\n  column: v\n  min_value: 20000\n  max_value: 20000\n\
                - type: expect_column_distinct_values_to_be_in_set\n  column: v\n  value_set: [1, 2]\n";
    let roomy = judged(&table(vec![many.clone()]), yaml, &Options::default());
    let tight = judged(&table(vec![many]), yaml, &Options { memory: 1 << 16, ..Options::default() });
    assert!(roomy.outcomes[0].success, "{}", roomy.outcomes[0].observed);
    assert_eq!(roomy.outcomes, tight.outcomes);
    assert_eq!(roomy.outcomes[1].result["unexpected_count"], 19_998);
}

#[test]
fn results_do_not_depend_on_how_rows_are_parted() {
    let whole = panel(7, 31);
    let yaml = "expectations:\n- type: expect_column_mean_to_be_between\n  column: y\n- type: expect_column_stdev_to_be_between\n  column: y\n\
                - type: expect_column_values_to_be_increasing\n  column: y\n- type: expect_column_values_to_be_between\n  column: y\n  max_value: 500\n\
                - type: expect_column_quantile_values_to_be_between\n  column: y\n  quantile_ranges: {quantiles: [0.1, 0.9], value_ranges: [[0, 1], [0, 1]]}\n";
    let options = Options { format: ResultFormat::Complete, ..Options::default() };
    let one = judged(&table(vec![whole.clone()]), yaml, &options);
    let parts = (0..31).map(|part| whole.slice(part * 7, 7)).collect();
    let many = judged(&table(parts), yaml, &options);
    for (a, b) in one.outcomes.iter().zip(&many.outcomes) {
        match (a.result["observed_value"].as_f64(), b.result["observed_value"].as_f64()) {
            (Some(x), Some(y)) => assert!((x - y).abs() < 1e-9, "{}", a.kind),
            _ => assert_eq!(a.result, b.result, "{}", a.kind),
        }
    }
}

#[test]
fn values_of_personal_columns_are_nowhere_in_the_results() {
    let people = batch(vec![
        ("email", Arc::new(StringArray::from(vec!["ann@example.com", "bob", "bob"])) as ArrayRef),
        ("age", Arc::new(Int64Array::from(vec![200, 30, 40]))),
    ]);
    let yaml = "personal: [email]\nexpectations:\n- type: expect_column_values_to_match_regex\n  column: email\n  regex: '@'\n\
                - type: expect_column_values_to_be_unique\n  column: email\n- type: expect_column_values_to_be_between\n  column: age\n  max_value: 100\n\
                - type: expect_compound_columns_to_be_unique\n  column_list: [email, age]\n- type: expect_column_most_common_value_to_be_in_set\n  column: email\n  value_set: [x]\n\
                - type: expect_column_max_to_be_between\n  column: email\n  max_value: 5\n\
                - type: expect_column_values_to_be_in_set\n  column: age\n  value_set: [1]\n  where: email == email\n";
    let validation = judged(&table(vec![people]), yaml, &Options { format: ResultFormat::Complete, ..Options::default() });
    let written = format!("{}{:?}", validation.to_json(Map::new()), validation);
    assert!(!written.contains("bob") && !written.contains("ann@"), "{written}");
    assert!(written.contains("***") && written.contains("200"));
}

#[test]
fn rows_that_fail_are_taken_out_with_origin_and_reason() {
    let sales = batch(vec![
        ("item", Arc::new(StringArray::from(vec!["a", "b", "c", "d"])) as ArrayRef),
        ("y", Arc::new(Float64Array::from(vec![Some(1.0), Some(-2.0), None, Some(4.0)]))),
        ("_file", Arc::new(arrow::array::UInt32Array::from(vec![0, 0, 1, 1]))),
        ("_row", Arc::new(arrow::array::UInt64Array::from(vec![2, 3, 2, 3]))),
    ]);
    let yaml = "expectations:\n- type: expect_column_values_to_be_between\n  column: y\n  min_value: 0\n  severity: quarantine\n\
                - type: expect_column_values_to_not_be_null\n  column: y\n  severity: quarantine\n";
    let table = table(vec![sales]);
    let suite = Suite::parse(yaml, "suite.yaml").unwrap().remove(0);
    let validation = check(&table, &suite, &Options::default()).unwrap();
    assert!(!validation.stops());
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin {
        layer: "bronze".into(),
        file_column: Some("_file".into()),
        row_column: Some("_row".into()),
        files: vec!["jan.csv".into(), "feb.csv".into()],
        ..Origin::default()
    };
    assert_eq!(take_out(&table, &suite, &validation, &origin, folder.path()).unwrap(), 2);
    let kept = Table::open(&folder.path().join("part-00000.parquet")).unwrap();
    assert_eq!(kept.rows, 2);
    let out = Table::open(&folder.path().join("quarantine.parquet")).unwrap();
    let reasons = judged(
        &out,
        "expectations:\n- type: expect_column_distinct_values_to_equal_set\n  column: file\n  value_set: [jan.csv, feb.csv]\n\
         - type: expect_column_values_to_be_in_set\n  column: value\n  value_set: ['-2.0', None]\n\
         - type: expect_column_distinct_values_to_equal_set\n  column: reason\n  value_set: [expect_column_values_to_be_between, expect_column_values_to_not_be_null]\n\
         - type: expect_column_distinct_values_to_equal_set\n  column: row\n  value_set: [2, 3]\n",
        &Options::default(),
    );
    assert!(reasons.is_ok(), "{reasons:?}");
}

#[test]
fn a_column_that_is_not_there_fails_its_expectation_and_no_other() {
    let validation = judged(
        &table(vec![panel(2, 3)]),
        "expectations:\n- type: expect_column_values_to_not_be_null\n  column: zebra\n- type: expect_column_mean_to_be_between\n  column: id\n\
         - type: expect_column_values_to_not_be_null\n  column: id\n",
        &Options::default(),
    );
    let raised: Vec<bool> = validation.outcomes.iter().map(|outcome| outcome.exception.is_some()).collect();
    assert_eq!(raised, [true, true, false]);
    assert!(validation.outcomes[2].success && validation.stops());
    let json = validation.to_json(Map::new());
    assert_eq!(
        json["statistics"],
        json!({"evaluated_expectations": 3, "successful_expectations": 1, "unsuccessful_expectations": 2, "success_percent": 1.0 / 3.0 * 100.0})
    );
    assert_eq!(json["results"][0]["exception_info"]["raised_exception"], Json::Bool(true));
}

#[test]
fn an_empty_table_and_a_table_without_columns_are_judged() {
    let empty = Table::from_batches(panel(1, 1).schema(), []).unwrap();
    assert!(judged(&empty, KEYS, &Options::default()).is_ok());
    let bare = Table::from_batches(Arc::new(Schema::empty()), []).unwrap();
    let yaml =
        "expectations:\n- type: expect_table_column_count_to_equal\n  value: 0\n- type: expect_table_row_count_to_equal\n  value: 0\n";
    assert!(judged(&bare, yaml, &Options::default()).is_ok());
}

#[test]
fn rows_of_another_table_are_found_by_their_keys() {
    let sales = batch(vec![
        ("store", Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("z"), None])) as ArrayRef),
        ("y", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0]))),
    ]);
    let stores = batch(vec![
        ("code", Arc::new(StringArray::from(vec!["b", "a"])) as ArrayRef),
        ("total", Arc::new(Float64Array::from(vec![2.0, 9.0]))),
    ]);
    let options = Options { tables: BTreeMap::from([("stores".to_owned(), table(vec![stores]))]), ..Options::default() };
    let validation = judged(
        &table(vec![sales]),
        "expectations:\n- {type: expect_column_values_to_be_in_other_table, column: store, other_table_name: stores, other_columns: [code]}\n\
         - {type: expect_column_values_to_be_in_other_table, column: store, other_table_name: stores, other_columns: [code], mostly: 0.7}\n\
         - {type: expect_column_sum_to_equal_other_table, column: y, key_columns: [store], other_table_name: stores, other_key_columns: [code], other_column: total, where: \"store in ['a', 'b']\"}\n\
         - {type: expect_table_row_count_to_equal_other_table, other_table_name: stores}\n\
         - {type: expect_table_row_count_to_equal_other_table, other_table_name: nowhere}\n",
        &options,
    );
    let holds: Vec<bool> = validation.outcomes.iter().map(|outcome| outcome.success).collect();
    assert_eq!(holds, [false, true, false, false, false]);
    assert_eq!(validation.outcomes[0].failed_rows, 1);
    assert_eq!(validation.outcomes[2].observed, "1 sums differ; `a` has 1.0 against 9.0");
}
