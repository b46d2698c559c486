//! Imports of real stores of MLflow, and of damaged ones.

#![expect(clippy::needless_raw_string_hashes, reason = "as `expect-test` writes its snapshots")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::Millis;
use crate::{ExperimentId, NewExperiment, NewRun, RunId, TrackingStore};

const MLRUNS_3: &str = include_str!("../../tests/data/transfer/mlruns-3.17.json");
const MLRUNS_2: &str = include_str!("../../tests/data/transfer/mlruns-2.22.json");
const SQLITE_3: &str = include_str!("../../tests/data/transfer/mlflow-3.17.sql");
const SQLITE_2: &str = include_str!("../../tests/data/transfer/mlflow-2.22.sql");

/// A folder for one test, with a new store.
struct Place {
    folder: TempDir,
    store: TrackingStore,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("opens");
        Self { folder, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lays a sample of a folder of runs out as files.
    fn mlruns(&self, sample: &str) -> PathBuf {
        let files: BTreeMap<String, String> = serde_json::from_str(sample).expect("a sample");
        let root = self.path("mlruns");
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        root
    }

    fn sqlite(&self, dump: &str) -> PathBuf {
        let path = self.path("mlflow.db");
        Connection::open(&path).expect("opens").execute_batch(dump).expect("a dump");
        path
    }

    fn import(&self, source: &Path) -> ImportReport {
        self.import_with(source, &ImportOptions::default())
    }

    fn import_with(&self, source: &Path, options: &ImportOptions) -> ImportReport {
        let source = Source::detect(&source.display().to_string()).expect("a source");
        self.store.import(&source, options).expect("imports")
    }

    fn export(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        self.store.export(&path).expect("exports");
        path
    }

    /// One table of the store, as it is exported.
    fn rows(&self, table: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        self.store.export(folder.path()).expect("exports");
        fs::read_to_string(folder.path().join(format!("{table}.jsonl"))).expect("reads")
    }
}

fn shown(report: &ImportReport, place: &Place) -> String {
    let mut text = String::new();
    for table in &report.tables {
        text += &format!("{} +{} ={} !{} -{}\n", table.table, table.added, table.present, table.conflicts, table.skipped);
    }
    let root = place.folder.path().display().to_string();
    for line in report.problems.iter().chain(&report.conflicts).map(ToString::to_string).chain(report.warnings.iter().cloned()) {
        text += &format!("{}\n", line.replace(&root, ""));
    }
    text
}

#[track_caller]
fn check_import(source: impl Fn(&Place) -> PathBuf, expected: &Expect) {
    let place = Place::new();
    let source = source(&place);
    let before = digest(&source);
    let dry = place.import_with(&source, &ImportOptions { dry_run: true, ..ImportOptions::default() });
    assert_eq!(place.rows("runs"), "", "a dry run writes nothing");
    let report = place.import(&source);
    expected.assert_eq(&shown(&report, &place));
    assert_eq!(dry, report, "a dry run tells what an import does");
    let first = place.export("first");
    let again = place.import(&source);
    assert_eq!((again.added(), again.conflict_count()), (0, 0), "importing again adds nothing: {}", shown(&again, &place));
    assert_eq!(digest(&first), digest(&place.export("second")), "importing again changes nothing");
    assert_eq!(before, digest(&source), "the source stays as it is");
}

/// Every file of a folder, or one file, with its content.
fn digest(path: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(next) = waiting.pop() {
        if next.is_dir() {
            waiting.extend(fs::read_dir(&next).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else {
            let hash = blake3::hash(&fs::read(&next).expect("a file")).to_string();
            found.insert(next.strip_prefix(path).expect("below").to_owned(), hash);
        }
    }
    found
}

#[test]
fn a_folder_of_mlflow_3_is_imported() {
    check_import(
        |place| place.mlruns(MLRUNS_3),
        &expect![[r#"
        experiments +2 =1 !0 -0
        experiment_tags +2 =0 !0 -0
        runs +4 =0 !0 -0
        params +2 =0 !0 -0
        tags +6 =0 !0 -0
        metrics +9 =0 !0 -0
        datasets +1 =0 !0 -0
        inputs +1 =0 !0 -0
        input_tags +1 =0 !0 -0
        logged_models +1 =0 !0 -0
        logged_model_params +1 =0 !0 -0
        logged_model_tags +4 =0 !0 -0
        logged_model_metrics +1 =0 !0 -0
        run_models +2 =0 !0 -0
        registered_models +1 =0 !0 -0
        registered_model_tags +1 =0 !0 -0
        model_versions +2 =0 !0 -0
        model_version_tags +1 =0 !0 -0
        model_aliases +1 =0 !0 -0
        traces +1 =0 !0 -0
        trace_tags +4 =0 !0 -0
        trace_metadata +11 =0 !0 -0
        trace_spans +2 =0 !0 -0
        assessments +1 =0 !0 -0
        artifacts of 5 runs and models stay in local folders, which only clients on this machine can read
    "#]],
    );
}

#[test]
fn a_folder_of_mlflow_2_is_imported() {
    check_import(
        |place| place.mlruns(MLRUNS_2),
        &expect![[r#"
        experiments +2 =1 !0 -0
        experiment_tags +2 =0 !0 -0
        runs +4 =0 !0 -0
        params +2 =0 !0 -0
        tags +6 =0 !0 -0
        metrics +8 =0 !0 -0
        datasets +1 =0 !0 -0
        inputs +1 =0 !0 -0
        input_tags +1 =0 !0 -0
        registered_models +1 =0 !0 -0
        registered_model_tags +1 =0 !0 -0
        model_versions +2 =0 !0 -0
        model_version_tags +1 =0 !0 -0
        model_aliases +1 =0 !0 -0
        traces +1 =0 !0 -0
        trace_tags +4 =0 !0 -0
        trace_metadata +1 =0 !0 -0
        artifacts of 4 runs and models stay in local folders, which only clients on this machine can read
    "#]],
    );
}

#[test]
fn a_database_of_mlflow_3_is_imported() {
    check_import(
        |place| place.sqlite(SQLITE_3),
        &expect![[r#"
        experiments +2 =1 !0 -0
        experiment_tags +2 =0 !0 -0
        runs +4 =0 !0 -0
        params +2 =0 !0 -0
        tags +6 =0 !0 -0
        metrics +9 =0 !0 -0
        datasets +1 =0 !0 -0
        inputs +1 =0 !0 -0
        input_tags +1 =0 !0 -0
        logged_models +1 =0 !0 -0
        logged_model_params +1 =0 !0 -0
        logged_model_tags +4 =0 !0 -0
        logged_model_metrics +1 =0 !0 -0
        run_models +2 =0 !0 -0
        registered_models +1 =0 !0 -0
        registered_model_tags +1 =0 !0 -0
        model_versions +2 =0 !0 -0
        model_version_tags +1 =0 !0 -0
        model_aliases +1 =0 !0 -0
        traces +1 =0 !0 -0
        trace_tags +3 =0 !0 -0
        trace_metadata +12 =0 !0 -0
        trace_spans +2 =0 !0 -0
        assessments +1 =0 !0 -0
        artifacts of 5 runs and models stay in local folders, which only clients on this machine can read
    "#]],
    );
}

#[test]
fn a_database_of_mlflow_2_is_imported() {
    check_import(
        |place| place.sqlite(SQLITE_2),
        &expect![[r#"
        experiments +2 =1 !0 -0
        experiment_tags +2 =0 !0 -0
        runs +4 =0 !0 -0
        params +2 =0 !0 -0
        tags +6 =0 !0 -0
        metrics +8 =0 !0 -0
        datasets +1 =0 !0 -0
        inputs +1 =0 !0 -0
        input_tags +1 =0 !0 -0
        registered_models +1 =0 !0 -0
        registered_model_tags +1 =0 !0 -0
        model_versions +2 =0 !0 -0
        model_version_tags +1 =0 !0 -0
        model_aliases +1 =0 !0 -0
        traces +1 =0 !0 -0
        trace_tags +4 =0 !0 -0
        trace_metadata +1 =0 !0 -0
        artifacts of 4 runs and models stay in local folders, which only clients on this machine can read
    "#]],
    );
}

#[test]
fn folder_and_database_give_the_same_rows() {
    let place = Place::new();
    place.import(&place.mlruns(MLRUNS_3));
    expect![[r#"
        {"experiment_id":0,"name":"Default","artifact_location":"file:///home/me/mlruns/0","lifecycle_stage":"active","creation_time":1795290081434,"last_update_time":1795290081434}
        {"experiment_id":462577919075555527,"name":"demand","artifact_location":"file:///home/me/mlruns/462577919075555527","lifecycle_stage":"active","creation_time":1795290081438,"last_update_time":1795290081438}
        {"experiment_id":907057724732984262,"name":"gone","artifact_location":"file:///home/me/mlruns/907057724732984262","lifecycle_stage":"deleted","creation_time":1795290081442,"last_update_time":1795290081458}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"acc","step":3,"timestamp":1700000000009,"is_nan":0,"value":0.9}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"loss","step":0,"timestamp":1700000000000,"is_nan":0,"value":1.0}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"loss","step":1,"timestamp":1700000000001,"is_nan":0,"value":0.5}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"loss","step":2,"timestamp":1700000000002,"is_nan":0,"value":0.3333333333333333}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"loss","step":3,"timestamp":1700000000003,"is_nan":0,"value":0.25}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"loss","step":4,"timestamp":1700000000004,"is_nan":0,"value":0.2}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"nested/metric","step":0,"timestamp":1700000000003,"is_nan":0,"value":-1e-7}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"odd","step":0,"timestamp":1700000000001,"is_nan":1,"value":0.0}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","key":"odd","step":1,"timestamp":1700000000002,"is_nan":0,"value":1.7976931348623157e+308}
        {"run_id":"343d5765e77b4247869aca2f25efbc61","dataset":["demand","sales","abc123"]}
        {"name":"demand-net","version":1,"description":"first","user_id":"","current_stage":"Staging","source":"models:/m-7ac02233b5be4e55b9876e2bbbc66332","storage_location":"file:///home/me/mlruns/462577919075555527/models/m-7ac02233b5be4e55b9876e2bbbc66332/artifacts","run_id":"343d5765e77b4247869aca2f25efbc61","run_link":"","model_id":"m-7ac02233b5be4e55b9876e2bbbc66332","status":"READY","status_message":"","creation_time":1795290081512,"last_updated_time":1795290081538}
        {"name":"demand-net","version":2,"description":"","user_id":"","current_stage":"None","source":"models:/m-7ac02233b5be4e55b9876e2bbbc66332","storage_location":"file:///home/me/mlruns/462577919075555527/models/m-7ac02233b5be4e55b9876e2bbbc66332/artifacts","run_id":"343d5765e77b4247869aca2f25efbc61","run_link":"","model_id":"m-7ac02233b5be4e55b9876e2bbbc66332","status":"READY","status_message":"","creation_time":1795290081517,"last_updated_time":1795290081517}
    "#]].assert_eq(&format!("{}{}{}{}", place.rows("experiments"), place.rows("metrics"), place.rows("inputs"), place.rows("model_versions")));
    let other = Place::new();
    other.import(&other.sqlite(SQLITE_3));
    let without_ids = |place: &Place| -> Vec<String> {
        let rows = place.rows("metrics");
        let mut rows: Vec<String> = rows.lines().map(|line| line.split_once(",\"key\"").expect("a key").1.to_owned()).collect();
        rows.sort();
        rows
    };
    assert_eq!(without_ids(&place), without_ids(&other));
}

#[test]
fn the_latest_value_of_a_metric_is_known_after_an_import() {
    let place = Place::new();
    let database = place.sqlite(SQLITE_3);
    place.import(&database);
    let latest = |path: &Path| -> Vec<String> {
        let connection = Connection::open(path).expect("opens");
        let sql = "SELECT key, step, timestamp, value FROM latest_metrics ORDER BY key";
        let mut statement = connection.prepare(sql).expect("prepares");
        let rows = statement.query_map([], |row| {
            Ok(format!("{} {} {} {:e}", row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, f64>(3)?))
        });
        rows.expect("reads").map(|row| row.expect("a row")).collect()
    };
    assert_eq!(latest(&place.path("almanac.db")), latest(&database));
}

#[test]
fn damaged_pieces_are_reported_with_their_place_and_the_rest_is_taken() {
    let place = Place::new();
    let root = place.mlruns(MLRUNS_3);
    let files: BTreeMap<String, String> = serde_json::from_str(MLRUNS_3).expect("a sample");
    let named = |end: &str| root.join(files.keys().find(|path| path.ends_with(end)).expect("in the sample"));
    let loss = named("metrics/loss");
    fs::write(&loss, "1700000000000 1.0 0\nsoon much 1\n1700000000002 0.5 2\n").expect("writes");
    let child = files.iter().find(|(path, text)| path.ends_with("meta.yaml") && text.contains("run_name: child")).expect("in the sample").0;
    fs::write(root.join(child), "run_id: x\n  status: [").expect("writes");
    fs::remove_file(named("outputs/m-7ac02233b5be4e55b9876e2bbbc66332/meta.yaml")).expect("removes");
    fs::create_dir(root.join("12")).expect("a folder");
    fs::write(named("aliases/champion"), "newest").expect("writes");
    expect![[r#"
        experiments +2 =1 !0 -0
        experiment_tags +2 =0 !0 -0
        runs +3 =0 !0 -0
        params +2 =0 !0 -0
        tags +4 =0 !0 -0
        metrics +6 =0 !0 -0
        datasets +1 =0 !0 -0
        inputs +1 =0 !0 -0
        input_tags +1 =0 !0 -0
        logged_models +1 =0 !0 -0
        logged_model_params +1 =0 !0 -0
        logged_model_tags +4 =0 !0 -0
        logged_model_metrics +1 =0 !0 -0
        registered_models +1 =0 !0 -0
        registered_model_tags +1 =0 !0 -0
        model_versions +2 =0 !0 -0
        model_version_tags +1 =0 !0 -0
        traces +1 =0 !0 -0
        trace_tags +4 =0 !0 -0
        trace_metadata +11 =0 !0 -0
        trace_spans +2 =0 !0 -0
        assessments +1 =0 !0 -0
        /mlruns/12/meta.yaml: is missing, so that its folder is left out
        /mlruns/462577919075555527/343d5765e77b4247869aca2f25efbc61/metrics/loss:2: is not a line `timestamp value step` and is left out
        /mlruns/462577919075555527/343d5765e77b4247869aca2f25efbc61/outputs/m-7ac02233b5be4e55b9876e2bbbc66332/meta.yaml: is missing, so that its folder is left out
        /mlruns/462577919075555527/480488dd89b04780bac5f24f3bf92de8/meta.yaml:2: mapping values are not allowed in this context at line 2 column 9
        /mlruns/models/demand-net/aliases/champion: is not the number of a version
        artifacts of 4 runs and models stay in local folders, which only clients on this machine can read
    "#]].assert_eq(&shown(&place.import(&root), &place));
}

#[test]
fn what_is_there_and_differs_stays_and_is_reported() {
    let place = Place::new();
    let database = place.sqlite(SQLITE_2);
    place.import(&database);
    let theirs = Connection::open(&database).expect("opens");
    let change = "UPDATE runs SET status = 'FAILED' WHERE name = 'parent'; UPDATE params SET value = '1' WHERE key = 'alpha';
                  INSERT INTO params VALUES ('new', '1', (SELECT run_uuid FROM runs WHERE name = 'parent'));";
    theirs.execute_batch(change).expect("changes");
    let before = place.rows("runs");
    expect![[r#"
        runs +0 =4 !1 -0
        params +1 =2 !1 -0
        runs 1 `ec2f1a7342774b518341e8c8e717e6db`: is there and stays as it is: `status` is `FINISHED`, not `FAILED`
        params 1 `ec2f1a7342774b518341e8c8e717e6db alpha`: is there and stays as it is: `value` is `0.5`, not `1`
        artifacts of 4 runs and models stay in local folders, which only clients on this machine can read"#]]
    .assert_eq(&shown(&place.import(&database), &place).lines().filter(|line| !line.contains("!0")).collect::<Vec<_>>().join("\n"));
    assert_eq!(place.rows("runs"), before);
}

#[test]
fn an_experiment_whose_number_is_taken_gets_another_one() {
    let place = Place::new();
    let new = NewExperiment { name: "mine".to_owned(), ..NewExperiment::default() };
    assert_eq!(place.store.create_experiment(&new, Millis(1)).expect("made"), ExperimentId(1));
    let root = place.path("files");
    let database = place.sqlite(SQLITE_2);
    let copying = ImportOptions { artifacts: Artifacts::Copy(root), dry_run: false };
    let report = place.import_with(&database, &copying);
    let demand = place.store.get_experiment_by_name("demand").expect("reads").expect("is there");
    assert_eq!(report.renumbered, [("demand".to_owned(), 1, 2), ("gone".to_owned(), 2, 3)]);
    assert_eq!(demand.id, ExperimentId(2));
    assert_eq!(demand.artifact_location, format!("mlflow-artifacts:/{}", demand.id));
    let place_of_runs = format!("mlflow-artifacts:/{}/", demand.id);
    assert!(place.rows("runs").lines().filter(|line| line.contains("\"demand\"")).all(|line| line.contains(&place_of_runs)));
    let new = NewExperiment { name: "next".to_owned(), ..NewExperiment::default() };
    place.store.create_experiment(&new, Millis(1)).expect("numbers go on");
}

#[test]
fn artifacts_are_copied_below_the_root_and_what_lies_in_them_follows() {
    let place = Place::new();
    let root = place.mlruns(MLRUNS_2);
    let files = place.path("files");
    let copying = ImportOptions { artifacts: Artifacts::Copy(files.clone()), dry_run: false };
    let report = place.import_with(&root, &copying);
    assert_eq!((report.files_copied, report.warnings.len()), (1, 0));
    let demand = place.store.get_experiment_by_name("demand").expect("reads").expect("is there");
    let versions = place.rows("model_versions");
    let source = format!("\"source\":\"mlflow-artifacts:/{}/", demand.id);
    assert!(versions.lines().all(|line| line.contains(&source)), "{versions}");
    let copied = digest(&files);
    let path = copied.keys().next().expect("one file");
    assert!(path.starts_with(demand.id.to_string()) && path.ends_with("artifacts/docs/note.txt"), "{}", path.display());
    assert_eq!(place.import_with(&root, &copying).files_copied, 0);
}

#[test]
fn an_import_that_was_killed_is_resumed() {
    let place = Place::new();
    place.import(&place.mlruns(MLRUNS_3));
    let whole = place.export("whole");
    let part = place.path("part");
    fs::create_dir(&part).expect("a folder");
    for (name, _) in digest(&whole) {
        let text = fs::read_to_string(whole.join(&name)).expect("reads");
        let lines: Vec<&str> = text.lines().collect();
        // As far as an import came: all of the first tables, some of the metrics, nothing after.
        let kept = match name.to_str().expect("text") {
            "manifest.json" | "experiments.jsonl" | "runs.jsonl" | "params.jsonl" => lines.len(),
            "metrics.jsonl" => 4,
            _ => 0,
        };
        fs::write(part.join(&name), lines[..kept].iter().flat_map(|line| [*line, "\n"]).collect::<String>()).expect("writes");
    }
    let other = Place::new();
    assert!(other.import(&part).problem_count > 0, "the checksums differ");
    let report = other.import(&whole);
    assert_eq!((report.conflict_count(), report.problem_count), (0, 0), "{}", shown(&report, &other));
    assert_eq!(fs::read_to_string(whole.join("experiments.jsonl")).expect("reads"), other.rows("experiments"));
    assert_eq!(digest(&whole), digest(&other.export("resumed")));
}

#[test]
fn a_damaged_export_is_reported_and_the_rest_is_taken() {
    let place = Place::new();
    place.import(&place.sqlite(SQLITE_3));
    let export = place.export("export");
    let change = |name: &str, work: &dyn Fn(String) -> String| {
        let path = export.join(name);
        fs::write(&path, work(fs::read_to_string(&path).expect("reads"))).expect("writes");
    };
    change("params.jsonl", &|text| text.replacen("\"value\"", "\"worth\"", 1));
    change("tags.jsonl", &|text| format!("{{\"key\":\"a\",\"run_id\":\"nobody\",\"value\":\"b\"}}\nnot JSON\n{text}"));
    change("runs.jsonl", &|text| text.replacen("\"FAILED\"", "\"LOST\"", 1));
    fs::remove_file(export.join("datasets.jsonl")).expect("removes");
    let other = Place::new();
    let report = other.import(&export);
    let text = shown(&report, &other).replace(&place.folder.path().display().to_string(), "");
    expect![[r#"
        runs +3 =0 !0 -1
        tags +4 =0 !0 -3
        inputs +0 =0 !0 -1
        input_tags +0 =0 !0 -1
        run_models +1 =0 !0 -1
        /export/runs.jsonl: is not as it was written: its checksum differs
        /export/params.jsonl: is not as it was written: its checksum differs
        /export/params.jsonl:1: this program knows no column `worth`
        /export/tags.jsonl: is not as it was written: its checksum differs
        /export/tags.jsonl:2: expected ident at line 1 column 2
        /export/tags.jsonl: has 8 rows, 6 were written
        /export/datasets.jsonl: cannot be read: No such file or directory (os error 2)
        /export/runs.jsonl:2: CHECK constraint failed: status IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')
        /export/tags.jsonl:1: `run_no` names a row of `runs` that is not there: `nobody`
        /export/tags.jsonl:4: `run_no` names a row of `runs` that is not there: `713a6169209441789ab644c04a469458`
        /export/tags.jsonl:5: `run_no` names a row of `runs` that is not there: `713a6169209441789ab644c04a469458`
        /export/inputs.jsonl:1: `dataset_no` names a row of `datasets` that is not there: `demandsalesabc123`
        /export/input_tags.jsonl:1: `dataset_no` names a row of `datasets` that is not there: `demandsalesabc123`
        /export/run_models.jsonl:2: `run_no` names a row of `runs` that is not there: `713a6169209441789ab644c04a469458`"#]]
    .assert_eq(&text.lines().filter(|line| !line.ends_with("!0 -0")).collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_export_never_overwrites_and_leaves_nothing_half_done() {
    let place = Place::new();
    let folder = place.path("out");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("mine.txt"), "mine").expect("writes");
    assert!(matches!(place.store.export(&folder), Err(TransferError::NotEmpty { .. })));
    assert_eq!(digest(&folder).len(), 1);
    fs::remove_file(folder.join("mine.txt")).expect("removes");
    place.store.export(&folder).expect("into an empty folder");
    let left: Vec<_> = fs::read_dir(place.folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".unfinished")), "{left:?}");
}

#[test]
fn another_store_is_imported_without_files_between_but_never_itself() {
    let place = Place::new();
    place.import(&place.sqlite(SQLITE_3));
    let other = Place::new();
    let report = other.import(&place.path("almanac.db"));
    assert_eq!(report.problem_count + report.conflict_count(), 0);
    assert_eq!(digest(&place.export("one")), digest(&other.export("two")));
    let itself = Source::detect(&place.path("almanac.db").display().to_string()).expect("a store");
    assert!(matches!(place.store.import(&itself, &ImportOptions::default()), Err(TransferError::SameStore { .. })));
    for not_one in ["", "nowhere", "http://host", &place.folder.path().display().to_string()] {
        assert!(matches!(Source::detect(not_one), Err(TransferError::NotASource { .. })), "`{not_one}`");
    }
}

#[test]
fn every_table_of_a_store_is_moved_or_said_not_to_be() {
    let place = Place::new();
    let connection = Connection::open(place.path("almanac.db")).expect("opens");
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").expect("prepares");
    let there: Vec<String> = statement.query_map([], |row| row.get(0)).expect("reads").map(|name| name.expect("a name")).collect();
    // Made from others, on its way to `metrics`, or of one server.
    let stays = ["latest_metrics", "new_metrics", "access_tokens", "access_users", "validations"];
    for name in there.iter().filter(|name| !stays.contains(&name.as_str())) {
        let table = tables::tables().iter().find(|table| table.name == *name).unwrap_or_else(|| panic!("`{name}` is not moved"));
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)").expect("prepares");
        let columns: Vec<String> =
            statement.query_map([name], |row| row.get(0)).expect("reads").map(|name| name.expect("a name")).collect();
        for column in columns {
            let is_number = table.number.as_ref() == Some(&column) || (column == "experiment_id" && table.experiment_of.is_some());
            assert!(is_number || table.place(&column).is_some(), "`{name}.{column}` is not moved");
        }
    }
}

#[test]
fn a_run_that_only_this_store_has_is_left_alone() {
    let place = Place::new();
    let run = NewRun {
        id: RunId::from_bytes([7; 16]),
        experiment: ExperimentId(0),
        name: "mine".to_owned(),
        user: String::new(),
        started: Millis(1),
        tags: Vec::new(),
    };
    place.store.create_run(&run).expect("made");
    place.import(&place.sqlite(SQLITE_2));
    assert_eq!(place.store.get_run(&run.id).expect("reads").name, "mine");
}
