//! Where a version comes from: which sources are taken, and what they speak of.
//!
//! Whoever may register a version chooses its source, and files are read from there later. So a source never leads out of
//! the artifacts that it claims: no local path outside of the given run or logged model, no `..` in any encoding, no other
//! server. The rules and words are MLflow's, whose earlier versions let files of the server be read this way; where its
//! rules depend on how a text is cut into path, query and fragment, ours hold for all of the text.
//!
//! Not here: reading files (`artifacts`).

use super::models::{exists as is_model, is_stored_prompt};
use super::versions::{by_number, latest};
use super::{aliases, is_prompt, no_model};
use crate::db::{Session, args};
use crate::{NewModelVersion, Stage, StoreError};

/// What a source is found to be.
#[derive(Debug)]
pub(super) struct Origin {
    /// As it is kept; a version is named by its number.
    pub(super) source: String,
    pub(super) storage_location: String,
    pub(super) run_id: Option<String>,
    pub(super) model_id: Option<String>,
}

/// What MLflow's clients give as the source of a prompt.
const OF_PROMPTS: [&str; 2] = ["dummy-source", "prompt-template"];

/// Schemes of places on a host that the source names. `mlflow-artifacts` is one only with a host.
const OF_HOSTS: [&str; 9] = ["ftp", "sftp", "hdfs", "viewfs", "http", "https", "r2", "b2", "abfss"];

/// Checks a source and finds out what it speaks of.
pub(super) fn resolve(session: &mut dyn Session, new: &NewModelVersion) -> Result<Origin, StoreError> {
    let source = new.source.as_str();
    let given = |id: &Option<String>| id.clone().filter(|id| !id.is_empty());
    let (run_id, model_id) = (given(&new.run_id), given(&new.model_id));
    let as_it_is = |run_id, model_id| Origin { source: source.to_owned(), storage_location: source.to_owned(), run_id, model_id };
    if is_prompt(&new.tags) {
        if !OF_PROMPTS.contains(&source) {
            return Err(StoreError::invalid(format!("Invalid prompt source: '{source}'. Prompt sources must use an MLflow placeholder.")));
        }
        return Ok(as_it_is(run_id, model_id));
    }
    let uri = Uri::parse(source);
    refuse_hosts(&uri)?;
    if uri.scheme == "models" {
        check_plain(source, &uri)?;
        return of_models(session, new, &uri, run_id, model_id);
    }
    let whose = if model_id.is_some() { "model_id" } else { "run_id" };
    let (root, run_id) = match &model_id {
        Some(id) => {
            let (artifacts, made_by) =
                logged_model(session, id)?.ok_or_else(|| StoreError::missing(format!("Logged model with ID '{id}' not found.")))?;
            (Some(artifacts), run_id.or(made_by))
        }
        None => (artifacts_of_run(session, run_id.as_deref())?, run_id),
    };
    if uri.is_local() {
        check_local(source, &uri, root.as_deref(), whose)?;
        return Ok(as_it_is(run_id, model_id));
    }
    check_plain(source, &uri)?;
    let is_known = match uri.scheme.as_str() {
        "runs" => model_id.is_none() && uri.authority.is_none() && run_id.as_deref().is_some_and(|id| uri.segments().next() == Some(id)),
        "mlflow-artifacts" => root.is_some_and(|root| is_within(&uri, &Uri::parse(&root))),
        _ => true,
    };
    if is_known { Ok(as_it_is(run_id, model_id)) } else { Err(not_contained(source, whose)) }
}

