//! Files of the server that are none of the caller's business, and hosts that it is to call for them.

use crate::guarded::{As, Server};

const CREATE: &str = "/api/2.0/mlflow/experiments/create";

/// A file beside the store, which no answer may hold and no call may change.
const MARK: &str = "nobody may read this";

fn marked() -> Server {
    let server = Server::open();
    std::fs::write(server.folder.path().join("mark.txt"), MARK).expect("written");
    server
}

/// CVE-2024-1483, CVE-2024-3848 (`#`), CVE-2024-1593 (`;`): the location of an experiment is read as another one later.
#[tokio::test]
async fn a_location_that_becomes_another_one_is_refused() {
    let server = Server::open();
    for location in [
        "http:///#/../../../../../../../../../../../../../../etc/",
        "http:///?/../../../../etc/",
        "/tmp/a#/../../etc",
        "file:///tmp/a;..",
        "s3://bucket/x?a=%252e%252e/%252e%252e/etc",
        "mlflow-artifacts:/../../../../etc",
        "mlflow-artifacts:/%2e%2e/%2e%2e/etc",
        "mlflow-artifacts:/%252e%252e/etc",
        r"mlflow-artifacts:/..\..\etc",
        "mlflow-artifacts://169.254.169.254/latest/meta-data",
        "http://169.254.169.254/latest/meta-data",
        "ftp://user:password@evil.example/",
        "runs:/0123456789abcdef0123456789abcdef/x",
    ] {
        let body = serde_json::json!({ "name": location, "artifact_location": location }).to_string();
        let answer = server.call(As::Nobody, "POST", CREATE, &body).await;
        assert_eq!(answer.status, 400, "`{location}`: {}", answer.text);
        assert_eq!(answer.json()["error_code"], "INVALID_PARAMETER_VALUE");
        assert_eq!(server.store.get_experiment_by_name(location).expect("reads"), None, "nothing is half-made");
    }
}

/// CVE-2023-6831, CVE-2023-6730, CVE-2026-2033; CVE-2024-1560: decoded twice.
#[tokio::test]
async fn paths_of_artifacts_stay_among_the_artifacts() {
    let server = marked();
    let ups = ["..", "%2e%2e", "%252e%252e", "..%00", "..%5c..", ".%2e", "%2e%2e%2f%2e%2e", "..;", "%c0%ae%c0%ae"];
    let slashes = ["/", "%2f", "%252f", "%5c"];
    for up in ups {
        for slash in slashes {
            let path = format!("{up}{slash}{up}{slash}mark.txt");
            for root in ["", "0/", "%2f", "/", "C:%5c"] {
                for (method, route) in [
                    ("GET", format!("/api/2.0/mlflow-artifacts/artifacts/{root}{path}")),
                    ("PUT", format!("/api/2.0/mlflow-artifacts/artifacts/{root}{path}")),
                    ("DELETE", format!("/api/2.0/mlflow-artifacts/artifacts/{root}{path}")),
                    ("GET", format!("/api/2.0/mlflow-artifacts/artifacts?path={root}{path}")),
                    ("POST", format!("/api/2.0/mlflow-artifacts/mpu/create/{root}{path}")),
                    ("GET", format!("/get-artifact?run_id=0123456789abcdef0123456789abcdef&path={root}{path}")),
                    ("GET", format!("/model-versions/get-artifact?name=x&version=1&path={root}{path}")),
                    ("GET", format!("/ajax-api/2.0/mlflow/get-trace-artifact?request_id={root}{path}")),
                ] {
                    let answer = server.call(As::Nobody, method, &route, "{}").await;
                    let is_empty_list = answer.text.trim() == "{}";
                    assert!(answer.status.is_client_error() || is_empty_list, "{method} {route}: {} {}", answer.status, answer.text);
                    assert!(!answer.text.contains(MARK), "{method} {route}");
                }
            }
        }
    }
    assert_eq!(std::fs::read_to_string(server.folder.path().join("mark.txt")).expect("it is still there"), MARK);
}

/// CVE-2023-1177 (GHSA-xg73-94fp-g449), CVE-2023-2780, CVE-2023-2356, CVE-2024-3573, CVE-2025-11201 (GHSA-5cvj-7rg6-jggj),
/// CVE-2026-2614 (GHSA-42h5-h8qh-vv9v).
#[tokio::test]
async fn a_model_version_has_no_files_of_the_server_as_its_source() {
    let server = marked();
    let folder = server.folder.path().display().to_string();
    server.call(As::Nobody, "POST", "/api/2.0/mlflow/registered-models/create", r#"{"name":"m"}"#).await;
    for source in [
        folder.clone(),
        format!("file://{folder}"),
        format!("file:{folder}"),
        format!("FILE://{folder}"),
        format!("//{folder}"),
        "file:///etc/".to_owned(),
        "file://localhost/etc/".to_owned(),
        "/etc".to_owned(),
        "../../../../etc".to_owned(),
        r"file:///C:\..\..\etc".to_owned(),
        "mlflow-artifacts:/../../../etc".to_owned(),
        "mlflow-artifacts:/%2e%2e/%2e%2e/etc".to_owned(),
        "mlflow-artifacts:/%252e%252e/etc".to_owned(),
        "mlflow-artifacts://host/%2e%2e/etc".to_owned(),
        "http://host/a/..%2f..%2fetc".to_owned(),
        "s3://bucket/a/../../etc".to_owned(),
        "models:/nobody/1/../../etc".to_owned(),
        "runs:/x/../../etc".to_owned(),
    ] {
        let body = serde_json::json!({ "name": "m", "source": source }).to_string();
        let answer = server.call(As::Nobody, "POST", "/api/2.0/mlflow/model-versions/create", &body).await;
        assert!(answer.status.is_client_error(), "`{source}`: {} {}", answer.status, answer.text);
        let file = server.call(As::Nobody, "GET", "/model-versions/get-artifact?name=m&version=1&path=mark.txt", "").await;
        assert!(file.status.is_client_error() && !file.text.contains(MARK), "`{source}`: {}", file.text);
    }
}

/// CVE-2026-2393 (GHSA-65h7-c7c4-mghx): the server calls whom it is told to.
#[tokio::test]
async fn a_webhook_does_not_lead_into_the_servers_own_network() {
    let server = Server::open();
    for url in [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.0.0.1/",
        "https://0/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://user:password@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "",
    ] {
        let events = serde_json::json!([{ "entity": "REGISTERED_MODEL", "action": "CREATED" }]);
        let body = serde_json::json!({ "name": "w", "url": url, "events": events }).to_string();
        let answer = server.call(As::Nobody, "POST", "/api/2.0/mlflow/webhooks", &body).await;
        assert!(answer.status.is_client_error(), "`{url}`: {} {}", answer.status, answer.text);
    }
}

/// CVE-2024-3099: `prod` and `pro%64` are two names, and stay two.
#[tokio::test]
async fn a_name_is_not_read_as_another_one() {
    let server = Server::open();
    for name in ["prod", "pro%64", "pro%2564", "prod ", "PROD"] {
        let body = serde_json::json!({ "name": name }).to_string();
        assert_eq!(server.call(As::Nobody, "POST", CREATE, &body).await.status, 200, "`{name}`");
    }
    let encoded = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=pro%2564";
    assert_eq!(server.call(As::Nobody, "GET", encoded, "").await.json()["experiment"]["name"], "pro%64");
    let plain = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=pro%64";
    assert_eq!(server.call(As::Nobody, "GET", plain, "").await.json()["experiment"]["name"], "prod");
}
