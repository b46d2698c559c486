//! One table from its source into the landing place: what is new is fetched, and committed whole or not at all.
//!
//! | source | a load brings | it lands as |
//! |---|---|---|
//! | database | all, or what is after the watermark | one Parquet file |
//! | service | all, or what is after the watermark | one file of JSON lines |
//! | objects | what is new or changed | the objects, as they are |
//! | Delta | the data files of the version that have not landed | a file for each |
//! | Kafka | messages up to the end as it was at the start | JSON lines, a file for each partition |
//!
//! Personal columns are hidden as rows are written; what landed before under a milder policy is brought up to the present one first (`hide`).
//!
//! All of a source that says the same as the last time is no new load, so that nothing behind it runs again. A connection that is lost is
//! tried again from the start of the load; nothing of a failed try is kept. Small increments are put together (`compact`).
//!
//! Not here: how each source is asked (`sql`, `rest`, `objects`), when (`almanac-pipeline`).

use std::path::{Path, PathBuf};

use almanac_privacy::Redaction;
use jiff::Timestamp;

use crate::compact::{compact, let_go};
use crate::error::ConnectError;
use crate::hide::{Hiding, hide_landed};
use crate::http::Patience;
use crate::kafka::{KafkaRequest, ReadKafka};
use crate::landing::{Commit, LandedColumn, LandedFile, LandedKind, Load, LoadMode, TableLanding};
use crate::secret::{Lookup, Scrubber};
use crate::spec::{DatabaseSpec, DeltaSpec, ObjectsSpec, RestSpec, SourceSpec};
use crate::versions::{Views, views};
use crate::{delta, objects, rest, sql};

/// Tries of a load whose connection is lost.
const TRIES: u32 = 3;

/// How to land.
#[derive(Debug, Clone, Copy)]
pub struct LandOptions<'a> {
    /// The folder of all landing places.
    pub landing: &'a Path,
    /// Where secrets are looked up, and relative paths start.
    pub lookup: Lookup<'a>,
    /// The time of the load.
    pub now: Timestamp,
    /// Fetch nothing, use what has landed.
    pub is_offline: bool,
    /// Fetch everything, as if nothing had landed.
    pub is_anew: bool,
    /// How long to wait between tries.
    pub patience: Patience,
    /// What reads Kafka, if the program has it.
    pub kafka: Option<&'a dyn ReadKafka>,
    /// What becomes of personal columns before rows are written.
    pub hiding: Hiding<'a>,
    /// How many of the newest loads are kept when nothing of them is left in the table; `None`: all there were.
    pub keep_loads: Option<usize>,
}

/// A table that has landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The files of the table as it is now.
    pub current: Vec<PathBuf>,
    /// The files of all versions of its rows, if they have a key.
    pub history: Option<Vec<PathBuf>>,
    /// Rows or objects that came with this load; `None`: there was nothing new.
    pub news: Option<u64>,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// Lands what is new of a table.
