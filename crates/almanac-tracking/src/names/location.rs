//! Where an experiment's artifacts may lie: what is refused because of what it could become of when a server or client joins
//! paths to it or connects to it.
//!
//! A folder of the client's own machine is allowed: the server keeps the text and never opens it.
//!
//! Not here: the files that the server itself keeps (`artifacts`).

use url::form_urlencoded;

use crate::StoreError;

/// Longest location, in bytes.
const LONGEST: usize = 2_048;
/// How often a text is decoded before it counts as hostile.
const DECODINGS: usize = 10;
/// Schemes whose URL names a host to connect to.
const OF_HOSTS: [&str; 9] = ["ftp", "sftp", "hdfs", "viewfs", "http", "https", "r2", "b2", "abfss"];
/// The scheme of what the server keeps.
const OURS: &str = "mlflow-artifacts";

/// Checks where the artifacts of an experiment are to lie.
pub(crate) fn check_artifact_location(location: &str) -> Result<(), StoreError> {
    let scheme = scheme(location);
    let (rest, query) = location.split_once('?').unwrap_or((location, ""));
    let last = rest.rsplit('/').next().unwrap_or_default();
    if location.contains('#') || last.contains(';') {
        return Err(StoreError::invalid("'artifact_location' URL can't include fragments or params."));
    }
    if decoded(query).is_none_or(|query| query.contains("..")) {
        return Err(StoreError::invalid("Invalid query string"));
    }
    let names_host = OF_HOSTS.contains(&scheme.as_str()) || (scheme == OURS && location[OURS.len() + 1..].starts_with("//"));
    if names_host {
        return Err(StoreError::invalid(format!(
            "'artifact_location' cannot use the '{scheme}' scheme: the '{scheme}' scheme addresses a host other than the tracking \
             server's configured artifact storage, so the server would connect to the host named in the URI."
        )));
    }
    if scheme == "runs" {
        return Err(StoreError::invalid(format!("Artifact location cannot be a runs:/ URI. Given: '{location}'")));
    }
    if location.len() > LONGEST {
        return Err(StoreError::invalid(format!(
            "Invalid artifact path length. The length of the artifact path cannot be greater than {LONGEST} characters. Got {}.",
            location.len()
        )));
    }
    let leaves = |path: &str| path.split(['/', '\\']).any(|part| part == "..") || path.contains('\\');
    if location.contains(char::is_control) || (scheme == OURS && decoded(rest).is_none_or(|path| leaves(&path))) {
        return Err(StoreError::invalid(format!("Invalid artifact location: '{}'", location.escape_debug())));
    }
    Ok(())
}

/// The scheme in lower case, as URLs are read; empty for a path.
fn scheme(location: &str) -> String {
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    match location.split_once(':') {
        Some((scheme, _)) if is_scheme(scheme) => scheme.to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// Decodes until nothing changes; `None` where that takes too long.
fn decoded(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..DECODINGS {
        // One name without a value: `=` and `&` are kept by encoding them first.
        let kept = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
        let next = form_urlencoded::parse(kept.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default();
        if next == text {
            return Some(text);
        }
        text = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_that_clients_use_are_allowed() {
        for good in [
            "mlflow-artifacts:/7",
            "mlflow-artifacts:/a b/ü+1",
            "s3://bucket/path?endpoint=eu&x=1",
            "gs://bucket",
            "wasbs://container@account.blob.core.windows.net/x",
            "dbfs:/x",
            "file:///srv/mlruns/1",
            "/srv/mlruns/1",
            "./mlruns",
            r"C:\mlruns",
        ] {
            assert!(check_artifact_location(good).is_ok(), "`{good}`: {:?}", check_artifact_location(good));
        }
    }

    #[test]
    fn locations_that_become_other_ones_are_refused() {
        for bad in [
            "mlflow-artifacts:/../../etc",
            "mlflow-artifacts:/a/%2e%2e/%2E%2E/etc",
            "mlflow-artifacts:/a/%252e%252e/etc",
            r"mlflow-artifacts:/a\..\..\etc",
            "mlflow-artifacts://evil.example/x",
            "MLFLOW-ARTIFACTS:/../x",
            "http:///x?/../../etc",
            "s3://bucket/x?/../../etc",
            "s3://bucket/x?%252e%252e/etc",
            "/a#/../../etc",
            "file:///a#../etc/passwd",
            "/a/b;..",
            "http://169.254.169.254/latest",
            "HTTPS://evil.example",
            "hdfs://namenode/x",
            "ftp://evil.example",
            "runs:/0123/x",
            "/a\0b",
            &"x".repeat(3_000),
        ] {
            assert!(check_artifact_location(bad).is_err(), "`{bad}`");
        }
    }
}
