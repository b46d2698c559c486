//! What every command is given besides its own arguments: the project's folder, the printer, the number of threads.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use almanac_config::{Overrides, Settings};

use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::Printer;

/// Handed to every command.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    folder: PathBuf,
    threads: Option<NonZeroUsize>,
    pub(crate) printer: Printer,
}

impl Context {
    /// Gathers what the global arguments say.
    pub(crate) fn new(folder: PathBuf, threads: Option<NonZeroUsize>, printer: Printer) -> Self {
        Self { folder, threads, printer }
    }

    /// Returns the same context for another folder.
    pub(crate) fn in_folder(&self, folder: PathBuf) -> Self {
        Self { folder, ..self.clone() }
    }

    /// Returns the folder that `-C` names, whether it holds a project or not.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns a path that the user gave, relative to the folder that `-C` names.
    pub(crate) fn path(&self, given: &Path) -> PathBuf {
        // `./x` reads worse than `x` in every message.
        if self.folder == Path::new(".") { given.to_owned() } else { self.folder.join(given) }
    }

    /// Reads the project's settings. `flags`: those of the command; `--threads` is added here.
    ///
    /// # Errors
    /// Exit code 3 if there is no project or its file is wrong.
    pub(crate) fn settings(&self, flags: Overrides) -> Result<Settings, Failure> {
        let flags = Overrides { threads: self.threads.map(NonZeroUsize::get), ..flags };
        Settings::load(&self.folder, &flags).or_fail(ExitStatus::Config)
    }

    /// Returns how many threads to use where there are no settings to ask.
    pub(crate) fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}