/// A version made from a logged model or from another version.
fn of_models(
    session: &mut dyn Session,
    new: &NewModelVersion,
    uri: &Uri<'_>,
    run_id: Option<String>,
    model_id: Option<String>,
) -> Result<Origin, StoreError> {
    let source = new.source.as_str();
    if uri.authority.is_some() {
        return Err(StoreError::invalid(format!(
            "Invalid model version source: '{source}'. Registered model sources must use the active model registry."
        )));
    }
    let segments: Vec<&str> = uri.path.trim_start_matches('/').split('/').collect();
    let (name, number) = match segments.as_slice() {
        [one] if one.trim().is_empty() => return Err(not_contained(source, "model_id")),
        [one] => match one.rsplit_once('@') {
            None => {
                if model_id.as_deref().is_some_and(|given| given != *one) {
                    return Err(not_contained(source, "model_id"));
                }
                let (storage_location, made_by) = logged_model(session, one)?.ok_or_else(|| {
                    StoreError::missing(format!(
                        "Unable to fetch model from model URI source artifact location '{source}'. \
                         Error: Logged model with ID '{one}' not found."
                    ))
                })?;
                return Ok(Origin {
                    source: source.to_owned(),
                    storage_location,
                    run_id: run_id.or(made_by),
                    model_id: Some((*one).to_owned()),
                });
            }
            Some((_, alias)) if alias.trim().is_empty() => return Err(not_contained(source, "model_id")),
            Some((name, alias)) => {
                check_source_model(session, source, name)?;
                let number = aliases::target(session, name, alias)?;
                (name, number.ok_or_else(|| StoreError::invalid(format!("Registered model alias {alias} not found.")))?)
            }
        },
        [name, suffix] if !name.trim().is_empty() && !suffix.trim().is_empty() => {
            check_source_model(session, source, name)?;
            (*name, numbered(session, name, suffix)?)
        }
        _ => return Err(not_contained(source, "model_id")),
    };
    let origin = by_number(session, name, number)?;
    let differs = |given: &Option<String>, has: &Option<String>| {
        given.as_ref().is_some_and(|given| given.as_str() != has.as_deref().unwrap_or_default())
    };
    if differs(&new.run_id, &origin.run_id) || differs(&new.model_id, &origin.model_id) {
        return Err(StoreError::invalid(format!(
            "Invalid model version source: '{source}'. The run_id and model_id request parameters must match the referenced \
             model version."
        )));
    }
    Ok(Origin {
        source: format!("models:/{name}/{number}"),
        storage_location: origin.storage_location,
        run_id: origin.run_id,
        model_id: origin.model_id,
    })
}

fn check_source_model(session: &mut dyn Session, source: &str, name: &str) -> Result<(), StoreError> {
    if !is_model(session, name)? {
        return Err(no_model(name));
    }
    if is_stored_prompt(session, name)? {
        return Err(StoreError::invalid(format!(
            "Invalid model version source: '{source}'. Prompt versions cannot be used as model version sources."
        )));
    }
    Ok(())
}

/// Returns the version that a number, a stage or `latest` stands for.
fn numbered(session: &mut dyn Session, name: &str, suffix: &str) -> Result<u32, StoreError> {
    if suffix.bytes().all(|byte| byte.is_ascii_digit()) {
        let missing = |_| StoreError::missing(format!("Model Version (name={name}, version={suffix}) not found"));
        return suffix.parse().map_err(missing);
    }
    let newest = latest(session, name)?;
    let (found, of_stage) = if suffix.eq_ignore_ascii_case("latest") {
        (newest.last(), String::new())
    } else {
        let stage = Stage::parse(suffix)?;
        (newest.iter().find(|version| version.stage == stage), format!(" and stage '{suffix}'"))
    };
    let missing = || StoreError::missing(format!("No versions of model with name '{name}'{of_stage} found"));
    found.map(|version| version.version).ok_or_else(missing)
}

/// Returns where the artifacts of a logged model are and which run made it.
fn logged_model(session: &mut dyn Session, id: &str) -> Result<Option<(String, Option<String>)>, StoreError> {
    let sql = "SELECT artifact_uri, source_run_id FROM logged_models WHERE model_id = ?1 AND lifecycle_stage = 'active'";
    session.first(sql, args![id], |row| Ok((row.text(0)?, row.opt_text(1)?.filter(|run| !run.is_empty()))))
}

fn artifacts_of_run(session: &mut dyn Session, id: Option<&str>) -> Result<Option<String>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    session.first("SELECT artifact_uri FROM runs WHERE run_id = ?1", args![id], |row| row.text(0))
}

/// A source, cut as MLflow cuts it. What follows a `?` or `#` is in none of the parts.
#[derive(Debug, PartialEq, Eq)]
struct Uri<'a> {
    /// Lower case; empty if there is none.
    scheme: String,
    authority: Option<&'a str>,
    path: &'a str,
}

impl<'a> Uri<'a> {
    fn parse(text: &'a str) -> Self {
        let is_scheme = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        };
        let (scheme, rest) = match text.split_once(':') {
            Some((word, rest)) if is_scheme(word) => (word.to_ascii_lowercase(), rest),
            _ => (String::new(), text),
        };
        let (authority, rest) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                (Some(&rest[..end]).filter(|authority| !authority.is_empty()), &rest[end..])
            }
            None => (None, rest),
        };
        Self { scheme, authority, path: rest.split(['?', '#']).next().unwrap_or_default() }
    }

    /// A scheme of one letter is a drive.
    fn is_local(&self) -> bool {
        self.scheme.len() <= 1 || self.scheme == "file"
    }

    /// The parts of the path that are not empty.
    fn segments(&self) -> impl Iterator<Item = &'a str> {
        self.path.split('/').filter(|segment| !segment.is_empty())
    }
}

