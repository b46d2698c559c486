//! What the commands that work on a project share: its settings composed, its store open, its runtime started.

use std::time::{SystemTime, UNIX_EPOCH};

use almanac_config::{Overrides, Settings};
use almanac_connect::{ConnectError, Lookup};
use almanac_data::IngestError;
use almanac_model::FitError;
use almanac_pipeline::{Event, LandContext, Observer, Outside, PipelineError, PipelineSettings, Project, RunError, land_tables};
use almanac_privacy::EraseError;
use almanac_profile::ProfileError;
use almanac_series::Hint;
use almanac_tracking::{ArtifactStore, TrackingStore};

use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::models::Models;
use crate::printer::AssetProgress;

/// A project opened by a command.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) project: Project,
    pub(crate) pipeline: PipelineSettings,
    pub(crate) models: Models,
    pub(crate) store: TrackingStore,
    /// Where artifacts go besides the project, if the settings name a place.
    artifacts: Option<ArtifactStore>,
    pub(crate) runtime: tokio::runtime::Runtime,
    observer: Progress,
}

impl Session {
    /// Opens the project that `-C` names.
    ///
    /// # Errors
    /// Exit codes 3 (settings), 4 (sources), 7 (database).
    pub(crate) fn open(ctx: &Context, flags: Overrides) -> Result<Self, Failure> {
        Self::open_with(ctx, flags, None)
    }

    /// As [`Self::open`], after landing what is new of the sources outside; the tables named in `anew` from the beginning.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn open_landed(ctx: &Context, flags: Overrides, anew: &[String]) -> Result<Self, Failure> {
        Self::open_with(ctx, flags, Some(anew))
    }

    fn open_with(ctx: &Context, flags: Overrides, land: Option<&[String]>) -> Result<Self, Failure> {
        let settings = ctx.settings(flags)?;
        let threads = start_threads(ctx, &settings);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
        let project = Project::new(&settings.project);
        let observer = Progress(AssetProgress::new(ctx.printer.clone()));
        if let Some(anew) = land {
            land_outside(&settings, &project, &observer, &runtime, anew)?;
        }
        let pipeline = compose::pipeline(&settings, &ctx.printer)?;
        let models = Models { threads, ..compose::models(&settings)? };
        let store = compose::store(&settings.tracking, &project)?;
        let artifacts = match &settings.tracking.artifact_root {
            Some(_) => Some(compose::artifacts(&settings.tracking, &project)?),
            None => None,
        };
        Ok(Self { project, pipeline, models, store, artifacts, runtime, observer })
    }

    /// Returns what the pipeline needs from outside.
    pub(crate) fn outside(&self) -> Outside<'_> {
        Outside {
            models: &self.models,
            observer: &self.observer,
            store: &self.store,
            artifacts: self.artifacts.as_ref(),
            runtime: self.runtime.handle(),
            clock: now_ms,
        }
    }

    /// Returns who hears of progress.
    pub(crate) fn observer(&self) -> &dyn Observer {
        &self.observer
    }
}

fn land_outside(
    settings: &Settings,
    project: &Project,
    observer: &dyn Observer,
    runtime: &tokio::runtime::Runtime,
    anew: &[String],
) -> Result<(), Failure> {
    let tables = compose::outside_tables(settings)?;
    if let Some(name) = anew.iter().find(|name| !tables.iter().any(|table| table.name == **name)) {
        let known = tables.iter().map(|table| table.name.clone()).collect();
        return Err(Failure::new(ExitStatus::Usage, NotOutside { name: name.clone(), known }));
    }
    if settings.data.offline {
        return Ok(());
    }
    let lookup = Lookup { variable: &|name| std::env::var(name).ok(), root: &settings.project };
    let (runtime, kafka, keep_loads) = (runtime.handle(), compose::kafka(), settings.data.keep_loads);
    let context = LandContext { lookup, observer, runtime, clock: now_ms, anew, kafka, keep_loads };
    land_tables(project, &tables, context).map_err(run_failure)
}

/// Something that cannot be loaded anew.
#[derive(Debug, thiserror::Error)]
#[error("there is no table `{name}` whose source is outside the project")]
struct NotOutside {
    name: String,
    known: Vec<String>,
}

impl Hint for NotOutside {
    fn hint(&self) -> Option<String> {
        let names: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
        Some(if names.is_empty() { "`[data]` names files of this machine only".into() } else { format!("there are {}", names.join(", ")) })
    }
}

