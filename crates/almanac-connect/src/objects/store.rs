//! One bucket: opened with what the environment and the configuration say, listed by a pattern.
//!
//! Not here: copying (`objects`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::ClientOptions;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};

use super::Request;
use crate::error::ConnectError;
use crate::secret::{Lookup, Scrubber, Template};
use crate::sql::chain;

const AWS: [&str; 11] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
const GOOGLE: [&str; 4] =
    ["GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_APPLICATION_CREDENTIALS"];
const AZURE: [&str; 9] = [
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_CLIENT_ID",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_STORAGE_TENANT_ID",
    "AZURE_STORAGE_TOKEN",
    "AZURE_STORAGE_ENDPOINT",
];

/// Endings of files that a folder is read for; others lie beside data in many buckets (`_SUCCESS`, logs).
const ENDINGS: [&str; 10] = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "pq", "xlsx", "zip"];

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) bytes: u64,
    /// ETag, or the time of change.
    pub(crate) version: String,
    pub(crate) etag: Option<String>,
}

/// An open bucket and the names that are wanted of it.
pub(crate) struct Bucket {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// `s3://bucket`, before the names of objects.
    pub(crate) root: String,
    /// As written.
    pub(crate) shown: String,
    pub(crate) pattern: String,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl Bucket {
    pub(crate) fn open(request: Request<'_>, place: usize, scrubber: &mut Scrubber) -> Result<Self, ConnectError> {
        let spec = request.spec;
        let filled = spec.urls[place].fill(&request.lookup)?;
        scrubber.learn(&filled);
        let shown = spec.urls[place].as_written().to_owned();
        let bad = |reason: String| ConnectError::BadUrl { url: shown.clone(), reason };
        let text = filled.text.expose();
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("it is no URL".into()))?;
        let (bucket, pattern) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(bad("it names no bucket".into()));
        }
        let place = Place { spec, lookup: request.lookup, bucket };
        let store: Result<Arc<dyn ObjectStore>, ConnectError> = match scheme {
            "s3" | "s3a" => place.s3(scrubber),
            "gs" | "gcs" => place.google(scrubber),
            _ => place.azure(scrubber),
        };
        let root = shown.split('/').take(3).collect::<Vec<_>>().join("/");
        Ok(Self { store: store?, root, shown, pattern: pattern.to_owned() })
    }

    /// Lists what the pattern names, by name.
    pub(crate) async fn list(&self, most: usize) -> Result<Vec<Listed>, object_store::Error> {
        let has_wildcard = self.pattern.contains(['*', '?', '[']);
        if !has_wildcard && !self.pattern.is_empty() && !self.pattern.ends_with('/') {
            match self.store.head(&ObjectPath::parse(&self.pattern)?).await {
                Ok(found) => return Ok(vec![listed(&found)]),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let fixed = self.pattern.split(['*', '?', '[']).next().unwrap_or_default();
        let folder = if has_wildcard { fixed.rsplit_once('/').map_or("", |(folder, _)| folder) } else { fixed.trim_end_matches('/') };
        let prefix = if folder.is_empty() { None } else { Some(ObjectPath::parse(folder)?) };
        let pattern = glob::Pattern::new(&self.pattern)
            .map_err(|error| object_store::Error::Generic { store: "pattern", source: error.to_string().into() })?;
        let options = glob::MatchOptions { require_literal_separator: true, require_literal_leading_dot: true, case_sensitive: true };
        let mut found = Vec::new();
        let mut all = self.store.list(prefix.as_ref());
        while let Some(object) = all.try_next().await? {
            let key = object.location.as_ref();
            if let Some(kind) = lake(key) {
                return Err(object_store::Error::NotSupported { source: kind.into() });
            }
            let is_wanted = if has_wildcard {
                pattern.matches_with(key, options)
            } else {
                let name = key.strip_prefix(folder).unwrap_or(key).trim_start_matches('/');
                !name.contains('/') && is_data(name)
            };
            if is_wanted {
                found.push(listed(&object));
            }
            if found.len() > most {
                return Err(object_store::Error::Generic { store: "list", source: format!("more than {most} objects").into() });
            }
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// Says what an error of the store means.
    pub(crate) fn failed(&self, what: &str, error: &object_store::Error, scrubber: &Scrubber) -> ConnectError {
        let url = self.shown.clone();
        let said = chain(error);
        // The answers of stores are XML of several lines.
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let reason: String = scrubber.scrub(&said).chars().take(400).collect();
        let has = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
        match error {
            object_store::Error::NotSupported { source } if source.to_string() == DELTA => ConnectError::NotYet {
                what: "a Delta table as plain files",
                instead: "write `url = \"delta:…\"` before the place of the table: its files alone hold rows that were removed, too",
            },
            object_store::Error::NotSupported { source } if source.to_string() == ICEBERG => ConnectError::NotYet {
                what: "an Iceberg table",
                instead: "copy its rows to plain Parquet files: read as files, rows that were removed from it would come back",
            },
            object_store::Error::NotFound { .. } => ConnectError::Missing { url, what: what.to_owned(), reason },
            object_store::Error::Precondition { .. } => {
                ConnectError::Lost { url, rows: 0, reason: format!("`{what}` was changed while it was read") }
            }
            // Without credentials the machine's own role is asked for, at an address that only machines of a cloud have.
            _ if has(&["169.254.169.254", "metadata.google.internal"]) => ConnectError::NoCredentials { url },
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                ConnectError::Denied { url, reason }
            }
            _ if has(&["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403 Forbidden", "401 Unauthorized"]) => {
                ConnectError::Denied { url, reason }
            }
            _ if has(&["NoSuchBucket", "ContainerNotFound"]) => ConnectError::Missing { url, what: "bucket".into(), reason },
            _ if has(&["connect", "timed out", "dns", "error sending request", "metadata", "body", "closed", "reset"]) => {
                ConnectError::Unreachable { url, reason }
            }
            _ => ConnectError::Refused { url, reason },
        }
    }
}

/// What says that the Parquet files below a folder are not simply its rows.
const DELTA: &str = "it is a Delta table";
const ICEBERG: &str = "it is an Iceberg table";

fn lake(key: &str) -> Option<&'static str> {
    match key {
        key if key.contains("_delta_log/") => Some(DELTA),
        key if key.contains("/metadata/") && key.ends_with(".metadata.json") => Some(ICEBERG),
        _ => None,
    }
}

fn is_data(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    !name.starts_with(['.', '_']) && name.rsplit_once('.').is_some_and(|(_, end)| ENDINGS.contains(&end))
}

fn listed(found: &ObjectMeta) -> Listed {
    let version = found.e_tag.clone().unwrap_or_else(|| found.last_modified.to_rfc3339());
    Listed { key: found.location.to_string(), bytes: found.size, version, etag: found.e_tag.clone() }
}

/// A bucket that is not open yet.
struct Place<'a> {
    spec: &'a crate::ObjectsSpec,
    lookup: Lookup<'a>,
    bucket: &'a str,
}

