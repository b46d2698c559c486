//! What is served of a project that has been run more than once: earlier issues, Parquet, and a champion that was not replaced.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::program::Workplace;

const SETTINGS: &str = r#"
[data]
source = "sales.csv"
id = ["item"]
time = "date"
target = "units"
freq = "D"
future = ["event"]

[forecast]
horizon = 7
models = ["naive", "seasonal_naive"]

[gates]
beats = ["naive"]
"#;

/// A weekly season of three items, with a fair on two days of each month.
fn sales(days: i64) -> String {
    let mut text = "date,item,units,event\n".to_owned();
    for day in 0..days {
        let date = jiff::civil::date(2024, 1, 1) + jiff::Span::new().days(day);
        let event = if matches!(date.day(), 10 | 11) { "fair" } else { "" };
        for (item, base) in [("a", 10), ("b", 20), ("c", 30)] {
            let units = base * (4 + day % 7) + (day * 7919 + base * 104_729) % 11;
            writeln!(text, "{date},{item},{units},{event}").expect("a text takes everything");
        }
    }
    text
}

/// Runs the project on so many days and returns the exit code.
fn run(place: &Workplace, days: i64, settings: &str) -> Option<i32> {
    std::fs::create_dir_all(place.path("shop")).expect("a folder");
    std::fs::write(place.path("shop/sales.csv"), sales(days)).expect("written");
    std::fs::write(place.path("shop/almanac.toml"), settings).expect("written");
    place.almanac("-C shop run").code
}

/// A server that ends with the test.
pub(crate) struct Server {
    process: Child,
    address: String,
}

