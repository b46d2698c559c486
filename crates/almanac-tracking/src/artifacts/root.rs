//! Where artifacts are kept, as people write it: a folder or the URL of an object store.
//!
//! Keys come from the environment, in the variables that MLflow's and the clouds' own programs read.
//!
//! Not here: using the store (`bucket`, `local`).

use std::path::PathBuf;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::ClientOptions;
use object_store::gcp::GoogleCloudStorageBuilder;
use url::Url;

use super::bucket::Bucket;
use super::local::LocalFolder;
use super::{ArtifactError, ArtifactFolder};

/// A root that was understood.
pub(super) enum Root {
    Folder(LocalFolder),
    Bucket(Bucket),
}

/// Environment variables, by name and value.
pub(super) type Environment = Vec<(String, String)>;

/// Reads a root. Nothing is contacted yet.
pub(super) fn open(text: &str, environment: &Environment) -> Result<Root, ArtifactError> {
    let bad = |reason: String| ArtifactError::BadRoot { url: without_secrets(text), reason };
    if text.is_empty() {
        return Err(bad("it is empty".to_owned()));
    }
    let folder = |path: PathBuf| {
        let path = std::path::absolute(path).map_err(|error| bad(error.to_string()))?;
        Ok(Root::Folder(LocalFolder::new(path)))
    };
    if !text.contains(':') || text.starts_with('/') {
        return folder(PathBuf::from(text));
    }
    let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
    match url.scheme() {
        "file" => folder(url.to_file_path().map_err(|()| bad("it names another machine".to_owned()))?),
        "s3" | "s3a" | "gs" | "az" | "abfs" | "abfss" | "wasb" | "wasbs" => {
            let prefix = prefix(text, &url).map_err(bad)?;
            let place = Place { text, url: &url, environment };
            let bucket = match url.scheme() {
                "s3" | "s3a" => {
                    let store = Arc::new(place.s3().map_err(|error| bad(error.to_string()))?);
                    Bucket::new(text, prefix, store.clone()).with_presigning(store)
                }
                "gs" => Bucket::new(text, prefix, Arc::new(place.google().map_err(|error| bad(error.to_string()))?)),
                _ => Bucket::new(text, prefix, Arc::new(place.azure().map_err(|error| bad(error.to_string()))?)),
            };
            Ok(Root::Bucket(bucket))
        }
        scheme => Err(bad(format!("`{scheme}:` is not known"))),
    }
}

fn prefix(text: &str, url: &Url) -> Result<ArtifactFolder, String> {
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or a fragment".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no bucket".to_owned());
    }
    // As it is written: a URL parser would encode what the keys of objects hold as it is.
    let path = text.splitn(4, '/').nth(3).unwrap_or_default();
    ArtifactFolder::new(path).map_err(|error| error.to_string())
}

struct Place<'a> {
    text: &'a str,
    url: &'a Url,
    environment: &'a Environment,
}