fn refuse_hosts(uri: &Uri<'_>) -> Result<(), StoreError> {
    let scheme = uri.scheme.as_str();
    if OF_HOSTS.contains(&scheme) || (scheme == "mlflow-artifacts" && uri.authority.is_some()) {
        return Err(StoreError::invalid(format!(
            "'source' cannot use the '{scheme}' scheme: the '{scheme}' scheme addresses a host other than the tracking server's \
             configured artifact storage, so the server would connect to the host named in the URI."
        )));
    }
    Ok(())
}

/// Checks that a place is absolute and does not lead upwards, in whatever encoding.
fn check_plain(source: &str, uri: &Uri<'_>) -> Result<(), StoreError> {
    let refuse = || {
        Err(StoreError::invalid(format!(
            "Invalid model version source: '{source}'. If supplying a source as an http, https, local file path, ftp, objectstore, \
             or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an \
             absolute path."
        )))
    };
    let decoded = decode(source);
    if decoded.chars().any(char::is_control) || leads_upwards(&decoded) {
        return refuse();
    }
    let path = decode(uri.path);
    let is_plain = path.starts_with('/') && path.len() > 1 && path.split('/').all(|segment| segment != ".");
    if is_plain && !path.trim_end_matches('/').is_empty() { Ok(()) } else { refuse() }
}

fn leads_upwards(decoded: &str) -> bool {
    decoded.split(['/', '\\', '?', '#', ';']).any(|segment| segment.trim() == "..")
}

/// Checks that a local path lies in the artifacts of the run or logged model, which are local too.
fn check_local(source: &str, uri: &Uri<'_>, root: Option<&str>, whose: &str) -> Result<(), StoreError> {
    let is_here = |host: &str| host == "." || host.starts_with("localhost") || host.starts_with("127.0.0.1");
    if uri.authority.is_some_and(|host| !is_here(host)) {
        return Err(StoreError::invalid(format!(
            "{source} is not a valid remote uri. For remote access on windows, please consider using a different scheme such as SMB \
             (e.g. smb://<hostname>/<path>)."
        )));
    }
    let refuse = || {
        Err(StoreError::invalid(format!(
            "Invalid model version source: '{source}'. To use a local path as a model version source, the {whose} request parameter \
             has to be specified and the local path has to be contained within the artifact directory of the run specified by the \
             {whose}."
        )))
    };
    let root = root.map(Uri::parse).filter(Uri::is_local);
    let Some(root) = root.and_then(|root| normal(&decode(root.path))) else { return refuse() };
    // A query or fragment is part of the name for whoever opens the file.
    if source.contains(['?', '#', '\\']) || decode(source).chars().any(char::is_control) {
        return refuse();
    }
    match normal(&decode(uri.path)) {
        Some(path) if !root.is_empty() && path.starts_with(&root) => Ok(()),
        _ => refuse(),
    }
}

/// Returns the parts of an absolute path, after all `.` and `..` in it.
fn normal(path: &str) -> Option<Vec<String>> {
    if !path.starts_with('/') || path.contains(['?', '#', '\\']) {
        return None;
    }
    let mut parts = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(segment.to_owned()),
        }
    }
    Some(parts)
}

fn is_within(uri: &Uri<'_>, root: &Uri<'_>) -> bool {
    let segments: Vec<String> = uri.segments().map(decode).collect();
    let wanted: Vec<String> = root.segments().map(decode).collect();
    uri.scheme == root.scheme && uri.authority == root.authority && !wanted.is_empty() && segments.starts_with(&wanted)
}

fn not_contained(source: &str, whose: &str) -> StoreError {
    StoreError::invalid(format!(
        "Invalid model version source: '{source}'. The {whose} request parameter must identify the resource that contains the source."
    ))
}

/// Decodes `%2e` and the like until nothing changes. Each round makes the text shorter.
fn decode(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let decoded = decode_once(&text);
        if decoded == text {
            return text;
        }
        text = decoded;
    }
}