impl Server {
    pub(crate) fn of(place: &Workplace) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_almanac"))
            .args(["-C", "shop", "serve", "--listen", "127.0.0.1:0"])
            .current_dir(place.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built for this test");
        let mut said = String::new();
        BufReader::new(process.stderr.take().expect("piped")).read_line(&mut said).expect("it says where it listens");
        let address = said.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next()).expect(&said).to_owned();
        Self { process, address }
    }

    /// Sends a request and returns the head and the body of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        (String::from_utf8_lossy(&answer[..end]).into_owned(), answer[end + 4..].to_vec())
    }

    fn get(&self, path: &str) -> Value {
        serde_json::from_slice(&self.ask("GET", path, "").1).expect("json")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        serde_json::from_slice(&self.ask("POST", path, &body.to_string()).1).expect("json")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn earlier_issues_are_served_beside_the_newest() {
    let place = Workplace::new();
    assert_eq!(run(&place, 120, SETTINGS), Some(0));
    // The horizon and the models of the project have changed since; those of the old issue have not.
    let later = SETTINGS.replace("horizon = 7", "horizon = 5").replace("\"seasonal_naive\"]", "\"seasonal_naive\", \"window_average\"]");
    assert_eq!(run(&place, 148, &later), Some(0));
    let server = Server::of(&place);
    let project = server.get("/api/v1/project");
    assert_eq!(project["cutoffs"], json!(["2024-05-27", "2024-04-29"]));
    assert_eq!(project["issues"][1], json!({"cutoff": "2024-04-29", "models": ["naive", "seasonal_naive"]}));
    assert_eq!(project["outdated"], Value::Null);

    let newest = server.get("/api/v1/forecasts?series=a");
    assert_eq!(newest, server.get("/api/v1/forecasts?series=a&cutoff=2024-05-27"));
    assert_eq!((newest.as_array().map(Vec::len), &newest[0]["ds"]), (Some(5), &json!("2024-05-28")));
    // A model of today was not there then; the models that were are named.
    let refused = server.get("/api/v1/forecasts?series=a&cutoff=2024-04-29&model=window_average");
    assert_eq!(
        (&refused["detail"], &refused["hint"]),
        (&json!("model `window_average` has no forecasts from 2024-04-29"), &json!("`model=` may be one of naive, seasonal_naive"))
    );
    let earlier = server.get("/api/v1/forecasts?series=a&cutoff=2024-04-29&model=seasonal_naive");
    assert_eq!((earlier.as_array().map(Vec::len), &earlier[0]["ds"]), (Some(7), &json!("2024-04-30")));
    assert_eq!(server.get("/api/v1/forecasts?level=total&cutoff=2024-04-29&model=naive")[6]["cutoff"], "2024-04-29");
    assert_eq!(server.get("/api/v1/forecasts?cutoff=2024-04-28")["detail"], "cutoff `2024-04-28` does not exist");
    assert_eq!(server.get("/api/v1/forecasts?cutoff=2024-04-29&model=lightgbm")["detail"], "model `lightgbm` does not exist");

    // Scores are those that the backtest has for each series, and what it has for the level stands there.
    let item = &server.get("/api/v1/series")["items"][0];
    assert!(item["metrics"]["rmsse"].as_f64().is_some_and(|rmsse| rmsse > 0.0 && rmsse < 1.0), "{item}");
    assert!(project["levels"][1]["coverage"].as_array().is_some_and(|coverage| coverage.len() == 3), "{project}");
}

#[test]
fn forecasts_come_as_one_parquet_file() {
    let place = Workplace::new();
    assert_eq!(run(&place, 120, SETTINGS), Some(0));
    let server = Server::of(&place);
    for query in ["", "&series=b", "&horizon=2", "&level=total&series=total&horizon=1", "&model=naive"] {
        let (head, body) = server.ask("GET", &format!("/api/v1/forecasts?format=parquet{query}"), "");
        assert!(head.contains("200 OK") && head.contains("content-type: application/vnd.apache.parquet"), "{query}: {head}");
        assert!(head.contains("content-disposition: attachment; filename=\"forecast_") && head.contains(".parquet\""), "{head}");
        assert!(body.starts_with(b"PAR1") && body.ends_with(b"PAR1"), "{query}: {} bytes", body.len());
    }
    let (head, _) = server.ask("GET", "/api/v1/forecasts?format=parquet&series=nobody", "");
    assert!(head.contains("404"), "{head}");
}

#[test]
fn a_champion_that_the_gate_kept_is_said_to_be_old() {
    let place = Workplace::new();
    assert_eq!(run(&place, 120, SETTINGS), Some(0));
    let server = Server::of(&place);
    assert_eq!(server.get("/api/v1/project")["outdated"], Value::Null);
    assert_eq!(run(&place, 127, &SETTINGS.replace("beats = [\"naive\"]", "beats = [\"seasonal_naive\"]")), Some(6));

    // A server that is started now, on the new lake.
    let server = Server::of(&place);
    let outdated = server.get("/api/v1/project")["outdated"].clone();
    assert_eq!(outdated["reason"], "gate_failed");
    assert_eq!((&outdated["cutoff"], &outdated["history_until"]), (&json!("2024-04-29"), &json!("2024-05-06")));
    assert!(outdated["detail"].as_str().is_some_and(|detail| detail.contains("`seasonal_naive`")), "{outdated}");
    assert_eq!(server.get("/api/v1/forecasts?series=a")[0]["cutoff"], "2024-04-29");
    assert_eq!(server.get("/api/v1/history?series=a&last=1")["points"][0]["ds"], "2024-05-06");
}

#[test]
fn a_predict_request_may_name_no_event_and_leave_events_out() {
    let place = Workplace::new();
    assert_eq!(run(&place, 120, SETTINGS), Some(0));
    let server = Server::of(&place);
    let history = |event: &Value| -> Value {
        let row = |day: i64| json!({"ds": format!("2024-04-{day:02}"), "y": 40 + day % 7, "event": event});
        json!({"series": [{"unique_id": "new", "history": (1..=28).map(row).collect::<Vec<_>>()}], "horizon": 2})
    };
    for event in [Value::Null, json!(""), json!("fair")] {
        assert_eq!(server.post("/api/v1/predict", &history(&event))["forecasts"].as_array().map(Vec::len), Some(2), "{event}");
    }
    let refused = server.post("/api/v1/predict", &history(&json!("circus")));
    assert_eq!(refused["detail"], "series `new`: column `event` should hold one of `fair`, not `circus`");
    let off = json!({"series": [{"unique_id": "new", "history": [{"ds": "2024-04-01T12:00:00", "y": 1}]}]});
    let refused = server.post("/api/v1/predict", &off);
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("`history[0].ds` does not lie on the grid `D`")), "{refused}");
}

