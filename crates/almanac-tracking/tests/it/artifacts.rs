//! Artifacts are whole, listed as MLflow lists them, and never outside their root, wherever that is.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use almanac_tracking::{
    ArtifactError, ArtifactFolder, ArtifactPath, ArtifactStore, ExperimentId, Interruption, LocalArtifacts, PartTarget, RunId, UploadedPart,
};
use bytes::Bytes;
use futures::{StreamExt, stream};

const EXPERIMENT: ExperimentId = ExperimentId(3);

fn run() -> RunId {
    RunId::from_bytes([0xab; 16])
}

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::new(text).expect("valid")
}

fn folder(text: &str) -> ArtifactFolder {
    ArtifactFolder::new(text).expect("valid")
}

fn local(folder: &tempfile::TempDir) -> ArtifactStore {
    ArtifactStore::open(folder.path().to_str().expect("a plain path")).expect("a folder")
}

async fn names(store: &ArtifactStore, at: &str) -> Vec<(String, Option<u64>)> {
    store.list(&folder(at)).await.expect("lists").into_iter().map(|info| (info.name, info.size)).collect()
}

async fn read(store: &ArtifactStore, at: &str) -> Vec<u8> {
    store.get_bytes(&path(at), 1 << 30).await.expect("reads")
}

/// A content of that many pieces, and in the end an error if so wanted.
fn pieces(count: usize, size: usize, fails: bool) -> impl futures::Stream<Item = Result<Bytes, Interruption>> + Unpin + Send {
    let piece = move |number: usize| Ok(Bytes::from(vec![number as u8; size]));
    let end = fails.then(|| Err(Interruption::from("the cable was cut")));
    stream::iter((0..count).map(piece).chain(end))
}

/// What every root does.
async fn check_artifacts(store: &ArtifactStore) {
    assert!(names(store, "none").await.is_empty());
    for name in ["größe 100%.json", "a+b&c=d;@.txt", "模型/日本.bin", "model/card.md"] {
        store.put_bytes(&path(&format!("3/run/artifacts/{name}")), Bytes::from(name)).await.expect("writes");
        assert_eq!(read(store, &format!("3/run/artifacts/{name}")).await, name.as_bytes());
    }
    store.put_bytes(&path("3/run/artifacts/model/card.md"), Bytes::from("two, longer")).await.expect("writes over it");
    store.put_bytes(&path("3/run/artifacts/empty"), Bytes::new()).await.expect("writes nothing");
    assert_eq!(read(store, "3/run/artifacts/empty").await, b"");
    let listed = names(store, "3/run/artifacts").await;
    let wanted = [("a+b&c=d;@.txt", Some(13)), ("empty", Some(0)), ("größe 100%.json", Some(17)), ("model", None), ("模型", None)];
    assert_eq!(listed, wanted.map(|(name, size)| (name.to_owned(), size)));
    assert_eq!(names(store, "3/run/artifacts/model/").await, [("card.md".to_owned(), Some(11))]);
    assert!(names(store, "3/run/artifacts/model/card.md").await.is_empty(), "a file has nothing in it");

    // More than a batch, a window and two parts.
    let big = path("3/run/artifacts/big.bin");
    let stored = store.put(&big, pieces(21, (1 << 20) + 7, false), None, None).await.expect("writes");
    assert_eq!(stored.size, 21 * ((1 << 20) + 7));
    assert!(matches!(store.put(&big, pieces(1, 3, false), None, Some([0; 32])).await, Err(ArtifactError::Digest { .. })));
    store.put(&path("3/run/artifacts/again"), pieces(21, (1 << 20) + 7, false), None, Some(stored.sha256)).await.expect("the same");
    let content = read(store, "3/run/artifacts/big.bin").await;
    assert_eq!(content.len() as u64, stored.size);
    assert!(content.chunks((1 << 20) + 7).zip(0..).all(|(piece, number)| piece.iter().all(|byte| *byte == number)));
    for range in [0..5, 5_000_000..14_000_000, stored.size - 1..stored.size, 7..7] {
        let found = store.get(&big).await.expect("it is there");
        assert_eq!((found.meta().size, found.meta().etag.is_some()), (stored.size, true));
        let mut read = Vec::new();
        let mut pieces = found.read(range.clone()).expect("reads");
        while let Some(piece) = pieces.next().await {
            read.extend_from_slice(&piece.expect("a piece"));
        }
        assert_eq!(read, &content[range.start as usize..range.end as usize]);
    }

    // What is interrupted changes nothing, whether in the first part or a later one.
    for count in [0, 2, 20] {
        let outcome = store.put(&path("3/run/artifacts/model/card.md"), pieces(count, 1 << 20, true), None, None).await;
        assert!(matches!(outcome, Err(ArtifactError::Interrupted { .. })));
        let outcome = store.put(&path("3/run/artifacts/model/new"), pieces(count, 1 << 20, true), None, None).await;
        assert!(matches!(outcome, Err(ArtifactError::Interrupted { .. })));
    }
    assert_eq!(read(store, "3/run/artifacts/model/card.md").await, b"two, longer");
    assert_eq!(names(store, "3/run/artifacts/model").await.len(), 1);

    store.copy(&path("3/run/artifacts/empty"), &path("4/copy")).await.expect("copies");
    assert_eq!(read(store, "4/copy").await, b"");
    assert!(matches!(store.copy(&path("none"), &path("4/other")).await, Err(ArtifactError::Missing { .. })));
    assert!(matches!(store.get(&path("3/run/none")).await, Err(ArtifactError::Missing { .. })));
    assert!(matches!(store.get(&path("3/run/artifacts")).await, Err(ArtifactError::IsFolder { .. })));

    store.delete(&path("3/run/artifacts/empty")).await.expect("deletes a file");
    store.delete(&path("3/run/artifacts/model")).await.expect("deletes a folder");
    store.delete(&path("3/run/artifacts/model")).await.expect("again");
    store.delete(&path("3/run/artifacts/模")).await.expect("the start of a name is another name");
    assert_eq!(names(store, "3/run/artifacts").await.len(), 5);
    store.delete(&path("3")).await.expect("deletes all");
    assert_eq!(names(store, "").await, [("4".to_owned(), None)]);
}

