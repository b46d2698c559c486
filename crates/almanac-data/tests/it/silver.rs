//! Long tables become regular panels: every policy, every clock, every odd row, and the real data we have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_data::{
    DuplicatePolicy, GapPolicy, NegativePolicy, QUARANTINE_FILE, SilverError, SilverReport, SilverSpec, build_silver, list_partitions,
    read_panel, read_partition, read_quarantine,
};
use almanac_series::{Freq, Hint, Panel, RowStatus, StaticValues};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

fn stream(batches: Vec<RecordBatch>) -> SendableRecordBatchStream {
    let schema = batches[0].schema();
    Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches.into_iter().map(Ok))))
}

/// `id ds y [more columns]`, one row a line, `-` for null. `ds` is a timestamp, all else text or number by its looks.
pub(crate) fn table(text: &str) -> RecordBatch {
    let mut lines = text.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let names = lines.next().expect("a header");
    let rows: Vec<Vec<&str>> = lines.collect();
    let columns = names.iter().enumerate().map(|(number, name)| {
        let cells: Vec<Option<&str>> = rows.iter().map(|row| Some(row[number]).filter(|cell| *cell != "-")).collect();
        let texts: ArrayRef = Arc::new(StringArray::from(cells.clone()));
        let is_number = *name != "id" && cells.iter().flatten().all(|cell| cell.parse::<f64>().is_ok());
        let column: ArrayRef = if *name == "ds" {
            cast(&texts, &DataType::Timestamp(TimeUnit::Microsecond, None)).expect("dates")
        } else if is_number {
            Arc::new(cells.iter().map(|cell| cell.map(|cell| cell.parse::<f64>().expect("a number"))).collect::<Float64Array>())
        } else {
            texts
        };
        (*name, column, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

fn spec() -> SilverSpec {
    SilverSpec { id: vec!["id".into()], freq: Some(Freq::Day), horizon: 2, ..SilverSpec::default() }
}

async fn build(text: &str, spec: SilverSpec) -> (TempDir, Result<SilverReport, SilverError>) {
    let dir = TempDir::new().expect("a folder");
    let result = build_silver(stream(vec![table(text)]), None, spec, &silver(&dir)).await;
    (dir, result)
}

fn silver(dir: &TempDir) -> PathBuf {
    dir.path().join("silver")
}

/// `id: start | y with status letter …`
fn show(panel: &Panel) -> String {
    let mut text = String::new();
    for view in panel.views() {
        text += &format!("{}: {} |", view.id(), panel.freq().label(view.start()));
        for (y, status) in view.y().iter().zip(view.status()) {
            let letter = match status {
                RowStatus::Observed => "",
                RowStatus::Filled => "f",
                RowStatus::Missing => "m",
                RowStatus::Censored => "c",
                RowStatus::Closed => "x",
                RowStatus::Future => "F",
            };
            text += &if y.is_nan() { format!(" {letter}") } else { format!(" {y}{letter}") };
        }
        text += &format!(" | +{}\n", view.span().rows - view.len());
    }
    text
}

fn accounted(report: &SilverReport) {
    let after = report.rows_kept + report.rows_collapsed + report.rows_merged + report.rows_outside + report.rows_quarantined;
    assert_eq!(report.rows_in, after, "{report:?}");
}

async fn check(text: &str, spec: SilverSpec, expected: &str) -> SilverReport {
    let (dir, report) = build(text, spec).await;
    let report = report.expect("built");
    accounted(&report);
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    let shown = show(&read_panel(&silver(&dir)).expect("read"));
    assert_eq!(shown.trim().lines().collect::<Vec<_>>(), expected);
    report
}

const GAPPY: &str = "
    id ds         y
    b  2024-01-05 5
    a  2024-01-01 1
    a  2024-01-03 3
    a  2024-01-04 4
    b  2024-01-03 7";

#[tokio::test]
async fn gaps_follow_the_policy_and_all_series_end_together() {
    let with = |gaps| SilverSpec { gaps, ..spec() };
    check(GAPPY, with(GapPolicy::Zero), "a: 2024-01-01 | 1 0f 3 4 0f | +2\nb: 2024-01-03 | 7 0f 5 | +2").await;
    check(GAPPY, with(GapPolicy::Missing), "a: 2024-01-01 | 1 m 3 4 m | +2\nb: 2024-01-03 | 7 m 5 | +2").await;
    check(GAPPY, with(GapPolicy::Closed), "a: 2024-01-01 | 1 0x 3 4 0x | +2\nb: 2024-01-03 | 7 0x 5 | +2").await;
    check(GAPPY, with(GapPolicy::Forward), "a: 2024-01-01 | 1 1f 3 4 4f | +2\nb: 2024-01-03 | 7 7f 5 | +2").await;
    let (_dir, refused) = build(GAPPY, with(GapPolicy::Error)).await;
    let error = refused.unwrap_err();
    assert_eq!(error.to_string(), "3 periods have no row, for example series `a` at 2024-01-02");
    assert!(error.hint().expect("a hint").contains("closed"));
}

const REPEATED: &str = "
    id ds         y price
    a  2024-01-01 1 2
    a  2024-01-01 1 2
    a  2024-01-02 2 2
    a  2024-01-02 5 4";

#[tokio::test]
async fn identical_rows_collapse_and_others_follow_the_policy() {
    let with = |duplicates| SilverSpec { duplicates, future: vec!["price".into()], ..spec() };
    let report = check(REPEATED, with(DuplicatePolicy::Sum), "a: 2024-01-01 | 1 7 | +2").await;
    assert_eq!((report.rows_collapsed, report.rows_merged), (1, 1));
    check(REPEATED, with(DuplicatePolicy::Mean), "a: 2024-01-01 | 1 3.5 | +2").await;
    check(REPEATED, with(DuplicatePolicy::First), "a: 2024-01-01 | 1 2 | +2").await;
    check(REPEATED, with(DuplicatePolicy::Last), "a: 2024-01-01 | 1 5 | +2").await;
    let (_dir, refused) = build(REPEATED, with(DuplicatePolicy::Error)).await;
    assert_eq!(refused.unwrap_err().to_string(), "1 periods have several rows that differ, for example series `a` at 2024-01-02");
}

#[tokio::test]
async fn rows_that_cannot_be_used_are_in_the_quarantine_with_their_reason() {
    let text = "
        id ds         y
        a  2024-01-01 1
        -  2024-01-01 2
        a  -          3
        a  2024-01-02 inf
        a  2024-01-03 -4
        a  2024-01-04 5
        c  2024-01-04 -";
    let (dir, report) = build(text, SilverSpec { negatives: NegativePolicy::Quarantine, ..spec() }).await;
    let report = report.expect("built");
    accounted(&report);
    assert_eq!(report.rows_quarantined, 5);
    let entries = read_quarantine(&silver(&dir).join(QUARANTINE_FILE), 10).expect("read");
    let seen: Vec<String> =
        entries.iter().map(|entry| format!("{:?} {:?} {:?} {}", entry.row, entry.column, entry.value, entry.reason)).collect();
    assert_eq!(
        seen,
        [
            "Some(2) Some(\"id\") None an id column is empty",
            "Some(3) Some(\"ds\") None the time is empty or cannot be read",
            "Some(4) Some(\"y\") Some(\"inf\") the target is not a finite number",
            "Some(5) Some(\"y\") Some(\"-4.0\") the target is negative",
            "None Some(\"y\") None the series has no observed target",
        ]
    );
    assert_eq!(show(&read_panel(&silver(&dir)).expect("read")).trim(), "a: 2024-01-01 | 1 0f 0f 5 | +2");
}

#[tokio::test]
async fn stockouts_are_censored_and_rows_after_the_last_target_are_known_ahead() {
    let text = "
        id ds         y stock price
        a  2024-01-01 1 1     10
        a  2024-01-02 0 0     11
        a  2024-01-03 - 1     12
        a  2024-01-04 4 1     13
        a  2024-01-05 - 1     14
        a  2024-01-09 - 1     15";
    let spec = SilverSpec { in_stock: Some("stock".into()), future: vec!["price".into()], ..spec() };
    let (dir, report) = build(text, spec).await;
    let report = report.expect("built");
    accounted(&report);
    let panel = read_panel(&silver(&dir)).expect("read");
    assert_eq!(show(&panel).trim(), "a: 2024-01-01 | 1 0c m 4 | +2");
    assert_eq!(panel.view(0).future(0), [10.0, 11.0, 12.0, 13.0, 14.0, 14.0]);
    assert_eq!(report.rows_outside, 1);
    let fill = &report.future_fills[0];
    assert_eq!(
        (fill.column.as_str(), fill.rule.as_str(), fill.rows, fill.known_until.as_deref()),
        ("price", "last value", 1, Some("2024-01-05"))
    );
}

#[tokio::test]
async fn a_series_that_begins_after_the_panel_has_a_future_and_no_history() {
    let sales = "id ds y promo kind
        a 2024-01-01 5 0 x
        a 2024-01-02 6 0 x
        late 2024-01-04 - 1 y
        never 2024-01-01 - 0 y
        far 2024-02-01 - 0 y";
    let ahead = "id ds promo kind
        a 2024-01-03 1 x
        new 2024-01-03 1 y
        new 2024-01-04 0 y";
    let dir = TempDir::new().expect("a folder");
    let spec = SilverSpec { future: vec!["promo".into()], statics: vec!["kind".into()], gaps: GapPolicy::Zero, ..spec() };
    let report = build_silver(stream(vec![table(sales)]), Some(stream(vec![table(ahead)])), spec, &silver(&dir)).await.expect("built");
    accounted(&report);
    let panel = read_panel(&silver(&dir)).expect("read");
    assert_eq!(show(&panel), "a: 2024-01-01 | 5 6 | +2\nlate: 2024-01-02 | m | +2\nnew: 2024-01-02 | m | +2\n");
    let promo = |series: usize| panel.view(series).future(0)[panel.view(series).len()..].to_vec();
    assert_eq!((promo(1), promo(2)), (vec![0.0, 1.0], vec![1.0, 0.0]));
    assert_eq!(report.quarantined.values().sum::<u64>(), 2, "no target among the rows of history, or too far ahead");
}

#[tokio::test]
async fn a_text_known_ahead_of_which_nothing_is_known_is_no_number() {
    let dir = TempDir::new().expect("a folder");
    let sales = "id ds y event
        a 2024-01-01 1 fair
        a 2024-01-02 2 -
        a 2024-01-03 3 fair";
    let ahead = |event: &str| format!("id ds event\na 2024-01-04 {event}\na 2024-01-05 {event}");
    let spec = || SilverSpec { future: vec!["event".into()], ..spec() };
    let built = build_silver(stream(vec![table(sales)]), Some(stream(vec![table(&ahead("-"))])), spec(), &silver(&dir)).await;
    assert!(built.is_ok(), "{built:?}");
    let panel = read_panel(&silver(&dir)).expect("a panel");
    assert_eq!(panel.view(0).future(0).len(), 5);
    let built = build_silver(stream(vec![table(sales)]), Some(stream(vec![table(&ahead("7"))])), spec(), &silver(&dir)).await;
    assert!(matches!(built, Err(SilverError::ColumnType { .. })), "{built:?}");
}

#[tokio::test]
async fn a_table_of_known_ahead_rows_fills_the_future_and_the_gaps() {
    let dir = TempDir::new().expect("a folder");
    let known = "
        id ds         promo kind
        a  2024-01-02 1     x
        a  2024-01-04 1     y
        a  2024-01-05 0     x";
    let history = "
        id ds         y promo kind
        a  2024-01-01 1 0     x
        a  2024-01-03 3 0     x";
    let spec = SilverSpec { future: vec!["promo".into(), "kind".into()], gaps: GapPolicy::Closed, ..spec() };
    let report = build_silver(stream(vec![table(history)]), Some(stream(vec![table(known)])), spec, &silver(&dir)).await.expect("built");
    accounted(&report);
    let panel = read_panel(&silver(&dir)).expect("read");
    assert_eq!(show(&panel).trim(), "a: 2024-01-01 | 1 0x 3 | +2");
    assert_eq!((panel.view(0).future(0), panel.view(0).future(1)), (&[0.0, 1.0, 0.0, 1.0, 0.0][..], &[0.0, 0.0, 0.0, 1.0, 0.0][..]));
    assert!(report.future_fills.is_empty());
}

#[tokio::test]
async fn an_ended_series_keeps_its_end_and_is_said_to_be_discontinued() {
    let mut text = String::from("id ds y\n");
    for day in 1..=30 {
        text += &format!("long 2024-01-{day:02} {day}\n");
    }
    text += "old 2024-01-01 1\nold 2024-01-02 2\nnew 2024-01-28 9\n";
    let (dir, report) = build(&text, spec()).await;
    let report = report.expect("built");
    assert_eq!((report.series_discontinued, report.series_new), (1, 1));
    let panel = read_panel(&silver(&dir)).expect("read");
    assert_eq!(panel.view(panel.position("old").expect("kept")).len(), 2);
    assert_eq!(panel.view(panel.position("new").expect("kept")).len(), 3);
}

#[tokio::test]
async fn a_day_whose_row_names_no_event_is_a_day_without_event() {
    let text = "
        id ds         y event
        a  2024-01-01 1 newyear
        a  2024-01-02 2 -
        a  2024-01-03 3 fair
        a  2024-01-04 - -
        a  2024-01-05 - fair";
    let (dir, report) = build(text, SilverSpec { future: vec!["event".into()], ..spec() }).await;
    assert!(report.expect("built").future_fills.is_empty(), "both rows ahead are known");
    let panel = read_panel(&silver(&dir)).expect("read");
    assert_eq!(panel.future_categories(0), ["", "fair", "newyear"]);
    assert_eq!(panel.view(0).future(0), [2.0, 0.0, 1.0, 0.0, 1.0]);
}

#[tokio::test]
async fn a_target_beyond_reason_goes_to_quarantine() {
    let text = "
        id ds         y
        a  2024-01-01 1
        a  2024-01-02 1e308
        a  2024-01-03 3";
    let report = check(text, SilverSpec { gaps: GapPolicy::Missing, ..spec() }, "a: 2024-01-01 | 1 m 3 | +2").await;
    assert_eq!(report.quarantined["the target is beyond 1e100, which no quantity is"], 1);
}

#[tokio::test]
async fn weeks_keep_their_anchor_and_days_are_put_into_them() {
    let text = "
        id ds         y
        a  2024-01-05 1
        a  2024-01-12 2
        a  2024-01-19 3
        a  2024-01-26 4";
    let report = check(text, SilverSpec { freq: None, ..spec() }, "a: 2024-01-05 | 1 2 3 4 | +2").await;
    assert_eq!((report.freq.as_str(), report.freq_inferred, report.rows_off_grid), ("W-FRI", true, 0));
    let monday = SilverSpec { freq: Some("W-MON".parse().expect("known")), ..spec() };
    let report = check(text, monday, "a: 2024-01-08 | 1 2 3 4 | +2").await;
    assert_eq!(report.rows_off_grid, 4);
}

#[tokio::test]
async fn hours_are_counted_through_both_clock_changes() {
    let hourly = || SilverSpec { freq: None, timezone: Some("Europe/Berlin".into()), gaps: GapPolicy::Error, ..spec() };
    let spring = "
        id ds                  y
        a  2024-03-31T00:00:00 1
        a  2024-03-31T01:00:00 2
        a  2024-03-31T03:00:00 3
        a  2024-03-31T04:00:00 4";
    check(spring, hourly(), "a: 2024-03-30T23:00:00 | 1 2 3 4 | +2").await;
    let autumn = "
        id ds                  y
        a  2024-10-27T01:00:00 1
        a  2024-10-27T02:00:00 2
        a  2024-10-27T02:00:00 3
        a  2024-10-27T03:00:00 4";
    check(autumn, hourly(), "a: 2024-10-26T23:00:00 | 1 2 3 4 | +2").await;
    let newest_first = "
        id ds                  y
        a  2024-10-27T03:00:00 4
        a  2024-10-27T02:00:00 3
        a  2024-10-27T02:00:00 2
        a  2024-10-27T01:00:00 1";
    check(newest_first, hourly(), "a: 2024-10-26T23:00:00 | 1 2 3 4 | +2").await;
    let never = spring.replace("03:00", "02:30");
    let report = check(
        &never,
        SilverSpec { gaps: GapPolicy::Missing, freq: Some(Freq::Hour(1)), ..hourly() },
        "a: 2024-03-30T23:00:00 | 1 2 m 4 | +2",
    )
    .await;
    assert_eq!(report.quarantined["the clock jumped over this local time"], 1);
    let (_dir, unknown) = build(spring, SilverSpec { timezone: Some("Europe/Atlantis".into()), ..hourly() }).await;
    assert_eq!(unknown.unwrap_err().to_string(), "time zone `Europe/Atlantis` is not known");
}

#[tokio::test]
async fn ids_are_joined_and_a_table_without_ids_is_one_series() {
    let text = "
        id store ds         y
        x  7     2024-01-01 1
        y  7     2024-01-01 2";
    let two = SilverSpec { id: vec!["store".into(), "id".into()], ..spec() };
    let (dir, _) = build(text, two).await;
    let panel = read_panel(&silver(&dir)).expect("read");
    assert_eq!(panel.series().iter().map(|span| span.id.as_str()).collect::<Vec<_>>(), ["7/x", "7/y"]);
    let names: Vec<_> = panel.statics().iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["store", "id"]);
    let StaticValues::Category { codes, categories } = &panel.statics()[1].values else { panic!("a text") };
    assert_eq!((&codes[..], &categories[..]), (&[0, 1][..], &["x".to_owned(), "y".to_owned()][..]));
    let lone = "ds y\n2024-01-01 1\n2024-01-02 2";
    check(lone, SilverSpec { id: vec![], ..spec() }, "y: 2024-01-01 | 1 2 | +2").await;
}

#[tokio::test]
async fn mistakes_in_the_spec_and_hopeless_tables_are_typed_errors() {
    let error = |text: &'static str, spec: SilverSpec| async move { build(text, spec).await.1.unwrap_err().to_string() };
    assert_eq!(error(GAPPY, SilverSpec { target: "sales".into(), ..spec() }).await, "the table has no column `sales`");
    assert_eq!(error("id ds y\na 2024-01-01 x", spec()).await, "column `y` is of type Utf8, the target needs numbers");
    assert_eq!(
        error(GAPPY, SilverSpec { future: vec!["y".into()], ..spec() }).await,
        "column `y` is given as the target and as known ahead"
    );
    assert_eq!(
        error("id ds y\na 2024-01-01 -", spec()).await,
        "no series has an observed target: 1 rows were read, 0 of them are unusable"
    );
    assert_eq!(error("id ds y\na 2024-01-01 1", SilverSpec { freq: None, ..spec() }).await, "the frequency of column `ds` cannot be told");
    let far = "id ds y\na 1800-01-01T00:00:00 1\na 2199-01-01T00:00:00 1";
    assert!(error(far, SilverSpec { freq: Some(Freq::Second(1)), ..spec() }).await.starts_with("the regular panel would have "));
}

#[tokio::test]
async fn a_damaged_partition_is_named_with_the_cure() {
    let (dir, _) = build(GAPPY, spec()).await;
    let part = silver(&dir).join("part-00000.parquet");
    let bytes = std::fs::read(&part).expect("written");
    std::fs::write(&part, &bytes[..bytes.len() / 2]).expect("writable");
    let error = read_panel(&silver(&dir)).unwrap_err();
    assert!(error.to_string().contains("part-00000.parquet") && error.to_string().contains("is damaged"), "{error}");
    assert!(error.hint().expect("a hint").starts_with("delete "));
}

/// Many small series in date order, with what life adds.
fn messy(series: usize, days: usize) -> RecordBatch {
    let (mut ids, mut ds, mut y, mut price) = (vec![], vec![], vec![], vec![]);
    for day in 0..days {
        for number in 0..series {
            let mixed = (day * 7919 + number * 104_729) % 1013;
            if mixed % 11 == 0 {
                continue;
            }
            ids.push(if mixed == 5 { None } else { Some(format!("item_{number:03}")) });
            ds.push(Some(day as i64 * almanac_series::MICROS_PER_DAY));
            y.push(match mixed {
                7 => f64::INFINITY,
                _ => mixed as f64,
            });
            price.push((mixed % 5 != 0).then_some(mixed as f64 / 8.0));
        }
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(StringArray::from(ids))),
        ("ds", Arc::new(TimestampMicrosecondArray::from(ds))),
        ("y", Arc::new(Float64Array::from(y))),
        ("price", Arc::new(Float64Array::from(price))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).expect("columns of one length")
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.file_name().expect("a file").to_string_lossy().into_owned(), std::fs::read(&path).expect("readable")))
        .collect();
    files.sort();
    files
}

fn build_messy(batch: usize, spill_rows: usize, out: &Path) -> SilverReport {
    let whole = messy(60, 120);
    let batches = (0..whole.num_rows()).step_by(batch).map(|from| whole.slice(from, batch.min(whole.num_rows() - from))).collect();
    let spec = SilverSpec { freq: None, future: vec!["price".into()], target_rows_per_partition: 1_000, spill_rows, ..spec() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let report = runtime.block_on(build_silver(stream(batches), None, spec, out)).expect("built");
    accounted(&report);
    SilverReport { spilled: false, ..report }
}

/// Set for the copy of this test that runs on one thread and builds into the folder it names.
const CHILD: &str = "ALMANAC_TEST_SILVER_OUT";

#[test]
fn batch_sizes_threads_and_spilling_change_no_byte() {
    if let Some(out) = std::env::var_os(CHILD) {
        build_messy(8_192, usize::MAX, Path::new(&out));
        return;
    }
    let build_with = |batch: usize, spill_rows: usize| {
        let dir = TempDir::new().expect("a folder");
        let report = build_messy(batch, spill_rows, &silver(&dir));
        // Only whether rows were spilled differs in the description.
        let kept: Vec<_> = files(&silver(&dir)).into_iter().filter(|(name, _)| name != "panel.json").collect();
        (kept, report)
    };
    let reference = build_with(8_192, usize::MAX);
    assert!(reference.1.partitions > 3);
    assert_eq!(reference, build_with(97, usize::MAX));
    assert_eq!(reference, build_with(1_000, 500));

    // Threads are a matter of the process: the same test once more, alone and on one.
    let dir = TempDir::new().expect("a folder");
    let child = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "silver::batch_sizes_threads_and_spilling_change_no_byte"])
        .env(CHILD, silver(&dir))
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("started");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let alone: Vec<_> = files(&silver(&dir)).into_iter().filter(|(name, _)| name != "panel.json").collect();
    assert_eq!(reference.0, alone);
}