#[test]
fn clients_of_mlflow_see_the_champion_its_proof_and_its_files() {
    let place = Workplace::new();
    assert_eq!(run(&place, 120, SETTINGS), Some(0));
    let server = Server::of(&place);
    let found = server.get("/api/2.0/mlflow/registered-models/alias?name=shop&alias=champion");
    let version = &found["model_version"];
    let run_id = version["run_id"].as_str().expect("the run that made it");
    assert_eq!((&version["version"], &version["status"]), (&json!("1"), &json!("READY")));
    assert_eq!(version["source"], json!(format!("mlflow-artifacts:/1/{run_id}/artifacts/model")));

    let logged = server.get(&format!("/api/2.0/mlflow/runs/get?run_id={run_id}"));
    assert_eq!(logged["run"]["info"]["status"], "FINISHED");
    let files = server.get(&format!("/api/2.0/mlflow/artifacts/list?run_id={run_id}&path=model"));
    let paths: Vec<&str> = files["files"].as_array().expect("files").iter().filter_map(|file| file["path"].as_str()).collect();
    for wanted in ["model/MLmodel", "model/model.json", "model/requirements.txt"] {
        assert!(paths.contains(&wanted), "{wanted} is not among {paths:?}");
    }

    let proof = server.get("/api/v1/registry/models/shop/versions/1/evidence")["version_evidence"].take();
    assert_eq!(proof["passed"], true, "{proof}");
    let audit = &proof["evidence"]["leakage_audit"];
    assert!(audit["passed"] == true && audit["features_compared"].as_u64() > Some(0) && audit["features_moved"] == 0, "{audit}");
}

/// Loads the champion as any MLflow model and predicts through the server.
const PREDICT: &str = r#"
import os, mlflow, pandas as pd
mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
model = mlflow.pyfunc.load_model("models:/shop@champion")
history = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d"), "y": [float(5 + day % 7) for day in range(60)]})
forecast = model.predict(history)
assert list(forecast.columns[:3]) == ["unique_id", "ds", "mean"], forecast.columns
assert len(forecast) == 7 and forecast["mean"].notna().all(), forecast
assert mlflow.models.get_model_info("models:/shop@champion").signature is not None
print("predicted", len(forecast))
"#;

#[test]
fn the_champion_is_loaded_by_mlflow_and_predicts() {
    let Ok(python) = std::env::var("ALMANAC_TEST_PYTHON_3X") else {
        println!("skipped: ALMANAC_TEST_PYTHON_3X is not set");
        return;
    };
    let place = Workplace::new();
    assert_eq!(run(&place, 120, SETTINGS), Some(0));
    let server = Server::of(&place);
    let output = Command::new(python)
        .args(["-c", PREDICT])
        .env("MLFLOW_TRACKING_URI", format!("http://{}", server.address))
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .current_dir(place.path(""))
        .output()
        .expect("an interpreter");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("predicted 7"), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_empty_folder_is_a_tracking_server() {
    let place = Workplace::new();
    std::fs::create_dir_all(place.path("shop")).expect("a folder");
    let server = Server::of(&place);
    let experiment = server.post("/api/2.0/mlflow/experiments/create", &json!({"name": "mine"}));
    assert_eq!(experiment, json!({"experiment_id": "1"}));
    assert_eq!(server.get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=mine")["experiment"]["name"], "mine");
    assert!(place.path("shop/.almanac/almanac.db").exists());
    assert!(server.ask("GET", "/api/v1/project", "").0.contains("503"), "there are no forecasts");
    assert!(server.ask("GET", "/health", "").0.contains("200"));
}
