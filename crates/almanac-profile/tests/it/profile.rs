//! What a profile says of batches.

use std::sync::Arc;

use almanac_profile::{ProfileError, ProfileOptions, Profiler, TableProfile, Values};
use almanac_series::Hint;
use arrow::array::{
    ArrayRef, BinaryArray, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array, ListArray, NullArray, RecordBatch,
    StringArray, StringViewArray, TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{Int32Type, Int64Type};
use expect_test::{Expect, expect};

use crate::sample::{numbers, profile, sales, uniform, words};

fn key() -> ProfileOptions {
    ProfileOptions { key: vec!["store".to_owned(), "item".to_owned()], ..ProfileOptions::default() }
}

/// The summary as JSON without what is long.
#[track_caller]
fn check(profile: &TableProfile, column: &str, expected: Expect) {
    let summary = profile.summary();
    let column = summary.columns.iter().find(|found| found.name == column).unwrap();
    let mut value = serde_json::to_value(column).unwrap();
    if let Some(number) = value.get_mut("number").and_then(|number| number.as_object_mut()) {
        number.retain(|name, _| !matches!(name.as_str(), "histogram" | "bars" | "quantiles"));
    }
    if let Some(time) = value.get_mut("time").and_then(|time| time.as_object_mut()) {
        time.remove("rows");
    }
    expected.assert_eq(&serde_json::to_string(&value).unwrap());
}

#[test]
fn text_is_told_by_lengths_shapes_and_frequent_values() {
    let batch = words(["S01", "S02", "S01", " S3", "", "Zürich"]);
    check(
        &profile(&batch, &ProfileOptions::default()),
        "x",
        expect![[
            r#"{"data_type":"text","distinct":5,"distinct_is_exact":true,"is_nullable":false,"kind":"text","missing":0,"missing_share":0.0,"name":"x","rows":6,"text":{"blank":1,"max_length":6,"mean_length":3.0,"min_length":0,"padded":1,"shapes":[{"count":3,"value":"A9"},{"count":1,"value":""},{"count":1,"value":" A9"},{"count":1,"value":"Aa"}]},"top":[{"count":2,"value":"S01"},{"count":1,"value":""},{"count":1,"value":" S3"},{"count":1,"value":"S02"},{"count":1,"value":"Zürich"}],"top_error":0}"#
        ]],
    );
}

#[test]
fn numbers_that_are_none_are_counted_apart() {
    let batch = numbers(vec![1.0, -2.0, 0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.5]);
    check(
        &profile(&batch, &ProfileOptions::default()),
        "x",
        expect![[
            r#"{"data_type":"float64","distinct":4,"distinct_is_exact":true,"is_nullable":false,"kind":"number","missing":1,"missing_share":0.125,"name":"x","number":{"infinite":2,"is_exact":true,"is_whole":false,"max":2.5,"mean":0.3,"min":-2.0,"nan":1,"negative_share":0.2,"stdev":1.6431676725154984,"sum":1.5,"zero_share":0.4},"rows":8,"top":[{"count":2,"value":"0"},{"count":1,"value":"-2"},{"count":1,"value":"1"},{"count":1,"value":"2.5"}],"top_error":0}"#
        ]],
    );
}

#[test]
fn days_without_rows_and_days_of_the_week_are_told() {
    let all = sales(19_723..19_751, 3, 1);
    let kept: Vec<usize> = (0..all.num_rows()).filter(|row| row / 3 != 10).collect();
    let indices = Int64Array::from_iter_values(kept.into_iter().map(|row| row as i64));
    let batch = arrow::compute::take_record_batch(&all, &indices).unwrap();
    check(
        &profile(&batch, &ProfileOptions::default()),
        "date",
        expect![[
            r#"{"data_type":"date","distinct":27,"distinct_is_exact":true,"is_nullable":false,"kind":"time","missing":0,"missing_share":0.0,"name":"date","rows":81,"time":{"empty_periods":1,"first":"2024-01-01","last":"2024-01-28","periods":27,"rows_per_period":[3,3,3],"unit":"day","weekdays":[12,12,12,9,12,12,12],"with_time":0},"top":[],"top_error":0}"#
        ]],
    );
}

#[test]
fn series_are_named_by_several_columns() {
    let profile = profile(&sales(0..30, 40, 1), &key());
    let summary = profile.summary().key.unwrap();
    assert_eq!((summary.series, summary.is_exact, summary.rows_per_series), (40, true, Some([30, 30, 30])));
}

#[test]
fn parts_merge_to_the_whole_where_it_is_exact_and_close_to_it_elsewhere() {
    let batch = sales(0..400, 50, 3);
    let whole = profile(&batch, &key());
    let mut merged = profile(&batch.slice(0, 0), &key());
    for start in (0..batch.num_rows()).step_by(1_777) {
        let part = profile(&batch.slice(start, 1_777.min(batch.num_rows() - start)), &key());
        merged.merge(&part, "a part").unwrap();
    }
    assert_eq!((merged.rows, &merged.key), (whole.rows, &whole.key));
    for (one, other) in merged.columns.iter().zip(&whole.columns) {
        match (&one.values, &other.values) {
            (Values::Number(one), Values::Number(other)) => {
                let (a, b) = (one.moments, other.moments);
                assert_eq!((a.count, a.min, a.max), (b.count, b.min, b.max));
                assert!((a.mean - b.mean).abs() < 1e-9 && (a.m2 / b.m2 - 1.0).abs() < 1e-9);
            }
            (Values::Text(one), Values::Text(other)) => assert_eq!(one.counts, other.counts),
            (one, other) => assert_eq!(one, other),
        }
    }
    let median = |profile: &TableProfile| profile.summary().columns[4].number.clone().unwrap().quantiles[4];
    assert!((median(&merged).1 - 5.5).abs() < 0.15 && (median(&whole).1 - 5.5).abs() < 0.15);
}

#[test]
fn a_profile_survives_being_written_and_goes_on_to_the_same_result() {
    let (first, second) = (sales(0..300, 50, 4), sales(300..400, 50, 5));
    let mut kept = profile(&first, &key());
    let text = serde_json::to_string(&kept).unwrap();
    assert!(text.len() < 120_000, "{} bytes", text.len());
    let mut read: TableProfile = serde_json::from_str(&text).unwrap();
    assert_eq!(read, kept);
    let more = profile(&second, &key());
    read.merge(&more, "more").unwrap();
    kept.merge(&more, "more").unwrap();
    assert_eq!(serde_json::to_string(&read.summary()).unwrap(), serde_json::to_string(&kept.summary()).unwrap());
}

#[test]
fn integers_floats_and_decimals_of_the_same_values_count_alike() {
    let values: Vec<i64> = (0..5_000).map(|i| i * 3 % 1_777).collect();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(values.clone())),
        Arc::new(Int32Array::from_iter_values(values.iter().map(|value| *value as i32))),
        Arc::new(UInt64Array::from_iter_values(values.iter().map(|value| *value as u64))),
        Arc::new(Float64Array::from_iter_values(values.iter().map(|value| *value as f64))),
        Arc::new(
            Decimal128Array::from_iter_values(values.iter().map(|value| i128::from(*value) * 100)).with_precision_and_scale(20, 2).unwrap(),
        ),
    ];
    let summaries = arrays.into_iter().map(|array| {
        let batch = RecordBatch::try_from_iter([("x", array)]).unwrap();
        let summary = profile(&batch, &ProfileOptions::default()).summary().columns[0].clone();
        (summary.distinct, summary.number)
    });
    let summaries: Vec<_> = summaries.collect();
    assert!(summaries.iter().all(|summary| summary == &summaries[0]), "{summaries:?}");
}