fn decode_once(text: &str) -> String {
    let bytes = text.as_bytes();
    let hex = |place: usize| bytes.get(place).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        match (bytes[place], hex(place + 1), hex(place + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                place += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                place += 1;
            }
        }
    }
    // What is no UTF-8 is shown as such, and stays as it is in the next round.
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_plain(source: &str) -> bool {
        check_plain(source, &Uri::parse(source)).is_ok()
    }

    fn is_in(source: &str, root: &str) -> bool {
        check_local(source, &Uri::parse(source), Some(root), "run_id").is_ok()
    }

    #[test]
    fn a_source_is_cut_as_mlflow_cuts_it() {
        let cut = |text| {
            let uri = Uri::parse(text);
            (uri.scheme, uri.authority.map(str::to_owned), uri.path.to_owned())
        };
        assert_eq!(cut("S3://bucket/a/b"), ("s3".into(), Some("bucket".into()), "/a/b".into()));
        assert_eq!(cut("runs:/id/model#x?y"), ("runs".into(), None, "/id/model".into()));
        assert_eq!(cut("/a:b/c"), (String::new(), None, "/a:b/c".into()));
        assert_eq!(cut("file:///etc"), ("file".into(), None, "/etc".into()));
        assert_eq!(cut("//host/share"), (String::new(), Some("host".into()), "/share".into()));
        assert_eq!(cut("1a:/b"), (String::new(), None, "1a:/b".into()));
    }

    #[test]
    fn places_that_lead_upwards_are_refused_in_any_encoding() {
        for source in ["mlflow-artifacts:/1/models", "s3://bucket/a/b", "runs:/id/my model", "s3://b/..../x", "s3://b/a//b/", "s3a://b/a+b"]
        {
            assert!(is_plain(source), "`{source}`");
        }
        for source in [
            "mlflow-artifacts:/1/../../etc",
            "mlflow-artifacts:/1/..%2f..%2fetc",
            "mlflow-artifacts:/1/%2e%2e/etc",
            "mlflow-artifacts:/1/%252e%252e%252fetc",
            "mlflow-artifacts:/1/%25252e%25252e/etc",
            "mlflow-artifacts:/1#/../../etc",
            "mlflow-artifacts:/1#../etc",
            "mlflow-artifacts:/1%23/../etc",
            "mlflow-artifacts:/1%23../etc",
            "mlflow-artifacts:/1?/../etc",
            "mlflow-artifacts:/1/..;/etc",
            "mlflow-artifacts:/1/..\\..\\etc",
            "mlflow-artifacts:/1/..%5c..%5cetc",
            "mlflow-artifacts:/1/.. /etc",
            "mlflow-artifacts:/1/a%00",
            "mlflow-artifacts:/1/a\n",
            "mlflow-artifacts:/1/./b",
            "mlflow-artifacts:",
            "mlflow-artifacts:/",
            "s3://bucket",
            "s3:relative",
            "C:\\Windows",
        ] {
            assert!(!is_plain(source), "`{source}`");
        }
    }

    #[test]
    fn local_paths_stay_in_the_folder_of_their_run() {
        let root = "file:///data/1/run/artifacts";
        for source in [
            "/data/1/run/artifacts",
            "/data/1/run/artifacts/model/..",
            "file:///data/1/run/artifacts/model/.",
            "file://localhost/data/1/run/artifacts/m",
        ] {
            assert!(is_in(source, root), "`{source}`");
        }
        for source in [
            "/etc/passwd",
            "file:///etc/passwd",
            "FILE:///etc/passwd",
            "file:/etc/passwd",
            "/data/1/run/artifacts2",
            "/data/1/run/artifacts/../../other",
            "/data/1/run/artifacts/%2e%2e/%2e%2e/x",
            "/data/1/run/artifacts/%252e%252e/%252e%252e/x",
            "/data/1/run/artifacts#/../../../etc",
            "/data/1/run/artifacts%23/../../../../etc",
            "/data/1/run/artifacts?x=/../../..",
            "file:///#/../../etc/passwd",
            "/data/1/run/artifacts/%00",
            "data/1/run/artifacts",
            "./artifacts",
            "../artifacts",
            "~/artifacts",
            "file:relative",
            "file://other.host/data/1/run/artifacts",
            "//other.host/data/1/run/artifacts",
            "",
            " /data/1/run/artifacts",
        ] {
            assert!(!is_in(source, root), "`{source}`");
        }
        assert!(!is_in("/anything", "/"), "a root that holds everything holds nothing");
        assert!(!is_in("/1/run", "mlflow-artifacts:/1/run"));
    }

    #[test]
    fn artifacts_of_one_run_are_not_those_of_another() {
        let within = |source, root| is_within(&Uri::parse(source), &Uri::parse(root));
        let root = "mlflow-artifacts:/1/run/artifacts";
        assert!(within("mlflow-artifacts:/1/run/artifacts/model", root) && within(root, root));
        assert!(within("mlflow-artifacts:///1//run/artifacts/a%20b", root));
        for source in
            ["mlflow-artifacts:/1/run/artifacts2", "mlflow-artifacts:/1/run", "mlflow-artifacts:/1/other/artifacts", "s3:/1/run/artifacts"]
        {
            assert!(!within(source, root), "`{source}`");
        }
        assert!(!within("mlflow-artifacts:/1", "mlflow-artifacts:/"));
    }
}