#[tokio::test]
async fn a_folder_keeps_artifacts() {
    let folder = tempfile::tempdir().expect("temporary folder");
    check_artifacts(&local(&folder)).await;
    assert!(!folder.path().join("3").exists(), "folders that are empty go too");
}

#[tokio::test]
async fn an_object_store_keeps_artifacts() {
    check_artifacts(&ArtifactStore::in_memory()).await;
}

/// `ALMANAC_TEST_S3=http://127.0.0.1:5555` is a server that speaks S3 and asks for no keys, such as moto's.
fn s3() -> Option<ArtifactStore> {
    let Ok(endpoint) = std::env::var("ALMANAC_TEST_S3") else {
        println!("skipped: `ALMANAC_TEST_S3` names no server");
        return None;
    };
    let host = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let bucket = format!("almanac-{}", &RunId::random().as_str()[..12]);
    let mut connection = TcpStream::connect(&host).expect("the server listens");
    let request = format!("PUT /{bucket} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("asks for a bucket");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("answers");
    assert!(answer.contains(" 200 "), "{answer}");
    let variables = [
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", "us-east-1"),
        ("MLFLOW_S3_ENDPOINT_URL", endpoint.as_str()),
    ];
    let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    Some(ArtifactStore::open_with(&format!("s3://{bucket}/some/prefix"), variables).expect("a bucket"))
}

#[tokio::test]
async fn s3_keeps_artifacts() {
    if let Some(store) = s3() {
        check_artifacts(&store).await;
    }
}

#[tokio::test]
async fn parts_go_to_s3_itself() {
    let Some(store) = s3() else { return };
    assert!(store.offers_parts());
    let to = path("3/run/artifacts/größe 100%+.bin");
    let upload = store.begin_upload(&to, 2).await.expect("begins");
    let mut parts = Vec::new();
    for (target, number) in upload.parts.iter().zip(1_u8..) {
        let PartTarget::Url(url) = target else { panic!("{target:?}") };
        let (host, at) = url.trim_start_matches("http://").split_once('/').expect("a path");
        let mut connection = TcpStream::connect(host).expect("the server listens");
        let content = vec![number; 5 << 20];
        write!(connection, "PUT /{at} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len())
            .expect("asks");
        connection.write_all(&content).expect("sends");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("answers");
        let etag = answer.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("etag: ").map(str::to_owned)).expect("an ETag");
        parts.push(UploadedPart { number: u32::from(number), etag });
    }
    store.complete_upload(&to, &upload.id, parts).await.expect("completes");
    let content = store.get_bytes(&to, 1 << 30).await.expect("reads");
    assert_eq!((content.len(), content[0], content[content.len() - 1]), (10 << 20, 1, 2));
    let upload = store.begin_upload(&to, 1).await.expect("begins");
    store.abort_upload(&to, &upload.id).await.expect("aborts");
}

#[tokio::test]
async fn parts_go_to_a_folder() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = local(&folder);
    assert!(!store.offers_parts());
    let to = path("3/big.bin");
    let upload = store.begin_upload(&to, 3).await.expect("begins");
    let mut parts = Vec::new();
    for number in [2, 3, 1] {
        let etag = store.put_part(&to, &upload.id, number, pieces(number as usize, 1000, false)).await.expect("takes it");
        parts.push(UploadedPart { number, etag });
    }
    assert!(names(&store, "3").await.is_empty(), "it is not whole");
    let parts_error = |outcome| matches!(outcome, Err(ArtifactError::Parts { .. }));
    assert!(parts_error(store.complete_upload(&to, &upload.id, parts.clone()).await), "in the wrong order");
    parts.sort_by_key(|part| part.number);
    let mut changed = parts.clone();
    changed[1].etag = parts[0].etag.clone();
    assert!(parts_error(store.complete_upload(&to, &upload.id, changed).await), "another content");
    store.complete_upload(&to, &upload.id, parts.clone()).await.expect("completes");
    assert_eq!(read(&store, "3/big.bin").await.len(), 6000);
    assert!(matches!(store.complete_upload(&to, &upload.id, parts).await, Err(ArtifactError::NoUpload { .. })));
    assert_eq!(fs::read_dir(folder.path().join("3")).expect("a folder").count(), 1);

    let upload = store.begin_upload(&to, 1).await.expect("begins");
    store.abort_upload(&to, &upload.id).await.expect("aborts");
    assert!(matches!(store.put_part(&to, &upload.id, 1, pieces(1, 1, false)).await, Err(ArtifactError::NoUpload { .. })));
    for id in ["", "..", "../../../../../../etc/abcdef012345", &"z".repeat(32)] {
        assert!(matches!(store.abort_upload(&to, id).await, Err(ArtifactError::NoUpload { .. })), "`{id}`");
    }
    for count in [0, 10_001] {
        assert!(matches!(store.begin_upload(&to, count).await, Err(ArtifactError::Parts { .. })));
    }
    let refused = ArtifactStore::in_memory().begin_upload(&to, 1).await.expect_err("it takes none");
    assert_eq!(refused.to_string(), "Multipart upload is not supported for the current artifact repository");
}

