//! A server that speaks S3: `ALMANAC_TEST_S3`, or that of moto, from the virtual environment of the program that `ALMANAC_TEST_DVC` names.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use almanac_connect::ConnectError;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::place::{Place, said};

struct Server {
    url: String,
    child: Option<Child>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn server() -> Option<Server> {
    if let Ok(url) = std::env::var("ALMANAC_TEST_S3") {
        return Some(Server { url, child: None });
    }
    let beside = std::env::var("ALMANAC_TEST_DVC").ok().and_then(|dvc| Some(Path::new(&dvc).parent()?.join("python")));
    let Some(program) = beside.filter(|program| program.is_file()) else {
        println!("skipped: neither `ALMANAC_TEST_S3` nor `ALMANAC_TEST_DVC` leads to a server that speaks S3");
        return None;
    };
    let mut child = Command::new(program)
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let url =
        lines.by_ref().map_while(Result::ok).find_map(|line| line.split("http://").nth(1).map(|rest| format!("http://{}", rest.trim())));
    std::thread::spawn(move || lines.for_each(drop));
    Some(Server { url: url.expect("it says where it listens"), child: Some(child) })
}

async fn bucket(server: &Server, name: &str) -> impl ObjectStore {
    let client = reqwest::Client::new();
    client.put(format!("{}/{name}", server.url)).send().await.expect("asked").error_for_status().expect("made");
    AmazonS3Builder::new()
        .with_endpoint(&server.url)
        .with_allow_http(true)
        .with_bucket_name(name)
        .with_region("us-east-1")
        .with_access_key_id("testing")
        .with_secret_access_key("hunter22hunter22")
        .build()
        .expect("a store")
}

async fn put(store: &impl ObjectStore, key: &str, text: &'static str) {
    store.put(&ObjectPath::parse(key).expect("a key"), text.into()).await.expect("put");
}

fn texts(files: &[std::path::PathBuf]) -> Vec<String> {
    files.iter().map(|file| std::fs::read_to_string(file).expect("readable")).collect()
}

#[tokio::test]
async fn objects_are_copied_when_they_are_new_or_changed_and_go_when_they_are_gone() {
    let Some(server) = server() else { return };
    let name = format!("connect-{}", std::process::id());
    let store = bucket(&server, &name).await;
    for (key, text) in
        [("sales/2024/a.csv", "a1"), ("sales/2024/b ü.csv", "b1"), ("sales/2024/_SUCCESS", ""), ("sales/2023/c.csv", "c1"), ("x.csv", "x1")]
    {
        put(&store, key, text).await;
    }
    let place =
        Place::new().with("AWS_ACCESS_KEY_ID", "testing").with("AWS_SECRET_ACCESS_KEY", "hunter22hunter22").with("AWS_REGION", "us-east-1");
    let keys =
        |pattern: &str| format!(r#"{{"url": "s3://{name}/{pattern}", "endpoint": "{}", "path_style": true, "retries": 0}}"#, server.url);
    let landed = place.land(&keys("sales/2024/*.csv")).await.expect("landed");
    assert_eq!((texts(&landed.current), landed.news), (vec!["a1".to_owned(), "b1".to_owned()], Some(2)));
    assert_eq!(place.land(&keys("sales/2024/*.csv")).await.expect("landed").news, None);
    put(&store, "sales/2024/a.csv", "a22").await;
    put(&store, "sales/2024/aa.csv", "aa1").await;
    store.delete(&ObjectPath::parse("sales/2024/b ü.csv").expect("a key")).await.expect("deleted");
    let landed = place.land(&keys("sales/2024/*.csv")).await.expect("landed");
    assert_eq!((texts(&landed.current), landed.news), (vec!["a22".to_owned(), "aa1".to_owned()], Some(2)));
    assert!(landed.notes[0].contains("b ü.csv` is gone"), "{:?}", landed.notes);
    for (pattern, expected) in [
        ("sales/**/*.csv", vec!["c1", "a22", "aa1"]),
        ("sales/2024/", vec!["a22", "aa1"]),
        ("x.csv", vec!["x1"]),
        ("sales/202?/c.csv", vec!["c1"]),
    ] {
        assert_eq!(texts(&place.land(&keys(pattern)).await.expect("landed").current), expected, "{pattern}");
    }
    let error = place.land(&keys("nope/*.csv")).await.expect_err("none");
    assert!(matches!(error, ConnectError::Missing { .. }), "{error}");
    let error = place.land(&keys("x.csv").replace(&name, "no-such-bucket")).await.expect_err("none");
    assert!(matches!(error, ConnectError::Missing { .. }) && !said(&error).contains("hunter22"), "{}", said(&error));
    assert!(!place.manifest().1.contains("hunter22"));
}

#[tokio::test]
async fn a_store_that_is_not_there_is_told() {
    let place =
        Place::new().with("AWS_ACCESS_KEY_ID", "testing").with("AWS_SECRET_ACCESS_KEY", "hunter22hunter22").with("AWS_REGION", "us-east-1");
    let keys = r#"{"url": "s3://b/x.csv", "endpoint": "http://127.0.0.1:1", "retries": 0}"#;
    let error = place.land(keys).await.expect_err("nobody there");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{}", said(&error));
    assert!(!said(&error).contains("hunter22"));
}

#[tokio::test]
async fn tables_of_a_lake_are_not_taken_for_plain_files() {
    let Some(server) = server() else { return };
    let name = format!("lake-{}", std::process::id());
    let store = bucket(&server, &name).await;
    for key in
        ["sales/_delta_log/00000000000000000000.json", "sales/part-1.parquet", "berg/metadata/v1.metadata.json", "berg/data/1.parquet"]
    {
        put(&store, key, "x").await;
    }
    let place = keyed();
    for (pattern, expected) in [("sales/", "delta:"), ("sales/*.parquet", "delta:"), ("berg/**/*.parquet", "Iceberg")] {
        let keys = format!(r#"{{"url": "s3://{name}/{pattern}", "endpoint": "{}"}}"#, server.url);
        let error = place.land(&keys).await.expect_err("refused");
        assert!(matches!(error, ConnectError::NotYet { .. }) && said(&error).contains(expected), "{}", said(&error));
    }
}

fn keyed() -> Place {
    let place = Place::new().with("AWS_ACCESS_KEY_ID", "testing").with("AWS_SECRET_ACCESS_KEY", "hunter22hunter22");
    place.with("AWS_REGION", "us-east-1")
}

async fn put_folder(store: &impl ObjectStore, folder: &Path, key: &str) {
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let key = format!("{key}/{name}");
        if path.is_dir() {
            Box::pin(put_folder(store, &path, &key)).await;
        } else {
            let bytes = std::fs::read(&path).expect("read");
            store.put(&ObjectPath::parse(&key).expect("a key"), bytes.into()).await.expect("put");
        }
    }
}

#[tokio::test]
async fn a_delta_table_of_a_store_reads_as_that_of_a_folder() {
    let Some(server) = server() else { return };
    let name = format!("delta-{}", std::process::id());
    let store = bucket(&server, &name).await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/delta");
    put_folder(&store, &fixtures, "in").await;
    for table in ["sales", "vector", "mapping"] {
        let place = keyed();
        let stored = format!(r#"{{"url": "delta:s3://{name}/in/{table}", "endpoint": "{}", "path_style": true}}"#, server.url);
        let landed = place.land(&stored).await.expect(table);
        let local = Place::new();
        let expected = local.land(&format!(r#"{{"url": "delta:{}"}}"#, fixtures.join(table).display())).await.expect(table);
        assert_eq!(crate::place::rows(&landed.current), crate::place::rows(&expected.current), "{table}");
        assert_eq!(place.land(&stored).await.expect(table).news, None, "{table}");
        let strays = std::fs::read_dir(place.landing().join("t")).expect("listed").count();
        assert_eq!(strays, landed.current.len() + 1, "{table}: the manifest and its files");
    }
}

#[tokio::test]
async fn blobs_of_azure_are_copied() {
    // Azurite's, and a container in it: `http://127.0.0.1:10000/devstoreaccount1/shop`.
    let Some(place) = std::env::var("ALMANAC_TEST_AZURE").ok().filter(|place| !place.is_empty()) else {
        println!("skipped: `ALMANAC_TEST_AZURE` names no container");
        return;
    };
    let (endpoint, container) = place.rsplit_once('/').expect("a container");
    // The key that Azurite has for everybody.
    let key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    let store = object_store::azure::MicrosoftAzureBuilder::new()
        .with_account("devstoreaccount1")
        .with_access_key(key)
        .with_endpoint(endpoint.to_owned())
        .with_allow_http(true)
        .with_container_name(container)
        .build()
        .expect("a store");
    let folder = format!("connect-{}", std::process::id());
    for (key, text) in [("a b.csv", "a1"), ("ü.csv", "u1"), ("x.txt", "x1")] {
        put(&store, &format!("{folder}/{key}"), text).await;
    }
    let place = Place::new().with("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1").with("AZURE_STORAGE_ACCOUNT_KEY", key);
    let keys = |url: &str| format!(r#"{{"url": "{url}", "endpoint": "{endpoint}", "retries": 0}}"#);
    for scheme in [format!("az://{container}"), format!("abfss://{container}@devstoreaccount1.dfs.core.windows.net")] {
        let landed = place.land(&keys(&format!("{scheme}/{folder}/*.csv"))).await.expect(&scheme);
        assert_eq!(texts(&landed.current), ["a1", "u1"], "{scheme}");
    }
    let error = place.land(&keys("az://nothing/x.csv")).await.expect_err("no container");
    assert!(matches!(error, ConnectError::Missing { .. }), "{error}");
    let wrong = Place::new().with("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1").with("AZURE_STORAGE_ACCOUNT_KEY", "aHVudGVyMjI=");
    let error = wrong.land(&keys(&format!("az://{container}/{folder}/*.csv"))).await.expect_err("a wrong key");
    assert!(matches!(error, ConnectError::Denied { .. }) && !said(&error).contains("aHVudGVyMjI"), "{}", said(&error));
}