#[test]
fn whole_numbers_beyond_the_precision_of_floats_are_still_told_apart() {
    let first = 1_i64 << 60;
    let batch = RecordBatch::try_from_iter([("x", Arc::new(Int64Array::from_iter_values(first..first + 500)) as ArrayRef)]).unwrap();
    let distinct = profile(&batch, &ProfileOptions::default()).columns[0].distinct().unwrap();
    assert!(!distinct.1 && distinct.0.abs_diff(500) < 25, "{distinct:?}");
}

#[test]
fn text_reads_the_same_however_it_is_stored() {
    let values = ["a", "b", "a", "ü", "b", "a"];
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(values)),
        Arc::new(StringViewArray::from_iter_values(values)),
        Arc::new(values.into_iter().collect::<DictionaryArray<Int32Type>>()),
    ];
    let summaries: Vec<String> = arrays
        .into_iter()
        .map(|array| {
            serde_json::to_string(&profile(&RecordBatch::try_from_iter([("x", array)]).unwrap(), &ProfileOptions::default()).summary())
                .unwrap()
        })
        .collect();
    assert!(summaries.iter().all(|summary| summary == &summaries[0]), "{summaries:?}");
}

#[test]
fn columns_that_cannot_be_looked_into_are_only_counted() {
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1)]), None, Some(vec![])]);
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("list", Arc::new(lists) as ArrayRef, true),
        ("bytes", Arc::new(BinaryArray::from_iter([Some(b"x"), None, None])) as ArrayRef, true),
        ("none", Arc::new(NullArray::new(3)) as ArrayRef, true),
        ("time", Arc::new(TimestampSecondArray::from(vec![Some(i64::MAX), Some(i64::MIN), None])) as ArrayRef, true),
    ])
    .unwrap();
    let profile = profile(&batch, &ProfileOptions::default());
    let missing: Vec<u64> = profile.columns.iter().map(|column| column.missing()).collect();
    assert_eq!(missing, [1, 2, 3, 1]);
    serde_json::to_string(&profile.summary()).unwrap();
}

