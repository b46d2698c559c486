//! Objects of a store, and files behind URLs: copied as they are, once for each of their versions.
//!
//! A name with `*`, `?`, `[…]` or `**` is a pattern, one that ends in `/` a folder. What has the ETag (or, without one, the time of change)
//! and size that it had is not copied again; what is gone is noted as gone. Keys of the stores come from the environment, in the variables
//! of the clouds' own programs.
//!
//! Not here: what is in the objects (bronze reads the copies).

mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use futures::StreamExt;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, ObjectStore};
use reqwest::StatusCode;
use reqwest::header::{ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use url::Url;

use crate::error::ConnectError;
use crate::hide::{Hiding, add_copy};
use crate::http::{Ask, Http, Manner, Patience, Tried, fill_headers};
use crate::landing::{LandedFile, OpenLoad, Origin};
use crate::secret::{Lookup, Scrubber};
use crate::spec::ObjectsSpec;
pub(crate) use store::{Bucket, Listed};

/// Objects on their way at a time.
const AT_A_TIME: usize = 8;
/// Bytes of one request.
const WINDOW: u64 = 8 << 20;
/// Tries of a copy after the first; the store's client tries each request again by itself.
const MORE_TRIES: u32 = 2;
/// Most objects of one table.
const MAX_OBJECTS: usize = 1_000_000;

/// What is fetched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) table: &'a str,
    pub(crate) spec: &'a ObjectsSpec,
    pub(crate) lookup: Lookup<'a>,
    pub(crate) patience: Patience,
    pub(crate) hiding: Hiding<'a>,
}

/// What came.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// Objects that were copied.
    pub(crate) copied: u64,
    pub(crate) gone: Vec<String>,
    /// Personal columns that there were.
    pub(crate) found: BTreeSet<String>,
}

/// Looks which objects there are.
pub(crate) async fn probe(request: Request<'_>) -> Result<(), ConnectError> {
    let mut scrubber = Scrubber::default();
    for place in 0..request.spec.urls.len() {
        if is_http(request, place)? {
            let (mut http, ask) = http(request, place, &mut scrubber)?;
            http.ask(&ask, async |_, _| Ok(())).await?;
        } else {
            let bucket = Bucket::open(request, place, &mut scrubber)?;
            bucket.list(MAX_OBJECTS).await.map_err(|error| bucket.failed("list", &error, &scrubber))?;
        }
    }
    Ok(())
}

/// Copies what is new or has changed into the load.
pub(crate) async fn fetch(request: Request<'_>, known: &[LandedFile], load: &mut OpenLoad<'_>) -> Result<Fetched, ConnectError> {
    let known: BTreeMap<&str, &Origin> =
        known.iter().filter_map(|file| file.origin.as_ref()).map(|origin| (origin.url.as_str(), origin)).collect();
    let mut fetched = Fetched::default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for place in 0..request.spec.urls.len() {
        let mut scrubber = Scrubber::default();
        if is_http(request, place)? {
            let name = shown(request, place);
            let old = known.get(name.as_str()).copied();
            if let Some(mut found) = fetch_file(request, place, old, load, &mut scrubber).await? {
                fetched.copied += 1;
                fetched.found.append(&mut found);
            }
            seen.insert(name);
            continue;
        }
        let bucket = Bucket::open(request, place, &mut scrubber)?;
        let listed = bucket.list(MAX_OBJECTS).await.map_err(|error| bucket.failed("list", &error, &scrubber))?;
        if listed.is_empty() {
            let reason = "no object has such a name".to_owned();
            return Err(ConnectError::Missing { url: bucket.shown.clone(), what: bucket.pattern.clone(), reason });
        }
        let mut wanted = Vec::new();
        for object in listed {
            let url = format!("{}/{}", bucket.root, object.key);
            let is_known = known.get(url.as_str()).is_some_and(|old| old.version == object.version && old.bytes == object.bytes);
            seen.insert(url.clone());
            if !is_known && object.bytes > 0 {
                wanted.push((load.file(extension(&object.key)), object, url));
            }
        }
        let mut copies = futures::stream::iter(wanted.into_iter().map(|(file, object, url)| {
            let (bucket, scrubber) = (&bucket, &scrubber);
            async move {
                copy(request, bucket, &object, file.path(), scrubber).await?;
                Ok::<_, ConnectError>((file, object, url))
            }
        }))
        // In their order, so that the same objects land under the same names.
        .buffered(AT_A_TIME);
        while let Some(copied) = copies.next().await {
            let (file, object, url) = copied?;
            let origin = Origin { url, version: object.version, bytes: object.bytes };
            fetched.found.append(&mut add_copy(request.hiding, load, file, None, origin)?);
            fetched.copied += 1;
        }
    }
    fetched.gone = known.keys().filter(|url| !seen.contains(**url)).map(|url| (*url).to_owned()).collect();
    Ok(fetched)
}

