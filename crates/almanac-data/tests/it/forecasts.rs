//! The forecast table keeps every belief, gives back the wanted ones, and writes them so that they read back as they were.

use almanac_data::{
    CutoffFilter, ExportFormat, ForecastFilter, ForecastIssue, ForecastTable, append_forecast, export_forecasts, list_issues,
    read_forecasts, write_csv, write_json,
};
use almanac_model::{Forecast, ForecastSpan};
use almanac_series::{Freq, Hint, Horizon, Period, Quantile};
use arrow::array::RecordBatch;
use tempfile::TempDir;

fn forecast(model: &str, freq: Freq, cutoff: i64, quantiles: &[f64], level: f64) -> Forecast {
    let quantiles: Vec<Quantile> = quantiles.iter().map(|p| Quantile::new(*p).expect("in range")).collect();
    let mut forecast = Forecast::empty(model, freq, Horizon::new(2).expect("in range"), &quantiles);
    for (number, id) in ["a", "b,\"c\""].into_iter().enumerate() {
        let base = level + number as f64;
        let values: Vec<f64> = [base, base + 0.1].iter().flat_map(|mean| (0..quantiles.len()).map(move |q| mean + q as f64)).collect();
        forecast.push(ForecastSpan { id: id.into(), cutoff: Period(cutoff) }, &[base, base + 0.1], &values);
    }
    forecast
}

fn issue(sequence: u64) -> ForecastIssue {
    ForecastIssue { run: format!("run{sequence}"), sequence }
}

fn csv(batches: &[RecordBatch]) -> String {
    let mut bytes = Vec::new();
    write_csv(&mut bytes, batches).expect("memory takes everything");
    String::from_utf8(bytes).expect("text")
}

#[test]
fn a_repeated_issue_leaves_the_same_bytes_and_nothing_else() {
    let dir = TempDir::new().expect("a folder");
    let made = || forecast("auto_ets", Freq::Day, 100, &[0.1, 0.9], 5.0);
    let path = append_forecast(dir.path(), &issue(1), "bottom", &made()).expect("written");
    let before = std::fs::read(&path).expect("readable");
    assert_eq!(append_forecast(dir.path(), &issue(1), "bottom", &made()).expect("written"), path);
    assert_eq!(std::fs::read(&path).expect("readable"), before);
    assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 1);
    assert!(path.ends_with("00000001-run1-bottom-auto_ets.parquet"));
}

#[test]
fn rows_are_written_with_dates_and_shortest_floats() {
    let dir = TempDir::new().expect("a folder");
    append_forecast(dir.path(), &issue(1), "store/item", &forecast("naive", Freq::Day, 19_722, &[0.025, 0.975], 0.1)).expect("written");
    let batches = read_forecasts(dir.path(), &ForecastFilter { horizon: Some(1), ..ForecastFilter::default() }).expect("read");
    assert_eq!(
        csv(&batches),
        "unique_id,ds,cutoff,level,model,mean,q0.025,q0.975\n\
         a,2024-01-01,2023-12-31,store/item,naive,0.1,0.1,1.1\n\
         \"b,\"\"c\"\"\",2024-01-01,2023-12-31,store/item,naive,1.1,1.1,2.1\n"
    );
    let mut json = Vec::new();
    write_json(&mut json, &batches).expect("memory takes everything");
    let rows: serde_json::Value = serde_json::from_slice(&json).expect("json");
    assert_eq!(
        (rows[1]["unique_id"].as_str(), rows[1]["mean"].as_f64(), rows[1]["ds"].as_str()),
        (Some("b,\"c\""), Some(1.1), Some("2024-01-01"))
    );
    let hours = TempDir::new().expect("a folder");
    append_forecast(hours.path(), &issue(1), "bottom", &forecast("naive", Freq::Hour(1), 24, &[], 1.0)).expect("written");
    let text = csv(&read_forecasts(hours.path(), &ForecastFilter::default()).expect("read"));
    assert!(text.contains("a,1970-01-02T01:00:00,1970-01-02T00:00:00,bottom,naive,1\n"), "{text}");
}

#[test]
fn the_issues_of_the_table_are_listed_in_their_order() {
    let dir = TempDir::new().expect("a folder");
    assert_eq!(list_issues(dir.path()).expect("no table is no fault"), []);
    assert_eq!(list_issues(&dir.path().join("nowhere")).expect("no folder neither"), []);
    for (sequence, cutoff, model) in [(2, 107, "naive"), (1, 100, "naive"), (1, 100, "auto_ets")] {
        for level in ["bottom", "store/item"] {
            append_forecast(dir.path(), &issue(sequence), level, &forecast(model, Freq::Day, cutoff, &[0.5], 1.0)).expect("written");
        }
    }
    std::fs::write(dir.path().join("notes.txt"), "mine").expect("written");
    let issues = list_issues(dir.path()).expect("listed");
    let told: Vec<_> = issues.iter().map(|one| (one.issue.run.as_str(), one.cutoff.0, one.horizon.steps(), one.models.join(" "))).collect();
    assert_eq!(told, [("run1", 100, 2, "auto_ets naive".to_owned()), ("run2", 107, 2, "naive".to_owned())]);
    let damaged = dir.path().join("00000003-run3-bottom-naive.parquet");
    std::fs::write(&damaged, "PAR1").expect("written");
    let error = list_issues(dir.path()).expect_err("a file that is cut short");
    assert!(error.to_string().contains("run3"), "{error}");
    let of_first = ForecastFilter { run: Some("run1".into()), ..ForecastFilter::default() };
    assert!(read_forecasts(dir.path(), &of_first).is_ok(), "a damaged file of another issue does not matter");
}

