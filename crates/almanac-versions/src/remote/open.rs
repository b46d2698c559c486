//! Buckets by their address and the options of a remote. No error of this file holds a key.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path as Key;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use crate::config::RemoteConfig;
use crate::error::{Result, VersionsError};

/// A bucket and the prefix in it.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) prefix: Key,
}

pub(crate) fn open(remote: &RemoteConfig) -> Result<Bucket> {
    let problem = |problem: String| VersionsError::Remote { name: remote.name.clone(), problem };
    let (scheme, rest) = remote.url.split_once("://").ok_or_else(|| problem("its address has no scheme".to_owned()))?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(problem("its address names no bucket".to_owned()));
    }
    let store: Arc<dyn ObjectStore> = match scheme {
        "s3" => Arc::new(s3(remote, bucket)?.build().map_err(|error| problem(error.to_string()))?),
        "gs" | "gcs" => {
            let mut builder =
                GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_client_options(client(remote)).with_retry(retry());
            if let Some(path) = remote.get("credentialpath") {
                builder = builder.with_service_account_path(path);
            }
            if remote.flag("allow_anonymous_login") == Some(true) {
                builder = builder.with_skip_signature(true);
            }
            Arc::new(builder.build().map_err(|error| problem(error.to_string()))?)
        }
        "azure" => Arc::new(azure(remote, bucket).build().map_err(|error| problem(error.to_string()))?),
        other => return Err(problem(format!("`{other}://` is not supported; folders, `s3://`, `gs://` and `azure://` are"))),
    };
    let prefix = Key::parse(prefix.trim_matches('/')).map_err(|error| problem(error.to_string()))?;
    Ok(Bucket { store, prefix })
}

fn s3(remote: &RemoteConfig, bucket: &str) -> Result<AmazonS3Builder> {
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry());
    let mut options = client(remote);
    let profile = remote.get("profile").map(ToOwned::to_owned).or_else(|| std::env::var("AWS_PROFILE").ok());
    let has_keys = remote.get("access_key_id").is_some() || (profile.is_none() && std::env::var_os("AWS_ACCESS_KEY_ID").is_some());
    let from_files = if has_keys { BTreeMap::new() } else { shared_credentials(remote, profile.as_deref())? };
    let setting = |option: &str, file: &str| remote.get(option).or_else(|| from_files.get(file).map(String::as_str));
    if let Some(key) = setting("access_key_id", "aws_access_key_id") {
        builder = builder.with_access_key_id(key);
    }
    if let Some(key) = setting("secret_access_key", "aws_secret_access_key") {
        builder = builder.with_secret_access_key(key);
    }
    if let Some(token) = setting("session_token", "aws_session_token") {
        builder = builder.with_token(token);
    }
    let has_region = std::env::var_os("AWS_REGION").is_some() || std::env::var_os("AWS_DEFAULT_REGION").is_some();
    match setting("region", "region") {
        Some(region) => builder = builder.with_region(region),
        None if !has_region => builder = builder.with_region("us-east-1"),
        None => {}
    }
    let endpoint = remote.get("endpointurl").map(ToOwned::to_owned).or_else(|| std::env::var("AWS_ENDPOINT_URL").ok());
    if let Some(endpoint) = endpoint {
        options = options.with_allow_http(endpoint.starts_with("http://"));
        // Path style, as servers other than Amazon's want it.
        builder = builder.with_endpoint(endpoint.trim_end_matches('/')).with_virtual_hosted_style_request(false);
    }
    if remote.flag("allow_anonymous_login") == Some(true) {
        builder = builder.with_skip_signature(true);
    }
    if let Some(key) = remote.get("sse_kms_key_id") {
        builder = builder.with_sse_kms_encryption(key);
    }
    if let Some(key) = remote.get("sse_customer_key") {
        builder = builder.with_ssec_encryption(key);
    }
    Ok(builder.with_client_options(options))
}

fn azure(remote: &RemoteConfig, container: &str) -> MicrosoftAzureBuilder {
    let mut builder =
        MicrosoftAzureBuilder::from_env().with_container_name(container).with_client_options(client(remote)).with_retry(retry());
    let parts: BTreeMap<String, String> = remote
        .get("connection_string")
        .map(ToOwned::to_owned)
        .or_else(|| std::env::var("AZURE_STORAGE_CONNECTION_STRING").ok())
        .iter()
        .flat_map(|text| text.split(';'))
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| (key.to_lowercase(), value.to_owned()))
        .collect();
    let setting = |option: &str, part: &str| remote.get(option).map(ToOwned::to_owned).or_else(|| parts.get(part).cloned());
    if let Some(account) = setting("account_name", "accountname") {
        builder = builder.with_account(account);
    }
    if let Some(key) = setting("account_key", "accountkey") {
        builder = builder.with_access_key(key);
    }
    if let Some(token) = setting("sas_token", "sharedaccesssignature") {
        builder = builder.with_config(object_store::azure::AzureConfigKey::SasKey, token.trim_start_matches('?'));
    }
    if let (Some(id), Some(secret), Some(tenant)) = (remote.get("client_id"), remote.get("client_secret"), remote.get("tenant_id")) {
        builder = builder.with_client_secret_authorization(id, secret, tenant);
    }
    if let Some(endpoint) = parts.get("blobendpoint") {
        builder = builder.with_endpoint(endpoint.clone()).with_allow_http(endpoint.starts_with("http://"));
    }
    builder
}

fn client(remote: &RemoteConfig) -> ClientOptions {
    let seconds = |key: &str, default| Duration::from_secs(remote.get(key).and_then(|text| text.parse().ok()).unwrap_or(default));
    let options = ClientOptions::new().with_timeout(seconds("read_timeout", 300)).with_connect_timeout(seconds("connect_timeout", 20));
    if remote.flag("ssl_verify") == Some(false) { options.with_allow_invalid_certificates(true) } else { options }
}

fn retry() -> RetryConfig {
    RetryConfig { max_retries: 6, retry_timeout: Duration::from_mins(2), ..RetryConfig::default() }
}

/// The keys of a profile, from Amazon's own files.
fn shared_credentials(remote: &RemoteConfig, profile: Option<&str>) -> Result<BTreeMap<String, String>> {
    let home = |name: &str| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".aws").join(name));
    let from = |option: &str, variable: &str, name: &str| {
        remote.get(option).map(PathBuf::from).or_else(|| std::env::var_os(variable).map(PathBuf::from)).or_else(|| home(name))
    };
    let wanted = profile.unwrap_or("default");
    let mut found = BTreeMap::new();
    let mut is_there = false;
    for (path, section) in [
        (
            from("configpath", "AWS_CONFIG_FILE", "config"),
            if wanted == "default" { wanted.to_owned() } else { format!("profile {wanted}") },
        ),
        (from("credentialpath", "AWS_SHARED_CREDENTIALS_FILE", "credentials"), wanted.to_owned()),
    ] {
        let Some(text) = path.and_then(|path| fs::read_to_string(path).ok()) else { continue };
        let mut is_inside = false;
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                is_inside = name.trim() == section;
                is_there |= is_inside;
            } else if let Some((key, value)) = line.split_once('=').filter(|_| is_inside && !line.starts_with('#')) {
                found.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
    if profile.is_some() && !is_there {
        return Err(VersionsError::Remote {
            name: remote.name.clone(),
            problem: format!("profile `{wanted}` is in none of the files of credentials"),
        });
    }
    Ok(found)
}
