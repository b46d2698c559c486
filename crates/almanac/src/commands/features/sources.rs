//! The declarations of a project and the sources they name; `almanac.toml` is used where there is one.

use almanac_config::{Overrides, PROJECT_FILE, Settings};
use almanac_data::{CsvOptions, expand_source};
use almanac_feature_store::Declarations;
use almanac_pipeline::{FeatureSources, FilePrivacy, Project};
use tokio::runtime::Runtime;

use super::{OrFailFeatures, Wrong};
use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::privacy;

/// Memory where no settings say how much: 2 GiB.
const MEMORY: usize = 2 << 30;

/// What a command works on.
pub(super) struct Store {
    pub(super) declarations: Declarations,
    pub(super) sources: Opened,
}

/// The sources, and the runtime that their queries run on.
pub(super) struct Opened {
    sources: FeatureSources,
    _runtime: Runtime,
}

impl std::ops::Deref for Opened {
    type Target = FeatureSources;

    fn deref(&self) -> &FeatureSources {
        &self.sources
    }
}

/// Reads the declarations of the project that `-C` names.
///
/// # Errors
/// Exit code 3 where nothing is declared, or it does not hold together.
pub(super) fn open(ctx: &Context) -> Result<Store, Failure> {
    let has_settings = ctx.path(PROJECT_FILE.as_ref()).exists();
    let (project, tables, csv, memory, privacy) = if has_settings {
        let settings = ctx.settings(Overrides::default())?;
        let tables = settings.data.tables.iter().chain(&settings.data.future_source).map(|table| table.name.clone()).collect();
        (Project::new(&settings.project), tables, compose::csv(&settings), compose::memory(&settings), of_files(&settings)?)
    } else {
        (Project::new(ctx.folder()), Vec::new(), CsvOptions::default(), MEMORY, FilePrivacy::default())
    };
    let path = project.features();
    if !path.exists() {
        return Err(Failure::new(ExitStatus::Config, Wrong::Nothing { path }));
    }
    let declarations = Declarations::read(&path).or_fail_features()?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    let sources = FeatureSources { project, tables, csv, memory, runtime: runtime.handle().clone(), privacy };
    Ok(Store { declarations, sources: Opened { sources, _runtime: runtime } })
}

/// What becomes of personal columns in files that views name.
fn of_files(settings: &Settings) -> Result<FilePrivacy, Failure> {
    let personal = privacy::personal(settings);
    if personal.is_empty() {
        return Ok(FilePrivacy::default());
    }
    let mut tables = Vec::new();
    for table in settings.data.tables.iter().chain(&settings.data.future_source) {
        for pattern in &table.patterns {
            // A source that is not there is no file of a view either.
            let files = expand_source(&settings.project, pattern).unwrap_or_default();
            tables.extend(files.into_iter().map(|path| (path, table.name.clone())));
        }
    }
    Ok(FilePrivacy { personal, key: privacy::key(settings)?, tables })
}