#[test]
fn what_a_program_writes_a_server_over_the_folder_finds() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let from = folder.path().join("table.csv");
    fs::write(&from, "a,b\n1,2\n").expect("written");
    let root = folder.path().join("artifacts");
    let artifacts = LocalArtifacts::new(&root);
    assert!(artifacts.list(EXPERIMENT, &run(), &ArtifactFolder::ROOT).expect("empty").is_empty());
    artifacts.write(EXPERIMENT, &run(), &path("model/card.md"), b"one").expect("writes");
    let lies = artifacts.copy_in(EXPERIMENT, &run(), &path("größe 100%.csv"), &from).expect("copies");
    assert_eq!(lies, root.join("3").join("ab".repeat(16)).join("artifacts/größe 100%.csv"));
    assert_eq!(artifacts.read(EXPERIMENT, &run(), &path("model/card.md")).expect("reads"), b"one");
    assert_eq!(artifacts.list(EXPERIMENT, &run(), &ArtifactFolder::ROOT).expect("lists").len(), 2);
    let error = artifacts.copy_in(EXPERIMENT, &run(), &path("u.csv"), &folder.path().join("none")).expect_err("no such file");
    assert!(error.to_string().starts_with("failed to read artifact `"));

    let store = ArtifactStore::open(root.to_str().expect("a plain path")).expect("a folder");
    let of_run = store.locate(&format!("mlflow-artifacts:/3/{}/artifacts", run())).expect("ours");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let found = runtime.block_on(store.list(&of_run)).expect("lists");
    assert_eq!(found.iter().map(|info| info.name.as_str()).collect::<Vec<_>>(), ["größe 100%.csv", "model"]);
}

