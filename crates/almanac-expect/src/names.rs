//! Names that a slip of the pen may have meant.

/// Says that there is no such expectation, and which may have been meant.
pub(crate) fn unknown(kind: &str) -> String {
    let near = KINDS.iter().map(|name| (likeness(name, kind), *name)).max_by_key(|(score, _)| *score);
    match near {
        Some((score, name)) if score * 2 > kind.len() => format!("there is no such expectation; did you mean `{name}`?"),
        _ => "there is no such expectation".into(),
    }
}

/// Letters two names share at both ends: enough to find a slip of the pen.
fn likeness(a: &str, b: &str) -> usize {
    let head = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let tail = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    head + tail
}

/// Names of expectations that messages may suggest.
const KINDS: [&str; 26] = [
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_null",
    "expect_column_values_to_be_unique",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_match_strftime_format",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_increasing",
    "expect_column_values_to_be_decreasing",
    "expect_column_value_lengths_to_be_between",
    "expect_column_to_exist",
    "expect_column_mean_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_quantile_values_to_be_between",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
    "expect_table_columns_to_match_set",
    "expect_compound_columns_to_be_unique",
    "expect_column_pair_values_to_be_equal",
    "expect_series_to_have_no_gaps",
    "expect_table_quarantined_share_to_be_between",
    "expect_table_row_count_change_to_be_between",
];
