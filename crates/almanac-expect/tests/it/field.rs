//! Expectations of the field: gaps, the future, freshness, seasons, levels, shares.

use std::sync::Arc;

use almanac_expect::Options;
use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray};

use crate::tables::{DAY, batch, judged, table};

#[test]
fn a_gap_is_found_in_its_series_whatever_the_order_of_rows() {
    let days = [("a", vec![0, 1, 2, 3]), ("b", vec![5, 2, 3]), ("c", vec![9, 7, 8])];
    let rows: Vec<(&str, i64)> = days.iter().flat_map(|(id, days)| days.iter().map(|day| (*id, *day))).collect();
    let sales = batch(vec![
        ("id", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef),
        ("ds", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.1 * DAY)))),
    ]);
    let validation = judged(
        &table(vec![sales]),
        "expectations:\n- {type: expect_series_to_have_no_gaps, id_columns: [id], time_column: ds, freq: D}\n\
         - {type: expect_series_to_have_no_gaps, id_columns: [id], time_column: ds, freq: D, where: id != 'b'}\n",
        &Options::default(),
    );
    assert_eq!(validation.outcomes[0].observed, "1 periods are missing in 1 of 3 series; `b` lacks 1970-01-05");
    assert!(!validation.outcomes[0].success && validation.outcomes[1].success);
}

#[test]
fn the_future_and_old_age_are_told_from_the_present_that_is_given() {
    let sales = batch(vec![("ds", Arc::new(TimestampMicrosecondArray::from(vec![0, DAY, 12 * DAY])) as ArrayRef)]);
    let yaml = "expectations:\n- {type: expect_column_values_to_not_be_in_the_future, column: ds}\n\
                - {type: expect_column_max_to_be_recent, column: ds, max_age_days: 3}\n";
    let at = |days: i64| Options { now: Some(days * DAY), ..Options::default() };
    let verdicts = |options: &Options| {
        judged(&table(vec![sales.clone()]), yaml, options).outcomes.iter().map(|outcome| outcome.success).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&at(10)), [false, true]);
    assert_eq!(verdicts(&at(14)), [true, true]);
    assert_eq!(verdicts(&at(20)), [true, false]);
    // Without a clock nothing is fresh, and nothing can be from the future: both fail closed.
    assert_eq!(verdicts(&Options::default()), [false, false]);
}

#[test]
fn a_season_that_is_lost_and_a_level_that_jumps_are_seen() {
    let season = |day: usize| [10.0, 12.0, 11.0, 13.0, 18.0, 25.0, 22.0][day % 7];
    let noise = |day: usize| ((day * 37) % 11) as f64 / 4.0;
    let series = |value: &dyn Fn(usize) -> f64| {
        table(vec![batch(vec![
            ("ds", Arc::new(TimestampMicrosecondArray::from_iter_values((0..140).map(|day| day * DAY))) as ArrayRef),
            ("y", Arc::new(Float64Array::from_iter_values((0..140).map(value)))),
        ])])
    };
    let yaml = "expectations:\n- {type: expect_series_to_keep_seasonality, time_column: ds, value_column: y, season_length: 7}\n\
                - {type: expect_series_to_have_no_level_shift, time_column: ds, value_column: y, window: 14}\n";
    let verdicts = |value: &dyn Fn(usize) -> f64| {
        judged(&series(value), yaml, &Options::default()).outcomes.iter().map(|outcome| outcome.success).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&|day| season(day) + noise(day)), [true, true]);
    assert_eq!(verdicts(&|day| if day < 70 { season(day) } else { 15.0 + noise(day * day) }), [false, true]);
    assert!(!verdicts(&|day| season(day) + if day < 126 { 0.0 } else { 30.0 })[1]);
}

#[test]
fn zeros_and_days_out_of_stock_are_shares_of_the_rows_that_are_there() {
    let sales = batch(vec![
        ("y", Arc::new(Float64Array::from(vec![Some(0.0), Some(1.0), Some(0.0), None, Some(3.0)])) as ArrayRef),
        ("in_stock", Arc::new(BooleanArray::from(vec![true, true, false, true, true]))),
    ]);
    let validation = judged(
        &table(vec![sales]),
        "expectations:\n- {type: expect_column_share_of_zeros_to_be_between, column: y, min_value: 0.5, max_value: 0.5}\n\
         - {type: expect_column_share_of_stockouts_to_be_between, column: in_stock, max_value: 0.1}\n",
        &Options::default(),
    );
    assert!(validation.outcomes[0].success);
    assert_eq!((validation.outcomes[1].success, validation.outcomes[1].observed.as_str()), (false, "1 of 5 rows"));
}