#[tokio::test]
async fn files_and_folders_do_not_take_each_others_place() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = local(&folder);
    store.put_bytes(&path("a/b"), Bytes::from("x")).await.expect("writes");
    assert!(matches!(store.put_bytes(&path("a"), Bytes::from("x")).await, Err(ArtifactError::IsFolder { .. })));
    assert!(matches!(store.put_bytes(&path("a/b/c"), Bytes::from("x")).await, Err(ArtifactError::InTheWay { .. })));
    assert!(matches!(store.get(&path("a/b/c")).await, Err(ArtifactError::Missing { .. })));
    assert_eq!(read(&store, "a/b").await, b"x");
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_not_followed() {
    let (folder, other) = (tempfile::tempdir().expect("temporary folder"), tempfile::tempdir().expect("temporary folder"));
    fs::write(other.path().join("secret"), "s").expect("written");
    let store = local(&folder);
    store.put_bytes(&path("3/a"), Bytes::from("x")).await.expect("writes");
    std::os::unix::fs::symlink(other.path(), folder.path().join("3/out")).expect("links");
    std::os::unix::fs::symlink(other.path().join("secret"), folder.path().join("3/file")).expect("links");
    assert_eq!(names(&store, "3").await.len(), 1);
    assert!(names(&store, "3/out").await.is_empty());
    for bad in ["3/out/secret", "3/file"] {
        assert!(matches!(store.get(&path(bad)).await, Err(ArtifactError::Missing { .. })), "`{bad}`");
    }
    assert!(store.put_bytes(&path("3/out/new"), Bytes::from("x")).await.is_err());
    store.delete(&path("3/out/secret")).await.expect("nothing to delete");
    store.delete(&path("3")).await.expect("deletes the links");
    assert_eq!(fs::read_dir(other.path()).expect("a folder").count(), 1);
}

#[tokio::test]
async fn what_killed_uploads_leave_is_hidden_and_swept_away() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = local(&folder);
    store.put_bytes(&path("3/a"), Bytes::from("x")).await.expect("writes");
    fs::write(folder.path().join("3/.unfinished-abc"), "half").expect("written");
    fs::create_dir(folder.path().join("3/.unfinished-def")).expect("made");
    fs::write(folder.path().join("3/.unfinished-def/1"), "half").expect("written");
    assert_eq!(names(&store, "3").await.len(), 1);
    let (hour, now) = (Duration::from_hours(1), SystemTime::now());
    assert_eq!(store.sweep(now - hour).await.expect("sweeps"), 0, "they may be on their way");
    assert_eq!(store.sweep(now + hour).await.expect("sweeps"), 2);
    assert_eq!(fs::read_dir(folder.path().join("3")).expect("a folder").count(), 1);
}

#[test]
fn only_uris_below_the_root_are_understood() {
    let store = ArtifactStore::open("/data/artifacts").expect("a folder");
    for uri in [
        "mlflow-artifacts:/3/run",
        "mlflow-artifacts:///3/run",
        "mlflow-artifacts://host:5000/3/run",
        "http://169.254.169.254/api/2.0/mlflow-artifacts/artifacts/3/run",
        "/data/artifacts/3/run",
        "file:///data/artifacts/3/run",
    ] {
        assert_eq!(store.locate(uri).expect(uri), folder("3/run"));
    }
    for uri in [
        "",
        "/etc",
        "file:///etc/passwd",
        "/data/artifacts-of-others/x",
        "/data/artifacts/../secret",
        "file:///data/artifacts/..%2Fsecret",
        "mlflow-artifacts:/../../etc",
        "mlflow-artifacts:/a?b",
        "http://169.254.169.254/latest/meta-data",
        "s3://bucket/x",
        "dbfs:/x",
        "../x",
    ] {
        assert!(matches!(store.locate(uri), Err(ArtifactError::Elsewhere { .. })), "`{uri}`");
    }
    let keys = vec![("AWS_ACCESS_KEY_ID".to_owned(), "a".to_owned()), ("AWS_SECRET_ACCESS_KEY".to_owned(), "b".to_owned())];
    let store = ArtifactStore::open_with("s3://bucket/prefix/", keys).expect("a bucket");
    assert_eq!(store.locate("s3://bucket/prefix/3").expect("ours"), folder("3"));
    assert!(store.locate("s3://bucket/prefixes/3").is_err() && store.locate("s3://other/prefix/3").is_err());
}
