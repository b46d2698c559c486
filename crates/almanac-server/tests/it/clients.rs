//! The real clients of MLflow against a real port: what they do and see in `tests/clients`, run from here.
//!
//! `ALMANAC_TEST_PYTHON_3X` and `ALMANAC_TEST_PYTHON_2X` name Pythons that have MLflow 3 and 2; `make test` makes them. Skipped
//! with a printed reason where they are not set.
//!
//! Not here: what is asked and expected, which the Python files say.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use almanac_server::{Access, NoProject, Services, bind};
use almanac_tracking::{ArtifactStore, StoreUrl, TrackingStore};

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Returns the Python in a variable.
fn python(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        println!("skipped: {variable} is not set");
    }
    found
}

/// Runs a Python in `folder`, and shows all that it printed if it fails.
fn run(python: &Path, folder: &Path, url: &str, args: &[&str]) {
    let output = Command::new(python)
        .args(args)
        .current_dir(folder)
        .env("MLFLOW_TRACKING_URI", url)
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}");
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Serves an empty store on a free port and runs `visit` with its address and a temporary folder.
async fn serve(visit: impl FnOnce(&str, &Path) + Send + 'static) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let artifacts = ArtifactStore::open(&folder.path().join("artifacts").display().to_string()).expect("a folder");
    let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("opens");
    let services =
        Services { forecasts: Arc::new(NoProject), tracking: Some(Arc::new(store)), artifacts, features: None, access: Access::default() };
    let listening = bind("127.0.0.1:0".parse().expect("valid")).await.expect("a free port");
    let url = format!("http://{}", listening.address());
    let server = tokio::spawn(listening.serve(services, std::future::pending()));
    tokio::task::spawn_blocking(move || visit(&url, folder.path())).await.expect("the clients saw what they should");
    server.abort();
}

async fn pytest(variable: &'static str) {
    let Some(python) = python(variable) else { return };
    let tests = clients();
    let tests = tests.to_str().expect("text");
    let args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "--durations=5", tests].map(str::to_owned);
    serve(move |url, folder| run(&python, folder, url, &args.each_ref().map(String::as_str))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_mlflow_3_sees_what_it_expects() {
    pytest("ALMANAC_TEST_PYTHON_3X").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_mlflow_2_sees_what_it_expects() {
    pytest("ALMANAC_TEST_PYTHON_2X").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_as_mlflows_own_server_answers_them() {
    let Some(python) = python("ALMANAC_TEST_PYTHON_3X") else { return };
    serve(move |url, folder| {
        let (script, kept) = (clients().join("differential.py"), clients().join("mlflow-3.17.json"));
        run(&python, folder, url, &[script.to_str().expect("text"), kept.to_str().expect("text"), url]);
    })
    .await;
}

/// Another process, because this one cannot be killed: the example `tracking`, which cargo builds with the tests.
#[test]
fn a_server_that_is_killed_loses_nothing_it_acknowledged() {
    let Some(python) = python("ALMANAC_TEST_PYTHON_3X") else { return };
    let tests = std::env::current_exe().expect("a test");
    let server = tests.parent().and_then(Path::parent).expect("target/release/deps").join("examples/tracking");
    if !server.exists() {
        println!("skipped: there is no {}", server.display());
        return;
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let (address, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}"));
    let (script, server) = (clients().join("kill.py"), server.display().to_string());
    let args = [script.to_str().expect("text"), "--times", "3", "--url", &url, "--", &server, "almanac.db", &address, "artifacts"];
    run(&python, folder.path(), &url, &args);
}
