//! Our models as MLflow models: the files beside a bundle with which `mlflow.pyfunc.load_model` makes forecasts.
//!
//! ```text
//! model/MLmodel, requirements.txt, conda.yaml, python_env.yaml        what MLflow reads
//!       input_example.json, serving_input_example.json                how it is asked
//!       almanac_model.json, code/almanac_model.py                     asks `POST /api/v1/predict` of a server
//! ```
//!
//! The Python side needs pandas and nothing of ours: the server that has the model does the work.
//!
//! Not here: what is in a bundle, and where the files go (`almanac-pipeline`).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::{Value as Json, json};

/// The flavor's Python module.
const LOADER: &str = include_str!("mlmodel/almanac_model.py");
/// The version of MLflow whose format this is; older and newer ones read it.
const MLFLOW_VERSION: &str = "3.17.2";
const PYTHON_VERSION: &str = "3.11.7";

/// What an MLflow model says about one of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct MlmodelFacts {
    /// Names the model for ever: 32 hex digits, such as the run's id.
    pub model_uuid: String,
    /// The run that made it.
    pub run_id: String,
    /// The folder within the run's artifacts; empty where it is not known.
    pub artifact_path: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// Which model forecasts, such as `ensemble`.
    pub champion: String,
    /// Which data it has seen.
    pub data_version: String,
    /// Spacing of `ds`, such as `D`.
    pub freq: String,
    /// Steps ahead.
    pub horizon: usize,
    /// Strictly between 0 and 1, in rising order.
    pub quantiles: Vec<f64>,
    /// Exogenous columns whose past is known.
    pub historic_exog: Vec<String>,
    /// Exogenous columns that are known ahead.
    pub future_exog: Vec<String>,
    /// Exogenous columns that do not change.
    pub static_exog: Vec<String>,
    /// Some rows of history for the example: `unique_id`, `ds`, `y`.
    pub example: Vec<(String, String, Option<f64>)>,
}

/// One file of an MLflow model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlmodelFile {
    /// Relative to the model's folder, with `/`.
    pub path: &'static str,
    /// All of it.
    pub content: Vec<u8>,
}

/// Returns the files of an MLflow model, which stand beside its bundle. The same facts give the same bytes.
pub fn mlmodel(facts: &MlmodelFacts) -> Vec<MlmodelFile> {
    let example = example(facts);
    let json = |value: &Json| format!("{value}\n").into_bytes();
    let file = |path: &'static str, content: Vec<u8>| MlmodelFile { path, content };
    vec![
        file("MLmodel", in_yaml(&model(facts))),
        file("requirements.txt", b"mlflow\npandas\n".to_vec()),
        file("conda.yaml", in_yaml(&conda())),
        file("python_env.yaml", in_yaml(&python_env())),
        file("input_example.json", json(&example)),
        file("serving_input_example.json", json(&json!({"dataframe_split": example}))),
        file("almanac_model.json", json(&serving(facts))),
        file("code/almanac_model.py", LOADER.as_bytes().to_vec()),
    ]
}

/// Writes [`mlmodel`] to a folder, each file whole or not at all, and returns what was written.
///
/// # Errors
/// What the system says.
pub fn write_mlmodel(facts: &MlmodelFacts, folder: &Path) -> io::Result<Vec<MlmodelFile>> {
    let files = mlmodel(facts);
    for file in &files {
        let target = folder.join(file.path);
        let parent = target.parent().expect("lies in the folder");
        fs::create_dir_all(parent)?;
        let mut unfinished = tempfile::Builder::new().prefix(".unfinished-").tempfile_in(parent)?;
        unfinished.write_all(&file.content)?;
        unfinished.as_file().sync_all()?;
        unfinished.persist(&target).map_err(|error| error.error)?;
        File::open(parent)?.sync_all()?;
    }
    Ok(files)
}

fn in_yaml(value: &Json) -> Vec<u8> {
    serde_yaml_ng::to_string(value).expect("JSON can be written as YAML").into_bytes()
}

fn model(facts: &MlmodelFacts) -> Json {
    json!({
        "artifact_path": facts.artifact_path,
        "flavors": {
            "almanac": {
                "bundle": ".",
                "champion": facts.champion,
                "code": "code",
                "data_version": facts.data_version,
                "freq": facts.freq,
                "horizon": facts.horizon,
                "version": env!("CARGO_PKG_VERSION"),
            },
            "python_function": {
                "code": "code",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "loader_module": "almanac_model",
                "python_version": PYTHON_VERSION,
                "streamable": false,
            },
        },
        "mlflow_version": MLFLOW_VERSION,
        "model_uuid": facts.model_uuid,
        "run_id": facts.run_id,
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "pandas_orient": "split",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
        },
        "signature": signature(facts),
        "utc_time_created": created(facts.created_ms),
    })
}

