//! Sources outside the project, before a run: what is new of them lands, so that bronze reads files of this machine.
//!
//! Personal columns are hidden on the way: bronze finds it done. A table at a time, under the lock of a run. What has landed stays if a
//! later table fails: the next run goes on from there.
//!
//! Not here: the sources (`almanac-connect`), which tables there are (`almanac.toml`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use almanac_connect::{
    ConnectError, HideFile, Hiding, LandOptions, Landed, Lookup, Patience, ReadKafka, SourceSpec, TableLanding, hidden_of, hide_landed,
    is_hidden_as_asked, land, views,
};
use almanac_data::{CsvOptions, hide_file};
use almanac_privacy::Redaction;
use jiff::Timestamp;

use crate::progress::{Event, Observer};
use crate::project::Project;
use crate::run::lock;
use crate::{PipelineError, RunError};

/// A table whose source is outside.
#[derive(Debug, Clone)]
pub struct OutsideTable {
    /// Its name.
    pub name: String,
    /// Where it is from.
    pub source: SourceSpec,
    /// What becomes of its personal columns as it lands.
    pub redaction: Redaction,
    /// How text files of it are written.
    pub csv: CsvOptions,
}

/// A table that has landed.
#[derive(Debug, Clone)]
pub struct LandedTable {
    /// The files of the table as it is now.
    pub current: Vec<PathBuf>,
    /// The files of all versions of its rows, if they have a key.
    pub history: Option<Vec<PathBuf>>,
    /// What is left to do about personal columns: nothing, but it knows which there were.
    pub redaction: Redaction,
}

/// The formats that bronze reads, for objects that land.
#[derive(Debug)]
struct Formats<'a>(&'a CsvOptions);

impl HideFile for Formats<'_> {
    fn hide(
        &self,
        raw: &Path,
        redaction: &Redaction,
        next: &mut dyn FnMut(&str) -> PathBuf,
    ) -> Result<BTreeSet<String>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(hide_file(raw, self.0, redaction, next)?)
    }
}

/// What landing needs from the caller.
#[derive(Debug, Clone, Copy)]
pub struct LandContext<'a> {
    /// Where secrets are looked up.
    pub lookup: Lookup<'a>,
    /// Hears of progress.
    pub observer: &'a dyn Observer,
    /// Waits for the network.
    pub runtime: &'a tokio::runtime::Handle,
    /// Milliseconds since 1970 in UTC.
    pub clock: fn() -> i64,
    /// Tables to fetch from the beginning, as if nothing had landed.
    pub anew: &'a [String],
    /// What reads Kafka, if the program has it.
    pub kafka: Option<&'a dyn ReadKafka>,
    /// How many of the newest loads are kept when nothing of them is left in the table; `None`: all there were.
    pub keep_loads: Option<usize>,
}

/// Lands what is new of every table.
///
/// # Errors
/// [`RunError`] naming the table; what had landed before is untouched.
pub fn land_tables(project: &Project, tables: &[OutsideTable], context: LandContext<'_>) -> Result<(), RunError> {
    if tables.is_empty() {
        return Ok(());
    }
    let _lock = lock(project).map_err(|source| RunError { asset: "land".to_owned(), source })?;
    for table in tables {
        let asset = format!("land/{}", table.name);
        context.observer.on(&Event::Started { asset: &asset });
        let started = Instant::now();
        let options = LandOptions {
            landing: &project.landing(),
            lookup: context.lookup,
            now: Timestamp::from_millisecond((context.clock)()).unwrap_or(Timestamp::UNIX_EPOCH),
            is_offline: false,
            is_anew: context.anew.contains(&table.name),
            patience: Patience::default(),
            kafka: context.kafka,
            hiding: Hiding { redaction: &table.redaction, files: &Formats(&table.csv) },
            keep_loads: context.keep_loads,
        };
        let landed = context.runtime.block_on(land(&table.name, &table.source, options));
        let Landed { news, notes, .. } = landed.map_err(|error| RunError { asset: asset.clone(), source: error.into() })?;
        match news {
            None => context.observer.on(&Event::Cached { asset: &asset }),
            Some(news) => {
                tracing::info!(table = %table.name, news, "landed");
                context.observer.on(&Event::Finished { asset: &asset, seconds: started.elapsed().as_secs_f64() });
                // Said once, with the load they are about.
                for note in notes {
                    context.observer.on(&Event::Note { text: &format!("`{}`: {note}", table.name) });
                }
            }
        }
    }
    Ok(())
}

/// Returns the files of a table that has landed. Nothing is fetched; what has become personal since it landed is hidden first.
///
/// # Errors
/// [`PipelineError::Connect`]; a table of which nothing has landed is one, and one that was hidden in another way than is asked for.
/// [`PipelineError::Busy`] if something is to be hidden while another command has the project.
pub fn landed_files(project: &Project, table: &OutsideTable) -> Result<LandedTable, PipelineError> {
    let source = &table.source;
    let identity = source.identity();
    let mut landing = TableLanding::read(&project.landing(), &table.name).map_err(ConnectError::from)?;
    if !is_hidden_as_asked(landing.manifest(), &identity, &table.redaction) {
        let _lock = lock(project)?;
        landing = TableLanding::open(&project.landing(), &table.name).map_err(ConnectError::from)?;
        let hiding = Hiding { redaction: &table.redaction, files: &Formats(&table.csv) };
        hide_landed(&mut landing, &identity, false, hiding)?;
    }
    let found = views(&landing, &identity, source.key(), source.watermark())?;
    if found.current.is_empty() {
        return Err(ConnectError::Offline { table: table.name.clone() }.into());
    }
    let redaction = table.redaction.done_before(hidden_of(landing.manifest(), &identity, &table.redaction));
    Ok(LandedTable { current: found.current, history: found.history, redaction })
}