#[tokio::test]
async fn a_partition_reads_like_its_part_of_the_panel() {
    let dir = TempDir::new().expect("a folder");
    let spec = SilverSpec { future: vec!["price".into()], target_rows_per_partition: 1_000, ..spec() };
    build_silver(stream(vec![messy(40, 60)]), None, spec, &silver(&dir)).await.expect("built");
    let whole = read_panel(&silver(&dir)).expect("read");
    let mut series = 0;
    for part in list_partitions(&silver(&dir)).expect("listed") {
        let panel = read_partition(&silver(&dir), part.index).expect("read");
        series += panel.n_series();
        for view in panel.views() {
            let same = whole.view(whole.position(view.id().as_str()).expect("in the whole"));
            assert_eq!((view.status(), view.span().rows), (same.status(), same.span().rows));
            let static_of = |panel: &Panel, row: usize| match &panel.statics()[0].values {
                StaticValues::Category { codes, categories } => categories[codes[row] as usize].clone(),
                StaticValues::Number(_) => unreachable!("a text"),
            };
            assert_eq!(static_of(&panel, view.span().static_row), static_of(&whole, same.span().static_row));
        }
    }
    assert_eq!(series, 40);
}

/// Numbers that look random and are the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407); // Knuth's MMIX
        (self.0 >> 33) % sides
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as u64) as usize].clone()
    }
}

