//! Checks say what holds, and show rows where it does not.

use almanac_data::{
    CheckContext, CheckSpec, SilverSpec, TypeClass, build_silver, check_bronze, check_gold, check_silver, read_panel, write_gold,
};
use almanac_series::{Freq, MICROS_PER_DAY};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use tempfile::TempDir;

use crate::silver::table;

const SALES: &str = "
    id ds         y   region
    a  2024-01-01 1   north
    a  2024-01-02 -2  north
    b  2024-01-02 -   south
    b  2024-01-02 4   moon";

fn specs() -> Vec<CheckSpec> {
    vec![
        CheckSpec::Columns { columns: vec!["id".into(), "y".into()] },
        CheckSpec::Type { column: "y".into(), is: TypeClass::Number },
        CheckSpec::Unique { columns: vec!["id".into(), "ds".into()] },
        CheckSpec::Nulls { column: "y".into(), max_share: 0.2 },
        CheckSpec::Range { column: "y".into(), min: Some(0.0), max: None },
        CheckSpec::Allowed { column: "region".into(), values: vec!["north".into(), "it's".into(), "south".into()] },
        CheckSpec::Fresh { column: "ds".into(), max_age_days: 3.0 },
        CheckSpec::RowChange { max_drop: 0.1, max_growth: 1.0 },
        CheckSpec::MinRows { rows: 4 },
        CheckSpec::Nulls { column: "nowhere".into(), max_share: 1.0 },
    ]
}

#[tokio::test]
async fn a_bronze_table_is_judged_and_offenders_are_shown() {
    let session = SessionContext::new();
    session.register_batch("\"Sales 2024\"", table(SALES)).expect("registered");
    let now = 19_725 * MICROS_PER_DAY; // 2024-01-03
    let context = CheckContext { now: Some(now), previous_rows: Some(5), quarantined_rows: 0 };
    let report = check_bronze(&session, "Sales 2024", &specs(), context).await.expect("checked");
    let seen: Vec<(bool, &str)> = report.results.iter().map(|result| (result.passed, result.observed.as_str())).collect();
    assert_eq!(
        seen,
        [
            (true, "all there"),
            (true, "Float64"),
            (false, "1 keys more than once"),
            (false, "1 of 4 missing (25 %)"),
            (false, "1 of 4 rows outside"),
            (false, "1 of 4 rows outside"),
            (true, "1.00 days old"),
            (false, "4 rows after 5"),
            (true, "4 rows"),
            (false, "there is no column `nowhere`"),
        ]
    );
    assert!(!report.is_ok());
    assert_eq!(report.results[5].sample_rows[0]["region"], "moon");
    assert_eq!(report.results[2].sample_rows[0]["id"], "b");
    let text = serde_json::to_string(&report).expect("plain structs");
    assert_eq!(serde_json::from_str::<almanac_data::CheckReport>(&text).expect("reads back"), report);
}

#[tokio::test]
async fn silver_and_gold_are_judged_against_each_other() {
    let dir = TempDir::new().expect("a folder");
    let (silver, gold) = (dir.path().join("silver"), dir.path().join("gold"));
    let batch = table("id ds y\na 2024-01-01 1\na 2024-01-02 2\na 2024-01-03 inf");
    let stream = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), futures::stream::iter([Ok(batch)])));
    let spec = SilverSpec { id: vec!["id".into()], freq: Some(Freq::Day), horizon: 1, ..SilverSpec::default() };
    let made = build_silver(stream, None, spec, &silver).await.expect("built");
    let panel = read_panel(&silver).expect("read");
    let specs = [
        CheckSpec::Regular,
        CheckSpec::MinSeries { series: 2 },
        CheckSpec::Quarantine { max_share: 0.1 },
        CheckSpec::Range { column: "y".into(), min: Some(0.0), max: Some(1.5) },
        CheckSpec::Fresh { column: "ds".into(), max_age_days: 1.0 },
    ];
    let report = check_silver(&panel, &made, &specs, CheckContext::default());
    assert_eq!(report.results.iter().map(|result| result.passed).collect::<Vec<_>>(), [true, false, false, false, false]);
    assert_eq!(report.results[2].observed, "1 of 3 rows (33.333333 %)");
    assert_eq!(report.results[3].sample_rows[0]["ds"], "2024-01-02");

    let span = &panel.series()[0];
    let ds: Vec<i64> = (0..span.history as i64).map(|row| Freq::Day.ds(span.start.plus(row))).collect();
    let write =
        |values: Vec<f32>| write_gold(&gold, 0, Freq::Day, &[(span.id.clone(), ds.len())], ds.clone(), &["lag_1".into()], &[values]);
    write(vec![f32::NAN, 1.0]).expect("written");
    assert!(check_gold(&gold, &silver, &["lag_1".into()], 0).expect("checked").is_ok());
    let report = check_gold(&gold, &silver, &["lag_1".into(), "lag_7".into()], 3).expect("checked");
    assert_eq!(report.failures().map(|result| result.name.as_str()).collect::<Vec<_>>(), ["columns", "finite"]);
    assert!(write(vec![1.0]).is_err(), "a column of another length");
}