#[test]
fn a_forecast_is_laid_out_without_its_level() {
    let table = ForecastTable::of(&forecast("naive", Freq::Day, 19_722, &[0.5], 0.1)).expect("laid out");
    assert_eq!(
        csv(table.batches()),
        "unique_id,ds,cutoff,model,mean,q0.5\n\
         a,2024-01-01,2023-12-31,naive,0.1,0.1\n\
         a,2024-01-02,2023-12-31,naive,0.2,0.2\n\
         \"b,\"\"c\"\"\",2024-01-01,2023-12-31,naive,1.1,1.1\n\
         \"b,\"\"c\"\"\",2024-01-02,2023-12-31,naive,1.2000000000000002,1.2000000000000002\n"
    );
}

#[test]
fn every_belief_stays_and_the_newest_is_found() {
    let dir = TempDir::new().expect("a folder");
    for (sequence, cutoff, level) in [(1, 100, 1.0), (2, 101, 2.0), (3, 101, 3.0), (4, 99, 4.0)] {
        append_forecast(dir.path(), &issue(sequence), "bottom", &forecast("naive", Freq::Day, cutoff, &[0.5], level)).expect("written");
    }
    append_forecast(dir.path(), &issue(4), "total", &forecast("auto_ets", Freq::Day, 99, &[0.1, 0.5], 9.0)).expect("written");
    let rows = |filter: &ForecastFilter| read_forecasts(dir.path(), filter).expect("read").iter().map(RecordBatch::num_rows).sum::<usize>();
    let of = |cutoff| ForecastFilter { cutoff, ..ForecastFilter::default() };
    assert_eq!(rows(&of(CutoffFilter::Every)), 20);
    assert_eq!(rows(&of(CutoffFilter::Latest)), 8, "two series of two models, two steps each");
    assert_eq!(rows(&of(CutoffFilter::At(100 * almanac_series::MICROS_PER_DAY))), 4);
    assert_eq!(rows(&ForecastFilter { level: Some("total".into()), ..of(CutoffFilter::Latest) }), 4);
    assert_eq!(rows(&ForecastFilter { series: Some(vec!["a".into()]), model: Some("naive".into()), ..of(CutoffFilter::Latest) }), 2);
    assert_eq!(rows(&ForecastFilter { run: Some("run2".into()), ..of(CutoffFilter::Every) }), 4);
    let newest = ForecastFilter { model: Some("naive".into()), series: Some(vec!["a".into()]), ..ForecastFilter::default() };
    let text = csv(&read_forecasts(dir.path(), &newest).expect("read"));
    assert!(text.contains(",3,3\n"), "the later issue of the newest cutoff: {text}");
    let both = read_forecasts(dir.path(), &of(CutoffFilter::Latest)).expect("read");
    assert!(both.iter().all(|batch| batch.schema() == both[0].schema()), "one schema");
}

#[test]
fn exports_are_whole_files_of_the_named_kind() {
    let dir = TempDir::new().expect("a folder");
    append_forecast(dir.path(), &issue(1), "bottom", &forecast("naive", Freq::Day, 100, &[0.5], 1.0)).expect("written");
    let batches = read_forecasts(dir.path(), &ForecastFilter::default()).expect("read");
    for name in ["out.csv", "out.json", "out.parquet"] {
        let path = dir.path().join("exports").join(name);
        export_forecasts(&path, ExportFormat::of_path(&path).expect("known"), &batches).expect("written");
        assert!(std::fs::metadata(&path).expect("there").len() > 50);
    }
    assert_eq!(ExportFormat::of_path("out.xls".as_ref()), None);
}

#[test]
fn an_empty_table_and_a_damaged_file_say_what_to_do() {
    let dir = TempDir::new().expect("a folder");
    let error = read_forecasts(dir.path(), &ForecastFilter::default()).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("run `almanac run` first"));
    let path = append_forecast(dir.path(), &issue(1), "bottom", &forecast("naive", Freq::Day, 100, &[0.5], 1.0)).expect("written");
    let bytes = std::fs::read(&path).expect("readable");
    std::fs::write(&path, &bytes[..bytes.len() - 9]).expect("writable");
    let error = read_forecasts(dir.path(), &ForecastFilter::default()).unwrap_err();
    assert!(error.to_string().contains("is damaged"), "{error}");
}