///
/// # Errors
/// [`ConnectError`]; what had landed before is then untouched.
pub async fn land(table: &str, spec: &SourceSpec, options: LandOptions<'_>) -> Result<Landed, ConnectError> {
    let mut landing = TableLanding::open(options.landing, table)?;
    let source = spec.identity();
    hide_landed(&mut landing, &source, options.is_anew, options.hiding)?;
    let mut news = None;
    if !options.is_offline {
        let mut attempt = 0;
        news = loop {
            match load(&mut landing, table, spec, &source, options).await {
                Ok(news) => break news,
                Err(error) if attempt + 1 < TRIES && may_pass(spec, &error) => {
                    let wait = options.patience.wait(attempt);
                    tracing::warn!(table, %error, attempt, wait_ms = wait.as_millis() as u64, "a load failed and is tried again");
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        };
    } else if landing.manifest().current(&source).is_empty() {
        return Err(ConnectError::Offline { table: table.to_owned() });
    }
    if news.is_some() {
        let is_keyed = !spec.key().is_empty();
        if let Some(loads) = compact(&mut landing, &source, is_keyed)? {
            tracing::info!(table, loads, "small loads were put together");
        }
        if let Some(keep) = options.keep_loads {
            let files = let_go(&mut landing, &source, is_keyed, keep)?;
            tracing::info!(table, files, "files of which nothing is left in the table were removed");
        }
    }
    let Views { current, history, mut notes } = views(&landing, &source, spec.key(), spec.watermark())?;
    let last = landing.manifest().last(&source).map(|load| load.notes.clone()).unwrap_or_default();
    notes.splice(0..0, last);
    Ok(Landed { current, history, news, notes })
}

/// Whether another try of the whole load may help. Services, stores and queues have tried each of their requests again already.
fn may_pass(spec: &SourceSpec, error: &ConnectError) -> bool {
    match spec {
        SourceSpec::Database(_) => error.is_passing(),
        // What was listed changed before it came.
        SourceSpec::Objects(_) | SourceSpec::Delta(_) => matches!(error, ConnectError::Lost { .. }),
        SourceSpec::Rest(_) | SourceSpec::Kafka(_) => false,
    }
}

/// Looks whether a source can be reached and has what is asked of it. Nothing is written.
///
/// # Errors
/// [`ConnectError`], as [`land`] would raise it.
pub async fn probe(
    table: &str,
    spec: &SourceSpec,
    lookup: Lookup<'_>,
    patience: Patience,
    kafka: Option<&dyn ReadKafka>,
) -> Result<(), ConnectError> {
    // A look writes nothing, and what is said of values is said of all alike.
    let nothing = Redaction::default();
    match spec {
        SourceSpec::Database(spec) => {
            let mut scrubber = Scrubber::default();
            let url = spec.url.fill(&lookup)?;
            scrubber.learn(&url);
            let request = sql::Request { table, spec, url: &url, scrubber: &scrubber, root: lookup.root, after: None, redaction: &nothing };
            sql::probe(request).await
        }
        SourceSpec::Objects(spec) => {
            let spec = ObjectsSpec { retries: 0, ..spec.clone() };
            objects::probe(objects::Request { table, spec: &spec, lookup, patience, hiding: Hiding::nothing() }).await
        }
        SourceSpec::Rest(spec) => {
            let spec = RestSpec { retries: 0, ..spec.clone() };
            rest::probe(rest::Request { table, spec: &spec, lookup, after: None, patience, redaction: &nothing }).await
        }
        SourceSpec::Delta(spec) => {
            let spec = DeltaSpec { place: ObjectsSpec { retries: 0, ..spec.place.clone() }, ..spec.clone() };
            delta::probe(delta::Request { table, spec: &spec, lookup, patience, hiding: Hiding::nothing() }).await
        }
        SourceSpec::Kafka(spec) => {
            let reader = kafka.ok_or_else(|| ConnectError::NoKafka { url: spec.url.as_written().to_owned() })?;
            reader.probe(KafkaRequest { table, spec, source: "", lookup, now: Timestamp::UNIX_EPOCH, is_anew: false, redaction: &nothing })
        }
    }
}

/// Fetches and commits; returns what came, if anything is new.
async fn load(
    landing: &mut TableLanding,
    table: &str,
    spec: &SourceSpec,
    source: &str,
    options: LandOptions<'_>,
) -> Result<Option<u64>, ConnectError> {
    match spec {
        SourceSpec::Database(spec) => load_database(landing, table, spec, source, options).await,
        SourceSpec::Objects(spec) => load_objects(landing, table, spec, source, options).await,
        SourceSpec::Rest(spec) => load_rest(landing, table, spec, source, options).await,
        SourceSpec::Delta(spec) => load_delta(landing, table, spec, source, options).await,
        SourceSpec::Kafka(spec) => {
            let reader = options.kafka.ok_or_else(|| ConnectError::NoKafka { url: spec.url.as_written().to_owned() })?;
            let (lookup, now, is_anew) = (options.lookup, options.now, options.is_anew);
            let redaction = options.hiding.redaction;
            reader.load(landing, KafkaRequest { table, spec, source, lookup, now, is_anew, redaction })
        }
    }
}

/// How a load counts, given whether it was asked for rows after a watermark.
fn mode(is_incremental: bool) -> LoadMode {
    if is_incremental { LoadMode::Rows } else { LoadMode::Full }
}

async fn load_database(
    landing: &mut TableLanding,
    table: &str,
    spec: &DatabaseSpec,
    source: &str,
    options: LandOptions<'_>,
) -> Result<Option<u64>, ConnectError> {
    let mut scrubber = Scrubber::default();
    let url = spec.url.fill(&options.lookup)?;
    scrubber.learn(&url);
    let after = if options.is_anew { None } else { landing.manifest().watermark(source) };
    let before = if options.is_anew { Vec::new() } else { columns_before(landing.manifest().counting(source)) };
    let last = landing.manifest().last(source).map(|load| load.columns.clone()).unwrap_or_default();
    let keeps_loads = spec.watermark.is_some() || !spec.key.is_empty();
    let mut load = landing.begin();
    let file = load.file("parquet");
    let redaction = options.hiding.redaction;
    let request = sql::Request { table, spec, url: &url, scrubber: &scrubber, root: options.lookup.root, after, redaction };
    let fetched = sql::fetch(request, &file).await?;
    if keeps_loads {
        check_types(table, &before, &fetched.columns)?;
    }
    let rows = fetched.written.rows;
    if rows == 0 {
        return match after {
            Some(_) => Ok(None),
            None => Err(ConnectError::Empty { url: spec.url.as_written().to_owned(), table: table.to_owned() }),
        };
    }
    load.add_with(file, Some(rows), Some(fetched.written.content), None)?;
    if is_old(&load, spec.watermark.is_some(), source, options) {
        return Ok(None);
    }
    let mut notes = changes(&last, &fetched.columns);
    notes.extend(fetched.written.notes);
    let commit = Commit {
        is_anew: options.is_anew,
        watermark: fetched.watermark,
        columns: fetched.columns,
        notes,
        privacy: redaction.landed(fetched.found),
        ..Commit::new(mode(spec.watermark.is_some()), source, options.now)
    };
    load.commit(commit)?;
    Ok(Some(rows))
}

/// Whether a load says what the last one said: all of the source, or the rows that a look back brought again.
fn is_old(load: &crate::OpenLoad<'_>, is_incremental: bool, source: &str, options: LandOptions<'_>) -> bool {
    !options.is_anew && if is_incremental { load.repeats_last(source) } else { load.is_unchanged(source) }
}

/// The columns of all loads that count, in the widest kinds.
fn columns_before(loads: &[Load]) -> Vec<LandedColumn> {
    let mut all: Vec<LandedColumn> = Vec::new();
    for column in loads.iter().flat_map(|load| &load.columns) {
        match all.iter_mut().find(|known| known.name == column.name) {
            Some(known) => known.kind = known.kind.promote(column.kind).unwrap_or(known.kind),
            None => all.push(column.clone()),
        }
    }
    all
}

fn check_types(table: &str, before: &[LandedColumn], now: &[LandedColumn]) -> Result<(), ConnectError> {
    for column in now {
        let Some(old) = before.iter().find(|old| old.name == column.name) else { continue };
        if old.kind.promote(column.kind).is_none() {
            return Err(ConnectError::Retyped {
                table: table.to_owned(),
                column: column.name.clone(),
                before: old.kind.name(),
                now: column.kind.name(),
                from: column.from.clone(),
            });
        }
    }
    Ok(())
}

/// Says which columns came, went and changed since the last load.
fn changes(before: &[LandedColumn], now: &[LandedColumn]) -> Vec<String> {
    if before.is_empty() {
        return Vec::new();
    }
    let find = |columns: &[LandedColumn], name: &str| columns.iter().find(|column| column.name == name).map(|column| column.kind);
    let mut notes = Vec::new();
    for column in now {
        match find(before, &column.name) {
            None => notes.push(format!("column `{}` ({}) is new in the source; it is null in earlier loads", column.name, column.from)),
            Some(kind) if kind != column.kind => {
                let (old, new): (LandedKind, LandedKind) = (kind, column.kind);
                notes.push(format!("column `{}` was {} and is now {} ({})", column.name, old.name(), new.name(), column.from));
            }
            Some(_) => {}
        }
    }
    for column in before {
        if find(now, &column.name).is_none() {
            notes.push(format!("column `{}` is no longer in the source", column.name));
        }
    }
    notes
}

async fn load_rest(
    landing: &mut TableLanding,
    table: &str,
    spec: &RestSpec,
    source: &str,
    options: LandOptions<'_>,
) -> Result<Option<u64>, ConnectError> {
    let after = if options.is_anew { None } else { landing.manifest().watermark(source) };
    let mut load = landing.begin();
    let file = load.file("jsonl");
    let request =
        rest::Request { table, spec, lookup: options.lookup, after, patience: options.patience, redaction: options.hiding.redaction };
    let fetched = rest::fetch(request, &file).await?;
    if fetched.rows == 0 {
        if after.is_some() {
            return Ok(None);
        }
        let url = spec.url.as_written().split(['?', '#']).next().unwrap_or_default().to_owned();
        return Err(ConnectError::Empty { url, table: table.to_owned() });
    }
    load.add_with(file, Some(fetched.rows), Some(fetched.content), None)?;
    if is_old(&load, spec.watermark.is_some(), source, options) {
        return Ok(None);
    }
    let commit = Commit {
        is_anew: options.is_anew,
        watermark: fetched.watermark,
        notes: fetched.notes,
        privacy: options.hiding.redaction.landed(fetched.found),
        ..Commit::new(mode(spec.watermark.is_some()), source, options.now)
    };
    load.commit(commit)?;
    Ok(Some(fetched.rows))
}

async fn load_objects(
    landing: &mut TableLanding,
    table: &str,
    spec: &ObjectsSpec,
    source: &str,
    options: LandOptions<'_>,
) -> Result<Option<u64>, ConnectError> {
    let known = known_files(landing, source, options);
    let mut load = landing.begin();
    let request = objects::Request { table, spec, lookup: options.lookup, patience: options.patience, hiding: options.hiding };
    let fetched = objects::fetch(request, &known, &mut load).await?;
    if fetched.copied == 0 && fetched.gone.is_empty() {
        if known.is_empty() {
            let url = spec.urls.first().map(|url| url.as_written().to_owned()).unwrap_or_default();
            return Err(ConnectError::Empty { url, table: table.to_owned() });
        }
        return Ok(None);
    }
    let notes = fetched.gone.iter().map(|url| format!("`{url}` is gone; its rows are no longer in the table")).collect();
    let privacy = options.hiding.redaction.landed(fetched.found);
    let commit =
        Commit { is_anew: options.is_anew, gone: fetched.gone, notes, privacy, ..Commit::new(LoadMode::Objects, source, options.now) };
    load.commit(commit)?;
    Ok(Some(fetched.copied))
}

/// The files of the table as it landed last, unless it is to land anew.
fn known_files(landing: &TableLanding, source: &str, options: LandOptions<'_>) -> Vec<LandedFile> {
    if options.is_anew { Vec::new() } else { landing.manifest().current(source).into_iter().cloned().collect() }
}

async fn load_delta(
    landing: &mut TableLanding,
    table: &str,
    spec: &DeltaSpec,
    source: &str,
    options: LandOptions<'_>,
) -> Result<Option<u64>, ConnectError> {
    let known = known_files(landing, source, options);
    let last = landing.manifest().last(source).map(|load| load.columns.clone()).unwrap_or_default();
    let mut load = landing.begin();
    let request = delta::Request { table, spec, lookup: options.lookup, patience: options.patience, hiding: options.hiding };
    let fetched = delta::fetch(request, &known, &mut load).await?;
    if fetched.files == 0 {
        return Err(ConnectError::Empty { url: spec.url.as_written().to_owned(), table: table.to_owned() });
    }
    if fetched.copied == 0 && fetched.gone.is_empty() {
        return Ok(None);
    }
    let mut notes = vec![format!(
        "version {} of the Delta table: {} of its {} files came, {} that landed before count no longer",
        fetched.version,
        fetched.copied,
        fetched.files,
        fetched.gone.len()
    )];
    notes.extend(changes(&last, &fetched.columns));
    let offsets = [("version".to_owned(), i64::try_from(fetched.version).unwrap_or(i64::MAX))].into();
    let commit = Commit {
        is_anew: options.is_anew,
        gone: fetched.gone,
        offsets,
        columns: fetched.columns,
        notes,
        privacy: options.hiding.redaction.landed(fetched.found),
        ..Commit::new(LoadMode::Objects, source, options.now)
    };
    load.commit(commit)?;
    Ok(Some(fetched.rows))
}