#[test]
fn a_table_without_rows_has_a_profile() {
    let profile = profile(&sales(0..0, 1, 1), &key());
    assert_eq!(profile.rows, 0);
    let text = serde_json::to_string(&profile.summary()).unwrap();
    assert!(text.contains(r#""mean":null"#), "{text}");
}

#[test]
fn nothing_of_a_personal_column_is_kept_but_counts() {
    let secrets: Vec<String> = (0..50).map(|i| format!("anna{i}@example.com")).collect();
    let batch = RecordBatch::try_from_iter([
        ("email", Arc::new(StringArray::from_iter_values(&secrets)) as ArrayRef),
        ("salary", Arc::new(Float64Array::from_iter_values((0..50).map(|i| 51_234.25 + f64::from(i)))) as ArrayRef),
    ])
    .unwrap();
    let personal = vec!["EMAIL".to_owned(), "salary".to_owned()];
    let options = ProfileOptions { personal, key: vec!["email".to_owned()], ..ProfileOptions::default() };
    let profile = profile(&batch, &options);
    for text in [serde_json::to_string(&profile).unwrap(), serde_json::to_string(&profile.summary()).unwrap(), format!("{profile:?}")] {
        assert!(!text.contains("anna") && !text.contains("5123") && !text.contains("5128"), "{text}");
    }
    assert_eq!(profile.columns[0].distinct(), Some((50, false)));
    assert_eq!(profile.summary().key.unwrap().series, 50);
    assert!(matches!(profile.columns[1].values, Values::Hidden));
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let batch = sales(0..2_000, 60, 6);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&profile(&batch, &key())).unwrap())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_key_that_is_not_there_is_an_error_that_names_the_columns() {
    let options = ProfileOptions { key: vec!["shop".to_owned()], ..ProfileOptions::default() };
    let error = Profiler::new(sales(0..1, 1, 1).schema(), &options).unwrap_err();
    assert!(matches!(error, ProfileError::NoColumn { .. }));
    expect!["there is no column `shop`, which is part of the key; the columns are: store, item, date, units, price, promo"]
        .assert_eq(&format!("{error}; {}", error.hint().unwrap()));
}

#[test]
fn a_value_in_most_rows_is_found_among_millions_of_others() {
    let values = (0..300_000).map(|i| if uniform(9, i) < 0.03 { 9_999.0 } else { uniform(10, i) }).collect();
    let summary = profile(&numbers(values), &ProfileOptions::default()).summary();
    let column = &summary.columns[0];
    assert_eq!(column.top.len(), 1);
    assert_eq!(column.top[0].value, "9999");
    let share = (column.top[0].count as f64 + column.top_error as f64) / 300_000.0;
    assert!((0.03..0.035).contains(&share), "{share}");
}

#[test]
fn values_at_the_ends_of_their_types_are_profiled_written_and_compared() {
    let ends = vec![f64::MAX, -f64::MAX, f64::MIN_POSITIVE, -0.0, 1e-300, 1e300];
    let times = TimestampSecondArray::from(vec![i64::MAX, i64::MIN, 0, -1, 1, 253_402_300_800]);
    let batch = RecordBatch::try_from_iter([
        ("float", Arc::new(Float64Array::from(ends)) as ArrayRef),
        ("int", Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN, 0, -1, 1, i64::MAX - 1])) as ArrayRef),
        ("time", Arc::new(times) as ArrayRef),
    ])
    .unwrap();
    let one = profile(&batch, &ProfileOptions::default());
    let other = profile(&batch.slice(0, 3), &ProfileOptions::default());
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<TableProfile>(&text).unwrap(), one);
    serde_json::to_string(&one.summary()).unwrap();
    let drift = almanac_profile::compare(&one, &other, &almanac_profile::DriftOptions::default());
    serde_json::to_string(&drift).unwrap();
}