/// Copies one object, of exactly the version that was listed.
pub(crate) async fn copy(
    request: Request<'_>,
    bucket: &Bucket,
    object: &Listed,
    to: &Path,
    scrubber: &Scrubber,
) -> Result<(), ConnectError> {
    let mut attempt = 0;
    loop {
        let failed = match try_copy(bucket, object, to).await {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        let error = match failed {
            Failed::Store(error) => bucket.failed(&object.key, &error, scrubber),
            Failed::Write(source) => return Err(ConnectError::Write { file: to.display().to_string(), source }),
            Failed::Short(got) => ConnectError::Lost {
                url: format!("{}/{}", bucket.root, object.key),
                rows: 0,
                reason: format!("{got} of {} bytes came", object.bytes),
            },
        };
        if attempt >= request.spec.retries.min(MORE_TRIES) || !error.is_passing() {
            return Err(error);
        }
        tokio::time::sleep(request.patience.wait(attempt)).await;
        attempt += 1;
    }
}

enum Failed {
    Store(object_store::Error),
    Write(std::io::Error),
    Short(u64),
}

async fn try_copy(bucket: &Bucket, object: &Listed, to: &Path) -> Result<(), Failed> {
    let key = ObjectPath::parse(&object.key).map_err(|error| Failed::Store(error.into()))?;
    let mut file = File::create(to).map_err(Failed::Write)?;
    let mut got = 0;
    // In windows: no single request of a large object runs into a limit of time.
    while got < object.bytes {
        let window = got..object.bytes.min(got + WINDOW);
        let options = GetOptions::new().with_range(Some(window.clone())).with_if_match(object.etag.clone());
        let mut stream = bucket.store.get_opts(&key, options).await.map_err(Failed::Store)?.into_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(Failed::Store)?;
            got += chunk.len() as u64;
            file.write_all(&chunk).map_err(Failed::Write)?;
        }
        if got < window.end {
            break;
        }
    }
    if got == object.bytes { Ok(()) } else { Err(Failed::Short(got)) }
}

fn shown(request: Request<'_>, place: usize) -> String {
    request.spec.urls[place].as_written().split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn is_http(request: Request<'_>, place: usize) -> Result<bool, ConnectError> {
    let filled = request.spec.urls[place].fill(&request.lookup)?;
    let url = filled.text.expose();
    Ok(url.starts_with("http://") || url.starts_with("https://"))
}

fn http<'s>(request: Request<'_>, place: usize, scrubber: &'s mut Scrubber) -> Result<(Http<'s>, Ask), ConnectError> {
    let spec = request.spec;
    let filled = spec.urls[place].fill(&request.lookup)?;
    scrubber.learn(&filled);
    let headers = fill_headers(&spec.headers, &request.lookup, scrubber)?;
    let shown = shown(request, place);
    let url = Url::parse(filled.text.expose()).map_err(|error| ConnectError::BadUrl { url: shown.clone(), reason: error.to_string() })?;
    let manner = Manner { shown, timeout: spec.timeout, retries: spec.retries, patience: request.patience, pace: None, scrubber };
    Ok((Http::new(&url, headers, manner)?, Ask { url, is_post: false, body: None, extra: Vec::new() }))
}

/// Copies a file behind a URL, unless the server says that it has not changed.
async fn fetch_file(
    request: Request<'_>,
    place: usize,
    known: Option<&Origin>,
    load: &mut OpenLoad<'_>,
    scrubber: &mut Scrubber,
) -> Result<Option<BTreeSet<String>>, ConnectError> {
    let (mut http, mut ask) = http(request, place, scrubber)?;
    if let Some(origin) = known.filter(|origin| origin.version.starts_with('"') || origin.version.starts_with("W/")) {
        ask.extra.push((IF_NONE_MATCH, origin.version.clone()));
    }
    let file = load.file(extension(ask.url.path()));
    let to: PathBuf = file.path().to_owned();
    let got = http
        .ask(&ask, async |http, mut response| {
            if response.status() == StatusCode::NOT_MODIFIED {
                return Ok(None);
            }
            let unwritten = |source| Tried::Failed(ConnectError::Write { file: to.display().to_string(), source });
            let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let version = header(ETAG).or_else(|| header(LAST_MODIFIED));
            let mut opened = File::create(&to).map_err(unwritten)?;
            let mut hasher = blake3::Hasher::new();
            let mut bytes = 0;
            while let Some(chunk) = response.chunk().await.map_err(|error| http.broken(&error))? {
                opened.write_all(&chunk).map_err(unwritten)?;
                hasher.update(&chunk);
                bytes += chunk.len() as u64;
            }
            Ok(Some((version.unwrap_or_else(|| hasher.finalize().to_hex().to_string()), bytes)))
        })
        .await?;
    let Some((version, bytes)) = got else { return Ok(None) };
    if known.is_some_and(|origin| origin.version == version && origin.bytes == bytes) {
        return Ok(None);
    }
    if bytes == 0 {
        return Err(ConnectError::Empty { url: shown(request, place), table: request.table.to_owned() });
    }
    add_copy(request.hiding, load, file, None, Origin { url: shown(request, place), version, bytes }).map(Some)
}

/// The end of a name that tells its format: `csv.gz`.
fn extension(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or_default();
    let is_packed = |end: &str| matches!(end, "gz" | "zst" | "zip" | "bz2" | "xz");
    match name.rsplit_once('.') {
        Some((stem, end)) if is_packed(&end.to_ascii_lowercase()) => match stem.rsplit_once('.') {
            Some((base, _)) => &name[base.len() + 1..],
            None => end,
        },
        Some((_, end)) => end,
        None => "data",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_kept_in_names() {
        for (name, expected) in
            [("a/b.parquet", "parquet"), ("x.csv.gz", "csv.gz"), ("x.gz", "gz"), ("a.b/x", "data"), ("sales.2024.csv", "csv")]
        {
            assert_eq!(extension(name), expected, "{name}");
        }
    }
}
