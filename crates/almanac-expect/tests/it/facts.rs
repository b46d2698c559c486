//! What is known of a table beyond its rows, and what names a row.

use almanac_expect::{Facts, Options, Previous, Refused};

use crate::tables::{judged, panel, table};

#[test]
fn facts_are_judged_beside_the_rows_and_fail_where_nobody_knows_them() {
    let yaml = "expectations:\n- {type: expect_column_values_to_be_between, column: y, max_value: 900, severity: quarantine}\n\
                - {type: expect_table_quarantined_share_to_be_between, max_value: 0.1}\n\
                - {type: expect_table_row_count_change_to_be_between, min_value: -0.5}\n\
                - {type: expect_table_counter_to_be_between, counter: infinite_values, max_value: 0}\n";
    let table = table(vec![panel(10, 30)]);
    let unknown = judged(&table, yaml, &Options::default());
    assert!(unknown.outcomes[1..].iter().all(|outcome| outcome.exception.is_some() && !outcome.success));
    let refused = Refused { rows: 4, offered: 304, reasons: [("no time".to_owned(), 4)].into() };
    let facts =
        Facts { refused: Some(refused), rows: None, previous: Previous::Rows(700), counted: [("infinite_values".to_owned(), 0)].into() };
    let known = judged(&table, yaml, &Options { facts: facts.clone(), ..Options::default() });
    let taken = known.outcomes[0].failed_rows;
    assert_eq!(
        known.outcomes[1].observed,
        format!("{} of 304 rows ({} %): failed an expectation: {taken}, no time: 4", taken + 4, {
            let share = (taken + 4) as f64 / 304.0;
            (share * 1e8).round() / 1e6
        })
    );
    assert_eq!(known.outcomes.iter().map(|outcome| outcome.success).collect::<Vec<_>>(), [false, taken + 4 <= 30, false, true]);
    assert_eq!(known.outcomes[2].observed, "300 rows after 700");
    let first = Facts { previous: Previous::First, ..facts };
    assert!(judged(&table, yaml, &Options { facts: first, ..Options::default() }).outcomes[2].success);
}

#[test]
fn failing_rows_are_named_by_the_columns_that_name_them_save_personal_ones() {
    let yaml = "expectations:\n- {type: expect_column_values_to_be_between, column: y, max_value: 1000}\n";
    let table = table(vec![panel(10, 30), panel(10, 30)]);
    let labels = vec!["id".to_owned(), "ds".to_owned(), "nowhere".to_owned()];
    let named = judged(&table, yaml, &Options { labels: labels.clone(), ..Options::default() });
    assert_eq!(named.outcomes[0].observed, "8 of 600 rows fail, first at id s0, ds 1970-01-12T00:00:00: 1004.0");
    assert_eq!(named.outcomes[0].result["partial_unexpected_index_list"][0]["id"], "s0");
    let hidden = judged(&table, yaml, &Options { labels, personal: vec!["id".into()], ..Options::default() });
    assert!(hidden.outcomes[0].observed.contains("first at ds 1970-01-12"), "{}", hidden.outcomes[0].observed);
    assert!(!hidden.outcomes[0].result.to_string().contains("s0"));
}
