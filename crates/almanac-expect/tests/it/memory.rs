//! Little memory: more looks at the table, the same results.

use std::sync::Arc;

use almanac_expect::Options;
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

use crate::tables::{DAY, batch, judged, table};

#[test]
fn quantiles_of_more_numbers_than_memory_holds_are_the_same() {
    let rows = 30_000;
    let number = |row: i64| match row % 7 {
        0 => None,
        1 => Some(f64::from((row % 13) as i32)),
        _ => Some(((row * 7919) % 10_007) as f64 / 97.0 - 40.0),
    };
    let many = batch(vec![
        ("v", Arc::new((0..rows).map(number).collect::<Float64Array>()) as ArrayRef),
        ("same", Arc::new(Int64Array::from_iter_values((0..rows).map(|row| i64::from(row > 20_000)))) as ArrayRef),
    ]);
    let quantiles =
        "quantile_ranges: {quantiles: [0, 0.001, 0.25, 0.5, 0.77, 1], value_ranges: [[0, 1], [0, 1], [0, 1], [0, 1], [0, 1], [0, 1]]}";
    let mut yaml = "expectations:\n".to_owned();
    for column in ["v", "same"] {
        for between in ["linear", "lower", "higher", "midpoint", "nearest"] {
            yaml += &format!(
                "- {{type: expect_column_quantile_values_to_be_between, column: {column}, allow_relative_error: {between}, {quantiles}}}\n"
            );
        }
        yaml += &format!("- {{type: expect_column_median_to_be_between, column: {column}}}\n");
        yaml += &format!("- {{type: expect_column_values_to_not_be_outliers, column: {column}}}\n");
    }
    let parts =
        |rows: usize| table((0..many.num_rows()).step_by(rows).map(|start| many.slice(start, rows.min(many.num_rows() - start))).collect());
    let roomy = judged(&parts(30_000), &yaml, &Options::default());
    for rows in [30_000, 4_096, 777] {
        let tight = judged(&parts(rows), &yaml, &Options { memory: 1 << 14, ..Options::default() });
        assert_eq!(roomy.outcomes, tight.outcomes, "in parts of {rows}");
    }
}

#[test]
fn rows_with_more_repeated_keys_than_memory_holds_are_all_found() {
    let rows = 60_000_i64;
    // Each key three times, far apart, save every tenth, which is alone.
    let key = |row: i64| if row % 10 == 0 { row + 1_000_000 } else { (row * 7919) % 20_000 };
    let many = batch(vec![
        ("a", Arc::new(Int64Array::from_iter_values((0..rows).map(key))) as ArrayRef),
        ("b", Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("k{}", key(row))))) as ArrayRef),
    ]);
    let yaml = "expectations:\n- {type: expect_compound_columns_to_be_unique, column_list: [a, b], severity: quarantine}\n\
                - {type: expect_column_values_to_be_unique, column: b}\n";
    let roomy = judged(&table(vec![many.clone()]), yaml, &Options::default());
    let tight = judged(&table(vec![many]), yaml, &Options { memory: 1 << 16, ..Options::default() });
    assert!(roomy.outcomes[0].failed_rows > 40_000);
    assert_eq!(roomy.outcomes, tight.outcomes);
}

#[test]
fn keys_of_another_table_beyond_memory_are_looked_up_in_shares() {
    let keys = |from: i64, to: i64| table(vec![batch(vec![("k", Arc::new(Int64Array::from_iter_values(from..to)) as ArrayRef)])]);
    let own = keys(0, 20_000);
    let yaml =
        "expectations:\n- {type: expect_column_values_to_be_in_other_table, column: k, other_table_name: other, severity: quarantine}\n";
    let options = |memory| Options { memory, tables: [("other".to_owned(), keys(5, 19_990))].into(), ..Options::default() };
    let (roomy, tight) = (judged(&own, yaml, &options(1 << 30)), judged(&own, yaml, &options(1 << 16)));
    assert_eq!(roomy.outcomes[0].failed_rows, 15);
    assert_eq!(roomy.outcomes, tight.outcomes);
}

#[test]
fn named_keys_beyond_memory_are_said_to_be_too_many() {
    let ids = StringArray::from_iter_values((0..5_000).map(|row| format!("series {row}")));
    let ds = TimestampMicrosecondArray::from_iter_values((0..5_000).map(|_| DAY));
    let many = table(vec![batch(vec![("id", Arc::new(ids) as ArrayRef), ("ds", Arc::new(ds))])]);
    let yaml = "expectations:\n- {type: expect_series_to_have_no_gaps, id_columns: [id], time_column: ds, freq: D}\n";
    assert!(judged(&many, yaml, &Options::default()).is_ok());
    let tight = judged(&many, yaml, &Options { memory: 1 << 16, ..Options::default() });
    assert_eq!(
        tight.outcomes[0].exception.as_deref(),
        Some("the keys of id, ds take more than 0 MB; give more memory (`[run] memory_gb`) or fewer keys")
    );
}