impl Place<'_> {
    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn s3(&self) -> Result<object_store::aws::AmazonS3, object_store::Error> {
        let mut builder = AmazonS3Builder::new();
        for (key, value) in self.environment {
            if let (true, Ok(key)) = (key.starts_with("AWS_"), key.to_ascii_lowercase().parse::<AmazonS3ConfigKey>()) {
                builder = builder.with_config(key, value);
            }
        }
        let endpoint = ["MLFLOW_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
        if let Some(endpoint) = endpoint.into_iter().find_map(|name| self.variable(name)) {
            let is_plain = endpoint.starts_with("http://");
            let trusts_all = self.variable("MLFLOW_S3_IGNORE_TLS").is_some_and(is_true);
            let options = ClientOptions::new().with_allow_http(is_plain).with_allow_invalid_certificates(trusts_all);
            builder = builder.with_endpoint(endpoint.trim_end_matches('/')).with_client_options(options);
            let style = self.variable("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE");
            builder = builder.with_virtual_hosted_style_request(style == Some("virtual"));
        }
        builder.with_bucket_name(self.host()).build()
    }

    fn google(&self) -> Result<object_store::gcp::GoogleCloudStorage, object_store::Error> {
        let mut builder = GoogleCloudStorageBuilder::new();
        for (key, value) in self.environment {
            if let (true, Ok(key)) = (key.starts_with("GOOGLE_"), key.to_ascii_lowercase().parse()) {
                builder = builder.with_config(key, value);
            }
        }
        builder.with_bucket_name(self.host()).build()
    }

    /// `abfss://container@account.dfs.core.windows.net/path`, and the same with `wasbs` and `blob`; or `az://container/path`.
    fn azure(&self) -> Result<object_store::azure::MicrosoftAzure, object_store::Error> {
        let mut builder = MicrosoftAzureBuilder::new();
        for (key, value) in self.environment {
            if let (true, Ok(key)) = (key.starts_with("AZURE_"), key.to_ascii_lowercase().parse()) {
                builder = builder.with_config(key, value);
            }
        }
        // As Azure's own programs write account and key together: `AccountName=…;AccountKey=…`.
        for pair in self.variable("AZURE_STORAGE_CONNECTION_STRING").unwrap_or_default().split(';') {
            builder = match pair.split_once('=') {
                Some(("AccountName", name)) => builder.with_account(name),
                Some(("AccountKey", key)) => builder.with_access_key(key),
                Some(("BlobEndpoint", url)) => builder.with_endpoint(url.to_owned()).with_allow_http(url.starts_with("http://")),
                _ => builder,
            };
        }
        let container = self.url.username();
        if container.is_empty() {
            builder = builder.with_container_name(self.host());
        } else {
            let account = self.host().split('.').next().unwrap_or_default();
            builder = builder.with_container_name(container).with_account(account);
        }
        tracing::debug!(root = without_secrets(self.text), "artifacts are kept in Azure");
        builder.build()
    }
}

fn is_true(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "true" | "1")
}

/// The root as it may be shown: keys that somebody wrote into it are left out.
fn without_secrets(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.password().is_some() || url.query().is_some() => {
            // It fails only for URLs that cannot have a password.
            let _ = url.set_password(None);
            url.set_query(None);
            url.to_string()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_with(text: &str, environment: &[(&str, &str)]) -> Result<Root, ArtifactError> {
        open(text, &environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn folders_are_paths_or_file_urls() {
        for (text, wanted) in [("/data/a", "/data/a"), ("file:///data/a%20b", "/data/a b"), ("/data/c:d", "/data/c:d")] {
            let Ok(Root::Folder(folder)) = open_with(text, &[]) else { panic!("`{text}`") };
            assert_eq!(folder.root().to_str(), Some(wanted));
        }
        let Ok(Root::Folder(folder)) = open_with("./mlartifacts", &[]) else { panic!("relative") };
        assert!(folder.root().is_absolute() && folder.root().ends_with("mlartifacts"));
    }

    #[test]
    fn object_stores_take_their_keys_from_the_environment() {
        let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("MLFLOW_S3_ENDPOINT_URL", "http://127.0.0.1:9000/")];
        assert!(matches!(open_with("s3://bucket/some/prefix/", &keys), Ok(Root::Bucket(_))));
        let azure = [("AZURE_STORAGE_ACCESS_KEY", "YQ==")];
        assert!(matches!(open_with("abfss://container@account.dfs.core.windows.net/x", &azure), Ok(Root::Bucket(_))));
        assert!(matches!(open_with("wasbs://container@account.blob.core.windows.net", &azure), Ok(Root::Bucket(_))));
        let azure = [("AZURE_STORAGE_CONNECTION_STRING", "AccountName=account;AccountKey=YQ==;EndpointSuffix=core.windows.net")];
        assert!(matches!(open_with("az://container/x", &azure), Ok(Root::Bucket(_))));
    }

    #[test]
    fn other_urls_are_refused_without_their_secrets() {
        for bad in
            ["", "http://host/x", "mlflow-artifacts:/x", "s3://", "s3://bucket/../x/%2e%2e", "s3://bucket/a?b=c", "ftp://me:secret@host/x"]
        {
            let Err(error) = open_with(bad, &[]) else { panic!("`{bad}`") };
            assert!(matches!(error, ArtifactError::BadRoot { .. }), "`{bad}`: {error}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