/// Columns that are not named here would not reach the model.
fn signature(facts: &MlmodelFacts) -> Json {
    let column = |name: &str, kind: &str, required: bool| json!({"type": kind, "name": name, "required": required});
    // As the table has it: `ds` is a text, a date or a step, `y` and exogenous columns may be whole numbers, which MLflow would
    // not take for doubles.
    let mut inputs = vec![column("unique_id", "string", true), column("ds", "any", false), column("y", "any", false)];
    let exog = facts.historic_exog.iter().chain(&facts.future_exog).chain(&facts.static_exog);
    inputs.extend(exog.map(|name| column(name, "any", false)));
    let mut outputs = vec![column("unique_id", "string", true), column("ds", "any", true), column("mean", "double", true)];
    outputs.extend(facts.quantiles.iter().map(|quantile| column(&format!("q{quantile}"), "double", true)));
    let params = json!([
        {"name": "horizon", "default": facts.horizon, "shape": null, "type": "long"},
        {"name": "quantiles", "default": facts.quantiles, "shape": [-1], "type": "double"},
    ]);
    // MLflow keeps each as JSON within a text.
    json!({"inputs": Json::from(inputs).to_string(), "outputs": Json::from(outputs).to_string(), "params": params.to_string()})
}

fn serving(facts: &MlmodelFacts) -> Json {
    json!({
        "champion": facts.champion,
        "exog": {"historic": facts.historic_exog, "future": facts.future_exog, "static": facts.static_exog},
        "freq": facts.freq,
        "horizon": facts.horizon,
        "quantiles": facts.quantiles,
        "run_id": facts.run_id,
    })
}

fn example(facts: &MlmodelFacts) -> Json {
    let data: Vec<Json> = facts.example.iter().map(|(id, ds, y)| json!([id, ds, y])).collect();
    json!({"columns": ["unique_id", "ds", "y"], "data": data})
}

fn conda() -> Json {
    json!({
        "name": "almanac-model",
        "channels": ["conda-forge"],
        "dependencies": [format!("python={PYTHON_VERSION}"), "pip", {"pip": ["mlflow", "pandas"]}],
    })
}

fn python_env() -> Json {
    json!({"python": PYTHON_VERSION, "build_dependencies": ["pip", "setuptools", "wheel"], "dependencies": ["-r requirements.txt"]})
}

/// Writes a time as MLflow does: `2024-02-01 10:00:00.500000`, in UTC.
fn created(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the tests and `examples/mlmodel.rs` say about a model.
    fn facts() -> MlmodelFacts {
        MlmodelFacts {
            model_uuid: "0123456789abcdef0123456789abcdef".into(),
            run_id: "0123456789abcdef0123456789abcdef".into(),
            artifact_path: "model".into(),
            created_ms: 1_706_781_600_500,
            champion: "ensemble".into(),
            data_version: "abc".into(),
            freq: "D".into(),
            horizon: 14,
            quantiles: vec![0.1, 0.5, 0.9],
            historic_exog: vec!["stock".into()],
            future_exog: vec!["price".into()],
            static_exog: vec!["kind".into()],
            example: vec![("a".into(), "2024-01-31".into(), Some(9.0)), ("a".into(), "2024-02-01".into(), None)],
        }
    }

    #[test]
    fn the_files_are_those_that_mlflow_reads() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = write_mlmodel(&facts(), folder.path()).expect("writes");
        for file in &files {
            assert_eq!(fs::read(folder.path().join(file.path)).expect("is there"), file.content);
        }
        let text = String::from_utf8(files[0].content.clone()).expect("text");
        expect_test::expect![[r#"
            artifact_path: model
            flavors:
              almanac:
                bundle: .
                champion: ensemble
                code: code
                data_version: abc
                freq: D
                horizon: 14
                version: 0.1.0
              python_function:
                code: code
                env:
                  conda: conda.yaml
                  virtualenv: python_env.yaml
                loader_module: almanac_model
                python_version: 3.11.7
                streamable: false
            mlflow_version: 3.17.2
            model_uuid: 0123456789abcdef0123456789abcdef
            run_id: 0123456789abcdef0123456789abcdef
            saved_input_example_info:
              artifact_path: input_example.json
              pandas_orient: split
              serving_input_path: serving_input_example.json
              type: dataframe
            signature:
              inputs: '[{"name":"unique_id","required":true,"type":"string"},{"name":"ds","required":false,"type":"any"},{"name":"y","required":false,"type":"any"},{"name":"stock","required":false,"type":"any"},{"name":"price","required":false,"type":"any"},{"name":"kind","required":false,"type":"any"}]'
              outputs: '[{"name":"unique_id","required":true,"type":"string"},{"name":"ds","required":true,"type":"any"},{"name":"mean","required":true,"type":"double"},{"name":"q0.1","required":true,"type":"double"},{"name":"q0.5","required":true,"type":"double"},{"name":"q0.9","required":true,"type":"double"}]'
              params: '[{"default":14,"name":"horizon","shape":null,"type":"long"},{"default":[0.1,0.5,0.9],"name":"quantiles","shape":[-1],"type":"double"}]'
            utc_time_created: 2024-02-01 10:00:00.500000
        "#]]
        .assert_eq(&text);
        assert_eq!(mlmodel(&facts()), files, "the same facts give the same bytes");
    }
}