#[test]
fn whatever_the_rows_none_is_lost_and_nothing_panics() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for case in 0..120 {
        let mut dice = Dice(case);
        let rows = dice.roll(120) as usize;
        let hours = dice.roll(2) == 0;
        let step = if hours { 3_600_000_000 } else { almanac_series::MICROS_PER_DAY };
        // Around the autumn change in Berlin.
        let at = |n: i64| 1_729_987_200_000_000 + n * step;
        let targets = [-5.0, 0.0, 1.0, 2.5, 50.0, 7.0, 3.0, 1e308, f64::NAN, f64::INFINITY];
        let columns: Vec<(&str, ArrayRef)> = vec![
            (
                "id",
                Arc::new(
                    (0..rows).map(|_| dice.pick(&[None, Some(" "), Some("a"), Some("a"), Some("b"), Some("é/ü")])).collect::<StringArray>(),
                ),
            ),
            (
                "ds",
                Arc::new(
                    (0..rows).map(|_| (dice.roll(20) > 0).then(|| at(dice.roll(80) as i64 - 40))).collect::<TimestampMicrosecondArray>(),
                ),
            ),
            ("y", Arc::new((0..rows).map(|_| (dice.roll(10) > 0).then(|| dice.pick(&targets))).collect::<Float64Array>())),
            ("kind", Arc::new((0..rows).map(|_| (dice.roll(5) > 0).then(|| dice.roll(3) as i64)).collect::<Int64Array>())),
        ];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).expect("one length");
        let spec = SilverSpec {
            id: vec!["id".into()],
            freq: Some(if hours { Freq::Hour(1) } else { Freq::Day }),
            timezone: Some("Europe/Berlin".into()),
            gaps: dice.pick(&[GapPolicy::Zero, GapPolicy::Missing, GapPolicy::Closed, GapPolicy::Forward]),
            duplicates: dice.pick(&[
                DuplicatePolicy::Sum,
                DuplicatePolicy::Mean,
                DuplicatePolicy::First,
                DuplicatePolicy::Last,
                DuplicatePolicy::Error,
            ]),
            negatives: dice.pick(&[NegativePolicy::Keep, NegativePolicy::Quarantine, NegativePolicy::Clip]),
            in_stock: Some("kind".into()),
            historic: vec!["kind".into()],
            horizon: dice.roll(4) as usize,
            spill_rows: 50,
            target_rows_per_partition: 30,
            ..SilverSpec::default()
        };
        let dir = TempDir::new().expect("a folder");
        // The second half comes twice.
        let ahead = (dice.roll(2) == 0).then(|| stream(vec![batch.slice(0, rows / 3)]));
        let result =
            runtime.block_on(build_silver(stream(vec![batch.clone(), batch.slice(rows / 2, rows - rows / 2)]), ahead, spec, &silver(&dir)));
        match result {
            Ok(report) => {
                accounted(&report);
                let panel = read_panel(&silver(&dir)).expect("read");
                assert_eq!(panel.n_rows() as u64, report.panel_rows, "case {case}");
                let refused = read_quarantine(&silver(&dir).join(QUARANTINE_FILE), 10_000).expect("read");
                assert_eq!(refused.len() as u64, report.rows_quarantined, "case {case}");
            }
            Err(SilverError::NoSeries { .. } | SilverError::Duplicates { .. }) => assert!(!silver(&dir).exists(), "case {case}"),
            Err(other) => panic!("case {case}: {other}"),
        }
    }
}