impl Place<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        (self.lookup.variable)(name).filter(|value| !value.is_empty())
    }

    fn bad(&self, error: &object_store::Error) -> ConnectError {
        let url = self.spec.urls.first().map(Template::as_written).unwrap_or_default().to_owned();
        // What cannot be built is told of in terms of the settings, whose values may be secret.
        let reason = match error {
            object_store::Error::Generic { store, source } => format!("{store}: {source}"),
            other => other.to_string(),
        };
        ConnectError::BadUrl { url, reason }
    }

    fn retry(&self) -> RetryConfig {
        RetryConfig {
            max_retries: self.spec.retries as usize,
            retry_timeout: self.spec.timeout.saturating_mul(3),
            ..RetryConfig::default()
        }
    }

    fn endpoint(&self, scrubber: &mut Scrubber) -> Result<Option<String>, ConnectError> {
        let Some(template) = &self.spec.endpoint else { return Ok(ENDPOINTS.iter().find_map(|name| self.variable(name))) };
        let filled = template.fill(&self.lookup)?;
        scrubber.learn(&filled);
        Ok(Some(filled.text.expose().to_owned()))
    }

    fn options(&self) -> ClientOptions {
        // Of a request as a whole, which brings a window of an object at most.
        let timeout = self.spec.timeout;
        ClientOptions::new().with_timeout(timeout).with_connect_timeout(timeout.min(Duration::from_secs(20)))
    }

    fn s3(&self, scrubber: &mut Scrubber) -> Result<Arc<dyn ObjectStore>, ConnectError> {
        let mut builder = AmazonS3Builder::new().with_retry(self.retry());
        for name in AWS {
            if let (Some(value), Ok(key)) = (self.variable(name), name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>()) {
                scrubber.learn(&Template::new(&format!("${{env:{name}}}"))?.fill(&self.lookup)?);
                builder = builder.with_config(key, value);
            }
        }
        let mut options = self.options();
        if let Some(endpoint) = self.endpoint(scrubber)? {
            options = options.with_allow_http(endpoint.starts_with("http://"));
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        if let Some(region) = &self.spec.region {
            builder = builder.with_region(region);
        }
        builder = builder.with_virtual_hosted_style_request(self.spec.path_style == Some(false)).with_skip_signature(self.spec.anonymous);
        let built = builder.with_client_options(options).with_bucket_name(self.bucket).build();
        Ok(Arc::new(built.map_err(|error| self.bad(&error))?))
    }

    fn google(&self, scrubber: &mut Scrubber) -> Result<Arc<dyn ObjectStore>, ConnectError> {
        let mut builder = GoogleCloudStorageBuilder::new().with_retry(self.retry()).with_client_options(self.options());
        for name in GOOGLE {
            if let (Some(value), Ok(key)) = (self.variable(name), name.to_ascii_lowercase().parse::<GoogleConfigKey>()) {
                scrubber.learn(&Template::new(&format!("${{env:{name}}}"))?.fill(&self.lookup)?);
                builder = builder.with_config(key, value);
            }
        }
        if let Some(endpoint) = &self.spec.endpoint {
            let filled = endpoint.fill(&self.lookup)?;
            let plain = filled.text.expose().starts_with("http://");
            builder = builder.with_base_url(filled.text.expose()).with_client_options(self.options().with_allow_http(plain));
        }
        let built = builder.with_skip_signature(self.spec.anonymous).with_bucket_name(self.bucket).build();
        Ok(Arc::new(built.map_err(|error| self.bad(&error))?))
    }

    /// `abfss://container@account.dfs.core.windows.net/path`, the same with `wasbs` and `blob`, or `az://container/path`.
    fn azure(&self, scrubber: &mut Scrubber) -> Result<Arc<dyn ObjectStore>, ConnectError> {
        let mut builder = MicrosoftAzureBuilder::new().with_retry(self.retry());
        for name in AZURE {
            if let (Some(value), Ok(key)) = (self.variable(name), name.to_ascii_lowercase().parse::<AzureConfigKey>()) {
                if !matches!(name, "AZURE_STORAGE_ACCOUNT_NAME" | "AZURE_STORAGE_ENDPOINT") {
                    scrubber.learn(&Template::new(&format!("${{env:{name}}}"))?.fill(&self.lookup)?);
                }
                builder = builder.with_config(key, value);
            }
        }
        let mut options = self.options();
        if let Some(endpoint) = &self.spec.endpoint {
            let filled = endpoint.fill(&self.lookup)?;
            options = options.with_allow_http(filled.text.expose().starts_with("http://"));
            builder = builder.with_endpoint(filled.text.expose().to_owned());
        }
        builder = match self.bucket.split_once('@') {
            Some((container, host)) => {
                let account = host.split('.').next().unwrap_or_default();
                builder.with_container_name(container).with_account(account)
            }
            None => builder.with_container_name(self.bucket),
        };
        let built = builder.with_skip_signature(self.spec.anonymous).with_client_options(options).build();
        Ok(Arc::new(built.map_err(|error| self.bad(&error))?))
    }
}