/// Starts the threads that the project asks for and returns how many they are.
pub(crate) fn start_threads(ctx: &Context, settings: &Settings) -> usize {
    let threads = match settings.run.threads {
        0 => ctx.threads().get(),
        threads => threads,
    };
    // A second pool in one process is a bug of ours; the first one stays.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    threads
}

/// Milliseconds since 1970 in UTC.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Shows the pipeline's events on the terminal.
#[derive(Debug)]
struct Progress(AssetProgress);

impl Observer for Progress {
    fn on(&self, event: &Event<'_>) {
        match *event {
            Event::Cached { asset } => self.0.cached(asset),
            Event::Started { asset } => self.0.started(asset),
            Event::Progress { asset, done, total } => self.0.advanced(asset, done, total),
            Event::Finished { asset, .. } => self.0.finished(asset),
            Event::Note { text } => self.0.note(text),
        }
    }
}

/// Gives a failed run its exit code.
pub(crate) fn run_failure(error: RunError) -> Failure {
    let status = status_of(&error.source);
    Failure::new(status, error)
}

/// Gives a failure of the pipeline its exit code.
pub(crate) fn status_of(error: &PipelineError) -> ExitStatus {
    match error {
        PipelineError::Ingest(IngestError::Write { .. } | IngestError::Encode { .. })
        | PipelineError::Connect(ConnectError::Write { .. } | ConnectError::Landing(_)) => ExitStatus::Io,
        PipelineError::Connect(ConnectError::Secret(_) | ConnectError::BadUrl { .. }) => ExitStatus::Config,
        PipelineError::Connect(_) => ExitStatus::DataInput,
        PipelineError::Profile(ProfileError::Io { .. } | ProfileError::Kept { .. }) => ExitStatus::Io,
        PipelineError::Profile(_) => ExitStatus::DataInput,
        PipelineError::Source { .. } | PipelineError::Ingest(_) | PipelineError::Silver(_) | PipelineError::Panel(_) => {
            ExitStatus::DataInput
        }
        PipelineError::Plan(_) | PipelineError::NoModel { .. } => ExitStatus::DataInput,
        PipelineError::Query(_)
        | PipelineError::Hierarchy(_)
        | PipelineError::UnknownModel { .. }
        | PipelineError::NoLibrary(_)
        | PipelineError::Fit(FitError::NoLibrary { .. })
        | PipelineError::Features(_) => ExitStatus::Config,
        PipelineError::Expectations(_) | PipelineError::Drift(_) => ExitStatus::DataCheck,
        PipelineError::Expecting(almanac_expect::CheckError::NoTable { .. }) => ExitStatus::Config,
        PipelineError::Expecting(_) => ExitStatus::DataInput,
        PipelineError::Gate(_) => ExitStatus::ModelGate,
        PipelineError::NoPersonal { .. } => ExitStatus::Config,
        PipelineError::Erase(error) => erase_status(error),
        PipelineError::Store(_) => ExitStatus::Store,
        PipelineError::State { .. }
        | PipelineError::Lake(_)
        | PipelineError::Forecasts(_)
        | PipelineError::Artifact(_)
        | PipelineError::Busy
        | PipelineError::Damaged { .. } => ExitStatus::Io,
        PipelineError::NoChampion | PipelineError::NoEnsemble | PipelineError::NoIntervals { .. } => ExitStatus::Usage,
        _ => ExitStatus::Unexpected,
    }
}

/// Gives a failure of an erasure its exit code.
pub(crate) fn erase_status(error: &EraseError) -> ExitStatus {
    match error {
        EraseError::NoSubject | EraseError::NoColumn | EraseError::NoProof { .. } | EraseError::OtherPending { .. } => ExitStatus::Usage,
        EraseError::Key(_) => ExitStatus::Config,
        EraseError::Stopped => ExitStatus::Unexpected,
        _ => ExitStatus::Io,
    }
}

/// Turns a failure of the pipeline outside a run into a failed command.
pub(crate) trait OrFailPipeline<T> {
    /// Gives the error its exit code.
    fn or_fail_pipeline(self) -> Result<T, Failure>;
}

impl<T> OrFailPipeline<T> for Result<T, PipelineError> {
    fn or_fail_pipeline(self) -> Result<T, Failure> {
        self.map_err(|error| {
            let status = status_of(&error);
            Failure::new(status, error)
        })
    }
}