/// A file of the shared data, or `None`, said aloud, where this checkout has none.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

fn parquet(path: &Path) -> Vec<RecordBatch> {
    let file = std::fs::File::open(path).expect("readable");
    ParquetRecordBatchReaderBuilder::try_new(file).expect("parquet").build().expect("parquet").collect::<Result<_, _>>().expect("parquet")
}

#[tokio::test]
async fn m5_by_store_and_department_is_seventy_regular_series() {
    let Some(path) = shared("m5/store_dept_daily_train.parquet") else { return };
    let dir = TempDir::new().expect("a folder");
    let spec = SilverSpec {
        id: vec!["unique_id".into()],
        freq: None,
        statics: ["state_id", "store_id", "cat_id", "dept_id"].map(String::from).into(),
        horizon: 28,
        ..spec()
    };
    let report = build_silver(stream(parquet(&path)), None, spec, &silver(&dir)).await.expect("built");
    accounted(&report);
    let panel = read_panel(&silver(&dir)).expect("read");
    assert_eq!(
        (report.freq.as_str(), panel.n_series(), panel.n_rows(), report.gap_rows, report.future_rows),
        ("D", 70, 130_900, 0, 70 * 28)
    );
}

#[tokio::test]
async fn rossmann_days_without_a_row_are_closed_and_the_known_future_is_used() {
    let Some(path) = shared("rossmann/train.parquet") else { return };
    let ahead = path.with_file_name("future_exog.parquet");
    let dir = TempDir::new().expect("a folder");
    let spec = SilverSpec {
        id: vec!["unique_id".into()],
        freq: None,
        gaps: GapPolicy::Closed,
        historic: vec!["customers".into()],
        future: ["promo", "state_holiday", "school_holiday"].map(String::from).into(),
        horizon: 42,
        ..spec()
    };
    let report = build_silver(stream(parquet(&path)), Some(stream(parquet(&ahead))), spec, &silver(&dir)).await.expect("built");
    accounted(&report);
    let panel = read_panel(&silver(&dir)).expect("read");
    assert_eq!((report.freq.as_str(), panel.n_series(), report.series_discontinued), ("D", 1115, 0));
    assert_eq!(report.panel_rows - report.gap_rows, 804_056);
    let closed: usize = panel.views().map(|view| view.status().iter().filter(|status| **status == RowStatus::Closed).count()).sum();
    assert_eq!(closed as u64, report.gap_rows);
    let with_promo = panel.views().filter(|view| view.future(0)[view.len()..].contains(&1.0)).count();
    assert!(with_promo > 1100, "{with_promo}");
}

#[tokio::test]
async fn walmart_keeps_or_refuses_its_negative_sales() {
    let Some(path) = shared("walmart_weekly/sales.parquet") else { return };
    for (negatives, refused) in [(NegativePolicy::Keep, 0), (NegativePolicy::Quarantine, 1285)] {
        let dir = TempDir::new().expect("a folder");
        let spec = SilverSpec {
            id: vec!["store".into(), "dept".into()],
            freq: None,
            negatives,
            future: vec!["is_holiday".into()],
            horizon: 39,
            ..spec()
        };
        let report = build_silver(stream(parquet(&path)), None, spec, &silver(&dir)).await.expect("built");
        accounted(&report);
        let expected_series = if refused == 0 { 3331 } else { report.series };
        assert_eq!((report.freq.as_str(), report.rows_in, report.series), ("W-FRI", 421_570, expected_series));
        let negative = report.quarantined.get("the target is negative").copied().unwrap_or(0);
        assert_eq!(negative, refused);
    }
}
